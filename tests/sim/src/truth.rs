//! What is true of a run: every block that was signed, and everything that the node has ever said. The simulation knows all bodies,
//! so it needs no rule of the ledger to judge.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::note::Policy;
use creditbank_protocol::pb::{Kind, Receipt};
use creditbank_protocol::receipt::verify_receipt;
use creditbank_protocol::record::Record;
use creditbank_protocol::{Alias, Digest, Place, UnitId};

use crate::want::Known;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) String);

/// Returns that a promise was broken.
macro_rules! broken {
    ($($what:tt)*) => {
        return Err(crate::truth::Broken(format!($($what)*)))
    };
}
pub(crate) use broken;

/// A block that somebody with the unit's key has signed.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    /// The want that it is for; of the one who lies, none.
    pub(crate) want: Option<u64>,
    pub(crate) unit: UnitId,
    pub(crate) height: u64,
    pub(crate) previous: Digest,
    pub(crate) id: Digest,
    pub(crate) records: Vec<Record>,
    pub(crate) citizen: Option<u64>,
    /// The course of each record; empty where it has none.
    pub(crate) courses: Vec<String>,
    /// What its award redeems.
    pub(crate) redeems: Vec<Place>,
    /// What its record amends.
    pub(crate) amends: Option<Place>,
}

impl Signed {
    /// A block of the operator, all of which stands in the log.
    pub(crate) fn public(block: &SignedBlock) -> Self {
        let header = block.header();
        Self {
            want: None,
            unit: header.unit,
            height: header.height,
            previous: header.previous,
            id: header.id(),
            records: Vec::new(),
            citizen: None,
            courses: Vec::new(),
            redeems: Vec::new(),
            amends: None,
        }
    }
}

/// Everything that is known of a run.
#[derive(Debug, Default, Clone)]
pub(crate) struct Truth {
    pub(crate) signed: BTreeMap<Digest, Signed>,
    /// Leaves of entries that the node has shown to anybody, by log index.
    pub(crate) log: BTreeMap<u64, Digest>,
    /// Roots that the node has signed, by size.
    pub(crate) checkpoints: BTreeMap<u64, Digest>,
    /// The largest size that was signed, and the note.
    pub(crate) newest: Option<(u64, Vec<u8>)>,
    /// Log indexes of blocks that were answered with a receipt.
    pub(crate) acknowledged: BTreeSet<u64>,
    /// Aliases that were given out, by institution and citizen.
    pub(crate) aliases: BTreeMap<(u64, u64), Alias>,
    /// Records of learners that are sealed.
    pub(crate) known: Vec<Known>,
    /// Ids of headers that each client has sent, by height.
    sent: BTreeMap<(usize, u64), BTreeSet<Digest>>,
    /// Ids of headers that can never be accepted: the node has refused them for a rule, on the head that they build on.
    refused: BTreeSet<Digest>,
}

impl Truth {
    /// The node has shown an entry.
    pub(crate) fn shown(&mut self, index: u64, leaf: Digest) -> Result<(), Broken> {
        match self.log.insert(index, leaf) {
            Some(before) if before != leaf => {
                broken!("log entry {index} is {leaf}, and was {before}: a second history")
            }
            _ => Ok(()),
        }
    }

    /// The node has given out a signed checkpoint.
    pub(crate) fn note(&mut self, note: &[u8], policy: &Policy) -> Result<(), Broken> {
        let signed = policy.verify_signed(note).map_err(|error| Broken(format!("a checkpoint: {error}")))?;
        let (size, root) = (signed.checkpoint.size, signed.checkpoint.root);
        if self.newest.as_ref().is_none_or(|(newest, _)| *newest < size) {
            self.newest = Some((size, note.to_vec()));
        }
        self.checkpoint(size, root)
    }

    /// The node has signed a checkpoint.
    pub(crate) fn checkpoint(&mut self, size: u64, root: Digest) -> Result<(), Broken> {
        match self.checkpoints.insert(size, root) {
            Some(before) if before != root => {
                broken!("the root of size {size} is {root}, and was {before}: a second history")
            }
            _ => Ok(()),
        }
    }

    /// The node has given out a receipt.
    pub(crate) fn receipt(&mut self, receipt: &Receipt, policy: &Policy) -> Result<Digest, Broken> {
        let verified = match verify_receipt(receipt, policy) {
            Ok(verified) => verified,
            Err(error) => broken!("a receipt for log entry {} does not verify: {error}", receipt.index),
        };
        self.shown(verified.index.0, verified.leaf)?;
        self.note(&receipt.checkpoint, policy)?;
        Ok(verified.leaf)
    }

    /// The node has given out an alias.
    pub(crate) fn alias(&mut self, institution: u64, citizen: u64, alias: Alias) -> Result<(), Broken> {
        match self.aliases.insert((institution, citizen), alias) {
            Some(before) if before != alias => broken!("citizen {citizen} has another alias at {institution}"),
            _ => Ok(()),
        }
    }

    /// The node has refused a block by a decision, while what it builds on was the head.
    pub(crate) fn refused(&mut self, id: Digest) {
        self.refused.insert(id);
    }

    /// A client sends a block: no other one of its blocks may still be accepted at that height.
    pub(crate) fn sends(
        &mut self,
        client: usize,
        leaf: Digest,
        durable: &BTreeMap<(UnitId, u64), Digest>,
    ) -> Result<(), Broken> {
        let Some(block) = self.signed.get(&leaf) else {
            broken!("client {client} sends a block that it has not signed")
        };
        let (height, id) = (block.height, block.id);
        let before = self.sent.entry((client, height)).or_default();
        let others: Vec<Digest> = before.iter().copied().filter(|other| *other != id).collect();
        before.insert(id);
        for other in others {
            if self.is_open(other, durable) {
                broken!(
                    "client {client} sends two headers at height {height}, and both may be accepted: {other} and {id}"
                );
            }
        }
        Ok(())
    }

    /// Whether a header may still be accepted.
    fn is_open(&self, id: Digest, durable: &BTreeMap<(UnitId, u64), Digest>) -> bool {
        if self.refused.contains(&id) {
            return false;
        }
        let Some(block) = self.signed.values().find(|block| block.id == id) else { return true };
        if let Some(stands) = durable.get(&(block.unit, block.height)) {
            return *stands == id;
        }
        // What it builds on, where that is a block of this client.
        !self.signed.values().any(|before| before.id == block.previous) || self.is_open(block.previous, durable)
    }

    /// A block of a client is sealed: its records are known from here on.
    pub(crate) fn sealed(
        &mut self,
        leaf: &Digest,
        index: u64,
        reference: impl Fn(u32, &Record) -> creditbank_protocol::pb::RecordReference,
    ) {
        let Some(block) = self.signed.get(leaf) else { return };
        for (position, record) in (0u32..).zip(&block.records) {
            let place = Place::new(index, position);
            let (Some(citizen), Kind::Credit | Kind::Award) = (block.citizen, record.kind()) else { continue };
            if self.known.iter().any(|known| known.place == place) {
                continue;
            }
            let course =
                usize::try_from(position).ok().and_then(|at| block.courses.get(at)).cloned().unwrap_or_default();
            let (reference, kind, issuer) = (reference(position, record), record.kind(), block.unit);
            self.known.push(Known { reference, place, kind, issuer, citizen, course });
        }
    }
}

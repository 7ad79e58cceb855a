//! Building a round: blocks in order, one after the other, each whole or not at all; then the seal.
//!
//! The ledger decides what a block changes in the public log (`creditbank_ledger::state`). This module adds the private
//! part: the rules over hidden records, learners' rows, accounts, and bodies.

mod accounts;
mod bodies;
mod learners;
mod pending;
mod refused;
mod seal;
mod view;

use std::sync::Arc;

use creditbank_ledger::state::{ChainError, OpenRound, ReadBlock, Refusal, check_bound, no_seal};
use creditbank_protocol::correction::Correction;
use creditbank_protocol::entry::{BlockEntries, Entry};
use creditbank_protocol::merkle::StoredNode;
use creditbank_protocol::seal::Seal;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, LogIndex, Place};
use creditbank_rules::admission::{BlockFacts, admit_checked_block, admit_operator_effects};
use creditbank_rules::{Rejection, Rule};
use creditbank_store::{EntryWrite, KeyStore, Node, Row, Store};

pub(crate) use bodies::Bodies;
pub(crate) use pending::{Pending, Unsettled};
pub(crate) use seal::{Sealed, SealedRound};
pub(crate) use view::{RoundView, StoreView, mark_names};

use crate::append::courses::Courses;
use crate::append::sealed::is_same;
use crate::append::state::{Marked, State};
use crate::append::{SubmitError, VerifiedBlock};
use crate::clock::Entropy;
use crate::health::Health;
use crate::ledger::Shared;
use crate::private::PrivateKeys;
use crate::tables;
use crate::unreadable::{damaged, missing, of_store};
use crate::work::Token;
use accounts::Identities;
use learners::{AdmittedBlock, Learners};

/// The environment of the append path.
pub(crate) struct Context<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) keys: &'a KeyStore,
    pub(crate) private: &'a PrivateKeys,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) courses: &'a Courses,
    pub(crate) health: &'a Health,
    /// The round before, while it is being written.
    pub(crate) pending: Option<&'a Pending>,
    /// Tells a reader to stop; `None` for the append path, whose work is limited in itself.
    pub(crate) token: Option<&'a Token>,
}

/// A round that is being built on `state`. Nothing is written until it is sealed and appended.
pub(crate) struct RoundBuilder {
    shared: Arc<Shared>,
    state: Arc<State>,
    /// The round before, until it is on the disk.
    pending: Option<Arc<Pending>>,
    round: OpenRound,
    /// Including the blocks so far.
    marked: Marked,
    entries: Vec<EntryWrite>,
    nodes: Vec<Node>,
    rows: Vec<Row>,
    learners: Learners,
    /// Accounts that are new in this round. Their keys are staged.
    accounts: Vec<AccountId>,
    /// Identities whose accounts were opened in this round.
    identities: Identities,
    bytes: usize,
    /// How many records the key store must have for this round; `None` if it opens no account.
    keys: Option<u64>,
}

/// The outcome of a placed block.
pub(crate) enum Placed {
    /// It has a new log index.
    New(LogIndex),
    /// The same block already has this log index.
    Known(LogIndex),
}

impl Placed {
    /// The same outcome, seen from a later round.
    pub(crate) fn into_known(self) -> Self {
        let (Self::New(index) | Self::Known(index)) = self;
        Self::Known(index)
    }
}

impl RoundBuilder {
    /// A round whose seal will have the time `now_ms`.
    pub(crate) fn new(shared: Arc<Shared>, state: Arc<State>, pending: Option<Arc<Pending>>, now_ms: u64) -> Self {
        let round = state.log.open(now_ms);
        Self {
            shared,
            marked: state.marked.clone(),
            state,
            pending,
            round,
            entries: Vec::new(),
            nodes: Vec::new(),
            rows: Vec::new(),
            learners: Learners::default(),
            accounts: Vec::new(),
            identities: Identities::default(),
            bytes: 0,
            keys: None,
        }
    }

    /// Bytes of entries and bodies so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The marks of the record at a place, including the blocks so far.
    fn marks(&self, place: Place) -> Marks {
        self.marked.get(&place).map_or_else(Marks::default, |id| self.round.marks_of(id))
    }

    fn context(&self) -> Context<'_> {
        Context { pending: self.pending.as_deref(), ..self.shared.context() }
    }

    /// The round before is on the disk, and can be read.
    pub(crate) fn settled(&mut self) {
        self.pending = None;
    }

    /// Admits a block, or says why not; a refused block leaves the round unchanged. The error returns the block: what
    /// becomes of it is known once the round before is [`settled`](Self::settled).
    pub(crate) fn place(
        &mut self,
        mut verified: Box<VerifiedBlock>,
    ) -> Result<Result<Placed, SubmitError>, Box<VerifiedBlock>> {
        let placed = self.try_place(&mut verified);
        match &self.pending {
            Some(pending) if pending.take_asked() => Err(verified),
            _ => Ok(placed),
        }
    }

    /// When the block is admitted, its entries and records are moved out of it.
    fn try_place(&mut self, verified: &mut VerifiedBlock) -> Result<Placed, SubmitError> {
        let VerifiedBlock { block: read, records, entries, groups } = verified;
        let checked = match self.round.check(read) {
            Err(Refusal::Chain(ChainError::Height { expected, found })) if found < expected => {
                return self.known_block(read, entries).map(Placed::Known);
            }
            checked => checked?,
        };
        if let Some(said) = read.correction() {
            self.check_correction(&said)?;
        }
        // The rules admit the block, but this node has no file with the new log key, so it could not seal the round.
        if read.is_operators() && read.log_succession().is_some() && !self.shared.succeeds {
            let expected = "no succession of the log: creditbank-node succeed makes one, in a separate directory";
            return Err(Rejection::new(Rule::Contradiction, expected, "one, sent to a node that serves")
                .record(0)
                .into());
        }
        // Everything that can refuse comes before anything that changes the round.
        let facts = BlockFacts { groups, ..self.round.facts(read, records.records()) };
        let context = self.context();
        let admitted = if read.is_operators() {
            admit_operator_effects(&RoundView::new(self, &context), &facts)?;
            Vec::new()
        } else {
            admit_checked_block(&RoundView::new(self, &context), &facts, records)?
        };
        self.check_settled()?;
        let applied = self.round.apply(checked)?;

        let (entry, position) = (applied.entry, self.entries.len());
        self.rows.extend(tables::block_rows(&applied));
        // The effects do name their records: each status id is that of the record at the place.
        let places = groups.iter().flat_map(|group| &group.effects).map(|effect| Place::read(effect.place));
        for (place, change) in places.zip(&applied.marks) {
            self.rows.push(tables::status(place, &change.status_id, &change.after));
            self.marked.insert_mut(place, change.status_id);
        }
        self.nodes.extend(applied.nodes.iter().map(node));
        for entry in std::mem::take(entries).into_vec() {
            self.bytes += entry.len();
            self.entries.push(EntryWrite { entry, bodies: Vec::new() });
        }
        if !read.is_operators() {
            let block = AdmittedBlock { institution: read.unit().institution, entry, position, admitted: &admitted };
            let records = records.take();
            self.bytes += self.learners.keep(&self.shared.private, &block, records, &mut self.rows);
        }
        Ok(Placed::New(entry))
    }

    /// Checks the bound of a correction of the time against the seal before the first wrong one.
    fn check_correction(&self, said: &Correction) -> Result<(), SubmitError> {
        if let Some(pending) = self.pending.as_ref().filter(|pending| said.first >= pending.first) {
            return Err(SubmitError::Stopped(pending.unsettled().to_string()));
        }
        let seal_at = |index: LogIndex| -> Result<Option<Seal>, SubmitError> {
            if index.0 >= self.state.head.size {
                return Ok(None);
            }
            let bytes = self.shared.store.entry(index).map_err(of_store)?;
            match Entry::parse(&bytes).map_err(damaged)? {
                Entry::Seal(signed) => Ok(Some(signed.seal().clone())),
                Entry::Head(_) | Entry::Public(_) => Ok(None),
            }
        };
        let first = seal_at(said.first)?.ok_or_else(|| no_seal(said))?;
        let before = first.first_index.0.checked_sub(1).map(LogIndex);
        let before = before.map(seal_at).transpose()?.flatten().map(|seal| (seal.index, seal.time_ms));
        Ok(check_bound(&self.round.state().in_force().registry, said, before)?)
    }

    /// Refuses for now if an answer needed the round before on the disk.
    fn check_settled(&self) -> Result<(), SubmitError> {
        match &self.pending {
            Some(pending) if pending.is_asked() => Err(SubmitError::Stopped(Unsettled.to_string())),
            _ => Ok(()),
        }
    }

    /// The log index of the block at the same height, if it is the same block.
    fn known_block(&self, read: &ReadBlock, entries: &BlockEntries) -> Result<LogIndex, SubmitError> {
        // The block may be in the round before. A repeat is rare enough to wait for the disk.
        if let Some(pending) = self.pending.as_ref().filter(|pending| pending.has_entries) {
            return Err(SubmitError::Stopped(pending.unsettled().to_string()));
        }
        let height = read.block().header().height;
        let key = tables::block_key(read.unit(), height);
        let pending = self.rows.iter().find(|row| row.table == tables::BLOCK && row.key == key);
        let value = match pending {
            Some(row) => row.value.clone(),
            None => self.shared.store.get(tables::BLOCK, &key).map_err(of_store)?,
        };
        let index = value.as_deref().and_then(tables::index_of);
        let index = index.ok_or_else(|| missing("the index has no row for an accepted block; reindex rebuilds it"))?;
        let bytes = match self.position(index) {
            Some(position) => self.entries.get(position).map(|write| write.entry.clone()),
            None => Some(self.shared.store.entry(index).map_err(of_store)?),
        };
        if bytes.is_some_and(|stored| is_same(&stored, entries)) {
            return Ok(index);
        }
        // The sequencer, which knows the round, fills in the receipt.
        Err(SubmitError::Stale { height, accepted: Box::new(receipt_at(index)) })
    }

    /// The position in this round of a log index that belongs to it.
    fn position(&self, index: LogIndex) -> Option<usize> {
        index.0.checked_sub(self.state.head.size).and_then(|new| usize::try_from(new).ok())
    }
}

/// A tree node in the form of the store.
fn node(completed: &StoredNode) -> Node {
    let StoredNode { level, index, hash } = *completed;
    Node { level, index, hash }
}

/// A receipt with nothing but the place of the entry.
fn receipt_at(index: LogIndex) -> creditbank_protocol::pb::Receipt {
    creditbank_protocol::pb::Receipt { index: index.0, ..Default::default() }
}

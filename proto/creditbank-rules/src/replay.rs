//! Replaying a log from its first entry with nothing but its keys: what anybody can check without the records.
//!
//! Chains, signatures under the keys in force, the registry and its map, status effects against the table of marks and the
//! signer's authority, the status tree, and every field of every seal. What rests on hidden records (the rules about
//! them, their hashes, the kinds that a key may sign) cannot be checked here: that is the operator's word until an
//! auditor with the bodies replays it.
//!
//! An entry is first [`Prepared`], which needs no order; then [`Replay::apply`] takes the entries one by one and names the
//! signatures that must hold; those need no order again. [`pipeline::run`] does the first and the last on all cores.

mod batch;
pub mod pipeline;
mod round;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::block::{SignedBlock, approval_message};
use creditbank_protocol::entry::{Entry, EntryError};
use creditbank_protocol::key::{KeyId, SignatureError, genesis, verify};
use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::merkle::{Frontier, StoredNode, leaf_hash};
use creditbank_protocol::pb::Place;
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::status::Marks;

use crate::Registry;

/// Most blocks of a round that a replay holds until its seal. The protocol has no such bound; nodes stay far below it.
pub const ROUND_BLOCKS_MAX: usize = 65_536;
/// Most bytes of the blocks of a round.
pub const ROUND_BYTES_MAX: usize = 512 << 20;

/// A log, and the keys that it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKeys {
    /// Its name.
    pub origin: String,
    /// Signs seals and checkpoints.
    pub log_key: [u8; 32],
    /// Signed the first block.
    pub registry_key: [u8; 32],
}

/// The first thing in a log that contradicts the protocol, with what was expected and found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log entry {index} ({subject}): {what}: expected {expected}, found {found}")]
pub struct Contradiction {
    /// Log index of the entry.
    pub index: u64,
    /// The entry, as people name it.
    pub subject: String,
    /// What does not hold.
    pub what: String,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

/// An entry whose bytes have been read, with everything that needs no order.
#[derive(Debug)]
pub struct Prepared {
    leaf: Digest,
    len: usize,
    entry: Result<Checked, EntryError>,
}

#[derive(Debug)]
enum Checked {
    Block(Box<CheckedBlock>),
    Seal(Box<SignedSeal>),
}

#[derive(Debug)]
struct CheckedBlock {
    block: SignedBlock,
    /// Identity of the header.
    id: Digest,
    leaf: Digest,
}

impl Prepared {
    /// Reads an entry.
    pub fn new(bytes: &[u8]) -> Self {
        let leaf = leaf_hash(bytes);
        let entry = Entry::parse(bytes).map(|entry| match entry {
            Entry::Block(block) => {
                let id = block.header().id();
                Checked::Block(Box::new(CheckedBlock { block, id, leaf }))
            }
            Entry::Seal(seal) => Checked::Seal(Box::new(seal)),
        });
        Self { leaf, len: bytes.len(), entry }
    }

    /// Its leaf hash.
    pub fn leaf(&self) -> Digest {
        self.leaf
    }

    /// The block, if it is one.
    pub fn block(&self) -> Option<&SignedBlock> {
        match &self.entry {
            Ok(Checked::Block(block)) => Some(&block.block),
            _ => None,
        }
    }

    /// Whether it is a seal.
    pub fn is_seal(&self) -> bool {
        matches!(&self.entry, Ok(Checked::Seal(_)))
    }
}

/// A signature that must hold.
#[derive(Debug, Clone)]
pub struct SignatureCheck {
    /// Log index of the entry.
    pub index: u64,
    /// Whose signature it is.
    pub subject: String,
    /// The key in force.
    pub public_key: Vec<u8>,
    /// What was signed.
    pub message: Vec<u8>,
    /// 64 bytes, if it is one.
    pub signature: Vec<u8>,
}

impl SignatureCheck {
    /// Verifies it, strictly.
    pub fn verify(&self) -> Result<(), Contradiction> {
        verify(&self.public_key, &self.message, &self.signature).map_err(|error| self.contradiction(error))
    }

    fn contradiction(&self, error: SignatureError) -> Contradiction {
        Contradiction {
            index: self.index,
            subject: self.subject.clone(),
            what: "the signature does not hold".to_owned(),
            expected: "a signature by the key in force".to_owned(),
            found: error.to_string(),
        }
    }
}

/// What a replay has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Log entries.
    pub entries: u64,
    /// Blocks.
    pub blocks: u64,
    /// Seals.
    pub seals: u64,
    /// Records, hidden and public, in sealed rounds.
    pub records: u64,
    /// Status effects.
    pub effects: u64,
    /// Registry records.
    pub registry_records: u64,
    /// Signatures that were named to be checked.
    pub signatures: u64,
}

/// The newest block of a unit, or the entry that admitted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitHead {
    /// Height of the next block.
    pub next_height: u64,
    /// What it must name as its previous.
    pub previous: Digest,
    /// Log index of the entry.
    pub entry: u64,
    /// The next block is created no earlier.
    pub created_at_minute: u64,
}

/// What the replay keeps of each entry: whose it is, which key signed it when, and how many records it has, so that places
/// and confirmations can be checked.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Position in `Replay::institutions`.
    institution: u32,
    /// Position in `Replay::signers`.
    signer: u32,
    /// Minute of the seal of its round.
    sealed_at_minute: u32,
    records: u16,
}

#[derive(Debug, Clone, Copy)]
struct LastSeal {
    id: Digest,
    time_ms: u64,
    records_total: u64,
}

/// A replay up to some entry. Memory: 16 bytes an entry, the registry, and every record with marks.
pub struct Replay {
    keys: LogKeys,
    genesis: Digest,
    frontier: Frontier,
    kept: Vec<Kept>,
    /// Public records of institutions, which nobody changes.
    published: BTreeSet<(u64, u32)>,
    /// Blocks with a custodian's amendments, and the closed institutions whose records these may be.
    kept_for: BTreeMap<u64, Vec<u64>>,
    institutions: Vec<u64>,
    numbers: BTreeMap<u64, u32>,
    signers: Vec<KeyId>,
    signer_numbers: BTreeMap<KeyId, u32>,
    chains: BTreeMap<(u64, u32), UnitHead>,
    registry: Arc<Registry>,
    registry_map: SparseMap,
    status: SparseMap,
    marks: BTreeMap<(u64, u32), (Digest, Marks)>,
    last_seal: Option<LastSeal>,
    round: round::Open,
    counts: Counts,
}

impl Replay {
    /// The replay of a log before its first entry.
    pub fn new(keys: LogKeys) -> Self {
        let genesis = genesis(&keys.origin, &keys.log_key, &keys.registry_key);
        let registry = Arc::new(Registry::new(&keys.origin));
        let head = UnitHead { next_height: 0, previous: genesis, entry: 0, created_at_minute: 0 };
        Self {
            keys,
            genesis,
            frontier: Frontier::default(),
            kept: Vec::new(),
            published: BTreeSet::new(),
            kept_for: BTreeMap::new(),
            institutions: vec![0],
            numbers: BTreeMap::from([(0, 0)]),
            signers: Vec::new(),
            signer_numbers: BTreeMap::new(),
            chains: BTreeMap::from([((0, 0), head)]),
            registry,
            registry_map: SparseMap::new(MapTags::REGISTRY),
            status: SparseMap::new(MapTags::STATUS),
            marks: BTreeMap::new(),
            last_seal: None,
            round: round::Open::default(),
            counts: Counts::default(),
        }
    }

    /// Takes the next entry. The signatures that must hold are added to `checks`; the tree nodes that the entry completes
    /// are returned.
    pub fn apply(
        &mut self,
        prepared: Prepared,
        checks: &mut Vec<SignatureCheck>,
    ) -> Result<Vec<StoredNode>, Contradiction> {
        let index = self.frontier.size();
        let Prepared { leaf, len, entry } = prepared;
        let entry = entry.map_err(|error| Contradiction {
            index,
            subject: "entry".to_owned(),
            what: "the bytes are no entry".to_owned(),
            expected: "a block or a seal in canonical form".to_owned(),
            found: error.to_string(),
        })?;
        let before = checks.len();
        match entry {
            Checked::Block(block) => self.hold(index, *block, len)?,
            Checked::Seal(seal) => self.close(index, &seal, checks)?,
        }
        self.counts.entries += 1;
        self.counts.signatures += (checks.len() - before) as u64;
        Ok(self.frontier.push(leaf))
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// RFC 6962 root.
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// Whether the last entry was a seal: only such a log has a checkpoint.
    pub fn is_sealed(&self) -> bool {
        self.round.is_empty() && self.last_seal.is_some()
    }

    /// What was seen.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The registry in force in the next round.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Every unit's head, the operator's own included.
    pub fn chains(&self) -> &BTreeMap<(u64, u32), UnitHead> {
        &self.chains
    }

    /// Every record of which something was said, by place: its status id and marks.
    pub fn marks(&self) -> &BTreeMap<(u64, u32), (Digest, Marks)> {
        &self.marks
    }

    /// Institutions with at least one block.
    pub fn issuers(&self) -> u64 {
        let issuing = self.chains.iter().filter(|((institution, _), head)| *institution != 0 && head.next_height > 0);
        issuing.map(|((institution, _), _)| *institution).collect::<BTreeSet<_>>().len() as u64
    }

    /// Roots of the status tree and of the registry map that is in force next.
    pub fn roots(&self) -> (Digest, Digest) {
        (self.status.root(), self.registry_map.root())
    }

    fn marks_at(&self, place: Place) -> Marks {
        self.marks.get(&(place.entry, place.index)).map_or_else(Marks::default, |(_, marks)| *marks)
    }

    /// Whether a key that is known to be compromised sealed an entry.
    fn is_suspect(&self, entry: u64) -> bool {
        let kept = usize::try_from(entry).ok().and_then(|entry| self.kept.get(entry));
        kept.is_some_and(|kept| {
            let signer = usize::try_from(kept.signer).ok().and_then(|signer| self.signers.get(signer));
            signer.is_some_and(|id| self.registry.is_contested(id, u64::from(kept.sealed_at_minute) * 60_000))
        })
    }

    /// The institution of the record at a place, if the log has one there.
    fn issuer_at(&self, place: Place) -> Option<u64> {
        let kept = usize::try_from(place.entry).ok().and_then(|entry| self.kept.get(entry))?;
        let institution = *self.institutions.get(usize::try_from(kept.institution).ok()?)?;
        let hidden = !self.published.contains(&(place.entry, place.index));
        (institution != 0 && hidden && place.index < u32::from(kept.records)).then_some(institution)
    }

    /// Whose block stands at a log index.
    fn institution_at(&self, entry: u64) -> Option<u64> {
        let kept = usize::try_from(entry).ok().and_then(|entry| self.kept.get(entry))?;
        self.institutions.get(usize::try_from(kept.institution).ok()?).copied()
    }
}

/// The checks of one block's own signatures under `public_key` and, where it is approved, the approver's key.
fn block_checks(index: u64, block: &SignedBlock, public_key: &[u8], approver: Option<&[u8]>) -> Vec<SignatureCheck> {
    let subject = round::name(block);
    let mut checks = vec![SignatureCheck {
        index,
        subject: subject.clone(),
        public_key: public_key.to_vec(),
        message: block.header().message().as_bytes().to_vec(),
        signature: block.signature().to_vec(),
    }];
    if let (Some(approval), Some(key)) = (block.approval(), approver) {
        checks.push(SignatureCheck {
            index,
            subject: format!("approval of {subject}"),
            public_key: key.to_vec(),
            message: approval_message(block.header()).as_bytes().to_vec(),
            signature: approval.signature.clone(),
        });
    }
    checks
}

//! The first half of a block's way: everything that does not depend on order. Any thread may do it.

use std::sync::Arc;

use creditbank_ledger::state::{ReadBlock, log_succession, successor};
use creditbank_protocol::block::{BlockError, SignedBlock, with_places};
use creditbank_protocol::dates::{show_duration_ms, show_minute};
use creditbank_protocol::entry::BlockEntries;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{EffectGroup, Purpose, Receipt};
use creditbank_protocol::record::{Record, RecordError, own_seeds};
use creditbank_protocol::{Digest, InstitutionId};
use creditbank_rpc::v1::{RecordBody, SubmitBlockRequest};
use creditbank_rules::admission::Alone;
use creditbank_rules::{Registry, Rejection, Rule, ViewError};

use super::ClockDoubt;
pub use crate::work::{HeldUp, OverQuota};

/// When to come back after the disk was full.
pub(crate) const NO_ROOM_RETRY_MS: u64 = 10_000;

/// A block with a good shape, good hashes and a good signature, whose records pass all checks that do not depend on
/// order. The sequencer decides whether it may be sealed.
#[derive(Debug)]
pub struct VerifiedBlock {
    pub(crate) block: ReadBlock,
    pub(crate) records: Alone,
    pub(crate) entries: BlockEntries,
    /// Its effects with the places that came beside it.
    pub(crate) groups: Vec<EffectGroup>,
}

impl VerifiedBlock {
    /// The number of its records and effects. The cost of ordering it grows with them.
    pub(crate) fn items(&self) -> usize {
        self.records.records().len() + self.groups.iter().map(|group| group.effects.len()).sum::<usize>()
    }
}

/// Why a block was not sealed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// It is not a block, or not the block of these records.
    #[error("{0}")]
    Block(BlockError),
    /// A record beside it is malformed.
    #[error("record {record}: {error}")]
    Record {
        /// Position among the records that were sent beside the block.
        record: u32,
        /// What is wrong.
        error: RecordError,
    },
    /// It belongs to another log.
    #[error("the block's origin is {found}, this log is {expected}")]
    Origin {
        /// This log.
        expected: String,
        /// The block's.
        found: String,
    },
    /// It breaks a rule.
    #[error(transparent)]
    Rule(#[from] Rejection),
    /// Another block was accepted at this height.
    #[error("another block stands at height {height} of this unit: build on the accepted one")]
    Stale {
        /// The height.
        height: u64,
        /// The accepted block.
        accepted: Box<Receipt>,
    },
    /// The block comes before the one on which it builds.
    #[error("the block has height {found}, the next one of this unit is {expected}")]
    Height {
        /// The next height.
        expected: u64,
        /// The block's.
        found: u64,
    },
    /// It does not build on the head of the chain.
    #[error("the block builds on {found}, the head of the chain is {expected}")]
    Previous {
        /// The head.
        expected: Digest,
        /// What the block names.
        found: Digest,
    },
    /// Created before the previous block, or more than 24 hours from now.
    #[error(
        "the block was created at {}, expected {} to {}: compare the clock of whoever signed it with the node's",
        show_minute(*.found), show_minute(*.min), show_minute(*.max)
    )]
    CreatedAt {
        /// Earliest minute.
        min: u64,
        /// Latest minute.
        max: u64,
        /// The block's.
        found: u64,
    },
    /// More work than the node can take at once.
    #[error("the node is busy: come back in {}", show_duration_ms(*.retry_after_ms))]
    Busy {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// Too many bad signatures, or too many blocks that are sealed already, came from the same address.
    #[error(transparent)]
    HeldUp(#[from] HeldUp),
    /// The institution has used its quota of blocks.
    #[error(transparent)]
    Quota(#[from] OverQuota),
    /// The disk is full: nothing was stored.
    #[error(
        "the node has no room on its disk, and nothing was stored: come back in {}",
        show_duration_ms(*.retry_after_ms)
    )]
    NoRoom {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// A file that the node writes is not in its place: nothing was stored, and the operator is told.
    #[error(
        "the node accepts nothing new until its operator has looked at its files, and nothing was stored: come back \
         later"
    )]
    Displaced,
    /// The node does not believe its clock: sealing waits, usually for the operator.
    #[error(transparent)]
    Clock(#[from] ClockDoubt),
    /// It names a log key whose file the node does not have.
    #[error(
        "no file of this node holds log key {0}, and the node would stop where that key takes over: put its file into keys/, \
         named log-2.key or the like, then run the command again"
    )]
    LogKeyMissing(KeyId),
    /// The node cannot read what it has stored. Whether the block was sealed is unknown.
    #[error(transparent)]
    Unreadable(#[from] ViewError),
    /// The node is stopping, or its store has failed. Whether the block was sealed is known after the next start.
    #[error("the node is stopping: {0}")]
    Stopped(String),
}

/// A block with a good shape and signature: an owner of the key has sent it, or has signed it at some time.
#[derive(Debug)]
pub(crate) struct Signed {
    block: SignedBlock,
    beside: Vec<RecordBody>,
    groups: Vec<EffectGroup>,
}

impl Signed {
    /// Checks shape, origin and signature of a block. The key is looked up in the present registry; the sequencer
    /// checks it again in order.
    pub(crate) fn read(registry: &Registry, request: SubmitBlockRequest) -> Result<Self, SubmitError> {
        let SubmitBlockRequest { block, records, places } = request;
        let block = SignedBlock::parse(&block).map_err(SubmitError::Block)?;
        let header = block.header();
        // The block with which the log continues under another origin names that origin; the rules check what is in it.
        let other = log_succession(&block).map(|said| said.new_origin);
        let origin = other.as_deref().unwrap_or(registry.origin());
        if header.origin != origin {
            let (expected, found) = (origin.to_owned(), header.origin.clone());
            return Err(SubmitError::Origin { expected, found });
        }
        let count = usize::try_from(header.count).unwrap_or(usize::MAX);
        if records.len() > count {
            return Err(SubmitError::Block(BlockError::Count { expected: header.count, found: records.len() }));
        }
        // Whether these are the right ones is decided by the rules, which know the records.
        let groups = with_places(&block.public().groups, &places).map_err(SubmitError::Block)?;
        // The signature comes before the hashes: nobody without a key makes the node hash much.
        block.verify(&public_key(registry, &block)?).map_err(SubmitError::Block)?;
        Ok(Self { block, beside: records, groups })
    }

    /// The institution whose block it is.
    pub(crate) fn institution(&self) -> InstitutionId {
        self.block.header().unit.institution
    }

    /// Checks its approvals, that the records beside it belong to it, and what each of them says, against the present
    /// registry.
    pub(crate) fn check(self, registry: &Arc<Registry>) -> Result<VerifiedBlock, SubmitError> {
        let Self { block, beside, groups } = self;
        for approval in block.approvals() {
            let key = KeyId::from_slice(&approval.key_id).and_then(|id| registry.key(&id));
            let missing = || Rejection::new(Rule::NotAnApprover, "a key of the registry", "another key");
            block.verify_approval(approval, &key.ok_or_else(missing)?.public_key).map_err(SubmitError::Block)?;
        }
        let hidden = (0u32..)
            .zip(beside)
            .map(|(record, RecordBody { kind, version, body, seed })| {
                Record::new(kind, version, &seed, body.into()).map_err(|error| SubmitError::Record { record, error })
            })
            .collect::<Result<Vec<_>, _>>()?;
        own_seeds(&hidden).map_err(|(record, error)| SubmitError::Record { record, error })?;
        let records = block.records(hidden).map_err(SubmitError::Block)?;
        let header = block.header();
        let records = Alone::check(registry, (header.unit, header.key_id, header.created_at_minute), records)?;
        let entries = BlockEntries::of(&block);
        Ok(VerifiedBlock { block: ReadBlock::with_records(block, &entries), records, entries, groups })
    }
}

/// Checks everything of a block and the records beside it that does not depend on order.
pub fn verify(registry: &Arc<Registry>, request: SubmitBlockRequest) -> Result<VerifiedBlock, SubmitError> {
    Signed::read(registry, request)?.check(registry)
}

/// The key that the header names.
fn public_key(registry: &Registry, block: &SignedBlock) -> Result<Vec<u8>, SubmitError> {
    let header = block.header();
    if header.unit.institution.is_operator() {
        // The registry of an empty log has no key yet, and a key that takes over is not there yet.
        let keys = [registry.authority().map(|authority| authority.key), successor(block)];
        if let Some(key) = keys.into_iter().flatten().find(|key| KeyId::of(key) == header.key_id) {
            return Ok(key.to_vec());
        }
    }
    let unknown = || Rejection::new(Rule::UnknownKey, "a key of the registry", header.key_id.to_string());
    let key = registry.key(&header.key_id).ok_or_else(unknown)?;
    let operators = key.purpose == i32::from(Purpose::Registry);
    if operators != header.unit.institution.is_operator() {
        let expected = "a registry key for the operator's chain, a unit's key for its own";
        return Err(Rejection::new(Rule::KeyOfAnother, expected, header.key_id.to_string()).into());
    }
    Ok(key.public_key.clone())
}

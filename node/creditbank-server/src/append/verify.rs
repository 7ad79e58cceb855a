//! The first half of a block's way: everything that needs no order. Any thread may do it.

use creditbank_ledger::state::{ReadBlock, log_succession, successor};
use creditbank_protocol::Digest;
use creditbank_protocol::block::{BlockError, SignedBlock, with_places};
use creditbank_protocol::entry::BlockEntries;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{EffectGroup, Purpose, Receipt};
use creditbank_protocol::record::{Record, RecordError, own_seeds};
use creditbank_rpc::v1::{RecordBody, SubmitBlockRequest};
use creditbank_rules::{Registry, Rejection, Rule, ViewError};

use super::ClockDoubt;
pub use crate::work::OverQuota;

/// When to come back after the disk was full.
pub(crate) const NO_ROOM_RETRY_MS: u64 = 10_000;

/// A block whose shape, hashes and signature are right. Whether it may be sealed is the sequencer's to say.
#[derive(Debug)]
pub struct VerifiedBlock {
    pub(crate) block: ReadBlock,
    pub(crate) records: Vec<Record>,
    pub(crate) entries: BlockEntries,
    /// Its effects with the places that came beside it.
    pub(crate) groups: Vec<EffectGroup>,
}

/// Why a block was not sealed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// It is no block, or not the block of these records.
    #[error("{0}")]
    Block(BlockError),
    /// A record beside it is none.
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
    /// The block comes before the one that it builds on.
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
    #[error("the block was created at minute {found}, expected {min} to {max}")]
    CreatedAt {
        /// Earliest minute.
        min: u64,
        /// Latest minute.
        max: u64,
        /// The block's.
        found: u64,
    },
    /// More work than the node takes at once.
    #[error("the node is busy: come back in {retry_after_ms} ms")]
    Busy {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The institution has sent as many blocks as it may.
    #[error(transparent)]
    Quota(#[from] OverQuota),
    /// The disk is full: nothing was stored.
    #[error("the node has no room on its disk, and nothing was stored: come back in {retry_after_ms} ms")]
    NoRoom {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The clock is not believed: sealing waits, mostly for the operator.
    #[error(transparent)]
    Clock(#[from] ClockDoubt),
    /// It names a log key whose file the node does not have.
    #[error(
        "no file of this node holds log key {0}, and the node would stop where that key takes over: put its file into keys/, \
         named log-2.key or the like, then run the command again"
    )]
    LogKeyMissing(KeyId),
    /// What the node has stored cannot be read. Whether the block was sealed is not known.
    #[error(transparent)]
    Unreadable(#[from] ViewError),
    /// The node is stopping, or its store has failed. Whether the block was sealed is known after the next start.
    #[error("the node is stopping: {0}")]
    Stopped(String),
}

/// Checks shape, origin, hashes and signature of a block and the records beside it. The key is looked up in the
/// registry as it is now; the sequencer checks it again in order.
pub fn verify(registry: &Registry, request: SubmitBlockRequest) -> Result<VerifiedBlock, SubmitError> {
    let SubmitBlockRequest { block, records, places } = request;
    let parsed = SignedBlock::parse(&block).map_err(SubmitError::Block)?;
    let header = parsed.header();
    // The block with which the log goes on under another origin bears that one; what is in it the rules check.
    let other = log_succession(&parsed).map(|said| said.new_origin);
    let origin = other.as_deref().unwrap_or(registry.origin());
    if header.origin != origin {
        let (expected, found) = (origin.to_owned(), header.origin.clone());
        return Err(SubmitError::Origin { expected, found });
    }
    let count = usize::try_from(header.count).unwrap_or(usize::MAX);
    if records.len() > count {
        return Err(SubmitError::Block(BlockError::Count { expected: header.count, found: records.len() }));
    }
    // Whether they are the right ones the rules say, which know the records.
    let groups = with_places(&parsed.public().groups, &places).map_err(SubmitError::Block)?;
    // The signature before the hashes: nobody without a key makes the node hash much.
    parsed.verify(&public_key(registry, &parsed)?).map_err(SubmitError::Block)?;
    for approval in parsed.approvals() {
        let key = KeyId::from_slice(&approval.key_id).and_then(|id| registry.key(&id));
        let missing = || Rejection::new(Rule::NotAnApprover, "a key of the registry", "another key");
        parsed.verify_approval(approval, &key.ok_or_else(missing)?.public_key).map_err(SubmitError::Block)?;
    }
    let hidden = (0u32..)
        .zip(records)
        .map(|(record, RecordBody { kind, version, body, seed })| {
            Record::new(kind, version, &seed, body.into()).map_err(|error| SubmitError::Record { record, error })
        })
        .collect::<Result<Vec<_>, _>>()?;
    own_seeds(&hidden).map_err(|(record, error)| SubmitError::Record { record, error })?;
    let records = parsed.records(hidden).map_err(SubmitError::Block)?;
    let entries = BlockEntries::of(&parsed);
    Ok(VerifiedBlock { block: ReadBlock::with_records(parsed, &entries), records, entries, groups })
}

/// The key that the header names.
fn public_key(registry: &Registry, block: &SignedBlock) -> Result<Vec<u8>, SubmitError> {
    let header = block.header();
    if header.unit.institution.is_operator() {
        // Of a log that is still empty, the registry has no key yet; a key that takes over is not there yet.
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

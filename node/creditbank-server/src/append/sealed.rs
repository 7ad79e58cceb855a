//! Blocks that are sealed already. They are public, so anybody can send them again. They are answered from the store,
//! and need neither a place in the queue nor a verification.

use creditbank_protocol::UnitId;
use creditbank_protocol::block::{BLOCK_LEN_MAX, SignedBlock};
use creditbank_protocol::entry::{BlockEntries, Entry};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Receipt};
use creditbank_rules::ViewError;
use prost::Message as _;

use super::SubmitError;
use crate::ledger::Shared;
use crate::read::ReadError;
use crate::unreadable::{damaged, of_store};

/// What a block claims to be, before anything of it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    unit: UnitId,
    height: u64,
    /// The key that claims to have signed.
    pub(super) key: Option<KeyId>,
}

impl Claim {
    /// The claim of a block's bytes; `None` if they are not a block. Takes some microseconds.
    pub(crate) fn of(block: &[u8]) -> Option<Self> {
        if block.len() > BLOCK_LEN_MAX {
            return None;
        }
        let block = pb::Block::decode(block).ok()?;
        let header = pb::BlockHeader::decode(&block.header[..]).ok()?;
        let unit = UnitId::new(header.institution, header.unit);
        Some(Self { unit, height: header.height, key: KeyId::from_slice(&header.key_id) })
    }
}

/// Whether the head of a block is in the log exactly as it is, with approvals and signature: with another approval it
/// is another block. The head names the public part.
pub(super) fn is_same(stored: &[u8], entries: &BlockEntries) -> bool {
    stored == &entries.head[..]
}

impl Shared {
    /// Whether the published log has a block at the claimed height.
    pub(crate) fn is_taken(&self, claim: &Claim) -> bool {
        self.state().log.chain(claim.unit).is_some_and(|head| claim.height < head.next_height)
    }

    /// The answer to a block whose header is in the log: its receipt, or, if its signature or approvals differ, the
    /// receipt of the block that was accepted. `None` for every other block, good or bad: its outcome is known after it
    /// was checked and ordered.
    pub(crate) fn sealed(&self, block: &[u8]) -> Option<Result<Receipt, SubmitError>> {
        let block = SignedBlock::parse(block).ok()?;
        let (state, header) = (self.state(), block.header());
        let next_height = state.log.chain(header.unit)?.next_height;
        if header.height >= next_height || header.origin != state.log.origin() {
            return None;
        }
        self.sealed_block(&block).transpose()
    }

    fn sealed_block(&self, block: &SignedBlock) -> Result<Option<Receipt>, SubmitError> {
        let header = block.header();
        let index = self.block_at(header.unit, header.height).map_err(|error| match error {
            ReadError::View(error) => error,
            other => damaged(other),
        })?;
        let stored = self.store.entry(index).map_err(of_store)?;
        let Entry::Head(head) = Entry::parse(&stored).map_err(damaged)? else {
            return Err(damaged(format_args!("log entry {index} is not a block")).into());
        };
        if head.header() != header {
            return Ok(None);
        }
        let receipt = self.receipt(index).map_err(ViewError::from)?;
        if is_same(&stored, &BlockEntries::of(block)) {
            return Ok(Some(receipt));
        }
        Err(SubmitError::Stale { height: header.height, accepted: Box::new(receipt) })
    }
}

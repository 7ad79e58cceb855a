//! Chains: what the next block of a unit must be.

use creditbank_protocol::block::{CREATED_WITHIN_MINUTES, Header};
use creditbank_protocol::dates::show_minute;
use creditbank_protocol::{Digest, LogIndex, UnitId};

/// The newest block of a unit, or the entry that admitted the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// Height of the next block.
    pub next_height: u64,
    /// What the next block must name as its previous.
    pub previous: Digest,
    /// Log index of the newest block, or of the entry that admitted the unit.
    pub entry: LogIndex,
    /// The next block is created no earlier, in minutes since 1970.
    pub created_at_minute: u64,
}

/// Why a block is not the next of its chain. In order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No chain was begun for the unit.
    #[error("expected an admitted unit, found {unit}")]
    UnknownUnit {
        /// Whose block it is.
        unit: UnitId,
        /// Whether at least the institution is in the registry.
        institution_known: bool,
    },
    /// It comes before the block that it builds on, or its height is taken.
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
    /// Created before the previous block, or more than 24 hours from the seal.
    #[error(
        "the block was created at {}, expected {} to {}",
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
}

impl ChainHead {
    /// A chain without blocks: its first block names `previous`.
    pub(super) fn beginning(previous: Digest, entry: LogIndex) -> Self {
        Self { next_height: 0, previous, entry, created_at_minute: 0 }
    }

    /// The head behind the block at log index `entry`, whose header has the identity `id`.
    pub(super) fn behind(header: &Header, id: Digest, entry: LogIndex) -> Self {
        let created_at_minute = header.created_at_minute;
        Self { next_height: header.height + 1, previous: id, entry, created_at_minute }
    }

    /// Whether a block is the next one, in a round that is sealed at `sealed_at_ms`.
    pub(super) fn check(&self, header: &Header, sealed_at_ms: u64) -> Result<(), ChainError> {
        if header.height != self.next_height {
            return Err(ChainError::Height { expected: self.next_height, found: header.height });
        }
        if header.previous != self.previous {
            return Err(ChainError::Previous { expected: self.previous, found: header.previous });
        }
        let sealed = sealed_at_ms / 60_000;
        let min = self.created_at_minute.max(sealed.saturating_sub(CREATED_WITHIN_MINUTES));
        let max = sealed.saturating_add(CREATED_WITHIN_MINUTES);
        if (min..=max).contains(&header.created_at_minute) {
            Ok(())
        } else {
            Err(ChainError::CreatedAt { min, max, found: header.created_at_minute })
        }
    }
}

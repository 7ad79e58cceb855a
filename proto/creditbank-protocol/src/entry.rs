//! Log entries: a type byte and a block or a seal.

use crate::block::{BlockError, SignedBlock};
use crate::seal::{SealError, SignedSeal};

/// Type byte of a block.
pub const BLOCK: u8 = 0x01;
/// Type byte of a seal.
pub const SEAL: u8 = crate::seal::ENTRY_TYPE;
/// Most bytes of an entry, type byte included (C2SP tlog-tiles).
pub const ENTRY_LEN_MAX: usize = crate::block::BLOCK_LEN_MAX + 1;

/// An entry whose shape is right.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A block.
    Block(SignedBlock),
    /// A seal.
    Seal(SignedSeal),
}

/// Why bytes are no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than the log allows.
    #[error("the entry has {0} bytes, at most {ENTRY_LEN_MAX} are allowed")]
    TooLong(usize),
    /// Empty, or a type byte that is neither a block's nor a seal's.
    #[error("the entry's type byte is {0:?}, expected 1 (block) or 2 (seal)")]
    Type(Option<u8>),
    /// The block is none.
    #[error("block: {0}")]
    Block(#[from] BlockError),
    /// The seal is none.
    #[error("seal: {0}")]
    Seal(#[from] SealError),
}

impl Entry {
    /// Reads an entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_LEN_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        match bytes.split_first() {
            Some((&BLOCK, block)) => Ok(Self::Block(SignedBlock::parse(block)?)),
            Some((&SEAL, seal)) => Ok(Self::Seal(SignedSeal::parse(seal)?)),
            other => Err(EntryError::Type(other.map(|(first, _)| *first))),
        }
    }
}

/// The entry of a block: the type byte and the block's bytes as they came.
pub fn block_entry(block: &[u8]) -> Vec<u8> {
    [&[BLOCK][..], block].concat()
}

//! Log entries: a type byte, and the head of a block, the public part of the block before it, or a seal.
//!
//! A block is one entry or two. How it becomes entries, and entries a block again, is said here and nowhere else.

use prost::Message as _;

use crate::LogIndex;
use crate::block::{BlockError, PUBLIC_LEN_MAX, Public, SignedBlock, SignedHead};
use crate::seal::{SealError, SignedSeal};

/// Type byte of a block's head.
pub const HEAD: u8 = 0x01;
/// Type byte of a seal.
pub const SEAL: u8 = crate::seal::ENTRY_TYPE;
/// Type byte of the public part of the block whose head is the entry before.
pub const PUBLIC: u8 = 0x03;
/// Most bytes of an entry, type byte included (C2SP tlog-tiles).
pub const ENTRY_LEN_MAX: usize = PUBLIC_LEN_MAX + 1;

/// An entry whose shape is right.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The head of a block.
    Head(SignedHead),
    /// The public part of a block: at least one piece.
    Public(Public),
    /// A seal.
    Seal(SignedSeal),
}

/// Why bytes are no entry, or two entries no block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Longer than the log allows.
    #[error("the entry has {0} bytes, at most {ENTRY_LEN_MAX} are allowed")]
    TooLong(usize),
    /// Empty, or a type byte that no entry has.
    #[error("the entry's type byte is {0:?}, expected 1 (head of a block), 2 (seal) or 3 (public part of a block)")]
    Type(Option<u8>),
    /// A public part without a piece, which would not stand in the log.
    #[error("the public part is empty")]
    Empty,
    /// The block is none.
    #[error("block: {0}")]
    Block(#[from] BlockError),
    /// The seal is none.
    #[error("seal: {0}")]
    Seal(#[from] SealError),
    /// Another entry where the head of a block must stand.
    #[error("expected the head of a block")]
    NoHead,
    /// Another entry, or none, where the public part of a block must stand.
    #[error("expected the public part of the block whose head is the entry before")]
    NoPublic,
}

impl Entry {
    /// Reads an entry.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_LEN_MAX {
            return Err(EntryError::TooLong(bytes.len()));
        }
        match bytes.split_first() {
            Some((&HEAD, head)) => Ok(Self::Head(SignedHead::parse(head)?)),
            Some((&PUBLIC, [])) => Err(EntryError::Empty),
            Some((&PUBLIC, public)) => Ok(Self::Public(Public::parse(public).map_err(BlockError::from)?)),
            Some((&SEAL, seal)) => Ok(Self::Seal(SignedSeal::parse(seal)?)),
            other => Err(EntryError::Type(other.map(|(first, _)| *first))),
        }
    }
}

/// The entries of a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockEntries {
    /// The head, which gives the block its log index, its places and its leaf hash.
    pub head: Vec<u8>,
    /// The public part, directly behind it, where the block has one.
    pub public: Option<Vec<u8>>,
}

impl BlockEntries {
    /// Those of a block.
    pub fn of(block: &SignedBlock) -> Self {
        let entry = |kind: u8, message: Vec<u8>| [&[kind][..], &message].concat();
        let public = block.head().has_public().then(|| entry(PUBLIC, block.public().encode_to_vec()));
        Self { head: entry(HEAD, block.head().message().encode_to_vec()), public }
    }

    /// Those of a block as it is submitted.
    pub fn parse(block: &[u8]) -> Result<Self, BlockError> {
        Ok(Self::of(&SignedBlock::parse(block)?))
    }

    /// The entries in their order.
    pub fn into_vec(self) -> Vec<Vec<u8>> {
        std::iter::once(self.head).chain(self.public).collect()
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        1 + u64::from(self.public.is_some())
    }
}

/// The block of a head and of the entry behind it, which is asked for where the head names a public part.
pub fn join<E: From<EntryError>>(
    head: SignedHead,
    public: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<SignedBlock, E> {
    let part = if head.has_public() {
        match Entry::parse(&public()?)? {
            Entry::Public(part) => part,
            Entry::Head(_) | Entry::Seal(_) => return Err(EntryError::NoPublic.into()),
        }
    } else {
        Public::default()
    };
    Ok(head.with_public(part).map_err(EntryError::from)?)
}

/// The block whose head stands at a log index, by whoever has the entries.
pub fn block_at<E: From<EntryError>>(
    index: LogIndex,
    entry: impl Fn(LogIndex) -> Result<Vec<u8>, E>,
) -> Result<SignedBlock, E> {
    match Entry::parse(&entry(index)?)? {
        Entry::Head(head) => join(head, || entry(index.next())),
        Entry::Public(_) | Entry::Seal(_) => Err(EntryError::NoHead.into()),
    }
}

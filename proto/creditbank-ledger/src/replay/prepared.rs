//! An entry with everything that needs no order.

use creditbank_protocol::Digest;
use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::entry::{Entry, EntryError};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::seal::SignedSeal;

use crate::state::ReadBlock;

/// An entry whose bytes have been read.
#[derive(Debug)]
pub struct Prepared {
    pub(super) leaf: Digest,
    pub(super) len: usize,
    pub(super) entry: Result<Read, EntryError>,
}

#[derive(Debug)]
pub(super) enum Read {
    Block(Box<ReadBlock>),
    Seal(Box<SignedSeal>),
}

impl Prepared {
    /// Reads an entry.
    pub fn new(bytes: &[u8]) -> Self {
        let leaf = leaf_hash(bytes);
        let entry = Entry::parse(bytes).map(|entry| match entry {
            Entry::Block(block) => Read::Block(Box::new(ReadBlock::public(block, leaf))),
            Entry::Seal(seal) => Read::Seal(Box::new(seal)),
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
            Ok(Read::Block(read)) => Some(read.block()),
            _ => None,
        }
    }

    /// Whether it is a seal.
    pub fn is_seal(&self) -> bool {
        matches!(&self.entry, Ok(Read::Seal(_)))
    }
}

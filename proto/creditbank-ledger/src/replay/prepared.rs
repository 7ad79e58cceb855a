//! An entry with everything that needs no order.

use creditbank_protocol::Digest;
use creditbank_protocol::block::{Public, SignedHead};
use creditbank_protocol::entry::{Entry, EntryError};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::seal::SignedSeal;

/// An entry whose bytes have been read.
#[derive(Debug)]
pub struct Prepared {
    pub(super) leaf: Digest,
    pub(super) len: usize,
    pub(super) entry: Result<Read, EntryError>,
}

#[derive(Debug)]
pub(super) enum Read {
    Head(Box<SignedHead>),
    Public(Box<Public>),
    Seal(Box<SignedSeal>),
}

impl Prepared {
    /// Reads an entry.
    pub fn new(bytes: &[u8]) -> Self {
        let leaf = leaf_hash(bytes);
        let entry = Entry::parse(bytes).map(|entry| match entry {
            Entry::Head(head) => Read::Head(Box::new(head)),
            Entry::Public(public) => Read::Public(Box::new(public)),
            Entry::Seal(seal) => Read::Seal(Box::new(seal)),
        });
        Self { leaf, len: bytes.len(), entry }
    }

    /// Its leaf hash.
    pub fn leaf(&self) -> Digest {
        self.leaf
    }

    /// The head of a block, if it is one.
    pub fn head(&self) -> Option<&SignedHead> {
        match &self.entry {
            Ok(Read::Head(head)) => Some(head),
            _ => None,
        }
    }

    /// The public part of the block before, if it is one.
    pub fn public(&self) -> Option<&Public> {
        match &self.entry {
            Ok(Read::Public(public)) => Some(public),
            _ => None,
        }
    }

    /// Whether it is a seal.
    pub fn is_seal(&self) -> bool {
        matches!(&self.entry, Ok(Read::Seal(_)))
    }
}

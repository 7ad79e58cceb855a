//! SHA-256 with domain tags: the one way in which this crate hashes anything of its own.
//!
//! A preimage starts with its tag, length-prefixed, so that no two kinds of value share one. Parts of variable
//! length are length-prefixed too; integers are big-endian and of fixed width (PROTOCOL.md, "Preimages").

mod short;

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Every domain tag of the protocol. A tag is ASCII, at most 255 bytes, and never reused for another meaning.
pub mod tag {
    /// The salts of two claims, from the record's seed. Short, as the next two: they are hashed for each field of
    /// each record.
    pub const SALTS: &str = "cb1s";
    /// One disclosable field of a record.
    pub const CLAIM: &str = "cb1c";
    /// A record, over its claims.
    pub const RECORD: &str = "cb1r";
    /// The identity of a block header.
    pub const HEADER: &str = "creditbank/v1/header";
    /// What a unit signs: the header.
    pub const BLOCK_SIGNATURE: &str = "creditbank/v1/block-signature";
    /// What a second person signs.
    pub const APPROVAL: &str = "creditbank/v1/approval";
    /// The value before the first block and the first seal of a log.
    pub const GENESIS: &str = "creditbank/v1/genesis";
    /// The commitment to a registry key that is not used yet.
    pub const NEXT_REGISTRY_KEY: &str = "creditbank/v1/next-registry-key";
    /// What a registry key signs that takes over.
    pub const REGISTRY_SUCCESSION: &str = "creditbank/v1/registry-succession";
    /// What the log key in force signs when another one is to follow it.
    pub const LOG_HANDOVER: &str = "creditbank/v1/log-handover";
    /// What a log key signs that takes over with another origin, and the one before it.
    pub const LOG_SUCCESSION: &str = "creditbank/v1/log-succession";
    /// A record's identity in the status tree.
    pub const STATUS_ID: &str = "creditbank/v1/status-id";
    /// The identity of a seal.
    pub const SEAL: &str = "creditbank/v1/seal";
    /// What the log key signs when it closes a round.
    pub const SEAL_SIGNATURE: &str = "creditbank/v1/seal-signature";
    /// The marks of a record, as the value of a status leaf.
    pub const STATUS_MARKS: &str = "creditbank/v1/status-marks";
    /// A registry entry, as the value of a registry leaf.
    pub const REGISTRY_VALUE: &str = "creditbank/v1/registry-value";
    /// A leaf of the status tree.
    pub const STATUS_LEAF: &str = "creditbank/v1/status-leaf";
    /// An inner node of the status tree.
    pub const STATUS_NODE: &str = "creditbank/v1/status-node";
    /// A key of the registry map.
    pub const REGISTRY_KEY: &str = "creditbank/v1/registry-key";
    /// A leaf of the registry map.
    pub const REGISTRY_LEAF: &str = "creditbank/v1/registry-leaf";
    /// An inner node of the registry map.
    pub const REGISTRY_NODE: &str = "creditbank/v1/registry-node";
    /// The short name of a public key.
    pub const KEY_ID: &str = "creditbank/v1/key-id";
    /// What a key signs to prove that whoever asks for its admission holds it.
    pub const POSSESSION: &str = "creditbank/v1/possession";
    /// What the statement key signs.
    pub const STATEMENT_SIGNATURE: &str = "creditbank/v1/statement-signature";
    /// A statement's commitment to a record.
    pub const STATEMENT_RECORD: &str = "creditbank/v1/statement-record";
    /// A statement's commitment to nothing.
    pub const STATEMENT_PADDING: &str = "creditbank/v1/statement-padding";
    /// The checksum at the end of a transcript file.
    pub const TRANSCRIPT: &str = "creditbank/v1/transcript";
    /// Digest of the text of an agreement.
    pub const AGREEMENT_TERMS: &str = "creditbank/v1/agreement-terms";
    /// What a learner signs.
    pub const MANDATE: &str = "creditbank/v1/mandate";
    /// What a paper mandate is for.
    pub const PAPER_MANDATE: &str = "creditbank/v1/paper-mandate";
    /// What an institution does by a regulation, without the learner.
    pub const LEGAL_BASIS: &str = "creditbank/v1/legal-basis";
    /// What the other institutions of a joint award sign.
    pub const JOINT_AWARD: &str = "creditbank/v1/joint-award";
}

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Thirty-two zero bytes: the root of an empty map, never the hash of anything.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest in `bytes`, or `None` when there are not exactly 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256 of the parts, one after the other.
#[inline]
pub(crate) fn sha256_of(parts: &[&[u8]]) -> Digest {
    let len = parts.iter().map(|part| part.len()).sum();
    #[cfg(test)]
    compressions::count(len);
    if len <= short::LEN_MAX {
        return short::sha256(parts, len);
    }
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    Digest(hasher.finalize().into())
}

/// Counts what hashing costs.
#[cfg(test)]
pub(crate) mod compressions {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    /// A message of so many bytes is hashed: padding takes nine bytes more, a block has 64 (FIPS 180-4, section 5.1.1).
    pub(super) fn count(len: usize) {
        COUNT.set(COUNT.get() + (len + 9).div_ceil(64));
    }

    /// Compressions of [`super::sha256_of`] in this thread since the last call.
    pub(crate) fn take() -> usize {
        COUNT.take()
    }
}

/// SHA-256 of `bytes`, without a tag: for RFC 6962 trees, whose prefixes are their own.
pub fn sha256(bytes: &[u8]) -> Digest {
    sha256_of(&[bytes])
}

/// The bytes of a preimage, written part by part. The same bytes serve as the message of a signature.
#[derive(Clone)]
pub struct Preimage(Vec<u8>);

impl Preimage {
    /// Starts with `u8 length || tag`.
    pub fn new(tag: &str) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(u8::try_from(tag.len()).expect("a tag is a constant of at most 255 bytes"));
        bytes.extend_from_slice(tag.as_bytes());
        Self(bytes)
    }

    /// Appends one byte.
    #[must_use]
    pub fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    /// Appends a big-endian `u16`.
    #[must_use]
    pub fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a big-endian `u32`.
    #[must_use]
    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a big-endian `u64`.
    #[must_use]
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a part whose length the protocol fixes, as it is.
    #[must_use]
    pub fn fixed(mut self, part: &[u8]) -> Self {
        self.0.extend_from_slice(part);
        self
    }

    /// Appends a part of variable length: `u32 length || part`.
    #[must_use]
    pub fn variable(mut self, part: &[u8]) -> Self {
        let length = u32::try_from(part.len()).expect("every part is bounded far below 4 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(part);
        self
    }

    /// The bytes, as a signature's message.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest {
        sha256(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a preimage is its tag and parts, each variable one behind its length.
    #[test]
    fn preimage_is_length_prefixed() {
        let preimage = Preimage::new("ab").u8(1).u16(2).u32(3).u64(4).fixed(b"xy").variable(b"z");
        let expected =
            [&b"\x02ab\x01"[..], &[0, 2], &[0, 0, 0, 3], &[0, 0, 0, 0, 0, 0, 0, 4], b"xy", &[0, 0, 0, 1], b"z"];
        assert_eq!(preimage.as_bytes(), expected.concat());
    }
}

//! Block headers: what a unit signs.

use super::{BLOCK_VERSION, BlockError, Pieces};
use crate::canonical::decode;
use crate::hash::{Preimage, tag};
use crate::key::KeyId;
use crate::pb;
use crate::record::SUITE;
use crate::{Digest, UnitId};

/// A header whose shape is right, with the bytes that it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    bytes: Vec<u8>,
    /// The log.
    pub origin: String,
    /// Who signs, and whose chain this is.
    pub unit: UnitId,
    /// Position in the chain, from 0.
    pub height: u64,
    /// Identity of the previous header, or what stands in its place at height 0.
    pub previous: Digest,
    /// RFC 6962 root over the record hashes.
    pub records_root: Digest,
    /// Number of records.
    pub count: u32,
    /// The pieces of the public part.
    pub pieces: Pieces,
    /// Names the operation that the block is part of.
    pub operation_id: [u8; 16],
    /// Minutes since 1970-01-01T00:00Z.
    pub created_at_minute: u64,
    /// The key that signs.
    pub key_id: KeyId,
}

impl Header {
    /// Reads a canonical `BlockHeader`.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BlockError> {
        let pb::BlockHeader {
            suite,
            version,
            origin,
            institution,
            unit,
            height,
            previous,
            records_root,
            count,
            public_root,
            operation_id,
            created_at_minute,
            key_id,
            public_count,
        } = decode(&bytes)?;
        if suite != u32::from(SUITE) || version != BLOCK_VERSION {
            return Err(BlockError::Version { suite, version });
        }
        if origin.is_empty() {
            return Err(BlockError::Missing("origin"));
        }
        let digest = |bytes: &[u8], name| Digest::from_slice(bytes).ok_or(BlockError::Missing(name));
        Ok(Self {
            origin,
            unit: UnitId::new(institution, unit),
            height,
            previous: digest(&previous, "previous")?,
            records_root: digest(&records_root, "records_root")?,
            count,
            pieces: Pieces { root: digest(&public_root, "public_root")?, count: public_count },
            operation_id: operation_id.try_into().map_err(|_| BlockError::Missing("operation_id"))?,
            created_at_minute,
            key_id: KeyId::from_slice(&key_id).ok_or(BlockError::Missing("key_id"))?,
            bytes,
        })
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The identity of the header, signature aside: H(tag, bytes).
    pub fn id(&self) -> Digest {
        Preimage::new(tag::HEADER).variable(&self.bytes).digest()
    }

    /// What the unit signs: tag and bytes.
    pub fn message(&self) -> Preimage {
        Preimage::new(tag::BLOCK_SIGNATURE).variable(&self.bytes)
    }
}

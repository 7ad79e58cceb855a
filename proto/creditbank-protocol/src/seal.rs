//! Seals: the entry that closes a round and the last leaf of every checkpoint.

use crate::canonical::{CanonicalError, decode, encode};
use crate::hash::{Preimage, tag};
use crate::key::{self, SignatureError};
use crate::pb;
use crate::record::SUITE;
use crate::{Digest, LogIndex};

/// Type byte of a seal among the log's entries.
pub const ENTRY_TYPE: u8 = 0x02;

/// Version of the seal's layout.
pub const SEAL_VERSION: u32 = 1;

/// Version of the rules, which every seal names. Whoever judges a round by the rules refuses another version: what its
/// blocks mean is not known.
pub const RULES_VERSION: u32 = 1;

/// What a seal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The log.
    pub origin: String,
    /// First log index of the round.
    pub first_index: LogIndex,
    /// The seal's own log index.
    pub index: LogIndex,
    /// Status tree after the round.
    pub status_root: Digest,
    /// Registry map in force during the round.
    pub registry_root: Digest,
    /// Version of the rules that the round was checked against.
    pub rules_version: u32,
    /// Milliseconds since 1970-01-01T00:00Z.
    pub time_ms: u64,
    /// Records in the log up to and with this round.
    pub records_total: u64,
    /// Identity of the previous seal; the genesis value for the first one.
    pub previous: Digest,
}

/// Why bytes are no seal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// Another suite or version, or a second signature, which suite 1 does not have.
    #[error("suite {suite} and version {version} of the seal are not supported, expected 1 and 1")]
    Version {
        /// The suite that came.
        suite: u32,
        /// The version that came.
        version: u32,
    },
    /// Something without which a seal means nothing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The round ends before it begins.
    #[error("the round begins at {first} and its seal is at {index}")]
    Range {
        /// First index of the round.
        first: LogIndex,
        /// The seal's index.
        index: LogIndex,
    },
    /// The log key's signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A seal whose shape is right; its signature may not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedSeal {
    seal: Seal,
    bytes: Vec<u8>,
    signature: Vec<u8>,
}

impl Seal {
    /// The bytes of the log entry, signed by `sign` (the log key): type byte 0x02 and the canonical `SignedSeal`.
    pub fn sign(&self, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Result<Vec<u8>, SealError> {
        let seal = encode(&pb::Seal {
            suite: u32::from(SUITE),
            version: SEAL_VERSION,
            origin: self.origin.clone(),
            first_index: self.first_index.0,
            index: self.index.0,
            status_root: self.status_root.0.to_vec(),
            registry_root: self.registry_root.0.to_vec(),
            rules_version: self.rules_version,
            time_ms: self.time_ms,
            records_total: self.records_total,
            previous: self.previous.0.to_vec(),
        })?;
        let signature = sign(message(&seal).as_bytes()).to_vec();
        let signed = encode(&pb::SignedSeal { seal, signature, second_signature: Vec::new() })?;
        Ok([&[ENTRY_TYPE][..], &signed].concat())
    }
}

/// What the log key signs.
fn message(seal: &[u8]) -> Preimage {
    Preimage::new(tag::SEAL_SIGNATURE).variable(seal)
}

impl SignedSeal {
    /// Reads a canonical `SignedSeal`.
    pub fn parse(bytes: &[u8]) -> Result<Self, SealError> {
        let pb::SignedSeal { seal: bytes, signature, second_signature } = decode(bytes)?;
        let pb::Seal {
            suite,
            version,
            origin,
            first_index,
            index,
            status_root,
            registry_root,
            rules_version,
            time_ms,
            records_total,
            previous,
        } = decode(&bytes)?;
        if suite != u32::from(SUITE) || version != SEAL_VERSION || !second_signature.is_empty() {
            return Err(SealError::Version { suite, version });
        }
        let (first_index, index) = (LogIndex(first_index), LogIndex(index));
        if first_index > index {
            return Err(SealError::Range { first: first_index, index });
        }
        let digest = |bytes: &[u8], name| Digest::from_slice(bytes).ok_or(SealError::Missing(name));
        if origin.is_empty() || rules_version == 0 || signature.is_empty() {
            return Err(SealError::Missing("the origin, the rules' version or the signature"));
        }
        let seal = Seal {
            origin,
            first_index,
            index,
            status_root: digest(&status_root, "status_root")?,
            registry_root: digest(&registry_root, "registry_root")?,
            rules_version,
            time_ms,
            records_total,
            previous: digest(&previous, "previous")?,
        };
        Ok(Self { seal, bytes, signature })
    }

    /// Checks the signature under the log key.
    pub fn verify(&self, log_key: &[u8]) -> Result<(), SealError> {
        Ok(key::verify(log_key, message(&self.bytes).as_bytes(), &self.signature)?)
    }

    /// What the log key signs: tag and bytes.
    pub fn message(&self) -> Preimage {
        message(&self.bytes)
    }

    /// The log key's signature, 64 bytes where it is one; unchecked.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// What the seal says.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The identity of the seal, which the next one names: H(tag, bytes of the seal).
    pub fn id(&self) -> Digest {
        Preimage::new(tag::SEAL).variable(&self.bytes).digest()
    }
}

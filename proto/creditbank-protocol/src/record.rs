//! Records: typed messages of which every top-level field can be disclosed alone.
//!
//! | value       | preimage (PROTOCOL.md, "Records and claims")                                   |
//! |-------------|--------------------------------------------------------------------------------|
//! | salt i      | HMAC-SHA256(seed, tag, kind, version, i), first 16 bytes                       |
//! | claim i     | tag, salt i, kind, version, i, body: `0x00` absent, `0x01` and the wire bytes  |
//! | record hash | tag, suite, kind, version, n, claim 1 .. claim n                               |

mod amends;
mod disclosed;
mod expires;
mod kind;
mod rests_on;

pub use amends::amends_of;
pub use disclosed::{Disclosed, DisclosureError, RequiredClaims, disclose};
pub use expires::{exemption_expires, expires_of, has_expired};
pub use kind::{KindInfo, info_of, kind_info};
pub use rests_on::RestsOn;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::Digest;
use crate::canonical::{Canonical, CanonicalError, top_level_fields};
use crate::hash::tag;
use crate::pb::Kind;

/// The suite of this crate: SHA-256 and Ed25519.
pub const SUITE: u16 = 1;
/// Seed of a public record, which hides nothing.
pub const PUBLIC_SEED: [u8; 32] = [0; 32];
/// Most bytes of a record's body.
pub const BODY_LEN_MAX: usize = 65_535;

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The kind is not one of this version of the protocol.
    #[error("kind {0} is unknown")]
    UnknownKind(u32),
    /// The kind has no such version.
    #[error("version {found} of {kind} is unknown, expected {expected}")]
    UnknownVersion {
        /// The kind's name.
        kind: &'static str,
        /// The newest version that is known.
        expected: u16,
        /// The version that came.
        found: u32,
    },
    /// More bytes than a record may have.
    #[error("the body has {found} bytes, at most {BODY_LEN_MAX} are allowed")]
    TooLong {
        /// The bytes that came.
        found: usize,
    },
    /// The seed is not 32 bytes.
    #[error("the seed has {found} bytes, expected 32")]
    Seed {
        /// The bytes that came.
        found: usize,
    },
    /// The body is not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// A record whose body is canonical and whose hash is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    kind: Kind,
    version: u16,
    seed: [u8; 32],
    body: Vec<u8>,
    hash: Digest,
}

impl Record {
    /// Checks kind, version, seed and body, and hashes. Needs no state, so any thread may do it.
    pub fn new(kind: u32, version: u32, seed: &[u8], body: Vec<u8>) -> Result<Self, RecordError> {
        let info = kind_info(kind).ok_or(RecordError::UnknownKind(kind))?;
        let version = info.version(version)?;
        if body.len() > BODY_LEN_MAX {
            return Err(RecordError::TooLong { found: body.len() });
        }
        let seed = seed.try_into().map_err(|_| RecordError::Seed { found: seed.len() })?;
        let hash = record_hash(info, version, &claims(info, version, &seed, &body)?);
        Ok(Self { kind: info.kind, version, seed, body, hash })
    }

    /// A record of version 1 of a kind.
    pub fn of(kind: Kind, seed: &[u8; 32], body: Vec<u8>) -> Result<Self, RecordError> {
        Self::new(u32::from(kind_number(kind)), 1, seed, body)
    }

    /// What the record is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The kind's number.
    pub fn kind_number(&self) -> u16 {
        kind_number(self.kind)
    }

    /// Version of the kind.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// The secret from which the salts come; whoever has it and the body can disclose the record.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The canonical bytes.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The message, which is that of the record's kind. The body was found canonical when the record was made.
    pub fn read<M: Canonical>(&self) -> Result<M, CanonicalError> {
        let schema = info_of(self.kind).map(|info| info.schema);
        if schema.is_some_and(|schema| std::ptr::eq(schema, M::SCHEMA))
            && let Ok(message) = M::decode(&self.body[..])
        {
            return Ok(message);
        }
        // Another kind's message: the check says what does not fit.
        crate::canonical::decode(&self.body)
    }

    /// The record hash: the leaf of the block's tree.
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

impl std::fmt::Debug for Record {
    /// Shows no personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("kind", &self.kind).field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// The salt of claim `number`, from 1.
pub fn salt(seed: &[u8; 32], kind: Kind, version: u16, number: u16) -> [u8; 16] {
    Salts::new(seed, kind, version).salt(number)
}

/// The salts of one record, with the HMAC key set up once.
struct Salts {
    keyed: Hmac<Sha256>,
}

impl Salts {
    fn new(seed: &[u8; 32], kind: Kind, version: u16) -> Self {
        let mut keyed = Hmac::<Sha256>::new_from_slice(seed).expect("HMAC takes a key of any length");
        keyed.update(&[u8::try_from(tag::SALT.len()).expect("a tag is short")]);
        keyed.update(tag::SALT.as_bytes());
        keyed.update(&kind_number(kind).to_be_bytes());
        keyed.update(&version.to_be_bytes());
        Self { keyed }
    }

    fn salt(&self, number: u16) -> [u8; 16] {
        let mut mac = self.keyed.clone();
        mac.update(&number.to_be_bytes());
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut out = [0; 16];
        out.copy_from_slice(&full[..16]);
        out
    }
}

/// The hash of claim `number`; `value` is all wire occurrences of the field, empty where it is absent.
pub fn claim_hash(salt: &[u8; 16], kind: Kind, version: u16, number: u16, value: &[u8]) -> Digest {
    let body_len = u32::try_from(value.len()).expect("a body is at most 65,535 bytes") + u32::from(!value.is_empty());
    // Streamed: one claim per field of every record makes this the hottest hash of the system.
    let mut hasher = Sha256::new();
    hasher.update([u8::try_from(tag::CLAIM.len()).expect("a tag is short")]);
    hasher.update(tag::CLAIM.as_bytes());
    hasher.update(salt);
    hasher.update(kind_number(kind).to_be_bytes());
    hasher.update(version.to_be_bytes());
    hasher.update(number.to_be_bytes());
    hasher.update(body_len.max(1).to_be_bytes());
    hasher.update([u8::from(!value.is_empty())]);
    hasher.update(value);
    Digest(hasher.finalize().into())
}

/// The claims of a whole record, in field order.
fn claims(info: &KindInfo, version: u16, seed: &[u8; 32], body: &[u8]) -> Result<Vec<Digest>, CanonicalError> {
    let fields = top_level_fields(info.schema, body)?;
    let salts = Salts::new(seed, info.kind, version);
    Ok((1u16..)
        .zip(fields)
        .map(|(number, range)| claim_hash(&salts.salt(number), info.kind, version, number, &body[range]))
        .collect())
}

/// The record hash over its claims.
pub fn record_hash(info: &KindInfo, version: u16, claims: &[Digest]) -> Digest {
    let count = u16::try_from(claims.len()).expect("a kind has at most 64 fields");
    let mut preimage =
        crate::hash::Preimage::new(tag::RECORD).u16(SUITE).u16(kind_number(info.kind)).u16(version).u16(count);
    for claim in claims {
        preimage = preimage.fixed(claim.as_bytes());
    }
    preimage.digest()
}

/// The kind as it stands in preimages.
pub(crate) fn kind_number(kind: Kind) -> u16 {
    u16::try_from(i32::from(kind)).expect("kinds are numbered below 128")
}

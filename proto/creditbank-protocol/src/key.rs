//! Keys of suite 1: identity, possession, strict verification.

mod batch;
mod log_keys;
mod log_succession;
mod succession;

use std::cell::Cell;
use std::fmt;
use std::sync::LazyLock;

use curve25519_dalek::constants::EIGHT_TORSION;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};

pub use batch::{BatchItem, BatchKey, verify_batch};
pub use log_keys::{LogKeyError, LogKeyHistory, log_handover_message};
pub use log_succession::{FormerOrigin, LogSuccessionError, OriginHistory, log_succession_message, succession_root};
pub use succession::{LogKeys, RegistryAuthority, SuccessionError, commitment, succession_message};

use crate::UnitId;
use crate::hash::{Preimage, tag};
use crate::pb::Purpose;
use crate::record::SUITE;

/// The short name of a key: the first 16 bytes of SHA-256 over tag, suite and public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 16]);

impl KeyId {
    /// The id of a public key under suite 1.
    pub fn of(public_key: &[u8; 32]) -> Self {
        let digest = Preimage::new(tag::KEY_ID).u16(SUITE).fixed(public_key).digest();
        let mut id = [0; 16];
        id.copy_from_slice(&digest.0[..16]);
        Self(id)
    }

    /// The id in `bytes`, or `None` when there are not exactly 16.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A signature that does not hold, or a key that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The public key is not the encoding of a point of full order.
    #[error("the public key is not a valid Ed25519 key")]
    Key,
    /// The signature is not 64 bytes.
    #[error("the signature has {0} bytes, expected 64")]
    Length(usize),
    /// Strict verification failed.
    #[error("the signature does not verify under the key")]
    Invalid,
}

/// Verifies under suite 1, strictly: RFC 8032 with canonical encodings, and neither key nor R of small order.
pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let key = verifying_key(public_key)?;
    let bytes = <[u8; 64]>::try_from(signature).map_err(|_| SignatureError::Length(signature.len()))?;
    // The library compares the bytes of R with those of the R that it computes. So R is in the one canonical spelling,
    // and whether it is of small order can be seen by its bytes; its strict verification decompresses R for that.
    let signature = Signature::from_bytes(&bytes);
    if SMALL_ORDER.contains(signature.r_bytes()) {
        return Err(SignatureError::Invalid);
    }
    key.verify(message, &signature).map_err(|_| SignatureError::Invalid)
}

/// The canonical encodings of the eight points of small order.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> = LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().0));

thread_local! {
    /// The key that was read last: seals of a log and blocks of a unit come one after the other, and to decompress the
    /// point is a tenth of a verification.
    static LAST: Cell<Option<VerifyingKey>> = const { Cell::new(None) };
}

/// The key in 32 bytes, refused when it is no point or of small order.
pub fn verifying_key(public_key: &[u8]) -> Result<VerifyingKey, SignatureError> {
    let bytes = <[u8; 32]>::try_from(public_key).map_err(|_| SignatureError::Key)?;
    if let Some(key) = LAST.get().filter(|key| *key.as_bytes() == bytes) {
        return Ok(key);
    }
    let key = VerifyingKey::from_bytes(&bytes).map_err(|_| SignatureError::Key)?;
    if key.is_weak() || !is_reduced(&bytes) {
        return Err(SignatureError::Key);
    }
    LAST.set(Some(key));
    Ok(key)
}

/// Whether the y of an encoded point is below p = 2^255 - 19: one key, one spelling. The library reads the others too.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = bytes;
    *first < 0xed || last & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

/// Whether a minute since 1970 lies between the dates of a registered key. Whether it was revoked is another question.
pub fn within_dates(key: &crate::pb::Key, minute: u64) -> bool {
    minute >= key.from_minute && (key.until_minute == 0 || minute < key.until_minute)
}

/// Signs `message` under suite 1.
pub fn sign(key: &SigningKey, message: &[u8]) -> [u8; 64] {
    key.sign(message).to_bytes()
}

/// What a key signs so that the registry admits it: tag, origin, institution, unit, suite, purpose, public key.
pub fn possession_message(origin: &str, unit: UnitId, purpose: Purpose, public_key: &[u8; 32]) -> Preimage {
    let purpose = u16::try_from(i32::from(purpose)).expect("purposes are small and not negative");
    Preimage::new(tag::POSSESSION)
        .variable(origin.as_bytes())
        .u64(unit.institution.0)
        .u32(unit.number)
        .u16(SUITE)
        .u16(purpose)
        .fixed(public_key)
}

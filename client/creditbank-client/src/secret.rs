//! Randomness, and values derived from a secret.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::ClientError;

/// Random bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ClientError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| ClientError::Local(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// HMAC-SHA256 over the parts, one after the other.
pub(crate) fn derive(secret: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

//! The text of a key file: what `keygen` and `init` write and every signer reads. Reading and writing files is the caller's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::names;
use crate::pb::Purpose;

const HEAD: &str = "creditbank-key-v1";
/// The purpose of keys with which learners sign mandates. They are not in the registry.
const LEARNER: &str = "learner";

/// A private key and what it is for.
#[derive(Clone)]
pub struct KeyFile {
    /// One key, one purpose.
    pub purpose: Purpose,
    /// The key.
    pub key: SigningKey,
}

/// Why text is no key file. The text is never shown: it holds a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// Another kind of file.
    #[error("the first line is not {HEAD}")]
    Head,
    /// No known purpose.
    #[error("the second line is not \"purpose\" and a known purpose")]
    Purpose,
    /// No seed.
    #[error("the third line is not \"seed\" and 32 bytes in base64")]
    Seed,
    /// More than three lines.
    #[error("the file goes on after the seed")]
    Surplus,
}

impl KeyFile {
    /// Reads the text.
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err(KeyFileError::Head);
        }
        let purpose = lines.next().and_then(|line| line.strip_prefix("purpose ")).and_then(purpose_of);
        let purpose = purpose.ok_or(KeyFileError::Purpose)?;
        let seed = lines.next().and_then(|line| line.strip_prefix("seed ")).and_then(|text| STANDARD.decode(text).ok());
        let seed = seed.map(Zeroizing::new).ok_or(KeyFileError::Seed)?;
        let seed: Zeroizing<[u8; 32]> =
            seed.as_slice().try_into().map(Zeroizing::new).map_err(|_| KeyFileError::Seed)?;
        if lines.next().is_some() {
            return Err(KeyFileError::Surplus);
        }
        Ok(Self { purpose, key: SigningKey::from_bytes(&seed) })
    }

    /// The text. It holds the secret, and is wiped when it is dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        let seed = Zeroizing::new(STANDARD.encode(*Zeroizing::new(self.key.to_bytes())));
        Zeroizing::new(format!("{HEAD}\npurpose {}\nseed {}\n", purpose_name(self.purpose), *seed))
    }

    /// The 32 bytes that the registry knows.
    pub fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }
}

/// A purpose as people write it: `unit`, `institution-access`. A learner's key has none that the registry knows: `learner`.
pub fn purpose_name(purpose: Purpose) -> String {
    if purpose == Purpose::Unspecified {
        return LEARNER.to_owned();
    }
    names::of(purpose)
}

/// The purpose that `name` stands for.
pub fn purpose_of(name: &str) -> Option<Purpose> {
    if name == LEARNER {
        return Some(Purpose::Unspecified);
    }
    names::parse(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a key file reads back; anything else is refused.
    #[test]
    fn key_file_round_trip() {
        let file = KeyFile { purpose: Purpose::InstitutionAccess, key: SigningKey::from_bytes(&[7; 32]) };
        let text = file.to_text();
        let read = KeyFile::parse(&text).expect("what was written");
        assert_eq!((read.purpose, read.key.to_bytes()), (file.purpose, file.key.to_bytes()));
        assert_eq!(KeyFile::parse("").err(), Some(KeyFileError::Head));
        assert_eq!(KeyFile::parse(&text.replace("institution", "x")).err(), Some(KeyFileError::Purpose));
        assert_eq!(KeyFile::parse(&text.replace("seed B", "seed ")).err(), Some(KeyFileError::Seed));
        assert_eq!(KeyFile::parse(&format!("{}more", *text)).err(), Some(KeyFileError::Surplus));
    }
}

//! Who signs: a key file, or a key in a token behind PKCS#11.

mod token;
mod uri;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::key::sign;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{Approval, EffectGroup, Purpose};
use creditbank_protocol::record::Record;

use crate::secret::derive;
use crate::{ClientError, key_file};
use token::TokenKey;
pub use uri::Pkcs11Uri;

/// A private key that signs under suite 1, wherever it is kept.
pub trait Signer: Send + Sync {
    /// What the key is for.
    fn purpose(&self) -> Purpose;
    /// The 32 bytes that the registry knows.
    fn public_key(&self) -> [u8; 32];
    /// The signature of `message`: Ed25519, without a prehash.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], ClientError>;
    /// A secret that only the holder of the key can make, the same at every call: the operator's notes are under it.
    fn secret(&self) -> Result<[u8; 32], ClientError>;
}

impl Signer for KeyFile {
    fn purpose(&self) -> Purpose {
        self.purpose
    }

    fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], ClientError> {
        Ok(sign(&self.key, message))
    }

    fn secret(&self) -> Result<[u8; 32], ClientError> {
        Ok(derive(&self.key.to_bytes(), &[b"creditbank unit secret"]))
    }
}

/// The bytes of a block over `records` with their effects, signed by `key`.
pub(crate) fn sign_draft(
    draft: &BlockDraft,
    key: &dyn Signer,
    records: &[Record],
    groups: Vec<EffectGroup>,
    approvals: Vec<Approval>,
) -> Result<Vec<u8>, ClientError> {
    let mut failed = None;
    let block = draft.sign(records, groups, approvals, |message| {
        key.sign(message).unwrap_or_else(|error| {
            failed = Some(error);
            [0; 64]
        })
    });
    match failed {
        Some(error) => Err(error),
        None => block.map_err(|error| ClientError::Local(error.to_string())),
    }
}

/// Where a key is, as people write it: the path of a key file, or `pkcs11:` and what finds the key in a token.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file of `creditbank keygen`.
    File(PathBuf),
    /// A token.
    Token(Pkcs11Uri),
}

impl FromStr for KeyPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("pkcs11:") { Pkcs11Uri::parse(text).map(Self::Token) } else { Ok(Self::File(text.into())) }
    }
}

impl fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Token(uri) => uri.fmt(f),
        }
    }
}

impl KeyPlace {
    /// The path, where the key is a file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Token(_) => None,
        }
    }

    /// Opens the key, which must be for `purpose`. A token does not say what its keys are for; the registry does.
    pub fn open(&self, purpose: Purpose) -> Result<Arc<dyn Signer>, ClientError> {
        match self {
            Self::File(path) => Ok(Arc::new(key_file::read_for(path, purpose)?)),
            Self::Token(uri) => Ok(Arc::new(TokenKey::open(uri, purpose)?)),
        }
    }

    /// Opens the key, whatever it is for. A token's key is for `purpose`, by default a unit's; a key file says it
    /// itself, and must agree.
    pub fn open_any(&self, purpose: Option<Purpose>) -> Result<Arc<dyn Signer>, ClientError> {
        match (self, purpose) {
            (Self::File(path), None) => Ok(Arc::new(key_file::read(path)?)),
            (_, purpose) => self.open(purpose.unwrap_or(Purpose::Unit)),
        }
    }

    /// Makes a new key there; one that exists is never replaced.
    pub fn generate(&self, purpose: Purpose) -> Result<Arc<dyn Signer>, ClientError> {
        match self {
            Self::File(path) => Ok(Arc::new(key_file::generate(path, purpose)?)),
            Self::Token(uri) => Ok(Arc::new(TokenKey::generate(uri, purpose)?)),
        }
    }
}

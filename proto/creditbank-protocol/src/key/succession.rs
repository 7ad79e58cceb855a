//! What a log is bound to at its beginning, and how its registry key is followed by another one.
//!
//! The genesis value commits to the registry key that comes next, and each succession to the one after it. So a thief
//! of the registry key cannot name a successor: that key has not been seen by anybody yet.

use super::{SignatureError, verify, verifying_key};
use crate::Digest;
use crate::hash::{Preimage, tag};
use crate::key::KeyId;
use crate::pb;

/// A log, and the keys that it was begun with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKeys {
    /// Its name.
    pub origin: String,
    /// Signed the first seal.
    pub log_key: [u8; 32],
    /// Signed the first block.
    pub registry_key: [u8; 32],
    /// Commitment to the registry key that may follow: [`commitment`].
    pub next_registry_key: Digest,
}

impl LogKeys {
    /// What the operator's first block and the first seal name as their previous: it binds the log to its keys.
    pub fn genesis(&self) -> Digest {
        self.genesis_preimage().digest()
    }

    /// What the genesis value is the hash of.
    pub fn genesis_preimage(&self) -> Preimage {
        Preimage::new(tag::GENESIS)
            .variable(self.origin.as_bytes())
            .fixed(&self.log_key)
            .fixed(&self.registry_key)
            .fixed(self.next_registry_key.as_bytes())
    }

    /// The registry key of the beginning.
    pub fn registry(&self) -> RegistryAuthority {
        RegistryAuthority { key: self.registry_key, next: self.next_registry_key }
    }
}

/// The commitment to a registry key that nobody has seen yet.
pub fn commitment(registry_key: &[u8; 32]) -> Digest {
    Preimage::new(tag::NEXT_REGISTRY_KEY).fixed(registry_key).digest()
}

/// Who signs the operator's blocks, and who may come next. It moves on with each succession.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryAuthority {
    /// The registry key in force.
    pub key: [u8; 32],
    /// Commitment to the one that may follow.
    pub next: Digest,
}

/// Why a registry key is not followed by another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// It is not the key that was committed to.
    #[error("the key is not the one that was committed to")]
    NotTheSuccessor,
    /// The key, or the commitment to the one after it, is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The new key has not signed the succession.
    #[error("the new key's signature: {0}")]
    Signature(#[from] SignatureError),
}

impl RegistryAuthority {
    /// Whose key this is, in short.
    pub fn key_id(&self) -> KeyId {
        KeyId::of(&self.key)
    }

    /// Who signs after a succession, which must be by the key that was committed to.
    pub fn succeed(&self, origin: &str, said: &pb::RegistrySuccession) -> Result<Self, SuccessionError> {
        let key = said.public_key.as_slice().try_into().map_err(|_| SuccessionError::Missing("public_key"))?;
        let next = Digest::from_slice(&said.next_registry_key);
        let next = next.ok_or(SuccessionError::Missing("next_registry_key"))?;
        if commitment(&key) != self.next {
            return Err(SuccessionError::NotTheSuccessor);
        }
        verifying_key(&key)?;
        verify(&key, succession_message(origin, &self.key, said).as_bytes(), &said.signature)?;
        Ok(Self { key, next })
    }
}

/// What the new key signs: whom it follows, and whom it commits to.
pub fn succession_message(origin: &str, before: &[u8; 32], said: &pb::RegistrySuccession) -> Preimage {
    Preimage::new(tag::REGISTRY_SUCCESSION)
        .variable(origin.as_bytes())
        .fixed(before)
        .fixed(&said.public_key)
        .fixed(&said.next_registry_key)
        .variable(said.case_reference.as_bytes())
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::key::sign;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    fn public(number: u8) -> [u8; 32] {
        key(number).verifying_key().to_bytes()
    }

    fn said(before: u8, number: u8, next: u8) -> pb::RegistrySuccession {
        let bare = pb::RegistrySuccession {
            public_key: public(number).to_vec(),
            next_registry_key: commitment(&public(next)).0.to_vec(),
            case_reference: "1".to_owned(),
            ..Default::default()
        };
        let message = succession_message("test.example/log", &public(before), &bare);
        pb::RegistrySuccession { signature: sign(&key(number), message.as_bytes()).to_vec(), ..bare }
    }

    /// Goal: only the key that was committed to follows, by its own signature over whom it follows and whom it commits
    /// to.
    #[test]
    fn only_the_committed_key_follows() {
        let begun = RegistryAuthority { key: public(1), next: commitment(&public(2)) };
        let succeed = |said: &pb::RegistrySuccession| begun.succeed("test.example/log", said);
        let after = succeed(&said(1, 2, 3)).expect("it follows");
        assert_eq!(after, RegistryAuthority { key: public(2), next: commitment(&public(3)) });
        assert!(after.succeed("test.example/log", &said(2, 3, 4)).is_ok());
        assert_eq!(succeed(&said(1, 1, 3)), Err(SuccessionError::NotTheSuccessor), "itself");
        assert_eq!(succeed(&said(1, 4, 3)), Err(SuccessionError::NotTheSuccessor), "a key of the thief");
        assert_eq!(after.succeed("test.example/log", &said(1, 2, 3)), Err(SuccessionError::NotTheSuccessor), "again");
        let unsigned = |said| matches!(succeed(&said), Err(SuccessionError::Signature(_)));
        assert!(unsigned(said(9, 2, 3)), "of another key's succession");
        assert!(unsigned(pb::RegistrySuccession { next_registry_key: vec![7; 32], ..said(1, 2, 3) }));
        assert!(unsigned(pb::RegistrySuccession { case_reference: "2".to_owned(), ..said(1, 2, 3) }));
        let empty = pb::RegistrySuccession { next_registry_key: Vec::new(), ..said(1, 2, 3) };
        assert_eq!(succeed(&empty), Err(SuccessionError::Missing("next_registry_key")));
    }
}

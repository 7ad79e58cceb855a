//! The registry key: there is one at a time, and another one follows only by a succession.

use creditbank_protocol::Digest;
use creditbank_protocol::key::{KeyId, RegistryAuthority, SuccessionError};
use creditbank_protocol::pb::{self, Purpose};

use super::admit::{present, require};
use super::{Registry, RegistryRecord};
use crate::{Rejection, Rule};

/// The key in force after a succession.
pub(super) fn succeed(registry: &Registry, said: &pb::RegistrySuccession) -> Result<RegistryAuthority, Rejection> {
    let expected = "a registry of a log that was begun";
    let authority = registry.authority.ok_or_else(|| Rejection::new(Rule::Contradiction, expected, "another"))?;
    present(!said.case_reference.is_empty(), "case_reference", "why another registry key takes over")?;
    authority.succeed(registry.origin(), said).map_err(|error| match error {
        SuccessionError::NotTheSuccessor => {
            let expected = format!("the key under the commitment {}", authority.next);
            Rejection::new(Rule::NotTheSuccessor, expected, hex(&said.public_key)).field("public_key")
        }
        SuccessionError::Missing(field) => Rejection::new(Rule::MissingField, "a value", "nothing").field(field),
        SuccessionError::Signature(error) => {
            Rejection::new(Rule::NoPossession, "a signature by the new key", error.to_string()).field("signature")
        }
    })
}

fn hex(bytes: &[u8]) -> String {
    Digest::from_slice(bytes).map_or_else(|| "other bytes".to_owned(), |bytes| bytes.to_string())
}

fn is_registry_key(key: &pb::Key) -> bool {
    key.purpose == i32::from(Purpose::Registry)
}

/// Checks a key that is about to stand in the registry: of the registry keys, the one in force, which does not end by
/// such an entry, or a former one, which has ended. Whoever has stolen the registry key cannot admit another one.
pub(super) fn check_key(registry: &Registry, entry: &pb::Key, record: RegistryRecord<'_>) -> Result<(), Rejection> {
    let Some(authority) = registry.authority.filter(|_| is_registry_key(entry)) else {
        return Ok(());
    };
    if entry.public_key == authority.key {
        let stays = entry.revoked.is_none() && entry.until_minute == 0;
        let expected = "a registry key without end: another one follows by a succession (creditbank registry succeed)";
        require(stays, Rule::Contradiction, "revoked", expected, "an end")?;
        let begun = entry.from_minute <= record.sealed_at_ms / 60_000;
        return require(begun, Rule::Contradiction, "from_minute", "no later than the seal", entry.from_minute);
    }
    let id = <[u8; 32]>::try_from(entry.public_key.as_slice()).map(|key| KeyId::of(&key));
    let former = id.is_ok_and(|id| registry.key(&id).is_some());
    let expected = "the registry key in force: another one follows by a succession (creditbank registry succeed)";
    require(former, Rule::NotTheSuccessor, "public_key", expected, hex(&entry.public_key))?;
    require(entry.revoked.is_some(), Rule::Contradiction, "revoked", "a revocation: another key is in force", "none")
}

/// The key in force stands in the registry, and every other registry key there has ended.
pub(super) fn complete(registry: &Registry, authority: &RegistryAuthority) -> Result<(), Rejection> {
    let missing = |what: &str| Rejection::new(Rule::Contradiction, what, "another registry");
    let own = registry.key(&authority.key_id()).filter(|key| is_registry_key(key) && key.revoked.is_none());
    own.ok_or_else(|| missing("a block that admits the registry key that is in force with it"))?;
    let others = registry.keys().filter(|key| is_registry_key(key) && key.public_key != authority.key);
    if others.into_iter().all(|key| key.revoked.is_some()) {
        Ok(())
    } else {
        Err(missing("a succession that revokes the registry key before it"))
    }
}

//! Log keys: the registry names who seals from which log index on.

use creditbank_protocol::key::{KeyId, LogKeyError, LogKeyHistory};
use creditbank_protocol::pb::{self, Purpose};

use super::admit::require;
use super::{Registry, RegistryRecord};
use crate::{Rejection, Rule};

/// The log keys with one that is about to stand in the registry. A log key has no end of its own: it ends where the
/// next one begins. After a theft none of this helps, as witnesses have cosigned what the thief has signed.
pub(super) fn follow(
    registry: &Registry,
    entry: &pb::Key,
    record: RegistryRecord<'_>,
) -> Result<Option<LogKeyHistory>, Rejection> {
    let is_log_key = entry.purpose == i32::from(Purpose::Log);
    if !is_log_key {
        let expected = "0: only log keys begin at a log index";
        require(entry.from_index == 0, Rule::Contradiction, "from_index", expected, entry.from_index)?;
        let expected = "nothing: only log keys are handed over to";
        require(entry.handover.is_empty(), Rule::Contradiction, "handover", expected, "a signature")?;
    }
    let Some(log_keys) = registry.log_keys.as_ref().filter(|_| is_log_key) else {
        return Ok(registry.log_keys.clone());
    };
    let endless = entry.revoked.is_none() && entry.until_minute == 0;
    let expected = "a log key without end: it ends where the next one begins (creditbank key rotate)";
    require(endless, Rule::Contradiction, "revoked", expected, "a revocation, or a last minute")?;
    let begun = entry.from_minute <= record.sealed_at_ms / 60_000;
    require(begun, Rule::Contradiction, "from_minute", "no later than the seal", entry.from_minute)?;
    let before = <[u8; 32]>::try_from(entry.public_key.as_slice()).ok().and_then(|key| registry.key(&KeyId::of(&key)));
    let known = log_keys.all().find(|(_, key)| key[..] == entry.public_key[..]);
    if let Some((from, _)) = known {
        let stands = before.map_or(&[][..], |before| &before.handover);
        let expected = "the handover that stands, which stays";
        require(entry.handover == stands, Rule::Permanent, "handover", expected, "another one")?;
        let same = entry.from_index == from.0;
        let expected = format!("{from}, where the key begins, which stays");
        require(same, Rule::Permanent, "from_index", &expected, entry.from_index)?;
        return Ok(Some(log_keys.clone()));
    }
    // Its handover would still hold: who has the registry key alone could name it once more.
    let expected = "a key that was no log key before: one that was replaced before it began does not come back";
    require(before.is_none(), Rule::Contradiction, "public_key", expected, "a replaced log key")?;
    let mut next = log_keys.clone();
    next.follow(record.entry, entry).map_err(|error| match error {
        LogKeyError::Begun { block, from } => {
            let expected = format!("a log index behind the block at {block}");
            Rejection::new(Rule::Contradiction, expected, from.to_string()).field("from_index")
        }
        LogKeyError::Handover(error) => {
            let expected = "a signature by the log key in force (creditbank key request --log-key)";
            Rejection::new(Rule::NoPossession, expected, error.to_string()).field("handover")
        }
        LogKeyError::NoLogKey | LogKeyError::NoPoint(_) | LogKeyError::Known => {
            Rejection::new(Rule::Contradiction, "a new log key of the operator", error.to_string()).field("public_key")
        }
    })?;
    Ok(Some(next))
}

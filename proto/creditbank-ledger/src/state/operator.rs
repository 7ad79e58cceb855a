//! What the operator's blocks may be: by whose key, and with what in them.

use creditbank_protocol::block::{Header, SignedBlock};
use creditbank_protocol::key::{KeyId, within_dates};
use creditbank_protocol::pb::Purpose;
use creditbank_rules::{Registry, Rejection, Rule};

use super::{LogKeys, Refusal};

/// The registry key as it is in force. The first block of a log admits the key that signs it, so there the trusted key
/// counts.
pub(super) fn check_key(
    keys: &LogKeys,
    registry: &Registry,
    header: &Header,
    sealed_at_ms: u64,
) -> Result<(), Rejection> {
    let refuse = |rule, expected: &str| Err(Rejection::new(rule, expected, header.key_id.to_string()));
    if header.height == 0 {
        let trusted = KeyId::of(&keys.registry_key);
        let expected = || format!("{trusted}, the registry key of the log's beginning");
        return if header.key_id == trusted { Ok(()) } else { refuse(Rule::UnknownKey, &expected()) };
    }
    let Some(key) = registry.key(&header.key_id) else {
        return refuse(Rule::UnknownKey, "a key of the registry");
    };
    if key.purpose != i32::from(Purpose::Registry) || header.unit.number != 0 {
        refuse(Rule::NotTheOperator, "the operator's registry key and unit 0")
    } else if key.revoked.is_some() {
        refuse(Rule::KeyRevoked, "a key that is not revoked")
    } else if !within_dates(key, sealed_at_ms / 60_000) {
        refuse(Rule::KeyNotInForce, "a key in force at the time of the seal")
    } else {
        Ok(())
    }
}

/// The operator signs registry records and effects alone.
pub(super) fn check_content(block: &SignedBlock) -> Result<(), Refusal> {
    // Public records stand at ascending positions: the first one that is not where it would be has a hidden one before
    // it.
    let shown = &block.public().records;
    let mut positions = shown.iter().map(|record| record.index);
    match (0..block.header().count).find(|position| positions.next() != Some(*position)) {
        Some(position) => {
            Err(Rejection::new(Rule::NotTheOperator, "a registry record", "a hidden record").record(position).into())
        }
        None => Ok(()),
    }
}

//! What the operator's blocks may be: by whose key, and with what in them.

use creditbank_protocol::canonical::decode;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Key, Kind, PublicRecord, Purpose};
use creditbank_rules::{Registry, Rejection, Rule};

use super::{ReadBlock, Refusal};

/// A block of the operator is signed by the registry key in force; one that says which key takes over may be signed by
/// that key alone.
pub(super) fn check_key(in_force: [u8; 32], registry: &Registry, read: &ReadBlock) -> Result<(), Rejection> {
    let header = read.block().header();
    let refuse = |rule, expected: &str| Err(Rejection::new(rule, expected, header.key_id.to_string()));
    let of_operator = header.unit.number == 0;
    if of_operator
        && [Some(in_force), read.successor()].into_iter().flatten().any(|key| KeyId::of(&key) == header.key_id)
    {
        return Ok(());
    }
    let is_registry_key = |key: &Key| key.purpose == i32::from(Purpose::Registry) && of_operator;
    match registry.key(&header.key_id) {
        None => refuse(Rule::UnknownKey, &format!("{}, the registry key in force", KeyId::of(&in_force))),
        Some(key) if !is_registry_key(key) => refuse(Rule::NotTheOperator, "the operator's registry key and unit 0"),
        Some(_) => refuse(Rule::KeyRevoked, &format!("{}, the registry key in force", KeyId::of(&in_force))),
    }
}

/// The operator signs registry records and effects alone. A block with a succession says of registry keys, approvers
/// and their policy alone, and nobody approves it.
pub(super) fn check_content(read: &ReadBlock) -> Result<(), Refusal> {
    let block = read.block();
    // Public records stand at ascending positions: the first one that is not where it would be has a hidden one before
    // it.
    let shown = &block.public().records;
    let mut positions = shown.iter().map(|record| record.index);
    if let Some(position) = (0..block.header().count).find(|position| positions.next() != Some(*position)) {
        let rejection = Rejection::new(Rule::NotTheOperator, "a registry record", "a hidden record");
        return Err(rejection.record(position).into());
    }
    let succession = i32::from(Kind::RegistrySuccession);
    if shown.iter().skip(1).any(|record| record.kind == succession) {
        return Err(Rejection::new(Rule::Contradiction, "a succession as the first record", "one behind it").into());
    }
    let other_log = i32::from(Kind::LogSuccession);
    if shown.iter().skip(1).any(|record| record.kind == other_log) {
        let expected = "a succession of the log as the first record";
        return Err(Rejection::new(Rule::Contradiction, expected, "one behind it").into());
    }
    if read.log_succession().is_some() && (shown.len() > 1 || !block.public().groups.is_empty()) {
        let expected = "nothing beside a succession of the log";
        return Err(Rejection::new(Rule::Contradiction, expected, "more").into());
    }
    let correction = i32::from(Kind::TimeCorrection);
    if read.correction().is_none() && shown.iter().any(|record| record.kind == correction) {
        let expected = "a correction of the time alone in its block";
        return Err(Rejection::new(Rule::Contradiction, expected, "one behind another record").into());
    }
    if read.successor().is_none() {
        return Ok(());
    }
    let others = shown.iter().skip(1).any(|record| !is_about_registry(record));
    if others || !block.public().groups.is_empty() || !block.approvals().is_empty() {
        let expected = "nothing beside a succession but keys and the registry's policy, and no approval";
        return Err(Rejection::new(Rule::Contradiction, expected, "more").into());
    }
    Ok(())
}

/// Whether a record says who signs or approves the operator's blocks. A unit's key does not come in beside a
/// succession, which nobody has to approve.
fn is_about_registry(record: &PublicRecord) -> bool {
    let of_registry = |key: Key| [Purpose::Registry, Purpose::Approver].map(i32::from).contains(&key.purpose);
    match Kind::try_from(record.kind) {
        Ok(Kind::RegistryPolicy) => true,
        Ok(Kind::Key) => decode::<Key>(&record.body).is_ok_and(|key| key.institution == 0 && of_registry(key)),
        _ => false,
    }
}

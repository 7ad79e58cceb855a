//! Who signs: institution, unit and key as they are in force during the round.

use creditbank_protocol::UnitId;
use creditbank_protocol::dates::show_minute;
use creditbank_protocol::key::within_dates;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Kind, Purpose, RegistryState};
use creditbank_protocol::record::{Record, info_of};

use super::uses::consent_lasts;
use super::{Approved, BlockFacts, kinds};
use crate::{Registry, Rejection, Rule};

fn refuse(rule: Rule, expected: &str, found: impl ToString) -> Rejection {
    Rejection::new(rule, expected, found.to_string())
}

fn state_name(state: i32) -> String {
    let state = RegistryState::try_from(state).unwrap_or_default();
    state.as_str_name().trim_start_matches("REGISTRY_STATE_").to_ascii_lowercase()
}

/// Checks the signer against the registry.
pub(super) fn check(registry: &Registry, block: &BlockFacts<'_>) -> Result<(), Rejection> {
    let active = i32::from(RegistryState::Active);
    let institution = registry.institution(block.unit.institution);
    let institution = institution
        .ok_or_else(|| refuse(Rule::UnknownInstitution, "an institution of the registry", block.unit.institution))?;
    if institution.state != active {
        return Err(refuse(Rule::InstitutionNotActive, "an active institution", state_name(institution.state)));
    }
    let unit = registry.unit(block.unit);
    let unit = unit.ok_or_else(|| refuse(Rule::UnknownUnit, "a unit of the institution", block.unit.number))?;
    if unit.state != active {
        return Err(refuse(Rule::UnitNotActive, "an active unit", state_name(unit.state)));
    }
    check_key(key(registry, block)?, block)
}

fn key<'a>(registry: &'a Registry, block: &BlockFacts<'_>) -> Result<&'a pb::Key, Rejection> {
    registry.key(&block.key_id).ok_or_else(|| refuse(Rule::UnknownKey, "a key of the registry", block.key_id))
}

fn check_key(key: &pb::Key, block: &BlockFacts<'_>) -> Result<(), Rejection> {
    let of_unit = UnitId::new(key.institution, key.unit) == block.unit;
    if !of_unit || key.purpose != i32::from(Purpose::Unit) {
        return Err(refuse(Rule::KeyOfAnother, "a signing key of this unit", block.key_id));
    }
    if key.revoked.is_some() {
        return Err(refuse(Rule::KeyRevoked, "a key that is not revoked", block.key_id));
    }
    let minute = block.sealed_at_ms / 60_000;
    if !within_dates(key, minute) {
        let from = show_minute(key.from_minute);
        let expected = match key.until_minute {
            0 => format!("a seal from {from} on"),
            until => format!("a seal from {from} on, before {}", show_minute(until)),
        };
        return Err(refuse(Rule::KeyNotInForce, &expected, show_minute(minute)));
    }
    Ok(())
}

/// Checks that the key may sign records of this kind.
pub(super) fn check_kind(registry: &Registry, block: &BlockFacts<'_>, record: &Record) -> Result<(), Rejection> {
    let operators = info_of(record.kind()).is_none_or(|info| info.operator);
    if operators {
        return Err(kinds::not_issued(record.kind()));
    }
    check_scope(registry, block, record.kind())
}

/// Checks that a unit's key may sign records of a kind, or change them. The operator's key has no such scope.
pub(super) fn check_scope(registry: &Registry, block: &BlockFacts<'_>, kind: Kind) -> Result<(), Rejection> {
    if !block.unit.institution.is_operator() && !key(registry, block)?.kinds.contains(&i32::from(kind)) {
        return Err(refuse(Rule::KindOutsideKey, "a kind in the key's scope", names::of(kind)));
    }
    Ok(())
}

/// Checks that a block has as many approvals as its unit requires, or, of the operator, the registry's policy; of each
/// that it has, by whom it is, and that it holds and was not used. Its signature is checked with the block's shape.
pub(super) fn check_approvals(registry: &Registry, block: &BlockFacts<'_>) -> Result<(), Rejection> {
    let required = registry.approvals_required(block.unit);
    let given = block.approvals.len();
    if given < required {
        let expected = format!("the approvals of {required} other persons, which are required here");
        return Err(refuse(Rule::ApprovalMissing, &expected, given));
    }
    block.approvals.iter().try_for_each(|approval| check_approval(registry, block, approval))
}

fn check_approval(registry: &Registry, block: &BlockFacts<'_>, approval: &Approved) -> Result<(), Rejection> {
    let found = registry.key(&approval.key).filter(|key| {
        let of_unit = UnitId::new(key.institution, key.unit) == block.unit;
        let in_force = within_dates(key, block.sealed_at_ms / 60_000);
        of_unit && in_force && key.purpose == i32::from(Purpose::Approver) && key.revoked.is_none()
    });
    let expected = "the approval of an approver of this unit, in force and not revoked";
    found.ok_or_else(|| refuse(Rule::NotAnApprover, expected, approval.key))?;
    let (until, sealed) = (approval.until_minute, block.sealed_at_ms / 60_000);
    if let Err(expected) = consent_lasts(until, block.created_at_minute, sealed) {
        return Err(refuse(Rule::ApprovalExpired, &expected, show_minute(until)));
    }
    if block.once.is_used(&approval.digest) {
        let expected = "an approval that no block has used; ask for another one";
        return Err(refuse(Rule::ApprovalUsed, expected, approval.digest));
    }
    Ok(())
}

//! Status effects: who may change what, and that amendments and their effects belong together.

use creditbank_protocol::Digest;
use creditbank_protocol::pb::{Action, Authority, Basis, Effect, Place};
use creditbank_protocol::status::Mark;

use super::fields::require;
use super::repeats::is_issuer_or_custodian;
use super::{AdmissionError, Admitted, BlockFacts, signer};
use crate::{RecordFacts, Registry, Rejection, Rule, View, ViewError};

/// Checks every effect of a block, and that each amendment among the admitted records has its own.
pub(super) fn check(view: &impl View, block: &BlockFacts<'_>, admitted: &[Admitted]) -> Result<(), AdmissionError> {
    let mut superseded: Vec<Place> = Vec::new();
    for group in block.groups {
        let authority = group.authority.clone().unwrap_or_default();
        for effect in &group.effects {
            let target = check_effect(view, block, &authority, effect)?;
            if effect.action == i32::from(Action::Supersede) {
                superseded.push(target);
            }
        }
    }
    let mut amended: Vec<Place> = admitted.iter().filter_map(|record| record.amends).collect();
    let order = |place: &Place| (place.entry, place.index);
    superseded.sort_by_key(order);
    amended.sort_by_key(order);
    let expected = format!("{} superseding effects, one for each amendment", amended.len());
    let found = format!("{}, or for other places", superseded.len());
    Ok(require(superseded == amended, Rule::EffectMismatch, "public_part", &expected, found)?)
}

fn check_effect(
    view: &impl View,
    block: &BlockFacts<'_>,
    authority: &Authority,
    effect: &Effect,
) -> Result<Place, AdmissionError> {
    let place = effect.place.unwrap_or_default();
    let shown = format!("{}/{}", place.entry, place.index);
    let action = Action::try_from(effect.action).unwrap_or_default();
    action_admitted(effect)?;
    let unknown = || Rejection::new(Rule::UnknownTarget, "the place of a record", &shown).field("public_part");
    let target = view.record_at(place)?.ok_or_else(unknown)?;
    let named = Digest::from_slice(&effect.status_id) == Some(target.status_id);
    require(named, Rule::UnknownTarget, "public_part", "the status id of the record at that place", &shown)?;
    authorised(view.registry(), block, authority, target.institution, action)?;
    signer::check_scope(view.registry(), block, target.kind)?;
    let redemption = effect.redemption_plus_1.checked_sub(1);
    if let Err(error) = target.marks.after(action, 0, redemption) {
        let expected = "marks that allow the change";
        return Err(Rejection::new(Rule::StatusForbids, expected, error.to_string()).field("public_part").into());
    }
    if action == Action::Confirm {
        let contested = is_contested(view, place, &target)?;
        let expected = "a record that a compromised key has sealed, and that nobody has confirmed since";
        require(contested, Rule::NotContested, "public_part", expected, &shown)?;
    }
    Ok(place)
}

/// The actions that blocks may carry so far.
fn action_admitted(effect: &Effect) -> Result<(), Rejection> {
    let action = Action::try_from(effect.action).unwrap_or_default();
    let admitted = matches!(action, Action::Supersede | Action::Revoke | Action::Confirm);
    require(admitted, Rule::ActionNotAdmitted, "public_part", "supersede, revoke or confirm", action.as_str_name())?;
    let reasoned = action != Action::Revoke || effect.reason != 0;
    require(reasoned, Rule::MissingField, "public_part", "a reason for the revocation", "nothing")
}

/// What anybody can check of an effect without the record that it is about, whose issuer is `issuer`.
pub(super) fn check_public(
    registry: &Registry,
    block: &BlockFacts<'_>,
    authority: &Authority,
    effect: &Effect,
    issuer: u64,
) -> Result<(), Rejection> {
    action_admitted(effect)?;
    authorised(registry, block, authority, issuer, Action::try_from(effect.action).unwrap_or_default())
}

/// By what right: the issuer's own, the custodian's, or the operator's with a case reference.
fn authorised(
    registry: &Registry,
    block: &BlockFacts<'_>,
    authority: &Authority,
    issuer: u64,
    action: Action,
) -> Result<(), Rejection> {
    let basis = Basis::try_from(authority.basis).unwrap_or_default();
    let holds = match basis {
        Basis::Issuer => issuer == block.institution,
        Basis::Custodian => {
            let named = authority.institution == issuer && issuer != block.institution;
            named && is_issuer_or_custodian(registry, block, issuer)
        }
        // The operator has no learner's words to put in the place of others.
        Basis::Operator => {
            block.institution == 0 && !authority.case_reference.is_empty() && action != Action::Supersede
        }
        Basis::Mandate | Basis::Dependency | Basis::Unspecified => false,
    };
    // Only a custodian acts for another.
    let holds = holds && (basis == Basis::Custodian || authority.institution == 0);
    let expected = "the issuer, its custodian (who names it), or the operator with a case reference";
    require(holds, Rule::NotAuthorised, "public_part", expected, basis.as_str_name())
}

/// Whether a compromised key sealed the record, and no key above suspicion has confirmed it since. What a thief confirms with
/// a second stolen key is contested again once that key is known to be stolen too.
fn is_contested(view: &impl View, place: Place, target: &RecordFacts) -> Result<bool, ViewError> {
    let suspect = |entry| {
        let sealing = view.sealing(entry)?;
        Ok(sealing.is_some_and(|by| view.registry().is_contested(&by.key_id, by.sealed_at_ms)))
    };
    let settled = match target.marks.get(Mark::Confirmed) {
        Some(confirmation) => !suspect(confirmation)?,
        None => false,
    };
    Ok(!settled && suspect(place.entry)?)
}

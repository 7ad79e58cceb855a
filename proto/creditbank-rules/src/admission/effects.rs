//! Status effects: who may change what, and that records and their effects belong together.

mod asked;
mod holders;
mod reinstated;
mod reviews;
mod rivals;

pub(super) use holders::{Redemption, amended, entries, is_amendment_of, redeemed_by, redemption, releases_of};
pub(super) use reinstated::{Follows, follows, is_contested};
pub(super) use reviews::reviews_of;

use std::collections::BTreeSet;

use creditbank_protocol::authority::{Right, right};
use creditbank_protocol::block::shows_place;
use creditbank_protocol::pb::{Action, Authority, Basis, Effect};
use creditbank_protocol::status::{Mark, Named, TransitionError, is_carried_by_blocks};
use creditbank_protocol::{Digest, InstitutionId, LogIndex, Place};

use super::fields::require;
use super::repeats::is_issuer_or_custodian;
use super::{AdmissionError, Admitted, BlockFacts, signer};
use crate::{RecordFacts, Registry, Rejection, Rule, View, ViewError};

/// An effect that is by right, and what it is about.
struct Checked<'a> {
    authority: Authority,
    effect: &'a Effect,
    action: Action,
    place: Place,
    target: RecordFacts,
}

impl Checked<'_> {
    /// The earlier effects that it names.
    fn named(&self) -> Named {
        Named::by(self.effect)
    }
}

/// The records that a block reinstates: of which it clears the mark that has ended them.
fn restored(checked: &[Checked<'_>]) -> BTreeSet<Place> {
    let ends = |one: &&Checked<'_>| one.named().redemption.is_none() && one.target.marks.have_ended();
    checked.iter().filter(|one| one.action == Action::Reinstate).filter(ends).map(|one| one.place).collect()
}

/// Checks every effect of a block, and that the block has exactly those that its records and effects ask for: for each
/// amendment one that supersedes, for each use one that redeems, releases for what is taken back, reviews for what
/// depends on it.
pub(super) fn check(
    view: &impl View,
    block: &BlockFacts<'_>,
    admitted: &[Option<Admitted>],
) -> Result<(), AdmissionError> {
    let (shown, silent): (Vec<_>, Vec<_>) = said(block).partition(|(by, effect)| shows_place(Some(by), effect));
    let mut checked = Vec::with_capacity(shown.len() + silent.len());
    for (authority, effect) in shown {
        checked.push(check_effect(view, block, &authority, effect)?);
    }
    asked::check(view, block, admitted, &checked, &silent)?;
    for (authority, effect) in silent {
        checked.push(check_effect(view, block, &authority, effect)?);
    }
    let of = |action| checked.iter().filter(move |one| one.action == action);
    let admitted = || admitted.iter().flatten();
    same_places(
        of(Action::Supersede).map(|one| (one.place, Digest::ZERO)).collect(),
        admitted().filter_map(|record| record.amends).map(|place| (place, Digest::ZERO)).collect(),
        "superseding effects, one for each amendment",
    )?;
    let digest = |one: &Checked<'_>| Digest::from_slice(&one.authority.mandate_digest).unwrap_or(Digest::ZERO);
    same_places(
        of(Action::Redeem).map(|one| (one.place, digest(one))).collect(),
        admitted().flat_map(|record| record.redeems.iter().copied()).collect(),
        "redeeming effects with the digest of its mandate, one for each record that is used",
    )?;
    if checked.is_empty() {
        return Ok(());
    }
    let stands_on: Vec<Place> = admitted().flat_map(|record| record.depends_on.iter().copied()).collect();
    reviews::untouched(&checked, &stands_on)?;
    holders::check(view, block, &checked)?;
    reviews::check(view, &checked)?;
    reinstated::check(view, block, &checked)
}

/// The effects of a block, each with its authority.
fn said<'a>(block: &BlockFacts<'a>) -> impl Iterator<Item = (Authority, &'a Effect)> {
    block.groups.iter().flat_map(|group| {
        let authority = group.authority.clone().unwrap_or_default();
        group.effects.iter().map(move |effect| (authority.clone(), effect))
    })
}

fn same_places(
    mut found: Vec<(Place, Digest)>,
    mut expected: Vec<(Place, Digest)>,
    what: &str,
) -> Result<(), Rejection> {
    found.sort_unstable();
    expected.sort_unstable();
    let odd = format_args!("{}, or for other places", found.len());
    require(found == expected, Rule::EffectMismatch, "public_part", format_args!("{} {what}", expected.len()), odd)
}

fn check_effect<'a>(
    view: &impl View,
    block: &BlockFacts<'_>,
    authority: &Authority,
    effect: &'a Effect,
) -> Result<Checked<'a>, AdmissionError> {
    let place = Place::read(effect.place);
    let shown = place.to_string();
    let action = Action::try_from(effect.action).unwrap_or_default();
    action_admitted(effect)?;
    let unknown = || Rejection::new(Rule::UnknownTarget, "the place of a record", &shown).field("public_part");
    let target = view.record_at(place)?.ok_or_else(unknown)?;
    let named = Named::by(effect);
    // What was redeemed is released by whoever redeemed it, and so is a release undone.
    let owner = match (action, named.redemption) {
        (Action::Release | Action::Reinstate, Some(entry)) => institution_at(view, entry)?,
        _ => Some(target.institution),
    };
    // Before the status id is compared: else whoever may not change the record finds out which one stands here.
    authorised(view.registry(), block, authority, owner, action)?;
    let fits = Digest::from_slice(&effect.status_id) == Some(target.status_id);
    require(fits, Rule::UnknownTarget, "public_part", "the status id of the record at that place", &shown)?;
    // A redemption is in the scope of the key by the record that uses it, a review by what it follows from.
    let follows = authority.basis == i32::from(Basis::Dependency) || named.redemption.is_some();
    if !follows && !matches!(action, Action::Redeem | Action::Release) {
        signer::check_scope(view.registry(), block, target.kind)?;
    }
    if let Err(error) = target.marks.after(action, 0, named) {
        let spent = error == TransitionError::Blocked { action: Action::Reinstate, mark: Mark::Redeemed };
        let rule = if spent { Rule::AlreadySpent } else { Rule::StatusForbids };
        let expected = "marks that allow the change";
        return Err(Rejection::new(rule, expected, error.to_string()).field("public_part").into());
    }
    if action == Action::Confirm {
        let contested = is_contested(view, place, &target.marks)?;
        let expected =
            "a record that a compromised key has signed, approved or reinstated, and that nobody has confirmed since";
        require(contested, Rule::NotContested, "public_part", expected, &shown)?;
    }
    if action == Action::Reinstate {
        reinstated::names_contested(view, place, &target, named)?;
    }
    Ok(Checked { authority: authority.clone(), effect, action, place, target })
}

/// Whose block stands at a log index.
fn institution_at(view: &impl View, entry: LogIndex) -> Result<Option<InstitutionId>, ViewError> {
    let key = view.sealing(entry)?.map(|sealing| sealing.key_id);
    Ok(key.and_then(|id| view.registry().key(&id)).map(|key| key.institution.into()))
}

/// The actions that blocks may carry so far.
fn action_admitted(effect: &Effect) -> Result<(), Rejection> {
    let action = Action::try_from(effect.action).unwrap_or_default();
    let admitted = is_carried_by_blocks(action);
    let expected = "supersede, revoke, confirm, redeem, release, review, close review or reinstate";
    require(admitted, Rule::ActionNotAdmitted, "public_part", expected, action.as_str_name())?;
    let named = Named::by(effect);
    let fits = match action {
        Action::Reinstate => named.contested.is_some(),
        Action::Release => named.contested.is_none(),
        _ => named == Named::default(),
    };
    let expected = "with a release the redemption, with a reinstatement the contested effect, else no earlier effect";
    require(fits, Rule::EffectMismatch, "public_part", expected, "an effect that names others")?;
    let expected = "a reason with a revocation alone: the log says no more than that needs";
    let silent = action == Action::Revoke || effect.reason == 0;
    require(silent, Rule::EffectMismatch, "public_part", expected, "another effect with one")?;
    let reasoned = action != Action::Revoke || effect.reason != 0;
    require(reasoned, Rule::MissingField, "public_part", "a reason for the revocation", "nothing")
}

/// What anybody can check of an effect without the record that it is about. `owner` is the record's institution; of a
/// release, the institution that redeemed, if anybody did.
pub(super) fn check_public(
    registry: &Registry,
    block: &BlockFacts<'_>,
    authority: &Authority,
    effect: &Effect,
    owner: Option<InstitutionId>,
) -> Result<(), Rejection> {
    action_admitted(effect)?;
    authorised(registry, block, authority, owner, Action::try_from(effect.action).unwrap_or_default())
}

/// By what right: the issuer's own, the custodian's, or the operator's with a case reference; by the learner's mandate
/// what a record of the block uses; by dependency what rests on what the block takes back.
fn authorised(
    registry: &Registry,
    block: &BlockFacts<'_>,
    authority: &Authority,
    owner: Option<InstitutionId>,
    action: Action,
) -> Result<(), Rejection> {
    let holds = match right(authority, action, block.unit.institution, owner) {
        Right::Holds => true,
        Right::IfCustodianOf(owner) => is_issuer_or_custodian(registry, block, owner),
        Right::Refused => false,
    };
    let basis = Basis::try_from(authority.basis).unwrap_or_default();
    let expected = match action {
        Action::Redeem => "the learner's mandate, by its digest",
        Action::Review => "dependency on what this block takes back",
        Action::CloseReview => "as for others, or dependency on what this block reinstates",
        _ => "the issuer, its custodian (who names it), or the operator with a case reference",
    };
    require(holds, Rule::NotAuthorised, "public_part", expected, basis.as_str_name())
}

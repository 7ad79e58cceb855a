//! Effects that show no place are compared with what a block asks for before anybody looks at their records.
//!
//! Otherwise whoever has a key could try places until the answer changes, and find out where the record of a status id
//! stands. So every place that the block does not ask for is refused in the same words, whatever stands there.

use std::collections::BTreeSet;

use creditbank_protocol::pb::{Action, Authority, Effect};
use creditbank_protocol::status::Named;
use creditbank_protocol::{Digest, Place};

use super::holders::{is_amendment_of, left_behind, releases_of};
use super::{Checked, action_admitted, authorised, follows, institution_at, restored, reviews_of};
use crate::admission::fields::require;
use crate::admission::{AdmissionError, Admitted, BlockFacts};
use crate::{Rule, View};

/// Checks that the places of effects that show none are those of records for which the block has a cause: what its
/// records use, what depends on what it takes back, what follows from what it reinstates, and what the redemption has
/// redeemed that a release names.
pub(super) fn check(
    view: &impl View,
    block: &BlockFacts<'_>,
    admitted: &[Option<Admitted>],
    shown: &[Checked<'_>],
    silent: &[(Authority, &Effect)],
) -> Result<(), AdmissionError> {
    if silent.is_empty() {
        return Ok(());
    }
    let is = |wanted: &[Action]| silent.iter().any(|(_, effect)| wanted.contains(&action_of(effect)));
    let places = |wanted: &[Action]| -> BTreeSet<Place> {
        shown.iter().filter(|one| wanted.contains(&one.action)).map(|one| one.place).collect()
    };
    let used: BTreeSet<(Place, Digest)> =
        admitted.iter().flatten().flat_map(|record| record.redeems.iter().copied()).collect();
    let restored = restored(shown);
    let reviewed: BTreeSet<Place> = if is(&[Action::Review]) {
        reviews_of(view, &places(&[Action::Supersede, Action::Revoke]), &restored)?.into_iter().collect()
    } else {
        BTreeSet::new()
    };
    let follows = if is(&[Action::CloseReview, Action::Reinstate]) {
        follows(view, &restored, &places(&[Action::Revoke]))?
    } else {
        super::Follows::default()
    };
    let released: BTreeSet<Place> = silent
        .iter()
        .filter(|(_, one)| action_of(one) == Action::Release)
        .map(|(_, one)| Place::read(one.place))
        .collect();
    let mut let_go = BTreeSet::new();
    for place in places(&[Action::Revoke]) {
        if !released.is_empty() && !is_amendment_of(view, place, &restored)? {
            let_go.extend(releases_of(view, place)?.into_iter().map(|(place, _)| place));
        }
    }
    let others = silent.iter().filter(|(_, one)| action_of(one) == Action::Release);
    let others = others.map(|(_, one)| (Place::read(one.place), Named::by(one).redemption));
    let others = others.filter(|(place, _)| !let_go.contains(place));
    let left = left_behind(view, others.filter_map(|(place, by)| Some((place, by?))), &released)?;
    for (authority, effect) in silent {
        action_admitted(effect)?;
        let (action, place) = (action_of(effect), Place::read(effect.place));
        // None of these depends on whose record it is; a release depends on who redeemed it.
        let redemption = Named::by(effect).redemption;
        let owner = redemption.map(|entry| institution_at(view, entry)).transpose()?.flatten();
        authorised(view.registry(), block, authority, owner, action)?;
        let is_asked = match action {
            Action::Redeem => {
                let digest = Digest::from_slice(&authority.mandate_digest).unwrap_or(Digest::ZERO);
                used.contains(&(place, digest))
            }
            Action::Review => reviewed.contains(&place),
            Action::CloseReview => follows.closes.contains(&place),
            Action::Reinstate => follows.restores.contains_key(&place),
            _ => let_go.contains(&place) || redemption.is_some_and(|by| left.contains(&(place, by))),
        };
        let expected = "places of what the block's records use, and its other effects ask for, and no others";
        require(is_asked, Rule::EffectMismatch, "public_part", expected, "another place")?;
    }
    Ok(())
}

fn action_of(effect: &Effect) -> Action {
    Action::try_from(effect.action).unwrap_or_default()
}

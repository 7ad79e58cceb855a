//! What stands on a record that is amended or revoked is put under review, in the same block.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use creditbank_protocol::pb::Action;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{Digest, Place};

use super::holders::{REDEMPTION_MAX, amended};
use super::{Checked, restored};
use crate::admission::AdmissionError;
use crate::admission::fields::require;
use crate::{Rejection, Rule, View, ViewError};

/// Most reviews that follow from one record.
const REVIEWS_MAX: usize = 1_000;
/// Most records that one refusal names.
const NAMED_MAX: usize = 100;

/// The reviews of a block are those of the standing dependants of what it supersedes and revokes: no other, and none
/// missing. A refusal names the missing ones with their status ids, so that they can be added.
pub(super) fn check(view: &impl View, checked: &[Checked<'_>]) -> Result<(), AdmissionError> {
    let taken_back = |one: &&Checked<'_>| matches!(one.action, Action::Supersede | Action::Revoke);
    let changed: BTreeSet<_> = checked.iter().filter(taken_back).map(|one| one.place).collect();
    let mut found: BTreeSet<_> =
        checked.iter().filter(|one| one.action == Action::Review).map(|one| one.place).collect();
    let mut missing = Vec::new();
    for place in reviews_of(view, &changed, &restored(checked))? {
        if !found.remove(&place) {
            let id = view.record_at(place)?.map_or(Digest::ZERO, |facts| facts.status_id);
            missing.push(format!("{place} {id}"));
        }
    }
    let count = missing.len();
    missing.truncate(NAMED_MAX);
    let expected = "a review of each standing record that depends on what is amended or revoked";
    let shown = format!("none of {count}: {}", missing.join(", "));
    if count > 0 {
        return Err(Rejection::new(Rule::DependantsNotReviewed, expected, shown).field("public_part").into());
    }
    let odd = found.len();
    Ok(require(found.is_empty(), Rule::EffectMismatch, "public_part", "no other reviews", odd)?)
}

/// No record of a block stands on what the block supersedes or revokes: it has no place yet at which it could be put
/// under review.
pub(super) fn untouched(checked: &[Checked<'_>], stands_on: &[Place]) -> Result<(), Rejection> {
    let taken_back = |one: &&Checked<'_>| matches!(one.action, Action::Supersede | Action::Revoke);
    let gone: BTreeSet<_> = checked.iter().filter(taken_back).map(|one| one.place).collect();
    let odd = stands_on.iter().find(|place| gone.contains(place));
    let expected = "no record that stands on what its own block takes back";
    let found = odd.map_or(String::new(), |place| format!("one that stands on {place}"));
    require(odd.is_none(), Rule::EffectMismatch, "public_part", expected, found)
}

/// The standing dependants of records that a block supersedes or revokes, and of what these amend (so far back as
/// anybody looks for their redemption), but for those among them; by place. Of one record at most [`REVIEWS_MAX`], of
/// the highest kinds first: a block has to hold them. What depends on a record that the block has `restored` depends on
/// what stands.
pub(crate) fn reviews_of(
    view: &impl View,
    changed: &BTreeSet<Place>,
    restored: &BTreeSet<Place>,
) -> Result<Vec<Place>, ViewError> {
    let mut found = BTreeSet::new();
    for place in changed {
        let mut of_one = BTreeSet::new();
        for place in dependants_of(view, *place, restored)? {
            if changed.contains(&place) || restored.contains(&place) {
                continue;
            }
            // A dependant whose learner's key was destroyed cannot be read, and nothing can be said of it.
            let Some(facts) = view.record_at(place)? else { continue };
            let against = [Mark::Superseded, Mark::Revoked, Mark::UnderReview];
            if against.into_iter().all(|mark| facts.marks.get(mark).is_none()) {
                of_one.insert((Reverse(i32::from(facts.kind)), place));
            }
        }
        found.extend(of_one.into_iter().take(REVIEWS_MAX).map(|(_, place)| place));
    }
    Ok(found.into_iter().collect())
}

/// The records that depend on one, or on one that it amends, directly or not; back to the first that is `restored`.
pub(super) fn dependants_of(
    view: &impl View,
    place: Place,
    restored: &BTreeSet<Place>,
) -> Result<BTreeSet<Place>, ViewError> {
    let mut found = BTreeSet::new();
    let mut next = Some(place);
    for _ in 0..=REDEMPTION_MAX {
        let Some(place) = next else { break };
        found.extend(view.dependants(place)?);
        let former = view.content_at(place)?.and_then(|(_, record)| amended(&record));
        next = former.filter(|former| !restored.contains(former));
    }
    Ok(found)
}

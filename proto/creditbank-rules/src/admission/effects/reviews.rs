//! What stands on a record that is amended or revoked is put under review, in the same block.

use std::collections::BTreeSet;

use creditbank_protocol::pb::Action;
use creditbank_protocol::status::Mark;

use super::Checked;
use crate::admission::AdmissionError;
use crate::admission::fields::require;
use crate::admission::used::show;
use crate::{Rejection, Rule, View};

/// Most records that one refusal names.
const NAMED_MAX: usize = 100;

/// The reviews of a block are those of the standing dependants of what it supersedes and revokes: no other, and none missing.
/// A refusal names the missing ones with their status ids, so that they can be added.
pub(super) fn check(view: &impl View, checked: &[Checked<'_>]) -> Result<(), AdmissionError> {
    let taken_back = |one: &&Checked<'_>| matches!(one.action, Action::Supersede | Action::Revoke);
    let changed: BTreeSet<_> =
        checked.iter().filter(taken_back).map(|one| (one.place.entry, one.place.index)).collect();
    let mut found: BTreeSet<_> = checked
        .iter()
        .filter(|one| one.action == Action::Review)
        .map(|one| (one.place.entry, one.place.index))
        .collect();
    let mut missing = Vec::new();
    let mut seen = BTreeSet::new();
    for one in checked.iter().filter(taken_back) {
        for place in view.dependants(one.place)? {
            let key = (place.entry, place.index);
            if changed.contains(&key) || !seen.insert(key) {
                continue;
            }
            // A dependant whose learner's key was destroyed cannot be read, and nothing can be said of it.
            let Some(facts) = view.record_at(place)? else { continue };
            let against = [Mark::Superseded, Mark::Revoked, Mark::UnderReview];
            let stands = against.into_iter().all(|mark| facts.marks.get(mark).is_none());
            if stands && !found.remove(&key) {
                missing.push(format!("{} {}", show(place), facts.status_id));
            }
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

//! Credits beyond what their course may count (RULES.md, section 15, "Surplus"). None is issued, but an alias may make one course
//! of two that a learner has passed.

use std::cmp::Reverse;

use creditbank_protocol::dates::Day;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::is_embargoed;

use super::spend::is_redeemed;
use super::used::{Used, stands};
use crate::{View, ViewError};

/// Whether a record is a Credit whose course counts already, on a day, by others of the learner's Credits: by those that
/// something has redeemed, then by those that stand, then by the earliest.
pub fn is_surplus(view: &impl View, used: &Used, day: Day) -> Result<bool, ViewError> {
    if used.record.kind() != Kind::Credit || used.facts.marks.have_ended() {
        return Ok(false);
    }
    let read = used.record.read::<pb::Credit>().ok();
    let Some(course) = read.and_then(|credit| credit.course) else { return Ok(false) };
    let held = view.registry().course(used.facts.institution, &course.code).held(view, &used.facts.account)?;
    let mut passes: Vec<_> =
        held.into_iter().filter(|one| one.kind == Kind::Credit && !one.marks.have_ended()).collect();
    let most = |repeats: Option<u32>| usize::try_from(repeats.unwrap_or(0)).unwrap_or(usize::MAX).saturating_add(1);
    // What is left out below makes them fewer, and lets them count no less often.
    if passes.len() <= most(passes.iter().filter_map(|one| one.repeats_max).min()) {
        return Ok(false);
    }
    let mut ranked = Vec::with_capacity(passes.len());
    passes.sort_by_key(|one| one.place);
    for pass in passes {
        let Some((facts, record)) = view.content_at(pass.place)? else { continue };
        let one = Used { place: pass.place, facts, record };
        // What may not be shown yet takes nothing from what may: else it would be seen by that.
        if !is_embargoed(one.visible_from().as_ref(), day) {
            let first = (is_redeemed(view, &one)?, stands(view, &one)?);
            ranked.push((Reverse(first), pass.place, pass.repeats_max));
        }
    }
    ranked.sort_unstable();
    let most = most(ranked.iter().filter_map(|(.., repeats)| *repeats).min());
    let position = ranked.iter().position(|(_, place, _)| *place == used.place);
    Ok(position.is_some_and(|position| position >= most))
}

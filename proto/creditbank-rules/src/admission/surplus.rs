//! Credits beyond what their course may count (RULES.md, section 15, "Surplus"). None is issued, but an alias may make one course
//! of two that a learner has passed.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::dates::Day;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::is_embargoed;
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::spend::is_redeemed;
use super::used::{Used, stands};
use crate::{CourseKey, CourseName, View, ViewError};

/// Which of a learner's Credits are surplus, as of a day. Each course is looked at once, however many records are asked
/// about.
pub(crate) struct Surplus {
    account: AccountId,
    day: Day,
    courses: BTreeMap<(InstitutionId, CourseKey), BTreeSet<Place>>,
}

impl Surplus {
    pub(crate) fn new(account: &AccountId, day: Day) -> Self {
        Self { account: *account, day, courses: BTreeMap::new() }
    }

    /// Whether a record is a Credit whose course counts already by others of the learner's Credits: by those that
    /// something has redeemed, then by those that stand, then by the earliest.
    pub(crate) fn has(&mut self, view: &impl View, used: &Used) -> Result<bool, ViewError> {
        if used.record.kind() != Kind::Credit || used.facts.marks.have_ended() || used.facts.account != self.account {
            return Ok(false);
        }
        let read = used.record.read::<pb::Credit>().ok();
        let Some(course) = read.and_then(|credit| credit.course) else { return Ok(false) };
        let institution = used.facts.institution;
        let course = view.registry().course(institution, &course.code);
        let of_course = match self.courses.entry((institution, course.counted())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(of_course(view, &course, &self.account, self.day)?),
        };
        Ok(of_course.contains(&used.place))
    }
}

/// The Credits of one course that are surplus.
fn of_course(
    view: &impl View,
    course: &CourseName,
    account: &AccountId,
    day: Day,
) -> Result<BTreeSet<Place>, ViewError> {
    let held = course.held(view, account)?;
    let mut passes: Vec<_> =
        held.into_iter().filter(|one| one.kind == Kind::Credit && !one.marks.have_ended()).collect();
    let most = |repeats: Option<u32>| usize::try_from(repeats.unwrap_or(0)).unwrap_or(usize::MAX).saturating_add(1);
    // What is left out below makes them fewer, and lets them count no less often.
    if passes.len() <= most(passes.iter().filter_map(|one| one.repeats_max).min()) {
        return Ok(BTreeSet::new());
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
    Ok(ranked.into_iter().skip(most).map(|(_, place, _)| place).collect())
}

//! How often a course counts in one award, over all ways to it: its Credits, results of Conversions that stand for it,
//! exemptions. Once, and as often again as its Credits say.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use creditbank_protocol::pb::{QualificationDefinition, RetakePolicy};
use creditbank_protocol::{InstitutionId, Place};

use super::{Candidate, Case};
use crate::CourseName;

/// What tells courses apart: whose they are, and which.
type Course<'a> = (InstitutionId, &'a str);

fn course_of(candidate: &Candidate) -> Option<Course<'_>> {
    candidate.counted_course().map(|course| (course.institution(), course.id()))
}

/// The candidates among `positions` that are credit for a course, by course.
pub(crate) fn by_course<'a>(candidates: &'a [Candidate], positions: &[usize]) -> BTreeMap<Course<'a>, Vec<usize>> {
    let mut courses: BTreeMap<Course<'a>, Vec<usize>> = BTreeMap::new();
    for position in positions {
        if let Some(course) = course_of(&candidates[*position]) {
            courses.entry(course).or_default().push(*position);
        }
    }
    courses
}

/// How often a course counts by these candidates of it: once, and as often again as the least that they say.
pub(crate) fn allowed(candidates: &[Candidate], passes: &[usize]) -> usize {
    let least = passes.iter().filter_map(|position| candidates[*position].repeats_max).min().unwrap_or(0);
    usize::try_from(least).unwrap_or(usize::MAX).saturating_add(1)
}

/// The first course that counts more often than it may by what is chosen: all candidates of it. A policy for retakes has
/// chosen already.
pub(crate) fn too_often(
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    chosen: &[usize],
) -> Option<Vec<usize>> {
    if definition.retakes != i32::from(RetakePolicy::Unspecified) {
        return None;
    }
    by_course(candidates, chosen).into_values().find(|passes| passes.len() > allowed(candidates, passes))
}

/// Notes of each result what the Credits say among its roots that are of its course. `said` gives course and repeats of the
/// Credit at a place. It is asked only where a course is there more than once: else nothing depends on it.
pub fn mark_repeats<E>(
    candidates: &mut [Candidate],
    mut said: impl FnMut(Place) -> Result<Option<(CourseName, u32)>, E>,
) -> Result<(), E> {
    let all: Vec<usize> = (0..candidates.len()).collect();
    let several = by_course(candidates, &all).into_values().filter(|passes| passes.len() > 1);
    let several: Vec<usize> = several.flatten().collect();
    let mut known: BTreeMap<Place, Option<(CourseName, u32)>> = BTreeMap::new();
    for position in several {
        let one = &candidates[position];
        let mut least = one.repeats_max;
        for root in one.roots.iter().filter(|root| root.place != one.place()) {
            let found = match known.entry(root.place) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => free.insert(said(root.place)?),
            };
            let found = found.as_ref();
            let of_course = found.filter(|(course, _)| one.course.as_ref().is_some_and(|own| own.is_same(course)));
            least = least.into_iter().chain(of_course.map(|(_, repeats)| *repeats)).min();
        }
        candidates[position].repeats_max = least;
    }
    Ok(())
}

impl Case<'_> {
    /// The courses of which some of these candidates might count too often together: the candidates of each.
    pub fn limited_courses(&self, positions: &[usize]) -> Vec<Vec<usize>> {
        if self.definition.retakes != i32::from(RetakePolicy::Unspecified) {
            return Vec::new();
        }
        let is_limited = |passes: &Vec<usize>| {
            let silent = passes.iter().filter(|position| self.candidates[**position].repeats_max.is_none()).count();
            silent > 1 || passes.len() > allowed(self.candidates, passes)
        };
        by_course(self.candidates, positions).into_values().filter(is_limited).collect()
    }
}

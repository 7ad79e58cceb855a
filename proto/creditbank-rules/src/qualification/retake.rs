//! Which of several passes of one course counts.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use creditbank_protocol::pb::{QualificationDefinition, RetakePolicy};
use creditbank_protocol::{InstitutionId, Portion};

use super::Candidate;
use super::grades::{GradeOrder, Point, order_of, point_of};
use crate::Registry;
use crate::dates::Day;

/// What the retake policy makes of each candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass {
    /// Its number for means.
    pub(crate) point: Option<Point>,
    /// The candidate that counts in its place.
    pub(crate) instead: Option<usize>,
}

/// Order in time: end of the period, attempt (none of either is earliest), place, result.
fn age(candidate: &Candidate) -> (Option<Day>, Option<u32>, Portion) {
    (candidate.period.map(|(_, end)| end), candidate.attempt, candidate.portion())
}

/// The passes among `usable`: candidates of one institution and one course. Under no policy each counts for itself.
pub(crate) fn passes(
    registry: &Registry,
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    usable: &[usize],
) -> Vec<Pass> {
    let own = |candidate: &Candidate| {
        let point = candidate.grade.as_ref().and_then(|grade| point_of(registry, definition, grade));
        point.map(|sum_e4| Point { sum_e4, of: 1 })
    };
    let mut found: Vec<Pass> = candidates.iter().map(|one| Pass { point: own(one), instead: None }).collect();
    let policy = RetakePolicy::try_from(definition.retakes).unwrap_or_default();
    if policy == RetakePolicy::Unspecified {
        return found;
    }
    let order = registry.scale(&definition.average_scale).map(|scale| order_of(scale, &definition.grade_points));
    let better = |left: usize, right: usize| -> Ordering {
        let point = |position: usize| own(&candidates[position]).map(|point| point.sum_e4);
        match (point(left), point(right)) {
            (Some(left), Some(right)) if order == Some(GradeOrder::LowerIsBetter) => right.cmp(&left),
            (left, right) => left.cmp(&right),
        }
    };
    let mut courses: BTreeMap<(InstitutionId, InstitutionId, &str), Vec<usize>> = BTreeMap::new();
    for position in usable {
        let candidate = &candidates[*position];
        // Outcomes are held any number of times, and credit without a course is nobody's retake.
        if let (Some(course), Some(_)) = (&candidate.course, &candidate.amount) {
            let of = (candidate.institution, course.institution(), course.id());
            courses.entry(of).or_default().push(*position);
        }
    }
    for group in courses.values() {
        let by_age = |left: &&usize, right: &&usize| age(&candidates[**left]).cmp(&age(&candidates[**right]));
        let chosen = match policy {
            RetakePolicy::First => group.iter().min_by(by_age),
            RetakePolicy::Best => {
                group.iter().max_by(|left, right| better(**left, **right).then_with(|| by_age(left, right)))
            }
            RetakePolicy::Last | RetakePolicy::Average | RetakePolicy::Unspecified => group.iter().max_by(by_age),
        };
        let Some(chosen) = chosen.copied() else { continue };
        for other in group.iter().filter(|other| **other != chosen) {
            found[*other].instead = Some(chosen);
        }
        if policy == RetakePolicy::Average {
            let points = group.iter().filter_map(|position| own(&candidates[*position]));
            let (sum_e4, of) = points.fold((0, 0), |(sum, of), point| (sum + point.sum_e4, of + 1));
            found[chosen].point = (of > 0).then_some(Point { sum_e4, of });
        }
    }
    found
}

//! Which of several passes of one course count: as many as the course may count. A retake replaces, a repeat adds.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use creditbank_protocol::pb::{QualificationDefinition, RetakePolicy};
use creditbank_protocol::{Place, Portion};

use super::Candidate;
use super::grades::{GradeOrder, Point, order_of, point_of};
use super::repeats::{allowed, by_course};
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

/// The passes among `usable`: candidates of one course, whoever holds them. Under no policy each counts for itself.
/// Outcomes are held any number of times, and credit without a course is nobody's retake.
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
    for group in by_course(candidates, usable).into_values() {
        let by_age = |left: &usize, right: &usize| age(&candidates[*left]).cmp(&age(&candidates[*right]));
        let mut ranked = group.clone();
        // What counts first stands first.
        match policy {
            RetakePolicy::First => ranked.sort_by(by_age),
            RetakePolicy::Best => {
                ranked.sort_by(|left, right| better(*right, *left).then_with(|| by_age(right, left)));
            }
            RetakePolicy::Last | RetakePolicy::Average | RetakePolicy::Unspecified => {
                ranked.sort_by(|left, right| by_age(right, left));
            }
        }
        let mut passes = forms(candidates, &ranked);
        let mean = (policy == RetakePolicy::Average).then(|| {
            let points = passes.iter().filter_map(|pass| pass.iter().find_map(|form| own(&candidates[*form])));
            let (sum_e4, of) = points.fold((0, 0), |(sum, of), point| (sum + point.sum_e4, of + 1));
            (of > 0).then_some(Point { sum_e4, of })
        });
        let replaced = passes.split_off(passes.len().min(allowed(candidates, &group)));
        for other in replaced.into_iter().flatten() {
            found[other].instead = ranked.first().copied();
        }
        if let Some(mean) = mean {
            passes.into_iter().flatten().for_each(|form| found[form].point = mean);
        }
    }
    found
}

/// The passes of one course, each with the candidates that stand for it, in their order: those that have a root in common, by
/// whatever chain of them, are one pass. So is a Credit with what it was converted into.
fn forms(candidates: &[Candidate], ranked: &[usize]) -> Vec<Vec<usize>> {
    let mut leaders: Vec<usize> = (0..ranked.len()).collect();
    let leader = |leaders: &[usize], mut at: usize| {
        while leaders[at] != at {
            at = leaders[at];
        }
        at
    };
    let mut by_root: BTreeMap<Place, usize> = BTreeMap::new();
    for (at, position) in ranked.iter().enumerate() {
        for root in &candidates[*position].roots {
            let other = *by_root.entry(root.place).or_insert(at);
            let (one, other) = (leader(&leaders, at), leader(&leaders, other));
            let first = one.min(other);
            (leaders[one], leaders[other]) = (first, first);
            leaders[at] = first;
        }
    }
    let mut passes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, position) in ranked.iter().enumerate() {
        passes.entry(leader(&leaders, at)).or_default().push(*position);
    }
    passes.into_values().collect()
}

//! How far a learner has come.

use creditbank_protocol::{Place, Portion};

use super::explain::{expects, finds};
use super::measure::asked;
use super::measure::{Case, Finding};
use super::repeats::too_often;
use super::roots::root_uses;
use super::tree::{Tree, takes};
use super::{Obstacle, matches};

/// How far a learner has come under one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whether this makes the award: everything holds, and the allocation is allowed.
    pub met: bool,
    /// One for each requirement, in order.
    pub requirements: Vec<RequirementProgress>,
    /// What is at hand and fills nothing, in the order of the candidates.
    pub unused: Vec<Unused>,
}

/// How far one requirement gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequirementProgress {
    /// Its number, from 1.
    pub number: u32,
    /// Its level, from 1.
    pub depth: usize,
    /// What it asks, in words.
    pub asks: String,
    /// What was found, and what is missing by how much.
    pub found: String,
    /// The same, measured.
    pub finding: Finding,
}

/// A candidate that fills nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its position.
    pub candidate: usize,
    /// Why.
    pub reason: UnusedReason,
    /// Numbers of the requirements that it would fit, if nothing but this kept it out; of what is to be converted,
    /// those that it would fit then.
    pub would_fit: Vec<u32>,
}

/// Why a candidate fills nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnusedReason {
    /// It does not count at all.
    Obstacle(Obstacle),
    /// It would fit once it was converted.
    NotConverted,
    /// This other pass of its course counts.
    OtherPass(Portion),
    /// It matches no requirement.
    NoMatch,
    /// One of its roots, which stands there, counts already.
    RootCounts(Place),
    /// It is older than so many months, which is as old as may be where it would fit.
    TooOld(u32),
    /// With it more credit would count in awards of this other definition too than both allow.
    Overlap(String),
    /// Everything is met without it.
    NotNeeded,
    /// The requirement of this number lets no more of its kind in.
    Capped(u32),
    /// What it would fit is filled.
    NothingOpen,
}

/// How far the learner comes with what each requirement takes: positions of candidates per requirement, of candidates
/// that count and match.
pub fn progress(case: &Case<'_>, taken: &[Vec<usize>]) -> Progress {
    let findings = case.measure(taken);
    let met = case.judge(taken).is_ok();
    let mut used: Vec<usize> = taken.iter().flatten().copied().collect();
    used.sort_unstable();
    let unused = (0..case.candidates.len()).filter(|candidate| used.binary_search(candidate).is_err());
    let unused = unused.map(|candidate| unused_because(case, &used, candidate, met)).collect();
    let each = findings.into_iter().enumerate().map(|(position, finding)| RequirementProgress {
        number: Tree::number(position),
        depth: case.tree.depth(position),
        asks: expects(case, position),
        found: finds(case, position, &finding),
        finding,
    });
    Progress { met, requirements: each.collect(), unused }
}

fn unused_because(case: &Case<'_>, used: &[usize], candidate: usize, met: bool) -> Unused {
    let nodes = 0..case.tree.size();
    let fits = nodes.filter(|position| takes(case.tree.kind(*position)) && case.misfit(*position, candidate).is_none());
    let fits: Vec<usize> = fits.collect();
    let would_fit = fits.iter().map(|position| Tree::number(*position)).collect();
    let reason = match case.obstacle(candidate) {
        Some(Obstacle::Hypothetical) if !fits.is_empty() => UnusedReason::NotConverted,
        Some(Obstacle::Retake(other)) => UnusedReason::OtherPass(case.candidates[*other].portion()),
        Some(obstacle) => UnusedReason::Obstacle(obstacle.clone()),
        None if fits.is_empty() => UnusedReason::NoMatch,
        None => {
            let mut with = used.to_vec();
            with.push(candidate);
            let twice = root_uses(case.candidates, &with).into_iter().find(super::RootUse::is_twice);
            let passes = too_often(case.definition, case.candidates, &with).unwrap_or_default();
            let pass = passes.into_iter().find(|other| *other != candidate);
            let old = fits.iter().find_map(|position| too_old(case, *position, candidate));
            let all = with.iter().copied().collect();
            let over = case.terms().budgets.iter().find(|budget| !budget.holds(&all));
            match (twice, pass, old) {
                (Some(root), ..) => UnusedReason::RootCounts(root.place),
                (None, Some(pass), _) => UnusedReason::OtherPass(case.candidates[pass].portion()),
                (None, None, Some(months)) => UnusedReason::TooOld(months),
                (None, None, None) if met => UnusedReason::NotNeeded,
                (None, None, None) => match over {
                    Some(over) => UnusedReason::Overlap(format!("{}/{}", over.other.0, over.other.1)),
                    None => over_a_cap(case, &fits, candidate),
                },
            }
        }
    };
    Unused { candidate, reason, would_fit }
}

/// The bound of an AGE requirement beside a requirement or above it that keeps a candidate out.
fn too_old(case: &Case<'_>, requirement: usize, candidate: usize) -> Option<u32> {
    let bounds = aggregates(case, requirement, creditbank_protocol::pb::RequirementType::Age);
    bounds.map(|position| case.tree.node(position).months).find(|months| !case.is_young(*months, candidate))
}

fn over_a_cap(case: &Case<'_>, fits: &[usize], candidate: usize) -> UnusedReason {
    let kind = creditbank_protocol::pb::RequirementType::AtMost;
    let capped = fits
        .iter()
        .flat_map(|position| aggregates(case, *position, kind))
        .find(|position| matches(asked(case.tree.node(*position)), &case.candidates[candidate]));
    match capped {
        Some(position) => UnusedReason::Capped(Tree::number(position)),
        None => UnusedReason::NothingOpen,
    }
}

/// The aggregates of a type over a requirement: children of the nodes above it.
fn aggregates<'b>(
    case: &'b Case<'_>,
    requirement: usize,
    kind: creditbank_protocol::pb::RequirementType,
) -> impl Iterator<Item = usize> + 'b {
    let above = std::iter::successors(case.tree.parent(requirement), |position| case.tree.parent(*position));
    above
        .flat_map(|position| case.tree.children(position).iter().copied())
        .filter(move |child| case.tree.kind(*child) == kind)
}

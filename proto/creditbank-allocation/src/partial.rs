//! Where there is no allocation: one that gets far, so that a learner sees what is missing.

use creditbank_protocol::pb::{Match, RequirementType};
use creditbank_rules::qualification::{Case, Finding, Measure, among_needed, matches};

use crate::assignment::{Assignment, TRIM_MAX, latest_first};
use crate::linear::Var;
use crate::problem::Problem;
use crate::solver::{Solved, maximise};

/// How often the solver may ask whether to stop: a bound that is the same on every machine.
const POLLS_MAX: u32 = 500;
/// Largest number that an amount becomes in the objective; a larger one is divided, rounded down.
const AMOUNT_MAX: i128 = 1_000_000;
/// What a course, an outcome, an award or an attestation weighs: one credit.
const ONE_E4: i128 = 10_000;

/// The allocation that fills most: the credit that CREDITS and `AT_LEAST` ask for, and one credit's worth for every course,
/// outcome, award and attestation. Of an ANY it follows as many children as are asked for. Caps and ages hold; what else is
/// asked of the whole does not need to.
pub(crate) fn best(problem: &mut Problem<'_>, stop: &mut dyn FnMut() -> bool) -> Assignment {
    let empty = vec![Vec::new(); problem.case.tree.size()];
    let Some(objective) = pursue(problem, stop) else {
        return empty;
    };
    let mut polls = 0;
    let mut patience = || {
        polls += 1;
        polls > POLLS_MAX || stop()
    };
    match maximise(&problem.model, objective, &mut patience) {
        Solved::Values(values) => trimmed(problem.case, problem.assign(&values), stop),
        Solved::Never | Solved::Unknown => empty,
    }
}

/// Without what brings no requirement further, tried from the latest place to the earliest.
fn trimmed(case: &Case<'_>, mut taken: Assignment, stop: &mut dyn FnMut() -> bool) -> Assignment {
    let gaps = |taken: &Assignment| -> Vec<u64> { case.measure(taken).iter().map(gap).collect() };
    let count: usize = taken.iter().map(Vec::len).sum();
    if count.saturating_mul(case.tree.size()) > TRIM_MAX {
        return taken;
    }
    let mut open = gaps(&taken);
    for (node, one) in latest_first(case, &taken) {
        if stop() {
            return taken;
        }
        let before = taken[node].clone();
        taken[node].retain(|other| *other != one);
        let now = gaps(&taken);
        if now.iter().zip(&open).all(|(now, open)| now <= open) {
            open = now;
        } else {
            taken[node] = before;
        }
    }
    taken
}

/// How much a requirement is short of.
fn gap(found: &Finding) -> u64 {
    match &found.measure {
        Measure::AtLeast { found_e4, needed_e4 } => needed_e4.saturating_sub(*found_e4),
        Measure::AtMost { found_e4, allowed_e4 } => found_e4.saturating_sub(*allowed_e4),
        Measure::Courses { missing } => missing.len() as u64,
        Measure::Among { found, needed, .. } => needed.saturating_sub(*found) as u64,
        Measure::Age { too_old } => too_old.len() as u64,
        Measure::Children { .. } | Measure::Present(_) | Measure::Enrolment { .. } | Measure::Average { .. } => {
            u64::from(!found.holds)
        }
    }
}

/// Adds what is pursued, and the variable that tells how much is filled.
fn pursue(problem: &mut Problem<'_>, stop: &mut dyn FnMut() -> bool) -> Option<Var> {
    let case = problem.case;
    let tree = &case.tree;
    let needs = (0..tree.size()).map(|requirement| i128::from(tree.node(requirement).amount_e4));
    let scale = needs.max().unwrap_or(0) / AMOUNT_MAX + 1;
    let mut filled: Vec<(i128, Var)> = Vec::new();
    problem.model.at_least(None, vec![(1, problem.active[0])], 1);
    for requirement in 0..tree.size() {
        if stop() || !problem.model.is_small() {
            return None;
        }
        let node = tree.node(requirement);
        let active = problem.active[requirement];
        let parent = tree.parent(requirement).unwrap_or(requirement);
        match tree.kind(requirement) {
            RequirementType::All | RequirementType::Any => {
                let children = tree.children(requirement);
                let all = tree.kind(requirement) == RequirementType::All;
                let choose = if all { i128::try_from(children.len()).ok()? } else { i128::from(node.choose) };
                let terms: Vec<(i128, Var)> = children.iter().map(|child| (1, problem.active[*child])).collect();
                problem.model.at_least(Some(active), terms.clone(), choose);
                problem.model.at_most(Some(active), terms, choose);
            }
            RequirementType::Credits => {
                let terms = problem.terms(requirement, |class| problem.amount(class) / scale);
                filled.push(fill(problem, active, terms, i128::from(node.amount_e4) / scale)?);
            }
            RequirementType::Courses => {
                for code in &node.r#match.clone().unwrap_or_default().courses {
                    if stop() {
                        return None;
                    }
                    let terms = problem.terms(requirement, |class| i128::from(problem.is_of(class, code)));
                    let (_, var) = fill(problem, active, terms, 1)?;
                    filled.push(((ONE_E4 / scale).max(1), var));
                }
            }
            RequirementType::Outcome => {
                let (_, var) = fill(problem, active, problem.terms(requirement, |_| 1), 1)?;
                filled.push(((ONE_E4 / scale).max(1), var));
            }
            RequirementType::Award | RequirementType::Attestation if case.is_present(requirement) => {
                filled.push(((ONE_E4 / scale).max(1), active));
            }
            RequirementType::AtLeast if node.share.is_none() => {
                let asked: Match = node.r#match.clone().unwrap_or_default();
                let inside = |class: usize| matches(&asked, &case.candidates[problem.classes[class].first()]);
                let worth = |class: usize| if inside(class) { problem.amount(class) / scale } else { 0 };
                let terms = problem.terms(parent, worth);
                filled.push(fill(problem, active, terms, i128::from(node.amount_e4) / scale)?);
            }
            RequirementType::Among => {
                let scope = tree.scope(requirement);
                let inside = problem.matching(requirement);
                if node.amount_e4 > 0 {
                    let worth = |class: usize| if inside[class] { problem.amount(class) / scale } else { 0 };
                    let terms = problem.terms(scope, worth);
                    filled.push(fill(problem, active, terms, i128::from(node.amount_e4) / scale)?);
                    continue;
                }
                let (needed, one) = (i128::try_from(among_needed(node)).ok()?, (ONE_E4 / scale).max(1));
                let courses = node.r#match.clone().unwrap_or_default().courses;
                let mut there = problem.terms(scope, |class| i128::from(inside[class] && courses.is_empty()));
                for code in &courses {
                    if stop() {
                        return None;
                    }
                    let of = |class: usize| i128::from(inside[class] && problem.is_of(class, code));
                    let terms = problem.terms(scope, of);
                    let course = problem.model.var(1);
                    problem.model.at_least(None, [terms, vec![(-1, course)]].concat(), 0);
                    there.push((1, course));
                }
                let (_, var) = fill(problem, active, there, needed)?;
                filled.push((one, var));
            }
            RequirementType::AtMost | RequirementType::Age => problem.holds(requirement, stop)?,
            _ => {}
        }
    }
    let most: i128 = filled.iter().map(|(weight, var)| weight * i128::from(problem.model.most[*var])).sum();
    let objective = problem.model.var(i32::try_from(most).ok()?);
    filled.push((-1, objective));
    problem.model.at_least(None, filled, 0);
    problem.model.is_small().then_some(objective)
}

/// A variable for how much of a need some terms fill, if the requirement is pursued.
fn fill(problem: &mut Problem<'_>, active: Var, mut terms: Vec<(i128, Var)>, need: i128) -> Option<(i128, Var)> {
    let var = problem.model.var(i32::try_from(need).ok()?);
    terms.push((-1, var));
    problem.model.at_least(None, terms, 0);
    problem.model.at_least(None, vec![(need, active), (-1, var)], 0);
    Some((1, var))
}

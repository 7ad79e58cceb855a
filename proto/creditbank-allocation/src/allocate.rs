//! The question, and the answer that has been checked.

use creditbank_protocol::pb;
use creditbank_rules::qualification::{Answer, Audit, Case, Found, Tree, progress};

use crate::assignment::{Assignment, TRIM_MAX, latest_first};
use crate::partial;
use crate::problem::Problem;
use crate::solver::{Solved, solve};

/// Looks for an allocation. `stop` is asked now and then whether to give up.
///
/// Among several allocations it is the solver's, without every record that can be left out alone, tried from the latest place
/// to the earliest.
pub fn allocate(case: &Case<'_>, stop: &mut dyn FnMut() -> bool) -> Answer {
    let Some(mut problem) = Problem::new(case, stop) else {
        return Answer::Undecided;
    };
    let unasked = problem.model.mark();
    if problem.ask(stop).is_none() {
        return Answer::Undecided;
    }
    match solve(&problem.model, stop) {
        Solved::Unknown => Answer::Undecided,
        Solved::Never => {
            problem.model.cut(unasked);
            let taken = partial::best(&mut problem, stop);
            Answer::Missing(found(case, taken))
        }
        Solved::Values(values) => match trimmed(case, problem.assign(&values), stop) {
            Some((taken, audit)) => Answer::Met { found: found(case, taken), audit },
            // The solver is not believed; or patience has ended.
            None => Answer::Undecided,
        },
    }
}

/// The allocation without what it does not need; `None` if it does not pass the check, or patience ends: what is left out
/// must not depend on a clock.
fn trimmed(case: &Case<'_>, mut taken: Assignment, stop: &mut dyn FnMut() -> bool) -> Option<(Assignment, Audit)> {
    let mut audit = case.judge(&taken).ok()?;
    if audit.spent.len().saturating_mul(case.tree.size()) > TRIM_MAX {
        return Some((taken, audit));
    }
    for (node, one) in latest_first(case, &taken) {
        if stop() {
            return None;
        }
        let before = taken[node].clone();
        taken[node].retain(|other| *other != one);
        match case.judge(&taken) {
            Ok(less) => audit = less,
            Err(_) => taken[node] = before,
        }
    }
    Some((taken, audit))
}

fn found(case: &Case<'_>, taken: Assignment) -> Found {
    let progress = progress(case, &taken);
    let mut allocations = Vec::new();
    for (node, mut list) in taken.into_iter().enumerate() {
        list.sort_by_key(|one| case.candidates[*one].portion());
        allocations.extend(list.into_iter().map(|one| pb::Allocation {
            requirement: Tree::number(node),
            record: Some(case.candidates[one].record.clone()),
            result_plus_1: case.candidates[one].part.written(),
        }));
    }
    Found { allocations, progress }
}

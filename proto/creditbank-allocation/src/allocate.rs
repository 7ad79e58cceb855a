//! The question, and the answer that has been checked.

use creditbank_protocol::pb;
use creditbank_rules::qualification::{Answer, Audit, Beside, Case, Found, Tree, Undecided, progress};

use crate::assignment::{Assignment, TRIM_MAX, latest_first};
use crate::beside;
use crate::partial;
use crate::problem::Problem;
use crate::solver::{Solved, solve};

/// Looks for an allocation. `stop` is asked now and then whether to give up.
///
/// Among several allocations it is the solver's, without every record that can be left out alone, tried from the latest place
/// to the earliest.
pub fn allocate(case: &Case<'_>, stop: &mut dyn FnMut() -> bool) -> Answer {
    allocate_beside(case, &[], stop)
}

/// The same, for a learner who is on the way to other definitions too. Among several allocations it is one that leaves as
/// many of these possible as the records at hand can make, in order, and of such ones one that takes least of the credit
/// that they could count (see [`Beside::harm`]), as far as a bounded search finds it.
pub fn allocate_beside(case: &Case<'_>, others: &[Beside<'_>], stop: &mut dyn FnMut() -> bool) -> Answer {
    let mut stopped = false;
    let mut stop = || {
        stopped = stopped || stop();
        stopped
    };
    let found = search(case, others, &mut stop);
    match found {
        Ok(answer) => answer,
        Err(Undecided::TooLarge) if stopped => Answer::Undecided(Undecided::Time),
        Err(why) => Answer::Undecided(why),
    }
}

/// `TooLarge` is also said where patience has ended.
fn search(case: &Case<'_>, others: &[Beside<'_>], stop: &mut dyn FnMut() -> bool) -> Result<Answer, Undecided> {
    let mut problem = Problem::new(case, stop).ok_or(Undecided::TooLarge)?;
    let unasked = problem.model.mark();
    problem.ask(stop).ok_or(Undecided::TooLarge)?;
    match solve(&problem.model, stop) {
        Solved::Unknown => Err(Undecided::TooLarge),
        Solved::Never => {
            problem.model.cut(unasked);
            let taken = partial::best(&mut problem, stop);
            Ok(Answer::Missing(found(case, taken)))
        }
        Solved::Values(values) => {
            let harm = beside::harm(case, others);
            let alone = problem.assign(&values);
            let taken = beside::gentle(case, others, &harm, stop).unwrap_or(alone);
            let (taken, audit) = trimmed(case, taken, &harm, stop)?;
            Ok(Answer::Met { found: found(case, taken), audit })
        }
    }
}

/// The allocation without what it does not need, what harms most first. The solver is not believed; and if patience ends
/// there is no answer: what is left out must not depend on a clock.
fn trimmed(
    case: &Case<'_>,
    mut taken: Assignment,
    harm: &[u64],
    stop: &mut dyn FnMut() -> bool,
) -> Result<(Assignment, Audit), Undecided> {
    let mut audit = case.judge(&taken).map_err(|_| Undecided::Fault)?;
    if audit.spent.len().saturating_mul(case.tree.size()) > TRIM_MAX {
        return Ok((taken, audit));
    }
    let mut order = latest_first(case, &taken);
    order.sort_by_key(|(_, one)| std::cmp::Reverse(harm.get(*one).copied().unwrap_or(0)));
    for (node, one) in order {
        if stop() {
            return Err(Undecided::Time);
        }
        let before = taken[node].clone();
        taken[node].retain(|other| *other != one);
        match case.judge(&taken) {
            Ok(less) => audit = less,
            Err(_) => taken[node] = before,
        }
    }
    Ok((taken, audit))
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

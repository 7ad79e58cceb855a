//! The question, and the answer that has been checked.

use creditbank_protocol::pb;
use creditbank_rules::qualification::{Answer, Audit, Case, Found, Tree, progress, takes};

use crate::partial;
use crate::problem::Problem;
use crate::solver::{Solved, solve};

/// Positions of candidates, for each requirement.
pub(crate) type Assignment = Vec<Vec<usize>>;

/// Judgements times requirements that are spent on leaving out what is not needed.
pub(crate) const TRIM_MAX: usize = 200_000;

/// Looks for an allocation. `stop` is asked now and then whether to give up.
///
/// Among several allocations it is the solver's, without every record that can be left out alone, tried from the latest place
/// to the earliest.
pub fn allocate(case: &Case<'_>, stop: &mut dyn FnMut() -> bool) -> Answer {
    let Some(mut problem) = Problem::new(case) else {
        return Answer::Undecided;
    };
    let model = problem.model.clone();
    if problem.ask().is_none() {
        return Answer::Undecided;
    }
    match solve(&problem.model, stop) {
        Solved::Unknown => Answer::Undecided,
        Solved::Never => {
            problem.model = model;
            let taken = partial::best(&mut problem, stop);
            Answer::Missing(found(case, taken))
        }
        Solved::Values(values) => match trimmed(case, problem.assign(&values)) {
            Some((taken, audit)) => Answer::Met { found: found(case, taken), audit },
            // The solver is not believed.
            None => Answer::Undecided,
        },
    }
}

/// The allocation without what it does not need; `None` if it does not pass the check.
fn trimmed(case: &Case<'_>, mut taken: Assignment) -> Option<(Assignment, Audit)> {
    let mut audit = case.judge(&taken).ok()?;
    if audit.spent.len().saturating_mul(case.tree.size()) > TRIM_MAX {
        return Some((taken, audit));
    }
    for (node, one) in latest_first(case, &taken) {
        let before = taken[node].clone();
        taken[node].retain(|other| *other != one);
        match case.judge(&taken) {
            Ok(less) => audit = less,
            Err(_) => taken[node] = before,
        }
    }
    Some((taken, audit))
}

/// Requirement and candidate of everything that is taken, the latest place first.
pub(crate) fn latest_first(case: &Case<'_>, taken: &Assignment) -> Vec<(usize, usize)> {
    let each = taken.iter().enumerate().flat_map(|(node, list)| list.iter().map(move |one| (node, *one)));
    let mut order: Vec<(usize, usize)> = each.collect();
    order.sort_by_key(|(_, one)| std::cmp::Reverse(case.candidates[*one].portion()));
    order
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

impl Problem<'_> {
    /// Which candidates the values stand for: of each class the first ones, requirement by requirement.
    pub(crate) fn assign(&self, values: &[i32]) -> Assignment {
        let mut next = vec![0usize; self.classes.len()];
        let mut assignment = vec![Vec::new(); self.case.tree.size()];
        let takers = (0..self.case.tree.size()).filter(|requirement| takes(self.case.tree.kind(*requirement)));
        for (requirement, taken) in takers.flat_map(|one| self.taken[one].iter().map(move |taken| (one, taken))) {
            let count = usize::try_from(values[taken.var]).unwrap_or(0);
            let members = &self.classes[taken.class].members;
            let end = (next[taken.class] + count).min(members.len());
            assignment[requirement].extend_from_slice(&members[next[taken.class]..end]);
            next[taken.class] = end;
        }
        assignment
    }
}

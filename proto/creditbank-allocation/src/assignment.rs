//! Which candidates fill which requirement, as positions.

use creditbank_rules::qualification::{Case, takes};

use crate::problem::Problem;

/// Positions of candidates, for each requirement.
pub(crate) type Assignment = Vec<Vec<usize>>;

/// Judgements times requirements that are spent on leaving out what is not needed.
pub(crate) const TRIM_MAX: usize = 200_000;

/// Requirement and candidate of everything that is taken, the latest place first.
pub(crate) fn latest_first(case: &Case<'_>, taken: &Assignment) -> Vec<(usize, usize)> {
    let each = taken.iter().enumerate().flat_map(|(node, list)| list.iter().map(move |one| (node, *one)));
    let mut order: Vec<(usize, usize)> = each.collect();
    order.sort_by_key(|(_, one)| std::cmp::Reverse(case.candidates[*one].portion()));
    order
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

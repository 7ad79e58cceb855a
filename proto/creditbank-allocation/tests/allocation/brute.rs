//! Every allocation, tried one after the other.

use creditbank_protocol::pb::QualificationDefinition;
use creditbank_rules::Registry;
use creditbank_rules::qualification::{Candidate, Case, takes};

use super::scene::day;

/// Whether any allocation at all makes the award.
pub(crate) fn brute(registry: &Registry, definition: &QualificationDefinition, candidates: &[Candidate]) -> bool {
    let case = Case::new(registry, definition, candidates, &[], &[], &[], day()).expect("a tree");
    let fits: Vec<Vec<usize>> = (0..candidates.len())
        .map(|candidate| {
            let fits = |node: &usize| takes(case.tree.kind(*node)) && case.misfit(*node, candidate).is_none();
            if case.obstacle(candidate).is_some() { Vec::new() } else { (0..case.tree.size()).filter(fits).collect() }
        })
        .collect();
    let mut taken = vec![Vec::new(); case.tree.size()];
    try_from(&case, &fits, 0, &mut taken)
}

fn try_from(case: &Case<'_>, fits: &[Vec<usize>], candidate: usize, taken: &mut Vec<Vec<usize>>) -> bool {
    let Some(nodes) = fits.get(candidate) else {
        return case.judge(taken).is_ok();
    };
    for node in nodes {
        taken[*node].push(candidate);
        if try_from(case, fits, candidate + 1, taken) {
            return true;
        }
        taken[*node].pop();
    }
    try_from(case, fits, candidate + 1, taken)
}

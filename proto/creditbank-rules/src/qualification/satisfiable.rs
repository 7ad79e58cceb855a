//! Requirements that can never be met, whatever a learner has.
//!
//! Sound: what is called unsatisfiable is so for every set of records. Not complete: it finds what contradicts itself, what
//! contradicts another requirement that has to hold with it, and what follows of that up the tree.

mod pairs;
mod sets;

use std::fmt;

use creditbank_protocol::pb::{QualificationDefinition, RequirementType};

use super::tree::{Tree, takes};
use crate::{Registry, Rejection};

/// A requirement that can never be met, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Number of the requirement, from 1.
    pub requirement: u32,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "requirement {}: {}", self.requirement, self.reason)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Satisfiability {
    /// Requirements that can never be met, by number. There may be some in a definition that can be met another way.
    pub conflicts: Vec<Conflict>,
    /// Whether nothing is against the whole definition.
    pub satisfiable: bool,
}

/// Looks for requirements that can never be met; refuses a tree that is not well-formed.
pub fn satisfiability(registry: &Registry, definition: &QualificationDefinition) -> Result<Satisfiability, Rejection> {
    let tree = Tree::of(definition)?;
    let mut reasons: Vec<Vec<String>> = vec![Vec::new(); tree.size()];
    let mut open = vec![true; tree.size()];
    let aliases = registry.has_aliases();
    let asked = sets::all_asked(&tree);
    let means = pairs::Means::of(registry, definition);
    for position in (0..tree.size()).rev() {
        let children = tree.children(position);
        match tree.kind(position) {
            RequirementType::All => open[position] = children.iter().all(|child| open[*child]),
            RequirementType::Any => {
                let left = children.iter().filter(|child| open[**child]).count();
                let choose = usize::try_from(tree.node(position).choose).unwrap_or(usize::MAX);
                if left < choose {
                    reasons[position].push(format!("{choose} of its children are asked for, and {left} can be met"));
                }
            }
            kind if takes(kind) => reasons[position].extend(sets::against_itself(definition, &tree, position, aliases)),
            RequirementType::Average => {
                let beyond = means.as_ref().and_then(|means| means.beyond_best(tree.node(position)));
                reasons[position].extend(beyond);
            }
            _ => {}
        }
        if holds_whole(&tree, position) {
            reasons[position].extend(pairs::contradictions(definition, (&tree, &asked), position, &open, aliases));
        }
        open[position] &= reasons[position].is_empty();
    }
    let mut conflicts = Vec::new();
    for (position, reasons) in reasons.into_iter().enumerate() {
        let requirement = Tree::number(position);
        conflicts.extend(reasons.into_iter().map(|reason| Conflict { requirement, reason }));
    }
    Ok(Satisfiability { conflicts, satisfiable: open[0] })
}

/// Whether a node holds only if all of its children do.
pub(crate) fn holds_whole(tree: &Tree<'_>, position: usize) -> bool {
    match tree.kind(position) {
        RequirementType::All => true,
        RequirementType::Any => usize::try_from(tree.node(position).choose) == Ok(tree.children(position).len()),
        _ => false,
    }
}

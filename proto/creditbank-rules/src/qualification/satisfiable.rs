//! Requirements that can never be met, whatever a learner has.
//!
//! Sound: what is called unsatisfiable is so for every set of records. Not complete: it finds what contradicts itself, what
//! contradicts another requirement that has to hold with it, and what follows of that up the tree. Where it finds nothing,
//! `creditbank_allocation::example` looks for records that make the award.

mod least;
mod looking;
mod pairs;
mod sets;

use std::fmt;

use creditbank_protocol::pb::{QualificationDefinition, RequirementType};

use super::tree::{Tree, takes};
use crate::{Registry, Rejection};
use looking::Looking;

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
    /// Whether nothing is against the whole definition. That is no promise that it can be met.
    pub satisfiable: bool,
}

/// How often what an AMONG looks at is judged anew, as what can be met there has become less.
const ROUNDS_MAX: usize = 4;

/// Looks for requirements that can never be met; refuses a tree that is not well-formed.
pub fn satisfiability(registry: &Registry, definition: &QualificationDefinition) -> Result<Satisfiability, Rejection> {
    let tree = Tree::of(definition)?;
    let asked = sets::all_asked(&tree);
    let (reasons, open) = (vec![Vec::new(); tree.size()], vec![true; tree.size()]);
    let mut search = Search { registry, definition, tree: &tree, asked: &asked, reasons, open };
    search.leaves();
    for round in 0..ROUNDS_MAX {
        if !search.among() && round > 0 {
            break;
        }
        search.inner();
    }
    let Search { reasons, open, .. } = search;
    let mut conflicts = Vec::new();
    for (position, reasons) in reasons.into_iter().enumerate() {
        let requirement = Tree::number(position);
        conflicts.extend(reasons.into_iter().map(|reason| Conflict { requirement, reason }));
    }
    Ok(Satisfiability { conflicts, satisfiable: open[0] })
}

/// What is against each node, and which can be met as far as is known.
struct Search<'a> {
    registry: &'a Registry,
    definition: &'a QualificationDefinition,
    tree: &'a Tree<'a>,
    asked: &'a [sets::Asked],
    reasons: Vec<Vec<String>>,
    open: Vec<bool>,
}

impl Search<'_> {
    fn close(&mut self, position: usize, reasons: impl IntoIterator<Item = String>) {
        self.reasons[position].extend(reasons);
        self.open[position] &= self.reasons[position].is_empty();
    }

    fn looking(&self) -> Looking<'_> {
        Looking { tree: self.tree, asked: self.asked, aliases: self.registry.has_aliases() }
    }

    fn is_among(&self, position: usize) -> bool {
        self.tree.kind(position) == RequirementType::Among
    }

    /// What contradicts itself.
    fn leaves(&mut self) {
        let aliases = self.registry.has_aliases();
        for position in 0..self.tree.size() {
            if takes(self.tree.kind(position)) || self.is_among(position) {
                self.close(position, sets::against_itself(self.definition, self.tree, position, aliases));
            }
        }
    }

    /// What looks past choices, by what can be met below; whether there is one more that cannot be.
    fn among(&mut self) -> bool {
        let mut found = false;
        for position in (0..self.tree.size()).filter(|position| self.is_among(*position)).collect::<Vec<_>>() {
            let reason = if self.open[position] { self.looking().among(position, &self.open) } else { None };
            found |= reason.is_some();
            self.close(position, reason);
        }
        found
    }

    /// Everything but what takes and AMONG, from the leaves up.
    fn inner(&mut self) {
        let (tree, definition) = (self.tree, self.definition);
        let aliases = self.registry.has_aliases();
        let means = pairs::Means::of(self.registry, definition);
        for position in 0..tree.size() {
            if !takes(tree.kind(position)) && !self.is_among(position) {
                self.open[position] = true;
                self.reasons[position].clear();
            }
        }
        for position in (0..tree.size()).rev() {
            match tree.kind(position) {
                RequirementType::Average => {
                    let beyond = means.as_ref().and_then(|means| means.beyond_best(tree.node(position)));
                    self.close(position, beyond);
                }
                RequirementType::All | RequirementType::Any => {
                    for (child, reason) in self.looking().children(position, &self.open) {
                        self.close(child, [reason]);
                    }
                    self.count(position);
                    if holds_whole(tree, position, &self.open) {
                        let all = (tree, self.asked);
                        let found = pairs::contradictions(all, position, &self.open, aliases);
                        self.close(position, found);
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether as many children can be met as have to hold.
    fn count(&mut self, position: usize) {
        let children = self.tree.children(position);
        let left = children.iter().filter(|child| self.open[**child]).count();
        let needed = needed(self.tree, position);
        self.open[position] = left >= needed;
        if self.tree.kind(position) == RequirementType::Any && left < needed {
            let lone = self.looking().has_lone_floor(position, &self.open);
            let why = "; a minimum in a choice looks at what the choice takes, `among` at the whole";
            let why = if lone { why } else { "" };
            self.close(position, [format!("{needed} of its children are asked for, and {left} can be met{why}")]);
        }
    }
}

/// How many children of an ALL or ANY have to hold.
fn needed(tree: &Tree<'_>, position: usize) -> usize {
    match tree.kind(position) {
        RequirementType::Any => usize::try_from(tree.node(position).choose).unwrap_or(usize::MAX),
        _ => tree.children(position).len(),
    }
}

/// Whether a node holds only if all of its children do that can be met.
fn holds_whole(tree: &Tree<'_>, position: usize, open: &[bool]) -> bool {
    match tree.kind(position) {
        RequirementType::All => true,
        RequirementType::Any => {
            needed(tree, position) >= tree.children(position).iter().filter(|child| open[**child]).count()
        }
        _ => false,
    }
}

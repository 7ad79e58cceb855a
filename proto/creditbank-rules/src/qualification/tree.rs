//! The tree of a definition: its shape, checked once.

use creditbank_protocol::pb::{QualificationDefinition, Requirement, RequirementType};

use crate::{Rejection, Rule};

/// Most nodes of a definition.
pub const NODES_MAX: usize = 1_000;
/// Most levels of a definition; the root is the first.
pub const DEPTH_MAX: usize = 32;

/// Requirements as a tree. Positions count from 0; the number of a requirement is its position plus 1.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    nodes: &'a [Requirement],
    children: Vec<Vec<usize>>,
    depth: Vec<usize>,
}

/// Whether a requirement of this type takes candidates.
pub fn takes(kind: RequirementType) -> bool {
    matches!(kind, RequirementType::Credits | RequirementType::Courses | RequirementType::Outcome)
}

impl<'a> Tree<'a> {
    /// The tree of a definition: parents stand before their children, the root first, and it is not too large.
    pub fn of(definition: &'a QualificationDefinition) -> Result<Self, Rejection> {
        let nodes = definition.requirements.as_slice();
        let refuse =
            |rule, expected: String, found: String| Rejection::new(rule, expected, found).field("requirements");
        if nodes.len() > NODES_MAX {
            let expected = format!("at most {NODES_MAX} requirements");
            return Err(refuse(Rule::DefinitionTooLarge, expected, nodes.len().to_string()));
        }
        let Some(root) = nodes.first() else {
            return Err(refuse(Rule::MissingField, "at least one requirement".to_owned(), "nothing".to_owned()));
        };
        if root.parent != 0 {
            let expected = "parent 0 for requirement 1, the root".to_owned();
            return Err(refuse(Rule::Contradiction, expected, root.parent.to_string()));
        }
        let mut children = vec![Vec::new(); nodes.len()];
        let mut depth = vec![1; nodes.len()];
        for (position, node) in nodes.iter().enumerate().skip(1) {
            let parent = usize::try_from(node.parent).ok().and_then(|parent| parent.checked_sub(1));
            let Some(parent) = parent.filter(|parent| *parent < position) else {
                let expected = format!("for requirement {} a parent that stands before it", position + 1);
                return Err(refuse(Rule::Contradiction, expected, node.parent.to_string()));
            };
            children[parent].push(position);
            depth[position] = depth[parent] + 1;
            if depth[position] > DEPTH_MAX {
                let expected = format!("at most {DEPTH_MAX} levels");
                return Err(refuse(Rule::DefinitionTooLarge, expected, format!("requirement {} below", position + 1)));
            }
        }
        Ok(Self { nodes, children, depth })
    }

    /// How many nodes there are; at least 1.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// A node.
    pub fn node(&self, position: usize) -> &'a Requirement {
        &self.nodes[position]
    }

    /// Its type.
    pub fn kind(&self, position: usize) -> RequirementType {
        RequirementType::try_from(self.nodes[position].r#type).unwrap_or_default()
    }

    /// Its children, in order.
    pub fn children(&self, position: usize) -> &[usize] {
        &self.children[position]
    }

    /// The node above; `None` for the root.
    pub fn parent(&self, position: usize) -> Option<usize> {
        usize::try_from(self.nodes[position].parent).ok()?.checked_sub(1)
    }

    /// Its level, from 1.
    pub fn depth(&self, position: usize) -> usize {
        self.depth[position]
    }

    /// Number of a requirement, from 1.
    pub fn number(position: usize) -> u32 {
        u32::try_from(position + 1).unwrap_or(u32::MAX)
    }

    /// Position of a requirement by its number.
    pub fn position(&self, number: u32) -> Option<usize> {
        usize::try_from(number).ok()?.checked_sub(1).filter(|position| *position < self.size())
    }

    /// For each node, what is in `of` for it and everything below it.
    pub(crate) fn gather(&self, of: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut all = of.to_vec();
        for position in (1..self.size()).rev() {
            if let Some(parent) = self.parent(position) {
                let below = all[position].clone();
                all[parent].extend(below);
            }
        }
        all.iter_mut().for_each(|list| list.sort_unstable());
        all
    }
}

//! The tree of a definition: its shape, checked once.

use creditbank_protocol::pb::{Match, QualificationDefinition, Requirement, RequirementType};

use crate::{Rejection, Rule};

/// Most nodes of a definition.
pub const NODES_MAX: usize = 1_000;
/// Most levels of a definition; the root is the first.
pub const DEPTH_MAX: usize = 32;

/// Most children of a node that look at what others take (types 8 to 13): they are compared with each other.
const LOOKING_MAX: usize = 64;
/// Most elements of all lists of a definition's matches together: matches are compared element by element.
const ELEMENTS_MAX: usize = 4_096;

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

/// Whether a requirement of this type looks at what others take.
fn looks(kind: RequirementType) -> bool {
    use RequirementType as Type;
    matches!(kind, Type::Enrolment | Type::AtLeast | Type::AtMost | Type::Average | Type::Age | Type::Among)
}

/// How many elements the lists of a match have.
pub(crate) fn elements(asked: &Match) -> usize {
    let Match {
        levels,
        fields,
        institutions,
        modes,
        courses,
        course_prefixes,
        origins,
        assessments,
        esco_uris,
        bases,
        after_enrolment: _,
    } = asked;
    let enums = [levels.len(), modes.len(), origins.len(), assessments.len(), bases.len()];
    let texts = [fields.len(), institutions.len(), courses.len(), course_prefixes.len(), esco_uris.len()];
    enums.iter().chain(&texts).sum()
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
        let tree = Self { nodes, children, depth };
        let looking = (0..tree.size()).map(|position| (tree.looking(position), position)).max().unwrap_or_default();
        if looking.0 > LOOKING_MAX {
            let expected = format!("at most {LOOKING_MAX} children of a requirement that look at what others take");
            let found = format!("{} of requirement {}", looking.0, looking.1 + 1);
            return Err(refuse(Rule::DefinitionTooLarge, expected, found));
        }
        let listed: usize = nodes.iter().filter_map(|node| node.r#match.as_ref()).map(elements).sum();
        if listed > ELEMENTS_MAX {
            let expected = format!("at most {ELEMENTS_MAX} elements in the lists of all matches");
            return Err(refuse(Rule::DefinitionTooLarge, expected, listed.to_string()));
        }
        Ok(tree)
    }

    /// How many children of a node look at what others take.
    fn looking(&self, position: usize) -> usize {
        self.children(position).iter().filter(|child| looks(self.kind(**child))).count()
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

    /// The node that a node looks at, with all below it: the parent; of AMONG the nearest ALL above it, or the root where
    /// there is none, so that a choice can lie between things that are asked of the same whole.
    pub fn scope(&self, position: usize) -> usize {
        let mut scope = self.parent(position).unwrap_or(position);
        if self.kind(position) == RequirementType::Among {
            while let Some(above) = self.parent(scope).filter(|_| self.kind(scope) != RequirementType::All) {
                scope = above;
            }
        }
        scope
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

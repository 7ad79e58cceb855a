//! How much work it takes to judge a definition, counted before any of it is done.
//!
//! A count of what stands in the definition, and never a time: whoever replays the log refuses the same ones. The counts
//! follow the comparisons of `qualification/satisfiable`; RULES.md, section 18, states them for everybody.

use creditbank_protocol::pb::{QualificationDefinition, RequirementType as Type};

use super::super::admit::require;
use super::Checked;
use crate::Rule;
use crate::qualification::{Tree, elements, takes};

/// Most names of definitions in `absorbs`, `overlaps` and `awards` together.
const NAMES_MAX: usize = 256;
/// Most steps. A large real definition takes some thousands; a step is some nanoseconds.
pub(super) const STEPS_MAX: u64 = 1 << 20;
/// What a pair of shares counts: their fractions are added and compared exactly.
const SHARES_STEPS: u64 = 64;

/// How many definitions it names.
pub(super) fn check_names(entry: &QualificationDefinition) -> Checked {
    let awards: usize = entry.requirements.iter().map(|node| node.awards.len()).sum();
    let names = entry.absorbs.len() + entry.overlaps.len() + awards;
    let expected = format!("at most {NAMES_MAX} names of definitions, of overlaps and awards too");
    require(names <= NAMES_MAX, Rule::DefinitionTooLarge, "absorbs", expected, names)
}

/// What the comparisons inside the tree take.
pub(super) fn check_steps(entry: &QualificationDefinition, tree: &Tree<'_>) -> Checked {
    let found = steps(entry, tree);
    let expected = format!("at most {STEPS_MAX} steps to judge it (RULES.md, section 18)");
    require(found <= STEPS_MAX, Rule::DefinitionTooLarge, "requirements", expected, found)
}

/// Nodes that are compared, and all that their lists hold, each node counted as one more.
#[derive(Clone, Copy, Default)]
struct Group {
    nodes: u64,
    weight: u64,
}

impl Group {
    fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.weight += other.weight;
    }
}

/// Steps of the check of a tree whose counts are within their bounds, so that no sum exceeds 64 bits.
fn steps(entry: &QualificationDefinition, tree: &Tree<'_>) -> u64 {
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let one = |position: usize| {
        let listed = tree.node(position).r#match.as_ref().map_or(0, elements);
        Group { nodes: 1, weight: 1 + number(listed) }
    };
    // An AMONG counts where it looks.
    let mut among = vec![Group::default(); tree.size()];
    for position in (0..tree.size()).filter(|position| tree.kind(*position) == Type::Among) {
        among[tree.scope(position)].add(one(position));
    }
    let mut below = vec![Group::default(); tree.size()];
    let (mut steps, mut means) = (0u64, 0u64);
    // Children stand behind their parents, so all that is below a node has been counted when it is reached.
    for position in (0..tree.size()).rev() {
        let (mut looking, mut shares) = (among[position], 0u64);
        for child in tree.children(position) {
            if matches!(tree.kind(*child), Type::AtLeast | Type::AtMost) {
                looking.add(one(*child));
                shares += u64::from(tree.node(*child).share.is_some());
            }
        }
        let mut with = below[position];
        with.add(looking);
        let pairs = looking.nodes.saturating_mul(with.weight).saturating_add(looking.weight.saturating_mul(with.nodes));
        steps = steps.saturating_add(pairs).saturating_add(SHARES_STEPS * shares * shares);
        means += u64::from(tree.kind(position) == Type::Average);
        if let Some(parent) = tree.parent(position) {
            let mut up = below[position];
            if takes(tree.kind(position)) {
                up.add(one(position));
            }
            below[parent].add(up);
        }
    }
    let points = number(entry.grade_points.len() + entry.no_points.len());
    steps.saturating_add(means.saturating_mul(points))
}

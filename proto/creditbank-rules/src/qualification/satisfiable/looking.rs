//! Requirements that look at what others take, where nothing that is taken can be what they look for.

use creditbank_protocol::pb::RequirementType as Type;

use super::super::measure::among_needed;
use super::super::tree::{Tree, takes};
use super::least::least_taken;
use super::sets::{Asked, admits, apart};

/// What looks, and at what.
pub(super) struct Looking<'a> {
    pub(super) tree: &'a Tree<'a>,
    pub(super) asked: &'a [Asked],
    pub(super) aliases: bool,
}

impl Looking<'_> {
    /// What takes below a node and can be met with all between.
    fn takers(&self, top: usize, open: &[bool]) -> Vec<usize> {
        let (mut found, mut next) = (Vec::new(), self.tree.children(top).to_vec());
        while let Some(position) = next.pop() {
            if open[position] {
                if takes(self.tree.kind(position)) {
                    found.push(position);
                }
                next.extend(self.tree.children(position));
            }
        }
        found
    }

    fn is_apart(&self, one: usize, other: usize) -> bool {
        apart(&self.asked[one], &self.asked[other], self.aliases)
    }

    /// Children of a node that nothing below it can meet, and why.
    pub(super) fn children(&self, top: usize, open: &[bool]) -> Vec<(usize, String)> {
        let takers = self.takers(top, open);
        let credit: Vec<usize> =
            takers.into_iter().filter(|position| self.tree.kind(*position) != Type::Outcome).collect();
        let mut found = Vec::new();
        let mut least = None;
        for child in self.tree.children(top).iter().copied().filter(|child| open[*child]) {
            let reason = match self.tree.kind(child) {
                Type::AtLeast => {
                    let nothing = credit.iter().all(|position| self.is_apart(*position, child));
                    // A share of nothing holds.
                    let asks = self.tree.node(child).share.is_none()
                        || *least.get_or_insert_with(|| least_taken(self.tree, top, open)) > 0;
                    (nothing && asks).then_some("nothing beside it takes what it asks for")
                }
                Type::Average => credit.is_empty().then_some("nothing beside it takes what it looks at"),
                _ => None,
            };
            found.extend(reason.map(|reason| (child, reason.to_owned())));
        }
        found
    }

    /// Why nothing in the whole that an AMONG looks at is what it looks for.
    pub(super) fn among(&self, position: usize, open: &[bool]) -> Option<String> {
        let node = self.tree.node(position);
        let takers = self.takers(self.tree.scope(position), open);
        let credit = |taker: &&usize| node.amount_e4 == 0 || self.tree.kind(**taker) != Type::Outcome;
        let near: Vec<usize> =
            takers.iter().filter(credit).copied().filter(|taker| !self.is_apart(*taker, position)).collect();
        if near.is_empty() {
            return Some("nothing in the whole that it looks at takes what it asks for".to_owned());
        }
        let courses = &node.r#match.as_ref()?.courses;
        if self.aliases || node.amount_e4 > 0 || courses.is_empty() {
            return None;
        }
        let mut admitted = vec![false; courses.len()];
        for taker in near {
            admits(&self.asked[taker], &self.asked[position], &mut admitted);
        }
        let (found, needed) = (admitted.iter().filter(|one| **one).count(), among_needed(node));
        let first = courses.iter().zip(&admitted).find(|(_, admitted)| !**admitted).map_or("", |(code, _)| code);
        (found < needed).then(|| format!("nothing in the whole that it looks at takes course {first}"))
    }

    /// Whether a minimum is among the children of a choice that cannot be met.
    pub(super) fn has_lone_floor(&self, top: usize, open: &[bool]) -> bool {
        self.tree.children(top).iter().any(|child| self.tree.kind(*child) == Type::AtLeast && !open[*child])
    }
}

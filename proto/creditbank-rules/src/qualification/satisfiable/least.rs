//! The least that is taken at a node whenever it holds.

use creditbank_protocol::pb::RequirementType as Type;

use super::super::tree::Tree;
use super::needed;

/// What CREDITS ask for below a node, or what a minimum of the whole says, in ten-thousandths: of children that can be met
/// as many as have to hold, those that ask for least.
pub(super) fn least_taken(tree: &Tree<'_>, top: usize, open: &[bool]) -> u64 {
    match tree.kind(top) {
        Type::Credits => tree.node(top).amount_e4,
        Type::All | Type::Any => {
            let children = || tree.children(top).iter().copied().filter(|child| open[*child]);
            let mut taken: Vec<u64> = children().map(|child| least_taken(tree, child, open)).collect();
            let mut seen: Vec<u64> =
                children().zip(&taken).map(|(child, taken)| floor(tree, top, child).max(*taken)).collect();
            let count = needed(tree, top).min(taken.len());
            taken.sort_unstable();
            seen.sort_unstable();
            let sum = taken[..count].iter().copied().fold(0, u64::saturating_add);
            // Whichever are chosen, the largest of so many is at least the one at this place.
            let one = count.checked_sub(1).map_or(0, |last| seen[last]);
            sum.max(one)
        }
        _ => 0,
    }
}

/// What a child that looks says of everything below its parent.
fn floor(tree: &Tree<'_>, parent: usize, child: usize) -> u64 {
    let node = tree.node(child);
    match tree.kind(child) {
        Type::AtLeast if node.share.is_none() => node.amount_e4,
        Type::Among if tree.scope(child) == parent => node.amount_e4,
        _ => 0,
    }
}

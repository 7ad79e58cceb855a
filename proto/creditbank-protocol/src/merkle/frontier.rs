//! The right edge of a growing tree: what an appender must keep, and which nodes each new leaf completes.

use super::{empty_root, node_hash};
use crate::Digest;

/// A node that will never change: the root of a complete subtree of 2^level leaves, the `index`-th of its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredNode {
    /// 0 for leaf hashes.
    pub level: u8,
    /// Position among the nodes of this level.
    pub index: u64,
    /// The hash.
    pub hash: Digest,
}

/// The complete subtrees that make up a tree of `size` leaves, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves, read from stored nodes.
    pub fn restore<E>(size: u64, mut node: impl FnMut(u8, u64) -> Result<Digest, E>) -> Result<Self, E> {
        let mut subtrees = Vec::new();
        let mut done = 0u64;
        for level in (0..64u8).rev().filter(|level| size >> level & 1 == 1) {
            subtrees.push(node(level, done >> level)?);
            done += 1 << level;
        }
        Ok(Self { size, subtrees })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash and returns the nodes that it completes, the leaf itself first.
    pub fn push(&mut self, leaf: Digest) -> Vec<StoredNode> {
        let mut node = StoredNode { level: 0, index: self.size, hash: leaf };
        let mut completed = vec![node];
        // Each trailing one of the size is a complete subtree that the new node joins from the right.
        for _ in 0..self.size.trailing_ones() {
            let left = self.subtrees.pop().expect("one subtree for each bit of the size");
            node = StoredNode { level: node.level + 1, index: node.index / 2, hash: node_hash(&left, &node.hash) };
            completed.push(node);
        }
        self.subtrees.push(node.hash);
        self.size += 1;
        completed
    }

    /// The root.
    pub fn root(&self) -> Digest {
        let mut right_to_left = self.subtrees.iter().rev();
        let Some(last) = right_to_left.next() else {
            return empty_root();
        };
        right_to_left.fold(*last, |right, left| node_hash(left, &right))
    }
}

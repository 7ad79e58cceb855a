//! The map in memory. Nodes are shared between versions, so an old version stays provable at the cost of its changes.

use std::sync::Arc;

use super::{MapProof, MapTags, bit};
use crate::Digest;

/// A version of a map. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct SparseMap {
    tags: MapTags,
    root: Tree,
    len: usize,
}

type Tree = Option<Arc<Node>>;

#[derive(Debug)]
enum Node {
    Leaf { key: Digest, value: Digest, hash: Digest },
    Inner { left: Tree, right: Tree, hash: Digest },
}

impl Node {
    fn hash(&self) -> Digest {
        match self {
            Self::Leaf { hash, .. } | Self::Inner { hash, .. } => *hash,
        }
    }
}

fn hash_of(tree: &Tree) -> Digest {
    tree.as_ref().map_or(Digest::ZERO, |node| node.hash())
}

impl SparseMap {
    /// The map without entries.
    pub fn new(tags: MapTags) -> Self {
        Self { tags, root: None, len: 0 }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The root.
    pub fn root(&self) -> Digest {
        hash_of(&self.root)
    }

    /// The value hash of `key`.
    pub fn get(&self, key: &Digest) -> Option<Digest> {
        let mut tree = &self.root;
        let mut depth = 0;
        loop {
            match tree.as_deref()? {
                Node::Leaf { key: found, value, .. } => return (found == key).then_some(*value),
                Node::Inner { left, right, .. } => tree = if bit(key, depth) { right } else { left },
            }
            depth += 1;
        }
    }

    /// The next version: each key set to its value, or taken out where there is none. Each touched node is hashed once.
    /// Of several changes to one key the last counts.
    #[must_use]
    pub fn update(&self, changes: impl IntoIterator<Item = (Digest, Option<Digest>)>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        // Stable, so that the last change of a key is the last of its run.
        changes.sort_by_key(|(key, _)| *key);
        let mut last: Vec<(Digest, Option<Digest>)> = Vec::with_capacity(changes.len());
        for change in changes {
            match last.last_mut() {
                Some(previous) if previous.0 == change.0 => *previous = change,
                _ => last.push(change),
            }
        }
        let mut len = self.len;
        let root = update(self.tags, &self.root, &last, 0, &mut len);
        Self { tags: self.tags, root, len }
    }

    /// The proof that `key` has its value, or that it has none.
    pub fn prove(&self, key: &Digest) -> MapProof {
        let mut siblings = Vec::new();
        let mut tree = &self.root;
        loop {
            match tree.as_deref() {
                None => return MapProof { siblings, terminal: None },
                Some(Node::Leaf { key, value, .. }) => return MapProof { siblings, terminal: Some((*key, *value)) },
                Some(Node::Inner { left, right, .. }) => {
                    let (next, sibling) = if bit(key, siblings.len()) { (right, left) } else { (left, right) };
                    siblings.push(hash_of(sibling));
                    tree = next;
                }
            }
        }
    }
}

/// Applies sorted changes below a node at `depth`. `depth` is at most 256: two different keys part before that.
fn update(tags: MapTags, tree: &Tree, changes: &[(Digest, Option<Digest>)], depth: usize, len: &mut usize) -> Tree {
    if changes.is_empty() {
        return tree.clone();
    }
    match tree.as_deref() {
        Some(Node::Inner { left, right, .. }) => {
            let (to_left, to_right) = changes.split_at(changes.partition_point(|(key, _)| !bit(key, depth)));
            let left = update(tags, left, to_left, depth + 1, len);
            let right = update(tags, right, to_right, depth + 1, len);
            join(tags, left, right)
        }
        Some(Node::Leaf { key, value, .. }) => {
            let mut leaves: Vec<_> =
                changes.iter().filter_map(|(key, value)| value.map(|value| (*key, value))).collect();
            let at = changes.binary_search_by_key(key, |(key, _)| *key);
            if at.is_err() {
                let place = leaves.partition_point(|(other, _)| other < key);
                leaves.insert(place, (*key, *value));
            }
            *len = *len + leaves.len() - 1;
            build(tags, &leaves, depth)
        }
        None => {
            let leaves: Vec<_> = changes.iter().filter_map(|(key, value)| value.map(|value| (*key, value))).collect();
            *len += leaves.len();
            build(tags, &leaves, depth)
        }
    }
}

/// The subtree of sorted, distinct leaves.
fn build(tags: MapTags, leaves: &[(Digest, Digest)], depth: usize) -> Tree {
    match leaves {
        [] => None,
        [(key, value)] => Some(Arc::new(Node::Leaf { key: *key, value: *value, hash: tags.leaf(key, value) })),
        _ => {
            let (left, right) = leaves.split_at(leaves.partition_point(|(key, _)| !bit(key, depth)));
            join(tags, build(tags, left, depth + 1), build(tags, right, depth + 1))
        }
    }
}

/// Two subtrees under one node; a single leaf rises, so that the same content always has the same shape.
fn join(tags: MapTags, left: Tree, right: Tree) -> Tree {
    match (left.as_deref(), right.as_deref()) {
        (None, None | Some(Node::Leaf { .. })) => right,
        (Some(Node::Leaf { .. }), None) => left,
        _ => {
            let hash = tags.node(&hash_of(&left), &hash_of(&right));
            Some(Arc::new(Node::Inner { left, right, hash }))
        }
    }
}

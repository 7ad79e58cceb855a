//! The log's tree: RFC 6962 section 2.1 hashing, SHA-256, with inclusion and consistency proofs (RFC 9162 section 2.1).

mod frontier;
mod prove;
mod verify;

pub use frontier::{Frontier, StoredNode};
pub use prove::{RangeError, consistency_proof, inclusion_proof, root_at};
pub use verify::{PROOF_LEN_MAX, ProofError, verify_consistency, verify_inclusion};

use crate::Digest;
use crate::hash::{sha256, sha256_of};

/// Leaf hash: SHA-256(0x00 || entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    sha256_of(&[&[0], entry])
}

/// Node hash: SHA-256(0x01 || left || right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256_of(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// Root of no leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// Root over leaf hashes.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// Inclusion path of leaf `index` among `leaves`, leaf sibling first. `index` must be below the number of leaves.
fn path(leaves: &[Digest], index: usize) -> Vec<Digest> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    if index < left.len() {
        let mut path = path(left, index);
        path.push(root(right));
        path
    } else {
        let mut path = path(right, index - left.len());
        path.push(root(left));
        path
    }
}

/// A small tree with all its nodes: whoever needs several paths hashes it once.
#[derive(Debug, Clone)]
pub struct Levels(Vec<Vec<Digest>>);

impl Levels {
    /// The tree over leaf hashes.
    pub fn new(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            // The last node of an odd level rises as it is.
            let pair = |pair: &[Digest]| pair.get(1).map_or(pair[0], |right| node_hash(&pair[0], right));
            let level = below.chunks(2).map(pair).collect();
            levels.push(level);
        }
        Self(levels)
    }

    /// Path of leaf `index`, leaf sibling first; `None` when there is no such leaf.
    pub fn path(&self, index: usize) -> Option<Vec<Digest>> {
        self.0.first().filter(|leaves| index < leaves.len())?;
        let sibling = |(height, level): (usize, &Vec<Digest>)| level.get((index >> height) ^ 1).copied();
        Some(self.0.iter().enumerate().filter_map(sibling).collect())
    }
}

/// The largest power of two below `len`, which must be at least 2.
fn split(len: usize) -> usize {
    len.next_power_of_two() / 2
}

/// The leaf of a record in its block's tree: its hash is the entry.
pub fn record_leaf(record_hash: &Digest) -> Digest {
    leaf_hash(record_hash.as_bytes())
}

/// The records root of a block: RFC 6962 over the record hashes.
pub fn records_root(record_hashes: &[Digest]) -> Digest {
    root(&record_hashes.iter().map(record_leaf).collect::<Vec<_>>())
}

/// Path from record `index` to the records root; `None` when there is no such record.
pub fn record_path(record_hashes: &[Digest], index: usize) -> Option<Vec<Digest>> {
    (index < record_hashes.len()).then(|| path(&record_hashes.iter().map(record_leaf).collect::<Vec<_>>(), index))
}

/// Records of a group: a power of two, so that a group is a subtree.
pub const RECORD_GROUP: usize = 32;

/// The roots of the groups of a block's records, in order. Whoever keeps them makes paths without hashing the whole block.
pub fn record_groups(record_hashes: &[Digest]) -> Vec<Digest> {
    record_hashes.chunks(RECORD_GROUP).map(records_root).collect()
}

/// [`record_path`], by the record hashes of the record's own group and the roots of all groups; `None` when the group
/// has no such record.
pub fn record_path_by_groups(group: &[Digest], groups: &[Digest], index: usize) -> Option<Vec<Digest>> {
    let mut whole = record_path(group, index % RECORD_GROUP)?;
    whole.extend(path(groups, index / RECORD_GROUP));
    Some(whole)
}

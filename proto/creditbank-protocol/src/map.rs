//! A sparse Merkle map from 32-byte keys to 32-byte value hashes: the status tree and the registry map.
//!
//! - Depth 256. Bits of the key are taken from the most significant on; 0 goes left, 1 goes right.
//! - An empty subtree is 32 zero bytes, at any height.
//! - A subtree that holds exactly one leaf is that leaf's hash, at any height.
//! - Otherwise node = H(node tag, left, right), and leaf = H(leaf tag, key, value hash).
//!
//! So the same content has one root, whatever its history, and a proof has about log2(n) siblings. A leaf binds its whole
//! key: showing another leaf on the path proves that the key is absent, as only one leaf can stand at that height.

mod proof;
mod tree;

pub use proof::{MapError, MapProof, SIBLINGS_MAX, verify};
pub use tree::SparseMap;

use crate::Digest;
use crate::hash::{Preimage, tag};

/// The tags that keep two maps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapTags {
    leaf: &'static str,
    node: &'static str,
}

impl MapTags {
    /// The status tree.
    pub const STATUS: Self = Self { leaf: tag::STATUS_LEAF, node: tag::STATUS_NODE };
    /// The registry map.
    pub const REGISTRY: Self = Self { leaf: tag::REGISTRY_LEAF, node: tag::REGISTRY_NODE };

    fn leaf(self, key: &Digest, value: &Digest) -> Digest {
        Preimage::new(self.leaf).fixed(key.as_bytes()).fixed(value.as_bytes()).digest()
    }

    fn node(self, left: &Digest, right: &Digest) -> Digest {
        Preimage::new(self.node).fixed(left.as_bytes()).fixed(right.as_bytes()).digest()
    }
}

/// Bit `depth` of `key`, from the most significant; `true` goes right.
fn bit(key: &Digest, depth: usize) -> bool {
    key.0[depth / 8] & (0x80 >> (depth % 8)) != 0
}

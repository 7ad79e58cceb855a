//! Verification, step by step as RFC 9162 sections 2.1.3.2 and 2.1.4.2 have it.

use super::node_hash;
use crate::Digest;

/// Most hashes of a proof: a tree has fewer than 2^64 leaves.
pub const PROOF_LEN_MAX: usize = 64;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The index is not in the tree, or the older tree is larger.
    #[error("{asked} is outside a tree of {size} leaves")]
    Range {
        /// The index or the older size.
        asked: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// Too few hashes or too many.
    #[error("the proof has {0} hashes, which does not fit the tree")]
    Length(usize),
    /// The hashes lead to another root.
    #[error("the proof leads to root {found}, expected {expected}")]
    Root {
        /// The root that was to be proved.
        expected: Digest,
        /// The root that came out.
        found: Digest,
    },
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with `root`.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range { asked: index, size });
    }
    let length = ProofError::Length(proof.len());
    if proof.len() > PROOF_LEN_MAX {
        return Err(length);
    }
    let (mut node, mut last, mut found) = (index, size - 1, *leaf);
    for hash in proof {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            found = node_hash(hash, &found);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            found = node_hash(&found, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    same_root(root, found)
}

/// Checks that the tree of `new_size` leaves with `new_root` begins with the tree of `old_size` leaves with `old_root`.
/// `old_size` is at least 1: nothing needs a proof that a tree begins with nothing.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Digest,
    new_size: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old_size == 0 || old_size > new_size {
        return Err(ProofError::Range { asked: old_size, size: new_size });
    }
    let length = ProofError::Length(proof.len());
    if proof.len() > PROOF_LEN_MAX {
        return Err(length);
    }
    if old_size == new_size {
        return if proof.is_empty() { same_root(new_root, *old_root) } else { Err(length) };
    }
    let mut hashes = proof.iter();
    let seed = if old_size.is_power_of_two() { *old_root } else { *hashes.next().ok_or(length)? };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (seed, seed);
    for hash in hashes {
        if last == 0 {
            return Err(length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(hash, &old);
            new = node_hash(hash, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    same_root(old_root, old)?;
    same_root(new_root, new)
}

fn same_root(expected: &Digest, found: Digest) -> Result<(), ProofError> {
    if *expected == found { Ok(()) } else { Err(ProofError::Root { expected: *expected, found }) }
}

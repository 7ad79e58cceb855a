//! Proofs from stored nodes: each needs a number of reads that grows with the logarithm of the tree.

use super::node_hash;
use crate::Digest;

/// What was asked lies outside the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{asked} is outside a tree of {size} leaves")]
pub struct RangeError {
    /// The index or the older size.
    pub asked: u64,
    /// Leaves of the tree.
    pub size: u64,
}

/// Inclusion proof of leaf `index` in the tree of `size` leaves, leaf sibling first. `node` supplies the root of a complete
/// subtree by level and index.
pub fn inclusion_proof<E: From<RangeError>>(
    index: u64,
    size: u64,
    node: &mut dyn FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if index >= size {
        return Err(RangeError { asked: index, size }.into());
    }
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(subtree(middle, end, node)?);
            end = middle;
        } else {
            path.push(subtree(begin, middle, node)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Proof that the tree of `new` leaves begins with the tree of `old` leaves.
pub fn consistency_proof<E: From<RangeError>>(
    old: u64,
    new: u64,
    node: &mut dyn FnMut(u8, u64) -> Result<Digest, E>,
) -> Result<Vec<Digest>, E> {
    if old == 0 || old > new {
        return Err(RangeError { asked: old, size: new }.into());
    }
    let (mut begin, mut end) = (0, new);
    let mut proof = Vec::new();
    // Whether the part that remains of the old tree is its own leftmost part, whose root the verifier has.
    let mut whole = true;
    while old != end {
        let middle = begin + split(end - begin);
        if old <= middle {
            proof.push(subtree(middle, end, node)?);
            end = middle;
        } else {
            proof.push(subtree(begin, middle, node)?);
            begin = middle;
            whole = false;
        }
    }
    if !whole {
        proof.push(subtree(begin, end, node)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Root of the tree of the first `size` leaves.
pub fn root_at<E>(size: u64, node: &mut dyn FnMut(u8, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    if size == 0 { Ok(super::empty_root()) } else { subtree(0, size, node) }
}

/// Root of the leaves from `begin` to `end`, where `begin` is a multiple of the largest power of two in the range.
fn subtree<E>(begin: u64, end: u64, node: &mut dyn FnMut(u8, u64) -> Result<Digest, E>) -> Result<Digest, E> {
    let len = end - begin;
    if len.is_power_of_two() {
        let level = u8::try_from(len.trailing_zeros()).expect("below 64");
        return node(level, begin >> level);
    }
    let middle = begin + split(len);
    let left = subtree(begin, middle, node)?;
    Ok(node_hash(&left, &subtree(middle, end, node)?))
}

/// The largest power of two below `len`, which must be at least 2. Sizes above 2^63 do not occur.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}

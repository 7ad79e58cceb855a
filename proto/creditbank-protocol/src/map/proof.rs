//! Proofs of presence and absence.

use super::{MapTags, bit};
use crate::Digest;

/// Most siblings of a proof: one for each bit of a key.
pub const SIBLINGS_MAX: usize = 256;

/// The siblings from the root downwards, and the leaf at the end of the path, if there is one: the key's own when it is
/// present, another one or none when it is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapProof {
    /// Hashes beside the path, from the root downwards.
    pub siblings: Vec<Digest>,
    /// Key and value hash of the leaf at the end of the path.
    pub terminal: Option<(Digest, Digest)>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// More siblings than a key has bits.
    #[error("the proof has {0} siblings, at most {SIBLINGS_MAX} are possible")]
    Length(usize),
    /// The leaf that is shown does not stand on the path to the key.
    #[error("the leaf that is shown is not on the path to the key")]
    Elsewhere,
    /// A path that is longer than the map's own: its last sibling is empty, so the end would stand higher.
    #[error("the proof's last sibling is empty, so its path is too long")]
    TooDeep,
    /// The hashes lead to another root.
    #[error("the proof leads to root {found}, expected {expected}")]
    Root {
        /// The root that was to be proved.
        expected: Digest,
        /// The root that came out.
        found: Digest,
    },
}

/// Checks a proof: `Some(value hash)` where the key is present, `None` where it is proved absent.
pub fn verify(tags: MapTags, root: &Digest, key: &Digest, proof: &MapProof) -> Result<Option<Digest>, MapError> {
    let depth = proof.siblings.len();
    if depth > SIBLINGS_MAX {
        return Err(MapError::Length(depth));
    }
    if proof.siblings.last() == Some(&Digest::ZERO) {
        return Err(MapError::TooDeep);
    }
    let end = match &proof.terminal {
        None => Digest::ZERO,
        Some((found, value)) => {
            if (0..depth).any(|at| bit(found, at) != bit(key, at)) {
                return Err(MapError::Elsewhere);
            }
            tags.leaf(found, value)
        }
    };
    let found = proof.siblings.iter().enumerate().rev().fold(end, |below, (at, sibling)| {
        if bit(key, at) { tags.node(sibling, &below) } else { tags.node(&below, sibling) }
    });
    if found != *root {
        return Err(MapError::Root { expected: *root, found });
    }
    Ok(proof.terminal.and_then(|(found, value)| (found == *key).then_some(value)))
}

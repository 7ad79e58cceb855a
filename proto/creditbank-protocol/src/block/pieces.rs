//! The pieces of a public part: each of its records, then each of its groups of effects. A proof carries one of them.

use std::fmt;

use prost::Message as _;

use crate::Digest;
use crate::canonical::{CanonicalError, decode};
use crate::merkle::{leaf_hash, root};
use crate::pb;

/// First byte of a piece that is a public record.
const RECORD: u8 = 0x01;
/// First byte of a piece that is a group of effects.
const GROUP: u8 = 0x02;
/// Most effects of a group.
pub(super) const EFFECTS_MAX: usize = 64;
/// Most pieces of a public part: 1,024 records and 128 groups.
pub const PIECES_MAX: u32 = 1_152;

/// The pieces of a public part, as a header names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// RFC 6962 root over them; of none, the root of the empty tree.
    pub root: Digest,
    /// How many.
    pub count: u32,
}

impl fmt::Display for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pieces under {}", self.count, self.root)
    }
}

/// A piece.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A public record.
    Record(&'a pb::PublicRecord),
    /// A group of effects.
    Group(&'a pb::EffectGroup),
}

impl Piece<'_> {
    /// Its leaf under the public root. What was read in canonical form has the bytes here that it was read from.
    pub fn leaf(&self) -> Digest {
        let mut bytes = Vec::new();
        match self {
            Self::Record(record) => {
                bytes.push(RECORD);
                record.encode_raw(&mut bytes);
            }
            Self::Group(group) => {
                bytes.push(GROUP);
                group.encode_raw(&mut bytes);
            }
        }
        leaf_hash(&bytes)
    }
}

/// A public part and its pieces, which are hashed once.
#[derive(Debug, Clone, PartialEq)]
pub struct Public {
    part: pb::PublicPart,
    pieces: Pieces,
}

impl Public {
    /// Reads a canonical `PublicPart`.
    pub fn parse(bytes: &[u8]) -> Result<Self, CanonicalError> {
        Ok(Self::of(decode(bytes)?))
    }

    pub(super) fn of(part: pb::PublicPart) -> Self {
        let leaves = leaves(&part);
        let pieces = Pieces { root: root(&leaves), count: u32::try_from(leaves.len()).unwrap_or(u32::MAX) };
        Self { part, pieces }
    }

    /// What the block shows to everybody.
    pub fn part(&self) -> &pb::PublicPart {
        &self.part
    }

    /// Root and number of its pieces.
    pub fn pieces(&self) -> Pieces {
        self.pieces
    }

    /// The leaves of its pieces, in their order.
    pub fn leaves(&self) -> Vec<Digest> {
        leaves(&self.part)
    }
}

/// Of a block without a public part.
impl Default for Public {
    fn default() -> Self {
        Self::of(pb::PublicPart::default())
    }
}

fn leaves(part: &pb::PublicPart) -> Vec<Digest> {
    let pieces = part.records.iter().map(Piece::Record).chain(part.groups.iter().map(Piece::Group));
    pieces.map(|piece| piece.leaf()).collect()
}

/// Groups of at most 64 effects, in the order of their bytes: a larger one becomes several under the same authority.
pub(super) fn split_groups(groups: Vec<pb::EffectGroup>) -> Vec<pb::EffectGroup> {
    if groups.iter().all(|group| group.effects.len() <= EFFECTS_MAX) {
        return groups;
    }
    let split = |group: pb::EffectGroup| {
        let pb::EffectGroup { authority, effects } = group;
        let part = |effects: &[pb::Effect]| pb::EffectGroup { authority: authority.clone(), effects: effects.to_vec() };
        if effects.is_empty() { vec![part(&[])] } else { effects.chunks(EFFECTS_MAX).map(part).collect() }
    };
    let mut groups: Vec<_> = groups.into_iter().flat_map(split).collect();
    groups.sort_by_cached_key(prost::Message::encode_to_vec);
    groups
}

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
const EFFECTS_MAX: usize = 64;

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
    leaves: Vec<Digest>,
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
        Self { part, leaves, pieces }
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
    pub fn leaves(&self) -> &[Digest] {
        &self.leaves
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

/// Groups as a public part has them: of at most 64 effects, in the order of their bytes. A larger one becomes several
/// under the same authority.
pub fn split_groups(groups: Vec<pb::EffectGroup>) -> Vec<pb::EffectGroup> {
    let mut split = Vec::with_capacity(groups.len());
    for group in groups {
        if group.effects.len() <= EFFECTS_MAX {
            split.push(group);
            continue;
        }
        let pb::EffectGroup { authority, effects } = group;
        let part = |effects: &[pb::Effect]| pb::EffectGroup { authority: authority.clone(), effects: effects.to_vec() };
        split.extend(effects.chunks(EFFECTS_MAX).map(part));
    }
    split.sort_by_cached_key(prost::Message::encode_to_vec);
    split
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockDraft, SignedBlock};
    use crate::key::KeyId;
    use crate::merkle::{Levels, verify_inclusion};
    use crate::{Digest, UnitId};

    fn group(basis: pb::Basis, count: u32) -> pb::EffectGroup {
        let authority = Some(pb::Authority { basis: basis.into(), ..Default::default() });
        let id =
            |number: u32| [&[u8::try_from(i32::from(basis)).expect("small"); 28][..], &number.to_be_bytes()].concat();
        let place = Some(pb::Place { entry: 1, index: 0 });
        let action = pb::Action::Revoke.into();
        let effect = |number| pb::Effect { status_id: id(number), place, action, ..Default::default() };
        pb::EffectGroup { authority, effects: (0..count).map(effect).collect() }
    }

    /// Goal: as many effects as a block has bytes for are drafted as they come, and each piece has a path to the
    /// public root.
    #[test]
    fn many_effects_are_split() {
        let draft = BlockDraft {
            origin: "test.example/log".to_owned(),
            unit: UnitId::new(1, 1),
            height: 0,
            previous: Digest([1; 32]),
            operation_id: [1; 16],
            created_at_minute: 1,
            key_id: KeyId([1; 16]),
        };
        for (groups, pieces) in
            [(vec![(pb::Basis::Issuer, 64)], 1), (vec![(pb::Basis::Operator, 65), (pb::Basis::Issuer, 1_200)], 21)]
        {
            let groups = groups.into_iter().map(|(basis, count)| group(basis, count)).collect();
            let block = draft.sign(&[], groups, None, |_| [1; 64]).expect("a block");
            let block = SignedBlock::parse(&block).expect("a block");
            let Pieces { root, count } = block.header().pieces;
            assert_eq!((count, block.public().groups.len()), (pieces, block.shown().leaves().len()));
            assert!(block.public().groups.iter().all(|group| group.effects.len() <= EFFECTS_MAX));
            let levels = Levels::new(block.shown().leaves().to_vec());
            for (number, leaf) in (0u64..).zip(block.shown().leaves()) {
                let path = levels.path(usize::try_from(number).expect("small")).expect("a piece");
                verify_inclusion(leaf, number, u64::from(count), &path, &root).expect("it leads to the root");
            }
        }
    }
}

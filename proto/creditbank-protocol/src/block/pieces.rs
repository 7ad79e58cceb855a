//! The pieces of a public part: each of its records, then its effects, a few of a group at a time. A proof carries one
//! of them.

use std::fmt;

use prost::Message as _;
use prost::encoding::message;

use crate::Digest;
use crate::canonical::{CanonicalError, decode};
use crate::merkle::{leaf_hash, root};
use crate::pb;

/// First byte of a piece that is a public record.
const RECORD: u8 = 0x01;
/// First byte of a piece that is a slice of a group of effects.
const SLICE: u8 = 0x02;
/// Most effects of a slice. Transcripts are smallest with 2 to 4: a smaller slice has a longer path. 4 are hashed as
/// fast as any, and the authority is repeated in proofs only, so a block has the same bytes whatever stands here.
pub const SLICE_EFFECTS_MAX: usize = 4;

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
    /// Effects of a group.
    Slice(Slice<'a>),
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
            Self::Slice(slice) => {
                bytes.push(SLICE);
                slice.encode(&mut bytes);
            }
        }
        leaf_hash(&bytes)
    }
}

/// Some effects of a group, as a proof shows them: a group with the same authority and these effects.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// By what right the effects are.
    pub authority: Option<&'a pb::Authority>,
    /// The effects; none of a group without effects.
    pub effects: &'a [pb::Effect],
}

impl<'a> Slice<'a> {
    /// What a proof shows; `None` of more effects than a slice has.
    pub fn shown(group: &'a pb::EffectGroup) -> Option<Self> {
        let pb::EffectGroup { authority, effects } = group;
        (effects.len() <= SLICE_EFFECTS_MAX).then_some(Self { authority: authority.as_ref(), effects })
    }

    /// As a proof shows it.
    pub fn to_group(self) -> pb::EffectGroup {
        pb::EffectGroup { authority: self.authority.cloned(), effects: self.effects.to_vec() }
    }

    /// The bytes of its group, without a copy of it.
    fn encode(self, bytes: &mut Vec<u8>) {
        if let Some(authority) = self.authority {
            message::encode(1, authority, bytes);
        }
        message::encode_repeated(2, self.effects, bytes);
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
    let pieces = part.records.iter().map(Piece::Record).chain(slices(part).map(Piece::Slice));
    pieces.map(|piece| piece.leaf()).collect()
}

/// The effects of a public part in slices: of each group in its order as many as a slice has, the last of the rest. A
/// group without effects is one slice.
pub fn slices(part: &pb::PublicPart) -> impl Iterator<Item = Slice<'_>> {
    part.groups.iter().flat_map(|group| {
        let authority = group.authority.as_ref();
        let none = group.effects.is_empty().then_some(&group.effects[..]);
        none.into_iter().chain(group.effects.chunks(SLICE_EFFECTS_MAX)).map(move |effects| Slice { authority, effects })
    })
}

/// Groups in the order in which a public part has them: that of their bytes.
pub fn in_order(mut groups: Vec<pb::EffectGroup>) -> Vec<pb::EffectGroup> {
    groups.sort_by_cached_key(prost::Message::encode_to_vec);
    groups
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
    fn effects_are_proved_in_slices() {
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
            [(vec![(pb::Basis::Issuer, 4)], 1), (vec![(pb::Basis::Operator, 65), (pb::Basis::Issuer, 1_203)], 318)]
        {
            let groups = groups.into_iter().map(|(basis, count)| group(basis, count)).collect();
            let block = draft.sign(&[], groups, None, |_| [1; 64]).expect("a block");
            let block = SignedBlock::parse(&block).expect("a block");
            let Pieces { root, count } = block.header().pieces;
            assert_eq!((count, slices(block.public()).count()), (pieces, block.shown().leaves().len()));
            for (slice, leaf) in slices(block.public()).zip(block.shown().leaves()) {
                let shown = slice.to_group();
                assert_eq!(*leaf, leaf_hash(&[&[SLICE], &shown.encode_to_vec()[..]].concat()));
                assert!(Slice::shown(&shown).is_some());
            }
            assert!(Slice::shown(&group(pb::Basis::Issuer, 5)).is_none(), "more than a slice has");
            let levels = Levels::new(block.shown().leaves().to_vec());
            for (number, leaf) in (0u64..).zip(block.shown().leaves()) {
                let path = levels.path(usize::try_from(number).expect("small")).expect("a piece");
                verify_inclusion(leaf, number, u64::from(count), &path, &root).expect("it leads to the root");
            }
        }
    }
}

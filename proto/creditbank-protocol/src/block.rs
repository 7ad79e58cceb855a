//! Blocks: one link of a unit's chain, one signature over at most 1,024 records.

mod draft;
mod head;
mod header;
mod pieces;
mod places;
mod split;

pub use draft::{BlockDraft, DraftError, public_part};
pub use head::SignedHead;
pub use header::Header;
pub use pieces::{Piece, Pieces, Public, SLICE_EFFECTS_MAX, Slice, in_order, slices};
pub(crate) use places::check_places;
pub use places::{count_beside, places_beside, shows_place, with_places};
pub use split::split_public;

use crate::Digest;
use crate::approval::approval_message;
use crate::canonical::{CanonicalError, decode};
use crate::key::{self, SignatureError};
use crate::merkle::records_root;
use crate::pb::{self, Kind};
use crate::record::{PUBLIC_SEED, Record, RecordError, info_of};

/// Version of the block's layout.
pub const BLOCK_VERSION: u32 = 1;
/// Most records of a block.
pub const RECORDS_MAX: usize = 1_024;
/// Most bytes of a block's head.
pub const HEAD_LEN_MAX: usize = 2_048;
/// Most bytes of a public part: with the type byte it is an entry of at most 65,535 bytes.
pub const PUBLIC_LEN_MAX: usize = 65_534;
/// Most bytes of a block as it is submitted: head and public part, and tag and length of the latter.
pub const BLOCK_LEN_MAX: usize = HEAD_LEN_MAX + PUBLIC_LEN_MAX + 4;

/// A block is created at most so long before or after its seal, both cut to minutes. Admission, replay and
/// transcripts ask
/// the same.
pub const CREATED_WITHIN_MINUTES: u64 = 24 * 60;

/// Why bytes are no block, or not the block of these records. In order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Longer than head and public part may be.
    #[error("the block has {0} bytes, at most {BLOCK_LEN_MAX} are allowed, of them {HEAD_LEN_MAX} in its head")]
    TooLong(usize),
    /// Not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// Another suite or version, or a second signature, which suite 1 does not have.
    #[error("suite {suite} and version {version} of the block are not supported, expected 1 and 1")]
    Version {
        /// The suite that came.
        suite: u32,
        /// The version that came.
        version: u32,
    },
    /// A field without which a header or a block means nothing.
    #[error("{0} is missing from header or block")]
    Missing(&'static str),
    /// The public part is not the one that was signed.
    #[error("the public part has {found}, the header says {expected}")]
    PublicRoot {
        /// The header's.
        expected: Box<Pieces>,
        /// Of the part that came.
        found: Box<Pieces>,
    },
    /// Two approvals by one key.
    #[error("a key approves the block twice")]
    RepeatedApproval,
    /// A public record whose position is not in the block, or not after the one before it.
    #[error("public record {index} is out of order or not below the count {count}")]
    PublicIndex {
        /// The position.
        index: u32,
        /// Records of the block.
        count: u32,
    },
    /// A public record of a private kind, or the reverse.
    #[error("record {index}: kind {kind} may not stand in the {part} part of a block")]
    Part {
        /// The position.
        index: u32,
        /// The kind's number.
        kind: i32,
        /// `public` or `hidden`.
        part: &'static str,
    },
    /// Effects not strictly ascending by status id over all groups.
    #[error("a status id stands twice among the block's effects")]
    RepeatedEffect,
    /// An effect shows the place of its record where that may not stand, or none where it must.
    #[error("{action} {}", if *.expected { "must show the place of its record" } else { "may not show the place of its record" })]
    EffectPlace {
        /// Name of the action.
        action: &'static str,
        /// Whether it has to show it.
        expected: bool,
    },
    /// Not as many places beside the block as it has effects that show none.
    #[error("{found} places beside the block, {expected} of its effects show none")]
    PlaceCount {
        /// Effects without a place.
        expected: usize,
        /// Places that came.
        found: usize,
    },
    /// A record is none.
    #[error("record {index}: {error}")]
    Record {
        /// The position.
        index: u32,
        /// What is wrong with it.
        error: RecordError,
    },
    /// Not as many records as the header says.
    #[error("{found} records, the header says {expected}")]
    Count {
        /// The header's.
        expected: u32,
        /// Records that came.
        found: usize,
    },
    /// The records are not the ones that were signed.
    #[error("the records' root is {found}, the header says {expected}")]
    RecordsRoot {
        /// The header's.
        expected: Digest,
        /// Of the records that came.
        found: Digest,
    },
    /// The unit's signature does not hold.
    #[error("signature: {0}")]
    Signature(#[from] SignatureError),
}

/// A block whose shape is right and whose public part is the one that its header names. The signature may be anything
/// until [`SignedBlock::verify`].
#[derive(Debug, Clone, PartialEq)]
pub struct SignedBlock {
    head: SignedHead,
    public: Public,
}

impl SignedBlock {
    /// Reads a canonical `Block`, as it is submitted.
    pub fn parse(bytes: &[u8]) -> Result<Self, BlockError> {
        if bytes.len() > BLOCK_LEN_MAX {
            return Err(BlockError::TooLong(bytes.len()));
        }
        let pb::Block { header, signature, public_part, approvals, second_signature } = decode(bytes)?;
        let head = SignedHead::new(pb::BlockHead { header, signature, approvals, second_signature })?;
        head.with_public(Public::parse(&public_part)?)
    }

    /// The head, as it stands in the log.
    pub fn head(&self) -> &SignedHead {
        &self.head
    }

    /// The header.
    pub fn header(&self) -> &Header {
        self.head.header()
    }

    /// The unit's signature, 64 bytes where it is one; unchecked.
    pub fn signature(&self) -> &[u8] {
        self.head.signature()
    }

    /// The public part with its pieces.
    pub fn shown(&self) -> &Public {
        &self.public
    }

    /// The public part.
    pub fn public(&self) -> &pb::PublicPart {
        self.public.part()
    }

    /// The consents of other persons, each by another key; unchecked.
    pub fn approvals(&self) -> &[pb::Approval] {
        self.head.approvals()
    }

    /// Checks the unit's signature. Needs no state, so callers may run it on any thread.
    pub fn verify(&self, public_key: &[u8]) -> Result<(), BlockError> {
        self.head.verify(public_key)
    }

    /// Checks the signature of one of its approvals.
    pub fn verify_approval(&self, approval: &pb::Approval, public_key: &[u8]) -> Result<(), BlockError> {
        let message = approval_message(self.header(), approval);
        Ok(key::verify(public_key, message.as_bytes(), &approval.signature)?)
    }

    /// All records of the block in order: the hidden ones as they came, the public ones from the public part; refused
    /// unless they are the ones that were signed.
    pub fn records(&self, hidden: Vec<Record>) -> Result<Vec<Record>, BlockError> {
        let found = hidden.len() + self.public().records.len();
        if u32::try_from(found) != Ok(self.header().count) {
            return Err(BlockError::Count { expected: self.header().count, found });
        }
        let mut hidden = hidden.into_iter();
        let mut public = self.public().records.iter().peekable();
        let mut records = Vec::with_capacity(found);
        for index in 0..self.header().count {
            let is_public = public.peek().is_some_and(|next| next.index == index);
            let record = match (is_public, public.next_if(|_| is_public)) {
                (true, Some(shown)) => public_record(shown)?,
                _ => hidden.next().ok_or(BlockError::Count { expected: self.header().count, found })?,
            };
            if !is_public && is_public_kind(&record) {
                return Err(BlockError::Part { index, kind: record.kind().into(), part: "hidden" });
            }
            records.push(record);
        }
        let root = records_root(&records.iter().map(Record::hash).collect::<Vec<_>>());
        if root != self.header().records_root {
            return Err(BlockError::RecordsRoot { expected: self.header().records_root, found: root });
        }
        Ok(records)
    }
}

/// A record of the public part, of a kind that is public; its seed is known to all.
pub fn public_record(shown: &pb::PublicRecord) -> Result<Record, BlockError> {
    let (kind, index) = (u32::try_from(shown.kind).unwrap_or(0), shown.index);
    if Kind::try_from(shown.kind).ok().and_then(info_of).is_some_and(|info| !info.public) {
        return Err(BlockError::Part { index, kind: shown.kind, part: "public" });
    }
    Record::new(kind, shown.version, &PUBLIC_SEED, shown.body.clone())
        .map_err(|error| BlockError::Record { index, error })
}

fn is_public_kind(record: &Record) -> bool {
    info_of(record.kind()).is_some_and(|info| info.public)
}

fn check_positions(public: &pb::PublicPart, count: u32) -> Result<(), BlockError> {
    let mut next = 0;
    for record in &public.records {
        if record.index < next || record.index >= count {
            return Err(BlockError::PublicIndex { index: record.index, count });
        }
        next = record.index + 1;
    }
    Ok(())
}

/// One status id changes at most once in a block. Groups are ascending by themselves (canonical form).
pub(crate) fn check_effects<'a>(groups: impl IntoIterator<Item = &'a pb::EffectGroup>) -> Result<(), BlockError> {
    let mut ids: Vec<&[u8]> =
        groups.into_iter().flat_map(|group| &group.effects).map(|effect| effect.status_id.as_slice()).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) { Err(BlockError::RepeatedEffect) } else { Ok(()) }
}

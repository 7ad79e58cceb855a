//! Making blocks.

use super::pieces::in_order;
use super::places::without_hidden;
use super::{BLOCK_VERSION, PUBLIC_LEN_MAX, Public, RECORDS_MAX};
use crate::canonical::{CanonicalError, encode};
use crate::key::KeyId;
use crate::merkle::records_root;
use crate::once::with_stated;
use crate::pb;
use crate::record::{Record, SUITE, info_of};
use crate::{Digest, UnitId};

/// Where in which chain a block goes.
#[derive(Debug, Clone)]
pub struct BlockDraft {
    /// The log.
    pub origin: String,
    /// Who signs, and whose chain it is.
    pub unit: UnitId,
    /// Position in the chain.
    pub height: u64,
    /// Identity of the previous header, or what stands in its place at height 0.
    pub previous: Digest,
    /// Names the operation that the block is part of.
    pub operation_id: [u8; 16],
    /// Minutes since 1970-01-01T00:00Z.
    pub created_at_minute: u64,
    /// The key that will sign.
    pub key_id: KeyId,
}

/// Why records make no block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Too many records.
    #[error("{0} records, at most {RECORDS_MAX} are allowed")]
    TooMany(usize),
    /// Too many bytes.
    #[error("the public part has {0} bytes, at most {PUBLIC_LEN_MAX} are allowed")]
    TooLong(usize),
    /// What came cannot be spelled canonically.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

impl BlockDraft {
    /// The canonical bytes of the block over `records`, signed by `sign`. Records of public kinds go into the public
    /// part, the others are sent beside the block; what they use once is stated beside the effects.
    pub fn sign(
        &self,
        records: &[Record],
        groups: Vec<pb::EffectGroup>,
        approvals: impl IntoIterator<Item = pb::Approval>,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Vec<u8>, DraftError> {
        if records.len() > RECORDS_MAX {
            return Err(DraftError::TooMany(records.len()));
        }
        let groups = with_stated(&self.origin, self.unit.institution, records, groups)?;
        let public = Public::of(public_part(records, groups));
        let (pieces, public_part) = (public.pieces(), encode(public.part())?);
        if public_part.len() > PUBLIC_LEN_MAX {
            return Err(DraftError::TooLong(public_part.len()));
        }
        let header = encode(&pb::BlockHeader {
            suite: u32::from(SUITE),
            version: BLOCK_VERSION,
            origin: self.origin.clone(),
            institution: self.unit.institution.0,
            unit: self.unit.number,
            height: self.height,
            previous: self.previous.0.to_vec(),
            records_root: records_root(&records.iter().map(Record::hash).collect::<Vec<_>>()).0.to_vec(),
            count: u32::try_from(records.len()).map_err(|_| DraftError::TooMany(records.len()))?,
            public_root: pieces.root.0.to_vec(),
            operation_id: self.operation_id.to_vec(),
            created_at_minute: self.created_at_minute,
            key_id: self.key_id.0.to_vec(),
            public_count: pieces.count,
        })?;
        let message = crate::hash::Preimage::new(crate::hash::tag::BLOCK_SIGNATURE).variable(&header);
        let signature = sign(message.as_bytes()).to_vec();
        // They are a set: ascending by their bytes, which begin with the key.
        let mut approvals: Vec<pb::Approval> = approvals.into_iter().collect();
        approvals.sort_by_key(prost::Message::encode_to_vec);
        Ok(encode(&pb::Block { header, signature, public_part, approvals, second_signature: Vec::new() })?)
    }
}

/// What a block of these records and effects shows to everybody: the records of public kinds at their positions, and
/// the effects in the order of their groups, without the places that do not show.
pub fn public_part(records: &[Record], groups: Vec<pb::EffectGroup>) -> pb::PublicPart {
    let records = (0u32..)
        .zip(records)
        .filter(|(_, record)| info_of(record.kind()).is_some_and(|info| info.public))
        .map(|(index, record)| pb::PublicRecord {
            index,
            kind: record.kind().into(),
            version: u32::from(record.version()),
            body: record.body().to_vec(),
        })
        .collect();
    pb::PublicPart { records, groups: in_order(without_hidden(groups)) }
}

//! A signed block as it waits to be sealed, and its bytes on the disk.

use std::collections::BTreeMap;

use creditbank_protocol::block::{BlockError, SignedBlock, public_record};
use creditbank_protocol::entry::BlockEntries;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::Record;
use creditbank_protocol::{Digest, UnitId, names};
use creditbank_rpc::v1::SubmitBlockRequest;
use prost::Message as _;

use crate::ChainHead;

/// A signed block, what goes beside it, and what its maker notes about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    request: SubmitBlockRequest,
    /// Bytes that its maker knows it by after a restart; nothing here reads them.
    pub note: Vec<u8>,
    /// Whose chain it continues.
    pub unit: UnitId,
    /// Position in the unit's chain, from 0.
    pub height: u64,
    /// What it builds on.
    pub previous: Digest,
    /// The id of its header: what the next block builds on.
    pub id: Digest,
    /// The leaf of its head in the log: which block it is, to the last byte.
    pub leaf: Digest,
    /// What it was made for; a request for approval has the same id.
    pub(crate) operation_id: [u8; 16],
    created_at_minute: u64,
}

/// Why bytes are no waiting blocks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreparedError {
    /// The file is not as it was written.
    #[error("its checksum does not hold")]
    Checksum,
    /// The bytes end too early.
    #[error("expected {expected} bytes more, found {found}")]
    Short {
        /// How many should follow.
        expected: u64,
        /// How many follow.
        found: usize,
    },
    /// No request is there.
    #[error("expected a request: {0}")]
    Request(String),
    /// The request holds no block.
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl Prepared {
    /// A block that was signed, with what goes beside it, as [`creditbank_rpc::block_request`] gives it.
    pub fn new(request: SubmitBlockRequest, note: Vec<u8>) -> Result<Self, BlockError> {
        let parsed = SignedBlock::parse(&request.block)?;
        let header = parsed.header();
        let (unit, height, previous, id) = (header.unit, header.height, header.previous, header.id());
        let (operation_id, created_at_minute) = (header.operation_id, header.created_at_minute);
        let leaf = leaf_hash(&BlockEntries::of(&parsed).head);
        Ok(Self { request, note, unit, height, previous, id, leaf, operation_id, created_at_minute })
    }

    /// What is sent to the node: the same bytes each time.
    pub fn request(&self) -> &SubmitBlockRequest {
        &self.request
    }

    /// What it holds, in a few words, as `2 x key, 1 unit of the operator`.
    pub fn what(&self) -> String {
        let Ok(block) = SignedBlock::parse(&self.request.block) else { return "a block".to_owned() };
        let count = |number: usize, what: &str| match number {
            0 => None,
            1 => Some(format!("1 {what}")),
            more => Some(format!("{more} x {what}")),
        };
        let shown = &block.public().records;
        let hidden = usize::try_from(block.header().count).unwrap_or(usize::MAX).saturating_sub(shown.len());
        let mut kinds: BTreeMap<i32, usize> = BTreeMap::new();
        shown.iter().for_each(|record| *kinds.entry(record.kind).or_default() += 1);
        let public = kinds
            .into_iter()
            .filter_map(|(kind, number)| count(number, &names::of(Kind::try_from(kind).unwrap_or_default())));
        let effects = block.public().groups.iter().map(|group| group.effects.len()).sum();
        let rest = [count(hidden, "record"), count(effects, "change of a record")].into_iter().flatten();
        let what: Vec<String> = public.chain(rest).collect();
        let (what, unit) = (what.join(", "), self.unit);
        if unit.institution.is_operator() {
            return format!("{what} of the operator");
        }
        format!("{what} of unit {} of institution {}", unit.number, unit.institution)
    }

    /// The registry records in it.
    pub(crate) fn public_records(&self) -> Result<Vec<Record>, BlockError> {
        SignedBlock::parse(&self.request.block)?.public().records.iter().map(public_record).collect()
    }

    /// What the next block builds on, once this one is sealed.
    pub fn head(&self) -> ChainHead {
        let (next_height, previous) = (self.height + 1, self.id);
        ChainHead { next_height, previous, created_at_minute: self.created_at_minute }
    }

    /// Appends the block as it stands on the disk: request and note, each behind its length.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        for part in [&self.request.encode_to_vec(), &self.note] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
    }

    /// The blocks that [`write`](Self::write) has written one after the other.
    pub fn read(mut bytes: &[u8]) -> Result<Vec<Self>, PreparedError> {
        let mut blocks = Vec::new();
        while !bytes.is_empty() {
            let request = part(&mut bytes)?;
            let request =
                SubmitBlockRequest::decode(request).map_err(|error| PreparedError::Request(error.to_string()))?;
            blocks.push(Self::new(request, part(&mut bytes)?.to_vec())?);
        }
        Ok(blocks)
    }
}

fn part<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], PreparedError> {
    let short = |expected, found| PreparedError::Short { expected, found };
    let (len, rest) = bytes.split_first_chunk::<8>().ok_or_else(|| short(8, bytes.len()))?;
    let len = u64::from_be_bytes(*len);
    let split = usize::try_from(len).ok().and_then(|len| rest.split_at_checked(len));
    let (part, rest) = split.ok_or_else(|| short(len, rest.len()))?;
    *bytes = rest;
    Ok(part)
}

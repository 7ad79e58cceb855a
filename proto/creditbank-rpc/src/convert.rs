//! Conversions between messages of calls and the protocol's own types.

use creditbank_protocol::block::{SignedBlock, places_beside};
use creditbank_protocol::pb::EffectGroup;
use creditbank_protocol::record::{Record, info_of};

use crate::v1::{RecordBody, SubmitBlockRequest};

/// A record as it travels beside its block.
impl From<&Record> for RecordBody {
    fn from(record: &Record) -> Self {
        Self {
            kind: u32::from(record.kind_number()),
            version: u32::from(record.version()),
            body: record.body().to_vec().into(),
            seed: record.seed().to_vec().into(),
        }
    }
}

/// A signed block with what goes beside it: those of its records that are hidden, and the places that its effects do
/// not show. `groups` are its effects with their places, in any order.
pub fn block_request(block: Vec<u8>, records: &[Record], groups: &[EffectGroup]) -> SubmitBlockRequest {
    // Bytes that are no block need no places: they are refused anyway.
    let parsed = SignedBlock::parse(&block);
    let places = parsed.map_or_else(|_| Vec::new(), |parsed| places_beside(parsed.public(), groups));
    let hidden = records.iter().filter(|record| info_of(record.kind()).is_some_and(|info| !info.public));
    SubmitBlockRequest { block: block.into(), records: hidden.map(RecordBody::from).collect(), places }
}

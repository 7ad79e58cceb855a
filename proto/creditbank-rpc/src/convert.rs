//! Conversions between messages of calls and the protocol's own types.

use creditbank_protocol::record::Record;

use crate::v1::RecordBody;

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

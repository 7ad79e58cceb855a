//! Public records in as few blocks as hold them.

use super::{PUBLIC_LEN_MAX, RECORDS_MAX};
use crate::record::Record;

/// Most bytes of a public record besides its body: its own tag and length, index, kind and version, tag and length of the
/// body.
const AROUND_BODY_MAX: usize = 24;

/// Public records in their order, cut into parts of which each fits into one block without effects. A record that no block
/// can hold stands alone.
pub fn split_public(records: &[Record]) -> Vec<&[Record]> {
    let mut parts = Vec::new();
    let (mut begin, mut len) = (0, 0);
    for (at, record) in records.iter().enumerate() {
        let more = record.body().len() + AROUND_BODY_MAX;
        if at > begin && (len + more > PUBLIC_LEN_MAX || at - begin == RECORDS_MAX) {
            parts.push(&records[begin..at]);
            (begin, len) = (at, 0);
        }
        len += more;
    }
    if begin < records.len() {
        parts.push(&records[begin..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockDraft, SignedBlock};
    use crate::canonical::encode;
    use crate::key::KeyId;
    use crate::pb::{self, Kind};
    use crate::record::PUBLIC_SEED;
    use crate::{Digest, UnitId, block::DraftError};

    fn record(len: usize) -> Record {
        let source = "x".repeat(len.min(400));
        let names =
            vec![pb::Text { language: "en".to_owned(), value: "y".repeat(len.saturating_sub(400).clamp(1, 1_000)) }];
        let sources = vec![pb::Source { text: source, ..Default::default() }];
        let scale = pb::GradeScale { code: "S".to_owned(), sources, names, ..Default::default() };
        Record::of(Kind::GradeScale, &PUBLIC_SEED, encode(&scale).expect("canonical")).expect("a record")
    }

    fn block(records: &[Record]) -> Result<Vec<u8>, DraftError> {
        let draft = BlockDraft {
            origin: "o".repeat(128),
            unit: UnitId::OPERATOR,
            height: u64::MAX,
            previous: Digest([7; 32]),
            operation_id: [7; 16],
            created_at_minute: 4_294_967_295,
            key_id: KeyId([7; 16]),
        };
        draft.sign(records, Vec::new(), None, |_| [7; 64])
    }

    /// Goal: every part makes a block, parts are as large as they may be, and together they are what came, in its order.
    #[test]
    fn each_part_fits_into_a_block() {
        for (count, len, parts) in
            [(0, 1, 0), (1, 1, 1), (1_024, 1, 1), (1_025, 1, 2), (5_000, 10, 5), (500, 1_400, 12)]
        {
            let records: Vec<Record> = (0..count).map(|_| record(len)).collect();
            let split = split_public(&records);
            assert_eq!(split.len(), parts, "{count} of {len}");
            assert_eq!(split.iter().map(|part| part.len()).sum::<usize>(), count);
            for part in split {
                let block = block(part).expect("the part fits");
                assert_eq!(SignedBlock::parse(&block).expect("a block").public().records.len(), part.len());
            }
        }
    }
}

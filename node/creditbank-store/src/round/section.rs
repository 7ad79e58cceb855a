//! The table before an entry: the lengths of the entry and its bodies, and the checksum of each body.

use super::RoundError;

/// Bytes of one body's length and checksum.
const BODY_LEN: u64 = 4 + 4;

/// Bytes of the table of an entry with this many bodies, including its checksum.
pub(crate) fn table_len(bodies: u32) -> u64 {
    4 + 4 + BODY_LEN * u64::from(bodies) + 4
}

/// The checksum of a table. It covers the log index too, so that a table cannot be used for another entry.
pub(super) fn checksum(index: u64, table: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&index.to_be_bytes()), table)
}

/// A table whose checksum is right.
pub(crate) struct SectionTable {
    pub(crate) entry_len: u32,
    bodies: Vec<BodyPlace>,
}

/// Where a body is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyPlace {
    /// Its first byte, from the start of the section.
    pub(crate) start: u64,
    pub(crate) len: u32,
    pub(crate) crc: u32,
}

impl SectionTable {
    /// Reads the table of the entry at a log index.
    pub(crate) fn read(index: u64, bytes: &[u8]) -> Result<Self, RoundError> {
        let (table, crc) = bytes.split_last_chunk::<4>().ok_or(RoundError::Truncated)?;
        if checksum(index, table).to_be_bytes() != *crc {
            return Err(RoundError::Checksum);
        }
        let (head, rest) = table.split_first_chunk::<8>().ok_or(RoundError::Truncated)?;
        let words = |pair: &[u8; 8]| {
            let word = |at: usize| u32::from_be_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
            (word(0), word(4))
        };
        let ((entry_len, count), (pairs, surplus)) = (words(head), rest.as_chunks::<8>());
        if u32::try_from(pairs.len()) != Ok(count) || !surplus.is_empty() {
            return Err(RoundError::Truncated);
        }
        let mut start = table_len(count) + u64::from(entry_len);
        let place = |(len, crc): (u32, u32)| {
            let place = BodyPlace { start, len, crc };
            start += u64::from(len);
            place
        };
        Ok(Self { entry_len, bodies: pairs.iter().map(words).map(place).collect() })
    }

    /// The body at a position; `None` if there are fewer.
    pub(crate) fn body(&self, position: u32) -> Option<BodyPlace> {
        self.bodies.get(usize::try_from(position).ok()?).copied()
    }
}

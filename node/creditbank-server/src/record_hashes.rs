//! The table before a block's bodies: the hashes of its records in clear, and the roots of groups of them.
//!
//! Paths are made from it, even if a neighbour's key was destroyed. With the groups, a path does not need a hash of the
//! whole block. A table reveals nothing without bodies and seeds.

use creditbank_protocol::Digest;
use creditbank_protocol::merkle::{RECORD_GROUP, record_groups, record_path_by_groups};

/// The parts of a table that a path needs: the record hashes of one group, and the roots of all groups.
pub(crate) struct PathParts {
    index: usize,
    /// First byte, and number of bytes.
    pub(crate) group: (u64, usize),
    /// The same of the roots.
    pub(crate) roots: (u64, usize),
}

impl PathParts {
    /// The parts for the path of a record, in a table of this length; `None` if there is no such record.
    pub(crate) fn of(index: usize, table_len: u64) -> Option<Self> {
        let (count, groups) = counts(usize::try_from(table_len).ok()? / HASH_LEN);
        let first = index / RECORD_GROUP * RECORD_GROUP;
        let size = count.checked_sub(first)?.min(RECORD_GROUP);
        let span = |from: usize, count: usize| ((from * HASH_LEN) as u64, count * HASH_LEN);
        (index < count).then(|| Self { index, group: span(first, size), roots: span(count, groups) })
    }

    /// The path from the record to the records root. Malformed bytes make paths that lead nowhere, which the receiver
    /// notices.
    pub(crate) fn path(&self, group: &[u8], roots: &[u8]) -> Option<Vec<Digest>> {
        record_path_by_groups(&digests(group), &digests(roots), self.index)
    }
}

const HASH_LEN: usize = 32;

/// How many of a table's hashes are those of records, and how many are roots of groups.
fn counts(hashes: usize) -> (usize, usize) {
    // Each whole group counts for one hash more than its records.
    let groups = hashes.div_ceil(RECORD_GROUP + 1);
    (hashes - groups, groups)
}

fn digests(bytes: &[u8]) -> Vec<Digest> {
    bytes.as_chunks::<HASH_LEN>().0.iter().map(|hash| Digest(*hash)).collect()
}

/// The bytes of the table of these record hashes.
pub(crate) fn record_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().chain(&record_groups(hashes)).flat_map(|hash| hash.0).collect()
}

/// The record hashes of a table, in order.
pub(crate) fn hashes_of(table: &[u8]) -> Vec<Digest> {
    let mut hashes = digests(table);
    hashes.truncate(counts(hashes.len()).0);
    hashes
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::hash::sha256;
    use creditbank_protocol::merkle::record_path;

    use super::*;

    /// Goal: a table of any length reads back, with the paths of the whole tree.
    #[test]
    fn a_table_reads_back() {
        for count in (0..70).chain([1_000, 1_023, 1_024]) {
            let hashes: Vec<_> = (0..count).map(|number: u32| sha256(&number.to_be_bytes())).collect();
            let table = record_hashes(&hashes);
            assert_eq!(hashes_of(&table), hashes);
            let part = |(from, len): (u64, usize)| {
                let from = usize::try_from(from).expect("a table is small");
                &table[from..from + len]
            };
            for index in [0, 31, 32, hashes.len().saturating_sub(1), hashes.len()] {
                let parts = PathParts::of(index, table.len() as u64);
                let path = parts.and_then(|parts| parts.path(part(parts.group), part(parts.roots)));
                assert_eq!(path, record_path(&hashes, index), "{index} of {count}");
            }
        }
    }
}

//! The table in front of a block's bodies: the hashes of its records in clear, and the roots of groups of them.
//!
//! Paths are made from it, also when a neighbour's key was destroyed; the groups spare hashing a whole block for each path.
//! A table says nothing without bodies and seeds.

use creditbank_protocol::Digest;
use creditbank_protocol::merkle::{RECORD_GROUP, record_groups, record_path_by_groups};

/// A table as it was read.
pub(crate) struct RecordHashes {
    /// The record hashes, in order.
    pub(crate) hashes: Vec<Digest>,
    groups: Vec<Digest>,
}

/// The bytes of the table of these record hashes.
pub(crate) fn record_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().chain(&record_groups(hashes)).flat_map(|hash| hash.0).collect()
}

impl RecordHashes {
    /// Reads a table. Bytes that are none make paths that lead nowhere, which whoever gets them finds out.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut hashes: Vec<Digest> = bytes.as_chunks::<32>().0.iter().map(|hash| Digest(*hash)).collect();
        // Each whole group stands for one hash more than its records.
        let groups = hashes.split_off(hashes.len() - hashes.len().div_ceil(RECORD_GROUP + 1));
        Self { hashes, groups }
    }

    /// The path from a record to the records root.
    pub(crate) fn path(&self, index: usize) -> Option<Vec<Digest>> {
        record_path_by_groups(&self.hashes, &self.groups, index)
    }
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
            let read = RecordHashes::read(&record_hashes(&hashes));
            assert_eq!(read.hashes, hashes);
            let last = hashes.len().saturating_sub(1);
            assert_eq!(read.path(last), record_path(&hashes, last), "{count}");
        }
    }
}

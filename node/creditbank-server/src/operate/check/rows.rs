//! The journal's rows, small enough to hold in memory: only a fingerprint of each key and value.
//!
//! Rows are absolute values that later rounds overwrite, so a sum over them would not do: the newest value of each key
//! must be known. A set of fingerprints takes about 50 bytes a key. If the journal has more keys than fit, they are
//! split by their fingerprint, and each part needs another pass over journal and index. So memory is limited, whatever
//! the size.

use std::collections::HashMap;

use creditbank_store::{Row, Table};
use sha2::{Digest as _, Sha256};

/// Keys of one part, about 250 MiB.
const PART_KEYS: u64 = 4 << 20;
/// Bytes of journal for one row. This is less than a record takes with its body, so that parts become too small rather
/// than too large.
const JOURNAL_BYTES_PER_ROW: u64 = 128;

/// Fingerprints of a row's key and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Print {
    pub(super) table: Table,
    pub(super) key: [u8; 16],
    pub(super) value: Option<u64>,
}

impl Print {
    pub(super) fn of(row: &Row) -> Self {
        Self::new(row.table, &row.key, row.value.as_deref())
    }

    pub(super) fn new(table: Table, key: &[u8], value: Option<&[u8]>) -> Self {
        let digest: [u8; 32] = Sha256::new().chain_update([table.0]).chain_update(key).finalize().into();
        let value = value.map(|value| {
            let digest: [u8; 32] = Sha256::digest(value).into();
            digest[..8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
        });
        Self { table, key: std::array::from_fn(|i| digest[i]), value }
    }

    fn part(&self, parts: u64) -> u64 {
        self.key[..8].iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte)) % parts
    }
}

/// What the journal says about a key.
#[derive(Debug, Clone, Copy)]
struct Newest {
    table: Table,
    value: Option<u64>,
    /// Whether index and flat files are certain up to the round that wrote it.
    certain: bool,
}

/// The result of comparing a row of the index with the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// The key belongs to another part.
    Elsewhere,
    Same,
    /// Written after the certain part: the next start replays it.
    Pending,
    Other,
    Unknown,
}

/// One part of the keys.
pub(super) struct RowSet {
    parts: u64,
    part: u64,
    newest: HashMap<[u8; 16], Newest>,
}

impl RowSet {
    /// The first part of the keys, for a journal of `bytes`.
    pub(super) fn new(bytes: u64) -> Self {
        Self::with_parts(bytes / (PART_KEYS * JOURNAL_BYTES_PER_ROW) + 1)
    }

    fn with_parts(parts: u64) -> Self {
        Self { parts, part: 0, newest: HashMap::new() }
    }

    pub(super) fn extend(&mut self, prints: Vec<Print>, certain: bool) {
        for print in prints {
            if print.part(self.parts) == self.part {
                self.newest.insert(print.key, Newest { table: print.table, value: print.value, certain });
            }
        }
    }

    /// Compares a row of the index, and removes its key from the set.
    pub(super) fn compare(&mut self, print: &Print) -> Compared {
        if print.part(self.parts) != self.part {
            return Compared::Elsewhere;
        }
        match self.newest.remove(&print.key) {
            None => Compared::Unknown,
            Some(newest) if newest.value == print.value => Compared::Same,
            Some(newest) if !newest.certain => Compared::Pending,
            Some(_) => Compared::Other,
        }
    }

    /// Tables of rows that the journal certainly has and that were not compared.
    pub(super) fn missing(&self) -> impl Iterator<Item = Table> + '_ {
        self.newest.values().filter(|newest| newest.certain && newest.value.is_some()).map(|newest| newest.table)
    }

    /// Goes to the next part, if there is one.
    pub(super) fn next_part(&mut self) -> bool {
        self.part += 1;
        self.newest.clear();
        self.part < self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever the number of parts, each row is compared in exactly one of them, the newest value counts, and
    /// missing, different and unknown rows are told apart.
    #[test]
    fn parts_cover_everything_once() {
        let row = |key: u8, value: Option<u8>| {
            Print::new(Table(1), &[key], value.map(|value| [value]).as_ref().map(|v| &v[..]))
        };
        for parts in [1, 2, 5] {
            let mut set = RowSet::with_parts(parts);
            let (mut same, mut other, mut unknown, mut missing, mut pending) = (0, 0, 0, 0, 0);
            loop {
                set.extend((0..100).map(|key| row(key, Some(1))).collect(), true);
                set.extend((0..50).map(|key| row(key, Some(2))).collect(), true);
                set.extend(vec![row(99, None), row(0, Some(3))], false);
                // In the index: 0..98, one of them old, and one that nobody wrote.
                for key in (0..98).chain([200]) {
                    let value = if (1..50).contains(&key) && key != 7 { 2 } else { 1 };
                    match set.compare(&row(key, Some(value))) {
                        Compared::Same => same += 1,
                        Compared::Other => other += 1,
                        Compared::Unknown => unknown += 1,
                        Compared::Pending => pending += 1,
                        Compared::Elsewhere => {}
                    }
                }
                missing += set.missing().count();
                if !set.next_part() {
                    break;
                }
            }
            assert_eq!((same, other, unknown, missing, pending), (96, 1, 1, 1, 1), "{parts} parts");
        }
    }
}

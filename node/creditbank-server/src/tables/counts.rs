//! How many rows each table of the index has, and how many records the key store has. So the next start notices a row
//! that an engine has lost; otherwise an index that lacks rows would say "no records" about a learner who has some.
//!
//! Each round sets this one row, as an absolute value like all others. Nothing is ever removed from a table.

use std::collections::BTreeSet;

use creditbank_protocol::counted;
use creditbank_store::{Row, Store, StoreError, Table};

use super::{CHAIN, COUNTS, IDENTITY, NOTE, STATUS, counts};

/// The counted tables: 1 to 13, except the one with the counts.
const TABLES: usize = 14;
/// Tables whose rows are sometimes rewritten. In all others a key is written once.
const REWRITTEN: [Table; 4] = [IDENTITY, CHAIN, STATUS, NOTE];

/// Rows by table, and records of the key store that are in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records of the key store, from its beginning on, that must exist.
    pub(crate) keys: u64,
    rows: [u64; TABLES],
    /// Erased learners that the key store has; an older file has fewer.
    pub(crate) erased: u64,
}

impl Counts {
    /// The counts that a log has stored; zero for a log without rounds.
    pub(crate) fn stored(store: &dyn Store) -> Result<Self, StoreError> {
        match store.get(COUNTS, &[])? {
            Some(value) => {
                Self::from_bytes(&value).ok_or_else(|| store.distrust_index("the row of the counts is malformed"))
            }
            None if store.head().size == 0 => Ok(Self::default()),
            None => Err(store.distrust_index("the row of the counts is missing")),
        }
    }

    /// Counts the rows of the index and compares the counts. It reads all rows, and so checks the checksum of each.
    pub(crate) fn check(&self, store: &dyn Store) -> Result<(), StoreError> {
        for (number, expected) in (0u8..).zip(self.rows) {
            let table = Table(number);
            if table == COUNTS {
                continue;
            }
            let mut found = 0u64;
            for row in store.rows(table, &[]) {
                row?;
                found += 1;
            }
            if found != expected {
                let what = format!("table {number} has {}, {expected} were written", counted(found, "row", "rows"));
                return Err(store.distrust_index(&what));
            }
        }
        Ok(())
    }

    /// Counts the rows of a round that follows; `keys` are the records of the key store, where it has new ones.
    pub(crate) fn add(&mut self, store: &dyn Store, rows: &[Row], keys: Option<u64>) -> Result<(), StoreError> {
        let mut seen = BTreeSet::new();
        for Row { table, key, .. } in rows {
            let is_rewritten = REWRITTEN.contains(table);
            if !seen.insert((*table, &key[..])) || (is_rewritten && store.get(*table, key)?.is_some()) {
                continue;
            }
            if let Some(count) = self.rows.get_mut(usize::from(table.0)).filter(|_| *table != COUNTS) {
                *count += 1;
            }
        }
        self.keys = self.keys.max(keys.unwrap_or(0));
        Ok(())
    }

    /// The row of them.
    pub(crate) fn row(&self) -> Row {
        let words = std::iter::once(self.keys).chain(self.rows).chain([self.erased]);
        counts(words.flat_map(u64::to_be_bytes).collect())
    }

    /// Of a row's value.
    pub(crate) fn from_bytes(value: &[u8]) -> Option<Self> {
        let (words, rest) = value.as_chunks::<8>();
        let (keys, more) = words.split_first()?;
        let (rows, erased) = more.split_first_chunk::<TABLES>()?;
        // Logs of earlier versions do not count the erased.
        let erased = match erased {
            [] => 0,
            [erased] => u64::from_be_bytes(*erased),
            _ => return None,
        };
        let counts = Self { keys: u64::from_be_bytes(*keys), rows: rows.map(u64::from_be_bytes), erased };
        rest.is_empty().then_some(counts)
    }
}

#[cfg(test)]
mod tests {
    use creditbank_store::{MemoryStore, Round};

    use super::super::put;
    use super::*;

    /// Goal: what was written is counted once however often it is written, and a row that is lost is found.
    #[test]
    fn a_lost_row_is_found() {
        let store = MemoryStore::default();
        let append = |rows: Vec<Row>| {
            let head = store.head();
            store.append(&Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows })
        };
        let mut counts = Counts::stored(&store).expect("a new log");
        for round in 0..3u8 {
            // A learner's row, twice in one round; and the head of a chain, the same in each round.
            let learner = put(super::super::LEARNER, vec![round], vec![1]);
            let rows = vec![learner.clone(), learner, put(CHAIN, vec![7], vec![round])];
            counts.add(&store, &rows, (round == 1).then_some(5)).expect("counted");
            append(rows).expect("appended");
        }
        append(vec![counts.row()]).expect("appended");
        let stored = Counts::stored(&store).expect("stored");
        assert_eq!((stored, stored.keys), (counts, 5));
        stored.check(&store).expect("all are there");
        append(vec![Row { table: super::super::LEARNER, key: vec![1], value: None }]).expect("appended");
        let lost = stored.check(&store).expect_err("one is lost").to_string();
        assert!(lost.contains("table 2 has 2 rows, 3 were written"), "{lost}");
    }
}

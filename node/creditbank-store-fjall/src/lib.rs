//! The fjall index engine, for a big single node. Only this crate names fjall.
//!
//! A log-structured merge tree: rows that come in no order are written in runs and merged later, so that the cost of a
//! row hardly grows with the number of rows. fjall's own journal is synced only when the store asks for it: what it
//! loses in a crash, the store's journal has.
#![forbid(unsafe_code)]

use std::path::Path;

use creditbank_store::{Engine, Index, IndexError, KeyValue, Row, Table, flat_key};
use fjall::config::CompressionPolicy;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

/// Bytes of the block cache.
pub const CACHE_BYTES: u64 = 128 << 20;
/// Bytes of rows that are held in memory before they are written as a run.
const MEMTABLE_BYTES: u64 = 32 << 20;
/// Bytes of fjall's own journal, which holds what is not yet in a run.
const JOURNAL_BYTES: u64 = 64 << 20;

/// One thread would leave full memtables waiting while it merges runs, and writers behind them.
const WORKERS: usize = 2;

/// Rows in fjall.
pub struct FjallIndex {
    db: Database,
    rows: Keyspace,
}

fn failed(error: impl std::fmt::Display) -> IndexError {
    IndexError(format!("fjall: {error}"))
}

fn guarded<T>(what: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    creditbank_store::catching_panics("fjall", what)
}

impl FjallIndex {
    /// As a node takes it: `fjall:PATH`.
    pub const ENGINE: Engine =
        Engine { scheme: "fjall", about: "for millions of records", open: |_, dir| Ok(Box::new(Self::open(dir)?)) };

    /// Opens or makes the engine's files in `dir`.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        guarded(|| {
            let builder = Database::builder(dir)
                .cache_size(CACHE_BYTES)
                .max_journaling_size(JOURNAL_BYTES)
                .manual_journal_persist(true)
                .worker_threads(WORKERS);
            let db = builder.open().map_err(failed)?;
            let options = || {
                // Keys and values are mostly digests: compressing them costs time and saves nothing.
                KeyspaceCreateOptions::default()
                    .max_memtable_size(MEMTABLE_BYTES)
                    .data_block_compression_policy(CompressionPolicy::disabled())
                    .manual_journal_persist(true)
            };
            let rows = db.keyspace("rows", options).map_err(failed)?;
            Ok(Self { db, rows })
        })
    }
}

impl Index for FjallIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded(|| Ok(self.rows.get(flat_key(table, key)).map_err(failed)?.map(|value| value.to_vec())))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        let prefix = flat_key(table, prefix);
        let after = after.map(|after| flat_key(table, after)).filter(|after| *after >= prefix);
        guarded(|| {
            let rows = match &after {
                // The next key after `after` is `after` with a zero byte.
                Some(after) => self.rows.range([after.as_slice(), &[0]].concat()..),
                None => self.rows.prefix(&prefix),
            };
            let mut found = Vec::new();
            for row in rows.take(limit) {
                let (key, value) = row.into_inner().map_err(failed)?;
                if !key.starts_with(&prefix) {
                    break;
                }
                found.push((key[1..].to_vec(), value.to_vec()));
            }
            Ok(found)
        })
    }

    fn apply(&self, rows: &[Row]) -> Result<(), IndexError> {
        guarded(|| {
            let mut batch = self.db.batch();
            for Row { table, key, value } in rows {
                let key = flat_key(*table, key);
                match value {
                    Some(value) => batch.insert(&self.rows, key, value.as_slice()),
                    None => batch.remove(&self.rows, key),
                }
            }
            batch.commit().map_err(failed)
        })
    }

    fn sync(&self) -> Result<(), IndexError> {
        guarded(|| self.db.persist(PersistMode::SyncAll).map_err(failed))
    }

    fn clear(&self) -> Result<(), IndexError> {
        guarded(|| self.rows.clear().map_err(failed))
    }
}

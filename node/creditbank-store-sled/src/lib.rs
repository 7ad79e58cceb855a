//! The sled index engine, the default. Only this crate names sled.
//!
//! sled 0.34's `flush` is no barrier on Linux (it calls `sync_file_range`), so [`SledIndex::sync`] calls fdatasync on
//! the engine's files itself. Rows go in by plain inserts: sled's batches keep several kilobytes of memory for each
//! row.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use creditbank_store::{Engine, Index, IndexError, KeyValue, Row, Table, flat_key};

/// Bytes of sled's page cache.
pub const CACHE_BYTES: u64 = 128 << 20;

/// Rows in sled.
pub struct SledIndex {
    dir: PathBuf,
    db: sled::Db,
}

fn failed(error: impl std::fmt::Display) -> IndexError {
    IndexError(format!("sled: {error}"))
}

fn guarded<T>(what: impl FnOnce() -> Result<T, IndexError>) -> Result<T, IndexError> {
    creditbank_store::catching_panics("sled", what)
}

impl SledIndex {
    /// As a node takes it: `sled:PATH`.
    pub const ENGINE: Engine = Engine {
        scheme: "sled",
        about: "the default, small and quick to open",
        open: |_, dir| Ok(Box::new(Self::open(dir)?)),
    };

    /// Opens or makes the engine's files in `dir`.
    pub fn open(dir: &Path) -> Result<Self, IndexError> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE_BYTES).flush_every_ms(Some(1_000));
        let db = guarded(|| config.open().map_err(failed))?;
        Ok(Self { dir: dir.to_owned(), db })
    }
}

impl Index for SledIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded(|| Ok(self.db.get(flat_key(table, key)).map_err(failed)?.map(|value| value.to_vec())))
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
        let rows = match &after {
            // The next key after `after` is `after` with a zero byte.
            Some(after) => self.db.range([after.as_slice(), &[0]].concat()..),
            None => self.db.range(prefix.clone()..),
        };
        guarded(|| {
            let mut found = Vec::new();
            for row in rows {
                let (key, value) = row.map_err(failed)?;
                if found.len() == limit || !key.starts_with(&prefix) {
                    break;
                }
                found.push((key[1..].to_vec(), value.to_vec()));
            }
            Ok(found)
        })
    }

    fn apply(&self, rows: &[Row]) -> Result<(), IndexError> {
        guarded(|| {
            for Row { table, key, value } in rows {
                let key = flat_key(*table, key);
                match value {
                    Some(value) => self.db.insert(key, value.as_slice()),
                    None => self.db.remove(key),
                }
                .map_err(failed)?;
            }
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), IndexError> {
        guarded(|| self.db.flush().map_err(failed))?;
        sync_tree(&self.dir).map_err(failed)
    }

    fn clear(&self) -> Result<(), IndexError> {
        guarded(|| self.db.clear().map_err(failed))
    }
}

/// Syncs every file below a directory, and the directories.
fn sync_tree(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            match File::open(&path) {
                Ok(file) => file.sync_all()?,
                // The engine removes files of its own while it works.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    File::open(dir)?.sync_all()
}

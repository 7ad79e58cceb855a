//! An index engine on any disk, for the simulation of a whole node: rows in memory, written as one file at each sync.
//! What was applied since the last sync is lost with the process, as an engine may lose it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Disk, Engine, Index, IndexError, KeyValue, MemoryIndex, Row, Table};

/// Rows in memory, and in one file.
pub struct SimulatedIndex {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    rows: MemoryIndex,
}

impl SimulatedIndex {
    /// In the form that a node uses, under the name `simulated`.
    pub const ENGINE: Engine =
        Engine { scheme: "simulated", about: "for tests", open: |disk, dir| Ok(Box::new(Self::open(disk, dir)?)) };

    /// Opens or makes the engine's file in `dir`.
    pub fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Self, IndexError> {
        let (path, rows) = (dir.join("rows"), MemoryIndex::default());
        disk.make_dir(dir).map_err(failed)?;
        if disk.exists(&path).map_err(failed)? {
            let bytes = disk.read(&path).map_err(failed)?;
            rows.apply(&decode(&bytes).ok_or_else(|| IndexError("simulated: its file is damaged".to_owned()))?)?;
        }
        Ok(Self { disk: Arc::clone(disk), path, rows })
    }
}

fn failed(error: std::io::Error) -> IndexError {
    IndexError(format!("simulated: {error}"))
}

/// Table, length of the key, key, length of the value, value of each row; then the checksum of all.
fn encode(rows: &[(Table, KeyValue)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (table, (key, value)) in rows {
        bytes.push(table.0);
        for part in [key, value] {
            bytes.extend_from_slice(&u32::try_from(part.len()).expect("rows are small").to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<Row>> {
    let (mut rest, crc) = bytes.split_last_chunk::<4>()?;
    if crc32c::crc32c(rest).to_be_bytes() != *crc {
        return None;
    }
    let mut rows = Vec::new();
    while let Some((table, after)) = rest.split_first() {
        rest = after;
        let (key, value) = (part(&mut rest)?, part(&mut rest)?);
        rows.push(Row { table: Table(*table), key, value: Some(value) });
    }
    Some(rows)
}

fn part(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (len, after) = rest.split_first_chunk::<4>()?;
    let (part, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    *rest = after;
    Some(part.to_vec())
}

impl Index for SimulatedIndex {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.rows.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, IndexError> {
        self.rows.scan(table, prefix, after, limit)
    }

    fn apply(&self, rows: &[Row]) -> Result<(), IndexError> {
        self.rows.apply(rows)
    }

    fn sync(&self) -> Result<(), IndexError> {
        let mut rows = Vec::new();
        for table in (0..=u8::MAX).map(Table) {
            let found = self.rows.scan(table, b"", None, usize::MAX)?;
            rows.extend(found.into_iter().map(|row| (table, row)));
        }
        self.disk.replace(&self.path, &encode(&rows)).map_err(failed)
    }

    fn clear(&self) -> Result<(), IndexError> {
        self.rows.clear()
    }
}

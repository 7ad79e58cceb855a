//! Rounds that are applied to the index, and the rows that wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::Options;
use super::position::{self, Durable};
use crate::flat::FlatFiles;
use crate::{Disk, Index, IndexError, KeyValue, Row, StoreError, Table, row_sum};

/// The rows of a round, ascending by table and key, each key once, with the checksums that the index keeps.
pub(super) struct Batch {
    sequence: u64,
    rows: Vec<Row>,
}

impl Batch {
    fn new(sequence: u64, rows: &[Row]) -> Self {
        let mut rows: Vec<Row> = rows.iter().map(row_sum::with_sum).collect();
        // A stable sort: of two changes of a key the later one comes last.
        rows.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
        rows.reverse();
        rows.dedup_by(|a, b| (a.table, &a.key) == (b.table, &b.key));
        rows.reverse();
        Self { sequence, rows }
    }

    fn get(&self, table: Table, key: &[u8]) -> Option<&Row> {
        let found = self.rows.binary_search_by(|row| (row.table, &row.key[..]).cmp(&(table, key)));
        found.ok().map(|at| &self.rows[at])
    }

    fn scan<'a>(&'a self, table: Table, prefix: &'a [u8], after: Option<&'a [u8]>) -> impl Iterator<Item = &'a Row> {
        let start = match after {
            Some(after) if after >= prefix => {
                self.rows.partition_point(|row| (row.table, &row.key[..]) <= (table, after))
            }
            _ => self.rows.partition_point(|row| (row.table, &row.key[..]) < (table, prefix)),
        };
        self.rows[start..].iter().take_while(move |row| row.table == table && row.key.starts_with(prefix))
    }
}

/// The index and the rounds that are not in it yet, oldest first. A round is removed only after the index has it.
pub(super) struct Shared {
    index: Box<dyn Index>,
    waiting: RwLock<VecDeque<Arc<Batch>>>,
    /// Why the index is not used any more. Held while the position is written, so that a position that was taken back
    /// stays so.
    failed: Mutex<Option<String>>,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl Shared {
    pub(super) fn new(index: Box<dyn Index>, disk: &Arc<dyn Disk>, dir: &Path) -> Self {
        let (disk, dir) = (Arc::clone(disk), dir.to_owned());
        Self { index, waiting: RwLock::default(), failed: Mutex::default(), disk, dir }
    }

    /// Refuses if the store can do no more work.
    pub(super) fn healthy(&self) -> Result<(), StoreError> {
        self.failure().map_or(Ok(()), |why| Err(StoreError::Stopped(why)))
    }

    /// Records why the store can do no more work. The first reason stays.
    pub(super) fn fail(&self, error: &StoreError) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert_with(|| error.to_string());
    }

    /// Why the store can do no more work.
    pub(super) fn failure(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An engine that fails once is not asked again: the next start rebuilds the index from the journal.
    pub(super) fn broken(&self, error: IndexError) -> StoreError {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_none() {
            tracing::error!(%error, "the index is damaged: the node stops, and its next start rebuilds the index");
            *failed = Some(format!("the index is damaged, and the next start rebuilds it: {error}"));
            if let Err(error) = position::forget(&*self.disk, &self.dir) {
                tracing::error!(%error, "the index's position is still there: delete it before the next start");
            }
        }
        StoreError::Index(error)
    }

    /// Makes the rows of a round visible.
    pub(super) fn overlay(&self, sequence: u64, rows: &[Row]) -> Arc<Batch> {
        let batch = Arc::new(Batch::new(sequence, rows));
        self.waiting.write().unwrap_or_else(PoisonError::into_inner).push_back(Arc::clone(&batch));
        batch
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = waiting.iter().rev().find_map(|batch| batch.get(table, key)) {
            return Ok(row.value.clone().map(row_sum::known));
        }
        drop(waiting);
        let found = self.index.get(table, key).and_then(|found| match found {
            Some(summed) => row_sum::checked(table, key, summed).map(Some),
            None => Ok(None),
        });
        found.map_err(|error| self.broken(error))
    }

    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        // First the waiting rounds, then the index: a row that moves in between is seen in both, never in neither.
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        let mut newer = BTreeMap::new();
        for Row { key, value, .. } in waiting.iter().flat_map(|batch| batch.scan(table, prefix, after)) {
            newer.insert(key.clone(), value.clone().map(row_sum::known));
        }
        drop(waiting);
        // Waiting rows may hide as many rows of the index.
        let stored = self.index.scan(table, prefix, after, limit.saturating_add(newer.len()));
        let checked = |(key, summed): KeyValue| {
            let value = row_sum::checked(table, &key, summed)?;
            Ok((key, value))
        };
        let stored: Result<Vec<KeyValue>, IndexError> =
            stored.and_then(|stored| stored.into_iter().map(checked).collect());
        let stored = stored.map_err(|error| self.broken(error))?;
        if newer.is_empty() {
            return Ok(stored);
        }
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            stored.into_iter().map(|(key, value)| (key, Some(value))).collect();
        merged.extend(newer);
        Ok(merged.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).take(limit).collect())
    }

    /// The index has everything up to a round.
    fn applied(&self, sequence: u64) {
        let mut waiting = self.waiting.write().unwrap_or_else(PoisonError::into_inner);
        while waiting.front().is_some_and(|batch| batch.sequence <= sequence) {
            waiting.pop_front();
        }
    }
}

/// A durable round for the index.
pub(super) struct Job {
    durable: Durable,
    batch: Arc<Batch>,
    bytes: u64,
}

impl Job {
    /// A round of `bytes` that leaves the log with `size` entries.
    pub(super) fn new(batch: Arc<Batch>, size: u64, bytes: u64) -> Self {
        Self { durable: Durable { sequence: batch.sequence, size }, batch, bytes }
    }

    pub(super) fn rows(&self) -> usize {
        self.batch.rows.len()
    }
}

/// Applies rounds to the index, one after the other, and syncs it from time to time.
pub(super) struct Indexer {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    shared: Arc<Shared>,
    flat: Arc<FlatFiles>,
    durable: Durable,
    applied: Durable,
    unsynced: u64,
    sync_bytes: u64,
}

impl Indexer {
    /// An index that is durable up to one round, and that has everything up to another one, which the start has
    /// replayed.
    pub(super) fn new(
        dir: &Path,
        options: &Options,
        shared: Arc<Shared>,
        flat: Arc<FlatFiles>,
        durable: Durable,
        applied: Durable,
    ) -> Self {
        Self {
            disk: Arc::clone(&options.disk),
            dir: dir.to_owned(),
            shared,
            flat,
            durable,
            applied,
            unsynced: 0,
            sync_bytes: options.sync_bytes,
        }
    }

    /// Applies the next round.
    pub(super) fn apply(&mut self, job: &Job) -> Result<(), StoreError> {
        let Job { durable, batch, bytes } = job;
        self.shared.index.apply(&batch.rows).map_err(|error| self.shared.broken(error))?;
        self.shared.applied(durable.sequence);
        self.applied = *durable;
        self.unsynced += bytes;
        if self.unsynced >= self.sync_bytes {
            self.sync()?;
        }
        Ok(())
    }

    /// Makes durable what was applied, and records up to where.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if self.applied != self.durable {
            let marked = position::mark(&*self.shared.index, self.applied).and_then(|()| self.shared.index.sync());
            marked.map_err(|error| self.shared.broken(error))?;
            self.flat.sync()?;
        }
        let failed = self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &*failed {
            return Err(StoreError::Stopped(why.clone()));
        }
        if self.applied != self.durable {
            position::write(&*self.disk, &self.dir, self.applied)?;
            self.durable = self.applied;
        }
        self.unsynced = 0;
        Ok(())
    }
}

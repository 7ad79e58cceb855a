//! The thread that applies rounds to the index, and the rows that wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Options;
use super::position::{self, Durable};
use crate::flat::FlatFiles;
use crate::{Disk, Index, IndexError, KeyValue, Row, StoreError, Table};

/// Rounds that may wait, however few rows they have.
const ROUNDS_MAX: usize = 65_536;
/// How often somebody who waits for room looks whether the thread still works.
const FAILURE_CHECK: Duration = Duration::from_millis(100);

/// The rows of a round, ascending by table and key, each key once.
pub(super) struct Batch {
    sequence: u64,
    rows: Vec<Row>,
}

impl Batch {
    fn new(sequence: u64, rows: &[Row]) -> Self {
        let mut rows = rows.to_vec();
        // Stable: of two changes of a key the later one stays behind.
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

/// The index and the rounds that are not yet in it, oldest first. A round is taken out only after the index has it.
pub(super) struct Shared {
    index: Box<dyn Index>,
    waiting: RwLock<VecDeque<Arc<Batch>>>,
    /// How many rows wait, and when there are fewer.
    rows: Mutex<usize>,
    fewer: Condvar,
    /// Why the index is not used any more. Held while the position is written, so that one that was taken back stays so.
    failed: Mutex<Option<String>>,
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl Shared {
    pub(super) fn new(index: Box<dyn Index>, disk: &Arc<dyn Disk>, dir: &Path) -> Self {
        let (disk, dir) = (Arc::clone(disk), dir.to_owned());
        Self {
            index,
            waiting: RwLock::default(),
            rows: Mutex::new(0),
            fewer: Condvar::new(),
            failed: Mutex::default(),
            disk,
            dir,
        }
    }

    /// Why the store can do no more work.
    pub(super) fn failure(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An engine that fails once is not asked again: the next start rebuilds the index from the journal.
    fn broken(&self, error: IndexError) -> StoreError {
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
            return Ok(row.value.clone());
        }
        drop(waiting);
        self.index.get(table, key).map_err(|error| self.broken(error))
    }

    pub(super) fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError> {
        // First what waits, then the index: a row that moves in between is seen in both, never in neither.
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        let mut newer = BTreeMap::new();
        for Row { key, value, .. } in waiting.iter().flat_map(|batch| batch.scan(table, prefix, after)) {
            newer.insert(key.clone(), value.clone());
        }
        drop(waiting);
        // Rows that wait may hide as many of the index.
        let stored = self.index.scan(table, prefix, after, limit.saturating_add(newer.len()));
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
        let mut rows = 0;
        while let Some(batch) = waiting.front().filter(|batch| batch.sequence <= sequence) {
            rows += batch.rows.len();
            waiting.pop_front();
        }
        drop(waiting);
        let mut left = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_sub(rows);
        self.fewer.notify_all();
    }

    /// Waits until there is room for so many rows; a round that is larger than all room waits until it is alone.
    fn make_room(&self, rows: usize, rows_max: usize) {
        let mut waiting = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 && *waiting + rows > rows_max && self.failure().is_none() {
            let waited = self.fewer.wait_timeout(waiting, FAILURE_CHECK);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *waiting += rows;
    }
}

struct Job {
    durable: Durable,
    batch: Arc<Batch>,
    bytes: u64,
    /// Dropped once the job is done.
    done: Option<SyncSender<()>>,
}

/// The running thread.
pub(super) struct Indexer {
    jobs: SyncSender<Job>,
    thread: JoinHandle<Result<(), StoreError>>,
    shared: Arc<Shared>,
    rows_max: usize,
}

impl Indexer {
    pub(super) fn start(
        dir: &Path,
        options: &Options,
        shared: Arc<Shared>,
        flat: Arc<FlatFiles>,
        durable: Durable,
    ) -> Self {
        let (jobs, queue) = sync_channel(ROUNDS_MAX);
        let mut worker = Worker {
            disk: Arc::clone(&options.disk),
            dir: dir.to_owned(),
            shared: Arc::clone(&shared),
            flat,
            durable,
            applied: durable,
            unsynced: 0,
            sync_bytes: options.sync_bytes,
        };
        let body = move || {
            let done = worker.run(&queue);
            if let Err(error) = &done {
                let mut failed = worker.shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert_with(|| error.to_string());
            }
            done
        };
        let thread = std::thread::Builder::new().name("index".to_owned()).spawn(body);
        Self {
            jobs,
            thread: thread.expect("the system can start a thread at start-up"),
            shared,
            rows_max: options.queue_rows_max,
        }
    }

    /// Whether the thread still works.
    pub(super) fn healthy(&self) -> Result<(), StoreError> {
        self.shared.failure().map_or(Ok(()), |why| Err(StoreError::Stopped(why)))
    }

    /// Hands a round over that leaves the log with `size` entries; waits while the queue is full.
    pub(super) fn send(&self, batch: Arc<Batch>, size: u64, bytes: u64) {
        let durable = Durable { sequence: batch.sequence, size };
        let (done, ended) = sync_channel(0);
        let done = (self.rows_max == 0).then_some(done);
        self.shared.make_room(batch.rows.len(), self.rows_max);
        let job = Job { durable, batch, bytes, done };
        // The round is durable already: a failed index stops the next append, not this one.
        let _ = self.jobs.send(job);
        // Without a sender this returns at once.
        let _ = ended.recv();
    }

    /// Applies what waits, syncs, and ends.
    pub(super) fn stop(self) -> Result<(), StoreError> {
        drop(self.jobs);
        self.thread.join().unwrap_or_else(|_| Err(StoreError::Stopped("the index thread panicked".to_owned())))
    }
}

struct Worker {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    shared: Arc<Shared>,
    flat: Arc<FlatFiles>,
    durable: Durable,
    applied: Durable,
    unsynced: u64,
    sync_bytes: u64,
}

impl Worker {
    fn run(&mut self, queue: &Receiver<Job>) -> Result<(), StoreError> {
        while let Ok(Job { durable, batch, bytes, done }) = queue.recv() {
            self.shared.index.apply(&batch.rows).map_err(|error| self.shared.broken(error))?;
            self.shared.applied(durable.sequence);
            self.applied = durable;
            self.unsynced += bytes;
            if self.unsynced >= self.sync_bytes {
                self.sync()?;
            }
            drop(done);
        }
        self.sync()
    }

    fn sync(&mut self) -> Result<(), StoreError> {
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

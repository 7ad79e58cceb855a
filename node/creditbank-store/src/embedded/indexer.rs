//! The thread that applies rounds to the index, and the rows that wait for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use super::Options;
use super::position::{self, Durable};
use crate::flat::FlatFiles;
use crate::index::scan_map;
use crate::{Disk, Index, KeyValue, Round, Row, StoreError, Table};

/// Rows of one merge at most: bounds the memory of the thread.
const MERGED_ROWS_MAX: usize = 100_000;

type Key = (Table, Vec<u8>);
/// The round that wrote a row, and its value; `None` where the row was deleted.
type Waiting = (u64, Option<Vec<u8>>);

/// The index and the rows that are not yet in it. A row is taken out of the overlay only after the index has it.
pub(super) struct Shared {
    index: Box<dyn Index>,
    waiting: RwLock<BTreeMap<Key, Waiting>>,
    failed: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(index: Box<dyn Index>) -> Self {
        Self { index, waiting: RwLock::default(), failed: Mutex::default() }
    }

    /// Makes the rows of a round visible.
    pub(super) fn overlay(&self, sequence: u64, rows: &[Row]) {
        let mut waiting = self.waiting.write().unwrap_or_else(PoisonError::into_inner);
        for Row { table, key, value } in rows {
            waiting.insert((*table, key.clone()), (sequence, value.clone()));
        }
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let waiting = self.waiting.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, value)) = waiting.get(&(table, key.to_vec())) {
            return Ok(value.clone());
        }
        drop(waiting);
        Ok(self.index.get(table, key)?)
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
        let newer: Vec<_> = scan_map(&waiting, table, prefix, after)
            .map(|((_, key), (_, value))| (key.clone(), value.clone()))
            .collect();
        drop(waiting);
        // Rows that wait may hide as many of the index.
        let stored = self.index.scan(table, prefix, after, limit.saturating_add(newer.len()))?;
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            stored.into_iter().map(|(key, value)| (key, Some(value))).collect();
        merged.extend(newer);
        Ok(merged.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).take(limit).collect())
    }

    fn applied(&self, sequence: u64, rows: &[Row]) {
        let mut waiting = self.waiting.write().unwrap_or_else(PoisonError::into_inner);
        for Row { table, key, .. } in rows {
            let key = (*table, key.clone());
            if waiting.get(&key).is_some_and(|(newest, _)| *newest <= sequence) {
                waiting.remove(&key);
            }
        }
    }
}

struct Job {
    durable: Durable,
    rows: Vec<Row>,
    bytes: u64,
    /// Dropped once the job is done.
    done: Option<SyncSender<()>>,
}

/// The running thread.
pub(super) struct Indexer {
    jobs: SyncSender<Job>,
    thread: JoinHandle<Result<(), StoreError>>,
    shared: Arc<Shared>,
    waits: bool,
}

impl Indexer {
    pub(super) fn start(
        dir: &Path,
        options: &Options,
        shared: Arc<Shared>,
        flat: Arc<FlatFiles>,
        durable: Durable,
    ) -> Self {
        let (jobs, queue) = sync_channel(options.queue_rounds_max.max(1));
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
                *worker.shared.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            }
            done
        };
        let thread = std::thread::Builder::new().name("index".to_owned()).spawn(body);
        Self {
            jobs,
            thread: thread.expect("the system can start a thread at start-up"),
            shared,
            waits: options.queue_rounds_max == 0,
        }
    }

    /// Whether the thread still works.
    pub(super) fn healthy(&self) -> Result<(), StoreError> {
        if self.thread.is_finished() {
            return Err(StoreError::Stopped("the index thread has ended".to_owned()));
        }
        let failed = self.shared.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.as_ref().map_or(Ok(()), |why| Err(StoreError::Stopped(why.clone())))
    }

    /// Hands a round over; waits while the queue is full.
    pub(super) fn send(&self, sequence: u64, round: &Round, bytes: u64) {
        let durable = Durable { sequence, size: round.next.size };
        let (done, ended) = sync_channel(0);
        let done = self.waits.then_some(done);
        let job = Job { durable, rows: round.rows.clone(), bytes, done };
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
        while let Ok(first) = queue.recv() {
            let mut last = first.durable;
            let mut bytes = first.bytes;
            let mut merged = first.rows;
            let mut done = vec![first.done];
            // Several rounds in one go: rows that change often, such as chain heads, are written once.
            while merged.len() < MERGED_ROWS_MAX {
                let Ok(job) = queue.try_recv() else { break };
                last = job.durable;
                bytes += job.bytes;
                merged.extend(job.rows);
                done.push(job.done);
            }
            let newest: BTreeMap<Key, Option<Vec<u8>>> =
                merged.into_iter().map(|Row { table, key, value }| ((table, key), value)).collect();
            let rows: Vec<Row> = newest.into_iter().map(|((table, key), value)| Row { table, key, value }).collect();
            self.shared.index.apply(&rows)?;
            self.shared.applied(last.sequence, &rows);
            self.applied = last;
            self.unsynced += bytes;
            if self.unsynced >= self.sync_bytes {
                self.sync()?;
            }
        }
        self.sync()
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.applied != self.durable {
            position::mark(&*self.shared.index, self.applied)?;
            self.shared.index.sync()?;
            self.flat.sync()?;
            position::write(&*self.disk, &self.dir, self.applied)?;
            self.durable = self.applied;
        }
        self.unsynced = 0;
        Ok(())
    }
}

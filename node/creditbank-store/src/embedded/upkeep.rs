//! Brings rounds into the index: with a thread, or step by step by the store's owner.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::indexer::{Indexer, Job, Shared};
use crate::StoreError;

/// Most rounds that may wait, however few rows they have.
const ROUNDS_MAX: usize = 65_536;
/// How often a caller who waits for room checks whether the thread still works.
const FAILURE_CHECK: Duration = Duration::from_millis(100);

/// The work that follows an append.
pub(super) enum Upkeep {
    Thread(IndexThread),
    Stepped(Steps),
}

impl Upkeep {
    /// Hands a round over. Waits, or works, while more than `rows_max` rows would wait. The round is durable already: a
    /// failed index stops the next append, not this one.
    pub(super) fn send(&mut self, job: Job, rows_max: usize) {
        match self {
            Self::Thread(thread) => thread.send(job, rows_max),
            Self::Stepped(steps) => steps.send(job, rows_max),
        }
    }

    /// Applies a waiting round, unless a thread does so; returns `false` if nothing was left to do.
    pub(super) fn step(&mut self) -> Result<bool, StoreError> {
        match self {
            Self::Thread(_) => Ok(false),
            Self::Stepped(steps) => steps.step(),
        }
    }

    /// Applies what waits, syncs, and ends.
    pub(super) fn stop(self) -> Result<(), StoreError> {
        match self {
            Self::Thread(thread) => thread.stop(),
            Self::Stepped(steps) => steps.stop(),
        }
    }

    /// Ends without a clean stop. Nothing is written from here on.
    pub(super) fn abandon(self) -> Result<(), StoreError> {
        match self {
            Self::Thread(thread) => thread.stop(),
            Self::Stepped(_) => Ok(()),
        }
    }
}

/// Rounds that wait for their step.
pub(super) struct Steps {
    indexer: Indexer,
    shared: Arc<Shared>,
    waiting: VecDeque<Job>,
    rows: usize,
}

impl Steps {
    pub(super) fn new(indexer: Indexer, shared: Arc<Shared>) -> Self {
        Self { indexer, shared, waiting: VecDeque::new(), rows: 0 }
    }

    fn send(&mut self, job: Job, rows_max: usize) {
        self.rows += job.rows();
        self.waiting.push_back(job);
        while self.rows > rows_max && self.step().unwrap_or(false) {}
    }

    fn step(&mut self) -> Result<bool, StoreError> {
        self.shared.healthy()?;
        let Some(job) = self.waiting.pop_front() else { return Ok(false) };
        self.rows -= job.rows();
        self.indexer.apply(&job).inspect_err(|error| self.shared.fail(error))?;
        Ok(true)
    }

    fn stop(mut self) -> Result<(), StoreError> {
        while self.step()? {}
        self.indexer.sync().inspect_err(|error| self.shared.fail(error))
    }
}

/// How many rows wait for the thread.
#[derive(Default)]
struct Queue {
    rows: Mutex<usize>,
    fewer: Condvar,
}

impl Queue {
    /// Waits until there is room for this many rows. A round that is larger than the whole room waits until it is
    /// alone.
    fn make_room(&self, shared: &Shared, rows: usize, rows_max: usize) {
        let mut waiting = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        while *waiting > 0 && *waiting + rows > rows_max && shared.failure().is_none() {
            let waited = self.fewer.wait_timeout(waiting, FAILURE_CHECK);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *waiting += rows;
    }

    fn left(&self, rows: usize) {
        let mut waiting = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = waiting.saturating_sub(rows);
        self.fewer.notify_all();
    }
}

/// A round, and a sender that is dropped once the round is in the index.
type Sent = (Job, Option<SyncSender<()>>);

/// The running thread.
pub(super) struct IndexThread {
    jobs: SyncSender<Sent>,
    thread: JoinHandle<Result<(), StoreError>>,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
}

impl IndexThread {
    pub(super) fn start(mut indexer: Indexer, shared: Arc<Shared>) -> Self {
        let (jobs, arriving) = sync_channel(ROUNDS_MAX);
        let queue = Arc::new(Queue::default());
        let (of_thread, left) = (Arc::clone(&shared), Arc::clone(&queue));
        let body = move || run(&mut indexer, &arriving, &left).inspect_err(|error| of_thread.fail(error));
        let thread = std::thread::Builder::new().name("index".to_owned()).spawn(body);
        Self { jobs, thread: thread.expect("the system can start a thread at start-up"), shared, queue }
    }

    /// Waits while the queue is full; if nothing may wait, until the index has the round.
    fn send(&self, job: Job, rows_max: usize) {
        let (done, ended) = sync_channel(0);
        let done = (rows_max == 0).then_some(done);
        self.queue.make_room(&self.shared, job.rows(), rows_max);
        let _ = self.jobs.send((job, done));
        // Without a sender this returns at once.
        let _ = ended.recv();
    }

    fn stop(self) -> Result<(), StoreError> {
        drop(self.jobs);
        self.thread.join().unwrap_or_else(|_| Err(StoreError::Stopped("the index thread panicked".to_owned())))
    }
}

fn run(indexer: &mut Indexer, arriving: &Receiver<Sent>, queue: &Queue) -> Result<(), StoreError> {
    while let Ok((job, done)) = arriving.recv() {
        indexer.apply(&job)?;
        queue.left(job.rows());
        drop(done);
    }
    indexer.sync()
}

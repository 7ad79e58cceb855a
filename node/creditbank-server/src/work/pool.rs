//! A pool of threads that do the callers' work, in turns.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::measures::{Families, Measures};
use super::turns::{Bounds, Full, Turns};
use super::{BUSY_RETRY_MS, Token, Who};
/// Why a piece of work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// Too many pieces of work wait, of all callers or of this one.
    #[error("the node is busy: come back in {BUSY_RETRY_MS} ms")]
    Busy,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// A bug: the thread panicked while it did the work.
    #[error("the work was not finished")]
    Panicked,
}

struct Job {
    since: Instant,
    work: Box<dyn FnOnce() + Send>,
}

struct State {
    turns: Turns<Who, Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

struct Desk {
    name: &'static str,
    threads_max: usize,
    measures: Measures,
    state: Mutex<State>,
    arrived: Condvar,
}

/// The pool. Its threads end when it is dropped or closed.
pub(crate) struct Pool {
    desk: Arc<Desk>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.desk.name).finish_non_exhaustive()
    }
}

/// A waiting caller. The caller leaves by dropping it: a job that waits is removed, and a running one is told to stop.
struct Waiting<'a> {
    desk: &'a Desk,
    who: Who,
    id: u64,
    token: Token,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.token.leave();
        let mut state = self.desk.state();
        let left = state.turns.take_back(self.who, self.id);
        self.desk.measures.queued(state.turns.len());
        drop(state);
        // The job's values are dropped without the lock.
        drop(left);
    }
}

impl Pool {
    pub(super) fn new(name: &'static str, threads_max: usize, bounds: Bounds, families: &Families) -> Self {
        let state = State { turns: Turns::new(bounds), threads: 0, idle: 0, closed: false };
        let measures = families.of(name);
        let (state, arrived) = (Mutex::new(state), Condvar::new());
        Self { desk: Arc::new(Desk { name, threads_max, measures, state, arrived }) }
    }

    /// Runs a piece of work on one of the threads when it is the caller's turn. Dropping the future stops the work the
    /// next time that it asks its token.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        who: Who,
        token: Token,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let (answer, answered) = oneshot::channel();
        let own = token.clone();
        let work = move || {
            if own.stop().is_none() {
                // Perhaps nobody waits for it any more.
                let _ = answer.send(work());
            }
        };
        let id = self.desk.push(who, Job { since: Instant::now(), work: Box::new(work) })?;
        let waiting = Waiting { desk: &self.desk, who, id, token };
        let done = answered.await;
        let stopping = waiting.token.stop().is_some();
        done.map_err(|_| if stopping { Refused::Stopping } else { Refused::Panicked })
    }

    /// Drops what waits and accepts nothing new. The threads end after their present job.
    pub(super) fn close(&self) {
        let mut state = self.desk.state();
        state.closed = true;
        let left = state.turns.clear();
        self.desk.measures.queued(0);
        drop(state);
        self.desk.arrived.notify_all();
        drop(left);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job. Starts a thread for it if all are busy and the pool may have more.
    fn push(self: &Arc<Self>, who: Who, job: Job) -> Result<u64, Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Stopping);
        }
        let id = state.turns.push(who, job).map_err(|(full, _)| {
            let refused = match full {
                Full::All => &self.measures.refused_all,
                Full::OfCaller => &self.measures.refused_caller,
            };
            refused.inc();
            Refused::Busy
        })?;
        self.measures.queued(state.turns.len());
        // A thread that was woken counts as idle until it has the lock: more may wait than those will take.
        if state.idle >= state.turns.len() || state.threads >= self.threads_max {
            self.arrived.notify_one();
        } else {
            let desk = Arc::clone(self);
            let thread = std::thread::Builder::new().name(self.name.to_owned()).spawn(move || desk.work());
            match thread {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    state.turns.take_back(who, id);
                    tracing::error!(%error, pool = self.name, "the system starts no thread");
                    return Err(Refused::Busy);
                }
                // The other threads do it.
                Err(error) => {
                    self.arrived.notify_one();
                    tracing::warn!(%error, pool = self.name, "the system starts no further thread");
                }
            }
        }
        Ok(id)
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            if let Some((who, job)) = state.turns.pop() {
                self.measures.queued(state.turns.len());
                drop(state);
                let Job { since, work } = job;
                let begun = Instant::now();
                self.measures.begins(begun.duration_since(since));
                // A panic is a bug. It costs this piece of work, but not the thread.
                if catch_unwind(AssertUnwindSafe(work)).is_err() {
                    tracing::error!(pool = self.name, "a piece of work has panicked");
                }
                self.measures.ends(begun.elapsed());
                state = self.state();
                state.turns.done(who);
                continue;
            }
            if state.closed {
                state.threads -= 1;
                return;
            }
            state.idle += 1;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests;

//! The threads that check blocks before they are ordered: as many as there are cores, so that neither the sequencer nor memory
//! suffers when many blocks arrive at once.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use creditbank_rpc::v1::SubmitBlockRequest;
use tokio::sync::oneshot;

use crate::append::suspicion::Suspicion;
use crate::append::{SubmitError, VerifiedBlock};
use crate::ledger::Shared;
use crate::serve::Peer;

/// What a block was found to be. It is dropped unsent only when the thread has panicked over it.
pub(super) type Verdict = oneshot::Receiver<Result<VerifiedBlock, SubmitError>>;

struct Task {
    request: SubmitBlockRequest,
    /// Whom to forgive when the signature is good.
    peer: Peer,
    verdict: oneshot::Sender<Result<VerifiedBlock, SubmitError>>,
}

/// Blocks that wait for their check. Its length is bounded by the places in the sequencer's queue, which come first.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Task>,
    idle: usize,
    closed: bool,
}

#[derive(Default)]
struct Desk {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

/// The running threads; they end when this is dropped.
pub(super) struct Verifiers {
    desk: Arc<Desk>,
}

impl Desk {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next block; `None` when there will be none.
    fn next(&self) -> Option<Task> {
        let mut queue = self.queue();
        loop {
            if let Some(task) = queue.waiting.pop_front() {
                return Some(task);
            }
            if queue.closed {
                return None;
            }
            queue.idle += 1;
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }
}

impl Verifiers {
    pub(super) fn start(shared: &Arc<Shared>, suspicion: &Arc<Suspicion>) -> Self {
        let desk = Arc::new(Desk::default());
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        for _ in 0..cores {
            let (desk, shared, suspicion) = (Arc::clone(&desk), Arc::downgrade(shared), Arc::clone(suspicion));
            let work = move || {
                while let Some(Task { request, peer, verdict }) = desk.next() {
                    // Held for one block only: a ledger that is closed is not kept open.
                    let Some(shared) = shared.upgrade() else { return };
                    // A panic is a bug; it costs this block and not the thread. Nobody may have waited for the verdict.
                    if shared.work.is_stopping() {
                        continue;
                    }
                    if let Ok(found) = catch_unwind(AssertUnwindSafe(|| shared.verify(request))) {
                        if found.is_ok() {
                            suspicion.forgive(peer);
                        }
                        let _ = verdict.send(found);
                    }
                }
            };
            let thread = std::thread::Builder::new().name("verify".to_owned()).spawn(work);
            thread.expect("the system can start a thread at start-up");
        }
        Self { desk }
    }

    /// Puts a block in.
    pub(super) fn check(&self, request: SubmitBlockRequest, peer: Peer) -> Verdict {
        let (verdict, found) = oneshot::channel();
        let mut queue = self.desk.queue();
        queue.waiting.push_back(Task { request, peer, verdict });
        let wake = queue.idle > 0;
        drop(queue);
        if wake {
            self.desk.arrived.notify_one();
        }
        found
    }
}

impl Drop for Verifiers {
    fn drop(&mut self) {
        self.desk.queue().closed = true;
        self.desk.arrived.notify_all();
    }
}

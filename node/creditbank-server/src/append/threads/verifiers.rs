//! The threads that check blocks before they are ordered. There are as many as cores, so that neither the sequencer nor
//! memory suffers when many blocks arrive at once. Addresses take turns here too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use creditbank_rpc::v1::SubmitBlockRequest;
use tokio::sync::oneshot;

use crate::append::{Claim, SubmitError, VerifiedBlock};
use crate::ledger::Shared;
use crate::serve::Peer;
use crate::work::Charge;
use crate::work::turns::{Bounds, Turns};

/// The result of the check of a block. It is dropped without a result only if the thread has panicked.
pub(super) type Verdict = oneshot::Receiver<Result<VerifiedBlock, SubmitError>>;

struct Task {
    request: SubmitBlockRequest,
    claim: Option<Claim>,
    verdict: oneshot::Sender<Result<VerifiedBlock, SubmitError>>,
}

/// Blocks that wait for their check. The places in the sequencer's queue, which are taken first, limit their number.
struct Queue {
    waiting: Turns<Peer, Task>,
    idle: usize,
    closed: bool,
}

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
    fn next(&self) -> Option<(Peer, Task)> {
        let mut queue = self.queue();
        loop {
            if let Some((peer, task)) = queue.waiting.pop() {
                queue.waiting.done(peer);
                return Some((peer, task));
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

/// Checks a block. It is charged to its address until its signature is found good: only the owner of a key can have
/// made any other mistake.
fn check(
    shared: &Shared,
    request: SubmitBlockRequest,
    claim: Option<Claim>,
    peer: Peer,
) -> Result<VerifiedBlock, SubmitError> {
    let suspicion = &shared.work.suspicion;
    let charged = suspicion.signature(Charge::Block, peer, claim.and_then(|claim| claim.key))?;
    shared.verify(request, || suspicion.good(charged))
}

impl Verifiers {
    pub(super) fn start(shared: &Arc<Shared>) -> Self {
        let bounds = Bounds { all: usize::MAX, of_caller: usize::MAX, at_once: usize::MAX };
        let queue = Mutex::new(Queue { waiting: Turns::new(bounds), idle: 0, closed: false });
        let desk = Arc::new(Desk { queue, arrived: Condvar::new() });
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        for _ in 0..cores {
            let (desk, shared) = (Arc::clone(&desk), Arc::downgrade(shared));
            let work = move || {
                while let Some((peer, Task { request, claim, verdict })) = desk.next() {
                    // Held for one block at a time, so that a closed ledger is not kept open.
                    let Some(shared) = shared.upgrade() else { return };
                    // A panic is a bug. It costs this block, but not the thread. Perhaps nobody waits for the result.
                    if shared.work.is_stopping() {
                        continue;
                    }
                    if let Ok(found) = catch_unwind(AssertUnwindSafe(|| check(&shared, request, claim, peer))) {
                        let _ = verdict.send(found);
                    }
                }
            };
            let thread = std::thread::Builder::new().name("verify".to_owned()).spawn(work);
            thread.expect("the system can start a thread at start-up");
        }
        Self { desk }
    }

    /// Adds a block.
    pub(super) fn check(&self, request: SubmitBlockRequest, claim: Option<Claim>, peer: Peer) -> Verdict {
        let (verdict, found) = oneshot::channel();
        let mut queue = self.desk.queue();
        // Without limits none is refused. If one were, its result would never come, and its caller would be told.
        let _ = queue.waiting.push(peer, Task { request, claim, verdict });
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

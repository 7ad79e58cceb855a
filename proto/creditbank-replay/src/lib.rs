//! A replay on all cores: what needs no order runs on every thread, what needs it on one.
//!
//! A crate of its own, as `creditbank-ledger`, which replays, has no threads.
#![forbid(unsafe_code)]

mod batch;

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use batch::Batches;
use creditbank_ledger::replay::{Contradiction, SignatureCheck};

/// Signatures that one thread checks in one go.
const CHECKS_PER_JOB: usize = 1_024;

enum Job<T, P> {
    Prepare(T, SyncSender<P>),
    Verify(Vec<SignatureCheck>),
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome<E> {
    /// What `source` or `apply` has ended it with.
    pub stopped: Result<(), E>,
    /// The signatures that do not hold, by log index. One of them may come before what `apply` has stopped at.
    pub signatures: Vec<Contradiction>,
}

/// Runs `prepare` on every item of `source` and verifies what `apply` asks for, both on all cores; `apply` itself gets
/// the items in order, on this thread. Ends at the first error, and soon after `failures_max` signatures that do not
/// hold. At most a few items per core are held. `seed` is random: signatures are verified in batches (see
/// [`creditbank_protocol::key::verify_batch`]).
pub fn run<T: Send, P: Send, E>(
    seed: [u8; 32],
    failures_max: usize,
    source: impl IntoIterator<Item = Result<T, E>>,
    prepare: impl Fn(T) -> P + Sync,
    mut apply: impl FnMut(P, &mut Vec<SignatureCheck>) -> Result<(), E>,
) -> Outcome<E> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let failures: Mutex<Vec<Contradiction>> = Mutex::default();
    let enough = AtomicBool::new(false);
    let batches = Batches::default();
    let (jobs, queue) = sync_channel::<Job<T, P>>(threads * 4);
    let queue = Mutex::new(queue);
    let stopped = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&queue, &prepare, &batches, &seed, &failures, failures_max, &enough));
        }
        let mut waiting: VecDeque<Receiver<P>> = VecDeque::new();
        let mut checks = Vec::new();
        let mut source = source.into_iter().fuse();
        // The workers end when `jobs` does, which is with this closure.
        let send = |job| jobs.send(job).expect("the workers run until the queue is dropped");
        loop {
            let next = if enough.load(Ordering::Relaxed) { None } else { source.next() };
            let ended = next.is_none();
            if let Some(item) = next {
                let (done, prepared) = sync_channel(1);
                send(Job::Prepare(item?, done));
                waiting.push_back(prepared);
            }
            while waiting.len() > if ended { 0 } else { threads * 2 } {
                let prepared = waiting.pop_front().and_then(|prepared| prepared.recv().ok());
                let applied = apply(prepared.expect("a worker answers each of its items"), &mut checks);
                if let Err(error) = applied {
                    // What comes before it may not hold either.
                    send(Job::Verify(std::mem::take(&mut checks)));
                    return Err(error);
                }
                if checks.len() >= CHECKS_PER_JOB {
                    send(Job::Verify(std::mem::take(&mut checks)));
                }
            }
            if ended {
                send(Job::Verify(std::mem::take(&mut checks)));
                drop(jobs);
                return Ok(());
            }
        }
    });
    let mut signatures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    signatures.sort_by_key(|failure| failure.index);
    Outcome { stopped, signatures }
}

fn work<T, P>(
    queue: &Mutex<Receiver<Job<T, P>>>,
    prepare: &impl Fn(T) -> P,
    batches: &Batches,
    seed: &[u8; 32],
    failures: &Mutex<Vec<Contradiction>>,
    failures_max: usize,
    enough: &AtomicBool,
) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // The other side is gone after an error: nobody waits for the answer.
            Ok(Job::Prepare(item, done)) => drop(done.send(prepare(item))),
            Ok(Job::Verify(checks)) => {
                let found = batches.failures(&checks, seed);
                if !found.is_empty() {
                    let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.extend(found);
                    enough.store(failures.len() >= failures_max, Ordering::Relaxed);
                }
            }
            Err(_) => return,
        }
    }
}

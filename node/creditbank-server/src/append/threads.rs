//! The append path on threads: blocks are checked on all cores, one thread orders, one writes. While one round is written the
//! next is built. Every queue has a bound, and whoever waits is answered, also when a thread panics.

mod committer;
mod courses;
mod sequencer;
mod verifiers;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use creditbank_protocol::Alias;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{Place, Receipt};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::suspicion::{Suspicion, Suspicious};
use super::{AccountError, Answer, Person, SubmitError};
use crate::ledger::Shared;
use crate::serve::Peer;
use crate::work::{BUSY_RETRY_MS, Who};
use sequencer::{Job, Sequencer};
use verifiers::Verifiers;

/// Where an answer goes, and the room that the work takes up until then, whether or not anybody still waits.
struct Reply<T> {
    answer: oneshot::Sender<T>,
    _room: OwnedSemaphorePermit,
}

impl<T> Reply<T> {
    fn send(self, answer: T) {
        // Nobody waits any more: what was sealed is sealed all the same, and a repeat gets the receipt.
        let _ = self.answer.send(answer);
    }
}

type BlockReply = Reply<Result<Receipt, SubmitError>>;
type AccountsReply = Reply<Result<Vec<Alias>, AccountError>>;

/// Tells the process when the thread that holds it panics. Whoever waits for an answer loses it with the thread, and
/// is told.
struct Panicking(watch::Sender<Option<String>>, &'static str);

impl Drop for Panicking {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.send_replace(Some(self.1.to_owned()));
        }
    }
}

fn send(answer: Answer<BlockReply, AccountsReply>) {
    match answer {
        Answer::Block(reply, answer) => reply.send(answer),
        Answer::Accounts(reply, answer) => reply.send(answer),
    }
}

/// The running threads.
pub(crate) struct Threads {
    jobs: mpsc::Sender<Job>,
    /// Bounds the bytes under way, in KiB.
    room: Arc<Semaphore>,
    suspicion: Arc<Suspicion>,
    verifiers: Verifiers,
    sequencer: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

/// A block that is under way. Dropping it does not take the block back.
pub struct Submission {
    answer: oneshot::Receiver<Result<Receipt, SubmitError>>,
    refused: Option<SubmitError>,
}

impl Submission {
    pub(crate) fn refused(error: SubmitError) -> Self {
        Self { answer: oneshot::channel().1, refused: Some(error) }
    }

    /// Waits until the block is durable, or refused.
    pub async fn finish(self) -> Result<Receipt, SubmitError> {
        match self.refused {
            Some(error) => Err(error),
            None => {
                self.answer.await.unwrap_or_else(|_| Err(SubmitError::Stopped("the round was not finished".to_owned())))
            }
        }
    }
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes / 1_024 + 1).unwrap_or(u32::MAX)
}

impl Threads {
    pub(crate) fn start(shared: &Arc<Shared>, failed: watch::Sender<Option<String>>) -> Self {
        courses::fill(shared);
        let limits = shared.limits;
        let (jobs, queue) = mpsc::channel(limits.queue_blocks_max);
        let suspicion = Arc::new(Suspicion::new(limits.queue_blocks_max));
        let verifiers = Verifiers::start(shared, &suspicion);
        let sequencer = Sequencer::new(Arc::clone(shared), failed);
        let thread = std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || sequencer.run(queue));
        let thread = thread.expect("the system can start a thread at start-up");
        let room = Arc::new(Semaphore::new(limits.queue_kib_max));
        let shared = Arc::clone(shared);
        Self { jobs, room, suspicion, verifiers, sequencer: Mutex::new(Some(thread)), shared }
    }

    /// Begins to check a block. What is begun first is ordered first; blocks of one chain that are begun together wait for
    /// one another.
    pub(crate) fn begin(&self, request: SubmitBlockRequest, peer: Peer) -> Submission {
        let busy = || Submission::refused(SubmitError::Busy { retry_after_ms: BUSY_RETRY_MS });
        let beside = request.records.iter().map(|record| record.body.len() + 64).sum::<usize>();
        let bytes = request.block.len() + beside + request.places.len() * size_of::<Place>();
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(kib(bytes)) else { return busy() };
        // The place in the queue before any work: what is refused for want of one must not pile up elsewhere.
        let slot = match self.jobs.try_reserve() {
            Ok(slot) => slot,
            Err(mpsc::error::TrySendError::Full(())) => return busy(),
            Err(mpsc::error::TrySendError::Closed(())) => {
                return Submission::refused(SubmitError::Stopped("no new work is taken".to_owned()));
            }
        };
        let charged = match self.suspicion.charge(peer) {
            Ok(charged) => charged,
            Err(Suspicious { retry_after_ms }) => return Submission::refused(SubmitError::Busy { retry_after_ms }),
        };
        let (reply, answer) = oneshot::channel();
        let verified = self.verifiers.check(request, charged);
        slot.send(Job::Block { verified, reply: Reply { answer: reply, _room: room } });
        Submission { answer, refused: None }
    }

    /// Opens accounts after everything that was begun before.
    pub(crate) async fn open_accounts(
        &self,
        institution: InstitutionId,
        persons: Vec<Person>,
    ) -> Result<Vec<Alias>, AccountError> {
        // The same room as for blocks: persons that wait for the sequencer take up memory too.
        let bytes: usize = persons.iter().map(Person::bytes).sum();
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib(bytes));
        let room = room.map_err(|_| AccountError::Busy { retry_after_ms: BUSY_RETRY_MS })?;
        let (reply, answer) = oneshot::channel();
        let (shared, token) = (Arc::clone(&self.shared), self.shared.work.token());
        let identify = move || shared.identified(institution, &persons);
        let persons = self.shared.work.cheap.run(Who::Institution(institution), token, identify).await?;
        let job = Job::Accounts { institution, persons, reply: Reply { answer: reply, _room: room } };
        self.jobs.send(job).await.map_err(|_| AccountError::Stopped)?;
        answer.await.unwrap_or(Err(AccountError::Stopped))
    }

    pub(crate) async fn tick(&self) {
        // When the queue is full or closed there is no need for it.
        let _ = self.jobs.send(Job::Tick).await;
    }

    /// Takes no new work; returns how to wait for the work under way, which blocks.
    pub(crate) async fn stop(&self) -> impl FnOnce() -> Result<(), StoreError> + Send + 'static {
        let _ = self.jobs.send(Job::Stop).await;
        let thread = self.sequencer.lock().unwrap_or_else(PoisonError::into_inner).take();
        move || match thread.map(JoinHandle::join) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(StoreError::Stopped("the sequencer panicked".to_owned())),
        }
    }
}

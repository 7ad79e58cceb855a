//! The append path on threads: blocks are checked on all cores, one thread orders, one writes. The next round is built
//! while one is written. Every queue is bounded, and every caller gets an answer, even if a thread panics.

mod committer;
mod courses;
mod intake;
mod sequencer;
mod verifiers;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use creditbank_protocol::Alias;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{Place, Receipt};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::StoreError;
use tokio::sync::{oneshot, watch};

use super::share::{Place as Held, Share};
use super::{AccountError, Answer, Claim, Person, SubmitError};
use crate::ledger::Shared;
use crate::serve::Peer;
use crate::work::{BUSY_RETRY_MS, Charge, Who};
use intake::{Accounts, Block, Intake, NotTaken};
use sequencer::Sequencer;
use verifiers::Verifiers;

/// The destination of an answer, and the room that the work takes up until then, whether or not anybody still waits.
struct Reply<T> {
    answer: oneshot::Sender<T>,
    _room: Held,
}

impl<T> Reply<T> {
    fn send(self, answer: T) {
        // Nobody waits any more. What was sealed remains sealed, and a repeat gets the receipt.
        let _ = self.answer.send(answer);
    }
}

type BlockReply = Reply<Result<Receipt, SubmitError>>;
type AccountsReply = Reply<Result<Vec<Alias>, AccountError>>;

/// Tells the process when the thread that holds it panics. Callers who wait for an answer lose it with the thread, and
/// are told.
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
    jobs: Arc<Intake>,
    /// Places of blocks that wait for the sequencer.
    places: Arc<Share>,
    /// KiB of work that has no answer yet.
    room: Arc<Share>,
    verifiers: Verifiers,
    sequencer: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

/// A block that was submitted. Dropping it does not withdraw the block.
pub struct Submission {
    answer: oneshot::Receiver<Result<Receipt, SubmitError>>,
    /// An answer that is known already.
    answered: Option<Result<Receipt, SubmitError>>,
}

impl Submission {
    pub(crate) fn answered(answer: Result<Receipt, SubmitError>) -> Self {
        Self { answer: oneshot::channel().1, answered: Some(answer) }
    }

    /// Waits until the block is durable, or refused.
    pub async fn finish(self) -> Result<Receipt, SubmitError> {
        match self.answered {
            Some(answer) => answer,
            None => {
                self.answer.await.unwrap_or_else(|_| Err(SubmitError::Stopped("the round was not finished".to_owned())))
            }
        }
    }
}

/// A ledger that is dropped without a stop leaves no thread behind.
impl Drop for Threads {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

fn kib(bytes: usize) -> usize {
    bytes / 1_024 + 1
}

impl Threads {
    pub(crate) fn start(shared: &Arc<Shared>, failed: watch::Sender<Option<String>>) -> Self {
        courses::fill(shared);
        let limits = shared.limits;
        let jobs = Arc::new(Intake::new(limits.queue_blocks_max));
        let verifiers = Verifiers::start(shared);
        let sequencer = Sequencer::new(Arc::clone(shared), failed);
        let queue = Arc::clone(&jobs);
        let thread = std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || sequencer.run(&queue));
        let thread = thread.expect("the system can start a thread at start-up");
        let (places, room) = (Share::new(limits.queue_blocks_max), Share::new(limits.queue_kib_max));
        let shared = Arc::clone(shared);
        Self { jobs, places, room, verifiers, sequencer: Mutex::new(Some(thread)), shared }
    }

    /// Begins to check a block. What an address begins first is ordered first. Blocks of one chain that it begins
    /// together wait for one another.
    pub(crate) fn begin(&self, request: SubmitBlockRequest, claim: Option<Claim>, peer: Peer) -> Submission {
        self.put(request, claim, peer).unwrap_or_else(|error| Submission::answered(Err(error)))
    }

    fn put(&self, request: SubmitBlockRequest, claim: Option<Claim>, peer: Peer) -> Result<Submission, SubmitError> {
        self.shared.work.suspicion.check(Charge::Block, peer, claim.and_then(|claim| claim.key))?;
        let busy = || SubmitError::Busy { retry_after_ms: BUSY_RETRY_MS };
        let beside = request.records.iter().map(|record| record.body.len() + 64).sum::<usize>();
        let bytes = request.block.len() + beside + request.places.len() * size_of::<Place>();
        let who = Who::Address(peer);
        let room = self.room.take(who, kib(bytes)).ok_or_else(busy)?;
        // The place in the queue comes before any work: a block that is refused for lack of a place must not queue
        // elsewhere.
        let place = self.places.take(who, 1).ok_or_else(busy)?;
        let (reply, answer) = oneshot::channel();
        let verified = self.verifiers.check(request, claim, peer);
        let block = Block { peer, verified, reply: Reply { answer: reply, _room: room }, place };
        self.jobs.block(block).map_err(|not_taken| match not_taken {
            NotTaken::Full => busy(),
            NotTaken::Closed => SubmitError::Stopped("no new work is taken".to_owned()),
        })?;
        Ok(Submission { answer, answered: None })
    }

    /// Opens accounts of persons, some in each round.
    pub(crate) async fn open_accounts(
        &self,
        institution: InstitutionId,
        persons: Arc<Vec<Person>>,
    ) -> Result<Vec<Alias>, AccountError> {
        // The same room as for blocks: persons that wait for the sequencer use memory too.
        let bytes: usize = persons.iter().map(Person::bytes).sum();
        let busy = || AccountError::Busy { retry_after_ms: BUSY_RETRY_MS };
        let room = self.room.take(Who::Institution(institution), kib(bytes)).ok_or_else(busy)?;
        let (reply, answer) = oneshot::channel();
        let (shared, token) = (Arc::clone(&self.shared), self.shared.work.token());
        let identify = move || shared.identified(institution, &persons);
        let persons = self.shared.work.cheap.run(Who::Institution(institution), token, identify).await?;
        let accounts = Accounts { institution, persons, reply: Reply { answer: reply, _room: room } };
        self.jobs.accounts(accounts).map_err(|not_taken| match not_taken {
            NotTaken::Full => busy(),
            NotTaken::Closed => AccountError::Stopped,
        })?;
        answer.await.unwrap_or(Err(AccountError::Stopped))
    }

    pub(crate) fn tick(&self) {
        self.jobs.tick();
    }

    /// Accepts no new work. Returns a function that waits, blocking, for the work under way.
    pub(crate) fn stop(&self) -> impl FnOnce() -> Result<(), StoreError> + Send + 'static {
        self.jobs.close();
        let thread = self.sequencer.lock().unwrap_or_else(PoisonError::into_inner).take();
        move || match thread.map(JoinHandle::join) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(StoreError::Stopped("the sequencer panicked".to_owned())),
        }
    }
}

//! The one thread that orders blocks. [`Orderer`] does the work; this module does the waiting.

use std::sync::Arc;

use tokio::sync::watch;

use super::committer::Committer;
use super::intake::{Accounts, Block, Intake, Job};
use super::verifiers::Verdict;
use super::{AccountsReply, BlockReply, Panicking, send};
use crate::append::commit;
use crate::append::orderer::{Orderer, Step};
use crate::append::{AccountError, SubmitError, VerifiedBlock};
use crate::ledger::Shared;
use crate::serve::Peer;
use crate::work::BUSY_RETRY_MS;

/// Most records and effects that are taken at once: about eight of the largest blocks if all are of one address, and
/// two if others have sent some too. This is what the next sender has to wait for.
const ITEMS_OF_ONE: usize = 8_192;
const ITEMS_OF_SEVERAL: usize = 2_048;

/// Waits for the check of a block.
fn verdict(verified: Verdict) -> Result<VerifiedBlock, SubmitError> {
    let failed = |_| Err(SubmitError::Stopped("the block could not be checked".to_owned()));
    verified.blocking_recv().unwrap_or_else(failed)
}

/// What was taken since the last round was built.
#[derive(Default)]
struct Taken {
    jobs: usize,
    items: usize,
    /// The sender of the blocks, and whether there are several.
    peer: Option<Peer>,
    are_of_several: bool,
}

impl Taken {
    fn add(&mut self, peer: Peer, items: usize) {
        self.are_of_several |= *self.peer.get_or_insert(peer) != peer;
        self.items += items;
    }

    /// Whether this is enough for a round. Refused blocks count too: a flood of them must not keep good ones from being
    /// sealed.
    fn is_enough(&self, jobs_max: usize) -> bool {
        let items_max = if self.are_of_several { ITEMS_OF_SEVERAL } else { ITEMS_OF_ONE };
        self.jobs >= jobs_max || self.items >= items_max
    }
}

/// Abandons the queue when the thread ends, which may happen by a panic, so that everybody who waits is told.
struct Abandoned(Arc<Intake>);

impl Drop for Abandoned {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

pub(super) struct Sequencer {
    shared: Arc<Shared>,
    failed: watch::Sender<Option<String>>,
    orderer: Orderer<BlockReply, AccountsReply>,
    committer: Committer,
}

impl Sequencer {
    pub(super) fn new(shared: Arc<Shared>, failed: watch::Sender<Option<String>>) -> Self {
        let orderer = Orderer::new(Arc::clone(&shared));
        let committer = Committer::start(Arc::clone(&shared), failed.clone());
        Self { shared, failed, orderer, committer }
    }

    pub(super) fn run(mut self, queue: &Arc<Intake>) {
        let _told = Panicking(self.failed.clone(), "the thread that orders has panicked");
        let _answered = Abandoned(Arc::clone(queue));
        let mut stop = false;
        while !stop {
            // Between two rounds, take what has arrived in the meantime: accounts may need very many rounds.
            let mut next = match (self.orderer.has_work(), self.orderer.has_blocks()) {
                (false, _) => Some(queue.next()),
                (true, false) => queue.try_next(),
                (true, true) => None,
            };
            let mut taken = Taken::default();
            // A round takes what has already arrived; waiting for more would only add latency.
            while let Some(job) = next {
                stop |= matches!(job, Job::Stop);
                self.take(job, &mut taken);
                let full = stop || taken.is_enough(self.shared.limits.round_blocks_max);
                next = if full { None } else { queue.try_next() };
            }
            if self.shared.work.is_stopping() {
                // Work that is in no round yet is answered at once: a stop waits only for the rounds under way.
                let refused = self.orderer.stop();
                commit::answer(&self.shared, refused, send);
            }
            self.work();
            self.report();
        }
        while self.orderer.has_work() {
            self.work();
        }
        while self.orderer.is_waiting() {
            self.wait();
        }
        self.committer.stop();
    }

    /// Takes in a job.
    fn take(&mut self, job: Job, taken: &mut Taken) {
        taken.jobs += 1;
        match job {
            Job::Block(Block { reply, .. }) if self.shared.work.is_stopping() => {
                reply.send(Err(SubmitError::Stopped("it takes no new work".to_owned())));
            }
            // Blocks of one address keep the order in which they came, whichever thread finishes first.
            Job::Block(Block { peer, verified, reply, place }) => {
                let verified = verdict(verified);
                drop(place);
                taken.add(peer, verified.as_ref().map_or(0, VerifiedBlock::items));
                match verified {
                    Ok(verified) => {
                        self.orderer.block(Box::new(verified), reply);
                    }
                    Err(error) => reply.send(Err(error)),
                }
            }
            Job::Accounts(Accounts { institution, persons, reply }) => {
                if let Err(reply) = self.orderer.accounts(institution, persons, reply) {
                    reply.send(Err(AccountError::Busy { retry_after_ms: BUSY_RETRY_MS }));
                }
            }
            Job::Tick => self.orderer.tick(),
            // Everything that was begun before has been taken.
            Job::Stop => {}
        }
    }

    /// Puts what was taken into a round, and hands it over.
    fn work(&mut self) {
        if let Some(outcome) = self.committer.heard() {
            self.written(outcome);
        }
        loop {
            match self.orderer.step() {
                Step::Idle => return,
                Step::Wait => self.wait(),
                Step::Write(commit) => {
                    if let Err(refused) = self.committer.send(*commit) {
                        let (outcomes, error) = *refused;
                        commit::answer(&self.shared, outcomes.refused(&error), send);
                        self.written(Err(error));
                    }
                    return;
                }
                Step::Answer(outcomes) => commit::answer(&self.shared, outcomes, send),
            }
        }
    }

    /// Waits for the outcome of the round that is being written.
    fn wait(&mut self) {
        let outcome = self.committer.wait();
        self.written(outcome);
    }

    fn written(&mut self, outcome: Result<(), SubmitError>) {
        let refused = self.orderer.written(outcome);
        commit::answer(&self.shared, refused, send);
    }

    /// Tells the process when the log can no longer be written.
    fn report(&self) {
        let why = self.orderer.failure().map(str::to_owned).or_else(|| self.shared.store.failure());
        if let Some(why) = why {
            self.failed.send_if_modified(|failed| failed.is_none().then(|| *failed = Some(why)).is_some());
        }
    }
}

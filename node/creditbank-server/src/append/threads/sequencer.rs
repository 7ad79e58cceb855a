//! The one thread that orders blocks. What it does is the [`Orderer`]'s; here is where it waits.

use std::sync::Arc;

use creditbank_protocol::InstitutionId;
use tokio::sync::{mpsc, watch};

use super::committer::Committer;
use super::verifiers::Verdict;
use super::{AccountsReply, BlockReply, Panicking, send};
use crate::append::accounts::Identified;
use crate::append::commit;
use crate::append::orderer::{Orderer, Step};
use crate::append::{AccountError, SubmitError, VerifiedBlock};
use crate::ledger::Shared;
use crate::work::BUSY_RETRY_MS;

/// Work for the sequencer.
pub(super) enum Job {
    /// A block, in the order in which it was begun; other threads are still checking it.
    Block {
        verified: Verdict,
        reply: BlockReply,
    },
    Accounts {
        institution: InstitutionId,
        persons: Vec<Identified>,
        reply: AccountsReply,
    },
    Tick,
    Stop,
}

/// Waits for the check of a block.
fn verdict(verified: Verdict) -> Result<VerifiedBlock, SubmitError> {
    let failed = |_| Err(SubmitError::Stopped("the block could not be checked".to_owned()));
    verified.blocking_recv().unwrap_or_else(failed)
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

    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let _told = Panicking(self.failed.clone(), "the thread that orders has panicked");
        while let Some(job) = queue.blocking_recv() {
            let mut next = Some(job);
            let mut stop = false;
            let mut taken = 0;
            // A round takes what has already arrived; waiting for more would only add latency.
            while let Some(job) = next {
                stop |= self.take(job);
                taken += 1;
                // Refused blocks count too: a flood of them must not keep good ones from being sealed.
                let full = stop || taken >= self.shared.limits.round_blocks_max;
                next = if full { None } else { queue.try_recv().ok() };
            }
            if self.shared.work.is_stopping() {
                // What is in no round yet is answered at once: a stop waits for the rounds under way alone.
                let refused = self.orderer.stop();
                commit::answer(&self.shared, refused, send);
            }
            self.work();
            self.report();
            if stop {
                queue.close();
            }
        }
        while self.orderer.is_waiting() {
            self.wait();
        }
        self.committer.stop();
    }

    /// Takes a job in; `true` for the last one.
    fn take(&mut self, job: Job) -> bool {
        match job {
            Job::Block { reply, .. } if self.shared.work.is_stopping() => {
                reply.send(Err(SubmitError::Stopped("it takes no new work".to_owned())));
            }
            // Blocks keep the order in which they came, whatever thread is done first.
            Job::Block { verified, reply } => match verdict(verified) {
                Ok(verified) => self.orderer.block(Box::new(verified), reply),
                Err(error) => reply.send(Err(error)),
            },
            Job::Accounts { institution, persons, reply } => {
                if let Err(reply) = self.orderer.accounts(institution, persons, reply) {
                    reply.send(Err(AccountError::Busy { retry_after_ms: BUSY_RETRY_MS }));
                }
            }
            Job::Tick => self.orderer.tick(),
            Job::Stop => return true,
        }
        false
    }

    /// Brings everything that was taken into rounds.
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
                }
                Step::Answer(outcomes) => commit::answer(&self.shared, outcomes, send),
            }
        }
    }

    /// Waits until the round on its way is durable, or is not.
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

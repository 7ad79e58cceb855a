//! The one thread that orders blocks: it groups what has arrived into a round and seals it. While the committer makes one
//! round durable, the next is built on top of it.

use std::sync::Arc;

use creditbank_protocol::pb::Receipt;
use creditbank_store::{KeyStoreError, StoreError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

use super::Person;
use super::accounts::{AccountError, OpenAccounts};
use super::committer::{Answers, Commit, Committer, answer, refuse};
use super::verifiers::Verdict;
use crate::append::round::{Context, Pending, Placed, RoundBuilder, Sealed};
use crate::append::state::State;
use crate::append::{NO_ROOM_RETRY_MS, SubmitError, VerifiedBlock};
use crate::ledger::Shared;
use crate::private::Alias;

/// The wall clock may move so far against running time before sealing stops.
const CLOCK_JUMP_MS: u64 = 5 * 60 * 1_000;

/// Where the answer to a block goes, and the room that the block takes up until then, whether or not anybody still waits.
pub(crate) struct BlockReply {
    answer: oneshot::Sender<Result<Receipt, SubmitError>>,
    _room: OwnedSemaphorePermit,
}

impl BlockReply {
    pub(crate) fn new(answer: oneshot::Sender<Result<Receipt, SubmitError>>, room: OwnedSemaphorePermit) -> Self {
        Self { answer, _room: room }
    }

    pub(crate) fn send(self, outcome: Result<Receipt, SubmitError>) {
        // Nobody waits any more: what was sealed is sealed all the same, and a repeat gets the receipt.
        let _ = self.answer.send(outcome);
    }
}

/// Work for the sequencer.
pub(crate) enum Job {
    /// A block, in the order in which it was begun; other threads are still checking it.
    Block {
        verified: Verdict,
        reply: BlockReply,
    },
    Accounts {
        institution: u64,
        persons: Vec<Person>,
        reply: oneshot::Sender<Result<Vec<Alias>, AccountError>>,
        room: OwnedSemaphorePermit,
    },
    Tick,
    Stop,
}

/// Waits for the check of a block.
fn verdict(verified: Verdict) -> Result<VerifiedBlock, SubmitError> {
    let failed = |_| Err(SubmitError::Stopped("the block could not be checked".to_owned()));
    verified.blocking_recv().unwrap_or_else(failed)
}

pub(crate) struct Sequencer {
    shared: Arc<Shared>,
    failed: watch::Sender<Option<String>>,
    /// Wall clock and running time at the last seal of this process, or at its start.
    seen: Option<(u64, u64)>,
    committer: Committer,
    /// The state after the last sealed round, durable or not.
    tip: Arc<State>,
    /// The last sealed round, until it is known what became of it.
    pending: Option<Arc<Pending>>,
}

impl Sequencer {
    pub(crate) fn new(shared: Arc<Shared>, failed: watch::Sender<Option<String>>) -> Self {
        let seen = Some((shared.clock.now_ms(), shared.clock.monotonic_ms()));
        let committer = Committer::start(Arc::clone(&shared), failed.clone());
        let tip = shared.state();
        Self { shared, failed, seen, committer, tip, pending: None }
    }

    pub(crate) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.blocking_recv() {
            let mut blocks = Vec::new();
            let mut next = Some(job);
            let mut stop = false;
            let mut taken = 0;
            // A round takes what has already arrived; waiting for more would only add latency.
            while let Some(job) = next {
                match job {
                    // Blocks keep the order in which they came, whatever thread is done first.
                    Job::Block { verified, reply } => match verdict(verified) {
                        Ok(verified) => blocks.push((Box::new(verified), reply)),
                        Err(error) => reply.send(Err(error)),
                    },
                    Job::Accounts { institution, persons, reply, room } => {
                        // In order, and so that blocks never wait behind many of these.
                        if !blocks.is_empty() {
                            self.round(std::mem::take(&mut blocks));
                        }
                        // It writes by itself. A full disk it finds out by itself too.
                        let _ = self.settle();
                        if self.failed.borrow().is_some() {
                            let _ = reply.send(Err(AccountError::Stopped));
                            break;
                        }
                        let mut opened = OpenAccounts::new(&self.shared).open(institution, &persons);
                        if let Err(
                            AccountError::Store(StoreError::Full { .. })
                            | AccountError::Keys(KeyStoreError::File(StoreError::Full { .. })),
                        ) = &opened
                        {
                            tracing::error!("no room on the disk: nothing is stored until there is some");
                            opened = Err(AccountError::NoRoom { retry_after_ms: NO_ROOM_RETRY_MS });
                        }
                        if let Err(error @ (AccountError::Store(_) | AccountError::Keys(_))) = &opened {
                            self.fail(&error.to_string());
                        }
                        let _ = reply.send(opened);
                        drop(room);
                    }
                    Job::Tick if blocks.is_empty() && self.is_seal_due() => self.seal_empty(),
                    Job::Tick => {}
                    Job::Stop => stop = true,
                }
                taken += 1;
                // Refused blocks count too: a flood of them must not keep good ones from being sealed.
                let full = stop || taken >= self.shared.limits.round_blocks_max;
                next = if full { None } else { queue.try_recv().ok() };
            }
            if !blocks.is_empty() {
                self.round(blocks);
            }
            if let Some(why) = self.shared.store.failure().filter(|_| self.failed.borrow().is_none()) {
                self.fail(&why);
            }
            if stop {
                queue.close();
            }
        }
        let _ = self.settle();
        self.committer.stop();
    }

    /// Waits until the last sealed round is durable. Where that failed, it and what was built on it never was.
    fn settle(&mut self) -> Result<(), SubmitError> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        pending.settle().inspect_err(|_| self.tip = self.shared.state())
    }

    fn is_seal_due(&self) -> bool {
        let sealed = self.tip.last_seal.map(|seal| seal.time_ms);
        sealed.is_some_and(|sealed| self.shared.clock.now_ms() >= sealed + self.shared.limits.seal_interval_ms)
    }

    /// The time of the next seal: never before the last one. Refused when the wall clock has jumped.
    fn now(&self) -> Result<u64, SubmitError> {
        let (wall, running) = (self.shared.clock.now_ms(), self.shared.clock.monotonic_ms());
        if let Some((seen_wall, seen_running)) = self.seen {
            let expected = seen_wall + running.saturating_sub(seen_running);
            if wall.abs_diff(expected) > CLOCK_JUMP_MS {
                let moved = i64::try_from(wall).unwrap_or(i64::MAX) - i64::try_from(expected).unwrap_or(i64::MAX);
                return Err(SubmitError::Clock(moved));
            }
        }
        Ok(self.tip.last_seal.map_or(wall, |seal| wall.max(seal.time_ms)))
    }

    fn fail(&self, why: &str) {
        tracing::error!(why, "the log can no longer be written");
        self.failed.send_replace(Some(why.to_owned()));
    }

    fn seal_empty(&mut self) {
        self.round(Vec::new());
    }

    /// Seals the blocks in as many rounds as their size asks for, and answers each.
    fn round(&mut self, blocks: Vec<(Box<VerifiedBlock>, BlockReply)>) {
        let mut blocks = blocks.into_iter().peekable();
        loop {
            if let Some(changing) = self.one_round(&mut blocks, Vec::new()) {
                // The next seal is the first to show the change: let it follow at once, not at the next block. Who made the
                // change is answered then, and reads what was written.
                self.one_round(&mut Vec::new().into_iter().peekable(), changing);
            }
            if blocks.peek().is_none() {
                return;
            }
        }
    }

    /// Takes blocks until the round is full, seals it and hands it over with their answers and those of `before`. Where the
    /// registry has changed, the answers are returned instead, for the round after.
    fn one_round(
        &mut self,
        blocks: &mut std::iter::Peekable<impl Iterator<Item = (Box<VerifiedBlock>, BlockReply)>>,
        mut answers: Answers,
    ) -> Option<Answers> {
        let refuse_all = |blocks: &mut dyn Iterator<Item = (Box<VerifiedBlock>, BlockReply)>, error: &SubmitError| {
            blocks.for_each(|(_, reply)| reply.send(Err(error.clone())));
        };
        let failure = self.failed.borrow().clone();
        let now = failure.map_or_else(|| self.now(), |why| Err(SubmitError::Stopped(why)));
        let now_ms = match now {
            Ok(now_ms) => now_ms,
            Err(error) => {
                refuse(answers, &error);
                refuse_all(blocks, &error);
                return None;
            }
        };
        let (shared, tip, before) = (Arc::clone(&self.shared), Arc::clone(&self.tip), self.pending.clone());
        let context = Context { pending: before.as_deref(), ..shared.context() };
        let mut builder = RoundBuilder::new(&context, &tip, now_ms);
        let empty = blocks.peek().is_none();
        while builder.bytes() < shared.limits.round_bytes_max {
            let Some((verified, reply)) = blocks.next() else { break };
            answers.push((builder.place(*verified), reply));
        }
        let anything_new = answers.iter().any(|(outcome, _)| matches!(outcome, Ok(Placed::New(_))));
        if !anything_new && !empty {
            // Receipts of blocks that are known may lead to the round before.
            match self.settle() {
                Ok(()) => answer(&shared, answers),
                Err(error) => refuse(answers, &error),
            }
            return None;
        }
        let sealed = builder.seal(shared.genesis, |message| creditbank_protocol::key::sign(&shared.log_key, message));
        let sealed = sealed.map_err(|error| {
            self.fail(&error.to_string());
            SubmitError::Stopped(error.to_string())
        });
        // What this round was built on must be on the disk before it may be handed over.
        let Sealed { ready, change, pending } = match self.settle().and(sealed) {
            Ok(sealed) => sealed,
            Err(error) => {
                refuse(answers, &error);
                refuse_all(blocks, &error);
                return None;
            }
        };
        let registry_changed = change.version.is_some();
        // Before the next round asks.
        shared.courses.add(pending.courses());
        self.seen = Some((shared.clock.now_ms(), shared.clock.monotonic_ms()));
        self.tip = Arc::new(tip.after(change));
        let pending = Arc::new(pending);
        self.pending = Some(Arc::clone(&pending));
        let state = Arc::clone(&self.tip);
        let kept = registry_changed.then(|| std::mem::take(&mut answers));
        self.committer.send(Commit { sealed: ready, pending, state, answers });
        // They are of an older round then.
        kept.map(|kept| kept.into_iter().map(|(outcome, reply)| (outcome.map(Placed::into_known), reply)).collect())
    }
}

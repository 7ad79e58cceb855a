//! The one thread that orders blocks: it groups what has arrived into a round, seals it, and makes it durable.
//!
//! Order of a round: seal signed, journal synced, guard synced, checkpoint signed, receipts out.

use std::sync::{Arc, PoisonError};

use creditbank_protocol::pb::Receipt;
use creditbank_store::{KeyStoreError, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::accounts::{AccountError, OpenAccounts};
use super::{Person, ReceiptError, Shared};
use crate::private::Alias;
use crate::round::{Placed, RoundBuilder};
use crate::submit::{SubmitError, VerifiedBlock};

/// The wall clock may move so far against running time before sealing stops.
const CLOCK_JUMP_MS: u64 = 5 * 60 * 1_000;

/// When to come back to a node whose disk is full.
const NO_ROOM_RETRY_MS: u64 = 10_000;

type Verifying = JoinHandle<Result<VerifiedBlock, SubmitError>>;

/// Where the answer to a block goes, and the room that the block takes up until then, whether or not anybody still waits.
pub(super) struct BlockReply {
    answer: oneshot::Sender<Result<Receipt, SubmitError>>,
    _room: OwnedSemaphorePermit,
}

impl BlockReply {
    pub(super) fn new(answer: oneshot::Sender<Result<Receipt, SubmitError>>, room: OwnedSemaphorePermit) -> Self {
        Self { answer, _room: room }
    }

    fn send(self, outcome: Result<Receipt, SubmitError>) {
        // Nobody waits any more: what was sealed is sealed all the same, and a repeat gets the receipt.
        let _ = self.answer.send(outcome);
    }
}

/// Work for the sequencer.
pub(super) enum Job {
    /// A block, in the order in which it was begun; other threads are still checking it.
    Block {
        verified: Verifying,
        reply: BlockReply,
    },
    Accounts {
        institution: u64,
        persons: Vec<Person>,
        reply: oneshot::Sender<Result<Vec<Alias>, AccountError>>,
    },
    Tick,
    Stop,
}

pub(super) struct Sequencer {
    shared: Arc<Shared>,
    runtime: Handle,
    failed: watch::Sender<Option<String>>,
    /// Wall clock and running time at the last seal of this process, or at its start.
    seen: Option<(u64, u64)>,
}

impl Sequencer {
    pub(super) fn new(shared: Arc<Shared>, runtime: Handle, failed: watch::Sender<Option<String>>) -> Self {
        let seen = Some((shared.clock.now_ms(), shared.clock.monotonic_ms()));
        Self { shared, runtime, failed, seen }
    }

    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(job) = queue.blocking_recv() {
            let mut blocks = Vec::new();
            let mut next = Some(job);
            let mut stop = false;
            let mut taken = 0;
            // A round takes what has already arrived; waiting for more would only add latency.
            while let Some(job) = next {
                match job {
                    Job::Block { verified, reply } => match self.verified(verified) {
                        Ok(verified) => blocks.push((Box::new(verified), reply)),
                        Err(error) => reply.send(Err(error)),
                    },
                    Job::Accounts { institution, persons, reply } => {
                        // In order, and so that blocks never wait behind many of these.
                        if !blocks.is_empty() {
                            self.round(std::mem::take(&mut blocks));
                        }
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
    }

    /// Waits for the check of a block: blocks keep the order in which they came, whatever thread is done first.
    fn verified(&self, verifying: Verifying) -> Result<VerifiedBlock, SubmitError> {
        let done = self.runtime.block_on(verifying);
        done.unwrap_or_else(|error| Err(SubmitError::Stopped(error.to_string())))
    }

    fn is_seal_due(&self) -> bool {
        let sealed = self.shared.state().last_seal.map(|seal| seal.time_ms);
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
        Ok(self.shared.state().last_seal.map_or(wall, |seal| wall.max(seal.time_ms)))
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
            let registry_changed = self.one_round(&mut blocks);
            if registry_changed {
                // The next seal is the first to show the change: let it follow at once, not at the next block.
                self.one_round(&mut Vec::new().into_iter().peekable());
            }
            if blocks.peek().is_none() {
                return;
            }
        }
    }

    /// Takes blocks until the round is full, seals it and answers them. Whether the registry has changed.
    fn one_round(
        &mut self,
        blocks: &mut std::iter::Peekable<impl Iterator<Item = (Box<VerifiedBlock>, BlockReply)>>,
    ) -> bool {
        let refuse_all = |blocks: &mut dyn Iterator<Item = (Box<VerifiedBlock>, BlockReply)>, error: &SubmitError| {
            blocks.for_each(|(_, reply)| reply.send(Err(error.clone())));
        };
        let failure = self.failed.borrow().clone();
        let now = failure.map_or_else(|| self.now(), |why| Err(SubmitError::Stopped(why)));
        let now_ms = match now {
            Ok(now_ms) => now_ms,
            Err(error) => {
                refuse_all(blocks, &error);
                return false;
            }
        };
        let shared = Arc::clone(&self.shared);
        let context = shared.context();
        let state = shared.state();
        let mut builder = RoundBuilder::new(&context, &state, now_ms);
        let empty = blocks.peek().is_none();
        let mut placed = Vec::new();
        while builder.bytes() < shared.limits.round_bytes_max {
            let Some((verified, reply)) = blocks.next() else { break };
            placed.push((builder.place(&verified), reply));
        }
        let anything_new = placed.iter().any(|(outcome, _)| matches!(outcome, Ok(Placed::New(_))));
        if !anything_new && !empty {
            drop(state);
            self.answer(placed);
            return false;
        }
        let sealed = builder.seal(shared.genesis, |message| creditbank_protocol::key::sign(&shared.log_key, message));
        drop(state);
        let mut no_room = false;
        let sealed = sealed.map_err(|error| error.to_string()).and_then(|sealed| {
            shared.store.append(&sealed.round).map_err(|error| {
                no_room = matches!(error, StoreError::Full { .. });
                error.to_string()
            })?;
            let checkpoint = shared.sign_checkpoint(&sealed.checkpoint).map_err(|error| error.to_string())?;
            Ok((sealed.change, checkpoint))
        });
        match sealed {
            Ok((mut change, checkpoint)) => {
                change.checkpoint = checkpoint;
                // Before the next round asks.
                shared.courses.add(change.courses.iter());
                let registry_changed = change.version.is_some();
                self.seen = Some((shared.clock.now_ms(), shared.clock.monotonic_ms()));
                shared.state.write().unwrap_or_else(PoisonError::into_inner).apply(change);
                self.answer(placed);
                registry_changed
            }
            Err(why) => {
                // Of a full disk everything is as it was before: nothing that was decided within this round counts.
                let error = if no_room {
                    tracing::error!(why, "no room on the disk: nothing is sealed until there is some");
                    SubmitError::NoRoom { retry_after_ms: NO_ROOM_RETRY_MS }
                } else {
                    self.fail(&why);
                    SubmitError::Stopped(why)
                };
                placed.into_iter().for_each(|(_, reply)| reply.send(Err(error.clone())));
                refuse_all(blocks, &error);
                false
            }
        }
    }

    /// Sends each block of the newest round its receipt or its refusal.
    fn answer(&self, placed: Vec<(Result<Placed, SubmitError>, BlockReply)>) {
        let stopped = |error: ReceiptError| SubmitError::Stopped(error.to_string());
        let receipt = |index| self.shared.receipt(index).map_err(stopped);
        let mut newest = self.shared.newest_receipts();
        for (outcome, reply) in placed {
            let answer = match outcome {
                Ok(Placed::New(index)) => newest(index).map_err(stopped),
                // Perhaps of this round, perhaps of an older one.
                Ok(Placed::Known(index)) => receipt(index),
                Err(SubmitError::Stale { height, accepted }) => match receipt(accepted.index) {
                    Ok(accepted) => Err(SubmitError::Stale { height, accepted: Box::new(accepted) }),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            reply.send(answer);
        }
    }
}

//! The thread that makes rounds durable, one after the other, while the sequencer builds the next.
//!
//! Order of a round: bodies encrypted, journal synced, guard synced, checkpoint signed, state published, receipts out.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use creditbank_store::StoreError;
use tokio::sync::watch;

use super::sequencer::BlockReply;
use crate::append::round::{Pending, Placed, SealedRound};
use crate::append::state::State;
use crate::append::{NO_ROOM_RETRY_MS, SubmitError};
use crate::ledger::Shared;
use crate::publish::ReceiptError;

/// Blocks with what became of them.
pub(crate) type Answers = Vec<(Result<Placed, SubmitError>, BlockReply)>;

/// A sealed round on its way to the disk.
pub(crate) struct Commit {
    pub(crate) sealed: SealedRound,
    pub(crate) pending: Arc<Pending>,
    /// The state afterwards.
    pub(crate) state: Arc<State>,
    pub(crate) answers: Answers,
}

/// The running thread.
pub(crate) struct Committer {
    commits: SyncSender<Commit>,
    thread: JoinHandle<()>,
}

impl Committer {
    pub(crate) fn start(shared: Arc<Shared>, failed: watch::Sender<Option<String>>) -> Self {
        // The sequencer hands a round over only when the one before is settled: one place is enough.
        let (commits, queue) = sync_channel(1);
        let run = move || run(&shared, &failed, &queue);
        let thread = std::thread::Builder::new().name("commit".to_owned()).spawn(run);
        Self { commits, thread: thread.expect("the system can start a thread at start-up") }
    }

    /// Hands a round over.
    pub(crate) fn send(&self, commit: Commit) {
        if let Err(error) = self.commits.send(commit) {
            let Commit { pending, answers, .. } = error.0;
            let error = SubmitError::Stopped("the thread that writes has ended".to_owned());
            refuse(answers, &error);
            pending.finish(Err(error));
        }
    }

    /// Finishes what was handed over, and ends.
    pub(crate) fn stop(self) {
        drop(self.commits);
        // A panic there has failed its round already: whoever waited for receipts was told that the node stops.
        let _ = self.thread.join();
    }
}

/// The same error for all.
pub(crate) fn refuse(answers: Answers, error: &SubmitError) {
    answers.into_iter().for_each(|(_, reply)| reply.send(Err(error.clone())));
}

/// Tells those who wait when this thread panics: nobody must wait for ever.
struct Panicking<'a> {
    failed: &'a watch::Sender<Option<String>>,
    pending: &'a Pending,
}

impl Drop for Panicking<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "the thread that writes has panicked".to_owned();
            self.failed.send_replace(Some(why.clone()));
            self.pending.finish(Err(SubmitError::Stopped(why)));
        }
    }
}

fn run(shared: &Shared, failed: &watch::Sender<Option<String>>, queue: &Receiver<Commit>) {
    while let Ok(Commit { sealed, pending, state, answers }) = queue.recv() {
        let _told = Panicking { failed, pending: &pending };
        match commit(shared, sealed, &state) {
            Ok(()) => {
                // The next round may follow while receipts are still being made.
                pending.finish(Ok(()));
                answer(shared, answers);
            }
            Err(failure) => {
                let error = match failure {
                    Failure::NoRoom(why) => {
                        tracing::error!(why, "no room on the disk: nothing is sealed until there is some");
                        SubmitError::NoRoom { retry_after_ms: NO_ROOM_RETRY_MS }
                    }
                    Failure::Fatal(why) => {
                        tracing::error!(why, "the log can no longer be written");
                        failed.send_replace(Some(why.clone()));
                        SubmitError::Stopped(why)
                    }
                };
                refuse(answers, &error);
                pending.finish(Err(error));
            }
        }
    }
}

enum Failure {
    /// Everything is as it was before.
    NoRoom(String),
    /// What is on the disk is uncertain.
    Fatal(String),
}

fn fatal(error: impl std::fmt::Display) -> Failure {
    Failure::Fatal(error.to_string())
}

fn commit(shared: &Shared, sealed: SealedRound, state: &State) -> Result<(), Failure> {
    let SealedRound { mut round, bodies, checkpoint, .. } = sealed;
    let context = shared.context();
    for block in bodies {
        block.seal(&shared.origin, &context, &mut round.entries).map_err(fatal)?;
    }
    shared.store.append(&round).map_err(|error| match error {
        StoreError::Full { .. } => Failure::NoRoom(error.to_string()),
        error => fatal(error),
    })?;
    let checkpoint = shared.sign_checkpoint(&checkpoint).map_err(fatal)?;
    let published = Arc::new(State { checkpoint, ..state.clone() });
    *shared.state.write().unwrap_or_else(PoisonError::into_inner) = published;
    Ok(())
}

/// Sends each block of the newest round its receipt or its refusal.
pub(crate) fn answer(shared: &Shared, answers: Answers) {
    let stopped = |error: ReceiptError| SubmitError::Stopped(error.to_string());
    let receipt = |index| shared.receipt(index).map_err(stopped);
    let mut newest = shared.newest_receipts();
    for (outcome, reply) in answers {
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

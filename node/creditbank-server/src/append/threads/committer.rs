//! The thread that makes rounds durable, one after the other, while the sequencer builds the next.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::{AccountsReply, BlockReply, Panicking, send};
use crate::append::SubmitError;
use crate::append::commit::{self, CommitError};
use crate::ledger::Shared;
use crate::publish::publish;

type Outcome = Result<(), SubmitError>;
type Commit = commit::Commit<BlockReply, AccountsReply>;
type Outcomes = commit::Outcomes<BlockReply, AccountsReply>;

/// The running thread.
pub(super) struct Committer {
    commits: SyncSender<Commit>,
    outcomes: Receiver<Outcome>,
    thread: JoinHandle<()>,
}

fn ended() -> SubmitError {
    SubmitError::Stopped("the thread that writes has ended".to_owned())
}

impl Committer {
    pub(super) fn start(shared: Arc<Shared>, failed: watch::Sender<Option<String>>) -> Self {
        // The sequencer hands over a round only after it has heard of the one before: one place is enough.
        let (commits, queue) = sync_channel(1);
        let (outcome, outcomes) = sync_channel(1);
        let run = move || run(&shared, &failed, &queue, &outcome);
        let thread = std::thread::Builder::new().name("commit".to_owned()).spawn(run);
        Self { commits, outcomes, thread: thread.expect("the system can start a thread at start-up") }
    }

    /// Hands a round over.
    pub(super) fn send(&self, commit: Commit) -> Result<(), Box<(Outcomes, SubmitError)>> {
        self.commits.send(commit).map_err(|error| Box::new((error.0.outcomes, ended())))
    }

    /// Waits until the round that was handed over is durable, or is not.
    pub(super) fn wait(&self) -> Outcome {
        self.outcomes.recv().unwrap_or_else(|_| Err(ended()))
    }

    /// The outcome of the round that was handed over, if it is known.
    pub(super) fn heard(&self) -> Option<Outcome> {
        self.outcomes.try_recv().ok()
    }

    /// Finishes what was handed over, and ends.
    pub(super) fn stop(self) {
        drop(self.commits);
        // A panic there has failed its round already: everybody who waited for receipts was told that the node stops.
        let _ = self.thread.join();
    }
}

fn run(
    shared: &Shared,
    failed: &watch::Sender<Option<String>>,
    queue: &Receiver<Commit>,
    outcome: &SyncSender<Outcome>,
) {
    let _told = Panicking(failed.clone(), "the thread that writes has panicked");
    while let Ok(Commit { sealed, state, outcomes }) = queue.recv() {
        let written = commit::write(shared, sealed).and_then(|checkpoint| match checkpoint {
            Some(checkpoint) => publish(shared, &checkpoint, &state).map_err(CommitError::from),
            None => Ok(()),
        });
        match written {
            Ok(()) => {
                // The next round may follow while receipts are still being made.
                let _ = outcome.send(Ok(()));
                commit::answer(shared, outcomes, send);
            }
            Err(error) => {
                match &error {
                    CommitError::NoRoom(why) => {
                        tracing::error!(why, "no room on the disk: nothing is sealed until there is room");
                    }
                    CommitError::Displaced(why) => tracing::error!(why, "nothing is sealed"),
                    CommitError::Fatal(why) => {
                        tracing::error!(why, "the log can no longer be written");
                        failed.send_replace(Some(why.clone()));
                    }
                }
                let error = error.into();
                commit::answer(shared, outcomes.refused(&error), send);
                let _ = outcome.send(Err(error));
            }
        }
    }
}

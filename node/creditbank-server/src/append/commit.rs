//! Makes a round durable, and answers its blocks once it is published.
//!
//! The order for a round: keys of new learners synced, bodies encrypted, journal synced, guard synced (`write`);
//! checkpoint signed, state published ([`crate::publish`]); receipts sent (`answer`).

use std::sync::Arc;

use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::Receipt;
use creditbank_protocol::{Alias, LogIndex};
use creditbank_store::{KeyStoreError, StoreError};

use super::round::{Placed, SealedRound};
use super::state::State;
use super::{AccountError, NO_ROOM_RETRY_MS, SubmitError};
use crate::ledger::{OpenError, Shared};
use crate::publish::ReceiptError;

/// The outcome of a block or of persons, with what the caller passed along.
#[derive(Debug)]
pub enum Answer<B, A> {
    /// Of a block.
    Block(B, Result<Receipt, SubmitError>),
    /// Of persons: their aliases, in order.
    Accounts(A, Result<Vec<Alias>, AccountError>),
}

/// The outcomes of blocks and persons, each with the destination of its answer.
pub(crate) struct Outcomes<B, A> {
    pub(crate) blocks: Vec<(Result<Placed, SubmitError>, B)>,
    pub(crate) accounts: Vec<(Result<Vec<Alias>, AccountError>, A)>,
    /// They are in an older round, which is on the disk. They get their receipts, whatever happens to this round.
    pub(crate) are_durable: bool,
}

impl<B, A> Default for Outcomes<B, A> {
    fn default() -> Self {
        Self { blocks: Vec::new(), accounts: Vec::new(), are_durable: false }
    }
}

impl<B, A> Outcomes<B, A> {
    /// Gives all of them the same error, unless they are durable.
    pub(crate) fn refused(self, error: &SubmitError) -> Self {
        if self.are_durable {
            return self;
        }
        Self {
            are_durable: false,
            blocks: self.blocks.into_iter().map(|(_, reply)| (Err(error.clone()), reply)).collect(),
            accounts: self.accounts.into_iter().map(|(_, reply)| (Err(AccountError::of_round(error)), reply)).collect(),
        }
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.blocks.extend(others.blocks);
        self.accounts.extend(others.accounts);
    }
}

/// A round that is to be written.
pub(crate) struct Commit<B, A> {
    pub(crate) sealed: SealedRound,
    /// The state afterwards.
    pub(crate) state: Arc<State>,
    pub(crate) outcomes: Outcomes<B, A>,
}

/// Why a round was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// The disk is full. Nothing has changed.
    #[error("no room on the disk: {0}")]
    NoRoom(String),
    /// A file is not in its place. Nothing has changed.
    #[error("{0}")]
    Displaced(String),
    /// The state of the disk is unknown: the process must stop.
    #[error("{0}")]
    Fatal(String),
}

impl From<CommitError> for SubmitError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::NoRoom(_) => Self::NoRoom { retry_after_ms: NO_ROOM_RETRY_MS },
            CommitError::Displaced(_) => Self::Displaced,
            CommitError::Fatal(why) => Self::Stopped(why),
        }
    }
}

/// Without a checkpoint the node cannot tell anybody what is durable.
impl From<OpenError> for CommitError {
    fn from(error: OpenError) -> Self {
        fatal(error)
    }
}

fn fatal(error: impl std::fmt::Display) -> CommitError {
    CommitError::Fatal(error.to_string())
}

/// Makes a round durable. The returned checkpoint may be signed then, and not before. A round without a seal has none.
pub(crate) fn write(shared: &Shared, sealed: SealedRound) -> Result<Option<Checkpoint>, CommitError> {
    let SealedRound { accounts, keys, mut round, bodies, checkpoint } = sealed;
    let context = shared.context();
    shared.keys.sync(&accounts, &mut |bytes| shared.entropy.fill(bytes)).map_err(|error| match error {
        KeyStoreError::File(error) => not_written(shared, &error),
        error => fatal(error),
    })?;
    for block in bodies {
        block.seal(&shared.first_origin, &context, &mut round.entries).map_err(fatal)?;
    }
    // The round before is published. Its signatures are made, and remain when the keys are gone.
    round.rows.extend(checkpoint.as_ref().and_then(|_| shared.newest_note()));
    let mut counts = shared.counts();
    counts.add(shared.store(), &round.rows, keys).map_err(fatal)?;
    counts.erased = counts.erased.max(shared.keys.erased());
    round.rows.push(counts.row());
    shared.store.append(&round).map_err(|error| not_written(shared, &error))?;
    shared.count(counts);
    shared.takes_writes();
    Ok(checkpoint)
}

/// Either nothing was written, and the operator is told why, or the state of the disk is unknown.
fn not_written(shared: &Shared, error: &StoreError) -> CommitError {
    shared.takes_no_writes(error);
    match error {
        StoreError::Full { .. } => CommitError::NoRoom(error.to_string()),
        StoreError::Displaced { .. } => CommitError::Displaced(error.to_string()),
        error => fatal(error),
    }
}

/// Gives each block of the newest round its receipt or its refusal, and the persons their aliases.
pub(crate) fn answer<B, A>(shared: &Shared, outcomes: Outcomes<B, A>, mut send: impl FnMut(Answer<B, A>)) {
    let Outcomes { blocks, accounts, .. } = outcomes;
    accounts.into_iter().for_each(|(opened, reply)| send(Answer::Accounts(reply, opened)));
    let unreadable = |error: ReceiptError| SubmitError::Unreadable(error.into());
    let receipt = |index: LogIndex| shared.receipt(index).map_err(unreadable);
    let mut newest = shared.newest_receipts();
    for (outcome, reply) in blocks {
        let answer = match outcome {
            Ok(Placed::New(index)) => newest(index).map_err(unreadable),
            // It may be in this round or in an older one.
            Ok(Placed::Known(index)) => receipt(index),
            Err(SubmitError::Stale { height, accepted }) => match receipt(accepted.index.into()) {
                Ok(accepted) => Err(SubmitError::Stale { height, accepted: Box::new(accepted) }),
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        send(Answer::Block(reply, answer.map_err(|error| shared.of_unreadable(error))));
    }
}

impl Shared {
    /// What an unreadable value means: if the store has failed, the node stops, and its next start repairs the store.
    pub(crate) fn of_unreadable(&self, error: SubmitError) -> SubmitError {
        match (error, self.store.failure()) {
            (SubmitError::Unreadable(_), Some(why)) => SubmitError::Stopped(why),
            (error, _) => error,
        }
    }
}

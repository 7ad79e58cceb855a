//! The append path without any thread: the caller decides what happens next. For simulations.

use std::collections::VecDeque;
use std::sync::Arc;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::StoreError;

use super::accounts::{AccountError, Person};
use super::commit::{self, Answer, Commit, CommitError, Outcomes};
use super::courses::Filling;
use super::orderer::{Orderer, Step};
use super::state::State;
use super::{SubmitError, VerifiedBlock};
use crate::ledger::Shared;
use crate::publish::publish;
use crate::work::BUSY_RETRY_MS;

/// The stage of the one round that is being written.
enum Stage<B, A> {
    Idle,
    Write(Box<Commit<B, A>>),
    Publish { checkpoint: Option<Checkpoint>, state: Arc<State>, outcomes: Outcomes<B, A> },
    Answer(Outcomes<B, A>),
}

/// The append path of one log, step by step. Each step says whether there was anything to do. A step that fails leaves
/// the log as a failed thread would: [`Self::failure`] says why, and everything that waits is refused.
pub struct Steps<B, A> {
    shared: Arc<Shared>,
    orderer: Orderer<B, A>,
    stage: Stage<B, A>,
    filling: Option<Filling>,
    answers: VecDeque<Answer<B, A>>,
}

impl<B, A> Steps<B, A> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let orderer = Orderer::new(Arc::clone(&shared));
        let filling = Some(Filling::default());
        Self { shared, orderer, stage: Stage::Idle, filling, answers: VecDeque::new() }
    }

    /// Checks everything of a block, and of the records beside it, that does not depend on order.
    pub fn verify(&self, request: SubmitBlockRequest) -> Result<VerifiedBlock, SubmitError> {
        self.shared.verify(request, || ())
    }

    /// Accepts a block that was checked.
    pub fn block(&mut self, verified: VerifiedBlock, reply: B) {
        self.orderer.block(Box::new(verified), reply);
    }

    /// Accepts persons whose accounts are to be opened.
    pub fn accounts(&mut self, institution: InstitutionId, persons: Vec<Person>, reply: A) {
        let persons = self.shared.identified(institution, &persons);
        if let Err(reply) = self.orderer.accounts(institution, persons, reply) {
            let busy = AccountError::Busy { retry_after_ms: BUSY_RETRY_MS };
            self.answers.push_back(Answer::Accounts(reply, Err(busy)));
        }
    }

    /// Adds an empty round if none was sealed for the configured time.
    pub fn tick(&mut self) {
        self.orderer.tick();
    }

    /// Seals a block of public records only, and waits for it. Nothing else may be under way.
    pub fn seal(&mut self, block: &[u8], reply: B) -> Result<Receipt, SubmitError> {
        let verified = self.verify(SubmitBlockRequest { block: block.to_vec().into(), ..Default::default() })?;
        self.block(verified, reply);
        self.run();
        match self.take_answer() {
            Some(Answer::Block(_, answer)) => answer,
            Some(Answer::Accounts(..)) | None => Err(SubmitError::Stopped("the round was not finished".to_owned())),
        }
    }

    /// Builds and hands over a round.
    pub fn order(&mut self) -> bool {
        // The round before must have been written.
        if !self.orderer.is_waiting() && !matches!(self.stage, Stage::Idle) {
            return false;
        }
        match self.orderer.step() {
            Step::Idle | Step::Wait => return false,
            Step::Write(commit) => self.stage = Stage::Write(commit),
            Step::Answer(outcomes) => self.answer_all(outcomes),
        }
        true
    }

    /// Makes the round that was handed over durable.
    pub fn write(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Write(commit) => {
                let Commit { sealed, state, outcomes } = *commit;
                match commit::write(&self.shared, sealed) {
                    Ok(checkpoint) => self.stage = Stage::Publish { checkpoint, state, outcomes },
                    Err(error) => self.refuse(outcomes, error.into()),
                }
                true
            }
            other => {
                self.stage = other;
                false
            }
        }
    }

    /// Signs the checkpoint of the durable round and publishes the state after it.
    pub fn publish(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Publish { checkpoint, state, outcomes } => {
                match checkpoint.map_or(Ok(()), |checkpoint| publish(&self.shared, &checkpoint, &state)) {
                    Ok(()) => {
                        self.stage = Stage::Answer(outcomes);
                        let refused = self.orderer.written(Ok(()));
                        self.answer_all(refused);
                    }
                    Err(error) => self.refuse(outcomes, CommitError::from(error).into()),
                }
                true
            }
            other => {
                self.stage = other;
                false
            }
        }
    }

    /// Makes the receipts of the published round.
    pub fn answer(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Answer(outcomes) => {
                self.answer_all(outcomes);
                true
            }
            other => {
                self.stage = other;
                false
            }
        }
    }

    /// Adds a page of the index to the filter of courses.
    pub fn fill(&mut self) -> bool {
        let Some(filling) = &mut self.filling else { return false };
        match filling.step(&self.shared) {
            Ok(false) => {}
            // Everything works without the filter, but a little slower.
            Ok(true) | Err(_) => self.filling = None,
        }
        true
    }

    /// Continues until nothing is left to do. Stops early if the log can no longer be written.
    pub fn run(&mut self) {
        while self.order() || self.write() || self.publish() || self.answer() || self.index() || self.fill() {}
    }

    /// Whether all accepted work is answered.
    pub fn is_idle(&self) -> bool {
        self.orderer.is_idle() && matches!(self.stage, Stage::Idle)
    }

    /// Applies a round that is durable to the index.
    pub fn index(&mut self) -> bool {
        // A failure stops the store, which reports it.
        self.shared.store.step().unwrap_or(false)
    }

    /// The next answer.
    pub fn take_answer(&mut self) -> Option<Answer<B, A>> {
        self.answers.pop_front()
    }

    /// Why the log can no longer be written; the process should stop then.
    pub fn failure(&self) -> Option<String> {
        self.orderer.failure().map(str::to_owned).or_else(|| self.shared.store.failure())
    }

    /// Marks the stop as clean. To be called when nothing is left to do.
    pub fn close(&mut self) -> Result<(), StoreError> {
        self.shared.keep_note()?;
        self.shared.store.close()
    }

    fn answer_all(&mut self, outcomes: Outcomes<B, A>) {
        let Self { shared, answers, .. } = self;
        commit::answer(shared, outcomes, |answer| answers.push_back(answer));
    }

    /// The round was not written.
    fn refuse(&mut self, outcomes: Outcomes<B, A>, error: SubmitError) {
        let mut refused = outcomes.refused(&error);
        refused.extend(self.orderer.written(Err(error)));
        self.answer_all(refused);
    }
}

//! Questions about a learner's records and an institution's cases. The read models answer them, over this node's
//! ledger.

use std::time::Duration;

use creditbank_ledger::read::{
    self, ApplicationCase, Consequences, ConversionRequest, Evaluation, Line, Preview, Question, QuestionError,
    ReadScope, Review, Verdict,
};
use creditbank_protocol::dates::{Day, day_of_ms};
use creditbank_protocol::{AccountId, Alias, InstitutionId, Place};
use creditbank_rules::qualification::{Beside, Case, Undecided};

use super::ReadError;
use crate::append::round::StoreView;
use crate::ledger::Ledger;

/// How long an allocation is searched for. After that the answer is "undecided".
const PATIENCE: Duration = Duration::from_secs(2);

impl Ledger {
    /// Asks a read model about the log as of its last round, and of today.
    fn ask<T, E: Into<ReadError>>(
        &self,
        question: impl FnOnce(&StoreView<'_>, Day) -> Result<T, E>,
    ) -> Result<T, ReadError> {
        let (context, state) = (self.context(), self.shared.state());
        question(&StoreView::new(&context, &state), day_of_ms(self.now_ms())).map_err(Into::into)
    }

    /// The applications that an institution has received, or only the overdue ones.
    pub fn applications(
        &self,
        institution: InstitutionId,
        only_overdue: bool,
    ) -> Result<Vec<ApplicationCase>, ReadError> {
        self.ask(|view, today| read::applications(view, institution, only_overdue, today))
    }

    /// The records of an institution that are under review.
    pub fn reviews(&self, institution: InstitutionId) -> Result<Vec<Review>, ReadError> {
        self.ask(|view, today| read::reviews(view, institution, today))
    }

    /// What a block that amends or revokes records must put under review and release.
    pub fn consequences(&self, places: &[Place], revoke: bool) -> Result<Consequences, ReadError> {
        self.ask(|view, _| read::consequences(view, places, revoke))
    }

    /// What else a block that reinstates records must say.
    pub fn reinstating(&self, places: &[Place]) -> Result<Consequences, ReadError> {
        self.ask(|view, _| read::reinstating(view, places))
    }

    /// The learner's credit by unit, level, field and status, of one institution or of all.
    pub fn balance(&self, account: &AccountId, institution: Option<InstitutionId>) -> Result<Vec<Line>, ReadError> {
        self.ask(|view, today| read::balance(view, &read::records_of(view, account, institution)?, today))
    }

    /// How far a learner is with a qualification, by the records that the caller sees.
    pub fn evaluate(
        &self,
        account: &AccountId,
        question: Question,
        scope: &ReadScope,
    ) -> Result<Evaluation, ReadError> {
        let begun = self.shared.clock.monotonic_ms();
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX);
        let stop = &mut || self.is_stopped() || self.shared.clock.monotonic_ms().saturating_sub(begun) > patience;
        let allocate =
            &mut |case: &Case<'_>, others: &[Beside<'_>]| creditbank_allocation::allocate_beside(case, others, stop);
        let found = self.ask(|view, today| read::evaluate(view, account, question, scope, today, allocate))?;
        if found.verdict == Verdict::Undecided(Undecided::Fault) {
            tracing::error!("an allocation was found that the rules refuse: the evaluation has a fault");
        }
        Ok(found)
    }

    /// What a conversion by an institution would give a learner.
    pub fn preview(
        &self,
        institution: InstitutionId,
        learner: (&AccountId, &Alias),
        request: ConversionRequest,
        scope: &ReadScope,
    ) -> Result<Preview, ReadError> {
        self.ask(|view, today| read::preview(view, institution, learner, request, scope, today))
    }
}

impl From<QuestionError> for ReadError {
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::Missing(place) => Self::Missing(place),
            QuestionError::Rejected(rejection) => rejection.into(),
            QuestionError::View(error) => error.into(),
        }
    }
}

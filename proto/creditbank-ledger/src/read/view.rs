//! What the read models look at beyond what the rules do.

use creditbank_protocol::dates::{Day, first_day, is_real};
use creditbank_protocol::pb;
use creditbank_protocol::status::Mark;
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place};
use creditbank_rules::admission::{AdmissionError, Used};
use creditbank_rules::{Rejection, Rule, View, ViewError};

/// Most records of a learner that one answer looks at.
const RECORDS_MAX: usize = 10_000;

/// A ledger that can also say which records there are.
pub trait ReadView: View {
    /// Places of a learner's records, in the order of the log.
    fn learner_places(&self, account: &AccountId) -> Result<Vec<Place>, ViewError>;
    /// Places of the applications for recognition that an institution has received, whatever became of them.
    fn application_places(&self, institution: InstitutionId) -> Result<Vec<Place>, ViewError>;
    /// The records that have a mark.
    fn marked(&self, mark: Mark) -> Result<Vec<MarkedRecord>, ViewError>;
    /// Whose record stands at a place, also where it cannot be opened any more; `None` where there is no block.
    fn issuer(&self, place: Place) -> Result<Option<InstitutionId>, ViewError>;
    /// How an institution names the learner of an account.
    fn alias(&self, institution: InstitutionId, account: &AccountId) -> Alias;
}

/// A record with a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkedRecord {
    /// Where it stands.
    pub place: Place,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// Log index of the block that has set the mark.
    pub since: LogIndex,
}

/// Why a question has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum QuestionError {
    /// No such record, or none that the caller may see.
    #[error("no record can be read at {0}")]
    Missing(Place),
    /// What is asked breaks a rule.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The ledger could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<AdmissionError> for QuestionError {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Rejected(rejection) => rejection.into(),
            AdmissionError::View(error) => error.into(),
        }
    }
}

/// The records of a learner who has a key, of one institution or of all, in the order of the log. A record that cannot be
/// opened, or is another learner's, is damage: nothing is left out.
pub fn records_of(
    view: &impl ReadView,
    account: &AccountId,
    institution: Option<InstitutionId>,
) -> Result<Vec<Used>, ViewError> {
    let mut records = Vec::new();
    for place in view.learner_places(account)? {
        let used = own_record(view, account, place)?;
        records.extend(
            Some(used).filter(|used| institution.is_none_or(|institution| used.facts.institution == institution)),
        );
        if records.len() == RECORDS_MAX {
            break;
        }
    }
    Ok(records)
}

/// The record at a place that is known to be a learner's.
pub(super) fn own_record(view: &impl View, account: &AccountId, place: Place) -> Result<Used, ViewError> {
    let found = view.content_at(place)?.map(|(facts, record)| Used { place, facts, record });
    found.filter(|used| used.facts.account == *account).ok_or_else(|| lost(place))
}

/// The learner index names a place, and what it must name is not there.
pub(super) fn lost(place: Place) -> ViewError {
    ViewError::Missing(format!("the learner index names a record at {place}, and no record of theirs is there"))
}

/// The day that a question names in a field, or else today.
pub fn named_day(date: Option<&pb::Date>, field: &'static str, today: Day) -> Result<Day, Rejection> {
    let Some(date) = date else { return Ok(today) };
    let refuse = || Rejection::new(Rule::InvalidDate, "a day of the calendar", "another").field(field);
    if is_real(date) && date.day != 0 { Ok(first_day(date)) } else { Err(refuse()) }
}

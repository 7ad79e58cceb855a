//! Records that stand on others: what they ask of the ledger beyond their own fields, what they redeem, what they depend on.

use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Digest, InstitutionId, Place};

use super::kinds::malformed;
use super::{AdmissionError, awarded, comparability, conversion, enrolment, foreign, late, mandate, recognition};
use crate::dates::{Day, day_of_ms};
use crate::plausible::latest_day;
use crate::{CourseKey, DocumentKey, View};

/// Whose record is judged, and as of when.
#[derive(Clone, Copy)]
pub(super) struct Issuing {
    /// The institution whose record it is: the signer, or the closed one that the signer keeps records for.
    pub(super) institution: InstitutionId,
    /// Time of the seal of the round.
    pub(super) sealed_at_ms: u64,
    /// When the block was created, in minutes since 1970.
    pub(super) created_at_minute: u64,
}

impl Issuing {
    /// The latest day on earth when the block was created.
    pub(super) fn latest_day(&self) -> Day {
        latest_day(self.created_at_minute)
    }

    /// The day (UTC) on which the block was created.
    pub(super) fn day(&self) -> Day {
        day_of_ms(self.created_at_minute.saturating_mul(60_000))
    }
}

/// What follows from a record.
#[derive(Default)]
pub(super) struct Derived {
    /// With which of the learner's records it is counted; `None` where its own fields say so (see
    /// [`kinds::Common`](super::kinds::Common)).
    pub(super) key: Option<CourseKey>,
    /// What it redeems, by which mandate.
    pub(super) redeems: Vec<(Place, Digest)>,
    /// What it stands on.
    pub(super) depends_on: Vec<Place>,
    /// What others have signed in it, by digest.
    pub(super) consents: Vec<Digest>,
    /// Of an award: the numbers of its documents.
    pub(super) documents: Vec<DocumentKey>,
    /// Whether it is late, so that another person has to approve its block.
    pub(super) late: bool,
}

/// Checks a record of a kind that stands on others; nothing follows from another one.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    record: &Record,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let found = |key, depends_on, consents| Derived { key: Some(key), depends_on, consents, ..Derived::default() };
    match record.kind() {
        Kind::Application => {
            let read: pb::Application = record.read().map_err(malformed)?;
            let digest = mandate::check(view.registry(), issuing, record, read.mandate.as_ref())?;
            let depends_on = recognition::application(view, issuing, &read, amends, account)?;
            Ok(found(CourseKey::Application(read.purpose()), depends_on, vec![digest]))
        }
        Kind::Decision => {
            let read: pb::Decision = record.read().map_err(malformed)?;
            let (case, depends_on) = recognition::decision(view, issuing, &read, amends, account)?;
            // Nothing of a decision is recomputed.
            let late = late::check(view, issuing, (record, amends), account, late::DECISION_DAYS, |_| Ok(None))?;
            Ok(Derived { late, ..found(CourseKey::Case(case), depends_on, Vec::new()) })
        }
        Kind::Appeal => {
            let read: pb::Appeal = record.read().map_err(malformed)?;
            let digest = mandate::check(view.registry(), issuing, record, read.mandate.as_ref())?;
            let (case, depends_on) = recognition::appeal(view, issuing, &read, read.amends.as_ref(), account)?;
            Ok(found(CourseKey::Case(case), depends_on, vec![digest]))
        }
        Kind::Conversion => conversion::check(view, issuing, record, amends, account),
        Kind::Award => awarded::check(view, issuing, record, amends, account),
        Kind::QualificationRecognition => {
            let derived = comparability::check(view, issuing, record, account)?;
            let late = late::check(view, issuing, (record, amends), account, late::DECISION_DAYS, |_| Ok(None))?;
            Ok(Derived { late, ..derived })
        }
        Kind::ForeignAward => foreign::check(view, issuing, record, amends, account),
        Kind::Enrolment => {
            let read: pb::Enrolment = record.read().map_err(malformed)?;
            enrolment::definition(view.registry(), issuing.institution, &read)?;
            Ok(found(CourseKey::Enrolment, Vec::new(), Vec::new()))
        }
        _ => Ok(Derived::default()),
    }
}

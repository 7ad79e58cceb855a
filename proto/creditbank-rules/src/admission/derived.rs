//! Records that stand on others: what they ask of the ledger beyond their own fields, what they redeem, what they depend on.

use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Digest, Place};

use super::kinds::malformed;
use super::{AdmissionError, BlockFacts, award, case, comparability, conversion, mandate, recognition};
use crate::View;

/// What follows from a record.
#[derive(Default)]
pub(super) struct Derived {
    /// Under which name the learner index has it, where it has no course.
    pub(super) course: Option<String>,
    /// What it redeems, by which mandate.
    pub(super) redeems: Vec<(Place, Digest)>,
    /// What it stands on.
    pub(super) depends_on: Vec<Place>,
}

/// Checks a record of a kind that stands on others; nothing follows from another one. `block` is by the institution whose
/// record it is.
pub(super) fn check(
    view: &impl View,
    block: &BlockFacts<'_>,
    record: &Record,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let found = |course: String, depends_on| Derived { course: Some(course), depends_on, redeems: Vec::new() };
    match record.kind() {
        Kind::Application => {
            let read: pb::Application = record.read().map_err(malformed)?;
            mandate::check(view.registry(), block, record, read.mandate.as_ref())?;
            let depends_on = recognition::application(view, block, &read, amends, account)?;
            Ok(found(case::applications(read.purpose), depends_on))
        }
        Kind::Decision => {
            let read: pb::Decision = record.read().map_err(malformed)?;
            let (case, depends_on) = recognition::decision(view, block, &read, amends, account)?;
            Ok(found(case::steps(case), depends_on))
        }
        Kind::Appeal => {
            let read: pb::Appeal = record.read().map_err(malformed)?;
            mandate::check(view.registry(), block, record, read.mandate.as_ref())?;
            let (case, depends_on) = recognition::appeal(view, block, &read, read.amends.as_ref(), account)?;
            Ok(found(case::steps(case), depends_on))
        }
        Kind::Conversion => conversion::check(view, block, record, amends, account),
        Kind::Award => award::check(view, block, record, amends, account),
        Kind::QualificationRecognition => comparability::check(view, block, record, account),
        _ => Ok(Derived::default()),
    }
}

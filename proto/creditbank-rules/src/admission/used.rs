//! Records that another record stands on: they are there, are the learner's, and stand.

use creditbank_protocol::Digest;
use creditbank_protocol::pb::{Place, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::Mark;

use super::AdmissionError;
use super::effects::is_contested;
use super::fields::require;
use crate::{RecordFacts, Rejection, Rule, View};

/// A record that is used.
#[derive(Debug, Clone)]
pub struct Used {
    /// Where it stands.
    pub place: Place,
    /// What the ledger knows of it.
    pub facts: RecordFacts,
    /// What it says.
    pub record: Record,
}

pub(crate) fn show(place: Place) -> String {
    format!("{}/{}", place.entry, place.index)
}

/// The learner's record at a place.
pub(crate) fn at(
    view: &impl View,
    place: Place,
    account: &[u8; 16],
    field: &'static str,
) -> Result<Used, AdmissionError> {
    let found = view.content_at(place)?.filter(|(facts, _)| facts.account == *account);
    let expected = "the place of a record of this learner";
    let (facts, record) =
        found.ok_or_else(|| Rejection::new(Rule::SourceNotUsable, expected, show(place)).field(field))?;
    Ok(Used { place, facts, record })
}

/// The learner's record that a reference names, with the status id that it says.
pub(crate) fn named(
    view: &impl View,
    reference: Option<&RecordReference>,
    account: &[u8; 16],
    field: &'static str,
) -> Result<Used, AdmissionError> {
    let reference = reference.cloned().unwrap_or_default();
    let place = reference.place.unwrap_or_default();
    let used = at(view, place, account, field)?;
    let same = Digest::from_slice(&reference.status_id) == Some(used.facts.status_id);
    require(same, Rule::SourceNotUsable, field, "the status id of the record at that place", show(place))?;
    Ok(used)
}

/// Refuses a record that does not stand: superseded, revoked, disputed, under review or contested. Whether it is redeemed is
/// for the caller to judge.
pub(crate) fn standing(view: &impl View, used: &Used, field: &'static str) -> Result<(), AdmissionError> {
    let against = [Mark::Superseded, Mark::Revoked, Mark::Disputed, Mark::UnderReview];
    let mark = against.into_iter().find(|mark| used.facts.marks.get(*mark).is_some());
    let mut found = mark.map(Mark::name);
    if found.is_none() && is_contested(view, used.place, &used.facts)? {
        found = Some("contested");
    }
    let shown = format_args!("{}, which is {}", show(used.place), found.unwrap_or_default());
    Ok(require(found.is_none(), Rule::SourceNotUsable, field, "a record that stands", shown)?)
}

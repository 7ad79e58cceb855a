//! Records that another record stands on: they are there, are the learner's, and stand.

use creditbank_protocol::dates::{Day, show};
use creditbank_protocol::pb::{Date, Kind, RecordReference};
use creditbank_protocol::record::{Record, is_embargoed, visible_from_of};
use creditbank_protocol::{AccountId, Digest, InstitutionId, Place, Standing};

use super::AdmissionError;
use super::effects::is_contested;
use super::fields::require;
use crate::{RecordFacts, Rejection, Rule, View, ViewError};

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

impl Used {
    /// As other records name it.
    pub fn reference(&self) -> RecordReference {
        let (place, status_id) = (Some(self.place.into()), self.facts.status_id.0.to_vec());
        RecordReference { place, status_id, ..Default::default() }
    }

    /// From when on it may be shown, if it says so.
    pub fn visible_from(&self) -> Option<Date> {
        visible_from_of(self.record.kind(), self.record.body()).ok().flatten()
    }
}

/// The learner's record at a place.
pub(crate) fn at(
    view: &impl View,
    place: Place,
    account: &AccountId,
    field: &'static str,
) -> Result<Used, AdmissionError> {
    let found = view.content_at(place)?.filter(|(facts, _)| facts.account == *account);
    let expected = "the place of a record of this learner";
    let (facts, record) =
        found.ok_or_else(|| Rejection::new(Rule::SourceNotUsable, expected, place.to_string()).field(field))?;
    Ok(Used { place, facts, record })
}

/// The learner's record that a reference names. One refusal for all that can be wrong: who knows a status id was shown
/// the record, and nobody finds out by trying places where else a learner has records.
pub(crate) fn named(
    view: &impl View,
    reference: Option<&RecordReference>,
    account: &AccountId,
    field: &'static str,
) -> Result<Used, AdmissionError> {
    let reference = reference.cloned().unwrap_or_default();
    let place = Place::read(reference.place);
    let expected = "a record of this log, named without an origin; those of others are not admitted yet";
    require(reference.origin.is_empty(), Rule::SourceNotUsable, field, expected, &reference.origin)?;
    let same = |facts: &RecordFacts| {
        facts.account == *account && Digest::from_slice(&reference.status_id) == Some(facts.status_id)
    };
    let found = view.content_at(place)?.filter(|(facts, _)| same(facts));
    let expected = "place and status id of a record of this learner";
    let (facts, record) =
        found.ok_or_else(|| Rejection::new(Rule::SourceNotUsable, expected, place.to_string()).field(field))?;
    Ok(Used { place, facts, record })
}

/// The learner's record of a kind at a place, of this institution; without a word about others' records there.
pub(crate) fn own(
    view: &impl View,
    place: Place,
    account: &AccountId,
    institution: InstitutionId,
    kind: Kind,
) -> Result<Option<Used>, ViewError> {
    let found = view.content_at(place)?;
    let same = |facts: &RecordFacts| (facts.account, facts.institution, facts.kind) == (*account, institution, kind);
    Ok(found.filter(|(facts, _)| same(facts)).map(|(facts, record)| Used { place, facts, record }))
}

/// What speaks against a record: revoked, superseded, contested, disputed or under review; else it is authentic. Whether
/// it is redeemed or its time is over is for the caller to judge.
fn against(view: &impl View, used: &Used) -> Result<Standing, ViewError> {
    Standing::in_ledger(&used.facts.marks, |standing| match standing {
        Standing::Contested => is_contested(view, used.place, &used.facts.marks).map(Some),
        Standing::Redeemed => Ok(Some(false)),
        _ => Ok(None),
    })
}

/// Whether nothing speaks against a record.
pub fn stands(view: &impl View, used: &Used) -> Result<bool, ViewError> {
    Ok(against(view, used)? == Standing::Authentic)
}

/// Refuses a record that does not stand.
pub(crate) fn standing(view: &impl View, used: &Used, field: &'static str) -> Result<(), AdmissionError> {
    let found = against(view, used)?;
    let stands = found == Standing::Authentic;
    let shown = format_args!("{}, which is {found}", used.place);
    Ok(require(stands, Rule::SourceNotUsable, field, "a record that stands", shown)?)
}

/// Refuses a record that may not be shown yet on a day: what stands on it would say that it is there, and what it says.
pub fn visible(used: &Used, day: Day, field: &'static str) -> Result<(), Rejection> {
    let from = used.visible_from();
    let shown = || format!("{}, which is visible from {} on", used.place, from.as_ref().map_or(String::new(), show));
    if is_embargoed(from.as_ref(), day) {
        return Err(Rejection::new(Rule::NotVisible, "a record that may be shown on the day of the block", shown())
            .field(field));
    }
    Ok(())
}

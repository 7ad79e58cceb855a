//! Diplomas of elsewhere: each is recorded once for a learner, by whichever institution sees it first.

use std::collections::BTreeSet;

use creditbank_protocol::course_code::near;
use creditbank_protocol::pb::{ForeignAward, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Digest, InstitutionId, Place};

use super::derived::{Derived, Issuing};
use super::effects::amended;
use super::fields::{present, require};
use super::used::{at, named};
use super::{AdmissionError, kinds::malformed, mandate};
use crate::codes::is_country;
use crate::foreign_key::DiplomaKey;
use crate::plausible::happened;
use crate::{CourseKey, RecordFacts, Rejection, Rule, View, ViewError};

/// Most records of diplomas of one learner by one institution, amendments and what was revoked among them: so nobody fills up a
/// learner's diplomas for others.
const RECORDS_MAX: usize = 64;
/// Most amendments of one record that are followed back.
const AMENDMENTS_MAX: usize = 100;

/// Checks a diploma that an institution records.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    record: &Record,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let read: ForeignAward = record.read().map_err(malformed)?;
    let digest = mandate::check(view.registry(), issuing, record, read.mandate.as_ref())?;
    present(!read.titles.is_empty(), "titles", "its title")?;
    present(!near(&read.institution).is_empty(), "institution", "the institution that conferred it")?;
    let titled = read.titles.iter().all(|title| !near(&title.value).is_empty());
    present(titled, "titles", "titles with letters or digits")?;
    let known = is_country(&read.country);
    require(known, Rule::InvalidCode, "country", "the country, two capital letters", &read.country)?;
    present(!read.evidence.is_empty(), "evidence", "the digest of a document")?;
    let numbered = read.number.is_empty() || !near(&read.number).is_empty();
    require(numbered, Rule::InvalidCode, "number", "a number with letters or digits", "others alone")?;
    let expected = "the number of the diploma, or the day of its conferral";
    present(!read.number.is_empty() || read.conferred.is_some(), "number", expected)?;
    if let Some(conferred) = &read.conferred {
        happened(conferred, issuing.latest_day(), "conferred")?;
    }
    let mut distinct = BTreeSet::new();
    for one in &read.distinct_from {
        present(!one.reason.is_empty(), "distinct_from", "the reason why it is another diploma")?;
        let used = named(view, one.award.as_ref(), account, "distinct_from")?;
        let is_diploma = used.record.kind() == Kind::ForeignAward;
        require(is_diploma, Rule::SourceNotUsable, "distinct_from", "diplomas of elsewhere", used.place)?;
        distinct.insert(used.place);
    }
    once(view, &read, (issuing.institution, amends), &distinct, account)?;
    Ok(Derived { key: Some(CourseKey::ForeignAward), consents: vec![digest], ..Derived::default() })
}

/// A diploma that the ledger holds for a learner.
struct Known {
    place: Place,
    status_id: Digest,
    institution: InstitutionId,
    has_ended: bool,
    amends: Option<Place>,
    /// The places that it names in `distinct_from`.
    distinct: BTreeSet<Place>,
    key: DiplomaKey,
}

/// All diplomas of a learner, whoever recorded them, also those that were amended or revoked.
fn known(view: &impl View, account: &AccountId) -> Result<Vec<Known>, ViewError> {
    let held = view.held(account, InstitutionId(0), &CourseKey::ForeignAward)?;
    let mut found = Vec::with_capacity(held.len());
    for one in &held {
        let Some((facts, record)) = view.content_at(one.place)? else { continue };
        let Ok(read) = record.read::<ForeignAward>() else { continue };
        let (has_ended, amends) = (one.marks.have_ended(), amended(&record));
        let distinct = read.distinct_from.iter().map(|one| Place::of_reference(one.award.as_ref())).collect();
        let RecordFacts { status_id, institution, .. } = facts;
        let key = DiplomaKey::of(&read);
        found.push(Known { place: one.place, status_id, institution, has_ended, amends, distinct, key });
    }
    Ok(found)
}

/// The diploma is not in the ledger, and none that is like it, unless a person has said why that is another one.
fn once(
    view: &impl View,
    read: &ForeignAward,
    (institution, amends): (InstitutionId, Option<Place>),
    distinct: &BTreeSet<Place>,
    account: &AccountId,
) -> Result<(), AdmissionError> {
    let (known, key) = (known(view, account)?, DiplomaKey::of(read));
    let few = known.iter().filter(|one| one.institution == institution).count() < RECORDS_MAX;
    let expected = "fewer records of diplomas of one learner by one institution";
    require(few, Rule::TooManyRepeats, "record", expected, RECORDS_MAX)?;
    let others = || known.iter().filter(|one| !one.has_ended && Some(one.place) != amends);
    let shown = |one: &Known| format!("{} {}", one.place, one.status_id);
    if let Some(same) = others().find(|one| one.key.is_same(&key)) {
        let expected = "a diploma that the ledger does not have yet: refer to the one that it has";
        return Err(Rejection::new(Rule::DuplicateRecord, expected, shown(same)).field("record").into());
    }
    let own = chain(&known, amends);
    for close in others().filter(|one| one.key.is_close(&key)) {
        let settled = !chain(&known, Some(close.place)).is_disjoint(distinct) || !close.distinct.is_disjoint(&own);
        let expected =
            "a diploma like no other: refer to the one that is like it, or name that in distinct_from with a reason";
        require(settled, Rule::CloseMatch, "distinct_from", expected, shown(close))?;
    }
    Ok(())
}

/// A record and what it amends, directly or not.
fn chain(known: &[Known], place: Option<Place>) -> BTreeSet<Place> {
    let mut found = BTreeSet::new();
    let mut next = place;
    while let Some(place) = next.filter(|_| found.len() <= AMENDMENTS_MAX) {
        found.insert(place);
        next = known.iter().find(|one| one.place == place).and_then(|one| one.amends);
    }
    found
}

/// All records of the diploma that the one at a place is about: what it amends and what amends it, and all that are about the
/// same diploma, also where they were taken back: a diploma is not worth more by being recorded anew. Of a declared award that
/// consumes none, itself and what it amends.
pub(super) fn records_of(
    view: &impl View,
    place: Place,
    account: &AccountId,
) -> Result<BTreeSet<Place>, AdmissionError> {
    let root = at(view, place, account, "allocations")?;
    let mut found = BTreeSet::from([place]);
    if root.record.kind() != Kind::ForeignAward {
        let mut next = amended(&root.record);
        while let Some(former) = next.filter(|_| found.len() <= AMENDMENTS_MAX) {
            found.insert(former);
            next = view.content_at(former)?.and_then(|(_, record)| amended(&record));
        }
        return Ok(found);
    }
    let known = known(view, account)?;
    let mut next = vec![place];
    while let Some(place) = next.pop() {
        let Some(one) = known.iter().find(|one| one.place == place) else { continue };
        let linked = |other: &&Known| {
            one.amends == Some(other.place) || other.amends == Some(one.place) || one.key.is_same(&other.key)
        };
        next.extend(known.iter().filter(linked).map(|other| other.place).filter(|other| found.insert(*other)));
    }
    Ok(found)
}

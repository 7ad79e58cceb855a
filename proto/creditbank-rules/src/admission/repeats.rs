//! A record against the learner's other records: repeats, duplicates, earlier attempts, amendments.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::{Record, is_embargoed, visible_from_of};
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::fields::require;
use super::kinds::{Common, malformed};
use super::used::at;
use super::{AdmissionError, BlockFacts};
use crate::dates::{Day, day_of_ms, show};
use crate::view::HELD_MAX;
use crate::{CourseKey, CourseName, DocumentKey, HeldRecord, RecordFacts, Registry, Rejection, Rule, View};

/// The records of the block so far, by learner, institution and key.
#[derive(Default)]
pub(super) struct History {
    seen: BTreeMap<(AccountId, InstitutionId, CourseKey), Vec<Seen>>,
    /// The numbers of awards' documents.
    documents: BTreeSet<DocumentKey>,
}

struct Seen {
    kind: Kind,
    repeats_max: Option<u32>,
    hash_prefix: [u8; 8],
    amends: Option<Place>,
}

fn prefix(record: &Record) -> [u8; 8] {
    std::array::from_fn(|i| record.hash().0[i])
}

impl History {
    /// Numbers of documents are given once in a block too.
    pub(super) fn documents(&mut self, numbers: &[DocumentKey]) -> Result<(), Rejection> {
        let fresh = numbers.iter().all(|number| self.documents.insert(number.clone()));
        let expected = "numbers that no other award of the block has";
        require(fresh, Rule::DocumentNumberUsed, "documents", expected, "one that another has")
    }

    /// Checks a record against what the ledger and the block hold for the same learner of the same course, or else under the
    /// same key, and remembers it.
    pub(super) fn check(
        &mut self,
        view: &impl View,
        institution: InstitutionId,
        record: &Record,
        common: &Common,
        (key, course): (&CourseKey, Option<&CourseName>),
        account: &AccountId,
    ) -> Result<(), AdmissionError> {
        let held = match course {
            Some(course) => course.held(view, account)?,
            None => view.held(account, institution, key)?,
        };
        let key = course.map_or_else(|| key.clone(), CourseName::counted);
        let found = held.len();
        let expected = format_args!("at most {HELD_MAX} records of a learner for one course");
        require(found <= HELD_MAX, Rule::TooManyRepeats, "course", expected, found)?;
        let seen = self.seen.entry((*account, institution, key.clone())).or_default();
        let own = prefix(record);
        let known = held.iter().find(|held| held.hash_prefix == own);
        if known.is_some() || seen.iter().any(|seen| seen.hash_prefix == own) {
            let found = known.map_or("the same one in this block".to_owned(), |held| held.place.to_string());
            let expected = "a record that is not in the ledger yet";
            return Err(Rejection::new(Rule::DuplicateRecord, expected, found).field("record").into());
        }
        if matches!(record.kind(), Kind::Conversion | Kind::Award) {
            // The mark of a redemption names the block: so that it names one holder, a block has no second one.
            let holds = |seen: &Seen| matches!(seen.kind, Kind::Conversion | Kind::Award);
            let other = self.seen.iter().any(|((of, ..), seen)| of == account && seen.iter().any(holds));
            let expected = "one conversion or award of a learner in a block";
            require(!other, Rule::DuplicateRecord, "record", expected, "a second one")?;
        }
        let seen = self.seen.entry((*account, institution, key.clone())).or_default();
        if i32::from(record.kind()) > i32::from(Kind::Result) && record.kind() != Kind::Enrolment {
            // What they stand on is judged as of the ledger before the block.
            let expected = "one record of this kind of a learner in a block";
            require(seen.is_empty(), Rule::DuplicateRecord, "record", expected, "a second one")?;
        }
        for place in &common.earlier {
            let is_earlier = held.iter().any(|held| held.place == *place);
            let expected = "places of the same learner, institution and course";
            require(is_earlier, Rule::UnknownEarlier, "earlier", expected, place)?;
        }
        let amends = common.amends.as_ref().map(|amends| Place::read(amends.place));
        // Amended within this block: those records no longer count.
        let replaced = |place: Place| amends == Some(place) || seen.iter().any(|seen| seen.amends == Some(place));
        let is_counted = |held: &HeldRecord| held.kind == record.kind() && !held.marks.have_ended();
        let counts = |held: &&HeldRecord| is_counted(held) && !replaced(held.place);
        let others = held.iter().filter(counts).count() + seen.iter().filter(|seen| seen.kind == record.kind()).count();
        match record.kind() {
            Kind::Identity => {
                let expected = "an amendment of the learner's Identity";
                require(others == 0, Rule::IdentityNotAmended, "amends", expected, "a second one")?;
            }
            // An alias may have made one course of two: what takes the place of one that counts already adds nothing.
            Kind::Credit if held.iter().any(|held| is_counted(held) && amends == Some(held.place)) => {}
            Kind::Credit => {
                // A course that was not repeatable does not become so by what a later record says.
                let stated = held.iter().filter(counts).filter_map(|held| held.repeats_max);
                let in_block = seen.iter().filter(|seen| seen.kind == Kind::Credit).filter_map(|seen| seen.repeats_max);
                let least = stated.chain(in_block).chain(common.repeats_max).min().unwrap_or(0);
                let allowed = u64::from(least) + 1;
                let found = others as u64 + 1;
                let expected = format_args!(
                    "at most {allowed} for this course; a record that was issued is changed by an amendment"
                );
                require(found <= allowed, Rule::TooManyRepeats, "repeats_max", expected, found)?;
            }
            _ => {}
        }
        seen.push(Seen { kind: record.kind(), repeats_max: common.repeats_max, hash_prefix: own, amends });
        Ok(())
    }
}

/// The target of an amendment: it is there, and is the signer's to amend.
pub(super) fn target(
    view: &impl View,
    block: &BlockFacts<'_>,
    common: &Common,
) -> Result<Option<(Place, RecordFacts)>, AdmissionError> {
    let Some(amends) = &common.amends else {
        return Ok(None);
    };
    let place = Place::read(amends.place);
    require(amends.reason != 0, Rule::MissingField, "amends", "a reason", "nothing")?;
    let target = view.record_at(place)?;
    let target = target.ok_or_else(|| {
        Rejection::new(Rule::UnknownTarget, "the place of a record", place.to_string()).field("amends")
    })?;
    let may = is_issuer_or_custodian(view.registry(), block, target.institution);
    require(may, Rule::NotAuthorised, "amends", "its issuer or custodian", block.unit.institution)?;
    Ok(Some((place, target)))
}

/// An amendment has its target's kind and learner.
pub(super) fn check_target(
    target: Option<&(Place, RecordFacts)>,
    kind: Kind,
    account: &AccountId,
) -> Result<(), Rejection> {
    let Some((place, target)) = target else {
        return Ok(());
    };
    let same = target.kind == kind && target.account == *account;
    require(same, Rule::AmendsAnother, "amends", "a record of the same kind and learner", place)
}

/// An amendment does not hide what may be shown already: who has been shown the record would find it superseded, and nothing in
/// its place.
pub(super) fn stays_visible(
    view: &impl View,
    record: &Record,
    place: Place,
    account: &AccountId,
    day: Day,
) -> Result<(), AdmissionError> {
    let from = visible_from_of(record.kind(), record.body()).map_err(malformed)?;
    if !is_embargoed(from.as_ref(), day) {
        return Ok(());
    }
    let shown = !is_embargoed(at(view, place, account, "amends")?.visible_from().as_ref(), day);
    let found = from.as_ref().map_or(String::new(), show);
    let expected = "a day that has come, as the amended record may be shown already";
    Ok(require(!shown, Rule::Contradiction, "visible_from", expected, found)?)
}

/// Whether the block's signer has issued the record, or keeps the records of the closed institution that did.
pub(super) fn is_issuer_or_custodian(registry: &Registry, block: &BlockFacts<'_>, issuer: InstitutionId) -> bool {
    issuer == block.unit.institution
        || registry.is_custodian(block.unit.institution, issuer, day_of_ms(block.sealed_at_ms))
}

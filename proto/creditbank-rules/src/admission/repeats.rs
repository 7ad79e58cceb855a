//! A record against the learner's other records: repeats, duplicates, earlier attempts, amendments.

use std::collections::btree_map::Entry;
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
use crate::{CourseKey, CourseName, DocumentKey, HeldRecord, PaperKey, RecordFacts, Registry, Rejection, Rule, View};

/// The records of the block so far, by learner, institution and key.
#[derive(Default)]
pub(super) struct History {
    courses: BTreeMap<(AccountId, InstitutionId, CourseKey), Course>,
    /// Learners of whom the block has a conversion or an award.
    holders: BTreeSet<AccountId>,
    /// The numbers of awards' documents.
    documents: BTreeSet<DocumentKey>,
    /// The papers of mandates.
    papers: BTreeSet<PaperKey>,
}

/// What the ledger and the block so far have of a learner under one key. It is read once for a block and sorted so that
/// each further record of the block costs a few look-ups, however many there are.
struct Course {
    /// Hashes of what the ledger holds, with the places, and the records by place.
    held: BTreeMap<[u8; 8], Place>,
    places: BTreeMap<Place, Row>,
    /// What counts of the ledger: it has not ended, and the block has not amended it.
    counting: BTreeMap<Kind, Counting>,
    /// Hashes of the block's records so far, how many there are of a kind, and the least that Credits say of repeats.
    seen: BTreeSet<[u8; 8]>,
    seen_of: BTreeMap<Kind, usize>,
    seen_repeats: Option<u32>,
    /// What the block's records so far amend.
    amended: BTreeSet<Place>,
}

/// What is kept of a record of the ledger. A block may be about millions of them: it is as little as is asked for.
struct Row {
    kind: Kind,
    has_ended: bool,
    repeats_max: Option<u32>,
}

/// Records of one kind that count, and how often courses may count again by them.
#[derive(Default)]
struct Counting {
    count: usize,
    repeats: BTreeMap<u32, usize>,
}

impl Counting {
    /// How many there are and the least that they say, without one of them.
    fn without(&self, one: Option<&Row>) -> (usize, Option<u32>) {
        let count = self.count - usize::from(one.is_some());
        let left = one.and_then(|one| one.repeats_max);
        let mut least = self.repeats.iter().filter(|(repeats, of)| Some(**repeats) != left || **of > 1);
        (count, least.next().map(|(repeats, _)| *repeats))
    }

    fn remove(&mut self, one: &Row) {
        self.count -= 1;
        if let Some(repeats) = one.repeats_max
            && let Some(of) = self.repeats.get_mut(&repeats)
        {
            *of -= 1;
            if *of == 0 {
                self.repeats.remove(&repeats);
            }
        }
    }
}

impl Row {
    fn of(held: &HeldRecord) -> Self {
        Self { kind: held.kind, has_ended: held.marks.have_ended(), repeats_max: held.repeats_max }
    }
}

impl Course {
    fn of(held: &[HeldRecord]) -> Self {
        let mut counting: BTreeMap<Kind, Counting> = BTreeMap::new();
        for one in held.iter().filter(|one| !one.marks.have_ended()) {
            let of = counting.entry(one.kind).or_default();
            of.count += 1;
            if let Some(repeats) = one.repeats_max {
                *of.repeats.entry(repeats).or_default() += 1;
            }
        }
        let mut hashes = BTreeMap::new();
        for one in held {
            hashes.entry(one.hash_prefix).or_insert(one.place);
        }
        Self {
            held: hashes,
            places: held.iter().map(|one| (one.place, Row::of(one))).collect(),
            counting,
            seen: BTreeSet::new(),
            seen_of: BTreeMap::new(),
            seen_repeats: None,
            amended: BTreeSet::new(),
        }
    }

    /// The record at a place, where it counts.
    fn counted(&self, place: Option<Place>, kind: Kind) -> Option<&Row> {
        let place = place?;
        let found = self.places.get(&place)?;
        (found.kind == kind && !found.has_ended && !self.amended.contains(&place)).then_some(found)
    }

    fn add(&mut self, record: &Record, own: [u8; 8], repeats_max: Option<u32>, amends: Option<Place>) {
        self.seen.insert(own);
        *self.seen_of.entry(record.kind()).or_default() += 1;
        if record.kind() == Kind::Credit {
            self.seen_repeats = self.seen_repeats.into_iter().chain(repeats_max).min();
        }
        if let Some(place) = amends
            && self.amended.insert(place)
            && let Some(one) = self.places.get(&place).filter(|one| !one.has_ended)
            && let Some(of) = self.counting.get_mut(&one.kind)
        {
            of.remove(one);
        }
    }
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

    /// A paper serves one record of its kind in a block too.
    pub(super) fn paper(&mut self, paper: Option<&PaperKey>) -> Result<(), Rejection> {
        let fresh = paper.is_none_or(|paper| self.papers.insert(paper.clone()));
        let expected = "a paper that no other record of the block stands on for this kind";
        require(fresh, Rule::MandateUsed, "mandate", expected, "one that another has")
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
        let counted = course.map_or_else(|| key.clone(), CourseName::counted);
        let course = match self.courses.entry((*account, institution, counted)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let held = match course {
                    Some(course) => course.held(view, account)?,
                    None => view.held(account, institution, key)?,
                };
                let found = held.len();
                let expected = format_args!("at most {HELD_MAX} records of a learner for one course");
                require(found <= HELD_MAX, Rule::TooManyRepeats, "course", expected, found)?;
                free.insert(Course::of(&held))
            }
        };
        let own = prefix(record);
        let known = course.held.get(&own);
        if known.is_some() || course.seen.contains(&own) {
            let found = known.map_or("the same one in this block".to_owned(), Place::to_string);
            let expected = "a record that is not in the ledger yet";
            return Err(Rejection::new(Rule::DuplicateRecord, expected, found).field("record").into());
        }
        let holds = matches!(record.kind(), Kind::Conversion | Kind::Award);
        if holds {
            // The mark of a redemption names the block: so that it names one holder, a block has no second one.
            let expected = "one conversion or award of a learner in a block";
            require(!self.holders.contains(account), Rule::DuplicateRecord, "record", expected, "a second one")?;
        }
        if i32::from(record.kind()) > i32::from(Kind::Result) && record.kind() != Kind::Enrolment {
            // What they stand on is judged as of the ledger before the block.
            let expected = "one record of this kind of a learner in a block";
            require(course.seen.is_empty(), Rule::DuplicateRecord, "record", expected, "a second one")?;
        }
        for place in &common.earlier {
            let is_earlier = course.places.contains_key(place);
            let expected = "places of the same learner, institution and course";
            require(is_earlier, Rule::UnknownEarlier, "earlier", expected, place)?;
        }
        let amends = common.amends.as_ref().map(|amends| Place::read(amends.place));
        let stands = |place: Place| course.places.get(&place).is_some_and(|one| !one.has_ended);
        let of_kind = |place: Place| course.places.get(&place).is_some_and(|one| one.kind == record.kind());
        // Amended within this block: those records no longer count.
        let replaced = course.counted(amends, record.kind());
        let counting = course.counting.get(&record.kind());
        let (others, least) = counting.map_or((0, None), |counting| counting.without(replaced));
        let others = others + course.seen_of.get(&record.kind()).copied().unwrap_or(0);
        match record.kind() {
            Kind::Identity => {
                let expected = "an amendment of the learner's Identity";
                require(others == 0, Rule::IdentityNotAmended, "amends", expected, "a second one")?;
            }
            // An alias may have made one course of two: what takes the place of one that counts already adds nothing.
            Kind::Credit if amends.is_some_and(|place| of_kind(place) && stands(place)) => {}
            Kind::Credit => {
                // A course that was not repeatable does not become so by what a later record says.
                let stated = least.into_iter().chain(course.seen_repeats).chain(common.repeats_max);
                let allowed = u64::from(stated.min().unwrap_or(0)) + 1;
                let found = others as u64 + 1;
                let expected = format_args!(
                    "at most {allowed} for this course; a record that was issued is changed by an amendment"
                );
                require(found <= allowed, Rule::TooManyRepeats, "repeats_max", expected, found)?;
            }
            _ => {}
        }
        course.add(record, own, common.repeats_max, amends);
        if holds {
            self.holders.insert(*account);
        }
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

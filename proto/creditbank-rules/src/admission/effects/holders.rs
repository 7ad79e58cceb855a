//! What has redeemed records: awards and exclusive conversions. When one is revoked, it lets go of what it held.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_protocol::record::{Record, amends_of};
use creditbank_protocol::status::Mark;
use creditbank_protocol::{LogIndex, Place};

use super::{Checked, institution_at, restored};
use crate::admission::fields::require;
use crate::admission::{AdmissionError, BlockFacts, signer};
use crate::{CourseKey, RecordFacts, Rejection, Rule, View, ViewError};

/// Most amendments of one record that are followed back.
const AMENDMENTS_MAX: usize = 1_000;

/// What a record has redeemed, by what it says; nothing where its kind redeems nothing.
pub(crate) fn redeemed_by(record: &Record) -> Vec<Place> {
    let places =
        |references: Vec<pb::RecordReference>| references.iter().filter_map(|one| one.place).map(Place::from).collect();
    match record.kind() {
        Kind::Award => record.read::<pb::Award>().map(|award| places(award.redeems)).unwrap_or_default(),
        Kind::Conversion => {
            let sources = record.read::<pb::Conversion>().map(|read| read.sources).unwrap_or_default();
            places(sources.into_iter().filter_map(|source| source.record).collect())
        }
        _ => Vec::new(),
    }
}

/// Most amendments of a record that is counted or used: of one that was amended more often nobody can say what it paid
/// for.
pub(super) const REDEMPTION_MAX: usize = 100;

/// What a record amends.
pub(crate) fn amended(record: &Record) -> Option<Place> {
    amends_of(record.kind(), record.body()).ok().flatten()?.place.map(Place::from)
}

/// Log indexes of a record and of all that it amends, directly or not: its redemptions stand under one of them.
pub(crate) fn entries(view: &impl View, place: Place, record: &Record) -> Result<BTreeSet<LogIndex>, ViewError> {
    let mut entries = BTreeSet::from([place.entry]);
    let mut next = amended(record);
    while let Some(former) = next.filter(|_| entries.len() < AMENDMENTS_MAX) {
        entries.insert(former.entry);
        next = view.content_at(former)?.and_then(|(_, record)| amended(&record));
    }
    Ok(entries)
}

/// That something has redeemed a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redemption {
    /// The record that has the mark: the one that was asked about, or one that it amends.
    pub(crate) marked: Place,
    /// Log index of the block that has redeemed it; `None` where the record was amended so often that nobody looks back
    /// far enough: then it counts as redeemed, and nobody can say by what.
    pub(crate) by: Option<LogIndex>,
}

/// `redeemed at 34`.
impl fmt::Display for Redemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            Some(entry) => write!(f, "redeemed at {entry}"),
            None => f.write_str("amended too often to say what it has paid for"),
        }
    }
}

/// The redemption of a record: its own, or else that of the nearest one that it amends, directly or not. What was paid
/// with a record was paid with its amendments.
pub(crate) fn redemption(
    view: &impl View,
    place: Place,
    facts: &RecordFacts,
    record: &Record,
) -> Result<Option<Redemption>, ViewError> {
    let marked = |marked: Place, facts: &RecordFacts| {
        facts.marks.get(Mark::Redeemed).map(|entry| Redemption { marked, by: Some(entry) })
    };
    if let Some(found) = marked(place, facts) {
        return Ok(Some(found));
    }
    let mut next = amended(record);
    for _ in 0..REDEMPTION_MAX {
        let Some(former) = next else { return Ok(None) };
        let Some((facts, record)) = view.content_at(former)? else { return Ok(None) };
        if let Some(found) = marked(former, &facts) {
            return Ok(Some(found));
        }
        next = amended(&record);
    }
    Ok(next.map(|former| Redemption { marked: former, by: None }))
}

/// What the revocation of a record lets go of, each with the log index of its redemption. What another one has taken
/// over holds nothing by itself.
pub(crate) fn releases_of(view: &impl View, place: Place) -> Result<Vec<(Place, LogIndex)>, ViewError> {
    let Some((facts, record)) = view.content_at(place)? else {
        return Ok(Vec::new());
    };
    let redeems = matches!(facts.kind, Kind::Award | Kind::Conversion);
    if !redeems || redemption(view, place, &facts, &record)?.is_some() {
        return Ok(Vec::new());
    }
    let own = entries(view, place, &record)?;
    let mut found = Vec::new();
    for place in redeemed_by(&record) {
        let held = view.record_at(place)?.and_then(|facts| facts.marks.get(Mark::Redeemed));
        found.extend(held.filter(|entry| own.contains(entry)).map(|entry| (place, entry)));
    }
    Ok(found)
}

/// Whether a record amends one of some others.
pub(crate) fn is_amendment_of(view: &impl View, place: Place, of: &BTreeSet<Place>) -> Result<bool, ViewError> {
    if of.is_empty() {
        return Ok(false);
    }
    let former = view.content_at(place)?.and_then(|(_, record)| amended(&record));
    Ok(former.is_some_and(|former| of.contains(&former)))
}

/// The releases of a block are those that its revocations ask for, and such as nobody holds any more.
pub(super) fn check(view: &impl View, block: &BlockFacts<'_>, checked: &[Checked<'_>]) -> Result<(), AdmissionError> {
    let mut released: BTreeSet<_> =
        checked.iter().filter(|one| one.action == Action::Release).map(|one| one.place).collect();
    let restored = restored(checked);
    for one in checked.iter().filter(|one| one.action == Action::Revoke) {
        // The reinstated record holds what its amendment held in its place.
        if is_amendment_of(view, one.place, &restored)? {
            continue;
        }
        for (place, _) in releases_of(view, one.place)? {
            if !released.remove(&place) {
                let expected = format!("the release of what {} has redeemed", one.place);
                let found = format!("none of {place}");
                return Err(Rejection::new(Rule::EffectMismatch, expected, found).field("public_part").into());
            }
        }
    }
    let all = checked.iter().filter(|one| one.action == Action::Release).map(|one| one.place).collect();
    let others = || checked.iter().filter(|one| released.contains(&one.place));
    let redeemed = others().filter_map(|one| Some((one.place, one.named().redemption?)));
    let free = left_behind(view, redeemed, &all)?;
    for one in others() {
        let free = one.named().redemption.is_some_and(|entry| free.contains(&(one.place, entry)));
        let expected = "a release with the revocation of what has redeemed it, or after it";
        require(free, Rule::EffectMismatch, "public_part", expected, one.place)?;
        signer::check_scope(view.registry(), block, Kind::Award)
            .or_else(|_| signer::check_scope(view.registry(), block, Kind::Conversion))?;
    }
    Ok(())
}

/// Which of some redeemed records, each with the log index of its redemption, are left behind: what has redeemed them is
/// revoked, and held by nothing else (any more) but what is released with it. What a learner holds is read once,
/// however many of their records are asked for.
pub(super) fn left_behind(
    view: &impl View,
    asked: impl IntoIterator<Item = (Place, LogIndex)>,
    released: &BTreeSet<Place>,
) -> Result<BTreeSet<(Place, LogIndex)>, ViewError> {
    let mut learners: BTreeMap<_, BTreeMap<Place, BTreeSet<LogIndex>>> = BTreeMap::new();
    for (place, entry) in asked {
        if let (Some(institution), Some(target)) = (institution_at(view, entry)?, view.record_at(place)?) {
            learners.entry((target.account, institution)).or_default().entry(place).or_default().insert(entry);
        }
    }
    let mut left = BTreeSet::new();
    for ((account, institution), places) in learners {
        for key in [CourseKey::Award, CourseKey::Conversion] {
            for held in view.held(&account, institution, &key)? {
                if held.marks.get(Mark::Revoked).is_none() {
                    continue;
                }
                let Some((facts, record)) = view.content_at(held.place)? else { continue };
                if redemption(view, held.place, &facts, &record)?.is_some_and(|found| !released.contains(&found.marked))
                {
                    continue;
                }
                let asked = |place: &Place| places.contains_key(place);
                let asked: BTreeSet<Place> = redeemed_by(&record).into_iter().filter(asked).collect();
                if !asked.is_empty() {
                    let own = entries(view, held.place, &record)?;
                    let by = |place: Place| places[&place].intersection(&own).map(move |entry| (place, *entry));
                    left.extend(asked.into_iter().flat_map(by));
                }
            }
        }
    }
    Ok(left)
}

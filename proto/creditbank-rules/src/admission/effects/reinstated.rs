//! What a stolen key struck can be restored: contested effects are undone (PROTOCOL.md, section 8, "Reinstate").
//!
//! Whoever undoes an effect undoes what followed from it, in the same block: the amendment that stood in the place of
//! the record is revoked, what a revoked award had let go of is held again, and the reviews of what depends on it are
//! closed.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::contested::is_contested_by;
use creditbank_protocol::pb::{Action, Basis, Effect, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::{Mark, Marks, Named};
use creditbank_protocol::{Digest, LogIndex, Place};

use super::holders::{REDEMPTION_MAX, Redemption, amended, entries, redeemed_by, redemption};
use super::reviews::dependants_of;
use super::{Checked, restored};
use crate::admission::fields::require;
use crate::admission::{AdmissionError, BlockFacts};
use crate::{RecordFacts, Rejection, Rule, View, ViewError};

/// What a block that reinstates records has to say besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Follows {
    /// The amendments that stood in their places: to be revoked.
    pub(crate) amendments: BTreeSet<Place>,
    /// What is held again, with the log index of the redemption, and of the effect that has let go of it.
    pub(crate) restores: BTreeMap<Place, (LogIndex, LogIndex)>,
    /// Reviews to be closed.
    pub(crate) closes: BTreeSet<Place>,
}

/// A record that is reinstated.
struct Reinstated {
    place: Place,
    facts: RecordFacts,
    record: Record,
    /// The mark that goes, and the contested effect that has set it.
    mark: Mark,
    contested: LogIndex,
}

/// Whether the block at a log index was signed or approved by a key that is known to have been compromised by then.
pub(crate) fn is_suspect(view: &impl View, entry: LogIndex) -> Result<bool, ViewError> {
    let sealing = view.sealing(entry)?;
    Ok(sealing.is_some_and(|by| view.registry().is_suspect(by.key_ids(), by.sealed_at_ms)))
}

/// Whether a record is contested (PROTOCOL.md, section 8, "Confirm").
pub(crate) fn is_contested(view: &impl View, place: Place, marks: &Marks) -> Result<bool, ViewError> {
    if !is_contested_by(marks, place.entry, |entry| is_suspect(view, entry))? {
        return Ok(false);
    }
    match marks.ended() {
        Some((Mark::Superseded, entry)) => Ok(!amendment_is_confirmed(view, place, entry)?),
        _ => Ok(true),
    }
}

/// Whether a key above suspicion has confirmed what stands in the place of a record: then the supersession is settled.
fn amendment_is_confirmed(view: &impl View, place: Place, entry: LogIndex) -> Result<bool, ViewError> {
    let Some((_, facts)) = amendments_in(view, entry)?.remove(&place) else { return Ok(false) };
    let confirmed = facts.marks.get(Mark::Confirmed);
    Ok(confirmed.map(|by| is_suspect(view, by)).transpose()? == Some(false))
}

/// The amendments of a block, by what they amend.
fn amendments_in(view: &impl View, entry: LogIndex) -> Result<BTreeMap<Place, (Place, RecordFacts)>, ViewError> {
    let mut found = BTreeMap::new();
    for index in 0..view.said(entry)?.map_or(0, |said| said.records) {
        let place = Place::new(entry, index);
        if let Some((facts, record)) = view.content_at(place)?
            && let Some(former) = amended(&record)
        {
            found.insert(former, (place, facts));
        }
    }
    Ok(found)
}

/// Checks that a reinstatement names a contested effect, and what that effect has done to the record: released it, or
/// closed its review. What has ended the record its marks say.
pub(super) fn names_contested(
    view: &impl View,
    place: Place,
    target: &RecordFacts,
    named: Named,
) -> Result<(), AdmissionError> {
    let before = &target.marks;
    let entry = named.contested.unwrap_or_default();
    let ended = before.have_ended() && named.redemption.is_none();
    let contested = is_suspect(view, entry)? && (!ended || is_contested(view, place, before)?);
    let expected = "an effect of a block that a compromised key has signed or approved, and that nobody has settled";
    require(contested, Rule::NotContested, "public_part", expected, format_args!("the one at {entry} on {place}"))?;
    if ended {
        return Ok(());
    }
    let wanted = if named.redemption.is_some() { Action::Release } else { Action::CloseReview };
    // By the status id: not every effect shows the place of its record.
    let done = view.said(entry)?.is_some_and(|said| {
        said.effects().any(|effect| {
            let same = effect.status_id == target.status_id.0 && effect.action == i32::from(wanted);
            same && Named::by(effect).redemption == named.redemption
        })
    });
    let expected = "the log index of the contested effect that has released the record, or closed its review";
    Ok(require(done, Rule::EffectMismatch, "public_part", expected, format_args!("{entry} for {place}"))?)
}

/// A block that reinstates says all that follows, and nothing else of the kind. It has no records: they would be judged
/// as if the records were still gone that it reinstates.
pub(super) fn check(view: &impl View, block: &BlockFacts<'_>, checked: &[Checked<'_>]) -> Result<(), AdmissionError> {
    let of = |action| checked.iter().filter(move |one| one.action == action);
    let by_dependency = |one: &&Checked<'_>| one.authority.basis == i32::from(Basis::Dependency);
    let mut closes: BTreeSet<_> = of(Action::CloseReview).filter(by_dependency).map(|one| one.place).collect();
    let restores = of(Action::Reinstate).filter_map(|one| one.named().redemption.map(|by| (one.place, by)));
    let mut restores: BTreeMap<_, _> = restores.collect();
    let revoked: BTreeSet<_> = of(Action::Revoke).map(|one| one.place).collect();
    let places = restored(checked);
    if of(Action::Reinstate).next().is_some() {
        let found = block.records.len();
        require(found == 0, Rule::EffectMismatch, "records", "no records in a block that reinstates", found)?;
    }
    let follows = follows(view, &places, &revoked)?;
    for place in &follows.amendments {
        let expected = "the revocation of the amendment that stands in the place of what is reinstated";
        require(
            revoked.contains(place),
            Rule::EffectMismatch,
            "public_part",
            expected,
            format_args!("none of {place}"),
        )?;
    }
    for (place, (redemption, _)) in &follows.restores {
        let expected = format!("what a reinstated record had redeemed at {redemption} is held again");
        let same = restores.remove(place) == Some(*redemption);
        require(same, Rule::EffectMismatch, "public_part", expected, format_args!("nothing of {place}"))?;
    }
    for place in &follows.closes {
        let id = view.record_at(*place)?.map_or(Digest::ZERO, |facts| facts.status_id);
        let expected = "the end of the review of each record that depends on what is reinstated";
        let found = format_args!("none of {place} {id}");
        require(closes.remove(place), Rule::EffectMismatch, "public_part", expected, found)?;
    }
    let odd = restores.len() + closes.len();
    let expected = "nothing held again and no review closed that does not follow from what is reinstated";
    Ok(require(odd == 0, Rule::EffectMismatch, "public_part", expected, odd)?)
}

/// What follows where these records are reinstated, by a block that revokes some others; or why they cannot be.
pub(crate) fn follows(
    view: &impl View,
    places: &BTreeSet<Place>,
    revoked: &BTreeSet<Place>,
) -> Result<Follows, AdmissionError> {
    let mut found = Follows::default();
    let mut amendments = BTreeMap::new();
    let mut all = Vec::new();
    for place in places {
        let unknown = || Rejection::new(Rule::UnknownTarget, "the place of a record", place.to_string());
        let (facts, record) = view.content_at(*place)?.ok_or_else(unknown)?;
        let Some((mark, contested)) = facts.marks.ended() else {
            let expected = "a record that was superseded or revoked";
            return Err(Rejection::new(Rule::StatusForbids, expected, place.to_string()).field("public_part").into());
        };
        all.push(Reinstated { place: *place, facts, record, mark, contested });
    }
    for one in &all {
        if one.mark == Mark::Superseded {
            if let std::collections::btree_map::Entry::Vacant(free) = amendments.entry(one.contested) {
                free.insert(amendments_in(view, one.contested)?);
            }
            let amendment = amendments.get(&one.contested).and_then(|all| all.get(&one.place));
            found.amendments.extend(amendment_goes(one, amendment)?);
        }
        // What was amended in the meantime would stand twice.
        if let Some(former) = amended(&one.record) {
            let same =
                view.record_at(former)?.is_none_or(|facts| facts.marks.get(Mark::Superseded) == Some(one.place.entry));
            let expected = "an amendment in whose place nothing else stands: what it amends is superseded by it";
            require(same, Rule::StatusForbids, "public_part", expected, one.place)?;
        }
        restores(view, one, &mut found.restores)?;
    }
    let gone: BTreeSet<Place> = found.amendments.iter().chain(revoked).copied().collect();
    for one in &all {
        super::rivals::check(view, (one.place, &one.facts, &one.record), one.contested, places, &gone)?;
    }
    found.closes = closes(view, &all, places, &gone)?;
    Ok(found)
}

/// The amendment that stands in the place of a superseded record, if it must be revoked with its reinstatement.
fn amendment_goes(one: &Reinstated, amendment: Option<&(Place, RecordFacts)>) -> Result<Option<Place>, Rejection> {
    let expected = "a superseded record whose amendment can be read";
    let (place, facts) =
        amendment.ok_or_else(|| Rejection::new(Rule::UnknownTarget, expected, one.place.to_string()))?;
    match facts.marks.ended() {
        Some((Mark::Superseded, _)) => {
            let expected = "an amendment that nothing else has superseded: reinstate that first";
            Err(Rejection::new(Rule::StatusForbids, expected, place.to_string()).field("public_part"))
        }
        Some(_) => Ok(None),
        None => {
            let spent = facts.marks.get(Mark::Redeemed);
            let expected = "an amendment that nothing has redeemed: what has is revoked first";
            let found = format_args!("{place}, redeemed at {}", spent.unwrap_or_default());
            require(spent.is_none(), Rule::AlreadySpent, "public_part", expected, found)?;
            Ok(Some(*place))
        }
    }
}

/// What an award or a conversion holds again: all that it had redeemed and does not hold any more. The effect that has
/// revoked it has let go of that, and nothing else has it since.
fn restores(
    view: &impl View,
    one: &Reinstated,
    found: &mut BTreeMap<Place, (LogIndex, LogIndex)>,
) -> Result<(), AdmissionError> {
    let holds = matches!(one.facts.kind, Kind::Award | Kind::Conversion);
    // What another one has taken over held nothing by itself.
    if !holds || redemption(view, one.place, &one.facts, &one.record)?.is_some() {
        return Ok(());
    }
    let own = entries(view, one.place, &one.record)?;
    let redeemed = done_to(view, &own, Action::Redeem)?;
    let released = done_to(view, &BTreeSet::from([one.contested]), Action::Release)?;
    for place in redeemed_by(&one.record) {
        let unknown = || Rejection::new(Rule::SourceNotUsable, "the place of a record", place.to_string());
        let (facts, record) = view.content_at(place)?.ok_or_else(unknown)?;
        let holds = facts.marks.get(Mark::Redeemed).is_some_and(|entry| own.contains(&entry));
        if holds || !redeemed.contains_key(&facts.status_id) {
            continue;
        }
        let spent = redemption(view, place, &facts, &record)?.or(spent_by_amendment(view, place, &facts)?);
        let by =
            released.get(&facts.status_id).copied().flatten().filter(|entry| own.contains(entry) && spent.is_none());
        let shown = spent.map_or_else(|| "released by another effect".to_owned(), |spent| spent.to_string());
        let expected = format!("what {} had redeemed, free since the effect at {}", one.place, one.contested);
        let by = by.ok_or_else(|| {
            Rejection::new(Rule::AlreadySpent, expected, format!("{place}, {shown}")).field("public_part")
        })?;
        found.insert(place, (by, one.contested));
    }
    Ok(())
}

/// The redemption of what stands in the place of a record: what it has paid for, the record has paid for too.
fn spent_by_amendment(view: &impl View, place: Place, facts: &RecordFacts) -> Result<Option<Redemption>, ViewError> {
    let (mut place, mut marks) = (place, facts.marks);
    for _ in 0..REDEMPTION_MAX {
        let Some(entry) = marks.get(Mark::Superseded) else { return Ok(None) };
        let Some((amendment, facts)) = amendments_in(view, entry)?.remove(&place) else { return Ok(None) };
        if let Some(by) = facts.marks.get(Mark::Redeemed) {
            return Ok(Some(Redemption { marked: amendment, by: Some(by) }));
        }
        (place, marks) = (amendment, facts.marks);
    }
    Ok(Some(Redemption { marked: place, by: None }))
}

/// The records to which some blocks have done something, by their status ids, each with the redemption that the effect
/// names.
fn done_to(
    view: &impl View,
    entries: &BTreeSet<LogIndex>,
    action: Action,
) -> Result<BTreeMap<Digest, Option<LogIndex>>, ViewError> {
    let mut found = BTreeMap::new();
    for entry in entries {
        let said = view.said(*entry)?.unwrap_or_default();
        let done = said.effects().filter(|effect| effect.action == i32::from(action));
        let named = |effect: &Effect| Some((Digest::from_slice(&effect.status_id)?, Named::by(effect).redemption));
        found.extend(done.filter_map(named));
    }
    Ok(found)
}

/// The reviews that followed from what is undone, and from nothing that still holds: of the dependants of what is
/// reinstated, those that the same effect has put under review, and that depend on nothing else which it has ended or
/// this block takes back.
fn closes(
    view: &impl View,
    all: &[Reinstated],
    places: &BTreeSet<Place>,
    gone: &BTreeSet<Place>,
) -> Result<BTreeSet<Place>, ViewError> {
    let mut candidates: BTreeMap<Place, LogIndex> = BTreeMap::new();
    for one in all {
        for place in dependants_of(view, one.place, &BTreeSet::new())? {
            let marks = view.record_at(place)?.map(|facts| facts.marks).unwrap_or_default();
            if marks.get(Mark::UnderReview) == Some(one.contested) && !places.contains(&place) && !gone.contains(&place)
            {
                candidates.insert(place, one.contested);
            }
        }
    }
    if candidates.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut against = gone.clone();
    for entry in candidates.values().copied().collect::<BTreeSet<_>>() {
        let said = view.said(entry)?.unwrap_or_default();
        let ending = |action| action == i32::from(Action::Supersede) || action == i32::from(Action::Revoke);
        for effect in said.effects().filter(|effect| ending(effect.action)) {
            let place = Place::read(effect.place);
            let stands =
                view.record_at(place)?.and_then(|facts| facts.marks.ended()).is_some_and(|(_, by)| by == entry);
            if stands && !places.contains(&place) {
                against.insert(place);
            }
        }
    }
    for place in against {
        for dependant in dependants_of(view, place, places)? {
            candidates.remove(&dependant);
        }
    }
    Ok(candidates.into_keys().collect())
}

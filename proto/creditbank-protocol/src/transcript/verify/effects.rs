//! What the blocks at hand say of the disclosed records: superseded, revoked, confirmed; and by what right.

use std::collections::BTreeSet;
use std::convert::Infallible;

use super::{
    BTreeMap, Digest, Fault, InstitutionId, LogIndex, Place, ProvedBlock, Purpose, RegistryProofs, Seal,
    TranscriptRecord, Tree, check_signer, day_of_ms, differs, is_suspect, pb,
};
use crate::authority::{self, Right};
use crate::contested::is_contested_by;
use crate::seal::RULES_VERSION;
use crate::status::{Mark, Marks, Named, is_carried_by_blocks};

/// An effect on a disclosed record.
struct OnRecord<'a> {
    /// Log index of its block.
    entry: LogIndex,
    proved: &'a ProvedBlock,
    authority: pb::Authority,
    effect: &'a pb::Effect,
    action: pb::Action,
    /// Position of the record in the report.
    record: usize,
}

/// The effects of a block on records of the report.
fn effects<'a>(
    entry: LogIndex,
    proved: &'a ProvedBlock,
    rules_version: u32,
    ids: &BTreeMap<Digest, usize>,
) -> Result<Vec<OnRecord<'a>>, Fault> {
    let mut found = Vec::new();
    for group in &proved.groups {
        for effect in &group.effects {
            let id = Digest::from_slice(&effect.status_id);
            let Some(record) = id.and_then(|id| ids.get(&id)).copied() else { continue };
            let action = pb::Action::try_from(effect.action).unwrap_or_default();
            if rules_version != RULES_VERSION {
                return Err(differs("the rules version", RULES_VERSION, rules_version));
            }
            if !is_carried_by_blocks(action) {
                return Err(Fault::Authority("an action that blocks may not carry"));
            }
            let authority = group.authority.clone().unwrap_or_default();
            found.push(OnRecord { entry, proved, authority, effect, action, record });
        }
    }
    Ok(found)
}

/// What others than the issuer do to a record: use it, give it back, say that what it rests on has changed, or has not.
fn used_by_others(one: &OnRecord<'_>) -> bool {
    let follows = one.authority.basis == i32::from(pb::Basis::Dependency) || one.effect.redemption_plus_1 != 0;
    follows || matches!(one.action, pb::Action::Redeem | pb::Action::Release)
}

/// What was said of the records of the report, by the blocks so far.
pub(super) struct Said {
    /// Of each record its marks, as far as they are shown.
    marks: Vec<Marks>,
    /// The blocks that a compromised key has sealed.
    suspect: BTreeSet<LogIndex>,
}

impl Said {
    /// Nothing yet.
    pub(super) fn of(records: &[TranscriptRecord]) -> Self {
        let suspect = records.iter().filter(|record| record.contested).map(|record| record.place.entry).collect();
        Self { marks: vec![Marks::default(); records.len()], suspect }
    }

    /// A holder may have left out what came before, so nothing stands in the way of an effect.
    fn add(&mut self, one: &OnRecord<'_>, suspect: bool) {
        if suspect {
            self.suspect.insert(one.entry);
        }
        let (marks, named, entry) = (&mut self.marks[one.record], Named::by(one.effect), Some(one.entry));
        match one.action {
            // A confirmation by a key that is itself under suspicion settles nothing.
            pb::Action::Confirm if suspect && marks.get(Mark::Confirmed).is_some() => {}
            pb::Action::Confirm => marks.set(Mark::Confirmed, entry),
            pb::Action::Redeem => marks.set(Mark::Redeemed, entry),
            // A release undoes the redemption that it names, and no other.
            pb::Action::Release if named.redemption != marks.get(Mark::Redeemed) => {}
            pb::Action::Release => marks.set(Mark::Redeemed, None),
            pb::Action::Review => marks.set(Mark::UnderReview, entry),
            pb::Action::CloseReview => marks.set(Mark::UnderReview, None),
            pb::Action::Reinstate => match (named.redemption, marks.ended()) {
                (Some(redemption), _) => marks.set(Mark::Redeemed, Some(redemption)),
                (None, Some((mark, ended))) if Some(ended) == named.contested => {
                    marks.set(mark, None);
                    marks.set(Mark::Reinstated, entry);
                }
                (None, Some(_)) => {}
                (None, None) => marks.set(Mark::UnderReview, entry),
            },
            pb::Action::Revoke if !marks.have_ended() => marks.set(Mark::Revoked, entry),
            pb::Action::Supersede if !marks.have_ended() => marks.set(Mark::Superseded, entry),
            _ => {}
        }
    }

    /// Writes it into the report.
    pub(super) fn settle(&self, records: &mut [TranscriptRecord]) {
        let is_suspect = |entry: LogIndex| Ok::<_, Infallible>(self.suspect.contains(&entry));
        for (record, marks) in records.iter_mut().zip(&self.marks) {
            let contested = is_contested_by(marks, record.place.entry, is_suspect);
            record.contested = contested.unwrap_or_else(|never| match never {});
            record.confirmed = marks.get(Mark::Confirmed).filter(|entry| !self.suspect.contains(entry));
            record.redeemed = marks.get(Mark::Redeemed);
            record.under_review = marks.get(Mark::UnderReview);
            record.ended = marks.ended().map(|(mark, _)| match mark {
                Mark::Revoked => pb::Action::Revoke,
                _ => pb::Action::Supersede,
            });
        }
        // A supersession is settled where the amendment was confirmed.
        let settled: Vec<Place> =
            records.iter().filter(|one| one.confirmed.is_some()).filter_map(|one| one.amends).collect();
        for record in records.iter_mut().filter(|record| record.ended == Some(pb::Action::Supersede)) {
            record.contested &= !settled.contains(&record.place);
        }
    }
}

/// Whether a group has an effect on a record of the report.
pub(super) fn touches(group: &pb::EffectGroup, ids: &BTreeMap<Digest, usize>) -> bool {
    let ids_of = group.effects.iter().filter_map(|effect| Digest::from_slice(&effect.status_id));
    ids_of.into_iter().any(|id| ids.contains_key(&id))
}

/// Whether a group replaces the record at a place.
pub(super) fn supersedes(group: &pb::EffectGroup, place: Place) -> bool {
    let replaces =
        |effect: &pb::Effect| effect.action == i32::from(pb::Action::Supersede) && Place::read(effect.place) == place;
    group.effects.iter().any(replaces)
}

/// Reads the effects of a block on the records of the report, after checking its signer and the right of each.
pub(super) fn apply(
    entry: LogIndex,
    proved: &ProvedBlock,
    ids: &BTreeMap<Digest, usize>,
    (records, said): (&[TranscriptRecord], &mut Said),
    tree: &Tree,
    registry: &mut RegistryProofs,
) -> Result<(), Fault> {
    if proved.groups.is_empty() {
        return Ok(());
    }
    let seal = tree.seal_of_round(proved)?;
    for one in effects(entry, proved, seal.rules_version, ids)? {
        let record = &records[one.record];
        let (place, owner) = (record.place, record.owner());
        let named = Place::read(one.effect.place);
        if named != place || one.entry <= place.entry {
            return Err(differs("the place of the effect's earlier record", place, named));
        }
        let kind = i32::from(record.disclosed.info.kind);
        let key = check_signer(proved, seal, registry)?;
        let scoped = key.purpose == i32::from(Purpose::Unit) && !used_by_others(&one);
        if scoped && !key.kinds.contains(&kind) {
            return Err(Fault::KeyScope("the kind of the record is outside its scope"));
        }
        right(&one, owner, seal, registry)?;
        let header = proved.head.header();
        let suspect = is_suspect(&registry.key(header.key_id, tree.last())?, seal.time_ms);
        said.add(&one, suspect);
    }
    Ok(())
}

/// By what right an effect is. Who has redeemed what is released the records themselves would have to say: there the
/// authority is
/// taken at its word.
fn right(one: &OnRecord<'_>, owner: InstitutionId, seal: &Seal, registry: &mut RegistryProofs) -> Result<(), Fault> {
    let (signer, by) = (one.proved.head.header().unit.institution, &one.authority);
    // A release that is undone is undone by whoever had redeemed.
    let releases = one.action == pb::Action::Release || one.effect.redemption_plus_1 != 0;
    let redeemer = if by.institution == 0 { signer } else { by.institution.into() };
    let owner = if releases { redeemer } else { owner };
    let holds = match authority::right(by, one.action, signer, Some(owner)) {
        Right::Holds => true,
        Right::IfCustodianOf(_) if releases => true,
        Right::IfCustodianOf(owner) => is_custodian(signer, owner, seal, registry)?,
        Right::Refused => false,
    };
    let text = match one.action {
        pb::Action::Redeem => "not by the learner's mandate",
        pb::Action::Review => "not by dependency on what the block takes back",
        _ if releases => "not by who redeemed it",
        _ => "neither its issuer, nor its custodian, nor the operator with a case",
    };
    if holds { Ok(()) } else { Err(Fault::Authority(text)) }
}

/// Whether the registry of the round had `signer` as the custodian of `other`, which was closed.
pub(super) fn is_custodian(
    signer: InstitutionId,
    other: InstitutionId,
    seal: &Seal,
    registry: &mut RegistryProofs,
) -> Result<bool, Fault> {
    let closed = registry.institution(other, seal.index)?;
    let keeper = registry.institution(signer, seal.index)?;
    Ok(authority::is_custodian(&keeper, &closed, day_of_ms(seal.time_ms)))
}

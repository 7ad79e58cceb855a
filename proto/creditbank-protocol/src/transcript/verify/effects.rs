//! What has become of the records: the marks of each under the last seal, and that each mark was set by a block that
//! had the right to. Which marks stand is in the seal, so nothing can be left out; who has set them is in their blocks,
//! so nothing can be invented.

use std::collections::BTreeSet;

use super::{
    BTreeMap, Digest, Fault, InstitutionId, Link, LogIndex, Part, Place, TranscriptError, TranscriptRecord, broken,
    differs, digests, pb,
};
use crate::authority::{self, Right};
use crate::contested::is_contested_by;
use crate::map::{self, MapProof, MapTags};
use crate::pb::Purpose;
use crate::seal::{RULES_VERSION, Seal};
use crate::status::{Mark, Marks, is_carried_by_blocks};

/// Reads the status of every record into it, and refuses a status proof of anything else.
pub(super) fn check(
    part: &Part,
    proofs: &[pb::StatusProof],
    records: &mut [TranscriptRecord],
) -> Result<(), TranscriptError> {
    let mut by_id: BTreeMap<Digest, &pb::StatusProof> = BTreeMap::new();
    for proof in proofs {
        let id = Digest::from_slice(&proof.status_id);
        let id =
            id.ok_or_else(|| broken(Link::Status, "list")(Fault::Missing("a status id of 32 bytes".to_owned())))?;
        if by_id.keys().next_back().is_some_and(|last| id <= *last) {
            return Err(broken(Link::Status, id)(Fault::Surplus("status proofs are not in order")));
        }
        by_id.insert(id, proof);
    }
    for record in records.iter_mut() {
        let wrong = broken(Link::Status, record.place);
        let Some(proof) = by_id.remove(&record.status_id) else {
            return Err(wrong(Fault::Missing("the status proof of the record".to_owned())));
        };
        status(part, proof, record).map_err(wrong)?;
    }
    // A supersession is settled where the amendment was confirmed.
    let settled: Vec<Place> =
        records.iter().filter(|one| one.confirmed.is_some()).filter_map(|one| one.amends).collect();
    for record in records.iter_mut().filter(|record| record.ended == Some(pb::Action::Supersede)) {
        record.contested &= !settled.contains(&record.place);
    }
    match by_id.keys().next() {
        Some(id) => Err(broken(Link::Status, id)(Fault::Surplus("a status proof of no record"))),
        None => Ok(()),
    }
}

/// Reads the status of one record into it.
fn status(part: &Part, proof: &pb::StatusProof, record: &mut TranscriptRecord) -> Result<(), Fault> {
    record.marks = marks(&part.tree.last_seal().status_root, &record.status_id, proof)?;
    // Whether the record's own block is suspect its key has said.
    let mut suspects: BTreeSet<LogIndex> = record.contested.then_some(record.place.entry).into_iter().collect();
    for (mark, entry) in record.marks.iter() {
        let suspect = set_by(part, record, mark, entry)?;
        suspects.extend(suspect.then_some(entry));
        match mark {
            // A confirmation by a key that is itself under suspicion settles nothing.
            Mark::Confirmed => record.confirmed = (!suspect).then_some(entry),
            Mark::Redeemed => record.redeemed = Some(entry),
            Mark::UnderReview => record.under_review = Some(entry),
            // Of a record that is both, more cannot be said than that it was taken back.
            Mark::Superseded | Mark::Revoked => record.ended = Some(mark.set_by()),
            Mark::Disputed | Mark::Reinstated => {}
        }
    }
    let is_suspect = |entry: LogIndex| Ok::<_, Fault>(suspects.contains(&entry));
    record.contested = is_contested_by(&record.marks, record.place.entry, is_suspect)?;
    Ok(())
}

/// The marks of a status id under a status root.
fn marks(root: &Digest, id: &Digest, status: &pb::StatusProof) -> Result<Marks, Fault> {
    let marks = Marks::from_bytes(&status.marks).ok_or(Fault::Surplus("the marks are not in their one spelling"))?;
    let proof = status.proof.clone().unwrap_or_default();
    let value = (!marks.is_empty()).then(|| marks.value());
    let terminal = match (value, proof.other_leaf.split_at_checked(32)) {
        (Some(value), _) if proof.other_leaf.is_empty() => Some((*id, value)),
        (Some(_), _) => return Err(Fault::Surplus("a proof of presence names another leaf")),
        (None, _) if proof.other_leaf.is_empty() => None,
        (None, Some((other, value))) => Digest::from_slice(other).zip(Digest::from_slice(value)),
        (None, None) => return Err(Fault::Missing("key and value of the other leaf".to_owned())),
    };
    let proof = MapProof { siblings: digests(&proof.siblings)?, terminal };
    if map::verify(MapTags::STATUS, root, id, &proof)? == value {
        Ok(marks)
    } else {
        Err(Fault::Surplus("a proof of absence shows the record's own leaf"))
    }
}

/// Checks that a block has set a mark, and had the right to. Says whether the block is suspect.
fn set_by(part: &Part, record: &TranscriptRecord, mark: Mark, entry: LogIndex) -> Result<bool, Fault> {
    let missing = || Fault::Missing(format!("the group of effects of block {entry} by which it is {}", mark.name()));
    let proved = part.blocks.get(&entry).ok_or_else(missing)?;
    let (group, effect) = proved.effect(|effect| effect.status_id == record.status_id.0).ok_or_else(missing)?;
    let (action, expected) = (pb::Action::try_from(effect.action).unwrap_or_default(), mark.set_by());
    let reopens = mark == Mark::UnderReview && action == pb::Action::Reinstate && effect.redemption_plus_1 == 0;
    // The reinstatement of a release sets the mark redeemed, to the redemption, and not this one.
    let holds_again = mark == Mark::Reinstated && effect.redemption_plus_1 != 0;
    if action != expected && !reopens || holds_again {
        return Err(differs("the action that has set the mark", expected.as_str_name(), action.as_str_name()));
    }
    let seal = part.tree.seal_of_round(proved.using())?;
    if seal.rules_version != RULES_VERSION {
        return Err(differs("the rules version", RULES_VERSION, seal.rules_version));
    }
    if !is_carried_by_blocks(action) {
        return Err(Fault::Authority("an action that blocks may not carry"));
    }
    // A place shows where the right depends on whose record it is; the status id binds it, also where it does not show.
    let named = effect.place.map_or(record.place, Place::from);
    if named != record.place || entry <= record.place.entry {
        return Err(differs("the place of the effect's earlier record", record.place, named));
    }
    let key = part.check_signer(proved, seal)?;
    let scoped = key.purpose == i32::from(Purpose::Unit) && !used_by_others(action);
    if scoped && !key.kinds.contains(&i32::from(record.disclosed.info.kind)) {
        return Err(Fault::KeyScope("the kind of the record is outside its scope"));
    }
    let header = proved.head.header();
    let by = group.authority.clone().unwrap_or_default();
    right(part, &by, action, header.unit.institution, record.owner(), seal)?;
    part.is_suspect(&proved.head, seal.time_ms)
}

/// What others than the issuer do to a record: use it, say that what it rests on has changed.
fn used_by_others(action: pb::Action) -> bool {
    matches!(action, pb::Action::Redeem | pb::Action::Review)
}

/// By what right an effect is.
fn right(
    part: &Part,
    by: &pb::Authority,
    action: pb::Action,
    signer: InstitutionId,
    owner: InstitutionId,
    seal: &Seal,
) -> Result<(), Fault> {
    let holds = match authority::right(by, action, signer, Some(owner)) {
        Right::Holds => true,
        Right::IfCustodianOf(owner) => part.is_custodian(signer, owner, seal)?,
        Right::Refused => false,
    };
    let text = match action {
        pb::Action::Redeem => "not by the learner's mandate",
        pb::Action::Review => "not by dependency on what the block takes back",
        _ => "neither its issuer, nor its custodian, nor the operator with a case",
    };
    if holds { Ok(()) } else { Err(Fault::Authority(text)) }
}

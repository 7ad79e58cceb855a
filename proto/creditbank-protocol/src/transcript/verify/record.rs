//! The records: from the disclosed fields to the block of the base, and under which key it was signed.

use super::{
    BTreeMap, BTreeSet, Fault, Link, Part, Parts, Place, ProvedBlock, TranscriptError, TranscriptRecord, Trust, broken,
};
use super::{Digest, digests, pb};
use crate::InstitutionId;
use crate::accreditation::{covers, end_of};
use crate::authority::amended_for;
use crate::canonical::decode;
use crate::dates::day_of_ms;
use crate::key::KeyId;
use crate::merkle::{record_leaf, verify_inclusion};
use crate::record::{Disclosed, RestsOn, amends_of, dated_of, expires_of, has_expired, is_embargoed, visible_from_of};
use crate::seal::Seal;
use crate::status::{Marks, status_id};

/// Checks every record up to the log. What has become of it is still to be said.
pub(super) fn check_all(
    disclosed: &[pb::DisclosedRecord],
    parts: &Parts,
    trust: &Trust,
    now_ms: u64,
) -> Result<Vec<TranscriptRecord>, TranscriptError> {
    let mut records: Vec<TranscriptRecord> = Vec::with_capacity(disclosed.len());
    let mut ids: BTreeMap<Digest, Place> = BTreeMap::new();
    for disclosed in disclosed {
        let place = Place::read(disclosed.place);
        let wrong = broken(Link::Record, place);
        if records.last().is_some_and(|last| place <= last.place) {
            return Err(wrong(Fault::Surplus("records are not in order of their places")));
        }
        let Some(block) = parts.base.blocks.get(&place.entry) else {
            return Err(wrong(Fault::Missing("the record's block".to_owned())));
        };
        let record = check(disclosed, place, block.using(), parts, trust, now_ms).map_err(wrong)?;
        if ids.insert(record.status_id, place).is_some() {
            let fault = Fault::Surplus("the same record stands twice in the log");
            return Err(broken(Link::Record, place)(fault));
        }
        records.push(record);
    }
    Ok(records)
}

/// Checks one record up to the log: claims, path, signature, key at the place.
fn check(
    disclosed: &pb::DisclosedRecord,
    place: Place,
    proved: &ProvedBlock,
    Parts { base, status, .. }: &Parts,
    trust: &Trust,
    now_ms: u64,
) -> Result<TranscriptRecord, Fault> {
    let header = proved.head.header();
    let path = digests(&disclosed.path)?;
    let disclosed = Disclosed::new(disclosed)?;
    // What a block publishes has no learner.
    if disclosed.info.public {
        return Err(Fault::Surplus("the record is a public one"));
    }
    let leaf = record_leaf(&disclosed.hash);
    verify_inclusion(&leaf, u64::from(place.index), u64::from(header.count), &path, &header.records_root)?;
    let (seal, unit) = (base.tree.seal_of_round(proved)?, header.unit);
    let key = base.check_signer(proved, seal)?;
    if unit.institution.is_operator() {
        return Err(Fault::KeyScope("it is the operator's"));
    }
    if !key.kinds.contains(&i32::from(disclosed.info.kind)) {
        return Err(Fault::KeyScope("the kind of the record is outside its scope"));
    }
    let kind = disclosed.info.kind;
    let amended = amends_of(kind, &disclosed.body)?.and_then(|amends| amends.place).map(Place::from);
    let on_behalf_of = match amended {
        Some(place) => replaced(base, proved, place, kind, &disclosed.body)?,
        None => None,
    };
    // Of two days the later one: a verifier may look at an old status.
    let today = status.tree.day().max(day_of_ms(now_ms));
    Ok(TranscriptRecord {
        place,
        status_id: status_id(&proved.leaf, place.index, &disclosed.hash),
        unit,
        issuer_trusted: trust.includes(unit.institution),
        key_id: header.key_id,
        approved_by: proved.head.approvals().iter().filter_map(|one| KeyId::from_slice(&one.key_id)).collect(),
        accreditation: accreditation(base, on_behalf_of.unwrap_or(unit.institution), kind, &disclosed.body, seal)?,
        sealed_at_ms: seal.time_ms,
        on_behalf_of,
        amends: amended,
        kept_by: None,
        marks: Marks::default(),
        contested: status.is_suspect(&proved.head, seal.time_ms)?,
        suspicion: None,
        confirmed: None,
        redeemed: None,
        under_review: None,
        ended: None,
        expired: has_expired(expires_of(kind, &disclosed.body)?.as_ref(), today),
        embargo: visible_from_of(kind, &disclosed.body)?.filter(|from| is_embargoed(Some(from), today)),
        missing_claim: disclosed.missing_claim(),
        rests_on: RestsOn::of(kind, &disclosed.body)?,
        late: dated_of(kind, &disclosed.body)?.and_then(|dated| Some((dated.day?, dated.late?))),
        disclosed,
    })
}

/// The numbers of the institution's accreditations that are given and cover a credit, as far as it is opened; `None` of
/// other kinds, which need none.
fn accreditation(
    base: &Part,
    owner: InstitutionId,
    kind: pb::Kind,
    body: &[u8],
    seal: &Seal,
) -> Result<Option<Vec<u32>>, Fault> {
    if kind != pb::Kind::Credit {
        return Ok(None);
    }
    let credit: pb::Credit = decode(body)?;
    let given = base.registry.accreditations(owner, seal)?;
    let covering = |entry: &pb::Accreditation| end_of(&credit).is_some_and(|end| covers(entry, &credit, end));
    // The same one may be given under several seals.
    let numbers: BTreeSet<u32> = given.iter().filter(|entry| covering(entry)).map(|entry| entry.number).collect();
    Ok(Some(numbers.into_iter().collect()))
}

/// For which closed institution a record replaces the one at a place; `None`: for its signer. The effect says so by
/// which it replaces the other one: each amendment has such an effect.
fn replaced(
    base: &Part,
    proved: &ProvedBlock,
    place: Place,
    kind: pb::Kind,
    body: &[u8],
) -> Result<Option<InstitutionId>, Fault> {
    let replaces =
        |effect: &pb::Effect| effect.action == i32::from(pb::Action::Supersede) && Place::read(effect.place) == place;
    let missing = || Fault::Missing("the effect that replaces what the record amends".to_owned());
    let (group, _) = proved.effect(replaces).ok_or_else(missing)?;
    let on_behalf_of = amended_for(std::slice::from_ref(group), kind, body)?;
    let (signer, seal) = (proved.head.header().unit.institution, base.tree.seal_of_round(proved)?);
    if let Some(other) = on_behalf_of
        && !base.is_custodian(signer, other, seal)?
    {
        return Err(Fault::Authority("its signer was not the custodian of the institution that it names"));
    }
    Ok(on_behalf_of)
}

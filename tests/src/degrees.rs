//! Definitions and awards, and what amends and revokes them.

use creditbank_client::Client;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::pb::{
    self, Action, AmendReason, Amends, Basis, Effect, EffectGroup, EffectReason, Kind, RecordReference,
};
use creditbank_rpc::Reason;

use crate::University;
use crate::acts::{by, effect, group, mandate, redeem, reference, submit};
use crate::university::{record, text};

/// A definition of at least so many CATS.
pub fn definition(institution: u64, code: &str, credits: u64) -> pb::QualificationDefinition {
    let requirement = pb::Requirement {
        r#type: pb::RequirementType::Credits.into(),
        amount_e4: credits * 10_000,
        ..Default::default()
    };
    pb::QualificationDefinition {
        institution,
        code: code.to_owned(),
        version: 1,
        titles: vec![text(code)],
        unit: "CATS".to_owned(),
        requirements: vec![requirement],
        from: Some(pb::Date { year: 2020, month: 1, day: 1 }),
        source: "a test".to_owned(),
        ..Default::default()
    }
}

/// An award that counts and redeems these records.
pub fn award(institution: u64, alias: [u8; 16], code: &str, counted: &[RecordReference]) -> pb::Award {
    let allocation =
        |record: &RecordReference| pb::Allocation { requirement: 1, record: Some(record.clone()), result_plus_1: 0 };
    pb::Award {
        learner: alias.to_vec(),
        definition: Some(pb::QualificationName { institution, code: code.to_owned(), version: 1 }),
        basis: pb::AwardBasis::Audited.into(),
        allocations: counted.iter().map(allocation).collect(),
        redeems: counted.to_vec(),
        certificate_number: "C-1".to_owned(),
        kind: pb::AwardKind::Degree.into(),
        conferred: Some(pb::Date { year: 2026, month: 1, day: 15 }),
        decider: "A registrar".to_owned(),
        mandate: Some(mandate()),
        ..Default::default()
    }
}

/// Counts so many things of other records: a definition that absorbs others of its institution.
pub fn absorbing(institution: u64, code: &str, credits: u64, absorbs: &[&str]) -> pb::QualificationDefinition {
    let mut absorbs: Vec<_> = absorbs.iter().map(|code| name(institution, code, 0)).collect();
    absorbs.sort_by_key(|one| encode(one).expect("canonical"));
    pb::QualificationDefinition { absorbs, ..definition(institution, code, credits) }
}

/// A definition that lets others count the same credit.
pub fn overlapping(code: &str, credits: u64, others: &[(u64, &str, u64)]) -> pb::QualificationDefinition {
    let one = |(institution, code, most): &(u64, &str, u64)| pb::Overlap {
        other: Some(name(*institution, code, 0)),
        max_e4: most * 10_000,
    };
    let mut overlaps: Vec<_> = others.iter().map(one).collect();
    overlaps.sort_by_key(|one| encode(one).expect("canonical"));
    pb::QualificationDefinition { overlaps, ..definition(1, code, credits) }
}

/// The name of a definition; version 0 is any.
pub fn name(institution: u64, code: &str, version: u32) -> pb::QualificationName {
    pb::QualificationName { institution, code: code.to_owned(), version }
}

/// In the order in which records name others.
pub fn by_place(mut records: Vec<RecordReference>) -> Vec<RecordReference> {
    records.sort_by_key(|one| one.place.map(|place| (place.entry, place.index)));
    records
}

/// The salt of a record that [`seal`] seals.
pub fn salt<M: Canonical>(body: &M) -> u8 {
    let sum: u64 = encode(body).expect("canonical").iter().map(|byte| u64::from(*byte)).sum();
    u8::try_from(sum % 251).expect("small")
}

/// Seals one record with effects; where it stands.
pub async fn seal<M: Canonical>(
    client: &Client,
    university: &University,
    kind: Kind,
    body: &M,
    groups: Vec<EffectGroup>,
) -> Result<RecordReference, Reason> {
    let record = record(kind, body, salt(body));
    let receipt = submit(client, university, std::slice::from_ref(&record), groups).await?;
    Ok(reference(&receipt, 0, &record))
}

/// Seals an award with its redemptions.
pub async fn confer(client: &Client, university: &University, award: &pb::Award) -> Result<RecordReference, Reason> {
    seal(client, university, Kind::Award, award, redeem(&award.redeems)).await
}

/// Groups in the order in which a block has them.
pub fn ordered(mut groups: Vec<EffectGroup>) -> Vec<EffectGroup> {
    groups.sort_by_key(|group| encode(group).expect("canonical"));
    groups
}

/// What an amendment of a record says of it, and the effects: superseded, and its dependants under review.
pub fn amending(record: &RecordReference, reviews: &[RecordReference]) -> (Option<Amends>, Vec<EffectGroup>) {
    let mut groups = vec![group(by(Basis::Issuer), vec![effect(Action::Supersede, record)])];
    groups.extend(reviewing(reviews));
    (Some(Amends { place: record.place, reason: AmendReason::Error.into() }), ordered(groups))
}

/// Reviews of what depends on a record that is taken back.
fn reviewing(reviews: &[RecordReference]) -> Option<EffectGroup> {
    let effects: Vec<_> = reviews.iter().map(|one| effect(Action::Review, one)).collect();
    (!effects.is_empty()).then(|| group(by(Basis::Dependency), effects))
}

/// A release of what was redeemed at a log index.
pub fn release(record: &RecordReference, redemption: u64) -> Effect {
    Effect { redemption_plus_1: redemption + 1, ..effect(Action::Release, record) }
}

/// Revokes a record: releases, each with the record that has redeemed it, and reviews.
pub async fn revoke(
    client: &Client,
    university: &University,
    record: &RecordReference,
    releases: &[(&RecordReference, &RecordReference)],
    reviews: &[RecordReference],
) -> Result<(), Reason> {
    let reason = EffectReason::Error.into();
    let mut effects = vec![Effect { reason, ..effect(Action::Revoke, record) }];
    effects.extend(releases.iter().map(|(one, holder)| release(one, holder.place.expect("a place").entry)));
    let mut groups = vec![group(by(Basis::Issuer), effects)];
    groups.extend(reviewing(reviews));
    submit(client, university, &[], ordered(groups)).await.map(drop)
}

/// Closes a review.
pub async fn stand_by(client: &Client, university: &University, record: &RecordReference) -> Result<(), Reason> {
    let groups = vec![group(by(Basis::Issuer), vec![effect(Action::CloseReview, record)])];
    submit(client, university, &[], groups).await.map(drop)
}

//! Awards and other records that are sealed, and what amends and revokes them.

use creditbank_client::Client;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::pb::{
    self, Action, AmendReason, Amends, Basis, Effect, EffectGroup, EffectReason, Kind, RecordReference,
};
use creditbank_rpc::Reason;

use crate::University;
use crate::acts::{by, effect, group, redeem, reference, submit};
use crate::university::record;

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
    seal(client, university, Kind::Award, award, redeem(university, Kind::Award, award, &award.redeems)).await
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

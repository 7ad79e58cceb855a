//! What becomes of a record: blocks confirm it and take it back; others use it, let go of it, put it under review.

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Action, Basis, Kind, Purpose};
use creditbank_protocol::record::Record;
use creditbank_protocol::transcript::{verify, write_file};
use serde_json::{Value, json};

use super::log::{
    Bend, HONEST, LOG, Log, NEXT_REGISTRY, NOW_MS, REGISTRY, key_entry, policy, public, public_record, trust,
};
use super::transcripts::credit;
use super::{agree, hex};

/// Institution 2 signs awards alone.
pub(super) const AWARDS: Bend = Bend { key: awards_of_two, ..HONEST };
/// The same under rules that nobody knows.
const UNKNOWN: Bend = Bend { seal: |_, seal| seal.rules_version = 2, ..AWARDS };
/// Seed of a second key of institution 1.
const SECOND: u8 = 30;

fn awards_of_two(key: &mut pb::Key) {
    if key.institution == 2 {
        key.kinds = vec![Kind::Award.into()];
    }
}

/// A credit of institution 1 in entry 3, the operator's key in entries 4 and 5, and their seal.
pub(super) fn begun(bend: Bend) -> Log {
    let mut log = Log::admitting(bend, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    let registry = key_entry(REGISTRY, Purpose::Registry, 0, 0);
    log.operator(&[public_record(Kind::Key, encode(&registry).expect("canonical"))]);
    log.seal();
    log
}

/// An effect on the credit, by an institution (0: the operator) and a right; sealed.
pub(super) fn then(log: Log, institution: u64, action: Action, basis: Basis, redemption_plus_1: u64) -> Log {
    let mut group = log.effect(3, 0, action);
    let mut authority = pb::Authority { basis: basis.into(), ..Default::default() };
    match basis {
        Basis::Mandate => authority.mandate_digest = vec![8; 32],
        Basis::Operator => "CASE-1".clone_into(&mut authority.case_reference),
        _ => {}
    }
    group.authority = Some(authority);
    group.effects[0].redemption_plus_1 = redemption_plus_1;
    sealed(log, institution, group)
}

fn sealed(mut log: Log, institution: u64, group: pb::EffectGroup) -> Log {
    if institution == 0 {
        log.by_operator(group);
    } else {
        log.issue(institution, &[], vec![group]);
    }
    log.seal();
    log
}

fn undigested() -> Log {
    let log = begun(AWARDS);
    let mut group = log.effect(3, 0, Action::Redeem);
    group.authority = Some(pb::Authority { basis: Basis::Mandate.into(), ..Default::default() });
    sealed(log, 2, group)
}

/// What others do to a record.
fn cases_of_others() -> Vec<(&'static str, Log)> {
    let one = |institution, action, basis| then(begun(AWARDS), institution, action, basis, 0);
    let redeemed = || one(2, Action::Redeem, Basis::Mandate);
    let reviewed = || one(2, Action::Review, Basis::Dependency);
    vec![
        ("redeemed by another institution, whose key has no scope for it", redeemed()),
        ("redeemed by the issuer's right", one(1, Action::Redeem, Basis::Issuer)),
        ("redeemed without a mandate's digest", undigested()),
        ("redeemed by the operator", one(0, Action::Redeem, Basis::Mandate)),
        ("released by whoever redeemed", then(redeemed(), 2, Action::Release, Basis::Issuer, 8)),
        ("released by the operator", then(redeemed(), 0, Action::Release, Basis::Operator, 8)),
        (
            "redeemed again after a release",
            then(then(redeemed(), 2, Action::Release, Basis::Issuer, 8), 1, Action::Redeem, Basis::Mandate, 0),
        ),
        ("redeemed, and revoked afterwards", then(redeemed(), 1, Action::Revoke, Basis::Issuer, 0)),
        ("under review", reviewed()),
        ("put under review by the issuer's right", one(1, Action::Review, Basis::Issuer)),
        ("a review closed by the issuer", then(reviewed(), 1, Action::CloseReview, Basis::Issuer, 0)),
        ("a review closed by the operator", then(reviewed(), 0, Action::CloseReview, Basis::Operator, 0)),
        ("revoked by dependency", one(1, Action::Revoke, Basis::Dependency)),
        ("disputed, which no rules admit yet", one(1, Action::Dispute, Basis::Issuer)),
        ("revoked under rules that nobody knows", then(begun(UNKNOWN), 1, Action::Revoke, Basis::Issuer, 0)),
    ]
}

/// A credit of institution 1 in entry 3, then in entries 5 and 6 its key as it is known since: stolen before; and a
/// second key.
fn stolen() -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.operator(&[compromised(Log::unit_entry(1)), public_record(Kind::Key, encode(&second()).expect("canonical"))]);
    log.seal();
    log
}

fn second() -> pb::Key {
    pb::Key { public_key: public(SECOND).to_vec(), ..Log::unit_entry(1) }
}

fn compromised(key: pb::Key) -> Record {
    let revoked = pb::KeyRevocation { reason: pb::RevocationReason::Compromised.into(), compromised_since_minute: 1 };
    let key = pb::Key { revoked: Some(revoked), ..key };
    public_record(Kind::Key, encode(&key).expect("canonical"))
}

/// A confirmation of the stolen key's credit by the second key, bent.
fn confirmed(bend: fn(&mut pb::EffectGroup)) -> Log {
    let mut log = stolen();
    let mut group = log.effect(3, 0, Action::Confirm);
    bend(&mut group);
    log.signer = Some(SECOND);
    sealed(log, 1, group)
}

fn confirmed_by_stolen() -> Log {
    let mut log = confirmed(|_| ());
    log.operator(&[compromised(second())]);
    log.seal();
    log.seal();
    log
}

/// What the registry says of a key acts from the round after its own.
fn unconfirmed() -> Log {
    let mut log = stolen();
    log.seal();
    log
}

/// A credit of institution 1 in entry 3 by its good key, which the second key has revoked in entry 8; and this key was
/// stolen, as is known since.
fn struck() -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.operator(&[public_record(Kind::Key, encode(&second()).expect("canonical"))]);
    log.seal();
    let group = log.effect(3, 0, Action::Revoke);
    log.signer = Some(SECOND);
    let mut log = sealed(log, 1, group);
    log.signer = None;
    log.operator(&[compromised(second())]);
    log.seal();
    log.seal();
    log
}

/// A reinstatement of the credit by the good key, which names the effect at a log index.
fn reinstated(contested: u64) -> Log {
    let log = struck();
    let mut group = log.effect(3, 0, Action::Reinstate);
    group.effects[0].contested_plus_1 = contested + 1;
    sealed(log, 1, group)
}

/// What a key that was stolen has sealed, and what takes a record back.
fn own_cases() -> Vec<(&'static str, Log)> {
    let revoked = |basis| then(begun(AWARDS), 1, Action::Revoke, basis, 0);
    vec![
        ("contested", unconfirmed()),
        ("confirmed", confirmed(|_| ())),
        ("confirmed by a key that was stolen too", confirmed_by_stolen()),
        ("a confirmation of another record", confirmed(|group| group.effects[0].status_id = vec![9; 32])),
        (
            "confirmed by a custodian of nobody",
            confirmed(|group| group.authority.as_mut().expect("a right").basis = Basis::Custodian.into()),
        ),
        (
            "confirmed at another place",
            confirmed(|group| group.effects[0].place = Some(pb::Place { entry: 4, index: 0 })),
        ),
        ("revoked", revoked(Basis::Issuer)),
        ("revoked by a stolen key: contested", struck()),
        ("revoked by a stolen key, and reinstated", reinstated(8)),
        ("a reinstatement that names another effect", reinstated(7)),
        ("revoked by an operator who is none", revoked(Basis::Operator)),
    ]
}

/// Goal: other implementations find the same in the same transcripts.
#[test]
fn effects() {
    let case = |(name, log): (&str, Log)| {
        let file = write_file(&log.transcript(&[(3, 0, None)], &[])).expect("a file");
        let found = verify(&file, &trust(), NOW_MS).ok().map(|report| {
            let first = &report.records[0];
            json!({
                "contested": first.contested, "confirmed": first.confirmed.map(|entry| entry.0),
                "ended": first.ended.map(i32::from), "redeemed": first.redeemed.map(|entry| entry.0),
                "under_review": first.under_review.map(|entry| entry.0), "standing": first.standing().name(),
            })
        });
        json!({ "name": name, "transcript": hex(file), "first": found })
    };
    let cases: Vec<Value> = own_cases().into_iter().chain(cases_of_others()).map(case).collect();
    let refused = cases.iter().filter(|case| case["first"].is_null()).count();
    assert_eq!(refused, 10, "the refusals are there");
    agree(
        "effects.json",
        &json!({
            "about": "PROTOCOL.md, Transcript files: what is found of the first record; null is a refusal.",
            "policy": policy(), "log_key": hex(public(LOG)), "registry_key": hex(public(REGISTRY)),
            "next_registry_key": creditbank_protocol::key::commitment(&public(NEXT_REGISTRY)).to_string(), "cases": cases,
        }),
    );
}

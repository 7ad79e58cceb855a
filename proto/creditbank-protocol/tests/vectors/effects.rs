//! What blocks of rules version 2 say of the records of others: they use them, let go of them, put them under review.

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Action, Basis, Kind, Purpose};
use creditbank_protocol::transcript::{verify, write_file};
use serde_json::{Value, json};

use super::log::{Bend, HONEST, Log, REGISTRY, key_entry, policy, public, public_record, trust};
use super::transcripts::credit;
use super::{agree, hex};

/// Rules version 2; institution 2 signs awards alone.
pub(super) const SECOND: Bend = Bend { seal: |_, seal| seal.rules_version = 2, key: awards_of_two, ..HONEST };
/// The same under rules version 1.
const FIRST: Bend = Bend { key: awards_of_two, ..HONEST };

fn awards_of_two(key: &mut pb::Key) {
    if key.institution == 2 {
        key.kinds = vec![Kind::Award.into()];
    }
}

/// A credit of institution 1 in entry 2, the operator's key in entry 3, and their seal.
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
    let mut group = log.effect(2, 0, action);
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
        let entry = log.issue(institution, &[], vec![group]);
        log.effects.push(entry);
    }
    log.seal();
    log
}

fn undigested() -> Log {
    let log = begun(SECOND);
    let mut group = log.effect(2, 0, Action::Redeem);
    group.authority = Some(pb::Authority { basis: Basis::Mandate.into(), ..Default::default() });
    sealed(log, 2, group)
}

fn cases() -> Vec<(&'static str, Log)> {
    let one = |institution, action, basis| then(begun(SECOND), institution, action, basis, 0);
    let redeemed = || one(2, Action::Redeem, Basis::Mandate);
    let reviewed = || one(2, Action::Review, Basis::Dependency);
    vec![
        ("redeemed by another institution, whose key has no scope for it", redeemed()),
        ("redeemed under rules version 1", then(begun(FIRST), 2, Action::Redeem, Basis::Mandate, 0)),
        ("redeemed by the issuer's right", one(1, Action::Redeem, Basis::Issuer)),
        ("redeemed without a mandate's digest", undigested()),
        ("redeemed by the operator", one(0, Action::Redeem, Basis::Mandate)),
        ("released by whoever redeemed", then(redeemed(), 2, Action::Release, Basis::Issuer, 6)),
        ("released by the operator", then(redeemed(), 0, Action::Release, Basis::Operator, 6)),
        ("a release of another redemption", then(redeemed(), 2, Action::Release, Basis::Issuer, 4)),
        ("released by a mandate", then(redeemed(), 2, Action::Release, Basis::Mandate, 6)),
        (
            "redeemed again after a release",
            then(then(redeemed(), 2, Action::Release, Basis::Issuer, 6), 1, Action::Redeem, Basis::Mandate, 0),
        ),
        ("redeemed, and revoked afterwards", then(redeemed(), 1, Action::Revoke, Basis::Issuer, 0)),
        ("under review", reviewed()),
        ("put under review under rules version 1", then(begun(FIRST), 2, Action::Review, Basis::Dependency, 0)),
        ("put under review by the issuer's right", one(1, Action::Review, Basis::Issuer)),
        ("a review closed by the issuer", then(reviewed(), 1, Action::CloseReview, Basis::Issuer, 0)),
        ("a review closed by the operator", then(reviewed(), 0, Action::CloseReview, Basis::Operator, 0)),
        ("a review closed by another institution", then(reviewed(), 2, Action::CloseReview, Basis::Issuer, 0)),
        ("revoked by dependency", one(1, Action::Revoke, Basis::Dependency)),
        ("disputed, which no rules admit yet", one(1, Action::Dispute, Basis::Issuer)),
    ]
}

/// Goal: other implementations find the same in the same transcripts.
#[test]
fn effects_of_the_second_rules() {
    let case = |(name, log): (&str, Log)| {
        let file = write_file(&log.transcript(&[(2, 0, None)], &[])).expect("a file");
        let found = verify(&file, &trust()).ok().map(|report| {
            let first = &report.records[0];
            json!({
                "contested": first.contested, "confirmed": first.confirmed.map(|entry| entry.0),
                "ended": first.ended.map(i32::from), "redeemed": first.redeemed.map(|entry| entry.0),
                "under_review": first.under_review.map(|entry| entry.0), "standing": first.standing().name(),
            })
        });
        json!({ "name": name, "transcript": hex(file), "first": found })
    };
    let cases: Vec<Value> = cases().into_iter().map(case).collect();
    let refused = cases.iter().filter(|case| case["first"].is_null()).count();
    assert_eq!(refused, 10, "the refusals are there");
    agree(
        "effects_2.json",
        &json!({
            "about": "PROTOCOL.md, Transcript files, of rules version 2: what is found of the first record; null is a refusal.",
            "policy": policy(), "registry_key": hex(public(REGISTRY)), "cases": cases,
        }),
    );
}

//! What comes back with a record of each kind: nothing has come in its place meanwhile, and who keeps a closed
//! institution's records may reinstate them too.

use creditbank_protocol::pb::{self, Action, Basis, DecisionType, Kind, RegistryState, RelationType};
use creditbank_rules::CourseKey;

use super::case::Case;
use super::consequences::effects;
use super::derived::{
    APPLICATIONS, CASE, Held, appeal, application, at, course, decision, effect, group, marked, reference,
};
use super::reinstatements::{SINCE, by_issuer, reinstate, stolen, struck};
use crate::fixtures::{ALIAS, credit, identity, institution};

/// A record in an entry that the stolen key has revoked in entry 9, all of what it did there.
fn revoked<M: creditbank_protocol::canonical::Canonical>(case: &mut Case, held: Held, kind: Kind, entry: &M) {
    stolen(case, SINCE);
    let place = held.place;
    case.holds(Held { marks: marked(&[(Action::Revoke, 9)]), ..held }, kind, entry);
    struck(case, 9, 0, &[by_issuer(&[effect(place, Action::Revoke)])]);
}

fn application_revoked(case: &mut Case) {
    revoked(case, Held::new(2, APPLICATIONS), Kind::Application, &application());
}

fn applied(case: &mut Case) {
    case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
}

fn decision_revoked(case: &mut Case) {
    applied(case);
    let held = Held { depends_on: vec![at(2)], ..Held::new(3, CASE) };
    revoked(case, held, Kind::Decision, &decision(DecisionType::Full));
}

fn appeal_revoked(case: &mut Case) {
    applied(case);
    case.holds(Held { depends_on: vec![at(2)], ..Held::new(3, CASE) }, Kind::Decision, &decision(DecisionType::Full));
    revoked(case, Held { depends_on: vec![at(3)], ..Held::new(4, CASE) }, Kind::Appeal, &appeal());
}

fn identity_of(name: &str) -> pb::Identity {
    let full = name.to_owned();
    pb::Identity { names: vec![pb::PersonName { language: "en".to_owned(), full, ..Default::default() }], ..identity() }
}

fn identity_revoked(case: &mut Case) {
    revoked(case, Held::new(2, CourseKey::Identity), Kind::Identity, &identity_of("Example"));
}

/// A conversion of the credit in entry 1, which is of institution 2, under a version of an agreement.
fn conversion(version: u32) -> pb::Conversion {
    let agreement = Some(pb::AgreementName { code: "AGREED".to_owned(), version });
    let source = pb::ConversionSource { record: Some(reference(at(1))), ..Default::default() };
    pb::Conversion { learner: ALIAS.0.to_vec(), agreement, sources: vec![source], ..Default::default() }
}

fn conversion_revoked(case: &mut Case) {
    case.holds(Held { institution: 2, ..Held::new(1, course("AAA")) }, Kind::Credit, &credit());
    let held = Held { depends_on: vec![at(1)], ..Held::new(4, CourseKey::Conversion) };
    revoked(case, held, Kind::Conversion, &conversion(1));
}

/// A joint award that counts nothing of this ledger.
fn joint_revoked(case: &mut Case) {
    let cosignature = pb::CoSignature { institution: 2, ..Default::default() };
    let award = pb::Award {
        learner: ALIAS.0.to_vec(),
        basis: pb::AwardBasis::Declared.into(),
        cosignatures: vec![cosignature],
        ..Default::default()
    };
    revoked(case, Held::new(6, CourseKey::Award), Kind::Award, &award);
}

/// The credit of institution 2, which is closed, was revoked by the stolen key of institution 1, which keeps it.
fn kept(case: &mut Case) {
    stolen(case, SINCE);
    let relation = pb::Relation { r#type: RelationType::CustodianOf.into(), institution: 2, ..Default::default() };
    case.set(Kind::Institution, &pb::Institution { relations: vec![relation], ..institution(1) });
    case.set(Kind::Institution, &pb::Institution { state: RegistryState::Closed.into(), ..institution(2) });
    let held = Held { institution: 2, marks: marked(&[(Action::Revoke, 9)]), ..Held::new(1, course("AAA")) };
    case.holds(held, Kind::Credit, &credit());
    struck(case, 9, 0, &[by_custodian(&[effect(at(1), Action::Revoke)])]);
}

fn by_custodian(effects: &[pb::Effect]) -> pb::EffectGroup {
    let mut group = group(Basis::Custodian, effects);
    group.authority.as_mut().expect("an authority").institution = 2;
    group
}

/// A scene, and something that has come in entry 11.
fn meanwhile(
    name: &'static str,
    about: &'static str,
    entry: u64,
    scene: fn(&mut Case),
    come: impl FnOnce(&mut Case),
) -> Case {
    effects(Some(name), about, scene, vec![by_issuer(&[reinstate(at(entry), 9)])]).with(come)
}

pub(crate) fn refused() -> Vec<Case> {
    vec![
        meanwhile("APPLICATION_OPEN", "another application meanwhile", 2, application_revoked, |case| {
            case.holds(Held::new(11, APPLICATIONS), Kind::Application, &application());
        }),
        meanwhile("NOT_OPEN", "another decision meanwhile", 3, decision_revoked, |case| {
            let held = Held { depends_on: vec![at(2)], ..Held::new(11, CASE) };
            case.holds(held, Kind::Decision, &decision(DecisionType::Partial));
        }),
        meanwhile("NOT_OPEN", "another appeal meanwhile", 4, appeal_revoked, |case| {
            let held = Held { depends_on: vec![at(3)], ..Held::new(11, CASE) };
            case.holds(held, Kind::Appeal, &pb::Appeal { grounds: "The hours are the same".to_owned(), ..appeal() });
        }),
        meanwhile("IDENTITY_NOT_AMENDED", "another Identity meanwhile", 2, identity_revoked, |case| {
            case.holds(Held::new(11, CourseKey::Identity), Kind::Identity, &identity_of("Instance"));
        }),
        meanwhile("ALREADY_SPENT", "another conversion of the source meanwhile", 4, conversion_revoked, |case| {
            let held = Held { depends_on: vec![at(1)], ..Held::new(11, CourseKey::Conversion) };
            case.holds(held, Kind::Conversion, &conversion(2));
        }),
        effects(
            Some("NOT_AUTHORISED"),
            "a closed institution's record, as the keeper's own",
            kept,
            vec![by_issuer(&[reinstate(at(1), 9)])],
        ),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let admitted = |about, entry: u64, scene: fn(&mut Case)| {
        effects(None, about, scene, vec![by_issuer(&[reinstate(at(entry), 9)])])
    };
    vec![
        admitted("an application is reinstated", 2, application_revoked),
        admitted("a decision is reinstated", 3, decision_revoked),
        admitted("an appeal is reinstated", 4, appeal_revoked),
        admitted("an Identity is reinstated", 2, identity_revoked),
        admitted("a conversion that redeemed nothing is reinstated", 4, conversion_revoked),
        admitted("a joint award is reinstated", 6, joint_revoked),
        effects(
            None,
            "a closed institution's record is reinstated by its custodian",
            kept,
            vec![by_custodian(&[reinstate(at(1), 9)])],
        ),
    ]
}

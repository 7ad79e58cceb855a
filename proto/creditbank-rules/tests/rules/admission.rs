//! Goal: every rule refuses what it is there to refuse, under its own name, and what is right is admitted.

#![allow(clippy::unnecessary_wraps)] // Helpers return what a field of the schema holds.

use std::collections::BTreeSet;

use crate::fixtures::*;
use crate::world::{NOW_MS, World};
use creditbank_protocol::pb::{self, Action, Basis, Kind, RevocationReason};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::{Marks, Named};
use creditbank_protocol::{Alias, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::admission::{AdmissionError, Approved, BlockFacts, admit_block, check_records};
use creditbank_rules::{Rejection, Rule, Sealing};
use ed25519_dalek::SigningKey;

const PLACE: Place = Place { entry: LogIndex(5), index: 3 };

/// The rule that a result was refused by.
fn rule<T: std::fmt::Debug>(result: Result<T, AdmissionError>) -> Rule {
    match result {
        Err(AdmissionError::Rejected(rejection)) => {
            assert!(!rejection.expected.is_empty() && !rejection.found.is_empty(), "{rejection}");
            rejection.rule
        }
        other => panic!("expected a refusal, found {other:?}"),
    }
}

fn of(credit: &pb::Credit) -> [Record; 1] {
    [record(Kind::Credit, credit, 1)]
}

/// What a changed credit is refused by.
fn credit_rule(change: impl FnOnce(&mut pb::Credit)) -> Rule {
    let mut credit = credit();
    change(&mut credit);
    rule(World::new().admit(&of(&credit)))
}

fn result_rule(change: impl FnOnce(&mut pb::Result)) -> Rule {
    let mut result = result();
    change(&mut result);
    rule(World::new().admit(&[record(Kind::Result, &result, 1)]))
}

fn world_rule(change: impl FnOnce(&mut World)) -> Rule {
    let mut world = World::new();
    change(&mut world);
    rule(world.admit(&of(&credit())))
}

fn block_rule(change: impl FnOnce(&mut BlockFacts<'_>)) -> Rule {
    let (world, records) = (World::new(), of(&credit()));
    let mut block = world.facts(&records, &[]);
    change(&mut block);
    rule(admit_block(&world.ledger, &block))
}

fn registry_rule<M: creditbank_protocol::canonical::Canonical>(kind: Kind, entry: &M) -> Rule {
    let refused: Result<(), Rejection> = World::new().try_set(kind, entry);
    refused.expect_err("the entry is refused").rule
}

fn amends(place: Place) -> Option<pb::Amends> {
    Some(pb::Amends { place: Some(place.into()), reason: pb::AmendReason::Error.into() })
}

fn effect(action: Action, basis: Basis) -> pb::EffectGroup {
    let authority = pb::Authority { basis: basis.into(), ..Default::default() };
    let effect = pb::Effect {
        status_id: vec![7; 32],
        place: Some(PLACE.into()),
        action: action.into(),
        reason: if action == Action::Revoke { pb::EffectReason::Error.into() } else { 0 },
        redemption_plus_1: 0,
        contested_plus_1: 0,
    };
    pb::EffectGroup { authority: Some(authority), effects: vec![effect] }
}

/// A world in which the learner holds a credit of `institution` at `PLACE`.
fn holding(institution: u64, marks: Marks) -> World {
    let mut world = World::new();
    world.hold(PLACE, &of(&credit())[0], institution, "AAA", marks);
    world
}

fn effect_rule(world: &World, group: pb::EffectGroup, records: &[Record]) -> Rule {
    rule(admit_block(&world.ledger, &world.facts(records, &[group])))
}

#[test]
fn what_is_right_is_admitted() {
    let world = World::new();
    let records = [
        record(Kind::Credit, &credit(), 1),
        record(Kind::Result, &result(), 1),
        record(Kind::Identity, &identity(), 1),
        record(Kind::Outcome, &outcome(pb::OutcomeType::MoocCertificate), 1),
    ];
    let admitted = world.admit(&records).expect("all of it is right");
    assert_eq!(admitted.len(), 4);
    assert!(admitted.iter().all(|record| record.account == ACCOUNT));
    assert_eq!(check_records(&world.ledger, &world.facts(&records, &[])).expect("a signer"), []);
}

#[test]
fn an_amendment_goes_with_its_effect() {
    let world = holding(1, Marks::default());
    let amended = pb::Credit { amends: amends(PLACE), ..credit() };
    let records = [record(Kind::Credit, &amended, 2)];
    let groups = [effect(Action::Supersede, Basis::Issuer)];
    admit_block(&world.ledger, &world.facts(&records, &groups)).expect("an amendment and its effect");
    assert_eq!(rule(world.admit(&records)), Rule::EffectMismatch);
    let twice = [effect(Action::Supersede, Basis::Issuer)];
    assert_eq!(rule(admit_block(&world.ledger, &world.facts(&[], &twice))), Rule::EffectMismatch);
}

#[test]
fn signer() {
    let state = |state: pb::RegistryState| pb::Institution { state: state.into(), ..institution(1) };
    let cases = [
        (block_rule(|block| block.unit.institution = InstitutionId(77)), Rule::UnknownInstitution),
        (
            world_rule(|world| world.set(Kind::Institution, &state(pb::RegistryState::Suspended))),
            Rule::InstitutionNotActive,
        ),
        (
            world_rule(|world| world.set(Kind::Institution, &state(pb::RegistryState::Closed))),
            Rule::InstitutionNotActive,
        ),
        (block_rule(|block| block.unit.number = 2), Rule::UnknownUnit),
        (
            world_rule(|world| {
                world.set(Kind::Unit, &pb::Unit { state: pb::RegistryState::Suspended.into(), ..unit(1) });
            }),
            Rule::UnitNotActive,
        ),
        (block_rule(|block| block.key_id.0[0] ^= 1), Rule::UnknownKey),
        (
            world_rule(|world| {
                world.set(Kind::Unit, &pb::Unit { unit: 2, ..unit(1) });
                let other = SigningKey::from_bytes(&[6; 32]);
                world.set(Kind::Key, &key(1, 2, &other, &[Kind::Credit]));
                world.key = other;
            }),
            Rule::KeyOfAnother,
        ),
        (
            world_rule(|world| {
                let revoked = pb::KeyRevocation { reason: RevocationReason::Rotated.into(), ..Default::default() };
                let entry = key(1, 1, &world.key, &[Kind::Credit]);
                world.set(Kind::Key, &pb::Key { revoked: Some(revoked), ..entry });
            }),
            Rule::KeyRevoked,
        ),
        (
            world_rule(|world| {
                let entry = key(1, 1, &world.key, &[Kind::Credit]);
                world.set(Kind::Key, &pb::Key { until_minute: NOW_MS / 60_000, ..entry });
            }),
            Rule::KeyNotInForce,
        ),
        (
            world_rule(|world| {
                let entry = key(1, 1, &world.key, &[Kind::Credit]);
                world.set(Kind::Key, &pb::Key { from_minute: NOW_MS / 60_000 + 1, ..entry });
            }),
            Rule::KeyNotInForce,
        ),
        (
            world_rule(|world| {
                let entry = key(1, 1, &world.key, &[Kind::Result]);
                world.set(Kind::Key, &entry);
            }),
            Rule::KindOutsideKey,
        ),
        (rule(World::new().admit(&[record(Kind::Institution, &institution(3), 0)])), Rule::KindNotIssued),
    ];
    cases.into_iter().for_each(|(found, expected)| assert_eq!(found, expected));
}

#[test]
fn fields_of_a_credit() {
    let end = |year, month, day| {
        move |credit: &mut pb::Credit| {
            // What has not ended lasts for at most 20 years.
            let first = if year < 2026 { 1960 } else { 2020 };
            credit.period = Some(pb::Period { from: Some(date(first, 1, 0)), until: Some(date(year, month, day)) });
        }
    };
    let workload = |e4| Some(pb::Hours { kind: pb::HoursKind::Workload.into(), e4 });
    let ects = |e4| Some(pb::Amount { e4, unit: "ECTS".to_owned() });
    let cases = [
        (credit_rule(|credit| credit.course = None), Rule::MissingField),
        (credit_rule(|credit| credit.amount = None), Rule::MissingField),
        (credit_rule(|credit| credit.period = None), Rule::MissingField),
        (credit_rule(|credit| credit.hours = Some(pb::Hours { e4: 1, ..Default::default() })), Rule::MissingField),
        (
            credit_rule(|credit| {
                credit.period = Some(pb::Period { from: Some(date(2026, 9, 0)), until: Some(date(2026, 2, 0)) });
            }),
            Rule::InvalidDate,
        ),
        (credit_rule(|credit| credit.expires = Some(date(2026, 9, 30))), Rule::InvalidDate),
        (credit_rule(|credit| credit.field = "6".to_owned()), Rule::InvalidCode),
        (credit_rule(|credit| credit.language = "e".to_owned()), Rule::InvalidCode),
        (
            credit_rule(|credit| credit.place = Some(pb::Site { country: "gb".to_owned(), ..Default::default() })),
            Rule::InvalidCode,
        ),
        (credit_rule(|credit| credit.learner = vec![8; 16]), Rule::UnknownAlias),
        (credit_rule(|credit| credit.learner = CLOSED_ALIAS.0.to_vec()), Rule::AccountNotOpen),
        (
            credit_rule(|credit| credit.amount = Some(pb::Amount { e4: 1, unit: "EURO".to_owned() })),
            Rule::UnknownCreditUnit,
        ),
        (
            credit_rule(|credit| {
                credit.level = Some(pb::Level { framework: "FHEQ".to_owned(), level: "9".to_owned() });
            }),
            Rule::UnknownLevel,
        ),
        (credit_rule(|credit| credit.grade = Some(grade("NONE", "A"))), Rule::UnknownGrade),
        (credit_rule(|credit| credit.grade = Some(grade("JP-SABC:TOKAI", "Z"))), Rule::UnknownGrade),
        (credit_rule(|credit| credit.grade = Some(grade("JP-SABC:TOKAI", "E"))), Rule::GradeNotAPass),
        (
            credit_rule(|credit| (credit.amount, credit.hours) = (ects(6_0000), workload(149_9999))),
            Rule::WorkloadOutsideBand,
        ),
        (
            credit_rule(|credit| (credit.amount, credit.hours) = (ects(6_0000), workload(180_0001))),
            Rule::WorkloadOutsideBand,
        ),
        (credit_rule(|credit| credit.visible_from = Some(date(2027, 11, 5))), Rule::EmbargoTooLong),
        (credit_rule(end(1968, 12, 31)), Rule::NotAccredited),
        (credit_rule(end(2031, 1, 1)), Rule::NotAccredited),
        (credit_rule(|credit| credit.earlier = vec![PLACE.into()]), Rule::UnknownEarlier),
        (
            credit_rule(|credit| {
                credit.period = Some(pb::Period { from: Some(date(2026, 12, 0)), until: Some(date(2027, 2, 0)) });
            }),
            Rule::ImplausibleDate,
        ),
        (
            credit_rule(|credit| {
                let title = pb::Text { language: String::new(), value: "x".to_owned() };
                credit.course.as_mut().expect("a course").titles = vec![title];
            }),
            Rule::MissingField,
        ),
    ];
    for (number, (found, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found, expected, "case {number}");
    }
}

#[test]
fn a_boundary_is_admitted() {
    let mut good = credit();
    good.amount = Some(pb::Amount { e4: 6_0000, unit: "ECTS".to_owned() });
    good.hours = Some(pb::Hours { kind: pb::HoursKind::Workload.into(), e4: 150_0000 });
    good.visible_from = Some(date(2027, 11, 4));
    good.period = Some(pb::Period { from: Some(date(2026, 2, 0)), until: Some(date(2026, 9, 30)) });
    World::new().admit(&of(&good)).expect("25 hours a credit, 400 days");
    for (first, year, month, day) in [(1960, 1969, 1, 1), (2020, 2030, 12, 31)] {
        let mut good = credit();
        good.period = Some(pb::Period { from: Some(date(first, 1, 0)), until: Some(date(year, month, day)) });
        World::new().admit(&of(&good)).expect("the first and the last day of the accreditation");
    }
    // A credit of no amount is a credit: a seminar that carries none.
    let mut good = credit();
    good.amount = Some(pb::Amount { e4: 0, unit: "CATS".to_owned() });
    World::new().admit(&of(&good)).expect("an amount of 0");
}

#[test]
fn scopes_of_an_accreditation() {
    type Scope = fn(&mut pb::Accreditation);
    let scopes: [Scope; 5] = [
        |entry| entry.levels = vec![pb::Level { framework: "FHEQ".to_owned(), level: "4".to_owned() }],
        |entry| entry.fields = vec!["06".to_owned()],
        |entry| entry.modes = vec![pb::Mode::Online.into()],
        |entry| entry.programmes = vec!["B".to_owned()],
        |entry| entry.sites = vec!["Campus".to_owned()],
    ];
    for scope in scopes {
        let found = world_rule(|world| {
            let mut entry = accreditation();
            scope(&mut entry);
            world.set(Kind::Accreditation, &entry);
        });
        assert_eq!(found, Rule::NotAccredited);
    }
    let mut world = World::new();
    let mut entry = accreditation();
    scopes.iter().for_each(|scope| scope(&mut entry));
    world.set(Kind::Accreditation, &entry);
    let within = pb::Credit {
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "4".to_owned() }),
        field: "0613".to_owned(),
        mode: pb::Mode::Online.into(),
        course: Some(pb::Course { code: "BBB".to_owned(), titles: vec![text("B")] }),
        place: Some(pb::Site { name: "Campus".to_owned(), ..Default::default() }),
        ..credit()
    };
    world.admit(&of(&within)).expect("it lies within every scope");
}

#[test]
fn results_identities_and_outcomes() {
    let identity_rule = |change: fn(&mut pb::Identity)| {
        let mut identity = identity();
        change(&mut identity);
        rule(World::new().admit(&[record(Kind::Identity, &identity, 1)]))
    };
    let outcome_rule = |kind| rule(World::new().admit(&[record(Kind::Outcome, &outcome(kind), 1)]));
    let twice = [record(Kind::Identity, &identity(), 1), record(Kind::Identity, &identity(), 2)];
    let cases = [
        (result_rule(|result| result.status = 0), Rule::MissingField),
        (result_rule(|result| result.visible_from = Some(date(9999, 12, 31))), Rule::EmbargoTooLong),
        (result_rule(|result| result.grade = Some(grade("JP-SABC:TOKAI", "A"))), Rule::GradeIsAPass),
        (identity_rule(|identity| identity.names.clear()), Rule::MissingField),
        (identity_rule(|identity| identity.birth_date = None), Rule::MissingField),
        (identity_rule(|identity| identity.birth_date = Some(date(2027, 1, 1))), Rule::ImplausibleDate),
        (identity_rule(|identity| identity.document = 0), Rule::MissingField),
        (identity_rule(|identity| identity.assurance = 0), Rule::MissingField),
        (outcome_rule(pb::OutcomeType::TestScore), Rule::MissingField),
        (outcome_rule(pb::OutcomeType::PriorLearning), Rule::MissingField),
        (rule(World::new().admit(&twice)), Rule::IdentityNotAmended),
    ];
    cases.into_iter().for_each(|(found, expected)| assert_eq!(found, expected));
    let mut open = result();
    (open.status, open.grade) = (pb::ResultStatus::Provisional.into(), Some(grade("JP-SABC:TOKAI", "A")));
    World::new().admit(&[record(Kind::Result, &open, 1)]).expect("a provisional result may carry a pass");
}

#[test]
fn repeats_and_amendments() {
    let world = holding(1, Marks::default());
    let again = |credit: &pb::Credit, salt| rule(world.admit(&[record(Kind::Credit, credit, salt)]));
    assert_eq!(again(&credit(), 1), Rule::DuplicateRecord);
    assert_eq!(again(&credit(), 2), Rule::TooManyRepeats);
    let repeatable = pb::Credit { repeats_max: 1, earlier: vec![PLACE.into()], ..credit() };
    assert_eq!(again(&repeatable, 2), Rule::TooManyRepeats, "the first one says that the course does not count again");
    let mut world = holding(1, Marks::default());
    world.ledger.held.get_mut(&PLACE).expect("held").repeats_max = Some(1);
    let again = |credit: &pb::Credit, salt| rule(world.admit(&[record(Kind::Credit, credit, salt)]));
    world.admit(&[record(Kind::Credit, &repeatable, 2)]).expect("one repeat");
    let twice = [record(Kind::Credit, &repeatable, 2), record(Kind::Credit, &repeatable, 3)];
    assert_eq!(rule(world.admit(&twice)), Rule::TooManyRepeats);
    let elsewhere = pb::Credit { amends: amends(Place::new(6, 0)), ..credit() };
    assert_eq!(again(&elsewhere, 2), Rule::UnknownTarget);
    let unreasoned = pb::Credit { amends: Some(pb::Amends { place: Some(PLACE.into()), reason: 0 }), ..credit() };
    assert_eq!(again(&unreasoned, 2), Rule::MissingField);
    let other_kind = pb::Result { amends: amends(PLACE), ..result() };
    assert_eq!(rule(world.admit(&[record(Kind::Result, &other_kind, 2)])), Rule::AmendsAnother);
    let of_another = holding(2, Marks::default());
    let amended = [record(Kind::Credit, &pb::Credit { amends: amends(PLACE), ..credit() }, 2)];
    assert_eq!(rule(of_another.admit(&amended)), Rule::NotAuthorised);
}

/// An effect by the custodian of institution 2.
fn custodial(action: Action) -> pb::EffectGroup {
    let mut group = effect(action, Basis::Custodian);
    group.authority.as_mut().expect("an authority").institution = 2;
    group
}

/// A world in which institution 2 has a credit at `PLACE` and is closed, and institution 1 keeps its records from a day
/// on.
fn kept(from: Option<pb::Date>) -> World {
    let mut world = holding(2, Marks::default());
    let kind = pb::RelationType::CustodianOf.into();
    let relation = pb::Relation { r#type: kind, institution: 2, from, until: None };
    world.set(Kind::Institution, &pb::Institution { relations: vec![relation], ..institution(1) });
    world.set(Kind::Institution, &pb::Institution { state: pb::RegistryState::Closed.into(), ..institution(2) });
    world
}

#[test]
fn a_custodian_changes_for_a_closed_institution() {
    let mut open = kept(None);
    open.set(Kind::Institution, &institution(2));
    assert_eq!(effect_rule(&open, custodial(Action::Revoke), &[]), Rule::NotAuthorised, "it is not closed yet");
    let stranger = holding(2, Marks::default());
    assert_eq!(effect_rule(&stranger, custodial(Action::Revoke), &[]), Rule::NotAuthorised, "no custodian");
    let early = kept(Some(date(2026, 11, 24)));
    assert_eq!(effect_rule(&early, custodial(Action::Revoke), &[]), Rule::NotAuthorised, "a day before");
    let world = kept(Some(date(2026, 11, 23)));
    assert_eq!(effect_rule(&world, effect(Action::Revoke, Basis::Custodian), &[]), Rule::NotAuthorised, "for nobody");
    assert_eq!(effect_rule(&world, effect(Action::Revoke, Basis::Issuer), &[]), Rule::NotAuthorised, "not the issuer");
    admit_block(&world.ledger, &world.facts(&[], &[custodial(Action::Revoke)]))
        .expect("the custodian from this day on");
    let mut own = effect(Action::Revoke, Basis::Issuer);
    own.authority.as_mut().expect("an authority").institution = 1;
    assert_eq!(
        effect_rule(&holding(1, Marks::default()), own, &[]),
        Rule::NotAuthorised,
        "nobody is his own custodian"
    );
}

/// A custodian's amendment is the closed institution's: by its alias, under its accreditation, among its records.
#[test]
fn a_custodians_amendment_stands_at_the_closed_institution() {
    let mut world = kept(None);
    let amended = |alias: Alias| {
        let credit = pb::Credit { learner: alias.0.to_vec(), amends: amends(PLACE), ..credit() };
        [record(Kind::Credit, &credit, 2)]
    };
    let group = [custodial(Action::Supersede)];
    let admit = |world: &World, records: &[Record]| admit_block(&world.ledger, &world.facts(records, &group));
    assert_eq!(rule(admit(&world, &amended(OTHER_ALIAS))), Rule::NotAccredited, "the closed one never was");
    world.set(Kind::Accreditation, &pb::Accreditation { institution: 2, ..accreditation() });
    assert_eq!(rule(admit(&world, &amended(ALIAS))), Rule::UnknownAlias, "the custodian's own alias");
    let admitted = admit(&world, &amended(OTHER_ALIAS)).expect("an amendment");
    let first = admitted[0].as_ref().expect("a record of a learner");
    assert_eq!((first.institution, first.amends), (InstitutionId(2), Some(PLACE)));
    // A record of the custodian's own for the same learner and course is another matter.
    let both = [amended(OTHER_ALIAS).as_slice(), &of(&credit())].concat();
    let admitted = admit(&world, &both).expect("an amendment and a record of its own");
    assert_eq!(admitted.iter().flatten().map(|one| one.institution.0).collect::<Vec<_>>(), [2, 1]);
}

/// What a compromised key sealed can be confirmed, once, by a key above suspicion; nothing else can.
#[test]
fn contested_records_are_confirmed() {
    let confirm = || effect(Action::Confirm, Basis::Issuer);
    let mut world = holding(1, Marks::default());
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::NotContested, "nobody knows who sealed it");
    let (stolen, second) = (SigningKey::from_bytes(&[21; 32]), SigningKey::from_bytes(&[22; 32]));
    let id = |key: &SigningKey| creditbank_protocol::key::KeyId::of(&key.verifying_key().to_bytes());
    let revoked =
        |since| pb::KeyRevocation { reason: RevocationReason::Compromised.into(), compromised_since_minute: since };
    let minute = NOW_MS / 60_000 - 100;
    for key_of in [&stolen, &second] {
        world.set(Kind::Key, &key(1, 1, key_of, &[Kind::Credit]));
    }
    let sealing = |signer, minute| Sealing { key_id: id(signer), approvers: Vec::new(), sealed_at_ms: minute * 60_000 };
    world.ledger.sealings.insert(PLACE.entry, sealing(&stolen, minute));
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::NotContested, "the key is good");
    let compromised = |key_of, since| pb::Key { revoked: Some(revoked(since)), ..key(1, 1, key_of, &[Kind::Credit]) };
    world.set(Kind::Key, &compromised(&stolen, minute + 1));
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::NotContested, "sealed a minute before");
    world.set(Kind::Key, &compromised(&stolen, minute));
    admit_block(&world.ledger, &world.facts(&[], &[confirm()])).expect("contested");
    let by = BlockFacts { key_id: id(&stolen), ..world.facts(&[], &[]) };
    let groups = [confirm()];
    assert_eq!(rule(admit_block(&world.ledger, &BlockFacts { groups: &groups, ..by })), Rule::KeyRevoked);
    // Confirmed: no longer contested, until the key that confirmed it is known to have been stolen too.
    let marks = Marks::default().after(Action::Confirm, 9, Named::default()).expect("a first mark");
    world.hold(PLACE, &of(&credit())[0], 1, "AAA", marks);
    world.ledger.sealings.insert(LogIndex(9), sealing(&second, minute + 10));
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::NotContested, "confirmed");
    world.set(Kind::Key, &compromised(&second, minute + 10));
    admit_block(&world.ledger, &world.facts(&[], &[confirm()])).expect("confirmed by a thief");
    let marks = marks.after(Action::Revoke, 10, Named::default()).expect("revoked");
    world.hold(PLACE, &of(&credit())[0], 1, "AAA", marks);
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::StatusForbids);
}

/// Goal: what a stolen approver's key has approved is confirmed like what a stolen unit's key has signed; a
/// confirmation that a stolen key has approved settles nothing.
#[test]
fn what_a_stolen_approver_approved_is_confirmed() {
    let confirm = || effect(Action::Confirm, Basis::Issuer);
    let mut world = holding(1, Marks::default());
    let keys = [31, 32, 33].map(|seed| SigningKey::from_bytes(&[seed; 32]));
    let [signer, stolen, good] = &keys;
    let id = |key: &SigningKey| creditbank_protocol::key::KeyId::of(&key.verifying_key().to_bytes());
    let approver = |key_of: &SigningKey, since: Option<u64>| {
        let reason = RevocationReason::Compromised.into();
        let revoked = since.map(|since| pb::KeyRevocation { reason, compromised_since_minute: since });
        pb::Key { revoked, ..key_for(pb::Purpose::Approver, 1, 1, key_of, &[]) }
    };
    let minute = NOW_MS / 60_000 - 100;
    let sealed = |approvers: &[&SigningKey], minute| Sealing {
        key_id: id(signer),
        approvers: approvers.iter().map(|key| id(key)).collect(),
        sealed_at_ms: minute * 60_000,
    };
    world.set(Kind::Key, &key(1, 1, signer, &[Kind::Credit]));
    world.set(Kind::Key, &approver(good, None));
    world.ledger.sealings.insert(PLACE.entry, sealed(&[good, stolen], minute));
    world.set(Kind::Key, &approver(stolen, Some(minute + 1)));
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::NotContested, "approved a minute before");
    world.set(Kind::Key, &approver(stolen, Some(minute)));
    admit_block(&world.ledger, &world.facts(&[], &[confirm()])).expect("one of two approvals is a thief's");
    let marks = Marks::default().after(Action::Confirm, 9, Named::default()).expect("a first mark");
    world.hold(PLACE, &of(&credit())[0], 1, "AAA", marks);
    world.ledger.sealings.insert(LogIndex(9), sealed(&[good], minute + 10));
    assert_eq!(effect_rule(&world, confirm(), &[]), Rule::NotContested, "confirmed");
    world.ledger.sealings.insert(LogIndex(9), sealed(&[stolen], minute + 10));
    admit_block(&world.ledger, &world.facts(&[], &[confirm()])).expect("a thief has approved the confirmation");
}

/// The operator acts with a case reference, and supersedes nothing.
#[test]
fn the_operator_needs_a_case() {
    let world = holding(1, Marks::default());
    let admit = |action, case: &str| {
        let mut group = effect(action, Basis::Operator);
        group.authority.as_mut().expect("an authority").case_reference = case.to_owned();
        let groups = [group];
        let block = BlockFacts { unit: UnitId::OPERATOR, ..world.facts(&[], &groups) };
        creditbank_rules::admission::admit_operator_effects(&world.ledger, &block)
    };
    assert_eq!(rule(admit(Action::Revoke, "")), Rule::NotAuthorised);
    assert_eq!(rule(admit(Action::Supersede, "case-1")), Rule::NotAuthorised);
    admit(Action::Revoke, "case-1").expect("a revocation with a case");
}

/// An approval that holds for a week.
fn approved_by(key: creditbank_protocol::key::KeyId) -> Approved {
    Approved { key, until_minute: NOW_MS / 60_000 + 7 * 1_440, digest: Digest([3; 32]) }
}

#[test]
fn a_unit_may_require_approval() {
    let mut world = World::new();
    world.set(Kind::Unit, &pb::Unit { requires_approval: true, ..unit(1) });
    assert_eq!(rule(world.admit(&of(&credit()))), Rule::ApprovalMissing);
    let approver = SigningKey::from_bytes(&[9; 32]);
    world.set(Kind::Key, &key_for(pb::Purpose::Approver, 1, 1, &approver, &[]));
    let records = of(&credit());
    assert_eq!(check_records(&world.ledger, &world.facts(&records, &[])).expect("a check needs no approval"), []);
    let id = creditbank_protocol::key::KeyId::of(&approver.verifying_key().to_bytes());
    let block = BlockFacts { approvals: &[approved_by(id)], ..world.facts(&records, &[]) };
    admit_block(&world.ledger, &block).expect("approved");
}

#[test]
fn effects() {
    let world = holding(1, Marks::default());
    assert_eq!(effect_rule(&world, effect(Action::Redeem, Basis::Issuer), &[]), Rule::NotAuthorised);
    assert_eq!(
        effect_rule(&world, effect(Action::Release, Basis::Issuer), &[]),
        Rule::NotAuthorised,
        "of no redemption"
    );
    assert_eq!(effect_rule(&world, effect(Action::Dispute, Basis::Issuer), &[]), Rule::ActionNotAdmitted);
    let mut unreasoned = effect(Action::Revoke, Basis::Issuer);
    unreasoned.effects[0].reason = 0;
    assert_eq!(effect_rule(&world, unreasoned, &[]), Rule::MissingField);
    let mut outcomes_only = holding(1, Marks::default());
    let entry = key(1, 1, &outcomes_only.key, &[Kind::Outcome]);
    outcomes_only.set(Kind::Key, &entry);
    assert_eq!(effect_rule(&outcomes_only, effect(Action::Revoke, Basis::Issuer), &[]), Rule::KindOutsideKey);
    assert_eq!(effect_rule(&world, effect(Action::Revoke, Basis::Operator), &[]), Rule::NotAuthorised);
    assert_eq!(effect_rule(&World::new(), effect(Action::Revoke, Basis::Issuer), &[]), Rule::UnknownTarget);
    let revoked = Marks::default().after(Action::Revoke, 8, Named::default()).expect("a first mark");
    let world = holding(1, revoked);
    assert_eq!(effect_rule(&world, effect(Action::Revoke, Basis::Issuer), &[]), Rule::StatusForbids);
}

#[test]
fn registry_records() {
    let odd_key = SigningKey::from_bytes(&[8; 32]);
    let mut no_possession = key(1, 1, &odd_key, &[Kind::Credit]);
    no_possession.possession = vec![1; 64];
    let cases = [
        (registry_rule(Kind::Unit, &unit(77)), Rule::UnknownReference),
        (
            registry_rule(Kind::Accreditation, &pb::Accreditation { body: String::new(), ..accreditation() }),
            Rule::MissingField,
        ),
        (
            registry_rule(Kind::Accreditation, &pb::Accreditation { until: Some(date(1960, 1, 0)), ..accreditation() }),
            Rule::InvalidDate,
        ),
        (
            registry_rule(Kind::Institution, &pb::Institution { country: "X".to_owned(), ..institution(3) }),
            Rule::InvalidCode,
        ),
        (registry_rule(Kind::Key, &no_possession), Rule::NoPossession),
        (registry_rule(Kind::Key, &key(1, 0, &odd_key, &[Kind::Credit])), Rule::UnknownReference),
        (registry_rule(Kind::Key, &key(1, 1, &odd_key, &[])), Rule::MissingField),
        (registry_rule(Kind::Key, &pb::Key { suite: 2, ..key(1, 1, &odd_key, &[Kind::Credit]) }), Rule::Contradiction),
        (registry_rule(Kind::Key, &key(2, 0, &World::new().key, &[Kind::Credit])), Rule::UnknownReference),
    ];
    cases.into_iter().for_each(|(found, expected)| assert_eq!(found, expected));
}

#[test]
fn a_revocation_is_permanent() {
    let mut world = World::new();
    let entry = key(1, 1, &world.key, &[Kind::Credit]);
    let with = |reason: RevocationReason, since| {
        let revoked = pb::KeyRevocation { reason: reason.into(), compromised_since_minute: since };
        pb::Key { revoked: Some(revoked), ..entry.clone() }
    };
    let revoked = |since| with(RevocationReason::Compromised, since);
    let undated = world.try_set(Kind::Key, &revoked(0)).expect_err("a compromise has a time").rule;
    assert_eq!(undated, Rule::Contradiction);
    let dated =
        world.try_set(Kind::Key, &with(RevocationReason::Ceased, 100)).expect_err("only a compromise has one").rule;
    assert_eq!(dated, Rule::Contradiction);
    world.set(Kind::Key, &revoked(100));
    let refused = |world: &mut World, entry: &pb::Key| world.try_set(Kind::Key, entry).expect_err("refused").rule;
    assert_eq!(refused(&mut world, &entry), Rule::Permanent);
    assert_eq!(refused(&mut world, &revoked(101)), Rule::Permanent);
    assert_eq!(refused(&mut world, &with(RevocationReason::Rotated, 0)), Rule::Permanent);
    world.set(Kind::Key, &revoked(99));
    world.set(Kind::Institution, &institution(2));
    world.set(Kind::Unit, &unit(2));
    assert_eq!(refused(&mut world, &pb::Key { institution: 2, ..revoked(99) }), Rule::Permanent);
}

#[test]
fn names_are_stable_and_distinct() {
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert!(rule.name().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{}", rule.name());
        assert!(rule.text().ends_with('.'), "{}", rule.text());
    }
}

#[test]
fn the_check_finds_every_bad_record() {
    let world = World::new();
    let bad = pb::Credit { learner: vec![8; 16], ..credit() };
    let records = [record(Kind::Credit, &bad, 1), record(Kind::Credit, &credit(), 1), record(Kind::Credit, &bad, 2)];
    let rejections = check_records(&world.ledger, &world.facts(&records, &[])).expect("a signer");
    let found: Vec<_> = rejections.iter().map(|rejection| (rejection.record, rejection.rule)).collect();
    assert_eq!(found, [(Some(0), Rule::UnknownAlias), (Some(2), Rule::UnknownAlias)]);
}

/// Goal: the protocol's list of rules is this crate's.
#[test]
fn the_protocol_names_every_rule() {
    let protocol = include_str!("../../../RULES.md");
    for rule in Rule::ALL {
        let row = format!("| `{}` | {} |", rule.name(), rule.text());
        assert!(protocol.contains(&row), "RULES.md, section 15 lacks: {row}");
    }
}

/// A learner's course is never so full that its rules no longer see everything.
#[test]
fn a_course_has_a_bound() {
    let mut world = World::new();
    for index in 0..=10_000 {
        world.hold(Place::new(5, index), &record(Kind::Result, &result(), 9), 1, "AAA", Marks::default());
    }
    assert_eq!(rule(world.admit(&of(&credit()))), Rule::TooManyRepeats);
}

#[test]
fn an_empty_block_is_refused() {
    let world = World::new();
    assert_eq!(rule(world.admit(&[])), Rule::MissingField);
}

#[test]
fn an_approval_is_by_an_approver() {
    let mut world = World::new();
    let approver = SigningKey::from_bytes(&[9; 32]);
    let id = creditbank_protocol::key::KeyId::of(&approver.verifying_key().to_bytes());
    let records = of(&credit());
    let approved = |world: &World, id| {
        let block = BlockFacts { approvals: &[approved_by(id)], ..world.facts(&records, &[]) };
        admit_block(&world.ledger, &block).map(|_| ())
    };
    assert_eq!(rule(approved(&world, id)), Rule::NotAnApprover, "unknown");
    assert_eq!(rule(approved(&world, world.key_id())), Rule::NotAnApprover, "the signing key is no approver");
    let entry = key_for(pb::Purpose::Approver, 1, 1, &approver, &[]);
    world.set(Kind::Key, &entry);
    approved(&world, id).expect("an approver of the unit");
    let reason = RevocationReason::Ceased.into();
    world.set(Kind::Key, &pb::Key { revoked: Some(pb::KeyRevocation { reason, ..Default::default() }), ..entry });
    assert_eq!(rule(approved(&world, id)), Rule::NotAnApprover, "revoked");
}

/// Goal: an approval holds through its last minute, which is at most 30 days after the block was made, and for one
/// block.
#[test]
fn an_approval_ends_and_is_used_once() {
    let mut world = World::new();
    let approver = SigningKey::from_bytes(&[9; 32]);
    let id = creditbank_protocol::key::KeyId::of(&approver.verifying_key().to_bytes());
    world.set(Kind::Key, &key_for(pb::Purpose::Approver, 1, 1, &approver, &[]));
    let (records, now) = (of(&credit()), NOW_MS / 60_000);
    let approved = |world: &World, until_minute| {
        let approvals = &[Approved { until_minute, ..approved_by(id) }];
        // Made an hour before its seal.
        let block = BlockFacts { approvals, created_at_minute: now - 60, ..world.facts(&records, &[]) };
        admit_block(&world.ledger, &block).map(|_| ())
    };
    for until in [now, now - 60 + 43_200] {
        approved(&world, until).expect("in time");
    }
    for until in [0, now - 1, now - 59 + 43_200] {
        assert_eq!(rule(approved(&world, until)), Rule::ApprovalExpired, "{until}");
    }
    world.once.use_up(Digest([4; 32]));
    approved(&world, now).expect("another one was used");
    world.once.use_up(Digest([3; 32]));
    assert_eq!(rule(approved(&world, now)), Rule::ApprovalUsed);
}

#[test]
fn auditors_and_guardians_are_the_operators() {
    let mut world = World::new();
    let own = SigningKey::from_bytes(&[8; 32]);
    for purpose in [pb::Purpose::AuditorAccess, pb::Purpose::GuardianAccess] {
        let refused = world.try_set(Kind::Key, &key_for(purpose, 1, 0, &own, &[])).expect_err("of an institution").rule;
        assert_eq!(refused, Rule::Contradiction);
    }
    world.set(Kind::Key, &key_for(pb::Purpose::AuditorAccess, 0, 0, &own, &[]));
}

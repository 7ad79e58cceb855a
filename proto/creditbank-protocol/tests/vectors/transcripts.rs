//! Transcripts of a log made by hand: what a verifier must find in each.

use std::collections::BTreeSet;
use std::path::Path;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::{commitment, sign, succession_message};
use creditbank_protocol::pb::{self, Action, Kind, Place, Purpose};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::{verify, write_file};
use creditbank_protocol::{InstitutionId, LogIndex, Standing, Trust};
use serde_json::{Value, json};

use super::blocks::ORIGIN;
use super::effects::{AWARDS, begun, then};
use super::log::{
    Bend, HONEST, LOG, Log, MINUTE, NEXT_LOG, NEXT_REGISTRY, NOW_MS, REGISTRY, STATEMENT, key_entry, policy, public,
    public_record, trust,
};
use super::{agree, hex, key};

pub(super) fn credit(seed: u8, code: &str, amends: Option<Place>) -> Record {
    let title = pb::Text { language: "en".to_owned(), value: format!("Course {code}") };
    let date = |month| Some(pb::Date { year: 2024, month, day: 0 });
    let amends = amends.map(|place| pb::Amends { place: Some(place), reason: pb::AmendReason::Error.into() });
    let credit = pb::Credit {
        learner: vec![7; 16],
        course: Some(pb::Course { code: code.to_owned(), titles: vec![title] }),
        amount: Some(pb::Amount { e4: 75_000, unit: "ECTS".to_owned() }),
        grade: Some(pb::Grade { scale: "FR-20".to_owned(), value: "14.5".to_owned() }),
        period: Some(pb::Period { from: date(2), until: date(6) }),
        amends,
        ..Default::default()
    };
    Record::of(Kind::Credit, &[seed; 32], encode(&credit).expect("canonical")).expect("a record")
}

pub(super) fn result(seed: u8) -> Record {
    let course = pb::Course { code: "GEO-1".to_owned(), titles: Vec::new() };
    let body = pb::Result { learner: vec![7; 16], course: Some(course), status: 2, ..Default::default() };
    Record::of(Kind::Result, &[seed; 32], encode(&body).expect("canonical")).expect("a record")
}

fn identity(seed: u8) -> Record {
    let name = pb::PersonName { language: "fr".to_owned(), full: "Zo\u{eb} Martin".to_owned(), ..Default::default() };
    let birth_date = Some(pb::Date { year: 2001, month: 2, day: 3 });
    let names = vec![name];
    let body = pb::Identity { learner: vec![7; 16], names, birth_date, document: 2, assurance: 3, amends: None };
    Record::of(Kind::Identity, &[seed; 32], encode(&body).expect("canonical")).expect("a record")
}

/// One institution, whose key counts as compromised since `since`, and one record of each of three rounds.
fn compromised(since: u64) -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.issue(1, &[credit(2, "ALG-2", None)], Vec::new());
    log.seal();
    let revoked = pb::KeyRevocation { reason: 2, compromised_since_minute: since };
    let key = pb::Key { revoked: Some(revoked), ..Log::unit_entry(1) };
    log.operator(&[public_record(Kind::Key, encode(&key).expect("canonical"))]);
    log.seal();
    log.seal();
    log
}

fn body<M: creditbank_protocol::canonical::Canonical>(message: &M) -> Vec<u8> {
    encode(message).expect("canonical")
}

/// A record by a key that was stolen before, confirmed by the operator or under a second key of the unit.
fn confirmed(by_operator: bool) -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let revoked = Some(pb::KeyRevocation { reason: 2, compromised_since_minute: 1 });
    let stolen = pb::Key { revoked, ..Log::unit_entry(1) };
    let second = pb::Key { public_key: public(SECOND).to_vec(), ..Log::unit_entry(1) };
    let registry = key_entry(REGISTRY, Purpose::Registry, 0, 0);
    log.operator(&[stolen, second, registry].map(|key| public_record(Kind::Key, body(&key))));
    log.seal();
    let group = log.effect(3, 0, Action::Confirm);
    if by_operator {
        log.by_case(group);
    } else {
        log.signer = Some(SECOND);
        log.issue(1, &[], vec![group]);
    }
    log.seal();
    log
}

/// A record by a key that was stolen before, taken back by the operator.
fn disowned() -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let revoked = Some(pb::KeyRevocation { reason: 2, compromised_since_minute: 1 });
    let registry = key_entry(REGISTRY, Purpose::Registry, 0, 0);
    let keys = [pb::Key { revoked, ..Log::unit_entry(1) }, registry];
    log.operator(&keys.map(|key| public_record(Kind::Key, body(&key))));
    log.seal();
    let group = log.effect(3, 0, Action::Revoke);
    log.by_case(group);
    log.seal();
    log
}

/// Three records of one block: the time of the first ends the day before the first seal's, that of the second with the
/// day, that of the third with the month. `rounds` close after the block; the second one on the next day.
fn expiring(rounds: usize) -> Log {
    let until = |day| Some(pb::Date { year: 2025, month: 2, day });
    let record = |(seed, day): (u8, u32)| {
        let credit = pb::Credit { expires: until(day), ..credit(seed, "ALG-1", None).read().expect("a credit") };
        Record::of(Kind::Credit, &[seed; 32], body(&credit)).expect("a record")
    };
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[(1, 18), (2, 19), (3, 0)].map(record), Vec::new());
    (0..rounds).for_each(|_| log.seal());
    log
}

/// Three records that may be shown from different days on.
fn embargoed() -> Log {
    let from = |(month, day)| Some(pb::Date { year: 2025, month, day });
    let record = |(seed, day): (u8, (u32, u32))| {
        let credit = pb::Credit { visible_from: from(day), ..credit(seed, "ALG-1", None).read().expect("a credit") };
        Record::of(Kind::Credit, &[seed; 32], body(&credit)).expect("a record")
    };
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[(1, (2, 0)), (2, (2, 20)), (3, (2, 21))].map(record), Vec::new());
    log.seal();
    log
}

/// Institution 1 is closed. 3 keeps its records from the month of the checkpoint on, 2 until its day.
fn kept() -> Log {
    let mut log = Log::admitting(HONEST, &[1, 2, 3]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    let until = pb::Relation { until: Some(pb::Date { year: 2025, month: 2, day: 19 }), ..custody() };
    let from = pb::Relation { from: Some(pb::Date { year: 2025, month: 2, day: 0 }), ..custody() };
    closing(&mut log, true, &[(2, until), (3, from)]);
    log
}

/// That an institution is the custodian of institution 1.
pub(super) fn custody() -> pb::Relation {
    pb::Relation { r#type: pb::RelationType::CustodianOf.into(), institution: 1, ..Default::default() }
}

/// Closes the round and, where `close` says so, institution 1; and gives others relations, whose entries go into a
/// transcript of the next round.
pub(super) fn closing(log: &mut Log, close: bool, keepers: &[(u64, pb::Relation)]) {
    let state = if close { pb::RegistryState::Closed } else { pb::RegistryState::Active };
    let closed = pb::Institution { number: 1, state: state.into(), ..Default::default() };
    let keepers = keepers.iter().map(|(number, relation)| pb::Institution {
        number: *number,
        state: pb::RegistryState::Active.into(),
        relations: vec![*relation],
        ..Default::default()
    });
    let entries: Vec<pb::Institution> = std::iter::once(closed).chain(keepers).collect();
    let records: Vec<Record> = entries.iter().map(|entry| public_record(Kind::Institution, body(entry))).collect();
    log.operator(&records);
    log.seal();
    log.seal();
    log.also = entries.iter().map(|entry| RegistryKey::Institution(entry.number.into())).collect();
}

/// Institution 1 is closed and institution 2 keeps its records: revokes or amends one.
fn custodian(amends: bool) -> Log {
    let mut log = Log::admitting(HONEST, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let closed = pb::Institution { number: 1, state: pb::RegistryState::Closed.into(), ..Default::default() };
    let keeps = pb::Institution { number: 2, state: 1, relations: vec![custody()], ..Default::default() };
    log.operator(&[closed, keeps].map(|entry| public_record(Kind::Institution, body(&entry))));
    log.seal();
    let action = if amends { Action::Supersede } else { Action::Revoke };
    let mut group = log.effect(3, 0, action);
    let basis = pb::Basis::Custodian.into();
    group.authority = Some(pb::Authority { basis, institution: 1, ..Default::default() });
    let records = if amends { vec![credit(2, "ALG-1", Some(Place { entry: 3, index: 0 }))] } else { Vec::new() };
    log.issue(2, &records, vec![group]);
    log.seal();
    if !amends {
        // The custodian is named beside the record.
        log.also = vec![RegistryKey::Institution(InstitutionId(2))];
    }
    log
}

/// Seed of a second key of institution 1.
const SECOND: u8 = 30;
/// Seed of an approver's key of institution 1.
pub(super) const APPROVER: u8 = 32;

/// Every unit asks for the approval of a second person.
pub(super) const APPROVED: Bend = Bend { unit: |unit| unit.requires_approval = true, ..HONEST };

/// A record of a unit that asks for an approval, in entry 6; the approver's key as it is bent.
pub(super) fn approved(log_bend: Bend, bend: fn(&mut pb::Key)) -> Log {
    let mut log = Log::admitting(log_bend, &[1]);
    let mut approver = key_entry(APPROVER, Purpose::Approver, 1, 1);
    bend(&mut approver);
    log.operator(&[public_record(Kind::Key, body(&approver))]);
    log.seal();
    log.approver = Some(APPROVER);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log
}

/// The key of an approver, as it is once it counts as stolen from a minute on.
fn stolen_approver(institution: u64, unit: u32, since: u64) -> Record {
    let revoked =
        pb::KeyRevocation { reason: pb::RevocationReason::Compromised.into(), compromised_since_minute: since };
    let key = key_entry(APPROVER, Purpose::Approver, institution, unit);
    public_record(Kind::Key, body(&pb::Key { revoked: Some(revoked), ..key }))
}

/// A record in entry 6, approved by a key that counts as stolen from a minute on.
pub(super) fn approver_stolen(since: u64) -> Log {
    let mut log = approved(APPROVED, |_| ());
    log.operator(&[stolen_approver(1, 1, since)]);
    log.seal();
    log.seal();
    log
}

/// Seed of a second approver's key of institution 1.
pub(super) const SECOND_APPROVER: u8 = 36;

/// A record in entry 6, and an effect on it in entry 8, each with the approval of a key. Then the first of the two keys
/// counts as stolen from the beginning.
pub(super) fn approved_effect([of_record, of_effect]: [u8; 2], action: Action) -> Log {
    let mut log = Log::admitting(APPROVED, &[1]);
    let approvers = [APPROVER, SECOND_APPROVER].map(|seed| key_entry(seed, Purpose::Approver, 1, 1));
    log.operator(&approvers.map(|key| public_record(Kind::Key, body(&key))));
    log.seal();
    log.approver = Some(of_record);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.approver = Some(of_effect);
    let group = log.effect(6, 0, action);
    log.issue(1, &[], vec![group]);
    log.seal();
    log.operator(&[stolen_approver(1, 1, 1)]);
    log.seal();
    log.seal();
    log
}

/// A record by a key that was stolen before, confirmed by the operator with an approval, by a key that counts as stolen
/// from a minute on.
fn confirmed_by_operator(since: u64) -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let revoked = Some(pb::KeyRevocation { reason: 2, compromised_since_minute: 1 });
    let stolen = pb::Key { revoked, ..Log::unit_entry(1) };
    let registry = key_entry(REGISTRY, Purpose::Registry, 0, 0);
    let approver = key_entry(APPROVER, Purpose::Approver, 0, 0);
    log.operator(&[stolen, registry, approver].map(|key| public_record(Kind::Key, body(&key))));
    log.seal();
    let group = log.effect(3, 0, Action::Confirm);
    log.operators_approver = Some(APPROVER);
    log.by_case(group);
    log.operators_approver = None;
    log.seal();
    log.operator(&[stolen_approver(0, 0, since)]);
    log.seal();
    log.seal();
    log
}

/// A credit of June 2024 at level 6, in entry 6, and accreditations of its institution.
fn accredited(entries: &[pb::Accreditation]) -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    let record = |entry: &pb::Accreditation| public_record(Kind::Accreditation, body(entry));
    log.operator(&entries.iter().map(record).collect::<Vec<_>>());
    log.seal();
    let level = Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() });
    let of_level = pb::Credit { level, ..credit(1, "ALG-1", None).read().expect("a credit") };
    log.issue(1, &[Record::of(Kind::Credit, &[1; 32], body(&of_level)).expect("a record"), result(2)], Vec::new());
    log.seal();
    log.accreditations = entries.iter().map(|entry| (1, entry.number)).collect();
    log
}

/// An accreditation from a year on.
fn from_year(number: u32, year: u32) -> pb::Accreditation {
    let from = Some(pb::Date { year, month: 1, day: 1 });
    pb::Accreditation { institution: 1, number, from, ..Default::default() }
}

#[allow(clippy::too_many_lines)] // A list of cases.
fn scenes() -> Vec<(&'static str, &'static str, pb::Transcript)> {
    let mut plain = Log::admitting(HONEST, &[1]);
    plain.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    plain.seal();
    let mut two = Log::admitting(HONEST, &[1, 2]);
    two.issue(1, &[credit(1, "ALG-1", None), result(2), identity(3)], Vec::new());
    two.issue(2, &[credit(4, "ALG-1", None)], Vec::new());
    two.seal();
    two.issue(1, &[credit(5, "ALG-2", None)], Vec::new());
    two.seal();
    let all = [(3, 0, None), (3, 1, None), (3, 2, None), (4, 0, None), (6, 0, None)];
    let complete = Log::admitting(
        Bend {
            statement: |statement| {
                (statement.selection, statement.institution) = (pb::Selection::Complete.into(), 1);
                (statement.no_holder_key, statement.holder_key) = (None, vec![8; 32]);
                (statement.no_identity, statement.identity) = (None, Some(Place { entry: 3, index: 1 }));
            },
            ..HONEST
        },
        &[1],
    );
    let complete = {
        let mut log = complete;
        log.issue(1, &[credit(1, "ALG-1", None), identity(3)], Vec::new());
        log.seal();
        log
    };
    let mut revoked = Log::admitting(HONEST, &[1]);
    revoked.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    revoked.seal();
    let effect = revoked.effect(3, 0, Action::Revoke);
    revoked.issue(1, &[result(2)], vec![effect]);
    revoked.seal();
    // Its effect is in the second piece of seven effects.
    let mut among_many = Log::admitting(HONEST, &[1]);
    among_many.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    among_many.seal();
    let mut effects = among_many.effect(3, 0, Action::Revoke);
    let other = |number: u8| pb::Effect { status_id: vec![number; 32], ..effects.effects[0].clone() };
    let others: Vec<_> = [0, 1, 2, 3, 0xfe, 0xff].map(other).to_vec();
    effects.effects.extend(others);
    effects.effects.sort_by_cached_key(prost::Message::encode_to_vec);
    among_many.issue(1, &[], vec![effects]);
    among_many.seal();
    let mut superseded = Log::admitting(HONEST, &[1]);
    superseded.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    superseded.seal();
    let effect = superseded.effect(3, 0, Action::Supersede);
    superseded.issue(1, &[credit(2, "ALG-1", Some(Place { entry: 3, index: 0 }))], vec![effect]);
    superseded.seal();
    let (first, both) = ([(3, 0, None)], [(3, 0, None), (5, 0, None)]);
    let three = [0, 1, 2].map(|index| (3, index, None));
    let (custodian, amendment) = (custodian(false), custodian(true));
    let hidden = plain.id(3, 0);
    let mut later = Log::admitting(HONEST, &[1]);
    later.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    (0..3).for_each(|_| later.seal());
    vec![
        ("whole", "one record, whole", plain.transcript(&[(3, 0, None)], &[])),
        (
            "partly",
            "the required fields and the grade, the others hidden",
            plain.transcript(&[(3, 0, Some(&[2, 3, 6, 7, 11, 14, 16, 17, 18, 20, 21]))], &[]),
        ),
        (
            "incomplete",
            "whether it expires is hidden",
            plain.transcript(&[(3, 0, Some(&[2, 3, 7, 11, 14, 16, 18, 20, 21]))], &[]),
        ),
        ("hidden", "nothing is opened: authentic, and never valid", plain.transcript(&[(3, 0, Some(&[]))], &[])),
        ("no-records", "the statement alone, of one record that is withheld", plain.transcript(&[], &[hidden])),
        ("two-institutions", "five records of two institutions and two rounds", two.transcript(&all, &[])),
        ("withheld", "two of five records", two.transcript(&all[2..4], &[two.id(3, 0), two.id(3, 1), two.id(6, 0)])),
        (
            "complete",
            "complete for an institution, with a holder key and the place of the Identity",
            complete.transcript(&[(3, 0, None), (3, 1, None)], &[]),
        ),
        (
            "later-checkpoint",
            "empty rounds between the record and the checkpoint",
            later.transcript(&[(3, 0, None)], &[]),
        ),
        ("revoked", "the second block takes the first record back", revoked.transcript(&both, &[])),
        (
            "revoked-among-many",
            "a block with seven effects of one authority takes the record back: of its two pieces the second is shown",
            among_many.transcript(&[(3, 0, None)], &[]),
        ),
        (
            "refreshed",
            "the statement is of the time before a record was taken back, the status of a later one",
            revoked.transcript_as_of(5, &first, &[]),
        ),
        ("superseded", "the second record amends the first", superseded.transcript(&both, &[])),
        (
            "confirmed",
            "contested, and confirmed under another key of the unit",
            confirmed(false).transcript(&[(3, 0, None)], &[]),
        ),
        (
            "confirmed-by-operator",
            "contested, and confirmed by the operator",
            confirmed(true).transcript(&[(3, 0, None)], &[]),
        ),
        (
            "revoked-by-custodian",
            "an institution is closed, and its custodian takes a record back",
            custodian.transcript(&[(3, 0, None)], &[]),
        ),
        (
            "amended-by-custodian",
            "an institution is closed, and its custodian amends a record",
            amendment.transcript(&[(3, 0, None), (8, 0, None)], &[]),
        ),
        (
            "contested",
            "the key counts as compromised since the second record's seal",
            compromised(MINUTE + 120).transcript(&both, &[]),
        ),
        ("contested-all", "the key counts as compromised from the first", compromised(1).transcript(&both, &[])),
        (
            "contested-none",
            "the key counts as compromised since the minute after",
            compromised(MINUTE + 121).transcript(&both, &[]),
        ),
        (
            "contested-hidden",
            "contested, and nothing is opened",
            compromised(1).transcript(&[(3, 0, Some(&[])), (5, 0, None)], &[]),
        ),
        (
            "revoked-contested-hidden",
            "contested, taken back, and nothing is opened",
            disowned().transcript(&[(3, 0, Some(&[]))], &[]),
        ),
        (
            "expired",
            "until the day before, the day, and the month of the checkpoint",
            expiring(1).transcript(&three, &[]),
        ),
        ("expired-later", "the same a day later", expiring(3).transcript(&three, &[])),
        (
            "embargoed",
            "visible from the month of the verifier's time, its day, and the day after on",
            embargoed().transcript(&three, &[]),
        ),
        (
            "kept",
            "an institution is closed; of two custodians the one with the lower number is named",
            kept().transcript(&[(3, 0, None)], &[]),
        ),
        (
            "another-registry-key",
            "the keys were published under the registry key that has followed, as planned",
            rotated(REGISTRY, NEXT_REGISTRY, |_| ()).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "registry-key-stolen",
            "the registry key that has followed signed its succession itself",
            rotated(NEXT_REGISTRY, NEXT_REGISTRY, |_| ()).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "log-key-followed",
            "another log key has taken over at the round of the record; both have signed the checkpoint",
            sealed_anew(HONEST, &[LOG, NEXT_LOG], 6).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "log-key-gone",
            "the same, and the first log key is destroyed: the new one alone has signed the checkpoint",
            sealed_anew(HONEST, &[NEXT_LOG], 6).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "log-key-of-its-own-round",
            "the new log key seals the round that admits it",
            sealed_anew(HONEST, &[NEXT_LOG], 4).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "log-key-to-come",
            "a log key is admitted and signs no seal yet",
            sealed_anew(HONEST, &[LOG, NEXT_LOG], 100).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "log-key-replaced",
            "a log key was lost before it had begun, and another one has taken its place",
            replaced().transcript(&[(9, 0, None)], &[]),
        ),
        (
            "log-and-registry-key-followed",
            "the registry key that has followed names the log key",
            both_followed().transcript(&[(6, 0, None)], &[]),
        ),
        (
            "approved",
            "a second person has approved the block, as the unit asks for",
            approved(APPROVED, |_| ()).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "approver-stolen",
            "the approver's key counts as stolen since the record's seal",
            approver_stolen(MINUTE + 120).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "approver-stolen-later",
            "the approver's key counts as stolen since the minute after",
            approver_stolen(MINUTE + 121).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "approver-stolen-confirmed",
            "a stolen key has approved it, and it was confirmed with the approval of a good one",
            approved_effect([APPROVER, SECOND_APPROVER], Action::Confirm).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "approver-stolen-confirmed-with-stolen",
            "a stolen key has approved both it and its confirmation",
            approved_effect([APPROVER, APPROVER], Action::Confirm).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "revoked-with-stolen-approval",
            "good keys have sealed and approved it, and it was revoked with the approval of a stolen one",
            approved_effect([SECOND_APPROVER, APPROVER], Action::Revoke).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "revoked-with-good-approval",
            "a stolen key has approved it, and it was revoked with the approval of a good one",
            approved_effect([APPROVER, SECOND_APPROVER], Action::Revoke).transcript(&[(6, 0, None)], &[]),
        ),
        (
            "confirmed-by-operator-with-stolen-approval",
            "an approver of the operator's confirmation was stolen",
            confirmed_by_operator(1).transcript(&[(3, 0, None)], &[]),
        ),
        (
            "confirmed-by-operator-with-approval",
            "the same, and the approver was stolen the minute after",
            confirmed_by_operator(MINUTE + 181).transcript(&[(3, 0, None)], &[]),
        ),
        (
            "accredited",
            "of three accreditations one covers the credit: another begins later, the third is of another course; the Result needs \
             none",
            accredited(&[
                from_year(1, 2025),
                from_year(2, 2020),
                pb::Accreditation { programmes: vec!["GEO".to_owned()], ..from_year(3, 2020) },
            ])
            .transcript(&[(6, 0, None), (6, 1, None)], &[]),
        ),
        (
            "accredited-hidden",
            "the level is hidden, for which it is accredited",
            accredited(&[pb::Accreditation {
                levels: vec![pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }],
                ..from_year(1, 2020)
            }])
            .transcript(&[(6, 0, Some(&[2, 3, 7, 11, 14, 16, 17, 18, 20, 21]))], &[]),
        ),
        (
            "corrected",
            "the second round was sealed under a clock that was 20 hours ahead, and the third record behind the correction",
            corrected(|_| ()).transcript(&CORRECTED, &[]),
        ),
        (
            "corrected-statement",
            "the statement is as of a seal whose time was corrected since: it says nothing of what came after the bound",
            corrected(|_| ()).transcript_as_of(7, &CORRECTED[..2], &[]),
        ),
        (
            "statement-key-rotated",
            "the statement key was rotated after the statement, and the status is of a later time",
            statement_key_ended(pb::RevocationReason::Rotated, 0, 0).transcript_as_of(5, &first, &[]),
        ),
        (
            "statement-key-over",
            "the statement key was in force until after the statement, and no longer at the last seal",
            statement_key_ended(pb::RevocationReason::Unspecified, 0, MINUTE + 61).transcript_as_of(5, &first, &[]),
        ),
        (
            "statement-key-followed",
            "the statement is by the key that has followed the first one",
            statement_key_followed().transcript(&first, &[]),
        ),
        ("redeemed", "another institution has used it", used(Action::Redeem).transcript(&first, &[])),
        ("under-review", "something that it stands on has changed", used(Action::Review).transcript(&first, &[])),
        (
            "redeemed-under-review",
            "used, and put under review afterwards",
            then(used(Action::Redeem), 2, Action::Review, pb::Basis::Dependency, 0).transcript(&first, &[]),
        ),
    ]
}

/// Seed of a second statement key.
const SECOND_STATEMENT: u8 = 42;

/// A record in entry 3, of the round that the seal at 4 closes; then the statement key ends, by revocation or by date.
pub(super) fn statement_key_ended(reason: pb::RevocationReason, since: u64, until_minute: u64) -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let is_revoked = reason != pb::RevocationReason::Unspecified;
    let revoked = is_revoked.then(|| pb::KeyRevocation { reason: reason.into(), compromised_since_minute: since });
    let entry = pb::Key { revoked, until_minute, ..key_entry(STATEMENT, Purpose::Statement, 0, 0) };
    log.operator(&[public_record(Kind::Key, body(&entry))]);
    log.seal();
    log.seal();
    log
}

/// The same record, and another statement key that has followed the first one, which was rotated; the new one signs the
/// statements.
pub(super) fn statement_key_followed() -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let revoked = Some(pb::KeyRevocation { reason: pb::RevocationReason::Rotated.into(), ..Default::default() });
    let gone = pb::Key { revoked, ..key_entry(STATEMENT, Purpose::Statement, 0, 0) };
    let come = key_entry(SECOND_STATEMENT, Purpose::Statement, 0, 0);
    log.operator(&[come, gone].map(|key| public_record(Kind::Key, body(&key))));
    log.seal();
    log.seal();
    log.stater = SECOND_STATEMENT;
    log
}

/// Seed of the registry key after the next.
const THIRD_REGISTRY: u8 = 32;

/// The succession of the first registry key by the next one, bent before the new key signs it.
pub(super) fn succession(bend: fn(&mut pb::RegistrySuccession)) -> pb::RegistrySuccession {
    let mut said = pb::RegistrySuccession {
        public_key: public(NEXT_REGISTRY).to_vec(),
        next_registry_key: commitment(&public(THIRD_REGISTRY)).0.to_vec(),
        case_reference: "2026/1".to_owned(),
        ..Default::default()
    };
    let message = succession_message(ORIGIN, &public(REGISTRY), &said);
    said.signature = sign(&key(NEXT_REGISTRY), message.as_bytes()).to_vec();
    bend(&mut said);
    said
}

/// The registry key is followed by the next one, in a block that `signer` signs; then `registrar` publishes the keys of
/// an institution: the record is in entry 6.
pub(super) fn rotated(signer: u8, registrar: u8, bend: fn(&mut pb::RegistrySuccession)) -> Log {
    let mut log = Log::new(HONEST);
    log.registrar = signer;
    let reason = pb::RevocationReason::Rotated.into();
    let revoked = Some(pb::KeyRevocation { reason, ..Default::default() });
    let gone = pb::Key { revoked, ..key_entry(REGISTRY, Purpose::Registry, 0, 0) };
    log.operator(&[
        public_record(Kind::RegistrySuccession, body(&succession(bend))),
        public_record(Kind::Key, body(&key_entry(NEXT_REGISTRY, Purpose::Registry, 0, 0))),
        public_record(Kind::Key, body(&gone)),
    ]);
    log.seal();
    log.registrar = registrar;
    log.admit(&[1]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log
}

/// A record before the time was wrong, one while it was, and one since.
pub(super) const CORRECTED: [(u64, u32, Option<&[u16]>); 3] = [(3, 0, None), (5, 0, None), (10, 0, None)];

/// A log whose seal at 6 is 20 hours ahead, and the one at 9, of the round that corrects the time.
pub(super) fn corrected(bend: fn(&mut pb::TimeCorrection)) -> Log {
    const AHEAD: u64 = 20 * 60;
    let seal: fn(usize, &mut creditbank_protocol::seal::Seal) = |number, seal| match number {
        2 => seal.time_ms += AHEAD * 60_000,
        3 => seal.time_ms = (MINUTE + 2 * 60 + AHEAD) * 60_000,
        _ => {}
    };
    let mut log = Log::admitting(Bend { seal, ..HONEST }, &[1]);
    for (number, course) in [(1, "ALG-1"), (2, "ALG-2")] {
        log.issue(1, &[credit(number, course, None)], Vec::new());
        log.seal();
    }
    let mut said = pb::TimeCorrection { first: 6, last: 6, bound_ms: (MINUTE + 2 * 60 + 10) * 60_000 };
    bend(&mut said);
    log.also.push(RegistryKey::TimeCorrection(LogIndex(said.first)));
    log.operator(&[public_record(Kind::TimeCorrection, body(&said))]);
    log.seal();
    log.issue(1, &[credit(3, "ALG-3", None)], Vec::new());
    log.seal();
    log.seal();
    log
}

/// A log key that seals from a log index on, named in entry 3; the record is in entry 6.
pub(super) fn sealed_anew(bend: Bend, note_signers: &[u8], from_index: u64) -> Log {
    let mut log = Log::admitting(bend, &[1]);
    log.note_signers = note_signers.to_vec();
    log.rotate(NEXT_LOG, from_index);
    log.seal();
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log
}

/// A log key that was lost before its index, 100, and one that begins at 8 in its place; the record is in entry 9.
fn replaced() -> Log {
    let mut log = Log::admitting(HONEST, &[1]);
    log.rotate(43, 100);
    log.seal();
    log.sealers.clear();
    log.rotate(NEXT_LOG, 8);
    log.seal();
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    log.note_signers = vec![NEXT_LOG];
    log
}

/// The log key that follows is named by the registry key that has followed.
fn both_followed() -> Log {
    let mut log = rotated(REGISTRY, NEXT_REGISTRY, |_| ());
    log.rotate(NEXT_LOG, 10);
    log.seal();
    log.seal();
    log.note_signers = vec![NEXT_LOG];
    log
}

/// A record of institution 1 that institution 2 redeems or puts under review.
fn used(action: Action) -> Log {
    let basis = if action == Action::Redeem { pb::Basis::Mandate } else { pb::Basis::Dependency };
    then(begun(AWARDS), 2, action, basis, 0)
}

/// Some of the files, for whom only some institutions are trusted: what may then be said of the records, in order.
const NARROW: [(&str, &[u64], &[&str]); 5] = [
    ("two-institutions", &[1], &["authentic", "authentic", "authentic", "issuer not trusted", "authentic"]),
    ("contested", &[2], &["issuer not trusted", "contested"]),
    ("redeemed", &[2], &["issuer not trusted"]),
    ("expired", &[], &["issuer not trusted", "issuer not trusted", "issuer not trusted"]),
    // Who signed it is trusted, whose record it is does not matter.
    ("amended-by-custodian", &[2], &["superseded", "authentic"]),
];

/// Goal: whom a verifier trusts changes what may be said of a record, and nothing else; every standing that blocks can
/// make is among the vectors.
#[test]
fn standings() {
    let mut seen = BTreeSet::new();
    for (name, _, transcript) in scenes() {
        let file = write_file(&transcript).expect("a file");
        let standing = |trust: &Trust| -> Vec<&'static str> {
            let report = verify(&file, trust, NOW_MS).expect(name);
            report.records.iter().map(|record| record.standing().name()).collect()
        };
        seen.extend(standing(&trust()));
        for (_, trusted, expected) in NARROW.into_iter().filter(|(narrow, ..)| *narrow == name) {
            let institutions = Some(trusted.iter().copied().map(InstitutionId).collect());
            let found = standing(&Trust { institutions, ..trust() });
            assert_eq!(found, expected, "{name}, trusting {trusted:?}");
            seen.extend(found);
        }
    }
    let all = Standing::ORDER.into_iter().filter(|standing| *standing != Standing::Disputed);
    assert_eq!(seen, all.map(Standing::name).collect());
}

/// Goal: whoever reads a record that was sealed under a clock that was ahead learns by when it was sealed in truth.
#[test]
fn corrected_times_are_shown() {
    let file = write_file(&corrected(|_| ()).transcript(&CORRECTED, &[])).expect("a file");
    let report = verify(&file, &trust(), NOW_MS).expect("authentic");
    let bound_ms = report.corrections[0].bound_ms;
    let shown: Vec<_> = report.records.iter().map(|record| report.corrected_ms(record)).collect();
    assert_eq!(shown, [None, Some(bound_ms), None]);
}

#[test]
fn transcripts() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/transcripts");
    let write = std::env::var_os("CREDITBANK_WRITE_VECTORS").is_some();
    let shown: Vec<Value> = scenes()
        .into_iter()
        .map(|(name, about, transcript)| {
            let file = write_file(&transcript).expect("a file");
            let path = directory.join(format!("{name}.cbt"));
            if write {
                std::fs::create_dir_all(&directory).expect("a directory");
                std::fs::write(&path, &file).expect("the vector can be written");
            }
            assert!(std::fs::read(&path).expect("the vector is there") == file, "{name}.cbt is not what the code says");
            let report = verify(&file, &trust(), NOW_MS).expect(about);
            let record = |record: &creditbank_protocol::transcript::TranscriptRecord| {
                json!({
                    "entry": record.place.entry.0, "index": record.place.index, "institution": record.unit.institution.0,
                    "record_hash": record.disclosed.hash.to_string(), "status_id": record.status_id.to_string(),
                    "contested": record.contested, "confirmed": record.confirmed.map(|entry| entry.0),
                    "on_behalf_of": record.on_behalf_of.map(|other| other.0),
                    "kept_by": record.kept_by.map(|keeper| keeper.0), "ended": record.ended.map(i32::from),
                    "approved_by": record.approved_by.iter().map(ToString::to_string).collect::<Vec<_>>(), "accreditation": record.accreditation,
                    "expired": record.expired, "embargoed": record.embargo.is_some(), "incomplete": record.missing_claim, "standing": record.standing().name(),
                })
            };
            json!({
                "file": format!("transcripts/{name}.cbt"), "about": about, "size": report.size, "root": report.root.to_string(),
                "records": report.records.iter().map(record).collect::<Vec<_>>(),
                "as_of_ms": report.statement.as_of_ms, "whole": report.statement.is_whole, "complete_for": report.statement.complete_for.map(|institution| institution.0),
                "visible_on": creditbank_protocol::dates::show(&report.statement.visible_on), "holder_key": report.statement.holder_key.map(hex),
                "identity": report.statement.identity.map(|place| [place.entry.0, u64::from(place.index)]),
                "reliance": crate::freshness::name(report.reliance()),
            })
        })
        .collect();
    for (file, expected) in [("superseded", "good"), ("amended-by-custodian", "good")] {
        let file = format!("transcripts/{file}.cbt");
        let case = shown.iter().find(|case| case["file"] == file).expect("the case");
        assert_eq!(case["reliance"], expected, "{file}: the record that stands in its place is there");
    }
    agree(
        "transcripts.json",
        &json!({
            "about": "PROTOCOL.md, Transcript files: files that verify, and what is found in them. `ended`: 1 superseded, 2 revoked \
                      by a block of the transcript. `incomplete`: the first required field that is hidden. `standing`: what may be said of it, in one \
                      word, at the verifier's time `now_ms`.",
            "now_ms": NOW_MS, "policy": policy(), "log_key": hex(public(LOG)), "registry_key": hex(public(REGISTRY)),
            "next_registry_key": commitment(&public(NEXT_REGISTRY)).to_string(), "transcripts": shown,
            "about_narrow": "The same files, trusting these institutions alone: the standing of each record.",
            "narrow": NARROW.map(|(name, institutions, standings)| json!({
                "file": format!("transcripts/{name}.cbt"), "institutions": institutions, "standings": standings,
            })),
        }),
    );
}

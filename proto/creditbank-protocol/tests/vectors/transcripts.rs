//! Transcripts of a log made by hand: what a verifier must find in each.

use std::path::Path;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Action, Kind, Place, Purpose};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::{verify, write_file};
use serde_json::{Value, json};

use super::log::{HONEST, Log, MINUTE, REGISTRY, key_entry, policy, public, public_record, trust};
use super::{agree, hex};

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
    let group = log.effect(2, 0, Action::Confirm);
    if by_operator {
        log.by_case(group);
    } else {
        log.signer = Some(SECOND);
        let entry = log.issue(1, &[], vec![group]);
        log.effects.push(entry);
    }
    log.seal();
    log
}

/// Institution 1 is closed and institution 2 keeps its records: revokes or amends one.
fn custodian(amends: bool) -> Log {
    let mut log = Log::admitting(HONEST, &[1, 2]);
    log.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    log.seal();
    let relation = pb::Relation { r#type: pb::RelationType::CustodianOf.into(), institution: 1, ..Default::default() };
    let closed = pb::Institution { number: 1, state: pb::RegistryState::Closed.into(), ..Default::default() };
    let keeps = pb::Institution { number: 2, state: 1, relations: vec![relation], ..Default::default() };
    log.operator(&[closed, keeps].map(|entry| public_record(Kind::Institution, body(&entry))));
    log.seal();
    let action = if amends { Action::Supersede } else { Action::Revoke };
    let mut group = log.effect(2, 0, action);
    let basis = pb::Basis::Custodian.into();
    group.authority = Some(pb::Authority { basis, institution: 1, ..Default::default() });
    let records = if amends { vec![credit(2, "ALG-1", Some(Place { entry: 2, index: 0 }))] } else { Vec::new() };
    let entry = log.issue(2, &records, vec![group]);
    if !amends {
        log.effects.push(entry);
    }
    log.seal();
    // Both institutions under the seal of the round, which is the checkpoint's.
    log.also = [1, 2].map(|number| (entry + 1, RegistryKey::Institution(number))).to_vec();
    log
}

/// Seed of a second key of institution 1.
const SECOND: u8 = 30;

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
    let all = [(2, 0, None), (2, 1, None), (2, 2, None), (3, 0, None), (5, 0, None)];
    let complete = Log::admitting(
        super::log::Bend {
            statement: |statement| {
                (statement.selection, statement.institution) = (pb::Selection::Complete.into(), 1);
                (statement.no_holder_key, statement.holder_key) = (None, vec![8; 32]);
                (statement.no_identity, statement.identity) = (None, Some(Place { entry: 2, index: 1 }));
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
    let effect = revoked.effect(2, 0, Action::Revoke);
    revoked.issue(1, &[result(2)], vec![effect]);
    revoked.seal();
    let mut superseded = Log::admitting(HONEST, &[1]);
    superseded.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    superseded.seal();
    let effect = superseded.effect(2, 0, Action::Supersede);
    superseded.issue(1, &[credit(2, "ALG-1", Some(Place { entry: 2, index: 0 }))], vec![effect]);
    superseded.seal();
    let both = [(2, 0, None), (4, 0, None)];
    let (custodian, amendment) = (custodian(false), custodian(true));
    let hidden = plain.id(2, 0);
    let mut later = Log::admitting(HONEST, &[1]);
    later.issue(1, &[credit(1, "ALG-1", None)], Vec::new());
    (0..3).for_each(|_| later.seal());
    vec![
        ("whole", "one record, whole", plain.transcript(&[(2, 0, None)], &[])),
        (
            "partly",
            "the required fields and the grade, the others hidden",
            plain.transcript(&[(2, 0, Some(&[2, 3, 6, 7, 11, 14, 16, 17, 18, 20]))], &[]),
        ),
        (
            "incomplete",
            "whether it expires is hidden",
            plain.transcript(&[(2, 0, Some(&[2, 3, 7, 11, 14, 16, 18, 20]))], &[]),
        ),
        ("hidden", "nothing is opened: authentic, and never valid", plain.transcript(&[(2, 0, Some(&[]))], &[])),
        ("no-records", "the statement alone, of one record that is withheld", plain.transcript(&[], &[hidden])),
        ("two-institutions", "five records of two institutions and two rounds", two.transcript(&all, &[])),
        ("withheld", "two of five records", two.transcript(&all[2..4], &[two.id(2, 0), two.id(2, 1), two.id(5, 0)])),
        (
            "complete",
            "complete for an institution, with a holder key and the place of the Identity",
            complete.transcript(&[(2, 0, None), (2, 1, None)], &[]),
        ),
        (
            "later-checkpoint",
            "empty rounds between the record and the checkpoint",
            later.transcript(&[(2, 0, None)], &[]),
        ),
        ("revoked", "the second block takes the first record back", revoked.transcript(&both, &[])),
        ("superseded", "the second record amends the first", superseded.transcript(&both, &[])),
        (
            "confirmed",
            "contested, and confirmed under another key of the unit",
            confirmed(false).transcript(&[(2, 0, None)], &[]),
        ),
        (
            "confirmed-by-operator",
            "contested, and confirmed by the operator",
            confirmed(true).transcript(&[(2, 0, None)], &[]),
        ),
        (
            "revoked-by-custodian",
            "an institution is closed, and its custodian takes a record back",
            custodian.transcript(&[(2, 0, None)], &[]),
        ),
        (
            "amended-by-custodian",
            "an institution is closed, and its custodian amends a record",
            amendment.transcript(&[(2, 0, None), (6, 0, None)], &[]),
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
    ]
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
            let report = verify(&file, &trust()).expect(about);
            let record = |record: &creditbank_protocol::transcript::TranscriptRecord| {
                json!({
                    "entry": record.place.entry, "index": record.place.index, "institution": record.institution,
                    "record_hash": record.disclosed.hash.to_string(), "status_id": record.status_id.to_string(),
                    "contested": record.contested, "confirmed": record.confirmed, "on_behalf_of": record.on_behalf_of, "ended": record.ended.map(i32::from),
                    "incomplete": record.missing_claim,
                })
            };
            json!({
                "file": format!("transcripts/{name}.cbt"), "about": about, "size": report.size, "root": report.root.to_string(),
                "records": report.records.iter().map(record).collect::<Vec<_>>(),
                "withheld": report.statement.withheld, "complete_for": report.statement.complete_for,
                "holder_key": report.statement.holder_key.map(hex),
                "identity": report.statement.identity.map(|place| [place.entry, u64::from(place.index)]),
            })
        })
        .collect();
    agree(
        "transcripts.json",
        &json!({
            "about": "PROTOCOL.md, Transcript files: files that verify, and what is found in them. `ended`: 1 superseded, 2 revoked \
                      by a block of the transcript. `incomplete`: the first required field that is hidden.",
            "policy": policy(), "registry_key": hex(public(REGISTRY)), "transcripts": shown,
        }),
    );
}

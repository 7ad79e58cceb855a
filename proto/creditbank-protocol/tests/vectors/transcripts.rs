//! Transcripts of a log made by hand: what a verifier must find in each.

use std::path::Path;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Action, Kind, Place};
use creditbank_protocol::record::Record;
use creditbank_protocol::transcript::{verify, write_file};
use serde_json::{Value, json};

use super::log::{HONEST, Log, MINUTE, REGISTRY, policy, public, public_record, trust};
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
                    "contested": record.contested, "ended": record.ended.map(i32::from),
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

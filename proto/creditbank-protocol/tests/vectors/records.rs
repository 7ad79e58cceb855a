//! Salts, claims, record hashes, disclosure in part, registry keys and values.

use creditbank_protocol::canonical::{encode, top_level_fields};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::{Disclosed, PUBLIC_SEED, Record, RecordError, claim_hash, disclose, info_of, salt};
use creditbank_protocol::registry::{RegistryKey, registry_value};
use serde_json::{Value, json};

use super::{agree, hex};

pub(super) fn credit() -> pb::Credit {
    let date = |month| Some(pb::Date { year: 2024, month, day: 0 });
    let title = pb::Text { language: "en".to_owned(), value: "Algebra".to_owned() };
    pb::Credit {
        learner: (0..16).collect(),
        course: Some(pb::Course { code: "ALG-1".to_owned(), titles: vec![title] }),
        amount: Some(pb::Amount { e4: 75_000, unit: "ECTS".to_owned() }),
        level: Some(pb::Level { framework: "EQF".to_owned(), level: "6".to_owned() }),
        period: Some(pb::Period { from: date(2), until: date(6) }),
        ..Default::default()
    }
}

/// A compensated result in two scales, as a Greek university has them.
fn compensated() -> pb::Credit {
    let grade = |scale: &str, value: &str| pb::Grade { scale: scale.to_owned(), value: value.to_owned() };
    pb::Credit {
        grade: Some(grade("uoa.example/10", "4.6")),
        further: vec![grade("ECTS-AF", "FX"), grade("uoa.example/words", "ΑΝΕΠΑΡΚΩΣ")],
        basis: pb::PassBasis::Compensated.into(),
        completed: Some(pb::Date { year: 2024, month: 6, day: 21 }),
        term: "2023-24 Β".to_owned(),
        session: "Ιούνιος".to_owned(),
        ..credit()
    }
}

fn enrolment() -> pb::Enrolment {
    pb::Enrolment {
        learner: (0..16).collect(),
        programme: credit().course,
        definition: Some(pb::QualificationName { institution: 7, code: "BSC-MATH".to_owned(), version: 2 }),
        from: Some(pb::Date { year: 2021, month: 10, day: 0 }),
        until: Some(pb::Date { year: 2025, month: 6, day: 30 }),
        state: pb::EnrolmentState::Completed.into(),
        mode: pb::Mode::OnSite.into(),
        load: pb::StudyLoad::FullTime.into(),
        ..Default::default()
    }
}

pub(super) fn record(kind: Kind, body: Vec<u8>, seed: &[u8; 32]) -> Record {
    Record::of(kind, seed, body).expect("a record")
}

fn vector(kind: Kind, body: Vec<u8>, seed: &[u8; 32]) -> Value {
    let record = record(kind, body.clone(), seed);
    let info = info_of(kind).expect("known");
    let ranges = top_level_fields(info.schema, &body).expect("canonical");
    let claims: Vec<_> = info
        .numbers()
        .zip(ranges)
        .map(|(number, range)| {
            let salt = salt(seed, kind, 1, number);
            let value = &body[range];
            let hash = claim_hash(&salt, kind, 1, number, value);
            json!({ "number": number, "salt": hex(salt), "value": hex(value), "hash": hash.to_string() })
        })
        .collect();
    json!({
        "kind": i32::from(kind), "name": info.name(), "version": 1, "seed": hex(seed), "body": hex(&body),
        "claims": claims, "record_hash": record.hash().to_string(),
    })
}

#[test]
fn records() {
    let body = encode(&credit()).expect("canonical");
    let result = pb::Result { learner: vec![7; 16], status: 2, ..Default::default() };
    let unit = pb::Unit { institution: 7, unit: 2, state: 1, ..Default::default() };
    let public = encode(&unit).expect("canonical");
    let whole = record(Kind::Credit, body.clone(), &[0x11; 32]);
    let open = [2, 3, 7, 11, 14, 16, 17, 18, 20, 21];
    let claims = disclose(&whole, &open).expect("claims");
    assert_eq!(Record::of(Kind::Credit, &PUBLIC_SEED, body.clone()), Err(RecordError::ZeroSeed));
    let shown =
        pb::DisclosedRecord { kind: Kind::Credit.into(), version: 1, claims: claims.clone(), ..Default::default() };
    let checked = Disclosed::new(&shown).expect("it leads to the record hash");
    assert_eq!((checked.hash, checked.missing_claim()), (whole.hash(), None));
    let claims: Vec<_> = claims
        .iter()
        .map(|claim| json!({ "hash": hex(&claim.hash), "salt": hex(&claim.salt), "value": hex(&claim.value) }))
        .collect();
    agree(
        "records.json",
        &json!({
            "about": "PROTOCOL.md, Records and claims. The second record has few fields; the third is public, with the zero seed; the fourth states a basis, further grades and when it was assessed; the fifth is an Enrolment.",
            "records": [
                vector(Kind::Credit, body.clone(), &[0x11; 32]),
                vector(Kind::Result, encode(&result).expect("canonical"), &[0x22; 32]),
                vector(Kind::Unit, public, &PUBLIC_SEED),
                vector(Kind::Credit, encode(&compensated()).expect("canonical"), &[0x33; 32]),
                vector(Kind::Enrolment, encode(&enrolment()).expect("canonical"), &[0x44; 32]),
            ],
            "disclosed": {
                "about": "The first record with the required claims opened, most of them as absent.",
                "opened": open, "claims": claims, "record_hash": whole.hash().to_string(),
            },
            "refused": {
                "about": "A record of a learner with the zero seed: it is none.",
                "kind": i32::from(Kind::Credit), "seed": hex(PUBLIC_SEED), "body": hex(&body),
            },
        }),
    );
}

#[test]
fn registry() {
    let key = pb::Key { public_key: super::key(3).verifying_key().to_bytes().to_vec(), suite: 1, ..Default::default() };
    let entries = [
        (Kind::Institution, encode(&pb::Institution { number: 7, ..Default::default() })),
        (Kind::Unit, encode(&pb::Unit { institution: 7, unit: 2, ..Default::default() })),
        (Kind::Key, encode(&key)),
        (Kind::Accreditation, encode(&pb::Accreditation { institution: 7, number: 1, ..Default::default() })),
        (Kind::CreditUnit, encode(&pb::CreditUnit { code: "ECTS".to_owned(), ..Default::default() })),
        (Kind::Framework, encode(&pb::Framework { code: "EQF".to_owned(), ..Default::default() })),
        (Kind::GradeScale, encode(&pb::GradeScale { code: "FR-20".to_owned(), ..Default::default() })),
    ];
    let vectors: Vec<_> = entries
        .into_iter()
        .map(|(kind, body)| {
            let body = body.expect("canonical");
            let key = RegistryKey::of(kind, &body).expect("a registry kind");
            let place = Some(pb::Place { entry: 4, index: 1 });
            let entry = pb::RegistryEntry { kind: kind.into(), version: 1, body: body.clone(), place };
            let entry = encode(&entry).expect("canonical");
            json!({
                "kind": i32::from(kind), "body": hex(body), "registry_key": key.digest().to_string(),
                "entry": hex(&entry), "value": registry_value(&entry).to_string(),
            })
        })
        .collect();
    agree("registry.json", &json!({ "about": "PROTOCOL.md, Registry map: keys and values.", "entries": vectors }));
}

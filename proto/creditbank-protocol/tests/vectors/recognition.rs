//! Recognition: what learners and other institutions sign, the digest of an agreement's text, registry keys of what
//! institutions publish, and which claims must be opened.

use creditbank_protocol::Digest;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key::sign;
use creditbank_protocol::mandate::{
    consents, core, joint_message, mandate_digest, mandate_message, terms_digest, verify_mandate,
};
use creditbank_protocol::pb::{self, Kind, Place};
use creditbank_protocol::record::{Record, info_of};
use creditbank_protocol::registry::{RegistryKey, registry_value};
use serde_json::{Value, json};

use super::blocks::ORIGIN;
use super::{agree, hex, key};

const LEARNER: u8 = 40;
const UNIT: u8 = 41;
/// Last minute of mandates and signatures.
const UNTIL: u64 = 29_934_000;

fn bytes<M: Canonical>(message: &M) -> Vec<u8> {
    encode(message).expect("canonical")
}

#[allow(clippy::unnecessary_wraps)] // As the fields want it.
fn date(year: u32, month: u32, day: u32) -> Option<pb::Date> {
    Some(pb::Date { year, month, day })
}

fn text(value: &str) -> pb::Text {
    pb::Text { language: "en".to_owned(), value: value.to_owned() }
}

fn reference(entry: u64) -> pb::RecordReference {
    pb::RecordReference { place: Some(Place { entry, index: 1 }), status_id: vec![9; 32], ..Default::default() }
}

fn name() -> pb::AgreementName {
    pb::AgreementName { code: "UK-DE".to_owned(), version: 3 }
}

fn application(mandate: Option<pb::Mandate>) -> pb::Application {
    pb::Application {
        learner: vec![7; 16],
        purpose: pb::RecognitionPurpose::Study.into(),
        asked: "Year two".to_owned(),
        records: vec![reference(5)],
        received: date(2026, 11, 2),
        deadline: "LISBON".to_owned(),
        mandate,
        amends: Some(pb::Amends { place: Some(Place { entry: 3, index: 0 }), reason: pb::AmendReason::Error.into() }),
        ..Default::default()
    }
}

fn appeal(mandate: Option<pb::Mandate>) -> pb::Appeal {
    let (learner, decision) = (vec![7; 16], Some(Place { entry: 8, index: 0 }));
    let grounds = "The level is the same".to_owned();
    pb::Appeal { learner, decision, grounds, received: date(2026, 12, 1), mandate, ..Default::default() }
}

fn conversion(mandate: Option<pb::Mandate>) -> pb::Conversion {
    let source = pb::ConversionSource { record: Some(reference(5)), institution: 1, ..Default::default() };
    pb::Conversion {
        learner: vec![7; 16],
        agreement: Some(name()),
        sources: vec![source],
        decided: date(2026, 11, 3),
        decider: "B. Example".to_owned(),
        mandate,
        ..Default::default()
    }
}

fn award(mandate: Option<pb::Mandate>, cosignatures: Vec<pb::CoSignature>) -> pb::Award {
    pb::Award {
        learner: vec![7; 16],
        definition: Some(pb::QualificationName { institution: 1, code: "BSC".to_owned(), version: 1 }),
        basis: pb::AwardBasis::Declared.into(),
        documents: vec![pb::AwardDocument {
            r#type: pb::AwardDocumentType::Diploma.into(),
            institution: 0,
            number: Some(pb::DocumentNumber { series: "A".to_owned(), number: "2026/17".to_owned() }),
            issued: date(2026, 11, 4),
            state: pb::AwardDocumentState::Issued.into(),
            replaces: None,
        }],
        kind: pb::AwardKind::Degree.into(),
        conferred: date(2026, 11, 4),
        decider: "B. Example".to_owned(),
        cosignatures,
        mandate,
        ..Default::default()
    }
}

fn recognition(mandate: Option<pb::Mandate>) -> pb::QualificationRecognition {
    pb::QualificationRecognition {
        learner: vec![7; 16],
        form: pb::RecognitionForm::Statement.into(),
        decider: "B. Example".to_owned(),
        mandate,
        expires: date(2030, 1, 1),
        ..Default::default()
    }
}

/// The body of a kind with a mandate.
fn body(kind: Kind, mandate: Option<pb::Mandate>) -> Vec<u8> {
    match kind {
        Kind::Application => bytes(&application(mandate)),
        Kind::Appeal => bytes(&appeal(mandate)),
        Kind::Conversion => bytes(&conversion(mandate)),
        Kind::Award => bytes(&award(mandate, vec![cosignature(vec![1; 64])])),
        _ => bytes(&recognition(mandate)),
    }
}

fn cosignature(signature: Vec<u8>) -> pb::CoSignature {
    pb::CoSignature { institution: 2, key_id: vec![6; 16], signature, salt: vec![0x5c; 16], until_minute: UNTIL }
}

fn mandate(kind: Kind) -> Value {
    let core = core(kind, &body(kind, None)).expect("canonical");
    let learner = key(LEARNER);
    let learner_key = learner.verifying_key().to_bytes().to_vec();
    let bare = pb::Mandate { learner_key, salt: vec![0x5a; 16], until_minute: UNTIL, ..Default::default() };
    let message = mandate_message(ORIGIN, 1.into(), kind, &core, &bare);
    let mandate = pb::Mandate { signature: sign(&learner, message.as_bytes()).to_vec(), ..bare };
    let record = Record::of(kind, &[1; 32], body(kind, Some(mandate.clone()))).expect("a record");
    verify_mandate(ORIGIN, 1.into(), &record, &mandate).expect("it holds");
    assert!(verify_mandate(ORIGIN, 2.into(), &record, &mandate).is_err(), "at another institution");
    json!({
        "kind": i32::from(kind), "institution": 1, "body": hex(record.body()), "core": hex(core), "message": hex(message.as_bytes()),
        "mandate": hex(bytes(&mandate)), "digest": message.digest().to_string(),
        "consents": shown(&record),
    })
}

/// What the log has of what others have signed in a record of institution 1.
fn shown(record: &Record) -> Vec<String> {
    consents(ORIGIN, 1.into(), record).expect("canonical").iter().map(Digest::to_string).collect()
}

fn paper() -> Value {
    let acts = vec![Kind::Appeal.into(), Kind::Award.into()];
    let (paper_reference, salt) = ("file 17".to_owned(), vec![0x5b; 16]);
    let mandate = pb::Mandate { paper_reference, salt, until_minute: UNTIL, acts, ..Default::default() };
    let digest = |kind| mandate_digest(ORIGIN, 1.into(), kind, &[], &mandate).to_string();
    let digests = [Kind::Appeal, Kind::Award].map(|kind| json!({ "kind": i32::from(kind), "digest": digest(kind) }));
    json!({ "mandate": hex(bytes(&mandate)), "institution": 1, "digests": digests })
}

fn by_law() -> Value {
    let core = core(Kind::Award, &bytes(&award(None, Vec::new()))).expect("canonical");
    let legal_basis = "Assessment regulations 2026, section 12; case 2026/4".to_owned();
    let mandate = pb::Mandate { legal_basis, salt: vec![0x5d; 16], until_minute: UNTIL, ..Default::default() };
    let digest = mandate_digest(ORIGIN, 1.into(), Kind::Award, &core, &mandate).to_string();
    json!({ "mandate": hex(bytes(&mandate)), "institution": 1, "kind": i32::from(Kind::Award), "core": hex(core), "digest": digest })
}

fn joint() -> Value {
    let core = core(Kind::Award, &bytes(&award(None, Vec::new()))).expect("canonical");
    let message = joint_message(ORIGIN, 1.into(), &core, &cosignature(Vec::new()));
    let signature = sign(&key(UNIT), message.as_bytes()).to_vec();
    let body = bytes(&award(None, vec![cosignature(signature.clone())]));
    let record = Record::of(Kind::Award, &[1; 32], body.clone()).expect("a record");
    json!({
        "public_key": hex(key(UNIT).verifying_key().to_bytes()), "institution": 1, "cosigns": 2,
        "until_minute": UNTIL, "salt": hex([0x5c; 16]), "consents": shown(&record), "body": hex(body), "core": hex(core),
        "message": hex(message.as_bytes()), "signature": hex(signature),
    })
}

fn terms() -> pb::AgreementTerms {
    pb::AgreementTerms {
        code: "UK-DE".to_owned(),
        version: 3,
        tier: pb::Tier::Institution.into(),
        sender: 1,
        receiver: 2,
        titles: vec![text("Two CATS for one ECTS")],
        source_unit: "CATS".to_owned(),
        target_unit: "ECTS".to_owned(),
        ratio: Some(pb::Ratio { numerator: 1, denominator: 2 }),
        step_e4: 5_000,
        rounding: pb::Rounding::HalfEven.into(),
        apportionment: pb::Apportionment::LargestRemainder.into(),
        from: date(2026, 1, 1),
        ..Default::default()
    }
}

/// One entry of each kind that came with rules version 2.
fn entries() -> Vec<(Kind, Vec<u8>)> {
    let acceptance = pb::AgreementAcceptance { institution: 2, agreement: Some(name()), terms_digest: vec![3; 32] };
    let ending = pb::AgreementEnding { institution: 1, agreement: Some(name()), ends: date(2027, 8, 31) };
    let code = || "X-1".to_owned();
    vec![
        (Kind::AgreementProposal, bytes(&pb::AgreementProposal { institution: 1, terms: Some(terms()) })),
        (Kind::AgreementAcceptance, bytes(&acceptance)),
        (Kind::AgreementEnding, bytes(&ending)),
        (Kind::Equivalence, bytes(&pb::Equivalence { institution: 2, code: code(), version: 1, ..Default::default() })),
        (
            Kind::QualificationDefinition,
            bytes(&pb::QualificationDefinition { institution: 2, code: code(), version: 4, ..Default::default() }),
        ),
        (Kind::GradeDistribution, bytes(&pb::GradeDistribution { institution: 2, number: 5, ..Default::default() })),
        (
            Kind::CourseAlias,
            bytes(&pb::CourseAlias {
                institution: 2,
                code: "ΠΛΗ 10".to_owned(),
                same_as: "PLI10".to_owned(),
                withdrawn: false,
            }),
        ),
        (Kind::CourseCodes, bytes(&pb::CourseCodes { institution: 2, case_matters: true })),
        (Kind::LevelMap, bytes(&pb::LevelMap { code: code(), ..Default::default() })),
        (Kind::LegalDeadline, bytes(&pb::LegalDeadline { code: code(), ..Default::default() })),
        (Kind::Country, bytes(&pb::Country { alpha2: "IE".to_owned(), ..Default::default() })),
        (Kind::FieldOfEducation, bytes(&pb::FieldOfEducation { code: "0613".to_owned(), ..Default::default() })),
        (Kind::RegistryPolicy, bytes(&pb::RegistryPolicy { approvals: 2 })),
    ]
}

fn entry((kind, body): (Kind, Vec<u8>)) -> Value {
    let key = RegistryKey::of(kind, &body).expect("a registry kind");
    let place = Some(Place { entry: 4, index: 1 });
    let entry = bytes(&pb::RegistryEntry { kind: kind.into(), version: 1, body: body.clone(), place });
    json!({
        "kind": i32::from(kind), "body": hex(body), "registry_key": key.digest().to_string(), "entry": hex(&entry),
        "value": registry_value(&entry).to_string(),
    })
}

fn kind(kind: Kind) -> Value {
    let info = info_of(kind).expect("a kind");
    json!({
        "kind": i32::from(kind), "name": info.name(), "fields": info.fields(), "public": info.public,
        "operator": info.operator, "required": info.required,
    })
}

/// Goal: what others sign over, and which name each published record has, is the same for every implementation.
#[test]
fn recognition_vectors() {
    let mandated = [Kind::Application, Kind::Appeal, Kind::Conversion, Kind::Award, Kind::QualificationRecognition];
    let kinds = (1..128).filter_map(|number| Kind::try_from(number).ok());
    agree(
        "recognition.json",
        &json!({
            "about": "PROTOCOL.md, Records and claims, Registry: kinds, mandates, joint awards, the digest of an agreement's terms, \
                      registry keys of the kinds of rules version 2.",
            "origin": ORIGIN,
            "kinds": kinds.map(kind).collect::<Vec<_>>(),
            "mandates": mandated.map(mandate), "paper": paper(), "legal_basis": by_law(), "joint": joint(),
            "terms": { "bytes": hex(bytes(&terms())), "digest": terms_digest(&terms()).expect("canonical").to_string() },
            "entries": entries().into_iter().map(entry).collect::<Vec<_>>(),
        }),
    );
}

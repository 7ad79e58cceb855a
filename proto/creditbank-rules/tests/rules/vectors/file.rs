//! Registries, records and cases as JSON, and back.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fixtures::{self, ORIGIN, acceptance, proposal, seed_of};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::pb::{self, Kind, Place, RecordReference};
use creditbank_rules::{Registry, RegistryRecord};
use serde_json::{Value, json};

/// Everything was published long ago.
const SEALED_AT_MS: u64 = 20_770 * 86_400_000;

/// One entry of a registry, and who published it; 0 is the operator.
pub(crate) type Entry = (Kind, Vec<u8>, u64);

pub(crate) fn bytes<M: Canonical>(message: &M) -> Vec<u8> {
    encode(message).expect("canonical")
}

/// The entries of the seed with some codes, which are the operator's.
pub(crate) fn seed_entries(codes: &[&str]) -> impl Iterator<Item = Entry> {
    seed_of(codes).map(|(kind, body)| (kind, body, 0))
}

pub(crate) fn reference(entry: u64) -> RecordReference {
    let id = u8::try_from(entry % 251).expect("small");
    fixtures::reference(entry, 0, id)
}

pub(crate) fn institution(number: u64, country: &str, relations: &[(i32, u64)]) -> Entry {
    let kind = match number {
        0 => pb::InstitutionType::Operator,
        20.. => pb::InstitutionType::RecognitionAuthority,
        _ => pb::InstitutionType::University,
    };
    let relation =
        |(kind, other): &(i32, u64)| pb::Relation { r#type: *kind, institution: *other, ..Default::default() };
    let entry = pb::Institution {
        r#type: kind.into(),
        country: country.to_owned(),
        relations: relations.iter().map(relation).collect(),
        ..fixtures::institution(number)
    };
    (Kind::Institution, bytes(&entry), 0)
}

/// Both have signed: the receiver proposes, the sender accepts.
pub(crate) fn agreed(terms: &pb::AgreementTerms) -> [Entry; 2] {
    let (proposal, acceptance) = (proposal(terms, terms.receiver), acceptance(terms, terms.sender));
    [
        (Kind::AgreementProposal, bytes(&proposal), terms.receiver),
        (Kind::AgreementAcceptance, bytes(&acceptance), terms.sender),
    ]
}

pub(crate) fn admit(entries: &[Entry]) -> Registry {
    let mut registry = Registry::new(ORIGIN);
    for (kind, body, institution) in entries {
        let record = RegistryRecord {
            kind: *kind,
            body,
            institution: (*institution).into(),
            created_at_minute: SEALED_AT_MS / 60_000,
            sealed_at_ms: SEALED_AT_MS,
            entry: 0.into(),
        };
        registry.admit(record).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
    registry
}

pub(crate) fn shown(entries: &[Entry]) -> Vec<Value> {
    let one = |(kind, body, institution): &Entry| json!({ "kind": i32::from(*kind), "body": hex::encode(body), "institution": institution });
    entries.iter().map(one).collect()
}

/// The registry of a file and a case.
pub(crate) fn registry(file: &Value, case: &Value) -> Registry {
    let entry = |value: &Value| (kind(&value["kind"]), unhex(&value["body"]), number(&value["institution"]));
    let entries: Vec<Entry> = list(&file["registry"]).iter().chain(list(&case["registry"])).map(entry).collect();
    admit(&entries)
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hexadecimal")
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

pub(crate) fn kind(value: &Value) -> Kind {
    Kind::try_from(i32::try_from(number(value)).expect("small")).expect("a kind")
}

pub(crate) fn record_of(value: &Value) -> RecordReference {
    let index = u32::try_from(number(&value["index"])).expect("small");
    let place = Some(Place { entry: number(&value["entry"]), index });
    RecordReference { place, status_id: unhex(&value["status_id"]), ..Default::default() }
}

/// A record of the learner: where it stands, whose it is, what it says.
pub(crate) fn held(reference: &RecordReference, institution: u64, kind: Kind, body: &[u8]) -> Value {
    let place = reference.place.expect("a place");
    json!({
        "entry": place.entry, "index": place.index, "status_id": hex::encode(&reference.status_id),
        "institution": institution, "kind": i32::from(kind), "body": hex::encode(body),
    })
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(name)
}

/// The file; written anew by `make` where the environment asks for it.
pub(crate) fn open(name: &str, make: impl FnOnce() -> Value) -> Value {
    let path = path(name);
    if std::env::var_os("CREDITBANK_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&make()).expect("JSON") + "\n";
        fs::write(&path, text).expect("the vectors can be written");
    }
    let text = fs::read_to_string(&path).expect("the vectors are there");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

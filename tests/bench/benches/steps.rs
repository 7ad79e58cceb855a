//! What one core can do of the protocol's steps. A node's rates cannot exceed these times the cores.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::canonical::{check, encode};
use creditbank_protocol::hash::{Digest, sha256};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::merkle::records_root;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::transcript::verify;
use creditbank_protocol::{Trust, UnitId};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::SigningKey;

/// Records of a block.
const RECORDS: u32 = 1_000;

fn text(language: &str, value: &str) -> pb::Text {
    pb::Text { language: language.to_owned(), value: value.to_owned() }
}

/// A credit of about 400 bytes.
fn credit(number: u32) -> Vec<u8> {
    let date = |month| Some(pb::Date { year: 2024, month, day: 1 });
    let outcome = pb::LearningOutcome {
        texts: vec![text("en", "apply statistical analysis techniques")],
        esco_uri: "http://data.europa.eu/esco/skill/2a9a3f3c-7e34-4a5c-8c9e-3f6d1f0b8a55".to_owned(),
    };
    let credit = pb::Credit {
        learner: sha256(&number.to_be_bytes()).0[..16].to_vec(),
        course: Some(pb::Course {
            code: format!("MATH-{number}"),
            titles: vec![text("en", "Probability and stochastic processes"), text("fr", "Processus stochastiques")],
        }),
        amount: Some(pb::Amount { e4: 150_000, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        grade: Some(pb::Grade { scale: "GB-100-UG".to_owned(), value: "67".to_owned() }),
        period: Some(pb::Period { from: date(9), until: date(12) }),
        outcomes: vec![outcome],
        ..Default::default()
    };
    encode(&credit).unwrap()
}

fn record(number: u32) -> Record {
    let mut seed = [7; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    Record::of(Kind::Credit, &seed, credit(number)).unwrap()
}

/// How fast are records checked and hashed? Twenty claims each.
fn records(c: &mut Criterion) {
    let body = credit(1);
    let mut group = c.benchmark_group("record");
    group.throughput(Throughput::Elements(1));
    let schema = <pb::Credit as creditbank_protocol::canonical::Canonical>::SCHEMA;
    group.bench_function("canonical check", |b| b.iter(|| check(schema, black_box(&body))));
    group.bench_function("claims and record hash", |b| {
        b.iter_batched(|| body.clone(), |body| Record::of(Kind::Credit, &[7; 32], body), BatchSize::SmallInput);
    });
    group.finish();
}

/// How fast are blocks checked: the root over their records, and the signature?
fn blocks(c: &mut Criterion) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let records: Vec<Record> = (0..RECORDS).map(record).collect();
    let draft = BlockDraft {
        origin: "bench.example/log".to_owned(),
        unit: UnitId::new(1, 1),
        height: 1,
        previous: sha256(b"previous"),
        operation_id: [7; 16],
        created_at_minute: 1,
        key_id: KeyId::of(&key.verifying_key().to_bytes()),
    };
    let signed = draft.sign(&records, Vec::new(), None, |message| sign(&key, message)).unwrap();
    let hashes: Vec<Digest> = records.iter().map(Record::hash).collect();
    let mut group = c.benchmark_group("block");
    group.throughput(Throughput::Elements(RECORDS.into()));
    group.bench_function("root of 1,000 record hashes", |b| b.iter(|| records_root(black_box(&hashes))));
    group.throughput(Throughput::Elements(1));
    let public = key.verifying_key().to_bytes();
    let parsed = SignedBlock::parse(&signed).unwrap();
    group.bench_function("signature", |b| b.iter(|| black_box(&parsed).verify(&public)));
    group.finish();
}

/// What do changes of a big status tree cost? Hashes over a million leaves, of which a round changes some.
fn status(c: &mut Criterion) {
    let leaf = |number: u64| (sha256(&number.to_be_bytes()), Some(sha256(b"marks")));
    let tree = SparseMap::new(MapTags::STATUS).update((0..1_000_000).map(leaf));
    let mut group = c.benchmark_group("status tree of 1,000,000");
    for changes in [1u64, 1_000] {
        group.throughput(Throughput::Elements(changes));
        group.bench_function(format!("update of {changes}"), |b| {
            b.iter(|| tree.update((2_000_000..2_000_000 + changes).map(leaf)).root());
        });
    }
    group.finish();
}

/// How long does a partner wait for a transcript's verification? That of the vectors.
fn transcript(c: &mut Criterion) {
    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../../proto/vectors");
    let file = std::fs::read(format!("{vectors}/transcript.cbt")).unwrap();
    let described: serde_json::Value =
        serde_json::from_slice(&std::fs::read(format!("{vectors}/transcript.json")).unwrap()).unwrap();
    let (key, policy) = (described["registry_key"].as_str().unwrap(), described["policy"].as_str().unwrap());
    let (log, next) = (described["log_key"].as_str().unwrap(), described["next_registry_key"].as_str().unwrap());
    let keys = format!("log_key = {log:?}\nregistry_key = {key:?}\nnext_registry_key = {next:?}");
    let trust = Trust::parse(&format!("{keys}\npolicy = {policy:?}")).unwrap();
    let mut group = c.benchmark_group("transcript");
    group.throughput(Throughput::Elements(1));
    group.bench_function("verification", |b| b.iter(|| verify(black_box(&file), &trust, 0).unwrap()));
    group.finish();
}

criterion_group!(steps, records, blocks, status, transcript);
criterion_main!(steps);

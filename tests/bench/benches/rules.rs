//! What the rules cost: a record at ingest, a conversion of a transcript. An audit is measured in
//! `creditbank-allocation`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;
use std::sync::Arc;

use creditbank_fixtures::{acceptance, accreditation, institution, proposal, terms, text, unit};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::dates::{day_of_ms, first_day};
use creditbank_protocol::hash::sha256;
use creditbank_protocol::key::{KeyId, possession_message, sign};
use creditbank_protocol::pb::{self, Kind, Purpose, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Alias, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::admission::{Alone, BlockFacts, admit_block, admit_checked_block};
use creditbank_rules::conversion::{Account, Basis, Request, Source, convert};
use creditbank_rules::once::Once;
use creditbank_rules::{
    CourseKey, DocumentKey, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, RegistryRecord, Said, Sealing,
    View, ViewError, seed,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ed25519_dalek::SigningKey;

const ORIGIN: &str = "bench.example/log";
/// 2026-11-23.
const NOW_MS: u64 = 20_780 * 86_400_000;
/// Records of a block, and of each learner in it.
const RECORDS: u32 = 1_000;
const OF_A_LEARNER: u32 = 40;
/// Records of a transcript.
const TRANSCRIPT: u32 = 40;

fn date(year: u32, month: u32) -> pb::Date {
    pb::Date { year, month, day: 1 }
}

/// A ledger that holds nothing: what a record costs beside the reads of the index, which the node's filter spares.
struct Empty(Arc<Registry>);

impl View for Empty {
    fn registry(&self) -> &Registry {
        &self.0
    }

    fn learner(&self, _: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        Some(LearnerState { account: AccountId(alias.0), open: true })
    }

    fn held(&self, _: &AccountId, _: InstitutionId, _: &CourseKey) -> Result<Vec<HeldRecord>, ViewError> {
        Ok(Vec::new())
    }

    fn record_at(&self, _: Place) -> Result<Option<RecordFacts>, ViewError> {
        Ok(None)
    }

    fn content_at(&self, _: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        Ok(None)
    }

    fn dependants(&self, _: Place) -> Result<Vec<Place>, ViewError> {
        Ok(Vec::new())
    }

    fn documents(&self, _: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        Ok(Vec::new())
    }

    fn papers(&self, _: &PaperKey) -> Result<Vec<Place>, ViewError> {
        Ok(Vec::new())
    }

    fn sealing(&self, _: LogIndex) -> Result<Option<Sealing>, ViewError> {
        Ok(None)
    }

    fn said(&self, _: LogIndex) -> Result<Option<Said>, ViewError> {
        Ok(None)
    }
}

fn set<M: Canonical>(registry: &mut Registry, kind: Kind, institution: impl Into<InstitutionId>, entry: &M) {
    let body = encode(entry).unwrap();
    registry
        .admit(RegistryRecord {
            kind,
            body: &body,
            institution: institution.into(),
            created_at_minute: NOW_MS / 60_000,
            sealed_at_ms: NOW_MS,
            entry: 0.into(),
        })
        .unwrap();
}

/// Two universities with an agreement of 2 CATS for 1 ECTS, and a key of the first.
fn registry(key: &SigningKey) -> Registry {
    let mut registry = Registry::new(ORIGIN);
    for (kind, body) in seed::entries().unwrap() {
        registry.admit(RegistryRecord::of_operator(kind, &body)).unwrap();
    }
    for number in [1, 2] {
        set(&mut registry, Kind::Institution, 0, &institution(number));
    }
    set(&mut registry, Kind::Unit, 0, &unit(1, 1));
    let public_key = key.verifying_key().to_bytes();
    let possession = possession_message(ORIGIN, creditbank_protocol::UnitId::new(1, 1), Purpose::Unit, &public_key);
    let entry = pb::Key {
        public_key: public_key.to_vec(),
        suite: 1,
        purpose: Purpose::Unit.into(),
        institution: 1,
        unit: 1,
        kinds: vec![Kind::Credit.into()],
        possession: sign(key, possession.as_bytes()).to_vec(),
        ..Default::default()
    };
    set(&mut registry, Kind::Key, 0, &entry);
    set(&mut registry, Kind::Accreditation, 0, &accreditation(1));
    let terms = agreed();
    set(&mut registry, Kind::AgreementProposal, 1, &proposal(&terms));
    set(&mut registry, Kind::AgreementAcceptance, 2, &acceptance(&terms));
    registry
}

fn agreed() -> pb::AgreementTerms {
    pb::AgreementTerms { level_map: "FHEQ-EQF".to_owned(), ..terms("A-B") }
}

fn credit(number: u32) -> pb::Credit {
    pb::Credit {
        learner: sha256(&(number / OF_A_LEARNER).to_be_bytes()).0[..16].to_vec(),
        course: Some(pb::Course { code: format!("MATH-{number}"), titles: vec![text("Probability")] }),
        amount: Some(pb::Amount { e4: 150_000, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        field: "0541".to_owned(),
        grade: Some(pb::Grade { scale: "GB-100-UG".to_owned(), value: "67".to_owned() }),
        period: Some(pb::Period { from: Some(date(2025, 9)), until: Some(date(2026, 6)) }),
        ..Default::default()
    }
}

/// What do the rules cost at ingest? To be set against the node's processor time per record.
fn ingest(c: &mut Criterion) {
    let key = SigningKey::from_bytes(&[7; 32]);
    let view = Empty(Arc::new(registry(&key)));
    let record = |number| Record::of(Kind::Credit, &[7; 32], encode(&credit(number)).unwrap()).unwrap();
    let records: Vec<Record> = (0..RECORDS).map(record).collect();
    let block = BlockFacts {
        unit: UnitId::new(1, 1),
        key_id: KeyId::of(&key.verifying_key().to_bytes()),
        approvals: &[],
        created_at_minute: NOW_MS / 60_000,
        sealed_at_ms: NOW_MS,
        records: &records,
        groups: &[],
        once: &Once::default(),
    };
    let mut group = c.benchmark_group("rules");
    group.throughput(Throughput::Elements(u64::from(RECORDS)));
    group.bench_function("admission of 1,000 credits", |b| {
        b.iter(|| admit_block(&view, black_box(&block)).unwrap());
    });
    let by = (block.unit, block.key_id, block.created_at_minute);
    group.bench_function("of 1,000 credits what needs no order", |b| {
        b.iter(|| Alone::check(&view.0, black_box(by), records.clone()).unwrap());
    });
    let alone = Alone::check(&view.0, by, records.clone()).unwrap();
    group.bench_function("admission of 1,000 credits, less that", |b| {
        b.iter(|| admit_checked_block(&view, black_box(&block), &alone).unwrap());
    });
    group.finish();
}

/// How long does the conversion of a transcript take?
fn conversion(c: &mut Criterion) {
    let registry = registry(&SigningKey::from_bytes(&[7; 32]));
    let source = |number: u32| {
        let place = Some(pb::Place { entry: 9, index: number });
        let record =
            RecordReference { place, status_id: sha256(&number.to_be_bytes()).0.to_vec(), ..Default::default() };
        Source::of_credit(record, 1.into(), &credit(number))
    };
    let sources: Vec<Source> = (0..TRANSCRIPT).map(source).collect();
    let request = Request {
        registry: &registry,
        basis: Basis::Agreement(registry.agreement("A-B", 1).unwrap()),
        receiver: 2.into(),
        sources: &sources,
        account: &Account::default(),
        decided: day_of_ms(NOW_MS).max(first_day(&date(2026, 7))),
        promised: None,
        stated: &[],
    };
    c.bench_function("conversion of 40 records", |b| b.iter(|| convert(black_box(&request)).unwrap()));
}

/// How long does the largest definition take that is admitted? Floors by share that have nothing in common are compared
/// with each other, and with as many requirements as the count of steps allows.
fn definition(c: &mut Criterion) {
    let registry = registry(&SigningKey::from_bytes(&[7; 32]));
    let codes = |from: u64| pb::Match {
        courses: (0..12).map(|number| format!("C{:05}", from * 12 + number)).collect(),
        ..Default::default()
    };
    let all = pb::RequirementType::All.into();
    let with = |takers: u64| {
        let floor = |number: u64| pb::Requirement {
            parent: 1,
            r#type: pb::RequirementType::AtLeast.into(),
            share: Some(pb::Ratio { numerator: number + 1, denominator: 9_999_999_967 }),
            r#match: Some(codes(number)),
            ..Default::default()
        };
        let taker = |number: u64| pb::Requirement {
            parent: 1,
            r#type: pb::RequirementType::Credits.into(),
            amount_e4: 1,
            // The last ones take anything, so that the floors can be met.
            r#match: (number < 270).then(|| codes(64 + number)),
            ..Default::default()
        };
        let mut requirements = vec![pb::Requirement { r#type: all, ..Default::default() }];
        requirements.extend((0..64).map(floor).chain((0..takers).map(taker)));
        pb::QualificationDefinition {
            institution: 1,
            code: "LARGE".to_owned(),
            version: 1,
            titles: vec![text("Large")],
            unit: "CATS".to_owned(),
            requirements,
            source: "bench".to_owned(),
            ..Default::default()
        }
    };
    let admitted = |entry: &pb::QualificationDefinition| {
        let body = encode(entry).unwrap();
        let record = RegistryRecord::of_operator(Kind::QualificationDefinition, &body);
        registry.clone().admit(RegistryRecord { institution: 1.into(), ..record })
    };
    let largest = (271..900).rev().map(with).find(|entry| admitted(entry).is_ok()).expect("one is small enough");
    c.bench_function("admission of the largest definition", |b| b.iter(|| admitted(black_box(&largest)).unwrap()));
}

criterion_group!(benches, ingest, conversion, definition);
criterion_main!(benches);

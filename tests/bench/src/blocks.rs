//! Blocks, prepared before anything is timed: signed, encoded as the request that is sent, and put into a file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use creditbank_fixtures::text;
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::hash::sha256;
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_rpc::block_request;
use indicatif::ProgressBar;
use prost::Message as _;

use crate::machine::cores;
use crate::scene::{INSTITUTION, ORIGIN, Scene, Unit};

/// Records of one learner.
pub(crate) const PER_LEARNER: u64 = 40;

/// Encoded requests in the order in which they are sent. Block `n` is the next one of unit `n % units`.
pub(crate) struct Blocks {
    file: File,
    places: Vec<(u64, u32)>,
    pub(crate) block_size: usize,
    pub(crate) units: usize,
}

#[allow(clippy::disallowed_methods)] // The issuer's own clock.
fn minute() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

/// The credit with a number: course by course, each over all learners, as examinations come. About 600 bytes.
fn credit(number: u64, learners: &[Alias]) -> pb::Credit {
    let learner = usize::try_from(number % learners.len() as u64).expect("below a length");
    let course = number / learners.len() as u64;
    let title = |language: &str, value: &str| pb::Text { language: language.to_owned(), value: value.to_owned() };
    let outcome = |uri: &str, value: &str| pb::LearningOutcome {
        texts: vec![text(value)],
        esco_uri: format!("http://data.europa.eu/esco/skill/{uri}"),
    };
    let date = |month, day| Some(pb::Date { year: 2024, month, day });
    let grades = ["40", "52", "58", "61", "64", "67", "70", "74", "81", "93"];
    let grade = grades[usize::try_from(number % 10).expect("below ten")];
    pb::Credit {
        learner: learners[learner].to_vec(),
        course: Some(pb::Course {
            code: format!("MATH-{course:04}"),
            titles: vec![
                title("en", "Probability, random variables and stochastic processes II"),
                title("fr", "Probabilités, variables aléatoires et processus stochastiques II"),
            ],
        }),
        amount: Some(pb::Amount { e4: 150_000, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        field: "0542".to_owned(),
        grade: Some(pb::Grade { scale: "GB-100-UG".to_owned(), value: grade.to_owned() }),
        attempt: 1,
        language: "en".to_owned(),
        mode: pb::Mode::OnSite.into(),
        period: Some(pb::Period { from: date(9, 16), until: date(12, 20) }),
        outcomes: vec![
            outcome("2a9a3f3c-7e34-4a5c-8c9e-3f6d1f0b8a55", "apply statistical analysis techniques"),
            outcome("bb59ac05-b4ab-45c1-a9a9-ba6bb1f1d9d4", "execute analytical mathematical calculations"),
        ],
        ..Default::default()
    }
}

fn record(number: u64, learners: &[Alias]) -> anyhow::Result<Record> {
    let seed = sha256(&[&b"seed"[..], &number.to_be_bytes()].concat());
    Ok(Record::of(Kind::Credit, &seed.0, encode(&credit(number, learners))?)?)
}

impl Blocks {
    /// Prepares `records` records.
    pub(crate) fn prepare(scene: &Scene, records: u64, block_size: usize, dir: &Path) -> anyhow::Result<Self> {
        let count = usize::try_from(records)?.div_ceil(block_size);
        let file = tempfile::tempfile_in(dir)?;
        let bar = ProgressBar::new(records).with_message("preparing");
        let end = AtomicU64::new(0);
        let places = Mutex::new(vec![(0, 0); count]);
        let next_unit = AtomicU64::new(0);
        let chain = |unit_at: usize, unit: &Unit| -> anyhow::Result<()> {
            let mut head = unit.head;
            for block in (unit_at..count).step_by(scene.units.len()) {
                let first = (block * block_size) as u64;
                let numbers = first..records.min(first + block_size as u64);
                let of_block =
                    numbers.map(|number| record(number, &scene.learners)).collect::<anyhow::Result<Vec<_>>>()?;
                let draft = BlockDraft {
                    origin: ORIGIN.to_owned(),
                    unit: UnitId::new(INSTITUTION, unit.number),
                    height: head.next_height,
                    previous: head.previous,
                    operation_id: [7; 16],
                    created_at_minute: minute(),
                    key_id: KeyId::of(&unit.key.public_key()),
                };
                let block_bytes = draft.sign(&of_block, Vec::new(), None, |message| sign(&unit.key.key, message))?;
                head.next_height += 1;
                head.previous = SignedBlock::parse(&block_bytes)?.header().id();
                let bytes = block_request(block_bytes, &of_block, &[]).encode_to_vec();
                let place = end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                file.write_all_at(&bytes, place)?;
                places.lock().expect("no thread panics")[block] = (place, u32::try_from(bytes.len())?);
                bar.inc(of_block.len() as u64);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let worker = || {
                loop {
                    let at = usize::try_from(next_unit.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                    let Some(unit) = scene.units.get(at) else { return anyhow::Ok(()) };
                    chain(at, unit)?;
                }
            };
            let workers: Vec<_> = (0..cores()).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().try_for_each(|worker| worker.join().expect("no thread panics"))
        })?;
        bar.finish_and_clear();
        let places = places.into_inner().expect("no thread panics");
        Ok(Self { file, places, block_size, units: scene.units.len() })
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The request with a number, as it is sent.
    pub(crate) fn read(&self, block: usize) -> std::io::Result<Bytes> {
        let (place, len) = self.places[block];
        let mut bytes = vec![0; len as usize];
        self.file.read_exact_at(&mut bytes, place)?;
        Ok(bytes.into())
    }

    /// Bytes of the first requests.
    pub(crate) fn bytes(&self, blocks: usize) -> u64 {
        self.places[..blocks].iter().map(|(_, len)| u64::from(*len)).sum()
    }
}

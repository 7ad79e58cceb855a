//! A node's directory with something of everything, made once for all cases.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_fixtures::{agreement_name, credit, definition, mandate, terms};
use creditbank_protocol::pb::{self, Action, Basis, Effect, EffectReason, Kind, RecordReference};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Alias};
use creditbank_rpc::v1::{PreviewConversionRequest, PreviewSource};
use creditbank_server::clock::Clock;
use creditbank_server::directory::{self, StoreUrl};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use creditbank_store::{KeyStore, Options, Placement, RealDisk};
use creditbank_tests::acts::{alias as alias_of, by, effect, group, public, reference, submit};
use creditbank_tests::chain::now_ms;
use creditbank_tests::degrees::{amending, ordered, seal};
use creditbank_tests::node::small;
use creditbank_tests::university::record;
use creditbank_tests::{Scene, TestNode, University};

use super::answers::{Answers, Asked, ask};

const LEARNERS: u64 = 8;

/// Who and what is asked about.
pub(super) struct Subjects {
    /// Aliases at institution 1 and, of some, at institution 2.
    pub(super) learners: Vec<(u64, Alias, Option<Alias>)>,
    pub(super) records: Vec<RecordReference>,
    pub(super) erased: AccountId,
    pub(super) definition: pb::QualificationName,
}

/// The directory and its answers.
pub(super) struct Prepared {
    dir: tempfile::TempDir,
    /// The same directory at an earlier moment.
    pub(super) older: PathBuf,
    pub(super) subjects: Subjects,
    pub(super) answers: Answers,
    pub(super) environment: Environment,
}

/// A clock that stands: answers depend on the day.
struct Standing(u64);

impl Clock for Standing {
    fn now_ms(&self) -> u64 {
        self.0
    }

    fn monotonic_ms(&self) -> u64 {
        0
    }
}

pub(super) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy_dir(&path, &target) } else { fs::copy(&path, &target).map(drop).expect("copied") }
    }
}

/// All files below a directory, relative to it, in order.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    fn below(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { below(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    below(dir, &mut found);
    let mut found: Vec<PathBuf> =
        found.iter().map(|path| path.strip_prefix(dir).expect("below it").to_owned()).collect();
    found.sort();
    found
}

impl Prepared {
    pub(super) fn new(engine: &str) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let whole = tempfile::tempdir().expect("a directory");
        let (node, older) = (whole.path().join("node"), whole.path().join("older"));
        let (subjects, alias) = runtime.block_on(async {
            let store = engine.parse::<StoreUrl>().expect("an engine");
            let first = TestNode::with_small_files(store).await;
            let (one, two) = (University::admit(&first, 1).await, University::admit(&first, 2).await);
            let client = first.client(None).await;
            let (own, other) = (alias_of(&first, &one, 1).await, alias_of(&first, &two, 1).await);
            let scene = Scene { node: first, client, one, two, own, other };
            let mut half = half(&scene).await;
            let Scene { node: first, one, two, .. } = scene;
            let stopped = first.stop().await;
            copy_dir(stopped.path(), &older);
            let again = TestNode::again_with_small_files(stopped).await;
            let client = again.client(None).await;
            rest(&again, &client, (&one, &two), &mut half.0).await;
            let stopped = again.stop().await;
            copy_dir(stopped.path(), &node);
            half
        });
        // Each case is a copy, which no other node works on.
        let small = small();
        let tune = Arc::new(move |options: &mut Options| {
            (small.tune)(options);
            options.placement = Placement::TakeOver;
        });
        let environment = Environment { clock: Arc::new(Standing(now_ms() + 60_000)), tune, ..Environment::system() };
        let mut prepared = Self { dir: whole, older, subjects, answers: Answers::new(), environment };
        prepared.subjects.erased = prepared.erase(&alias);
        scrub(&prepared);
        // In a copy: whoever only drops a node leaves the traces of a crash.
        let copy = tempfile::tempdir().expect("a directory");
        prepared.copy_to(copy.path());
        let asked = prepared.ask(copy.path()).expect("the node opens");
        assert!(asked.problems.is_empty(), "{:?}", asked.problems);
        prepared.answers = asked.answers;
        let good = prepared.answers.iter().filter(|(_, answer)| answer.is_ok()).count();
        assert!(good > 200, "{good} answers");
        let segments = fs::read_dir(prepared.whole().join("log/journal")).expect("segments").count();
        assert!(segments >= 4, "{segments} segments");
        prepared
    }

    /// The directory, undamaged.
    pub(super) fn whole(&self) -> PathBuf {
        self.dir.path().join("node")
    }

    pub(super) fn copy_to(&self, dir: &Path) {
        copy_dir(&self.whole(), dir);
    }

    /// Opens the node of a directory and asks everything.
    pub(super) fn ask(&self, dir: &Path) -> Result<Asked, String> {
        self.ask_in(&self.environment, dir)
    }

    /// The same in another environment.
    pub(super) fn ask_in(&self, environment: &Environment, dir: &Path) -> Result<Asked, String> {
        let open = || {
            let config = directory::read_config(environment, dir)?;
            directory::open_stepped::<(), ()>(environment, dir, &config, Limits::default())
        };
        let (ledger, _steps) = open().map_err(|error| error.to_string())?;
        Ok(ask(&ledger, &self.subjects))
    }

    /// Destroys a learner's key, as an erasure does.
    fn erase(&self, alias: &Alias) -> AccountId {
        let dir = self.whole();
        let account = {
            let config = directory::read_config(&self.environment, &dir).expect("a configuration");
            let opened = directory::open_stepped::<(), ()>(&self.environment, &dir, &config, Limits::default());
            let (ledger, mut steps) = opened.expect("the node opens");
            let account = ledger.account(1.into(), alias).expect("an account");
            steps.close().expect("a clean stop");
            account
        };
        let master = master_key(&dir);
        let mut next = 0u8;
        let fill = &mut |bytes: &mut [u8]| {
            next = next.wrapping_add(1);
            bytes.fill(next);
        };
        let path = dir.join("learners.keys");
        let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &master, 1, fill).expect("the key store");
        keys.erase(&account, fill).expect("erased");
        account
    }
}

/// The key under which a node's directory keeps the learners' keys.
pub(super) fn master_key(dir: &Path) -> [u8; 32] {
    let secrets = fs::read_to_string(dir.join("keys/secrets")).expect("secrets");
    let master = secrets.lines().find_map(|line| line.strip_prefix("master ")).expect("a master key");
    let byte = |at: usize| u8::from_str_radix(&master[2 * at..2 * at + 2], 16).expect("hexadecimal");
    std::array::from_fn(byte)
}

/// Leaves a file that says how far the background reading is.
fn scrub(prepared: &Prepared) {
    let dir = prepared.whole();
    // The node that made the log may have read it already.
    match fs::remove_file(dir.join("log/scrub")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
    let config = directory::read_config(&prepared.environment, &dir).expect("a configuration");
    let opened = directory::open_stepped::<(), ()>(&prepared.environment, &dir, &config, Limits::default());
    let (ledger, mut steps) = opened.expect("the node opens");
    let mut scrubber = ledger.scrubber().expect("a log on a disk");
    assert!(scrubber.step(ledger.now_ms()).expect("read"));
    assert!(ledger.health().problems().is_empty(), "{:?}", ledger.health().problems());
    steps.close().expect("a clean stop");
}

/// The first half: credits of all learners, an agreement, a definition, a conversion.
async fn half(scene: &Scene) -> (Subjects, Alias) {
    let Scene { node, client, one, two, .. } = scene;
    let definition = definition(1, "BA", 180);
    let name = pb::QualificationName { institution: definition.institution, code: definition.code.clone(), version: 1 };
    scene.publish(&definition).await;
    scene.agree(&terms("ONE-TWO")).await.expect("an agreement");
    let (mut learners, mut records, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=LEARNERS {
        let own = alias_of(node, one, number).await;
        let credits: Vec<Record> =
            ["AAA", "BBB", "CCC"].iter().map(|code| record(Kind::Credit, &credit(own, code), 1)).collect();
        let receipt = submit(client, one, &credits, Vec::new()).await.expect("issued");
        for (at, credit) in (0u32..).zip(&credits) {
            let reference = reference(&receipt, at, credit);
            if number == 2 {
                shown.push(pb::DisclosedRecord {
                    place: reference.place,
                    kind: credit.kind().into(),
                    version: 1,
                    seed: credit.seed().to_vec(),
                    body: credit.body().to_vec(),
                    ..Default::default()
                });
            }
            records.push(reference);
        }
        let other = if number <= 3 { Some(alias_of(node, two, number).await) } else { None };
        learners.push((number, own, other));
    }
    // Learner 2 has two credits converted.
    let at_two = learners[1].2.expect("known there");
    let sources: Vec<_> = records[3..5].to_vec();
    let request = PreviewConversionRequest {
        institution: 2,
        alias: at_two.to_vec(),
        agreement: Some(agreement_name("ONE-TWO")),
        sources: sources.iter().map(|one| PreviewSource { place: one.place, result_plus_1: 0 }).collect(),
        shown,
        ..Default::default()
    };
    let preview = two.client(node).await.preview_conversion(request).await.expect("a preview");
    let (decider, mandate) = ("A registrar".to_owned(), Some(mandate()));
    let conversion = pb::Conversion { decider, mandate, ..preview.conversion };
    records.push(seal(client, two, Kind::Conversion, &conversion, Vec::new()).await.expect("converted"));
    let erased = learners[5].1;
    (Subjects { learners, records, erased: AccountId([0; 16]), definition: name }, erased)
}

/// The second half: a source of the conversion is taken back, a credit is amended, and more is issued.
async fn rest(
    node: &TestNode,
    client: &creditbank_client::Client,
    (one, two): (&University, &University),
    subjects: &mut Subjects,
) {
    let reason = EffectReason::Error.into();
    let conversion = subjects.records.last().expect("a conversion").clone();
    let groups = ordered(vec![
        group(by(Basis::Issuer), vec![Effect { reason, ..effect(Action::Revoke, &subjects.records[3]) }]),
        group(by(Basis::Dependency), vec![effect(Action::Review, &conversion)]),
    ]);
    submit(client, one, &[], groups).await.expect("revoked");
    let (amends, groups) = amending(&subjects.records[0], &[]);
    let own = subjects.learners[0].1;
    let amended = pb::Credit { amends, ..credit(own, "AAA") };
    subjects.records.push(seal(client, one, Kind::Credit, &amended, groups).await.expect("amended"));
    for (number, own, other) in &subjects.learners {
        let more = record(Kind::Credit, &credit(*own, "DDD"), 1);
        let receipt = submit(client, one, std::slice::from_ref(&more), Vec::new()).await.expect("issued");
        subjects.records.push(reference(&receipt, 0, &more));
        if let Some(other) = other {
            let more = record(Kind::Credit, &credit(*other, "EEE"), 1);
            submit(client, two, &[more], Vec::new()).await.expect("issued");
        }
        // An account of a later half: an older key store lacks it.
        let late = alias_of(node, one, 100 + number).await;
        let more = record(Kind::Credit, &credit(late, "LATE"), 1);
        submit(client, one, &[more], Vec::new()).await.expect("issued");
    }
    let late = alias_of(node, one, 101).await;
    subjects.learners.push((101, late, None));
    let course =
        pb::CourseAlias { institution: 1, code: "DDD".to_owned(), same_as: "CCC".to_owned(), withdrawn: false };
    submit(client, one, &[public(Kind::CourseAlias, &course)], Vec::new()).await.expect("published");
}

//! A copy that follows a node: whole after each step, and without what the node has destroyed.

use std::fs;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use creditbank_protocol::AccountId;
use creditbank_server::append::Steps;
use creditbank_server::clock::Clock;
use creditbank_server::directory::{self, Config, StoreUrl};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Ledger, Limits};
use creditbank_server::operate::backup::{BackupError, Follower, MakeOptions, Point, RestoreOptions, restore};
use creditbank_store::{KeyStore, RealDisk};
use creditbank_tests::node::ORIGIN;
use tempfile::TempDir;

use crate::copies::copy;

const HOUR_MS: u64 = 3_600_000;
const START_MS: u64 = 1_800_000_000_000;

/// A clock that a test moves on.
struct Moving(AtomicU64);

impl Clock for Moving {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A node in a directory of its own, with segments of some rounds each.
struct Node {
    around: TempDir,
    clock: Arc<Moving>,
    environment: Environment,
    config: Config,
}

impl Node {
    fn new() -> Self {
        let around = tempfile::tempdir().expect("a directory");
        let clock = Arc::new(Moving(START_MS.into()));
        let environment = Environment {
            clock: Arc::clone(&clock) as _,
            tune: Arc::new(|options| options.segment_len_max = 4_000),
            ..Environment::system()
        };
        let (dir, keys) = (around.path().join("node"), around.path().join("registry"));
        let (store, listen) = (StoreUrl::standard(), ([127, 0, 0, 1], 0).into());
        let config = directory::init(&environment, &dir, &keys, ORIGIN, store, listen, None).expect("a new node");
        Self { around, clock, environment, config }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    fn serve(&self, dir: &Path) -> (Ledger, Steps<(), ()>) {
        directory::open_stepped(&self.environment, dir, &self.config, Limits::default()).expect("it opens")
    }

    /// Seals so many rounds, an hour after one another.
    fn seal(&self, steps: &mut Steps<(), ()>, rounds: u64) {
        for _ in 0..rounds {
            self.clock.0.fetch_add(HOUR_MS, Ordering::SeqCst);
            steps.tick();
            steps.run();
        }
    }

    fn follow(&self, dir: &Path, out: &Path) -> Result<Follower, BackupError> {
        let options = MakeOptions { with_keys: true, keys_expire_days: 35 };
        Follower::open(&self.environment, dir, &self.config, out, options, 5_000)
    }

    /// What a restored copy has: its size, and below which size it is held.
    fn restored(
        &self,
        out: &Path,
        to: Option<Point>,
        seen: Option<PathBuf>,
    ) -> Result<(u64, Option<u64>), BackupError> {
        let dir = tempfile::tempdir().expect("a directory");
        let options = RestoreOptions {
            nothing_published: seen.is_none(),
            seen: seen.into_iter().collect(),
            accept_expired: false,
            keys: None,
            to,
        };
        let restored = restore(&self.environment, out, dir.path(), &options, &mut |_, _| ())?;
        if restored.held_below.is_none() {
            assert_eq!(self.serve(dir.path()).0.size(), restored.size, "the restored node opens");
        }
        Ok((restored.size, restored.held_below))
    }
}

/// Goal: after each step the copy is restored to all that was durable before it, over several segments, also by a
/// process that goes on with a copy whose last step was cut short.
#[test]
fn a_followed_copy_is_whole_after_each_step() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    let (ledger, mut steps) = node.serve(&dir);
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    for turn in 0..4 {
        node.seal(&mut steps, 7);
        let status = follower.step().expect("a step");
        assert_eq!((status.size, status.error, status.complete_at_ms), (ledger.size(), None, node.clock.now_ms()));
        assert_eq!(node.restored(&out, None, None).expect("restored"), (ledger.size(), None));
        assert_eq!(follower.step().expect("nothing new").size, ledger.size());
        if turn % 2 == 0 {
            drop(follower);
            // Bytes of a step that was not finished: in no manifest.
            let mut segments: Vec<_> = fs::read_dir(out.join("log/journal"))
                .expect("segments")
                .map(|file| file.expect("one").path())
                .collect();
            segments.sort();
            let last = segments.last().expect("a segment");
            let torn = [fs::read(last).expect("it reads"), vec![0x5a; 3_000]].concat();
            fs::write(last, torn).expect("written");
            assert_eq!(
                node.restored(&out, None, None).expect("restored").0,
                ledger.size(),
                "what was published is whole"
            );
            follower = node.follow(&dir, &out).expect("it goes on");
        }
    }
    assert!(fs::read_dir(out.join("log/journal")).expect("segments").count() > 2);
    assert!(fs::read_to_string(out.join("status.json")).expect("a status").contains("\"lag_ms\":5000"));
    assert!(node.follow(&dir, &out).is_err(), "one process follows into a directory");
}

/// Goal: the newest copy is restored to any seal, by size and by time, and to the last one before what lies between two;
/// what others have seen beyond the point holds the node.
#[test]
fn a_point_is_restored() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    let (ledger, mut steps) = node.serve(&dir);
    let mut states = vec![(ledger.size(), node.clock.now_ms())];
    for _ in 0..12 {
        node.seal(&mut steps, 1);
        states.push((ledger.size(), node.clock.now_ms()));
    }
    node.follow(&dir, &out).expect("a new copy").step().expect("a step");
    for (size, time_ms) in &states {
        for to in [Point::Size(*size), Point::TimeMs(*time_ms), Point::TimeMs(time_ms + HOUR_MS / 2)] {
            assert_eq!(node.restored(&out, Some(to), None).expect("restored"), (*size, None), "{to:?}");
        }
    }
    assert!(matches!(node.restored(&out, Some(Point::TimeMs(START_MS - 1)), None), Err(BackupError::BeforeAll)));
    let (newest, _) = states[12];
    let note = node.at("seen");
    fs::write(&note, ledger.checkpoint()).expect("a note");
    let held = node.restored(&out, Some(Point::Size(states[5].0)), Some(note.clone())).expect("restored");
    assert_eq!(held, (states[5].0, Some(newest)));
    assert_eq!(node.restored(&out, None, Some(note)).expect("restored"), (newest, None));
}

/// Goal: a learner's key and a node's key that are destroyed are gone from the copy after the next step, and the bytes
/// that it had are overwritten.
#[test]
fn a_destroyed_key_leaves_the_copy() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    let mut seed = 0_u8;
    let mut fill = |bytes: &mut [u8]| {
        seed = seed.wrapping_add(1);
        bytes.fill(seed);
    };
    let path = dir.join("learners.keys");
    let accounts = [AccountId([1; 16]), AccountId([2; 16]), AccountId([3; 16])];
    let grown = fs::metadata(&path).expect("it is there").len();
    fs::remove_file(&path).expect("removed");
    let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &[9; 32], 0, &mut fill).expect("a key store");
    keys.insert(&accounts[..2], &mut fill).expect("two keys");
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");
    keys.insert(&accounts[2..], &mut fill).expect("a third one");
    let second = dir.join("keys/statement-2.key");
    fs::copy(dir.join("keys/statement.key"), &second).expect("copied");
    follower.step().expect("a step");
    let copied = out.join("learners.keys");
    assert_eq!(fs::read(&copied).expect("copied"), fs::read(&path).expect("the keys"), "the file has grown");
    assert!(fs::metadata(&copied).expect("copied").len() > grown && out.join("keys/statement-2.key").exists());

    let before = fs::read(&copied).expect("copied");
    let mut handles = [&copied, &out.join("keys/statement-2.key")].map(|path| fs::File::open(path).expect("it opens"));
    keys.erase(&accounts[0], &mut fill).expect("erased");
    fs::remove_file(&second).expect("removed");
    follower.step().expect("a step");
    let after = fs::read(&copied).expect("copied");
    assert!(after == fs::read(&path).expect("the keys") && after != before);
    assert!(!out.join("keys/statement-2.key").exists());
    for old in &mut handles {
        let mut bytes = Vec::new();
        old.rewind().and_then(|()| old.read_to_end(&mut bytes)).expect("the file that has no name any more");
        assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0), "it is overwritten");
    }
    let manifest = fs::read_to_string(out.join("backup.json")).expect("a manifest");
    assert!(manifest.contains("keys/statement.key") && !manifest.contains("statement-2.key"));
}

/// Goal: a copy is of one log's past: a node that was set back behind it, and one that has another history, do not touch
/// it; a damaged copy is neither gone on with nor restored.
#[test]
fn another_history_is_not_followed() {
    let node = Node::new();
    let (dir, out, old) = (node.at("node"), node.at("copy"), node.at("old"));
    copy(&dir, &old);
    let (ledger, mut steps) = node.serve(&dir);
    node.seal(&mut steps, 9);
    node.follow(&dir, &out).expect("a new copy").step().expect("a step");
    let size = ledger.size();
    let refused = || match node.follow(&old, &out).expect("it opens").step() {
        Err(BackupError::NotItsPast { .. }) => {}
        other => panic!("expected a refusal, found {other:?}"),
    };
    refused();
    // The twin goes on by itself, beyond the copy.
    let twin = Environment {
        tune: Arc::new(|options| {
            options.segment_len_max = 4_000;
            options.placement = creditbank_store::Placement::TakeOver;
        }),
        ..node.environment.clone()
    };
    let (_twin, mut twin_steps) =
        directory::open_stepped::<(), ()>(&twin, &old, &node.config, Limits::default()).expect("it opens");
    node.seal(&mut twin_steps, 15);
    refused();
    assert_eq!(node.restored(&out, None, None).expect("untouched").0, size);

    let segment = out
        .join("log/journal")
        .join(fs::read_dir(out.join("log/journal")).expect("segments").next().expect("one").expect("one").file_name());
    let mut bytes = fs::read(&segment).expect("it reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).expect("written");
    assert!(node.follow(&dir, &out).is_err() && node.restored(&out, None, None).is_err(), "it is damaged");
}

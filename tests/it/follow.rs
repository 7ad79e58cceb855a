//! A copy that follows a node: whole after each step, and without what the node has destroyed.

use std::fs;
use std::io::{Read as _, Seek as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use creditbank_protocol::AccountId;
use creditbank_server::append::Steps;
use creditbank_server::clock::Clock;
use creditbank_server::directory::{self, Config, StoreUrl};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Ledger, Limits, Said};
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
        let is_new = !out.join("backup.json").exists();
        Follower::open(&self.environment, dir, &self.config, out, options, 5_000, is_new)
    }

    /// As an operator follows who has begun the copy before.
    fn go_on(&self, dir: &Path, out: &Path) -> Result<Follower, BackupError> {
        let options = MakeOptions { with_keys: true, keys_expire_days: 35 };
        Follower::open(&self.environment, dir, &self.config, out, options, 5_000, false)
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
            let said = Said { takes_over: true, ..Said::default() };
            let limits = Limits { said, ..Limits::default() };
            let opened = directory::open_stepped::<(), ()>(&self.environment, dir.path(), &self.config, limits);
            assert_eq!(opened.expect("the restored node opens").0.size(), restored.size);
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
            let beyond = Point::TimeMs(node.clock.now_ms() + HOUR_MS);
            let restored = node.restored(&out, Some(beyond), None).expect("not read beyond what was published");
            assert_eq!(restored, (ledger.size(), None));
            follower = node.follow(&dir, &out).expect("it goes on");
        }
    }
    assert!(fs::read_dir(out.join("log/journal")).expect("segments").count() > 2);
    assert!(fs::read_to_string(out.join("status.json")).expect("a status").contains("\"lag_ms\":5000"));
    assert!(node.follow(&dir, &out).is_err(), "one process follows into a directory");
}

/// Goal: the newest copy is restored to any seal, by size and by time, and to the last one before what lies between
/// two; what the log key has signed beyond the point holds the node, whoever says that nothing was published.
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
    let (newest, _) = states[12];
    for (size, time_ms) in &states {
        let held = (*size < newest).then_some(newest);
        for to in [Point::Size(*size), Point::TimeMs(*time_ms), Point::TimeMs(time_ms + HOUR_MS / 2)] {
            assert_eq!(node.restored(&out, Some(to), None).expect("restored"), (*size, held), "{to:?}");
        }
    }
    assert!(matches!(node.restored(&out, Some(Point::TimeMs(START_MS - 1)), None), Err(BackupError::BeforeAll)));
    let beyond = node.restored(&out, Some(Point::Size(newest + 1)), None);
    assert!(matches!(beyond, Err(BackupError::Beyond { size }) if size == newest), "{beyond:?}");
    let note = node.at("seen");
    fs::write(&note, ledger.checkpoint()).expect("a note");
    let held = node.restored(&out, Some(Point::Size(states[5].0)), Some(note.clone())).expect("restored");
    assert_eq!(held, (states[5].0, Some(newest)));
    assert_eq!(node.restored(&out, None, Some(note)).expect("restored"), (newest, None));
}

/// The learners' keys of a node that does not run.
fn learners(dir: &Path) -> KeyStore {
    let secrets = fs::read_to_string(dir.join("keys/secrets")).expect("secrets");
    let master = secrets.lines().find_map(|line| line.strip_prefix("master ")).expect("a master key");
    let byte = |at: usize| u8::from_str_radix(&master[2 * at..2 * at + 2], 16).expect("hexadecimal");
    let master: [u8; 32] = std::array::from_fn(byte);
    let path = dir.join("learners.keys");
    KeyStore::open(&RealDisk::shared(), 0, &path, &master, 0, &mut fill(0)).expect("a key store")
}

/// Bytes that are others with each call.
fn fill(mut seed: u8) -> impl FnMut(&mut [u8]) {
    move |bytes: &mut [u8]| {
        seed = seed.wrapping_add(1);
        bytes.fill(seed);
    }
}

/// What a handle leads to, from its beginning.
fn bytes_of(file: &mut fs::File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("it reads");
    bytes
}

fn is_wiped(file: &mut fs::File) -> bool {
    let bytes = bytes_of(file);
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0)
}

/// Goal: a learner's key that is destroyed is gone from the copy after the next step, and the bytes that it had are
/// overwritten, also where the journal has a fault, and where a step was cut short. A key file that the node has no
/// more stays, until it is taken out by hand.
#[test]
fn a_destroyed_key_leaves_the_copy() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    let path = dir.join("learners.keys");
    let accounts = [AccountId([1; 16]), AccountId([2; 16]), AccountId([3; 16])];
    let grown = fs::metadata(&path).expect("it is there").len();
    let keys = learners(&dir);
    keys.insert(&accounts[..2], &mut fill(20)).expect("two keys");
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");
    keys.insert(&accounts[2..], &mut fill(40)).expect("a third one");
    let second = dir.join("keys/statement-2.key");
    fs::copy(dir.join("keys/statement.key"), &second).expect("copied");
    follower.step().expect("a step");
    let (copied, kept) = (out.join("learners.keys"), out.join("keys/statement-2.key"));
    assert_eq!(fs::read(&copied).expect("copied"), fs::read(&path).expect("the keys"), "the file has grown");
    assert!(fs::metadata(&copied).expect("copied").len() > grown && kept.exists());

    let before = fs::read(&copied).expect("copied");
    let mut handle = fs::File::open(&copied).expect("it opens");
    keys.erase(&accounts[0], &mut fill(60)).expect("erased");
    fs::remove_file(&second).expect("removed");
    follower.step().expect("a step");
    let after = fs::read(&copied).expect("copied");
    assert!(after == fs::read(&path).expect("the keys") && after != before);
    assert!(is_wiped(&mut handle));
    let manifest = || fs::read_to_string(out.join("backup.json")).expect("a manifest");
    let text = fs::read(dir.join("keys/statement.key")).expect("a key");
    assert!(fs::read(&kept).expect("it stays") == text && manifest().contains("statement-2.key"));
    fs::write(&kept, b"rotten").expect("damaged");
    let refused = follower.step().expect_err("the only copy of a key is not as it was written").to_string();
    assert!(refused.contains("statement-2.key"), "{refused}");
    fs::write(&kept, &text).expect("mended");
    follower.step().expect("a step");
    node.restored(&out, None, None).expect("restored");
    fs::remove_file(&kept).expect("removed by hand");
    follower.step().expect("a step");
    assert!(!kept.exists() && !manifest().contains("statement-2.key"));

    // Cut short after the exchange: the old keys have the name of what is staged.
    drop(follower);
    let staged = out.join("learners.new");
    fs::write(&staged, &before).expect("written");
    let mut handle = fs::File::open(&staged).expect("it opens");
    let mut follower = node.follow(&dir, &out).expect("it goes on");
    assert!(is_wiped(&mut handle) && !staged.exists());

    let (ledger, mut steps) = node.serve(&dir);
    follower.step().expect("a step");
    let size = ledger.size();
    node.seal(&mut steps, 3);
    drop((ledger, steps, keys));
    let mut segments: Vec<_> =
        fs::read_dir(dir.join("log/journal")).expect("segments").map(|file| file.expect("one").path()).collect();
    segments.sort();
    let last = segments.last().expect("a segment");
    // Zeros may follow the last round.
    let mut bytes = fs::read(last).expect("it reads");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("a round");
    bytes[end - 40] ^= 1;
    fs::write(last, bytes).expect("written");
    let mut handle = fs::File::open(&copied).expect("it opens");
    learners(&dir).erase(&accounts[1], &mut fill(80)).expect("erased");
    follower.step().expect_err("the journal has a fault");
    assert!(is_wiped(&mut handle), "the key does not wait for the journal");
    assert_eq!(fs::read(&copied).expect("copied"), fs::read(&path).expect("the keys"));
    assert_eq!(node.restored(&out, None, None).expect("restored").0, size);
}

/// Goal: damage of the node's keys, in any of their files, is an error that leaves the copy as it is: nothing is cut,
/// replaced or overwritten before what takes its place is proved. Once it is mended the copy goes on.
#[test]
fn damaged_keys_leave_the_copy() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    let path = dir.join("learners.keys");
    let accounts: Vec<_> = (1..=20).map(|number| AccountId([number; 16])).collect();
    learners(&dir).insert(&accounts, &mut fill(20)).expect("keys");
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");
    let copied = out.join("learners.keys");
    let before = fs::read(&copied).expect("copied");

    let flipped = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1;
        bytes
    };
    let mut more = before.clone();
    more.extend_from_slice(&before[before.len() - 93..]);
    let erased = {
        learners(&dir).erase(&accounts[4], &mut fill(90)).expect("erased");
        fs::read(&path).expect("it reads")
    };
    let damaged = [
        ("a flip in a key that was copied, and a record more", flipped(&more, 84 + 11 * 93 + 20)),
        ("a flip in the head", flipped(&more, 20)),
        ("a flip in the copied head's checksum", flipped(&more, 83)),
        ("nothing", Vec::new()),
        ("a part", before[..before.len() - 100].to_vec()),
        ("a flip in a file that was written anew", flipped(&erased, 84 + 11 * 93 + 20)),
        ("a flip in the head of a file that was written anew", flipped(&erased, 50)),
    ];
    for (what, bytes) in damaged {
        let mut handle = fs::File::open(&copied).expect("it opens");
        fs::write(&path, bytes).expect("written");
        match follower.step() {
            Err(BackupError::Damaged { what: why, .. }) => assert!(why.contains("keeps its own keys"), "{why}"),
            other => panic!("{what}: expected damage, found {other:?}"),
        }
        assert!(fs::read(&copied).expect("it reads") == before && bytes_of(&mut handle) == before, "{what}");
        node.restored(&out, None, None).expect("restored");
    }
    fs::write(&path, &before).expect("mended");

    for name in ["secrets", "log.key", "statement.key"] {
        let (source, copy) = (dir.join("keys").join(name), out.join("keys").join(name));
        let whole = fs::read(&source).expect("it reads");
        let mut handle = fs::File::open(&copy).expect("it opens");
        fs::write(&source, []).expect("written");
        follower.step().expect_err(name);
        // What the statement key of the registry is, the follower does not read.
        if name != "statement.key" {
            fs::write(&source, flipped(&whole, whole.len() / 2)).expect("written");
            follower.step().expect_err(name);
            fs::remove_file(&source).expect("removed");
            follower.step().expect_err(name);
        }
        assert!(fs::read(&copy).expect("it reads") == whole && bytes_of(&mut handle) == whole, "{name}");
        node.restored(&out, None, None).expect("restored");
        fs::remove_file(&source).ok();
        directory_file(&source, &whole);
    }
    follower.step().expect("all is mended");
    fs::write(&path, &erased).expect("the erasure");
    follower.step().expect("a step");
    assert_eq!(fs::read(&copied).expect("it reads"), erased);
}

/// Writes a secret with the mode that it must have.
fn directory_file(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| std::io::Write::write_all(&mut file, bytes)).expect("written");
}

/// Goal: whoever may write to the copy's disk cannot make the follower write, cut or overwrite another file by a link,
/// nor take any directory for a copy that was begun.
#[test]
fn links_in_the_copy_are_not_followed() {
    let node = Node::new();
    let (dir, out, victim) = (node.at("node"), node.at("copy"), node.at("victim"));
    let (_ledger, mut steps) = node.serve(&dir);
    node.seal(&mut steps, 2);
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");
    let content = vec![7; 9_000];
    fs::write(&victim, &content).expect("written");
    let untouched = || fs::read(&victim).expect("it reads") == content;

    // A name that the node has not, and one that it gets.
    let name = out.join("keys/other.pem");
    symlink(&victim, &name).expect("a link");
    follower.step().expect("a step");
    assert!(untouched() && fs::symlink_metadata(&name).expect("not ours").is_symlink());
    fs::write(dir.join("keys/other.pem"), "a certificate").expect("written");
    follower.step().expect("a step");
    assert!(untouched() && !fs::symlink_metadata(&name).expect("a new file").is_symlink());
    assert_eq!(fs::read_to_string(&name).expect("it reads"), "a certificate");

    let mut segments: Vec<_> =
        fs::read_dir(out.join("log/journal")).expect("segments").map(|file| file.expect("one").path()).collect();
    segments.sort();
    let kept = node.at("kept");
    for (number, name) in [segments.pop().expect("one"), out.join("node.toml"), name].into_iter().enumerate() {
        for is_hard in [false, true] {
            fs::rename(&name, &kept).expect("put away");
            let made = if is_hard { fs::hard_link(&victim, &name) } else { symlink(&victim, &name) };
            made.expect("a link");
            node.seal(&mut steps, 1);
            fs::write(dir.join("keys/other.pem"), format!("another one {number}")).expect("written");
            let refused = follower.step();
            assert!(untouched(), "{}", name.display());
            // A segment may be full: then nothing is written to it.
            if number > 0 {
                let refused = refused.expect_err("a link").to_string();
                assert!(refused.contains("link"), "{refused}");
            }
            fs::remove_file(&name).expect("removed");
            fs::rename(&kept, &name).expect("put back");
            follower.step().expect("a step");
        }
    }
    let (log, away) = (out.join("log"), node.at("away"));
    fs::rename(&log, &away).expect("put away");
    symlink(&away, &log).expect("a link");
    node.seal(&mut steps, 1);
    follower.step().expect_err("a directory that is a link");

    let other = node.at("other");
    fs::create_dir_all(other.join("keys")).expect("a directory");
    fs::write(other.join("keys/mine"), "mine").expect("written");
    for status in ["{}", "{\"follows\":\"00\"}", ""] {
        fs::write(other.join("status.json"), status).expect("written");
        let refused = node.follow(&dir, &other).err().expect("somebody's directory");
        assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
    }
    assert_eq!(fs::read_to_string(other.join("keys/mine")).expect("it reads"), "mine");
}

/// Goal: another node of the same length that is put in the place of the followed one, while that runs, is noticed
/// before anything of it is copied.
#[test]
fn a_fork_in_the_place_of_the_node_is_not_followed() {
    let node = Node::new();
    let (dir, out, old) = (node.at("node"), node.at("copy"), node.at("old"));
    copy(&dir, &old);
    let (_ledger, mut steps) = node.serve(&dir);
    node.seal(&mut steps, 5);
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");
    follower.step().expect("its past");
    let twin = Environment {
        tune: Arc::new(|options| options.placement = creditbank_store::Placement::TakeOver),
        ..node.environment.clone()
    };
    let (twin, mut twin_steps) =
        directory::open_stepped::<(), ()>(&twin, &old, &node.config, Limits::default()).expect("it opens");
    node.seal(&mut twin_steps, 5);
    drop((twin, twin_steps));
    learners(&old).insert(&[AccountId([1; 16])], &mut fill(20)).expect("a key");
    let before = fs::read(out.join("learners.keys")).expect("it reads");
    fs::rename(&dir, node.at("away")).and_then(|()| fs::rename(&old, &dir)).expect("exchanged");
    assert!(matches!(follower.step(), Err(BackupError::NotItsPast { .. })));
    assert_eq!(fs::read(out.join("learners.keys")).expect("it reads"), before);
}

/// Goal: a copy is of one log's past: a node that was set back behind it, and one that has another history, do not
/// touch it; a damaged copy is neither gone on with nor restored.
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
    let (followed, restored) = (node.follow(&dir, &out).err(), node.restored(&out, None, None).err());
    assert!(matches!(restored, Some(BackupError::Damaged { .. })), "{restored:?}");
    assert!(matches!(followed, Some(BackupError::Copy { .. })), "{followed:?}");
}

/// Goal: a copy is begun only when that is asked for, so that a share which is not mounted is noticed; one that is
/// there is not begun again; a copy within the node is refused.
#[test]
fn a_copy_is_begun_when_it_is_asked_for() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    assert!(matches!(node.go_on(&dir, &out).err(), Some(BackupError::NotBegun(_))));
    assert!(!out.exists());
    fs::create_dir(&out).expect("a mount point");
    assert!(matches!(node.go_on(&dir, &out).err(), Some(BackupError::NotBegun(_))));
    assert_eq!(fs::read_dir(&out).expect("it is there").count(), 0);
    drop(node.follow(&dir, &out).expect("begun, and ended before the first step"));
    node.go_on(&dir, &out).expect("it was begun").step().expect("a step");
    let options = MakeOptions { with_keys: true, keys_expire_days: 35 };
    let again = Follower::open(&node.environment, &dir, &node.config, &out, options, 5_000, true);
    assert!(matches!(again.err(), Some(BackupError::Begun(_))));
    symlink(&dir, node.at("link")).expect("a link");
    for inside in [dir.join("copy"), node.at("link").join("log/copy")] {
        assert!(matches!(node.follow(&dir, &inside).err(), Some(BackupError::Within { .. })), "{}", inside.display());
        assert!(!inside.exists());
    }
}

/// Goal: a share that goes away while it is followed into leaves an empty directory, or an older copy, under its name:
/// nothing is written there, and once it is back the copy goes on.
#[test]
fn nothing_is_written_below_a_share_that_has_gone() {
    let node = Node::new();
    let (dir, out, share) = (node.at("node"), node.at("copy"), node.at("share"));
    let (ledger, mut steps) = node.serve(&dir);
    node.seal(&mut steps, 3);
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");
    for below in [false, true] {
        fs::rename(&out, &share).expect("it goes");
        if below {
            fs::create_dir(&out).expect("the mount point");
        }
        node.seal(&mut steps, 3);
        for _ in 0..2 {
            let refused = follower.step().expect_err("it is away");
            assert!(matches!(refused, BackupError::Away(_)), "{refused}");
        }
        if below {
            assert_eq!(fs::read_dir(&out).expect("it is there").count(), 0);
            fs::remove_dir(&out).expect("removed");
        }
        assert!(!out.exists());
        fs::rename(&share, &out).expect("it is back");
        assert_eq!(follower.step().expect("a step").size, ledger.size());
        assert_eq!(node.restored(&out, None, None).expect("restored").0, ledger.size());
    }
}

/// Goal: a changed byte in the copy is told from damage of the node, and so is a node with other secrets; each says
/// what to do, in the status too.
#[test]
fn what_is_at_fault_is_named() {
    let node = Node::new();
    let (dir, out) = (node.at("node"), node.at("copy"));
    let (_ledger, mut steps) = node.serve(&dir);
    node.seal(&mut steps, 2);
    let mut follower = node.follow(&dir, &out).expect("a new copy");
    follower.step().expect("a step");

    let other = Node::new();
    let (secrets, mine) = (dir.join("keys/secrets"), fs::read(dir.join("keys/secrets")).expect("it reads"));
    let theirs = fs::read(other.at("node").join("keys/secrets")).expect("it reads");
    fs::write(&secrets, &theirs).expect("written");
    assert!(matches!(follower.step(), Err(BackupError::OtherMaster(path)) if path == secrets.display().to_string()));
    drop(follower);
    assert!(matches!(node.go_on(&dir, &out).err(), Some(BackupError::OtherMaster(_))));
    assert_eq!(fs::read(out.join("keys/secrets")).expect("it reads"), mine);
    fs::write(&secrets, &mine).expect("put back");

    let mut follower = node.go_on(&dir, &out).expect("it goes on");
    node.seal(&mut steps, 1);
    let mut segments: Vec<_> =
        fs::read_dir(out.join("log/journal")).expect("segments").map(|file| file.expect("one").path()).collect();
    segments.sort();
    let last = segments.last().expect("a segment");
    let mut bytes = fs::read(last).expect("it reads");
    let at = bytes.len() - 40;
    bytes[at] ^= 1;
    fs::write(last, bytes).expect("written");
    let error = follower.step().expect_err("the copy is damaged");
    assert!(matches!(error, BackupError::Copy { .. }) && error.to_string().contains("--new"), "{error}");
    let status = || fs::read_to_string(out.join("status.json")).expect("a status");
    assert!(status().contains("the copy in"), "{}", status());
    drop(follower);
    fs::write(out.join("status.json"), status().replace("the copy in", "an older error in")).expect("written");
    let error = node.go_on(&dir, &out).err().expect("the copy is damaged");
    assert!(matches!(error, BackupError::Copy { .. }), "{error}");
    assert!(status().contains("the copy in"), "{}", status());
}

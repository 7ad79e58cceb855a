//! Keys that rot, and files that are taken away, under a node that works.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use creditbank_protocol::pb::Kind;
use creditbank_rpc::v1 as api;
use creditbank_server::append::{AccountError, Person};
use creditbank_server::directory::{self, DirectoryError};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Ledger, Limits, OpenError};
use creditbank_store::{KeyStore, RealDisk};
use creditbank_tests::acts::{alias as alias_of, citizen, submit};
use creditbank_tests::university::{record, student};
use creditbank_tests::{TestNode, University};

use super::prepared::master_key;
use super::read_only::with_room;
use super::shared;

fn open(environment: &Environment, dir: &Path) -> Ledger {
    let config = directory::read_config(environment, dir).expect("a configuration");
    directory::open_stepped::<(), ()>(environment, dir, &config, Limits::default()).expect("the node opens").0
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[at] ^= 1;
    // In place: the node has the file open.
    let file = fs::OpenOptions::new().write(true).open(path).expect("opened");
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes[at..=at], at as u64).expect("written");
}

/// Goal: rot in the learners' keys, the secrets and the key files is told by a node that needs none of them from the
/// disk any more: its next start would be refused.
#[test]
fn keys_that_rot_under_a_node_are_told() {
    let prepared = shared();
    for (file, at, expected) in [
        ("learners.keys", 84 + 3 * 93 + 30, "record 3 cannot be read"),
        ("learners.keys", 40, "the header is not the one"),
        ("keys/secrets", 60, "keys/secrets is damaged"),
        ("keys/statement.key", 30, "statement"),
        ("keys/log.key", 30, "log"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        prepared.copy_to(dir.path());
        let ledger = open(&prepared.environment, dir.path());
        let mut scrubber = ledger.scrubber().expect("a log on a disk");
        let now_ms = prepared.environment.clock.now_ms();
        scrubber.step(now_ms).expect("read");
        assert_eq!(ledger.health().problems(), Vec::<String>::new(), "{file}");
        flip(&dir.path().join(file), at);
        scrubber.step(now_ms + 86_400_000).expect("read");
        let problems = ledger.health().problems();
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{file}: {problems:?}");
    }
}

/// Goal: a file that is taken away, cut or replaced under a node stops its writing until it is back, and says which.
#[test]
fn files_that_are_taken_away_stop_the_writing() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    let ledger = open(&prepared.environment, dir.path());
    ledger.look();
    assert_eq!(ledger.health().problems(), Vec::<String>::new());
    let mut segments: Vec<_> =
        fs::read_dir(dir.path().join("log/journal")).expect("segments").map(|one| one.expect("one").path()).collect();
    segments.sort();
    let last = segments.pop().expect("a segment");
    for path in [dir.path().join("learners.keys"), dir.path().join("log/guard"), last] {
        let aside = dir.path().join("aside");
        let is_told = || {
            ledger.look();
            let problems = ledger.health().problems();
            let name = path.display().to_string();
            problems.iter().any(|problem| problem.starts_with("read-only") && problem.contains(&name))
        };
        fs::rename(&path, &aside).expect("moved");
        assert!(is_told(), "{}: removed", path.display());
        fs::copy(&aside, &path).expect("copied");
        assert!(is_told(), "{}: another file in its place", path.display());
        fs::rename(&aside, &path).expect("moved back");
        ledger.look();
        assert_eq!(ledger.health().problems(), Vec::<String>::new(), "{}: it is back", path.display());
    }
}

/// Goal: a full disk is told before anybody writes, and no longer than it lasts.
#[test]
fn the_health_follows_the_room() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    let room = Arc::new(AtomicU64::new(u64::MAX));
    let environment = with_room(&room);
    for starts_full in [false, true] {
        room.store(if starts_full { 0 } else { u64::MAX }, Ordering::Relaxed);
        let ledger = open(&environment, dir.path());
        for free in [0, 999, 1_000, 0, u64::MAX] {
            room.store(free, Ordering::Relaxed);
            ledger.look();
            let problems = ledger.health().problems();
            assert_eq!(problems.iter().any(|problem| problem.starts_with("read-only")), free < 1_000, "{problems:?}");
        }
    }
}

/// Goal: while nothing can be written, an institution gets the aliases of those whom it has named before by student
/// number, and learns about nobody else whether the node knows them.
#[test]
fn aliases_are_found_without_room() {
    let prepared = shared();
    let dir = tempfile::tempdir().expect("a directory");
    prepared.copy_to(dir.path());
    let room = Arc::new(AtomicU64::new(u64::MAX));
    let environment = with_room(&room);
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let ledger = directory::open(&environment, dir.path(), &config, Limits::default()).expect("the node opens");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ask = |persons: &[api::Person]| {
        let persons = persons.iter().enumerate().map(|(at, person)| Person::new(at, person.identities.clone()));
        runtime.block_on(ledger.open_accounts(1.into(), persons.collect::<Result<_, _>>().expect("persons")))
    };
    let named = [student("A-1"), student("A-2")];
    let aliases = ask(&named).expect("opened");
    ask(&[citizen(1)]).expect("found");
    room.store(0, Ordering::Relaxed);
    assert_eq!(ask(&named).expect("found"), aliases);
    let both = api::Person { identities: [student("A-1").identities, citizen(1).identities].concat() };
    for others in [vec![student("A-3")], vec![student("A-1"), student("A-3")], vec![citizen(1)], vec![both]] {
        let refused = ask(&others);
        assert!(matches!(refused, Err(AccountError::NoRoom { .. })), "{refused:?}");
    }
}

/// Goal: an older file of learners' keys that has as many records, and lacks an erasure, is refused: it would bring
/// back a destroyed key.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_brings_back_no_destroyed_key() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = university.client(&node).await;
    let (gone, other) = (alias_of(&node, &university, 1).await, alias_of(&node, &university, 2).await);
    let credit = |alias, code: &str| record(Kind::Credit, &creditbank_fixtures::credit(alias, code), 1);
    submit(&client, &university, &[credit(gone, "AAA"), credit(other, "AAA")], Vec::new()).await.expect("issued");
    let account = node.ledger().account(1.into(), &gone).expect("an account");
    let dir = node.stop().await;
    let path = dir.path().join("learners.keys");
    let older = fs::read(&path).expect("read");
    let mut next = 0u8;
    let fill = &mut |bytes: &mut [u8]| {
        next = next.wrapping_add(1);
        bytes.fill(next);
    };
    let keys = KeyStore::open(&RealDisk::shared(), 0, &path, &master_key(dir.path()), 1, fill).expect("the key store");
    keys.erase(&account, fill).expect("erased");
    drop(keys);
    let node = TestNode::again(dir).await;
    let client = university.client(&node).await;
    submit(&client, &university, &[credit(other, "BBB")], Vec::new()).await.expect("issued");
    let dir = node.stop().await;
    assert_eq!(fs::metadata(&path).expect("there").len(), older.len() as u64);
    fs::write(&path, older).expect("written");
    let config = directory::read_config(&Environment::system(), dir.path()).expect("a configuration");
    let refused = directory::open(&Environment::system(), dir.path(), &config, Limits::default()).err();
    assert!(
        matches!(refused, Some(DirectoryError::Open(OpenError::Erased { expected: 1, found: 0 }))),
        "{:?}",
        refused.map(|error| error.to_string())
    );
}

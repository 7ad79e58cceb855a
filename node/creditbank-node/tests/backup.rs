//! A backup that is made under load restores to a node that is whole, gives the same receipts, and never signs a second
//! history.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use creditbank_protocol::Digest;
use creditbank_protocol::note::{Checkpoint, sign_checkpoint};
use creditbank_protocol::pb::{Purpose, Receipt};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_server::clock::Clock;
use creditbank_server::directory::{read_config, read_key};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use creditbank_server::operate::backup::{BackupError, MakeOptions, RestoreOptions, make, restore};
use creditbank_store::inspect::JournalReader;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_creditbank-node");
/// 2026-01-01.
const NOW_MS: u64 = 1_767_225_600_000;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(BINARY).args(arguments).output().expect("it runs");
    (run.status.code(), format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr)))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

/// Takes the registry keys out of a node's directory: a node that has them there is neither served nor backed up.
fn apart(dir: &Path, to: &Path) {
    for name in ["registry.key", "next-registry.key"] {
        fs::rename(dir.join("keys").join(name), to.join(name)).expect("moved");
    }
}

type Sent = Vec<(SubmitBlockRequest, Receipt)>;

/// Issues block after block until it is told to stop.
async fn issue(node: &TestNode, university: &University, stop: &AtomicBool, least: usize) -> Sent {
    let client = university.client(node).await;
    let mut chain = Chain::of(&client, university).await;
    let mut sent = Vec::new();
    while sent.len() < least || !stop.load(Ordering::Relaxed) {
        // New learners all the time, so that keys are made while the backup copies them.
        let number = chain.head.next_height;
        let alias = university.aliases(node, number..=number).await[0];
        let request = chain.block(university, &[credit_record(alias, "A-1")], Vec::new());
        let receipt = client.submit(request.clone()).await.expect("sealed");
        chain.advance(&request);
        sent.push((request, receipt));
    }
    sent
}

async fn checkpoint(node: &TestNode, dir: &Path, name: &str) -> std::path::PathBuf {
    let (_, note) = node.operator().await.checkpoint().await.expect("a checkpoint");
    let path = dir.join(name);
    fs::write(&path, note).expect("written");
    path
}

async fn with_every_engine(store: &str) {
    let node = TestNode::with(store.parse().expect("a store"), None, Limits::default()).await;
    let universities = [University::admit(&node, 1).await, University::admit(&node, 2).await];
    let places = tempfile::tempdir().expect("a directory");
    apart(node.dir(), places.path());
    let out = places.path().join("backup");
    let stop = AtomicBool::new(true);
    let before = issue(&node, &universities[0], &stop, 20).await;
    let seen_before = checkpoint(&node, places.path(), "seen-before").await;
    stop.store(false, Ordering::Relaxed);
    let backing_up = async {
        let arguments = ["backup", "--dir", text(node.dir()), "--out", text(&out)].map(str::to_owned);
        let done = tokio::task::spawn_blocking(move || run(&arguments.each_ref().map(String::as_str))).await;
        stop.store(true, Ordering::Relaxed);
        done.expect("it runs")
    };
    let (first, second, (code, said)) =
        tokio::join!(issue(&node, &universities[0], &stop, 5), issue(&node, &universities[1], &stop, 5), backing_up);
    assert_eq!(code, Some(0), "{said}");
    let seen_after = checkpoint(&node, places.path(), "seen-after").await;
    // An account without a record: no checkpoint shows that it was opened.
    let newcomer = universities[0].aliases(&node, 1_000_000..=1_000_000).await[0];
    let dir = node.stop().await;

    // Nobody says what was published: refused, with what is at stake.
    let target = tempfile::tempdir().expect("a directory");
    let (code, said) = run(&["restore", "--from", text(&out), "--dir", text(target.path())]);
    assert!(code == Some(2) && said.contains("second history"), "{code:?} {said}");
    let arguments = ["restore", "--from", text(&out), "--seen", text(&seen_before), "--dir", text(target.path())];
    let (code, said) = run(&arguments);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("other aliases"), "what no checkpoint shows is said: {said}");
    let (code, said) = run(&arguments);
    assert!(code == Some(2) && said.contains("not empty"), "{code:?} {said}");
    let (code, said) = run(&["check", "--dir", text(target.path())]);
    assert_eq!(code, Some(0), "{store}: {said}");
    let (code, said) = run(&["serve", "--dir", text(target.path())]);
    assert!(code == Some(1) && said.contains("old node does not run"), "a restored node is a copy: {said}");
    let restored = TestNode::of_copy(target).await;
    let client = universities[0].client(&restored).await;
    for (request, receipt) in &before {
        let again = client.submit(request.clone()).await.expect("it is there");
        assert_eq!(again, *receipt, "{store}: acknowledged before the backup");
    }
    let learner = universities[0].aliases(&restored, 0..1).await[0];
    let reference = creditbank_rpc::v1::learner_reference::Learner::Alias(creditbank_rpc::v1::InstitutionAlias {
        institution: 1,
        alias: learner.to_vec(),
    });
    client.transcript(reference).await.expect("its records open");
    let again = universities[0].aliases(&restored, 1_000_000..=1_000_000).await[0];
    assert_ne!(again, newcomer, "what `restore` warns of");
    drop(restored);

    // Others have seen more than the backup has: restored, but not served until the log has it.
    let held = tempfile::tempdir().expect("a directory");
    let (code, said) = run(&["restore", "--from", text(&out), "--seen", text(&seen_after), "--dir", text(held.path())]);
    assert!(code == Some(3) && said.contains("HELD"), "{said}");
    let (code, said) = run(&["serve", "--dir", text(held.path())]);
    assert!(code == Some(1) && said.contains("second history"), "{code:?} {said}");
    let (code, said) = run(&["check", "--dir", text(held.path())]);
    assert!(code == Some(0) && said.contains("HELD"), "{said}");
    fs::remove_dir_all(held.path().join("log/journal")).expect("gone");
    fs::create_dir(held.path().join("log/journal")).expect("made");
    for entry in fs::read_dir(dir.path().join("log/journal")).expect("the journal") {
        let path = entry.expect("a file").path();
        fs::copy(&path, held.path().join("log/journal").join(path.file_name().expect("a name"))).expect("copied");
    }
    for name in ["log/guard", "learners.keys"] {
        fs::copy(dir.path().join(name), held.path().join(name)).expect("copied");
    }
    let (code, said) = run(&["reindex", "--dir", text(held.path())]);
    assert!(code == Some(1) && said.contains("--take-over"), "the guard was written elsewhere: {said}");
    assert_eq!(run(&["reindex", "--take-over", "--dir", text(held.path())]).0, Some(0));
    let whole = TestNode::again(held).await;
    assert!(!whole.dir().join("log/held").exists(), "what was missing is there");
    for (university, sent) in universities.iter().zip([first, second]) {
        let client = university.client(&whole).await;
        for (request, receipt) in sent {
            let again = client.submit(request).await.expect("it is there");
            assert_eq!(again, receipt, "{store}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_restores_on_sled() {
    Box::pin(with_every_engine("sled:log")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_restores_on_fjall() {
    Box::pin(with_every_engine("fjall:log")).await;
}

/// A stopped node with some records, and a place for backups.
async fn stopped() -> (TempDir, TempDir) {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    issue(&node, &university, &AtomicBool::new(true), 3).await;
    (node.stop().await, tempfile::tempdir().expect("a directory"))
}

/// A clock that stands still.
struct At(u64);

impl Clock for At {
    fn now_ms(&self) -> u64 {
        self.0
    }

    fn monotonic_ms(&self) -> u64 {
        0
    }
}

fn environment_at(now_ms: u64) -> Environment {
    Environment { clock: Arc::new(At(now_ms)), ..Environment::system() }
}

fn options() -> RestoreOptions {
    RestoreOptions { seen: Vec::new(), nothing_published: true, accept_expired: false, keys: None, to: None }
}

fn back_up(dir: &Path, out: &Path, with_keys: bool) {
    let made = MakeOptions { with_keys, keys_expire_days: 35 };
    let environment = environment_at(NOW_MS);
    let config = read_config(&environment, dir).expect("a node");
    make(&environment, dir, &config, out, made, &mut |_, _| {}).expect("a backup");
}

fn try_restore(out: &Path, options: &RestoreOptions) -> Result<(), BackupError> {
    try_restore_at(NOW_MS, out, options)
}

fn try_restore_at(now_ms: u64, out: &Path, options: &RestoreOptions) -> Result<(), BackupError> {
    let target = tempfile::tempdir().expect("a directory");
    let restored = restore(&environment_at(now_ms), out, target.path(), options, &mut |_, _| {}).map(|_| ());
    if restored.is_err() {
        assert!(!target.path().join("node.toml").exists(), "what is refused makes no node");
    }
    restored
}

/// Goal: one flipped byte in any file of a backup is found before anything is restored.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_backup_is_refused() {
    let (dir, places) = stopped().await;
    let out = places.path().join("backup");
    back_up(dir.path(), &out, true);
    try_restore(&out, &options()).expect("it is good");
    let mut todo = vec![out.clone()];
    let mut flipped = 0;
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).expect("a directory") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let whole = fs::read(&path).expect("a file");
            let mut changed = whole.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 1;
            fs::write(&path, changed).expect("written");
            assert!(try_restore(&out, &options()).is_err(), "{} was changed", path.display());
            fs::write(&path, whole).expect("mended");
            flipped += 1;
        }
    }
    assert!(flipped >= 10, "{flipped} files");
    try_restore(&out, &options()).expect("it is good again");
}

/// Goal: a backup of keys that are damaged is none: the command names the file and fails, once and following.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_keys_are_not_backed_up() {
    let (dir, places) = stopped().await;
    let follow = places.path().join("follow");
    let followed = || run(&["backup", "--dir", text(dir.path()), "--follow", text(&follow), "--once"]);
    assert_eq!(run(&["backup", "--dir", text(dir.path()), "--follow", text(&follow), "--once", "--new"]).0, Some(0));
    let learners = dir.path().join("learners.keys");
    let whole = fs::read(&learners).expect("the keys");
    let good = fs::read(follow.join("learners.keys")).expect("the copy");
    for at in [40, 84 + 50, whole.len() - 20] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&learners, bytes).expect("written");
        let out = places.path().join(format!("out-{at}"));
        let (code, said) = run(&["backup", "--dir", text(dir.path()), "--out", text(&out)]);
        assert!(code == Some(1) && said.contains("learners.keys"), "byte {at}: {said}");
        assert!(!out.join("backup.json").exists(), "byte {at}: nothing that restore would take");
        let (code, said) = followed();
        assert!(code == Some(1) && said.contains("learners.keys"), "byte {at}: {said}");
        let status = fs::read_to_string(follow.join("status.json")).expect("a status");
        assert!(status.contains("\"error\""), "byte {at}: {status}");
        assert_eq!(fs::read(follow.join("learners.keys")).expect("the copy"), good, "the good keys stay");
    }
    fs::write(&learners, whole).expect("mended");
    for name in ["statement.key", "credential.key"] {
        let path = dir.path().join("keys").join(name);
        let key = fs::read_to_string(&path).expect("a key");
        let at = key.trim_end().len() - 2;
        let other = if &key[at..=at] == "0" { "1" } else { "0" };
        fs::write(&path, format!("{}{other}{}", &key[..at], &key[at + 1..])).expect("written");
        let (code, said) =
            run(&["backup", "--dir", text(dir.path()), "--out", text(&places.path().join(format!("out-{name}")))]);
        assert!(code == Some(1) && said.contains(name), "{said}");
        let (code, said) = followed();
        assert!(code == Some(1) && said.contains(name), "{said}");
        fs::write(&path, key).expect("mended");
    }
    assert_eq!(followed().0, Some(0));
}

/// Goal: where a segment of the node is damaged, its own file is named, not the copy of it, and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_segment_is_the_nodes() {
    let (dir, places) = stopped().await;
    let journal = fs::read_dir(dir.path().join("log/journal")).expect("segments");
    let segment = journal.map(|file| file.expect("one").path()).min().expect("a segment");
    let whole = fs::read(&segment).expect("read");
    let follow = places.path().join("follow");
    let begin = ["backup", "--dir", text(dir.path()), "--follow", text(&follow), "--once", "--new"];
    for (name, at) in [("first", 300), ("last", whole.len() - 40)] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&segment, bytes).expect("written");
        let out = places.path().join(name);
        for arguments in [&["backup", "--dir", text(dir.path()), "--out", text(&out)][..], &begin] {
            let (code, said) = run(arguments);
            let is_told = said.contains(text(&segment)) && said.contains("the node's own file");
            assert!(code == Some(1) && is_told && said.contains("check"), "{name}, {arguments:?}: {said}");
        }
        fs::remove_dir_all(&follow).expect("nothing was published there");
        assert!(!out.join("backup.json").exists(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_expire_and_may_be_kept_elsewhere() {
    let (dir, places) = stopped().await;
    let out = places.path().join("backup");
    back_up(dir.path(), &out, false);
    assert!(!out.join("keys").exists());
    assert!(matches!(try_restore(&out, &options()), Err(BackupError::NoKeys)));
    let with_keys = RestoreOptions { keys: Some(dir.path().join("keys")), ..options() };
    try_restore(&out, &with_keys).expect("with the keys it is whole");
    let late = NOW_MS + 36 * 86_400_000;
    assert!(matches!(try_restore_at(late, &out, &with_keys), Err(BackupError::Expired { days: 1 })));
    try_restore_at(late, &out, &RestoreOptions { accept_expired: true, ..with_keys }).expect("accepted");
}

/// Goal: a checkpoint that the log key has signed and the backup contradicts is a fork; one of another key is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_published_checkpoint_that_contradicts_is_a_fork() {
    let (dir, places) = stopped().await;
    let out = places.path().join("backup");
    back_up(dir.path(), &out, true);
    let key = |purpose| read_key(&Environment::system(), dir.path(), purpose).expect("a key").key;
    let other = Checkpoint { origin: ORIGIN.to_owned(), size: 5, root: Digest([5; 32]) };
    let seen = places.path().join("seen");
    let with = RestoreOptions { seen: vec![seen.clone()], nothing_published: false, ..options() };
    fs::write(&seen, sign_checkpoint(&other, &key(Purpose::Log)).expect("a note")).expect("written");
    assert!(matches!(try_restore(&out, &with), Err(BackupError::Fork { size: 5, .. })));
    fs::write(&seen, sign_checkpoint(&other, &key(Purpose::Registry)).expect("a note")).expect("written");
    assert!(matches!(try_restore(&out, &with), Err(BackupError::Seen { .. })));
}

/// Goal: an index or flat files that are gone or damaged come back from the journal.
#[tokio::test(flavor = "multi_thread")]
async fn reindex_rebuilds_what_is_derived() {
    let (dir, _places) = stopped().await;
    for name in ["log/index", "log/flat"] {
        fs::remove_dir_all(dir.path().join(name)).expect("gone");
    }
    assert_eq!(run(&["check", "--dir", text(dir.path())]).0, Some(1));
    let (code, said) = run(&["reindex", "--dir", text(dir.path()), "--json"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["check", "--dir", text(dir.path())]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["reindex", "--dir", text(&dir.path().join("elsewhere"))]);
    assert!(code == Some(2) && said.contains("holds no node"), "{said}");
}

/// Goal: the command follows, says how far it is, goes on with what it has, and restores it to a point.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_followed_by_the_command() {
    let (dir, around) = stopped().await;
    apart(dir.path(), around.path());
    let (copy, back) = (around.path().join("copy"), around.path().join("back"));
    let follow = |more: &[&str]| {
        let all = [&["backup", "--dir", text(dir.path()), "--follow", text(&copy), "--once"], more].concat();
        run(&all)
    };
    let (code, said) = follow(&[]);
    assert!(code == Some(1) && said.contains("--new") && !copy.exists(), "{said}");
    let (code, said) = follow(&["--lag", "3s", "--new"]);
    assert!(said.contains("same file system"), "{said}");
    assert!(code == Some(0) && said.contains("all that the node had made durable at 20"), "{said}");
    let (code, said) = follow(&["--json"]);
    assert!(code == Some(0) && said.contains("\"complete_at_ms\""), "{said}");
    let (code, said) = follow(&["--lag", "soon"]);
    assert!(code == Some(2) && said.contains("expected seconds"), "{said}");
    let restore =
        |to: &str| run(&["restore", "--from", text(&copy), "--nothing-published", "--to", to, "--dir", text(&back)]);
    let (code, said) = restore("1970-01-01T00:00Z");
    assert!(code == Some(2) && said.contains("no seal at or before"), "{said}");
    let (code, said) = restore("yesterday");
    assert!(code == Some(2) && said.contains("2026-11-26T09:30Z"), "{said}");
    let (code, said) = follow(&["--new"]);
    assert!(code == Some(2) && said.contains("holds a copy already"), "{said}");
    let (code, said) = run(&["backup", "--dir", text(dir.path())]);
    assert!(code == Some(2) && said.contains("--out") && said.contains("--follow"), "{said}");
    let (code, said) = restore("2100-01-01T00:00:30Z");
    assert!(code == Some(0) && said.contains("holds the log up to entry"), "{said}");
    assert_eq!(run(&["check", "--dir", text(&back)]).0, Some(0));
}

/// Copies a directory as it is.
fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("a directory") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_all(&path, &target);
        } else {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

/// What a log that goes on is made of: the old directory, its size, the registry key.
fn succeed(dir: &Path, to: &Path, size: u64, registry_key: &Path) -> (Option<i32>, String) {
    let (size, origin) = (size.to_string(), "test.example/second");
    let named = ["--origin", origin, "--registry-key", text(registry_key), "--case", "2026-7", "--size", &size];
    run(&[&["succeed", "--dir", text(dir), "--to", text(to)], &named[..]].concat())
}

/// The number behind an option in what was said.
fn told(said: &str, option: &str) -> u64 {
    let mut words = said.split_whitespace().skip_while(|word| *word != option);
    words.nth(1).and_then(|word| word.parse().ok()).expect("a number")
}

/// A node that serves, of which a copy lacks the last rounds: the copy, a checkpoint of the node, and where the rest
/// is.
async fn copied_too_early() -> (TestNode, TempDir) {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let around = tempfile::tempdir().expect("a directory");
    for course in ["A-1", "A-2"] {
        chain.issue(&client, &university, &[credit_record(alias, course)]).await;
    }
    apart(node.dir(), around.path());
    let copy = around.path().join("copy");
    let (code, said) = run(&["backup", "--dir", text(node.dir()), "--follow", text(&copy), "--new", "--once"]);
    assert_eq!(code, Some(0), "{said}");
    chain.issue(&client, &university, &[credit_record(alias, "A-3")]).await;
    checkpoint(&node, around.path(), "seen").await;
    (node, around)
}

/// Goal: a copy of a node that died, restored and held, goes on as the command says, with all that it has; its journal
/// lacks the signatures of its last checkpoint. So does one that is restored to a point. What is lost is not called
/// nothing, and nobody is called a thief.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_restore_goes_on_under_another_name() {
    let (node, around) = copied_too_early().await;
    let (copy, seen) = (around.path().join("copy"), around.path().join("seen"));
    let registry_key = around.path().join("registry.key");
    let newest = node.ledger().size();
    for point in [None, Some("2100-01-01T00:00Z"), Some("9")] {
        let restored = tempfile::tempdir().expect("a directory");
        let to = tempfile::tempdir().expect("a directory");
        let mut arguments =
            vec!["restore", "--from", text(&copy), "--seen", text(&seen), "--dir", text(restored.path())];
        arguments.extend(point.iter().flat_map(|point| ["--to", *point]));
        let (code, said) = run(&arguments);
        assert!(code == Some(3) && said.contains("HELD") && said.contains("succeed"), "{code:?} {said}");
        let size = told(&said, "--size");
        let (code, said) = run(&["serve", "--take-over", "--dir", text(restored.path())]);
        assert!(code != Some(0), "{said}");
        let (code, said) = succeed(restored.path(), to.path(), size, &registry_key);
        assert_eq!(code, Some(0), "{point:?}: {said}");
        assert!(said.contains(&format!("seen {newest} entries")) && !said.contains("Nothing is lost"), "{said}");
        assert!(said.contains("tell all units"), "{said}");
        let trust = fs::read_to_string(to.path().join("trust.toml")).expect("a trust file");
        assert!(trust.contains("former = ") && !trust.contains("stolen"), "{trust}");
        let (code, said) = run(&["check", "--dir", text(to.path())]);
        assert_eq!(code, Some(0), "{said}");
        let next = TestNode::again(to).await;
        assert!(next.ledger().size() > size);
        let receipt = next.ledger().receipt(creditbank_protocol::LogIndex(size - 2)).expect("of the last round");
        assert_eq!(receipt, node.ledger().receipt(creditbank_protocol::LogIndex(size - 2)).expect("the same"));
    }
}

/// Goal: a start that finds its address in use, which may be the old node, takes nothing over.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_takes_nothing_over() {
    let (dir, places) = stopped().await;
    let moved = places.path().join("moved");
    copy_all(dir.path(), &moved);
    fs::remove_dir_all(dir.path().join("log")).expect("removed");
    for name in ["registry.key", "next-registry.key"] {
        fs::remove_file(moved.join("keys").join(name)).expect("removed");
    }
    let config = fs::read_to_string(moved.join("node.toml")).expect("a configuration");
    let old = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = old.local_addr().expect("an address");
    let listen = config.lines().find(|line| line.starts_with("listen = ")).expect("an address");
    let there = config.replacen(listen, &format!("listen = \"{address}\""), 1);
    fs::write(moved.join("node.toml"), there).expect("written");
    let (code, said) = run(&["serve", "--take-over", "--dir", text(&moved)]);
    let is_told = said.contains("cannot listen on") && said.contains("`listen`") && said.contains("runs already");
    assert!(code == Some(1) && is_told, "{code:?} {said}");
    fs::write(moved.join("node.toml"), config).expect("written");
    let (code, said) = run(&["serve", "--dir", text(&moved)]);
    assert!(code == Some(1) && said.contains("--take-over"), "{code:?} {said}");
}

/// Goal: the files of a node that was killed, with a round that was torn by it, go on without being served before.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_goes_on_under_another_name() {
    let (node, around) = copied_too_early().await;
    let killed = around.path().join("killed");
    copy_all(node.dir(), &killed);
    let mut segments: Vec<_> =
        fs::read_dir(killed.join("log/journal")).expect("segments").map(|file| file.expect("one").path()).collect();
    segments.sort();
    let last = segments.last().expect("a segment");
    let environment = Environment::system();
    let log = read_config(&environment, &killed).expect("a configuration").beginning().genesis().0;
    let mut end = 0;
    let journal = JournalReader::new(&environment.disk, &killed.join("log"), log);
    let read = journal.rounds(1, |round| {
        end = usize::try_from(round.position.offset + round.frame_len()).expect("small");
        ControlFlow::Continue(())
    });
    read.expect("it reads");
    let mut bytes = fs::read(last).expect("it reads");
    bytes.truncate(end);
    bytes.extend_from_slice(&[0x5a; 60]);
    fs::write(last, bytes).expect("written");
    let registry_key = around.path().join("registry.key");
    let to = tempfile::tempdir().expect("a directory");
    let (code, said) = succeed(&killed, &killed.join("next"), node.ledger().size(), &registry_key);
    assert!(code == Some(2) && said.contains("is inside"), "{said}");
    let (code, said) = succeed(&killed, to.path(), node.ledger().size(), &registry_key);
    assert!(code == Some(0) && said.contains("Nothing is lost") && !said.contains("units above"), "{said}");
    assert_eq!(run(&["check", "--dir", text(to.path())]).0, Some(0));
}

/// Goal: a time is its beginning: a seal later in the same minute, or in the same second, lies behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_does_not_go_past_its_time() {
    let (dir, around) = stopped().await;
    let out = around.path().join("backup");
    back_up(dir.path(), &out, true);
    let restore = |to: &str| {
        let back = tempfile::tempdir().expect("a directory");
        let arguments = ["restore", "--from", text(&out), "--nothing-published", "--accept-expired", "--json"];
        run(&[&arguments[..], &["--to", to, "--dir", text(back.path())]].concat())
    };
    let sealed = |said: &str| {
        let line = said.lines().find(|line| line.starts_with('{')).expect("an object");
        serde_json::from_str::<serde_json::Value>(line).expect("JSON")["sealed_ms"].as_u64().expect("a time")
    };
    let (_, said) = restore("2100-01-01T00:00Z");
    let newest = sealed(&said);
    let moment = creditbank_protocol::dates::show_moment(newest);
    assert_eq!(sealed(&restore(&moment).1), newest);
    let second = format!("{}Z", &moment[..19]);
    let minute = format!("{}Z", &moment[..16]);
    for (to, end_ms) in [(second, newest / 1_000 * 1_000), (minute, newest / 60_000 * 60_000)] {
        let (code, said) = restore(&to);
        // All seals may lie behind it.
        assert!(if code == Some(2) { said.contains("no seal") } else { sealed(&said) <= end_ms }, "{to}: {said}");
    }
}

/// Goal: a backup is checked where it lies, with and without its keys, and a flipped byte in it is found.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_checked() {
    let (dir, around) = stopped().await;
    apart(dir.path(), around.path());
    let (out, bare, copy) = (around.path().join("out"), around.path().join("bare"), around.path().join("copy"));
    back_up(dir.path(), &out, true);
    back_up(dir.path(), &bare, false);
    assert_eq!(run(&["backup", "--dir", text(dir.path()), "--follow", text(&copy), "--new", "--once"]).0, Some(0));
    for backup in [&out, &copy] {
        let (code, said) = run(&["check", "--dir", text(backup)]);
        assert!(code == Some(0) && said.contains("a backup of a log"), "{said}");
    }
    let (code, said) = run(&["check", "--dir", text(&bare)]);
    assert!(code == Some(2) && said.contains("--keys"), "{said}");
    let keys = dir.path().join("keys");
    assert_eq!(run(&["check", "--dir", text(&bare), "--keys", text(&keys)]).0, Some(0));
    for name in ["learners.keys", "node.toml", "log/guard"] {
        let whole = fs::read(out.join(name)).expect("it reads");
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        fs::write(out.join(name), flipped).expect("written");
        let (code, said) = run(&["check", "--dir", text(&out)]);
        assert!(code == Some(1), "{name}: {code:?} {said}");
        fs::write(out.join(name), whole).expect("mended");
    }
}

/// Goal: what is no backup, no place for a copy, or a node whose guard is gone, is said to be that.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_places_are_named() {
    let (dir, around) = stopped().await;
    let elsewhere = tempfile::tempdir().expect("a directory");
    apart(dir.path(), elsewhere.path());
    let (absent, back) = (around.path().join("absent"), elsewhere.path().join("back"));
    let restore = |from: &Path| run(&["restore", "--from", text(from), "--nothing-published", "--dir", text(&back)]);
    let (code, said) = restore(&absent);
    assert!(code == Some(2) && said.contains("no such directory"), "{said}");
    let (code, said) = restore(dir.path());
    assert!(code == Some(2) && said.contains("it is a node's directory"), "{said}");
    let (code, said) = restore(around.path());
    assert!(code == Some(2) && said.contains("no backup.json"), "{said}");
    let inside = dir.path().join("log/copy");
    for target in [&["--out", text(&inside)][..], &["--follow", text(&inside), "--new", "--once"]] {
        let (code, said) = run(&[&["backup", "--dir", text(dir.path())], target].concat());
        assert!(code == Some(2) && said.contains("never inside") && !inside.exists(), "{said}");
    }
    if Path::new("/proc/self").exists() {
        let (code, said) = run(&["backup", "--dir", text(dir.path()), "--out", "/proc/creditbank"]);
        assert!(code == Some(1) && said.contains("/proc/creditbank"), "{said}");
    }
    let guard = dir.path().join("log/guard");
    let len = fs::metadata(&guard).expect("a guard").len();
    fs::write(&guard, vec![0; usize::try_from(len).expect("small")]).expect("written");
    let (code, said) = run(&["backup", "--dir", text(dir.path()), "--out", text(&back)]);
    assert!(code == Some(1) && said.contains("missing or empty"), "{said}");
}

//! A node's directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use creditbank_protocol::UnitId;
use creditbank_protocol::pb::Purpose;
use creditbank_rpc::Reason;
use creditbank_rpc::refusal::from_status;
use creditbank_rpc::v1::GetBlockRequest;
use creditbank_server::directory::{self, InitError, StoreUrl};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_the_owners_alone() {
    let node = TestNode::start().await;
    let keys = fs::read_dir(node.dir().join("keys")).expect("the keys");
    let mut files = 0;
    for file in keys {
        let file = file.expect("a file");
        assert_eq!(file.metadata().expect("its mode").permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        files += 1;
    }
    // Of a test node the two registry keys lie there too.
    assert_eq!(files, 7);
    let dir = node.stop().await;
    let log_key = directory::key_path(dir.path(), Purpose::Log);
    fs::set_permissions(&log_key, fs::Permissions::from_mode(0o644)).expect("chmod");
    let error = open(dir.path()).expect_err("a key that others may read");
    assert!(error.contains("chmod 600"), "{error}");
}

fn open(dir: &std::path::Path) -> Result<(), String> {
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir).map_err(|error| error.to_string())?;
    let opened = directory::open(&environment, dir, &config, Limits::default());
    opened.map(|_| ()).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_holds_one_node_and_one_process() {
    let node = TestNode::start().await;
    let environment = Environment::system();
    let again = directory::init(
        &environment,
        node.dir(),
        &directory::keys_dir(node.dir()),
        ORIGIN,
        StoreUrl::Memory,
        ([127, 0, 0, 1], 0).into(),
        None,
    );
    assert!(matches!(again, Err(InitError::Exists(_))));
    let error = open(node.dir()).expect_err("a second process");
    assert!(error.contains("another process") || error.contains("lock"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_stand_in_a_checkpoint() {
    let dir = tempfile::tempdir().expect("a directory");
    for name in ["", "https://credits.example", "two words", "tab\t", &"x".repeat(200)] {
        let environment = Environment::system();
        let made = directory::init(
            &environment,
            dir.path(),
            &directory::keys_dir(dir.path()),
            name,
            StoreUrl::Memory,
            ([127, 0, 0, 1], 0).into(),
            None,
        );
        assert!(matches!(made, Err(InitError::Origin(_))), "{name:?}");
        assert_eq!(fs::read_dir(dir.path()).expect("the directory").count(), 0, "nothing is left behind");
    }
}

/// Goal: the trust file is there before the configuration, with which a directory counts as a whole node: an `init`
/// that was
/// interrupted between the two could never be repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_node_has_its_trust_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let trust = dir.path().join("trust.toml");
    fs::create_dir_all(trust.join("in the way")).expect("a directory that no file replaces");
    let init = |dir: &std::path::Path| {
        directory::init(
            &Environment::system(),
            dir,
            &directory::keys_dir(dir),
            ORIGIN,
            StoreUrl::Memory,
            ([127, 0, 0, 1], 0).into(),
            None,
        )
    };
    init(dir.path()).expect_err("no trust file can be written");
    assert!(!dir.path().join("node.toml").exists(), "and so it is no node");
    let dir = tempfile::tempdir().expect("a directory");
    init(dir.path()).expect("a node");
    let text = fs::read_to_string(dir.path().join("trust.toml")).expect("its trust file");
    assert!(text.contains(ORIGIN) && creditbank_protocol::Trust::parse(&text).is_ok(), "{text}");
}

/// Nobody begins a second history under the same key because a part of the first one is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lost_a_part_does_not_open() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    university.aliases(&node, 0..10).await;
    let dir = node.stop().await;
    let keys = dir.path().join("learners.keys");
    let whole = fs::read(&keys).expect("the keys");
    for (cut, said) in [(200, "damaged"), (93, "learners.keys holds 9 keys, the log needs 10")] {
        fs::write(&keys, &whole[..whole.len() - cut]).expect("a shorter file");
        let error = open(dir.path()).expect_err("keys are missing");
        assert!(error.contains(said), "{error}");
    }
    fs::write(&keys, whole).expect("the keys");
    let guard = dir.path().join("log/guard");
    fs::rename(&guard, dir.path().join("away")).expect("the guard");
    let error = open(dir.path()).expect_err("the guard is gone");
    assert!(error.contains("guard"), "{error}");
    fs::rename(dir.path().join("away"), &guard).expect("the guard");
    open(dir.path()).expect("whole again");
}

/// Rot in derived files never becomes a signature under another history: the node refuses, and heals from the journal.
#[tokio::test(flavor = "multi_thread")]
async fn rotten_tree_nodes_are_never_signed() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    for course in 0..20 {
        chain.issue(&client, &university, &[credit_record(alias, &format!("C{course}"))]).await;
    }
    let mut receipts = Vec::new();
    for height in 0..20 {
        receipts.push(client.block(UnitId::new(1, 1), height).await.expect("a receipt"));
    }
    let mut dir = node.stop().await;
    let flat = dir.path().join("log/flat");
    let mut rotten = 0;
    for level in ["level-00", "level-01", "level-02"] {
        let whole = fs::read(flat.join(level)).expect("the nodes of a level");
        let mut bytes = whole.clone();
        // Every node but the last two, which may be peaks of the tree: those are checked at the start.
        let nodes = bytes.len() / 32 - 2;
        bytes.iter_mut().take(nodes * 32).step_by(32).for_each(|byte| *byte ^= 1);
        fs::write(flat.join(level), bytes).expect("rot");
        if level == "level-00" {
            // The start reads entries, whose leaves do not fit.
            let said = open(dir.path()).expect_err("leaves do not fit");
            assert!(said.contains("creditbank-node reindex"), "{said}");
            fs::write(flat.join(level), whole).expect("the nodes of a level");
            continue;
        }
        let node = TestNode::again(dir).await;
        for (height, receipt) in (0u64..).zip(&receipts) {
            match node.ledger().block(UnitId::new(1, 1), height) {
                Ok(found) => assert_eq!(found, *receipt),
                Err(error) => {
                    rotten += 1;
                    assert!(error.to_string().contains("creditbank-node reindex"), "{error}");
                }
            }
        }
        dir = node.stop().await;
        fs::write(flat.join(level), whole).expect("the nodes of a level");
    }
    assert!(rotten > 10, "the rot was found {rotten} times");
    fs::remove_dir_all(&flat).expect("the derived files");
    let node = TestNode::again(dir).await;
    for (height, receipt) in (0u64..).zip(&receipts) {
        assert_eq!(node.ledger().block(UnitId::new(1, 1), height).expect("healed"), *receipt);
    }
}

/// A log that was begun with one key does not open with another.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_bound_to_its_keys() {
    let dir = TestNode::start().await.stop().await;
    let other = TestNode::start().await;
    fs::copy(directory::key_path(other.dir(), Purpose::Log), directory::key_path(dir.path(), Purpose::Log))
        .expect("a copy");
    open(dir.path()).expect_err("another log key");
}

/// Goal: what is damaged on the node's disk is said to be damaged, each time, to whoever reads it and to whoever sends
/// it again: to come back later would not help.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_not_called_passing() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..1).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let mut sent = Vec::new();
    for number in 0..4 {
        let request = chain.block(&university, &[credit_record(aliases[0], &format!("A-{number}"))], Vec::new());
        let receipt = client.submit(request.clone()).await.expect("sealed");
        chain.advance(&request);
        sent.push((request, receipt.index));
    }
    let (request, index) = sent.swap_remove(0);
    let dir = node.stop().await;
    let leaves = dir.path().join("log/flat/level-00");
    let mut bytes = fs::read(&leaves).expect("the leaves");
    bytes[usize::try_from(index).expect("small") * 32] ^= 1;
    fs::write(&leaves, bytes).expect("rot");
    let node = TestNode::again(dir).await;
    let mut ledger = node.ledger_service().await;
    let asked = GetBlockRequest { institution: 1, unit: 1, height: 0 };
    for _ in 0..2 {
        let refusals = [
            ledger.get_block(asked).await.expect_err("it is damaged"),
            ledger.submit_block(request.clone()).await.expect_err("what stands there is damaged"),
        ];
        for status in refusals {
            assert_eq!(status.code(), Code::DataLoss, "{status}");
            let refusal = from_status(&status);
            assert_eq!((refusal.why(), refusal.retry_after_ms), (Reason::Damaged, 0));
            assert!(refusal.message.contains("check") && !refusal.message.contains("later"), "{}", refusal.message);
        }
    }
    // The others can be read, and the node goes on.
    let client = university.client(&node).await;
    for (request, _) in &sent {
        client.submit(request.clone()).await.expect("it is there");
    }
}

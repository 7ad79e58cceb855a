//! Planned rotation of the node's keys: the log key, whose receipts stay the same for ever; statement and access keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::{Client, ClientError, ConnectOptions};
use creditbank_protocol::UnitId;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::{KeyType, Note, Policy, VerifierKey};
use creditbank_protocol::pb::{self, Kind, Purpose, Receipt};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::{Reliance, verify};
use creditbank_protocol::trust::Trust;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use creditbank_server::operate::backup::{MakeOptions, make};
use creditbank_server::operate::check::check;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{credit_record, key};
use creditbank_tests::{Chain, TestNode, University};

pub(crate) fn put_key(dir: &Path, name: &str, key: &KeyFile) {
    let path = dir.join("keys").join(name);
    fs::write(&path, key.to_text().as_bytes()).expect("a key file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
}

fn request(key: &KeyFile) -> pb::Key {
    KeyRequest::new(ORIGIN, UnitId::OPERATOR, key).expect("a request").record(&[], 0, 0).expect("a key")
}

/// A log key that the node's first one hands over to.
pub(crate) fn follower(node: &TestNode, key: &KeyFile, from_index: u64) -> pb::Key {
    let asked = KeyRequest::new(ORIGIN, UnitId::OPERATOR, key).expect("a request");
    let asked = asked.handed_over(&node.key(Purpose::Log), from_index).expect("a handover");
    asked.record(&[], 0, 0).expect("a key")
}

pub(crate) async fn admit(client: &Client, node: &TestNode, entries: &[pb::Key]) -> Result<Receipt, ClientError> {
    let records: Vec<_> =
        entries.iter().map(|entry| registry_record(Kind::Key, entry).expect("a canonical entry")).collect();
    publish(client, Arc::new(node.key(Purpose::Registry)), &records, None).await
}

async fn entry_of(client: &Client, key: &KeyFile) -> pb::Key {
    let id = KeyId::of(&key.public_key());
    let found = client.registry_entry(&RegistryKey::Key(id)).await.expect("an answer").expect("the key");
    found.decode().expect("a key")
}

fn rotated(entry: pb::Key) -> pb::Key {
    let reason = pb::RevocationReason::Rotated.into();
    pb::Key { revoked: Some(pb::KeyRevocation { reason, ..Default::default() }), ..entry }
}

fn lines(note: &[u8]) -> usize {
    Note::parse(note).expect("a note").signatures().len()
}

async fn transcript(client: &Client, university: &University, alias: creditbank_protocol::Alias) -> Vec<u8> {
    let learner = InstitutionAlias { institution: university.institution, alias: alias.0.to_vec() };
    client.transcript(Learner::Alias(learner)).await.expect("a transcript").0
}

/// Goal: another log key takes over at its index. Clients and transcripts follow under the trust file of the
/// beginning, also when the first key is destroyed; every receipt stays the same, byte for byte.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_key_is_followed() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let mut receipts = vec![chain.issue(&client, &university, &[credit_record(alias, "A-0")]).await];
    let early = transcript(&client, &university, alias).await;
    let second = key(Purpose::Log, 80);
    put_key(node.dir(), "log-2.key", &second);
    let from_index = node.ledger().size() + 8;
    receipts.push(admit(&client, &node, &[follower(&node, &second, from_index)]).await.expect("admitted"));
    assert_eq!(lines(&node.ledger().checkpoint()), 2, "from its admission on both sign");
    for course in ["A-1", "A-2", "A-3", "A-4", "A-5"] {
        receipts.push(chain.issue(&client, &university, &[credit_record(alias, course)]).await);
    }
    assert!(node.ledger().size() > from_index + 1);
    assert_eq!(lines(&receipts[0].checkpoint), 1);
    assert_eq!(lines(&receipts[6].checkpoint), 2);
    let file = transcript(&client, &university, alias).await;
    assert_eq!(verify(&file, &node.trust(), node.ledger().now_ms()).expect("authentic").records.len(), 6);
    let environment = Environment::system();
    let backup = tempfile::tempdir().expect("a directory");
    let config = directory::read_config(&environment, node.dir()).expect("a configuration");
    let options = MakeOptions { with_keys: true, keys_expire_days: 1 };
    make(&environment, node.dir(), &config, &backup.path().join("b"), options, &mut |_, _| ()).expect("a backup");

    // The first key is destroyed, with the node stopped.
    let trust = node.trust();
    let dir = node.stop().await;
    fs::remove_file(dir.path().join("keys/log.key")).expect("destroyed");
    let node = TestNode::again(dir).await;
    for receipt in &receipts {
        assert_eq!(node.ledger().receipt(receipt.index).expect("a receipt"), *receipt, "of entry {}", receipt.index);
    }
    let client = university.client(&node).await;
    for receipt in &receipts {
        client.check_receipt(receipt).await.expect("it holds");
    }
    let mut chain = Chain::of(&client, &university).await;
    let newest = chain.issue(&client, &university, &[credit_record(alias, "A-6")]).await;
    assert_eq!(lines(&newest.checkpoint), 1, "the first key is gone");
    client.check_receipt(&newest).await.expect("a client with the old trust file follows");
    let file = transcript(&client, &university, alias).await;
    assert_eq!(verify(&file, &trust, node.ledger().now_ms()).expect("authentic").records.len(), 7);
    let audit = client.audit(|_, _| ()).await.expect("an audit");
    assert!(audit.contradiction.is_none(), "{:?}", audit.contradiction);

    // A verifier whose trust file names the second key alone does not accept the status that an early transcript has;
    // a newer one it does.
    let named = VerifierKey::new(ORIGIN, KeyType::Log, second.public_key()).expect("a key");
    let newer = Trust { policy: Policy::parse(&format!("log {named}\nquorum none\n")).expect("a policy"), ..trust };
    verify(&early, &newer, node.ledger().now_ms()).expect_err("signed by the first key alone");
    let anybody = Client::connect(&ConnectOptions::new(&node.url()), newer.clone(), None).await.expect("connected");
    let fresh = anybody.refresh(&early, None).await.expect("a status");
    assert_eq!(verify(&fresh.file, &newer, node.ledger().now_ms()).expect("authentic").reliance(), Reliance::Good);
    let dir = node.stop().await;
    let report = check(&environment, dir.path(), &config, &mut |_, _| ()).expect("a report");
    assert!(report.findings.listed().is_empty(), "{:?}", report.findings.listed());
}

/// Goal: without the file of its log key the node stops where the key begins, says so, and loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_key_that_is_not_there_stops_the_node() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let second = key(Purpose::Log, 81);
    let from_index = node.ledger().size() + 6;
    let follows = [follower(&node, &second, from_index)];
    let refused = admit(&client, &node, &follows).await.expect_err("the node has no such file");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::LogKeyMissing, "{refused}");
    let file = format!("log-{}.key", KeyId::of(&second.public_key()));
    put_key(node.dir(), &file, &second);
    admit(&client, &node, &follows).await.expect("admitted");
    let dir = node.stop().await;
    fs::remove_file(dir.path().join("keys").join(file)).expect("lost");
    let node = TestNode::again(dir).await;
    let client = university.client(&node).await;
    let first = chain.issue(&client, &university, &[credit_record(alias, "A-0")]).await;
    let block = chain.block(&university, &[credit_record(alias, "A-1")], Vec::new());
    let stopped = client.submit(block.clone()).await.expect_err("nobody can seal it");
    assert_eq!(stopped.refusal().expect("a refusal").why(), Reason::Stopped, "{stopped}");
    let id = KeyId::of(&second.public_key()).to_string();
    let mut failure = node.ledger().failure();
    let why = failure.wait_for(Option::is_some).await.expect("it says why").clone().unwrap_or_default();
    assert!(why.contains(&id) && why.contains("keys/log-"), "{why}");
    let (dir, why) = node.failed().await;
    assert!(why.contains(&id), "{why}");
    put_key(dir.path(), &format!("log-{id}.key"), &second);
    let node = TestNode::again(dir).await;
    let client = university.client(&node).await;
    client.submit(block).await.expect("the same block, sealed by the new key");
    assert_eq!(node.ledger().receipt(first.index).expect("a receipt"), first);
    let dir = node.stop().await;
    fs::remove_file(dir.path().join(format!("keys/log-{id}.key"))).expect("removed");
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let error = directory::open(&environment, dir.path(), &config, Limits::default()).map(|_| ()).expect_err("gone");
    assert!(error.to_string().contains(&id), "{error}");
}

/// Goal: only the registry names log keys, for indexes that are to come; what would end or change one is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_key_is_refused_that_cannot_follow() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let second = key(Purpose::Log, 82);
    put_key(node.dir(), "log-2.key", &second);
    let size = node.ledger().size();
    let follows = |from_index| follower(&node, &second, from_index);
    let by_itself = KeyRequest::new(ORIGIN, UnitId::OPERATOR, &second).expect("a request");
    let by_itself = by_itself.handed_over(&second, size + 9).expect("a handover").record(&[], 0, 0).expect("a key");
    let first = entry_of(&client, &node.key(Purpose::Log)).await;
    let refused = [
        (follows(0), Reason::Contradiction, "no index"),
        (follows(size), Reason::Contradiction, "its own block"),
        (pb::Key { from_index: size + 9, ..first.clone() }, Reason::Permanent, "the first key begins anew"),
        (pb::Key { from_index: size + 9, ..request(&second) }, Reason::NoPossession, "by the registry key alone"),
        (by_itself, Reason::NoPossession, "handed over by itself"),
        (pb::Key { from_index: size + 8, ..follows(size + 9) }, Reason::NoPossession, "handed over at another index"),
        (rotated(first.clone()), Reason::Contradiction, "an end by revocation"),
        (pb::Key { until_minute: 4_000_000_000, ..first }, Reason::Contradiction, "an end by date"),
        (
            pb::Key { from_index: size + 9, ..request(&key(Purpose::Statement, 83)) },
            Reason::Contradiction,
            "a statement key",
        ),
    ];
    for (entry, expected, about) in refused {
        let refused = admit(&client, &node, &[entry]).await.expect_err(about);
        assert_eq!(refused.refusal().expect("a refusal").why(), expected, "{about}: {refused}");
    }
    assert_eq!(node.ledger().size(), size, "nothing was sealed");
}

/// Goal: the statement key is followed by another one, whose file the node finds by itself.
#[tokio::test(flavor = "multi_thread")]
async fn the_statement_key_is_followed() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    Chain::of(&client, &university).await.issue(&client, &university, &[credit_record(alias, "A-0")]).await;
    let before = transcript(&client, &university, alias).await;
    let (first, second) = (node.key(Purpose::Statement), key(Purpose::Statement, 84));
    let gone = rotated(entry_of(&client, &first).await);
    admit(&client, &node, &[request(&second), gone]).await.expect("a rotation");
    let learner = InstitutionAlias { institution: university.institution, alias: alias.0.to_vec() };
    let refused = client.transcript(Learner::Alias(learner)).await.expect_err("no file holds the new key");
    assert!(refused.to_string().contains("keys/statement"), "{refused}");
    put_key(node.dir(), "statement-2.key", &second);
    let file = transcript(&client, &university, alias).await;
    let report = verify(&file, &node.trust(), node.ledger().now_ms()).expect("authentic");
    assert_eq!(report.statement.key_id, KeyId::of(&second.public_key()));
    verify(&before, &node.trust(), node.ledger().now_ms()).expect("an old file stays what it was");
    fs::remove_file(node.dir().join("keys/statement.key")).expect("destroyed");
    let node = node.restart().await;
    let client = university.client(&node).await;
    let file = transcript(&client, &university, alias).await;
    verify(&file, &node.trust(), node.ledger().now_ms()).expect("authentic");
}

/// Goal: a transcript that was exported before the statement key was rotated gets newer statuses, and can be relied on.
/// When the key turns out to be stolen, no statement by it holds any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_transcript_survives_a_rotation() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    chain.issue(&client, &university, &[credit_record(alias, "A-0")]).await;
    let before = transcript(&client, &university, alias).await;
    let now_ms = || node.ledger().now_ms();
    let old = verify(&before, &node.trust(), now_ms()).expect("authentic");
    let (first, second) = (node.key(Purpose::Statement), key(Purpose::Statement, 87));
    put_key(node.dir(), "statement-2.key", &second);
    let gone = rotated(entry_of(&client, &first).await);
    admit(&client, &node, &[request(&second), gone]).await.expect("a rotation");
    chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
    let anybody = node.client(None).await;
    let new = anybody.refresh(&before, Some(&old)).await.expect("a newer status");
    assert!(new.report.size > old.size);
    let report = verify(&new.file, &node.trust(), now_ms()).expect("authentic");
    assert_eq!((report.reliance(), report.statement.key_id), (Reliance::Good, KeyId::of(&first.public_key())));

    let reason = pb::RevocationReason::Compromised.into();
    let since = pb::KeyRevocation { reason, compromised_since_minute: now_ms() / 60_000 };
    let stolen = pb::Key { revoked: Some(since), ..entry_of(&client, &first).await };
    admit(&client, &node, &[stolen]).await.expect("a theft is told");
    let refused = anybody.refresh(&new.file, Some(&new.report)).await.expect_err("a stolen key").to_string();
    assert!(refused.contains("export the transcript anew"), "{refused}");
    let file = transcript(&client, &university, alias).await;
    verify(&file, &node.trust(), now_ms()).expect("exported anew");
}

/// Goal: access keys are followed by others: the old one reads nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn access_keys_are_followed() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    Chain::of(&client, &university).await.issue(&client, &university, &[credit_record(alias, "A-0")]).await;
    let second = key(Purpose::InstitutionAccess, 85);
    let unit = UnitId::new(university.institution, 0);
    let come = KeyRequest::new(ORIGIN, unit, &second).expect("a request").record(&[], 0, 0).expect("a key");
    let gone = rotated(entry_of(&client, &university.access).await);
    admit(&client, &node, &[come, gone]).await.expect("a rotation");
    let learner = || InstitutionAlias { institution: university.institution, alias: alias.0.to_vec() };
    client.transcript(Learner::Alias(learner())).await.expect_err("the old access key");
    let client = node.client(Some(second)).await;
    client.transcript(Learner::Alias(learner())).await.expect("the new access key");
    let (operator, third) = (node.key(Purpose::OperatorAccess), key(Purpose::OperatorAccess, 86));
    let gone = rotated(entry_of(&client, &operator).await);
    admit(&client, &node, &[request(&third), gone]).await.expect("a rotation");
    node.client(Some(operator)).await.transcript(Learner::Alias(learner())).await.expect_err("the old operator's key");
    node.client(Some(third)).await.transcript(Learner::Alias(learner())).await.expect("the new operator's key");
}

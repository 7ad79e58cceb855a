//! After a theft of the log key: the log goes on under another origin, from a seal that the operator names.

#![allow(clippy::too_many_lines)] // A story in its order.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use creditbank_client::{Client, ConnectOptions};
use creditbank_protocol::Alias;
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::{Checkpoint, Note, sign_checkpoint};
use creditbank_protocol::pb::{self, Purpose, Receipt};
use creditbank_protocol::record::Record;
use creditbank_protocol::transcript::verify;
use creditbank_protocol::trust::Trust;
use creditbank_protocol::{Digest, LogIndex, Place};
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::{MakeOptions, RestoreOptions, make, restore};
use creditbank_server::operate::check::check;
use creditbank_server::operate::succeed::{SucceedError, Succeeded, SuccessionOptions, succeed};
use creditbank_store::inspect::JournalReader;
use creditbank_tests::chain::signed;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{credit_record, key};
use creditbank_tests::{Chain, TestNode, University};
use tempfile::TempDir;

use crate::log_key::{admit, follower, put_key};

pub(crate) const SECOND: &str = "test.example/second";
const THIRD: &str = "test.example/third";

/// What the operator types, and what comes of it.
fn succeeded(from: &Path, size: u64, origin: &str) -> Result<(TempDir, Succeeded), SucceedError> {
    succeeded_by(from, size, origin, Vec::new())
}

/// As [`succeeded`], with the files of approvers.
pub(crate) fn succeeded_by(
    from: &Path,
    size: u64,
    origin: &str,
    approver_keys: Vec<PathBuf>,
) -> Result<(TempDir, Succeeded), SucceedError> {
    let environment = Environment::system();
    let to = tempfile::tempdir().expect("a directory");
    let config = directory::read_config(&environment, from).expect("a configuration");
    let options = SuccessionOptions {
        size,
        origin: origin.to_owned(),
        registry_key: from.join("keys/registry.key"),
        approver_keys,
        case_reference: "2026-7".to_owned(),
        confirmed_time: false,
    };
    let done = succeed(&environment, from, &config, to.path(), &options, &mut |_, _| ())?;
    Ok((to, done))
}

pub(crate) fn report(dir: &Path) -> Vec<String> {
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir).expect("a configuration");
    let report = check(&environment, dir, &config, &mut |_, _| ()).expect("a report");
    report.findings.listed().iter().map(|finding| format!("{finding:?}")).collect()
}

pub(crate) async fn connect(node: &TestNode, trust: &Trust, access: &KeyFile) -> Client {
    let options = ConnectOptions::new(&node.url());
    Client::connect(&options, trust.clone(), Some(access.clone())).await.expect("a connection")
}

pub(crate) async fn transcript(client: &Client, university: &University, alias: Alias) -> Vec<u8> {
    let learner = InstitutionAlias { institution: university.institution, alias: alias.0.to_vec() };
    client.transcript(Learner::Alias(learner)).await.expect("a transcript").0
}

/// A backup of it restores, and a checkpoint of the new origin is what others have seen of it.
fn restores(dir: &Path) {
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir).expect("a configuration");
    let (backup, seen) = (tempfile::tempdir().expect("a directory"), dir.join("seen"));
    let from = backup.path().join("b");
    let options = MakeOptions { with_keys: true, keys_expire_days: 1 };
    let made = make(&environment, dir, &config, &from, options, &mut |_, _| ()).expect("a backup");
    assert_eq!(made.origin, SECOND);
    std::fs::write(&seen, &made.checkpoint).expect("a file");
    let options =
        RestoreOptions { seen: vec![seen], nothing_published: false, accept_expired: false, keys: None, to: None };
    let to = backup.path().join("r");
    let restored = restore(&environment, &from, &to, &options, &mut |_, _| ()).expect("it restores");
    assert_eq!(restored.held_below, None);
    assert_eq!(report(&to), [""; 0]);
}

/// Issues under the name that the log has now.
async fn issue(chain: &mut Chain, client: &Client, university: &University, records: &[Record]) -> Receipt {
    let draft = BlockDraft { origin: client.origin().to_owned(), ..chain.draft(university) };
    let request = signed(&draft, university, records, Vec::new());
    let receipt = client.submit(request.clone()).await.expect("the block is sealed");
    chain.advance(&request);
    receipt
}

fn origin_of(note: &[u8]) -> String {
    let note = Note::parse(note).expect("a note");
    Checkpoint::parse(note.text()).expect("a checkpoint").origin
}

/// Goal: records issued before and after a succession are proved under the trust file of the beginning and under the
/// new one; receipts of before stay the same; what the old log had beyond the cut is named and issued again; the old
/// origin beyond its size is refused under the new trust file; a second succession is the same once more.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_goes_on_under_another_origin() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let mut receipts = Vec::new();
    for course in ["A-0", "A-1"] {
        receipts.push(chain.issue(&client, &university, &[credit_record(alias, course)]).await);
    }
    let first = node.trust();
    let before = transcript(&client, &university, alias).await;
    let cut = node.ledger().size();
    // What the thief has cosigned after that is lost, and so is what was honest.
    for course in ["A-2", "A-3"] {
        chain.issue(&client, &university, &[credit_record(alias, course)]).await;
    }
    let beyond = transcript(&client, &university, alias).await;
    let had = verify(&before, &first, node.ledger().now_ms()).expect("authentic");
    let late = client.refresh(&before, Some(&had)).await.expect("a status").file;
    let stolen = node.key(Purpose::Log);
    let now_ms = node.ledger().now_ms();
    let dir = node.stop().await;
    let (to, done) = succeeded(dir.path(), cut, SECOND).expect("it goes on");
    assert_eq!((done.former.as_str(), done.size), (ORIGIN, cut));
    let lost: Vec<_> =
        done.lost.iter().map(|lost| (lost.unit.institution.0, lost.entries.len(), lost.records)).collect();
    assert_eq!(lost, [(1, 2, 2)], "{:?}", done.lost);
    assert_eq!(done.lost[0].from_height, 2);
    let second = Trust::parse(&done.trust).expect("the new trust file");
    assert_eq!(report(dir.path()), [""; 0], "the old directory is as it was");
    assert_eq!(report(to.path()), [""; 0]);

    let node = TestNode::again(to).await;
    assert_eq!(origin_of(&node.ledger().checkpoint()), SECOND);
    for receipt in &receipts {
        assert_eq!(node.ledger().receipt(receipt.index).expect("a receipt"), *receipt, "of entry {}", receipt.index);
    }
    for trust in [&first, &second] {
        let client = connect(&node, trust, &university.access).await;
        assert_eq!(client.origin(), SECOND);
        for receipt in &receipts {
            client.check_receipt(receipt).await.expect("a receipt of before");
        }
    }
    // The unit goes on from the head that the log has.
    let client = connect(&node, &first, &university.access).await;
    let mut chain = Chain::of(&client, &university).await;
    receipts.push(issue(&mut chain, &client, &university, &[credit_record(alias, "A-2")]).await);
    let file = transcript(&client, &university, alias).await;
    for trust in [&first, &second] {
        let found = verify(&file, trust, now_ms).expect("authentic");
        assert_eq!((found.records.len(), found.origin.as_str()), (3, SECOND));
        // A file of before, as it was and with the status of now.
        let old = verify(&before, trust, now_ms).expect("authentic");
        assert_eq!((old.records.len(), old.origin.as_str()), (2, ORIGIN));
        let fresh =
            connect(&node, trust, &university.access).await.refresh(&before, Some(&old)).await.expect("a status");
        let found = verify(&fresh.file, trust, now_ms).expect("authentic");
        assert_eq!((found.records.len(), found.origin.as_str()), (2, SECOND));
        let former: Vec<_> = found.former.iter().map(|one| (one.origin.as_str(), one.size.0)).collect();
        assert_eq!(former, [(ORIGIN, cut)]);
    }
    // A statement of before with a status from beyond the cut: the statement is good, and so is a newer status.
    for (trust, had) in [(&first, verify(&late, &first, now_ms).ok()), (&second, verify(&late, &second, now_ms).ok())] {
        let fresh =
            connect(&node, trust, &university.access).await.refresh(&late, had.as_ref()).await.expect("a status");
        assert_eq!(verify(&fresh.file, trust, now_ms).expect("authentic").origin, SECOND);
    }
    // An old trust file cannot know; the new one does.
    let told = verify(&beyond, &first, now_ms).expect("nobody has told");
    let error =
        connect(&node, &first, &university.access).await.refresh(&beyond, Some(&told)).await.expect_err("it is lost");
    assert!(error.to_string().contains("is given up: ask whoever shows the file for a new export"), "{error}");
    let error = verify(&beyond, &second, now_ms).expect_err("beyond the end of the old origin").to_string();
    assert!(error.contains(&format!("holds up to size {cut}")), "{error}");
    // The stolen key signs nothing of the new origin, not even for the old trust file.
    let forged = Checkpoint { origin: SECOND.to_owned(), size: 1, root: Digest([7; 32]) };
    let forged = sign_checkpoint(&forged, &stolen.key).expect("a note");
    let followers = first.followers(&node.ledger().log_keys()).expect("keys");
    first.policy.verify_signed_by(&forged, &followers).expect_err("the stolen key");
    second.policy.verify_signed_by(&forged, &[]).expect_err("the stolen key");
    let audit = client.audit(|_, _| ()).await.expect("an audit");
    assert!(audit.contradiction.is_none(), "{:?}", audit.contradiction);

    // The old node under the new trust file: it is not the log any more.
    let old = TestNode::again(dir).await;
    let refused = Client::connect(&ConnectOptions::new(&old.url()), second.clone(), None).await.map(|_| ());
    assert!(refused.is_err(), "the old node beyond its end");
    let dir = old.stop().await;

    // Once more.
    let cut = node.ledger().size();
    let registry_key = std::fs::read(dir.path().join("keys/registry.key")).expect("a file");
    let to = node.stop().await;
    assert_eq!(std::fs::read(to.path().join("keys/registry.key")).expect("it was copied"), registry_key);
    restores(to.path());
    let (to, done) = succeeded(to.path(), cut, THIRD).expect("it goes on");
    assert!(done.lost.is_empty());
    let third = Trust::parse(&done.trust).expect("the new trust file");
    let node = TestNode::again(to).await;
    let client = connect(&node, &first, &university.access).await;
    assert_eq!(client.origin(), THIRD);
    let mut chain = Chain::of(&client, &university).await;
    issue(&mut chain, &client, &university, &[credit_record(alias, "A-3")]).await;
    let last = transcript(&client, &university, alias).await;
    for trust in [&first, &second, &third] {
        assert_eq!(verify(&last, trust, now_ms).expect("authentic").records.len(), 4);
        verify(&file, trust, now_ms).expect("a file between the two");
    }
    let audit = client.audit(|_, _| ()).await.expect("an audit");
    assert!(audit.contradiction.is_none(), "{:?}", audit.contradiction);
    assert_eq!(node.ledger().log_keys().origins().at(LogIndex(0)), ORIGIN);
    let dir = node.stop().await;
    assert_eq!(report(dir.path()), [""; 0]);
    // One name ends once.
    let error = succeeded(dir.path(), cut, "test.example/fourth").map(|_| ()).expect_err("a second end");
    assert!(matches!(&error, SucceedError::Gone { newest, .. } if newest == THIRD), "{error}");
}

/// Goal: a log key that was to follow when the log key was stolen follows nobody any more, and what it has signed
/// beside the old one is no damage. What is lost is told by what it did.
#[tokio::test(flavor = "multi_thread")]
async fn a_pending_rotation_ends_with_the_old_origin() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let next = key(Purpose::Log, 90);
    put_key(node.dir(), "log-2.key", &next);
    let follows = follower(&node, &next, node.ledger().size() + 50);
    admit(&client, &node, &[follows]).await.expect("admitted");
    let mut chain = Chain::of(&client, &university).await;
    let place = Place::new(chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await.index, 0);
    let cut = node.ledger().size();
    let revoked = revoking(&client, place).await;
    let block = chain.block(&university, &[], vec![revoked]);
    client.submit(block).await.expect("revoked, and lost");
    let dir = node.stop().await;
    let (to, done) = succeeded(dir.path(), cut, SECOND).expect("it goes on");
    let lost: Vec<_> = done.lost.iter().map(|one| (one.records, one.published, one.effects)).collect();
    assert_eq!(lost, [(0, 0, 1)]);
    assert_eq!(report(to.path()), [""; 0]);
    restores(to.path());
}

/// Goal: a log that ends before what its guard has acknowledged, as on a disk that has lost its last writes, goes on
/// only with the word that entries are lost; a hold that cannot be read is damage, and not the absence of one.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_lacks_its_end_is_not_taken_for_whole() {
    let node = TestNode::start().await;
    let cut = node.ledger().size();
    let university = University::new(1);
    university.publish(&connect(&node, &node.trust(), &university.access).await, &node.key(Purpose::Registry)).await;
    let newest = node.ledger().size();
    let dir = node.stop().await;
    let (_to, done) = succeeded(dir.path(), newest, SECOND).expect("it goes on");
    assert_eq!(done.seen, None, "nothing is lost");
    let held = dir.path().join("log/held");
    std::fs::write(&held, "rotten").expect("written");
    assert!(report(dir.path()).iter().any(|finding| finding.contains("held")));
    let refused = succeeded(dir.path(), newest, SECOND).map(|_| ()).expect_err("nobody knows what others have seen");
    assert!(refused.to_string().contains("held"), "{refused}");
    std::fs::remove_file(&held).expect("removed");

    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let log = dir.path().join("log");
    let journal = JournalReader::new(&environment.disk, &log, config.beginning().genesis().0);
    let mut end = 0;
    journal
        .rounds(1, |round| {
            let size = round.decode().expect("a round").round.next.size;
            end = if size <= cut { round.position.offset + round.frame_len() } else { end };
            ControlFlow::Continue(())
        })
        .expect("it reads");
    let (_, segment, _) = journal.segments().expect("segments").pop().expect("one");
    let mut bytes = std::fs::read(&segment).expect("it reads");
    bytes[usize::try_from(end).expect("small")..].fill(0);
    std::fs::write(&segment, bytes).expect("written");
    let (_to, done) = succeeded(dir.path(), cut, SECOND).expect("it goes on");
    assert_eq!((done.old_size, done.seen), (cut, Some(newest)), "the guard knows better");
}

/// The group that revokes the record at a place.
async fn revoking(client: &Client, place: Place) -> pb::EffectGroup {
    let record = client.record(place).await.expect("a record");
    let effect = pb::Effect {
        status_id: record.status_id.0.to_vec(),
        place: Some(place.into()),
        action: pb::Action::Revoke.into(),
        reason: pb::EffectReason::Error.into(),
        ..Default::default()
    };
    let authority = Some(pb::Authority { basis: pb::Basis::Issuer.into(), ..Default::default() });
    pb::EffectGroup { authority, effects: vec![effect] }
}

/// Goal: what cannot be is refused by name, and nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_succession_that_cannot_be_is_refused() {
    let node = TestNode::start().await;
    let size = node.ledger().size();
    let dir = node.stop().await;
    let refused = |size, origin| succeeded(dir.path(), size, origin).map(|_| ()).expect_err("it cannot be");
    assert!(matches!(refused(1, SECOND), SucceedError::NoSeal { .. }), "not behind a seal");
    assert!(matches!(refused(0, SECOND), SucceedError::NoSeal { .. }), "before the log");
    assert!(matches!(refused(size + 1, SECOND), SucceedError::Beyond { .. }), "beyond the log");
    assert!(matches!(refused(size, ORIGIN), SucceedError::SameOrigin(_)), "the same origin");
    assert!(matches!(refused(size, "https://x"), SucceedError::Origin(_)), "no origin");
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let options = SuccessionOptions {
        size,
        origin: SECOND.to_owned(),
        registry_key: dir.path().join("keys/registry.key"),
        approver_keys: Vec::new(),
        case_reference: "1".to_owned(),
        confirmed_time: false,
    };
    let there = succeed(&environment, dir.path(), &config, dir.path(), &options, &mut |_, _| ()).map(|_| ());
    assert!(there.expect_err("the old directory").to_string().contains("is inside"));
    let full = tempfile::tempdir().expect("a directory");
    std::fs::write(full.path().join("something"), "").expect("written");
    let there = succeed(&environment, dir.path(), &config, full.path(), &options, &mut |_, _| ()).map(|_| ());
    assert!(there.expect_err("a directory that is not empty").to_string().contains("not empty"));
    // Another registry key than the one in force is refused.
    let next = directory::read_key_at(&environment, &dir.path().join("keys/next-registry.key"), Purpose::Registry);
    let wrong = SuccessionOptions { registry_key: dir.path().join("keys/next-registry.key"), ..options };
    assert!(next.is_ok());
    let to = tempfile::tempdir().expect("a directory");
    let refused = succeed(&environment, dir.path(), &config, to.path(), &wrong, &mut |_, _| ()).map(|_| ());
    assert!(matches!(refused.expect_err("another key"), SucceedError::OtherRegistryKey { .. }));
    let left = std::fs::read_dir(to.path()).expect("it was there before").count();
    assert_eq!(left, 0, "what was copied by then is removed: it holds keys, and would refuse the next attempt");
    // The registry key alone is not enough: the old log key has to sign too.
    let log_key = dir.path().join("keys/log.key");
    let id = KeyId::of(&directory::read_key_at(&environment, &log_key, Purpose::Log).expect("a key").public_key());
    std::fs::remove_file(&log_key).expect("a file");
    let error = succeeded(dir.path(), size, SECOND).map(|_| ()).expect_err("the old log key is not there");
    assert!(matches!(&error, SucceedError::NoLogKey { signers, .. } if *signers == [id.to_string()]), "{error}");
}

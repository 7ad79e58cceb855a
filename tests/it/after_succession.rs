//! After a theft of the log key: what a node that serves does with a succession, and what registrars, approvers and
//! witnesses have to do with one.

use std::fs;
use std::io::Cursor;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use creditbank_client::Client;
use creditbank_client::import::Mapping;
use creditbank_client::issue::{IssueError, Places, Progress, issue};
use creditbank_client::operator::{KeyRequest, publish, registry_record};
use creditbank_client::sync::{SyncReport, sync};
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::key::{KeyId, log_succession_message, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::{Checkpoint, KeyType, Note, VerifierKey, cosign};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::transcript::{open_file, verify, write_file};
use creditbank_protocol::trust::Trust;
use creditbank_protocol::{Digest, UnitId};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_server::operate::succeed::SucceedError;
use creditbank_tests::acts::public;
use creditbank_tests::chain::{now_ms, now_s};
use creditbank_tests::node::ORIGIN;
use creditbank_tests::registrar::{HEADER, MAPPING};
use creditbank_tests::university::{credit_record, key};
use creditbank_tests::{Chain, TestNode, University};
use ed25519_dalek::SigningKey;

use crate::succession::{SECOND, connect, report, succeeded_by, transcript};

/// A block with which the log would go on under another origin, as a unit and its key sign it. Its header bears an
/// origin.
fn goes_on(node: &TestNode, origin: &str, unit: UnitId, key: &KeyFile, head: (u64, Digest)) -> SubmitBlockRequest {
    let log_key = SigningKey::from_bytes(&[0x77; 32]);
    let checkpoint = node.ledger().checkpoint();
    let checkpoint = Checkpoint::parse(Note::parse(&checkpoint).expect("a note").text()).expect("a checkpoint");
    let bare = pb::LogSuccession {
        origin: ORIGIN.to_owned(),
        size: checkpoint.size,
        root: checkpoint.root.0.to_vec(),
        new_origin: SECOND.to_owned(),
        log_key: log_key.verifying_key().to_bytes().to_vec(),
        case_reference: "2026-7".to_owned(),
        ..Default::default()
    };
    let message = log_succession_message(&bare);
    let [signature, former_signature] =
        [&log_key, &node.key(Purpose::Log).key].map(|key| sign(key, message.as_bytes()).to_vec());
    let draft = BlockDraft {
        origin: origin.to_owned(),
        unit,
        height: head.0,
        previous: head.1,
        operation_id: [7; 16],
        created_at_minute: node.ledger().now_ms() / 60_000,
        key_id: KeyId::of(&key.public_key()),
    };
    let record = public(Kind::LogSuccession, &pb::LogSuccession { signature, former_signature, ..bare });
    let block = draft.sign(&[record], Vec::new(), None, |message| sign(&key.key, message)).expect("a block");
    SubmitBlockRequest { block: block.into(), records: Vec::new(), places: Vec::new() }
}

/// Goal: a node that serves takes no succession of the log, by whomever it is signed, and goes on: it has no file with
/// the new log key, so that it could not seal the round and would stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_serves_takes_no_succession() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let alias = university.aliases(&node, 0..1).await[0];
    chain.issue(&client, &university, &[credit_record(alias, "A-0")]).await;
    let size = node.ledger().size();

    let operator = client.chain_head(UnitId::OPERATOR).await.expect("the operator's chain");
    let (head, own) = ((operator.next_height, operator.previous), chain.draft(&university));
    let registry = node.key(Purpose::Registry);
    let by_unit = |origin| goes_on(&node, origin, own.unit, &university.key, (own.height, own.previous));
    for (request, expected) in [
        (goes_on(&node, SECOND, UnitId::OPERATOR, &registry, head), "creditbank-node succeed"),
        (goes_on(&node, ORIGIN, UnitId::OPERATOR, &registry, head), "WRONG_ORIGIN"),
        (by_unit(SECOND), "WRONG_ORIGIN"),
        (by_unit(ORIGIN), "KIND_NOT_ISSUED"),
    ] {
        let error = client.submit(request).await.expect_err("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(node.ledger().size(), size, "nothing is stored");
    }
    chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
    let dir = node.stop().await;
    assert_eq!(report(dir.path()), [""; 0]);
}

/// What a registrar runs, with the notes of a directory.
struct Desk<'a> {
    client: &'a Client,
    university: &'a University,
    dir: &'a Path,
}

impl Desk<'_> {
    async fn import(&self, work: &str, lines: &str) -> Result<Progress, IssueError> {
        let mapping = Mapping::parse(MAPPING).expect("a mapping");
        let (work, refused) = (self.dir.join(work), self.dir.join("refused.csv"));
        let (unit, places) = (self.university.issuing(), Places { work: &work, refused: &refused });
        issue(self.client, &unit, &mapping, Cursor::new(format!("{HEADER}{lines}")), places, |_| ()).await
    }

    async fn sync(&self, work: &str, lines: &str) -> Result<SyncReport, IssueError> {
        let (work, refused) = (self.dir.join(work), self.dir.join("refused.csv"));
        let (unit, places) = (self.university.issuing(), Places { work: &work, refused: &refused });
        let file = Cursor::new(format!("{}{lines}", crate::sync::HEADER));
        sync(self.client, &unit, &crate::sync::mapping(), file, places, |_| ()).await
    }
}

fn sealed(node: &TestNode, unit: u32) -> usize {
    node.ledger().issued(UnitId::new(u64::from(unit), 1), 0, 1_000).expect("a list").0.len()
}

/// Goal: a registrar whose blocks are lost is told why the notes do not count any more. With other notes the same file
/// issues what is lost, also of persons whose accounts were lost, and nothing twice; the unit goes on from the head
/// that the log has; receipts of before hold, and those of lost blocks do not.
#[tokio::test(flavor = "multi_thread")]
async fn registrars_issue_again_what_is_lost() {
    let node = TestNode::start().await;
    let (importing, syncing) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let dir = tempfile::tempdir().expect("a directory");
    let (of_import, of_sync) = (importing.client(&node).await, syncing.client(&node).await);
    let by_import = Desk { client: &of_import, university: &importing, dir: dir.path() };
    let by_sync = Desk { client: &of_sync, university: &syncing, dir: dir.path() };
    let line = |number: u64| format!("{number},C{number},2023A,Title,15,pass\n");
    let lines = |numbers: std::ops::Range<u64>| numbers.map(line).collect::<String>();
    let row = |number: u64| format!("r{number},{}", line(number));
    let rows = |numbers: std::ops::Range<u64>| numbers.map(row).collect::<String>();
    by_import.import("import", &lines(1..4)).await.expect("sealed");
    by_sync.sync("sync", &rows(1..4)).await.expect("sealed");
    let receipt = |height| node.ledger().block(UnitId::new(1, 1), height).expect("a receipt");
    let (kept, cut) = (receipt(0), node.ledger().size());
    by_import.import("import", &lines(1..6)).await.expect("sealed");
    // One more result, and another value of one that stays.
    let changed = rows(1..5).replace("r1,1,C1,2023A,Title,15", "r1,1,C1,2023A,Title,20");
    let done = by_sync.sync("sync", &changed).await.expect("sealed");
    assert_eq!((done.issued, done.amended), (1, 1));
    let lost = receipt(1);
    of_import.check_receipt(&lost).await.expect("it holds under the old origin");
    let dir_of_node = node.stop().await;

    let (to, done) = succeeded_by(dir_of_node.path(), cut, SECOND, Vec::new()).expect("it goes on");
    let of_units: Vec<_> =
        done.lost.iter().map(|lost| (lost.unit.institution.0, lost.from_height, lost.records)).collect();
    assert_eq!(of_units, [(1, 1, 2), (2, 1, 2)]);
    let trust = Trust::parse(&done.trust).expect("the new trust file");
    let node = TestNode::again(to).await;
    let of_import = connect(&node, &trust, &importing.access).await;
    let of_sync = connect(&node, &trust, &syncing.access).await;
    of_import.check_receipt(&kept).await.expect("a receipt of before");
    of_import.check_receipt(&lost).await.expect_err("a receipt of what is lost");
    let by_import = Desk { client: &of_import, university: &importing, dir: dir.path() };
    let by_sync = Desk { client: &of_sync, university: &syncing, dir: dir.path() };
    for error in [
        by_import.import("import", &lines(1..6)).await.expect_err("old notes").to_string(),
        by_sync.sync("sync", &changed).await.expect_err("old notes").to_string(),
    ] {
        for said in ["the notes of test.example/log", "blocks beyond", "pass another --work directory"] {
            assert!(error.contains(said), "{said}: {error}");
        }
    }
    assert_eq!((sealed(&node, 1), sealed(&node, 2)), (3, 3), "nothing was issued under the old notes");

    let done = by_import.import("import-2", &lines(1..6)).await.expect("sealed");
    assert_eq!((done.records, done.already, done.refused), (2, 3, 0));
    let done = by_sync.sync("sync-2", &changed).await.expect("sealed");
    assert_eq!((done.issued, done.amended, done.unchanged, done.refused), (1, 1, 2, 0));
    assert_eq!(of_import.chain_head(UnitId::new(1, 1)).await.expect("a head").next_height, 2);
    let done = by_import.import("import-2", &lines(1..6)).await.expect("nothing to do");
    assert_eq!((done.records, done.already), (0, 5));
    let done = by_sync.sync("sync-2", &changed).await.expect("nothing to do");
    assert_eq!((done.issued, done.amended, done.unchanged), (0, 0, 4));
    assert_eq!((sealed(&node, 1), sealed(&node, 2)), (5, 5));
    let again = node.ledger().block(UnitId::new(1, 1), 1).expect("a receipt");
    assert_ne!(again, lost, "another block stands at the height");
    of_import.check_receipt(&again).await.expect("a receipt of what was issued again");
    let audit = of_import.audit(|_, _| ()).await.expect("an audit");
    assert!(audit.contradiction.is_none(), "{:?}", audit.contradiction);
}

fn file_of(dir: &Path, key: &KeyFile, name: &str) -> PathBuf {
    use std::io::Write as _;
    let path = dir.join(name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).expect("a file");
    file.write_all(key.to_text().as_bytes()).expect("a key file");
    path
}

/// Goal: where the registry's policy asks for two approvals, a succession of the log needs them, of two approvers of
/// the operator, and the policy goes on under the new origin.
#[tokio::test(flavor = "multi_thread")]
async fn a_succession_needs_the_approvals_of_the_policy() {
    let node = TestNode::start().await;
    let client = node.client(None).await;
    let approvers = [81, 82].map(|number| key(Purpose::Approver, number));
    let mut records = Vec::new();
    for approver in &approvers {
        let request = KeyRequest::new(ORIGIN, UnitId::OPERATOR, approver).expect("a request");
        records.push(registry_record(Kind::Key, &request.record(&[], 0, 0).expect("a key")).expect("a record"));
    }
    records.push(registry_record(Kind::RegistryPolicy, &pb::RegistryPolicy { approvals: 2 }).expect("a record"));
    let registry = node.key(Purpose::Registry);
    publish(&client, std::sync::Arc::new(registry.clone()), &records, None).await.expect("a policy");
    let cut = node.ledger().size();
    let dir = node.stop().await;
    let keys = tempfile::tempdir().expect("a directory");
    let [first, second] = [0, 1].map(|at| file_of(keys.path(), &approvers[at], &format!("{at}.key")));
    let stranger = file_of(keys.path(), &key(Purpose::Approver, 83), "stranger.key");
    let refused = |files: &[&PathBuf]| {
        let files = files.iter().map(|path| (*path).clone()).collect();
        succeeded_by(dir.path(), cut, SECOND, files).map(|_| ()).expect_err("it is refused")
    };
    for (files, found) in [(&[][..], 0), (&[&first][..], 1)] {
        let error = refused(files);
        assert!(matches!(error, SucceedError::Approvals { expected: 2, found: given } if given == found), "{error}");
    }
    for (files, why) in [([&first, &first], "twice the same"), ([&first, &stranger], "a stranger")] {
        let error = refused(&files);
        assert!(matches!(error, SucceedError::Submit(_) | SucceedError::Draft(_)), "{why}: {error}");
    }

    let (to, done) = succeeded_by(dir.path(), cut, SECOND, vec![second, first]).expect("it goes on");
    assert!(done.lost.is_empty());
    let node = TestNode::again(to).await;
    let client = node.client(None).await;
    let entry = registry_record(Kind::Institution, &University::new(7).entry()).expect("a record");
    let operator = client.chain_head(UnitId::OPERATOR).await.expect("the operator's chain");
    let draft = BlockDraft {
        origin: SECOND.to_owned(),
        unit: UnitId::OPERATOR,
        height: operator.next_height,
        previous: operator.previous,
        operation_id: [9; 16],
        created_at_minute: now_s() / 60,
        key_id: KeyId::of(&registry.public_key()),
    };
    let block = draft.sign(&[entry], Vec::new(), None, |message| sign(&registry.key, message)).expect("a block");
    let request = SubmitBlockRequest { block: block.into(), records: Vec::new(), places: Vec::new() };
    let refused = client.submit(request).await.expect_err("without approvals");
    assert_eq!(refused.refusal().expect("a refusal").why(), Reason::ApprovalMissing);
    let dir = node.stop().await;
    assert_eq!(report(dir.path()), [""; 0]);
}

/// A witness, with its name.
struct Witness(&'static str, SigningKey);

impl Witness {
    fn line(&self) -> String {
        let key = VerifierKey::new(self.0, KeyType::Cosigner, self.1.verifying_key().to_bytes()).expect("a key");
        format!("witness {} {key}\n", self.0.replace('.', "-"))
    }
}

/// A trust file with a quorum of two of the witnesses.
fn quorum(text: &str, witnesses: &[Witness]) -> Trust {
    let names: Vec<String> = witnesses.iter().map(|witness| witness.0.replace('.', "-")).collect();
    let lines: String = witnesses.iter().map(Witness::line).collect();
    let policy = format!("{lines}group all 2 {}\nquorum all\n", names.join(" "));
    assert!(text.contains("quorum none\n"));
    Trust::parse(&text.replace("quorum none\n", &policy)).expect("a trust file")
}

/// A transcript whose checkpoint witnesses have cosigned.
fn cosigned(file: &[u8], witnesses: &[&Witness]) -> Vec<u8> {
    let mut transcript = open_file(file).expect("a file");
    let status = transcript.status.as_mut().expect("a status part");
    let text = Note::parse(&status.checkpoint).expect("a note").text().to_owned();
    for witness in witnesses {
        let line = cosign(witness.0, &text, now_s(), &witness.1).expect("a cosignature");
        status.checkpoint.extend(line.to_line().as_bytes());
    }
    write_file(&transcript).expect("a file")
}

/// Goal: a quorum counts through a succession: under the old trust file and under the new one a transcript of the new
/// origin needs the cosignatures of the same witnesses, what the thief had cosigned is refused under the new one, and
/// what the quorum had cosigned before the theft still holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_quorum_of_witnesses_counts_through_a_succession() {
    let witnesses = [("a.example", 91), ("b.example", 92), ("c.example", 93)]
        .map(|(name, seed)| Witness(name, SigningKey::from_bytes(&[seed; 32])));
    let [a, b, c] = &witnesses;
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    chain.issue(&client, &university, &[credit_record(alias, "A-0")]).await;
    let first_text = node.trust_text();
    let first = quorum(&first_text, &witnesses);
    let before = transcript(&client, &university, alias).await;
    let cut = node.ledger().size();
    chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;
    let beyond = transcript(&client, &university, alias).await;
    verify(&before, &first, now_ms()).expect_err("nobody has cosigned it");
    verify(&cosigned(&before, &[a]), &first, now_ms()).expect_err("one has cosigned it");
    let before = cosigned(&before, &[a, b]);
    // The thief has got his own checkpoint cosigned.
    let beyond = cosigned(&beyond, &[b, c]);
    for file in [&before, &beyond] {
        assert_eq!(verify(file, &first, now_ms()).expect("authentic").witnesses.len(), 2);
    }
    let dir = node.stop().await;
    let (to, done) = succeeded_by(dir.path(), cut, SECOND, Vec::new()).expect("it goes on");
    let second = quorum(&done.trust, &witnesses);
    let node = TestNode::again(to).await;
    let client = connect(&node, &Trust::parse(&done.trust).expect("a trust file"), &university.access).await;
    let after = transcript(&client, &university, alias).await;
    for trust in [&first, &second] {
        verify(&after, trust, now_ms()).expect_err("nobody has cosigned the new origin");
        verify(&cosigned(&after, &[c]), trust, now_ms()).expect_err("one has cosigned it");
        let report = verify(&cosigned(&after, &[a, c]), trust, now_ms()).expect("two have cosigned it");
        assert_eq!((report.origin.as_str(), report.records.len(), report.witnesses.len()), (SECOND, 1, 2));
        verify(&before, trust, now_ms()).expect("what the quorum had cosigned before the theft");
    }
    verify(&beyond, &first, now_ms()).expect("an old trust file cannot know");
    verify(&beyond, &second, now_ms()).expect_err("it lies beyond the end of the old origin");
}

//! A node that has sealed under a clock that was ahead, and what its operator does about it.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use creditbank_client::operator::{KeyRequest, Published, publish, publish_or_ask, registry_record};
use creditbank_client::sealing::approval::{ApprovalRequest, approval_path};
use creditbank_client::time_correction::{approvers, correction, newest_ms};
use creditbank_client::validity::last_minute;
use creditbank_protocol::UnitId;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::transcript::open_file;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::InstitutionAlias;
use creditbank_rpc::v1::learner_reference::Learner;
use creditbank_server::directory::{self, DirectoryError};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Limits, OpenError};
use creditbank_tests::acts::{replayed, send, submit};
use creditbank_tests::chain::now_ms;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{credit_record, key};
use creditbank_tests::{Chain, TestNode, University};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Whether the node seals a round without blocks by itself, as one is due.
async fn seals_an_empty_round(node: &TestNode) -> bool {
    let size = node.ledger().size();
    for _ in 0..100 {
        node.ledger().tick();
        if node.ledger().size() == size + 1 {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Goal: one start under a clock that is 40 days ahead seals one round, and nothing can be sealed any more. With the
/// clock right again the operator and a second person correct the time, and the node goes on, after a restart too; an
/// auditor agrees, and a transcript across the correction is authentic.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_corrected() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let registry = Arc::new(node.key(Purpose::Registry));
    let approver = key(Purpose::Approver, 81);
    let request = KeyRequest::new(ORIGIN, UnitId::OPERATOR, &approver).expect("a request");
    let entry = registry_record(Kind::Key, &request.record(&[], 0, 0).expect("a key")).expect("a record");
    let client = university.client(&node).await;
    publish(&client, Arc::clone(&registry) as _, &[entry], None).await.expect("an approver");
    submit(&client, &university, &[credit_record(alias, "A-1")], Vec::new()).await.expect("issued");
    // The last right seal. A bound within its own minute takes nothing right for wrong.
    let right_ms = newest_ms(&client).await.expect("a seal");
    let bound = right_ms / 60_000;
    assert_eq!(correction(&client, bound).await.expect("an answer"), None, "nothing is wrong yet");

    let node = TestNode::again_ahead(node.stop().await, 40 * DAY_MS).await;
    let size = node.ledger().size();
    assert!(seals_an_empty_round(&node).await, "a round without blocks, 40 days ahead");

    let node = TestNode::again_to_correct(node.stop().await).await;
    let client = university.client(&node).await;
    let stuck = submit(&client, &university, &[credit_record(alias, "A-2")], Vec::new()).await;
    assert_eq!(stuck.expect_err("the log is 40 days ahead"), Reason::ClockMoved);
    let said = correction(&client, bound).await.expect("an answer").expect("a seal that is ahead");
    assert_eq!(
        (said.first, said.last, said.bound_ms),
        (size, size, right_ms),
        "the log goes on from the last right seal"
    );
    assert_eq!(correction(&client, bound).await.expect("an answer"), Some(said), "and asked again");
    let approver_id = KeyId::of(&approver.public_key());
    assert_eq!(approvers(&client, bound).await.expect("an answer"), [approver_id]);
    let record = registry_record(Kind::TimeCorrection, &said).expect("a record");

    // Neither alone nor further back than the log was right.
    let operator = University { institution: 0, unit: 0, key: (*registry).clone(), access: (*registry).clone() };
    let chain = Chain::of(&client, &operator).await;
    let alone = chain.block(&operator, std::slice::from_ref(&record), Vec::new());
    assert_eq!(send(&client, &alone).await.expect_err("one person"), Reason::ApprovalMissing);
    let further = pb::TimeCorrection { bound_ms: right_ms - DAY_MS / 2, ..said };
    let work = tempfile::tempdir().expect("a directory");
    let run = async |said: &pb::TimeCorrection| {
        let record = registry_record(Kind::TimeCorrection, said).expect("a record");
        publish_or_ask(&client, Arc::clone(&registry) as _, &[record], Some(work.path()), |_| ()).await
    };
    let approve = |path: &std::path::Path| {
        let request = ApprovalRequest::read(path).expect("a request");
        let given = request.approve(&approver, last_minute(7)).expect("approved");
        fs::write(approval_path(path), serde_json::to_string(&given).expect("JSON")).expect("the approval");
    };
    let Published::Asked(path, 1) = run(&further).await.expect("a request") else { panic!("one approval") };
    approve(&path);
    // What can never be sealed as it was approved is given up, and asked for anew.
    assert!(matches!(run(&further).await, Ok(Published::Asked(..)) | Err(_)), "before the log was right");
    let Published::Asked(path, 1) = run(&said).await.expect("a request") else { panic!("one approval") };
    approve(&path);
    assert!(matches!(run(&said).await.expect("sealed"), Published::Sealed(_)));
    assert!(matches!(run(&said).await.expect("nothing is done twice"), Published::Already));

    submit(&client, &university, &[credit_record(alias, "A-2")], Vec::new()).await.expect("the log goes on");
    let node = node.restart().await;
    let client = university.client(&node).await;
    submit(&client, &university, &[credit_record(alias, "A-3")], Vec::new()).await.expect("after a restart too");
    replayed(&client).await;
    assert_eq!(correction(&client, now_ms() / 60_000).await.expect("an answer"), None, "it is corrected");
    let learner = Learner::Alias(InstitutionAlias { institution: 1, alias: alias.0.to_vec() });
    let (file, report) = client.transcript(learner).await.expect("a transcript that the client has verified");
    assert_eq!(report.records.len(), 3);
    let shown = open_file(&file).expect("a transcript");
    let proofs = shown.status.and_then(|status| status.proofs).expect("proofs");
    let is_one = |entry: &pb::RegistryEntry| entry.kind == i32::from(Kind::TimeCorrection);
    assert!(proofs.registry.iter().filter_map(|proved| proved.entry.as_ref()).any(is_one), "the correction is shown");
}

/// Goal: more than 26 hours after the last seal a start seals nothing that nobody has confirmed, neither a block nor an
/// empty round; it says why and how, and serves reads. Confirmed, and within 26 hours, it seals.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_after_days_asks_for_the_time() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let size = node.ledger().size();

    let node = TestNode::again_unconfirmed(node.stop().await, 27 * HOUR_MS).await;
    let problems = node.ledger().health().problems();
    assert!(problems.len() == 1 && problems[0].contains("--confirm-time"), "{problems:?}");
    node.ledger().tick();
    let client = university.client(&node).await;
    let chain = Chain::of(&client, &university).await;
    let block = chain.block(&university, &[credit_record(alias, "A-1")], Vec::new());
    let refused = client.submit(block).await.expect_err("nobody has confirmed the time").to_string();
    assert!(refused.contains("--confirm-time 2026-11-26T09:30Z") && refused.contains("the last seal"), "{refused}");
    assert_eq!(node.ledger().size(), size, "nothing was sealed");
    client.entry(size - 1).await.expect("what was sealed is served");

    let node = TestNode::again_unconfirmed(node.stop().await, 25 * HOUR_MS).await;
    assert!(node.ledger().health().problems().is_empty());
    assert!(seals_an_empty_round(&node).await, "a day of idleness");

    let node = TestNode::again_ahead(node.stop().await, 90 * DAY_MS).await;
    assert!(seals_an_empty_round(&node).await, "three months that were confirmed");
    assert!(node.ledger().health().problems().is_empty());
}

/// Goal: a clock that was set back by less than a minute keeps nobody from sealing, and no time goes back; one that is
/// further behind is refused, with what mends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_step_back_is_waited_out() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let node = TestNode::again_ahead(node.stop().await, 50_000).await;
    let client = university.client(&node).await;
    submit(&client, &university, &[credit_record(alias, "A-1")], Vec::new()).await.expect("50 s ahead");
    let node = TestNode::again(node.stop().await).await;
    let client = university.client(&node).await;
    submit(&client, &university, &[credit_record(alias, "A-2")], Vec::new()).await.expect("the last seal's time again");
    // The times of seals never go back: an auditor's rule.
    replayed(&client).await;

    let node = TestNode::again_ahead(node.stop().await, 600_000).await;
    let client = university.client(&node).await;
    submit(&client, &university, &[credit_record(alias, "A-3")], Vec::new()).await.expect("ten minutes ahead");
    let dir = node.stop().await;
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir.path()).expect("a configuration");
    let refused = directory::open(&environment, dir.path(), &config, Limits::default());
    let Err(DirectoryError::Open(error @ OpenError::Clock { .. })) = refused else { panic!("ten minutes behind") };
    assert!(error.to_string().contains("--correct-time") && error.to_string().contains("set the clock"), "{error}");
}

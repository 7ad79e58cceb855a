//! Quotas: what one institution may ask for in a minute, and what it is told beyond.

use std::sync::OnceLock;

use creditbank_client::outbox::{GivenUp, Pending};
use creditbank_client::sealing::{Contents, Options, seal_block};
use creditbank_client::{Client, ClientError, ConnectOptions, Notice};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::{InstitutionAlias, Refusal, learner_reference::Learner};
use creditbank_server::directory::{Quotas, StoreUrl};
use creditbank_server::ledger::Limits;
use creditbank_tests::university::{credit_record, student};
use creditbank_tests::{Chain, TestNode, University};
use tokio::sync::mpsc;

fn over<T>(answer: Result<T, ClientError>) -> Refusal {
    match answer {
        Err(ClientError::Refused(refusal)) => {
            assert_eq!(refusal.why(), Reason::QuotaUsed, "{refusal:?}");
            assert!(refusal.why().is_transient() && refusal.retry_after_ms > 0, "{refusal:?}");
            *refusal
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is over the quota"),
    }
}

/// Goal: accounts, blocks and expensive calls have a quota for each institution; who is over it is told when to come
/// back and changes nothing; other institutions, the operator and cheap reads do not notice; the metrics show it.
#[tokio::test(flavor = "multi_thread")]
async fn one_institution_does_not_take_everything() {
    let quotas = Quotas { accounts_per_minute: 3, blocks_per_minute: 2, expensive_calls_per_minute: 2 };
    let node = TestNode::with(StoreUrl::standard(), None, Limits { quotas, ..Limits::default() }).await;
    let (greedy, other) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let client = greedy.client(&node).await;
    let numbers = |numbers: std::ops::Range<u64>| numbers.map(|number| student(&number.to_string())).collect();
    let aliases = client.open_accounts(1, numbers(0..3)).await.expect("three accounts");
    let refusal = over(client.open_accounts(1, numbers(3..4)).await);
    assert!(refusal.expected.contains("3 accounts in a minute"), "{refusal:?}");
    assert_eq!(other.aliases(&node, 0..3).await.len(), 3);

    let mut chain = Chain::of(&client, &greedy).await;
    for course in ["A", "B"] {
        chain.issue(&client, &greedy, &[credit_record(aliases[0], course)]).await;
    }
    let third = chain.block(&greedy, &[credit_record(aliases[0], "C")], Vec::new());
    let size = node.ledger().size();
    over(client.submit(third.clone()).await);
    assert_eq!(node.ledger().size(), size);
    // Blocks whose signature is wrong count for nobody.
    let other_client = other.client(&node).await;
    let chain = Chain::of(&other_client, &other).await;
    for _ in 0..5 {
        let mut bad = chain.block(&other, &[credit_record(aliases[0], "X")], Vec::new());
        let mut bytes = bad.block.to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bad.block = bytes.into();
        let error = other_client.submit(bad).await.expect_err("no good signature");
        assert!(!matches!(&error, ClientError::Refused(refusal) if refusal.why() == Reason::QuotaUsed), "{error}");
    }

    let learner = || Learner::Alias(InstitutionAlias { institution: 1, alias: aliases[0].to_vec() });
    for _ in 0..2 {
        client.balance(learner()).await.expect("within the quota");
    }
    over(client.balance(learner()).await);
    client.chain_head(creditbank_protocol::UnitId::new(1, 1)).await.expect("a cheap read");
    let operator = node.operator().await;
    for _ in 0..5 {
        operator.balance(learner()).await.expect("the operator sets the quotas");
    }
    let text = node.ledger().metrics().text();
    for line in [
        "creditbank_quota_used_total{institution=\"1\",of=\"accounts\"} 3",
        "creditbank_quota_refused_total{institution=\"1\",of=\"accounts\"} 1",
        "creditbank_quota_used_total{institution=\"1\",of=\"blocks\"} 2",
        "creditbank_quota_refused_total{institution=\"1\",of=\"blocks\"} 1",
        "creditbank_quota_refused_total{institution=\"1\",of=\"expensive_calls\"} 1",
        "creditbank_quota_per_minute{of=\"blocks\"} 2",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("quota_refused_total{institution=\"2\""), "{text}");
}

static HEARD: OnceLock<mpsc::UnboundedSender<Notice>> = OnceLock::new();

fn hear(notice: &Notice) {
    if let Some(heard) = HEARD.get() {
        // The test may have ended.
        let _ = heard.send(notice.clone());
    }
}

/// Goal: who has to wait is told at once for what and how long; whoever gives up meanwhile leaves a block under way,
/// which is told at the next run, or given up. Method: one block a minute, and nobody waits for the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_is_told() {
    let quotas = Quotas { blocks_per_minute: 1, ..Quotas::default() };
    let node = TestNode::with(StoreUrl::standard(), None, Limits { quotas, ..Limits::default() }).await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let (told, mut heard) = mpsc::unbounded_channel();
    HEARD.set(told).expect("one test");
    let options = ConnectOptions { notices: Some(hear), ..ConnectOptions::new(&node.url()) };
    let client = Client::connect(&options, node.trust(), Some(university.access.clone())).await.expect("a connection");
    let work = tempfile::tempdir().expect("a directory");
    let (unit, options) = (university.issuing(), Options { work: work.path(), require_approval: false });
    let block = |course: &str| Contents::of([credit_record(alias, course)]);
    seal_block(&client, &unit, &block("A"), options, |_| ()).await.expect("the first of the minute");
    assert!(heard.try_recv().is_err(), "nothing to tell");
    for is_again in [false, true] {
        let second = block("B");
        let sealing = seal_block(&client, &unit, &second, options, |_| ());
        let mut notices = Vec::new();
        tokio::select! {
            _ = sealing => panic!("it waits for the next minute"),
            () = async {
                while !matches!(notices.last(), Some(Notice::Waits { .. })) {
                    notices.extend(heard.recv().await);
                }
            } => {}
        }
        let Some(Notice::Waits { why, pause_ms }) = notices.pop() else { panic!("{notices:?}") };
        assert!(why.contains("QUOTA_USED") && pause_ms > 2_000, "{why}: {pause_ms}");
        let resends: Vec<String> = notices.iter().map(ToString::to_string).collect();
        assert_eq!(resends.len(), usize::from(is_again), "{resends:?}");
        assert!(resends.iter().all(|said| said.contains("1 record of unit 1 of institution 1")), "{resends:?}");
    }
    let pending = Pending::open(work.path()).expect("the notes");
    assert_eq!(pending.blocks().map(|block| block.height).collect::<Vec<_>>(), [1]);
    let size = node.ledger().size();
    let given_up = pending.give_up(&client).await.expect("the log does not have it");
    assert_eq!(given_up, GivenUp { blocks: 1, requests: 0 });
    assert_eq!(Pending::open(work.path()).expect("the notes").blocks().count(), 0);
    assert_eq!(node.ledger().size(), size);
}

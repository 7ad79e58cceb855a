//! The life of a block.

use creditbank_client::ClientError;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::Kind;
use creditbank_rpc::Reason;
use creditbank_rpc::v1::submit_blocks_response::Outcome;
use creditbank_server::directory::StoreUrl;
use creditbank_server::ledger::Limits;
use creditbank_tests::university::{credit_record, record};
use creditbank_tests::{Chain, TestNode, University};
use tokio_stream::StreamExt as _;

/// Goal: what was issued is read back, with its proofs, on every engine, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn issued_records_are_read_back() {
    for store in ["memory:", "sled:log", "fjall:log"] {
        let durable = store != "memory:";
        let mut node = TestNode::with(store.parse().expect("a store"), None, Limits::default()).await;
        let university = University::admit(&node, 1).await;
        let aliases = university.aliases(&node, 0..3).await;
        let client = university.client(&node).await;
        let mut chain = Chain::of(&client, &university).await;
        let records: Vec<_> = aliases.iter().map(|alias| credit_record(*alias, "A-1")).collect();
        let receipt = chain.issue(&client, &university, &records).await;
        if durable {
            node = node.restart().await;
        }
        let client = university.client(&node).await;
        for (index, record) in (0u32..).zip(&records) {
            let read =
                client.record(creditbank_protocol::pb::Place { entry: receipt.index, index }).await.expect("a record");
            assert_eq!(read.disclosed.hash, record.hash());
            assert_eq!(read.disclosed.body, record.body());
            assert_eq!(read.unit, UnitId::new(1, 1));
        }
        assert_eq!(client.block(UnitId::new(1, 1), 0).await.expect("the receipt"), receipt);
    }
}

/// Goal: the same bytes again give the same receipt, however often and whenever.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_block_gives_the_same_receipt() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..1).await;
    let client = university.client(&node).await;
    let chain = Chain::of(&client, &university).await;
    let request = chain.block(&university, &[credit_record(aliases[0], "A-1")], Vec::new());
    let submit = |client: creditbank_client::Client| {
        let request = request.clone();
        async move { client.submit(request).await.expect("a receipt") }
    };
    // Ten at once, then one more, then one after a restart.
    let at_once = (0..10).map(|_| async { submit(university.client(&node).await).await });
    let mut receipts = Vec::new();
    for receipt in at_once {
        receipts.push(receipt.await);
    }
    receipts.push(submit(university.client(&node).await).await);
    let size = node.ledger().size();
    let node = node.restart().await;
    receipts.push(submit(university.client(&node).await).await);
    assert!(receipts.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(node.ledger().size(), size, "nothing was sealed twice");
}

/// Goal: of two blocks at one height one is sealed; the other's issuer learns which.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_head_carries_the_accepted_block() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..2).await;
    let client = university.client(&node).await;
    let chain = Chain::of(&client, &university).await;
    let first = chain.block(&university, &[credit_record(aliases[0], "A-1")], Vec::new());
    let second = chain.block(&university, &[credit_record(aliases[1], "A-1")], Vec::new());
    let receipt = client.submit(first).await.expect("the first");
    let refused = client.submit(second).await.expect_err("the second");
    let refusal = refused.refusal().expect("a refusal");
    assert_eq!(refusal.why(), Reason::StaleHead);
    assert_eq!(refusal.accepted.as_ref(), Some(&receipt));
}

/// Goal: a stream of blocks is sealed in order, and each answer belongs to its request; one that is refused refuses
/// those that build on it, and the stream goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, 0..100).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let mut requests = Vec::new();
    for alias in &aliases {
        let request = chain.block(&university, &[credit_record(*alias, "A-1")], Vec::new());
        chain.advance(&request);
        requests.push(request);
    }
    let outcomes = |requests| async {
        let mut service = node.ledger_service().await;
        let answers = service.submit_blocks(tokio_stream::iter(requests)).await.expect("a stream").into_inner();
        answers.map(|answer| answer.expect("an answer").outcome.expect("an outcome")).collect::<Vec<_>>().await
    };
    let mut broken = requests.clone();
    broken[60].records[0].seed = vec![9; 32].into();
    let found: Vec<Outcome> = outcomes(broken).await;
    assert_eq!(found.len(), 100);
    for (number, outcome) in found.iter().enumerate() {
        match outcome {
            Outcome::Receipt(receipt) => {
                assert!(number < 60);
                assert_eq!(receipt.entry[1..], requests[number].block[..], "answer {number} is for another block");
            }
            Outcome::Refusal(refusal) => {
                let expected = if number == 60 { Reason::WrongRecordsRoot } else { Reason::WrongHeight };
                assert_eq!((number >= 60, refusal.why()), (true, expected), "answer {number}");
            }
        }
    }
    // The whole again: what was sealed gives its receipt, the rest is sealed now.
    let again = outcomes(requests).await;
    assert!(again.iter().all(|outcome| matches!(outcome, Outcome::Receipt(_))));
}

/// Goal: a full node says when to come back, and loses nothing that it took.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_with_a_time() {
    let limits = Limits { queue_kib_max: 64, ..Limits::default() };
    let node = TestNode::with(StoreUrl::standard(), None, limits).await;
    let university = University::admit(&node, 1).await;
    let alias = university.aliases(&node, 0..1).await[0];
    let client = university.client(&node).await;
    let chain = Chain::of(&client, &university).await;
    let mut large = creditbank_fixtures::credit(alias, "A-1");
    large.course.as_mut().expect("a course").titles = vec![creditbank_fixtures::text(&"long ".repeat(200))];
    let records: Vec<_> = (0..100).map(|salt| record(Kind::Credit, &large, salt)).collect();
    let request = chain.block(&university, &records, Vec::new());
    match client.submit(request).await {
        Err(ClientError::Refused(refusal)) => {
            assert_eq!(refusal.why(), Reason::Busy);
            assert!(refusal.retry_after_ms > 0);
        }
        other => panic!("expected BUSY, found {other:?}"),
    }
    assert_eq!(chain.head, client.chain_head(UnitId::new(1, 1)).await.expect("the head"));
}

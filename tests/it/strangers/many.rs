//! Many addresses, each of which holds as much as it can get.

use super::*;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// A node that is patient with half requests, so that they hold what they hold while the test runs.
fn patient() -> Settings {
    let long = Duration::from_mins(5);
    Settings { patience: Patience { message: long, stall: long, ..Patience::default() }, ..hasty() }
}

/// Opens calls from addresses, so many each, and leaves them open.
async fn hold(node: &TestNode, from: std::ops::Range<u8>, each: usize, path: &'static str) -> JoinSet<Option<Code>> {
    let mut open = JoinSet::new();
    for from in from {
        let mut connection = channel(node, from, WINDOW).await;
        for number in 0..each {
            if number > 0 && number % 96 == 0 {
                connection = channel(node, from, WINDOW).await;
            }
            let (connection, url) = (connection.clone(), node.url());
            open.spawn(async move { code(call(connection, &url, path, unfinished(&[0])).await).await });
        }
    }
    open
}

/// Goal: however many addresses hold however many unfinished calls of each kind, a newcomer is served: what he needs,
/// one who holds more gives up, and is told so.
#[tokio::test(flavor = "multi_thread")]
async fn many_addresses_keep_nobody_out() {
    let node = TestNode::with_settings(patient()).await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, [1]).await;
    let mut chain = Chain::of(&university.client(&node).await, &university).await;
    let mut halves = hold(&node, 2..26, 200, SUBMIT).await;
    let streams = hold(&node, 26..50, 30, STREAM).await;
    let mut unread = Vec::new();
    for from in 50..80 {
        let connection = channel(&node, from, 1).await;
        for _ in 0..20 {
            unread.push(call(connection.clone(), &node.url(), ENTRIES, whole(message(&[]))).await);
        }
    }
    let (held, streaming) = (
        || measure(node.ledger(), "creditbank_requests_held_bytes "),
        || measure(node.ledger(), "creditbank_streaming_calls "),
    );
    // All but the part that is for small things.
    eventually("the rooms are as full as they get", || held() > 0.85 * f64::from(128 << 20) && streaming() > 500.0)
        .await;

    let client = university.client(&node).await;
    client.checkpoint().await.expect("a small call");
    let head = client.chain_head(UnitId::new(1, 1)).await.expect("another one");
    chain.head = head;
    let records: Vec<_> = (0..100).map(|number| credit_record(aliases[0], &format!("C-{number}"))).collect();
    chain.issue(&client, &university, &records).await;
    let block = chain.block(&university, &[credit_record(aliases[0], "S-1")], Vec::new());
    let mut ledger = LedgerServiceClient::new(channel(&node, 1, WINDOW).await);
    let mut answers = ledger.submit_blocks(tokio_stream::once(block)).await.expect("a stream").into_inner();
    let answer = answers.message().await.expect("a receipt").expect("one answer").outcome;
    assert!(matches!(answer, Some(creditbank_rpc::v1::submit_blocks_response::Outcome::Receipt(_))), "{answer:?}");

    let ended = ["requests", "streams"]
        .map(|room| measure(node.ledger(), &format!("creditbank_calls_ended_for_room_total{{room=\"{room}\"}}")));
    assert!(ended.iter().all(|ended| *ended > 0.0), "somebody made room: {ended:?}");
    drop(unread);
    let told = tokio::time::timeout(Duration::from_secs(20), halves.join_next()).await.expect("one was told to go");
    assert_eq!(told.expect("there are many").expect("no panic"), Some(Code::ResourceExhausted));
    let begun = Instant::now();
    node.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "the node stops, whoever holds what");
    drop((halves, streams));
}

/// Goal: however many watch how the node is, who asks gets an answer, from their addresses, too.
#[tokio::test(flavor = "multi_thread")]
async fn who_watches_keeps_nobody_from_asking() {
    let node = TestNode::with_settings(patient()).await;
    let mut watched = Vec::new();
    for from in 2..22 {
        let connection = channel(&node, from, WINDOW).await;
        for _ in 0..60 {
            let mut health = HealthClient::new(connection.clone());
            // Some are refused: that is what is tried here.
            if let Ok(answer) = health.watch(HealthCheckRequest::default()).await {
                watched.push(answer.into_inner());
            }
        }
    }
    assert!(watched.len() >= 300, "the room is for hundreds: {}", watched.len());
    for from in [1, 2, 21, 99] {
        let mut health = HealthClient::new(channel(&node, from, WINDOW).await);
        for _ in 0..5 {
            health.check(HealthCheckRequest::default()).await.expect("an answer");
        }
    }
    drop(watched);
    eventually("nothing is held", || measure(node.ledger(), "creditbank_inquiries_held_bytes ") == 0.0).await;
}

//! Goal: under many times the load that the node can take, with clients that send rubbish, half a request, read nothing or vanish,
//! its memory stays bounded, what it has acknowledged is there, and what it refuses says when to come back.

mod child;

use std::convert::Infallible;
use std::time::{Duration, Instant};

use child::Child;
use creditbank_client::{Client, ClientError};
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::{SubmitBlockRequest, SubmitBlocksResponse, ledger_service_client::LedgerServiceClient};
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, University};
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tonic::transport::Channel;
use tower::{Service as _, ServiceExt as _};

/// Most megabytes that the node may ever have taken up.
const RSS_MAX_MB: u64 = 1_200;
const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 3_000;
const REPEATS: usize = 3;
const BLOCKS: usize = 30;

/// Where on the loopback those come from who send rubbish and half requests, who read nothing, and who flood. Honest
/// institutions come from 127.0.0.1: an address that holds much has to wait.
const SENDING: [u8; 4] = [127, 0, 0, 2];
const UNREADING: [u8; 4] = [127, 0, 0, 3];
const FLOODING: [u8; 4] = [127, 0, 0, 4];

/// A connection from an address.
async fn connect(url: &str, from: [u8; 4]) -> Channel {
    let endpoint = Channel::from_shared(url.to_owned()).expect("a URL").local_address(Some(from.into()));
    endpoint.connect().await.expect("a connection")
}

/// A gRPC frame around a message, or around a part of one of which the whole length is `stated`.
fn frame(message: &[u8], stated: usize) -> Bytes {
    let stated = u32::try_from(stated).expect("at most 32 MiB");
    [&[0][..], &stated.to_be_bytes(), message].concat().into()
}

/// Sends bytes as a call, and returns the gRPC code, or -1 where there was no answer.
async fn call(mut channel: Channel, url: &str, method: &str, body: Body) -> i32 {
    let uri = format!("{url}/creditbank.v1.LedgerService/{method}");
    let request = http::Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    let request = request.body(body).expect("a request");
    let Ok(ready) = channel.ready().await else { return -1 };
    let Ok(answer) = ready.call(request).await else { return -1 };
    let status = |headers: &http::HeaderMap| headers.get("grpc-status")?.to_str().ok()?.parse().ok();
    if let Some(code) = status(answer.headers()) {
        return code;
    }
    let trailers = answer.into_body().collect().await.ok().and_then(|all| all.trailers().and_then(status));
    trailers.unwrap_or(-1)
}

/// Sends a block until there is a receipt. Every refusal says when to come back.
async fn submit(client: &Client, request: &SubmitBlockRequest) -> Receipt {
    loop {
        match client.submit(request.clone()).await {
            Ok(receipt) => return receipt,
            Err(ClientError::Refused(refusal)) => {
                assert_eq!(
                    (refusal.why(), refusal.retry_after_ms > 0),
                    (creditbank_rpc::Reason::Busy, true),
                    "{refusal:?}"
                );
                tokio::time::sleep(Duration::from_millis(refusal.retry_after_ms)).await;
            }
            // A call may be lost in the crowd; the same bytes give the same receipt.
            Err(ClientError::Unreachable(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

/// Issues blocks one after the other; what is refused as busy is sent again.
async fn issue(child: &Child, university: &University, alias: Alias) -> Vec<(SubmitBlockRequest, Receipt)> {
    let client = child.client(university).await.expect("the node serves");
    let head = client.chain_head(UnitId::new(university.institution, university.unit)).await.expect("the head");
    let mut chain = Chain { head };
    let mut sealed = Vec::new();
    for number in 0..BLOCKS {
        let request = chain.block(university, &[credit_record(alias, &format!("C-{number}"))], Vec::new());
        chain.advance(&request);
        let receipt = submit(&client, &request).await;
        sealed.push((request, receipt));
    }
    sealed
}

/// The same block, far more often at once than the queue is long: receipts, or refusals with a time.
async fn flood(url: String, request: SubmitBlockRequest) -> (usize, usize) {
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(LedgerServiceClient::new(connect(&url, FLOODING).await));
    }
    let (mut receipts, mut refusals) = (0, 0);
    for _ in 0..REPEATS {
        let mut calls = JoinSet::new();
        for number in 0..IN_FLIGHT {
            let (mut client, request) = (connections[number % CONNECTIONS].clone(), request.clone());
            calls.spawn(async move { client.submit_block(request).await });
        }
        while let Some(answer) = calls.join_next().await {
            match answer.expect("no panic") {
                Ok(_) => receipts += 1,
                Err(status) => {
                    let refusal = creditbank_rpc::refusal::from_status(&status);
                    assert_eq!(status.code(), tonic::Code::ResourceExhausted, "{status}");
                    assert!(refusal.retry_after_ms > 0, "{status}");
                    refusals += 1;
                }
            }
        }
    }
    (receipts, refusals)
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_bounded_and_accepted_work_is_finished() {
    let begun = Instant::now();
    let child = Child::start();
    let universities = [child.admit(1).await, child.admit(2).await];
    let aliases = child.aliases(&universities).await;
    let url = child.url().to_owned();
    let channel = || connect(&url, SENDING);

    // Sixteen million empty records in 32 MiB, and as many identities in one record.
    let empty = Bytes::from([0x12, 0x00].repeat(16_000_000));
    let rubbish = channel().await;
    // INVALID_ARGUMENT; UNAUTHENTICATED, before anything is read, where a token is missing.
    for (method, expected) in [("SubmitBlock", 3), ("SubmitBlocks", 3), ("CheckRecords", 16)] {
        let body = Body::new(Full::new(frame(&empty, empty.len())).map_err(|never: Infallible| match never {}));
        assert_eq!(call(rubbish.clone(), &url, method, body).await, expected, "{method}");
    }
    drop(empty);
    println!("after rubbish: {} MB at most", child.peak_rss_mb());

    // Half a request each, and then silence.
    let half = Bytes::from(vec![0x55; 100_000]);
    let mut silent = JoinSet::new();
    for connection in 0..10 {
        let channel = channel().await;
        for number in 0..40 {
            let begin = Ok::<_, tonic::Status>(http_body::Frame::data(frame(&half, 1 << 20)));
            let forever = tokio_stream::StreamExt::chain(tokio_stream::once(begin), tokio_stream::pending());
            let (channel, url) = (channel.clone(), url.clone());
            let method = if number % 2 == 0 { "SubmitBlock" } else { "SubmitBlocks" };
            silent.spawn(async move { call(channel, &url, method, Body::new(StreamBody::new(forever))).await });
        }
        if connection % 2 == 0 {
            tokio::task::yield_now().await;
        }
    }

    // Streams whose answers nobody reads, with one honest block again and again.
    let client = child.client(&universities[0]).await.expect("the node serves");
    let head =
        client.chain_head(UnitId::new(universities[0].institution, universities[0].unit)).await.expect("the head");
    let first = Chain { head }.block(&universities[0], &[credit_record(aliases[0], "C-0")], Vec::new());
    let receipt = client.submit(first.clone()).await.expect("sealed");
    let mut unread: Vec<tonic::Streaming<SubmitBlocksResponse>> = Vec::new();
    for _ in 0..20 {
        let blocks = tokio_stream::iter(std::iter::repeat_n(first.clone(), 20_000));
        let mut client = LedgerServiceClient::new(connect(&url, UNREADING).await);
        // One address gets some streams, and BUSY for more.
        match client.submit_blocks(blocks).await {
            Ok(stream) => unread.push(stream.into_inner()),
            Err(status) => assert_eq!(status.code(), tonic::Code::ResourceExhausted, "{status}"),
        }
    }
    assert!(!unread.is_empty(), "no stream was taken");

    let (flooded, first_issue, second_issue) = tokio::join!(
        flood(url.clone(), first.clone()),
        issue(&child, &universities[1], aliases[1]),
        issue_later(&child, &universities[0], aliases[0]),
    );
    let (receipts, refusals) = flooded;
    assert!(refusals > 0, "the node was never full: {receipts} receipts");
    drop(unread);
    silent.abort_all();

    assert_eq!(submit(&client, &first).await, receipt);
    for (university, issued) in universities.iter().rev().zip([first_issue, second_issue]) {
        let client = child.client(university).await.expect("the node serves");
        for (request, receipt) in issued {
            assert_eq!(submit(&client, &request).await, receipt, "accepted work is there");
        }
    }
    let peak = child.peak_rss_mb();
    println!("overload: {receipts} receipts, {refusals} refusals, {peak} MB at most, {:?}", begun.elapsed());
    assert!(peak <= RSS_MAX_MB, "the node took {peak} MB");
    assert_eq!(child.terminate(), Some(0));
}

/// The other university, behind its first block.
async fn issue_later(child: &Child, university: &University, alias: Alias) -> Vec<(SubmitBlockRequest, Receipt)> {
    let client = child.client(university).await.expect("the node serves");
    let head = client.chain_head(UnitId::new(university.institution, university.unit)).await.expect("the head");
    let mut chain = Chain { head };
    let request = chain.block(university, &[credit_record(alias, "D-0")], Vec::new());
    chain.advance(&request);
    let receipt = submit(&client, &request).await;
    vec![(request, receipt)]
}

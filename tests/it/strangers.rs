//! Who has no key stops nobody: half requests, answers that nobody reads, sockets that say nothing, forged signatures.

mod frames;
mod many;
mod requests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use creditbank_protocol::{UnitId, pb};
use creditbank_rpc::Reason;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_rpc::v1::ledger_service_client::LedgerServiceClient;
use creditbank_rpc::v1::log_service_client::LogServiceClient;
use creditbank_server::directory::{Connections, Tls};
use creditbank_server::ledger::Ledger;
use creditbank_server::serve::{Patience, Settings};
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};
use tonic::transport::{Channel, Endpoint};
use tower::{Service as _, ServiceExt as _};

/// A node on the loopback that loses its patience soon, so that the tests need none.
fn hasty() -> Settings {
    let patience = Patience {
        handshake: Duration::from_millis(400),
        stall: Duration::from_millis(900),
        message: Duration::from_secs(2),
        idle: Duration::from_mins(10),
    };
    Settings { patience, ..Settings::at(([127, 0, 0, 1], 0).into()) }
}

/// An address of the loopback.
fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// A connection from an address, whose streams take so many bytes before they are read.
async fn channel(node: &TestNode, from: u8, window: u32) -> Channel {
    let endpoint = Endpoint::from_shared(node.url()).expect("a URL").local_address(Some(address(from)));
    endpoint.initial_stream_window_size(window).connect().await.expect("a connection")
}

const WINDOW: u32 = 65_535;

/// Calls a method with a body of any kind.
async fn call(mut channel: Channel, url: &str, path: &str, body: Body) -> Response {
    let Ok(ready) = channel.ready().await else { return None };
    ready.call(request(url, path, body)).await.ok()
}

fn request(url: &str, path: &str, body: Body) -> http::Request<Body> {
    let request = http::Request::post(format!("{url}{path}")).header("content-type", "application/grpc");
    request.header("te", "trailers").body(body).expect("a request")
}

type Response = Option<http::Response<Body>>;

/// The gRPC code of an answer; `None` where there was no answer.
async fn code(answer: Response) -> Option<Code> {
    let answer = answer?;
    let of = |headers: &http::HeaderMap| Some(Code::from_bytes(headers.get("grpc-status")?.as_bytes()));
    match of(answer.headers()) {
        Some(code) => Some(code),
        None => of(answer.into_body().collect().await.ok()?.trailers()?),
    }
}

/// Bytes, and then nothing more for ever.
fn unfinished(bytes: &'static [u8]) -> Body {
    let begin = Ok::<_, tonic::Status>(Frame::data(Bytes::from_static(bytes)));
    let forever = tokio_stream::StreamExt::chain(tokio_stream::once(begin), tokio_stream::pending());
    Body::new(StreamBody::new(forever))
}

/// Bytes, and then the end.
fn whole(bytes: Vec<u8>) -> Body {
    Body::new(http_body_util::Full::new(Bytes::from(bytes)).map_err(|never| match never {}))
}

fn message(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).expect("short");
    [&[0][..], &len.to_be_bytes(), bytes].concat()
}

/// A measure by the beginning of its line; 0 where it has none.
fn measure(ledger: &Ledger, line: &str) -> f64 {
    let text = ledger.metrics().text();
    let value = |found: &str| found.strip_prefix(line)?.split_whitespace().last()?.parse::<f64>().ok();
    text.lines().filter_map(value).sum()
}

/// Waits until something holds, for some seconds.
async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const SUBMIT: &str = "/creditbank.v1.LedgerService/SubmitBlock";
const STATUS_PROOF: &str = "/creditbank.v1.LogService/GetStatusProof";
const STREAM: &str = "/creditbank.v1.LedgerService/SubmitBlocks";
const ENTRIES: &str = "/creditbank.v1.LogService/StreamEntries";
const LIST: &str = "/creditbank.v1.RegistryService/ListRegistry";
const CHECKPOINT: &str = "/creditbank.v1.LogService/GetCheckpoint";

/// Goal: one byte on each of thousands of streams, from several addresses, keeps nobody else out: not small calls, not
/// health, not a block. Each such call ends, and what it held is free again.
#[tokio::test(flavor = "multi_thread")]
async fn half_requests_keep_nobody_out() {
    // Thousands of streams take the machine some time.
    let patience = Patience { handshake: Duration::from_secs(10), ..hasty().patience };
    let node = TestNode::with_settings(Settings { patience, ..hasty() }).await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, [1]).await;
    let client = university.client(&node).await;
    let held_before = measure(node.ledger(), "creditbank_requests_held_bytes ");
    let mut half = JoinSet::new();
    for from in 2..6 {
        for _ in 0..4 {
            let channel = channel(&node, from, WINDOW).await;
            for number in 0..240 {
                let (channel, url) = (channel.clone(), node.url());
                let path = if number % 2 == 0 { SUBMIT } else { STREAM };
                half.spawn(async move { code(call(channel, &url, path, unfinished(&[0])).await).await });
            }
        }
    }
    eventually("the calls arrive", || measure(node.ledger(), "creditbank_requests_held_bytes ") > 8e6).await;
    client.checkpoint().await.expect("a small call");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel(&node, 1, WINDOW).await);
    health.check(tonic_health::pb::HealthCheckRequest::default()).await.expect("health");
    let mut chain = Chain::of(&client, &university).await;
    chain.issue(&client, &university, &[credit_record(aliases[0], "C-1")]).await;
    let mut refused = 0;
    while let Some(ended) = half.join_next().await {
        match ended.expect("no panic") {
            Some(Code::DeadlineExceeded) | None => {}
            Some(Code::ResourceExhausted) => refused += 1,
            other => panic!("expected the end of half a request, found {other:?}"),
        }
    }
    println!("{refused} of 3840 half requests were refused at once");
    eventually("nothing is held", || {
        measure(node.ledger(), "creditbank_requests_held_bytes ") <= held_before
            && measure(node.ledger(), "creditbank_streaming_calls ") == 0.0
    })
    .await;
}

/// Goal: an answer that nobody reads is charged, ends after the patience of the node, and is freed, whether it is
/// large, streamed, or so small that the transport has all of it already.
#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_end_and_are_freed() {
    let node = TestNode::with_settings(hasty()).await;
    let mut unread = Vec::new();
    for from in 2..5 {
        // A window of one byte: the reader takes that, and nothing more.
        let channel = channel(&node, from, 1).await;
        for number in 0..60 {
            // Keys, of which a log has several from its beginning; all entries; a checkpoint, which is short.
            let (path, request) = match number % 3 {
                0 => (LIST, message(&[0x08, 3])),
                1 => (ENTRIES, message(&[])),
                _ => (CHECKPOINT, message(&[])),
            };
            unread.push(call(channel.clone(), &node.url(), path, whole(request)).await);
        }
    }
    assert!(unread.iter().any(Option::is_some), "the calls were answered");
    assert!(measure(node.ledger(), "creditbank_answers_held_bytes ") > 10_000.0, "what nobody reads is charged");
    eventually("what nobody reads is freed", || measure(node.ledger(), "creditbank_answers_held_bytes ") == 0.0).await;
    assert!(measure(node.ledger(), "creditbank_streams_stalled_total ") > 0.0);
    node.client(None).await.checkpoint().await.expect("others are served");
}

/// Goal: who reads slowly, but reads, gets all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_gets_everything() {
    let node = TestNode::with_settings(hasty()).await;
    let mut log = LogServiceClient::new(channel(&node, 2, 20_000).await);
    let all = creditbank_rpc::v1::StreamEntriesRequest { from_index: 0, until_index: 0 };
    let mut stream = log.stream_entries(all).await.expect("a stream").into_inner();
    let mut count = 0;
    let begun = Instant::now();
    while let Some(entry) = stream.message().await.expect("an entry") {
        assert_eq!(entry.index, count);
        count += 1;
        // Longer than the patience with one who takes nothing, in all.
        if begun.elapsed() < Duration::from_millis(1_500) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert_eq!(count, node.ledger().size());
}

/// A socket from an address.
async fn socket(to: SocketAddr, from: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::new(address(from), 0)).expect("an address of the loopback");
    socket.connect(to).await.expect("a connection")
}

/// Whether the other side closes within some seconds.
async fn is_closed(socket: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut bytes)).await;
    closed.is_ok()
}

/// Goal: sockets that say nothing, half a preface, or half a TLS handshake are closed.
#[tokio::test(flavor = "multi_thread")]
async fn silent_sockets_are_closed() {
    let node = TestNode::with_settings(hasty()).await;
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut socket = socket(node.address(), 2).await;
        socket.write_all(said).await.expect("it takes bytes");
        assert!(is_closed(&mut socket).await, "after {} bytes", said.len());
    }
    eventually("their places are free", || measure(node.ledger(), "creditbank_connections ") == 0.0).await;

    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = certificate.self_signed(&key).expect("a certificate");
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let tls = Tls {
        certificate: file("chain.pem", certificate.pem()),
        key: file("key.pem", key.serialize_pem()),
        client_ca: None,
    };
    let node = TestNode::with_settings(Settings { tls: Some(tls), ..hasty() }).await;
    // The head of a ClientHello of 512 bytes, and no more.
    for said in [&b""[..], &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]] {
        let mut socket = socket(node.address(), 2).await;
        socket.write_all(said).await.expect("it takes bytes");
        assert!(is_closed(&mut socket).await, "after {} bytes of TLS", said.len());
    }
}

/// Goal: connections are bounded by address and in all; who opens many and keeps them idle keeps nobody out.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room() {
    let connections = Connections { max: 8, per_address: 6 };
    let patience = Patience { handshake: Duration::from_mins(1), ..Patience::default() };
    let node = TestNode::with_settings(Settings { connections, patience, ..hasty() }).await;
    let mut idle = Vec::new();
    for _ in 0..6 {
        idle.push(socket(node.address(), 2).await);
    }
    eventually("six are open", || (measure(node.ledger(), "creditbank_connections ") - 6.0).abs() < 0.5).await;
    let mut seventh = socket(node.address(), 2).await;
    assert!(is_closed(&mut seventh).await, "one more than an address may have");
    let mut others = Vec::new();
    for from in 3..7 {
        let mut other = LogServiceClient::new(channel(&node, from, WINDOW).await);
        let asked = other.get_checkpoint(creditbank_rpc::v1::GetCheckpointRequest {}).await;
        asked.expect("the address that has most makes room");
        others.push(other);
    }
    assert!(is_closed(&mut idle[0]).await, "the one that was idle longest");
    assert!(measure(node.ledger(), "creditbank_connections_closed_total{reason=\"room\"}") >= 1.0);
    assert!(measure(node.ledger(), "creditbank_connections ") <= 8.0);
}

/// Goal: an address that sends forged blocks is told to wait, before their signatures are looked at; another one seals.
#[tokio::test(flavor = "multi_thread")]
async fn forgers_wait() {
    let node = TestNode::with_settings(hasty()).await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, [1]).await;
    let client = university.client(&node).await;
    let head = client.chain_head(UnitId::new(1, 1)).await.expect("the head");
    let good = Chain { head }.block(&university, &[credit_record(aliases[0], "C-1")], Vec::new());
    let mut forged = pb::Block::decode(&good.block[..]).expect("a block");
    forged.signature[5] ^= 1;
    let forged = SubmitBlockRequest { block: forged.encode_to_vec().into(), ..good.clone() };
    let forger = LedgerServiceClient::new(channel(&node, 2, WINDOW).await);
    let mut told = None;
    for _ in 0..40 {
        let mut calls = JoinSet::new();
        for _ in 0..64 {
            let (mut forger, forged) = (forger.clone(), forged.clone());
            calls.spawn(async move { forger.submit_block(forged).await.expect_err("a refusal") });
        }
        while let Some(refused) = calls.join_next().await {
            let refusal = creditbank_rpc::refusal::from_status(&refused.expect("no panic"));
            match refusal.why() {
                Reason::WrongSignature => {}
                // Not for want of room: sixty-four blocks at once have it.
                Reason::Busy if refusal.message.contains("bad signatures") => told = Some(refusal.retry_after_ms),
                other => panic!("expected a wrong signature, or a time to wait, found {other:?}"),
            }
        }
        if told.is_some() {
            break;
        }
    }
    assert!(told.expect("the forger is told to wait") > 0);
    assert!(measure(node.ledger(), "creditbank_held_up_total{by=\"blocks\"}") >= 1.0);
    client.submit(good).await.expect("another address seals");
}

/// Goal: a request that is no message of the schema, half a message and a compressed one are their sender's fault.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests() {
    let node = TestNode::with_settings(hasty()).await;
    let (channel, url) = (channel(&node, 1, WINDOW).await, node.url());
    let garbage = message(&[0xff; 7]);
    assert_eq!(code(call(channel.clone(), &url, LIST, whole(garbage)).await).await, Some(Code::InvalidArgument));
    let half = message(b"1234567")[..8].to_vec();
    assert_eq!(code(call(channel.clone(), &url, SUBMIT, whole(half)).await).await, Some(Code::InvalidArgument));
    let compressed = vec![1, 0, 0, 0, 0];
    let compressed = call(channel, &url, CHECKPOINT, whole(compressed)).await;
    assert_eq!(code(compressed).await, Some(Code::Unimplemented));
}

/// Asks over HTTP: the status line and the text.
async fn ask(to: SocketAddr, path: &str) -> (String, String) {
    let mut socket = TcpStream::connect(to).await.expect("a connection");
    socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: node\r\n\r\n").as_bytes()).await.expect("sent");
    let mut text = String::new();
    socket.read_to_string(&mut text).await.expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    (head.lines().next().expect("a status line").to_owned(), body.to_owned())
}

/// Goal: what watches a node finds its measures, that it lives, and that nothing is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn operations_are_served() {
    let operations = Some(([127, 0, 0, 1], 0).into());
    let node = TestNode::with_settings(Settings { operations, ..hasty() }).await;
    let client = node.client(None).await;
    client.checkpoint().await.expect("a checkpoint");
    let at = node.operations().expect("it is watched");
    let (status, text) = ask(at, "/metrics").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    for line in [
        "creditbank_connections 1",
        "creditbank_calls_total{method=\"LogService/GetCheckpoint\",code=\"OK\"} ",
        "creditbank_call_seconds_count{method=\"LogService/GetCheckpoint\"} ",
        "creditbank_descriptors_open ",
        "creditbank_resident_memory_bytes ",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line} in\n{text}");
    }
    assert_eq!(ask(at, "/healthz").await.0, "HTTP/1.1 200 OK");
    assert_eq!(ask(at, "/readyz").await, ("HTTP/1.1 200 OK".to_owned(), "ready\n".to_owned()));
    assert_eq!(ask(at, "/").await.0, "HTTP/1.1 404 Not Found");
}

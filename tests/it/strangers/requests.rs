//! Requests that never end, that have too many parts, and calls whose time is over.

use super::*;
use hyper_util::rt::{TokioExecutor, TokioIo};

/// A connection without any timer of its own, unlike those of gRPC clients.
async fn plain(node: &TestNode, from: u8) -> hyper::client::conn::http2::SendRequest<Body> {
    let socket = TokioIo::new(socket(node.address(), from).await);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.expect("HTTP/2");
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender
}

async fn timed(node: &TestNode, path: &str, body: Body, timeout: &str) -> Option<Code> {
    let mut request = request(&node.url(), path, body);
    request.headers_mut().insert("grpc-timeout", timeout.parse().expect("a value"));
    let answer = plain(node, 2).await.send_request(request).await.ok()?;
    code(Some(answer.map(Body::new))).await
}

/// Goal: a call ends at the deadline that its client has stated, also when the client does not end it itself, and also
/// when it streams.
#[tokio::test(flavor = "multi_thread")]
async fn calls_end_at_their_deadline() {
    let node = TestNode::with_settings(hasty()).await;
    let begun = Instant::now();
    for path in [SUBMIT, STREAM] {
        assert_eq!(timed(&node, path, unfinished(&[0]), "150m").await, Some(Code::DeadlineExceeded), "{path}");
    }
    // What changes is sent, and nothing does.
    let watch = timed(&node, "/grpc.health.v1.Health/Watch", whole(message(&[])), "150m").await;
    assert_eq!(watch, Some(Code::DeadlineExceeded));
    assert!(begun.elapsed() < Duration::from_secs(2), "before the message's own time");
    eventually("nothing is held", || measure(node.ledger(), "creditbank_requests_held_bytes ") == 0.0).await;
}

/// Goal: a stream of blocks on which no block comes ends in time; one on which blocks come goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_blocks_ends() {
    let patience = Patience { idle: Duration::from_millis(800), ..hasty().patience };
    let node = TestNode::with_settings(Settings { patience, ..hasty() }).await;
    let nothing = Body::new(StreamBody::new(tokio_stream::pending::<Result<Frame<Bytes>, tonic::Status>>()));
    let ended = code(call(channel(&node, 2, WINDOW).await, &node.url(), STREAM, nothing).await).await;
    assert_eq!(ended, Some(Code::DeadlineExceeded));

    let (sender, blocks) = tokio::sync::mpsc::channel(1);
    let blocks = tokio_stream::wrappers::ReceiverStream::new(blocks);
    let mut ledger = LedgerServiceClient::new(channel(&node, 2, WINDOW).await);
    let mut answers = ledger.submit_blocks(blocks).await.expect("a stream").into_inner();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        sender.send(SubmitBlockRequest::default()).await.expect("the stream is open");
        answers.message().await.expect("the stream goes on").expect("a refusal");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Goal: of a request that has not ended nothing is worked on, and one message is all that a call takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_one_message_and_an_end() {
    let node = TestNode::with_settings(hasty()).await;
    let channel = channel(&node, 2, WINDOW).await;
    let open = call(channel.clone(), &node.url(), CHECKPOINT, unfinished(&[0, 0, 0, 0, 0])).await;
    assert_eq!(code(open).await, Some(Code::DeadlineExceeded));
    let two = [message(&[]), message(&[])].concat();
    assert_eq!(
        code(call(channel.clone(), &node.url(), CHECKPOINT, whole(two)).await).await,
        Some(Code::InvalidArgument)
    );
    // Larger than any request of this method.
    let large = message(&vec![0; 65 << 10]);
    assert_eq!(code(call(channel, &node.url(), CHECKPOINT, whole(large)).await).await, Some(Code::OutOfRange));
}

/// Goal: who has no token is told so before his request is read.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_comes_before_the_request() {
    let patience = Patience { message: Duration::from_mins(5), ..hasty().patience };
    let node = TestNode::with_settings(Settings { patience, ..hasty() }).await;
    let channel = channel(&node, 2, WINDOW).await;
    for method in ["LedgerService/CheckRecords", "LearnerService/OpenAccounts", "RecognitionService/ListReviews"] {
        let path = format!("/creditbank.v1.{method}");
        let told = code(call(channel.clone(), &node.url(), &path, unfinished(&[0])).await).await;
        assert_eq!(told, Some(Code::Unauthenticated), "{method}");
    }
}

/// Goal: what the decoder skips hides nothing: parts behind a group that nobody knows are counted, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_hides_nothing() {
    let node = TestNode::with_settings(hasty()).await;
    let group = [0xa3, 0x06, 0xa4, 0x06];
    for front in [&[][..], &group] {
        let many = message(&[front, &[0x12, 0x00].repeat(250_000)].concat());
        let told = code(call(channel(&node, 2, WINDOW).await, &node.url(), SUBMIT, whole(many)).await).await;
        assert_eq!(told, Some(Code::InvalidArgument), "behind {} bytes", front.len());
    }
}

/// Goal: a message as large as any may be finds room on a node that does nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_message_finds_room() {
    let node = TestNode::with_settings(hasty()).await;
    let len = (32 << 20) - 5;
    // One field with bytes that are no block.
    let large = [&[0x0a, 0xfb, 0xff, 0xff, 0x0f][..], &vec![0xff; len]].concat();
    let told = code(call(channel(&node, 2, WINDOW).await, &node.url(), SUBMIT, whole(message(&large))).await).await;
    assert_eq!(told, Some(Code::InvalidArgument));
}

/// Goal: a call is charged for as long as its reader leaves a byte of the answer with the node; whoever reads nothing
/// gets no more calls than there is room for.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_takes_hold_their_calls() {
    const CALL: f64 = 16_384.0;
    let node = TestNode::with_settings(hasty()).await;
    let held = || measure(node.ledger(), "creditbank_requests_held_bytes ");
    let mut answers = Vec::new();
    for _ in 0..2 {
        let channel = channel(&node, 2, 1).await;
        for _ in 0..50 {
            answers.push(call(channel.clone(), &node.url(), CHECKPOINT, whole(message(&[]))).await.expect("it begins"));
        }
    }
    assert!(held() >= 100.0 * CALL, "{} bytes are charged for 100 calls", held());
    drop(answers);
    eventually("nothing is held", || held() == 0.0).await;
}

/// Goal: messages of very many tiny parts are charged what they take up once they are decoded.
#[tokio::test(flavor = "multi_thread")]
async fn tiny_parts_are_charged() {
    let node = TestNode::with_settings(hasty()).await;
    let resident = || measure(node.ledger(), "creditbank_resident_memory_bytes ");
    let before = resident();
    // Ids whose status is asked for, all of them empty: 380 KB each.
    let tiny = message(&[0x0a, 0x00].repeat(190_000));
    let mut calls = JoinSet::new();
    for from in 2..6 {
        let channel = channel(&node, from, WINDOW).await;
        for _ in 0..20 {
            let (channel, url, body) = (channel.clone(), node.url(), whole(tiny.clone()));
            calls.spawn(async move { code(call(channel, &url, STATUS_PROOF, body).await).await });
        }
    }
    let mut most: f64 = 0.0;
    let mut refused = 0;
    while let Some(ended) = calls.join_next().await {
        most = most.max(resident());
        refused += usize::from(ended.expect("no panic") == Some(Code::ResourceExhausted));
    }
    assert!(refused > 0, "80 of them would take up 2 GB: {refused} were refused");
    // The tests beside this one take up memory of the same process.
    println!("{refused} of 80 were refused; {} MB more than before at most", (most - before) / 1e6);
    eventually("nothing is held", || measure(node.ledger(), "creditbank_requests_held_bytes ") == 0.0).await;
}

/// Goal: a stream of blocks counts by what was answered. A client that has all its answers may end it without waiting
/// for the node's end: that is OK. A stream that ends without an answer is cancelled. Method: refusals are answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_counts_by_its_answers() {
    let node = TestNode::with_settings(hasty()).await;
    let counted = |code: &str| {
        let line = format!("creditbank_calls_total{{method=\"LedgerService/SubmitBlocks\",code=\"{code}\"}} ");
        measure(node.ledger(), &line)
    };
    let mut ledger = LedgerServiceClient::new(channel(&node, 1, WINDOW).await);
    let bad = || SubmitBlockRequest { block: vec![1, 2, 3].into(), ..Default::default() };
    for _ in 0..5 {
        let mut answers = ledger.submit_blocks(tokio_stream::once(bad())).await.expect("a stream").into_inner();
        answers.message().await.expect("an answer").expect("one");
    }
    eventually("streams whose clients half-closed and left count as OK", || counted("OK") > 4.5).await;
    // Connections that are cut off while their streams are open.
    let cut_off = async |bytes: &'static [u8]| {
        let socket = socket(node.address(), 1).await.into_std().expect("a socket");
        let cut = socket.try_clone().expect("a second handle");
        let socket = TokioIo::new(TcpStream::from_std(socket).expect("a socket"));
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.expect("HTTP/2");
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let answer = sender.send_request(request(&node.url(), STREAM, unfinished(bytes))).await.expect("a stream");
        if !bytes.is_empty() {
            answer.into_body().frame().await.expect("an answer").expect("one");
        }
        cut.shutdown(std::net::Shutdown::Both).expect("cut off");
    };
    cut_off(message(&bad().encode_to_vec()).leak()).await;
    eventually("so does one that is cut off with all answers", || counted("OK") > 5.5).await;
    assert!(counted("CANCELLED") < 0.5);
    cut_off(&[]).await;
    eventually("one without an answer is cancelled", || counted("CANCELLED") > 0.5).await;
    assert!(counted("OK") < 6.5);
}

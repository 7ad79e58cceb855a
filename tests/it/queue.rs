//! The queue of blocks: who sends what is sealed already, what is forged, or much at once, waits behind himself.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use creditbank_protocol::entry::{Entry, EntryError, join};
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::{Alias, UnitId};
use creditbank_rpc::v1::ledger_service_client::LedgerServiceClient;
use creditbank_rpc::v1::log_service_client::LogServiceClient;
use creditbank_rpc::v1::submit_blocks_response::Outcome;
use creditbank_rpc::v1::{GetRecordRequest, RecordBody, StreamEntriesRequest, SubmitBlockRequest};
use creditbank_rpc::{Reason, refusal, token};
use creditbank_server::ledger::Ledger;
use creditbank_tests::chain::now_s;
use creditbank_tests::node::ORIGIN;
use creditbank_tests::university::{credit_record, record};
use creditbank_tests::{Chain, TestNode, University};
use prost::Message as _;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// A client at an address of the loopback.
async fn at(node: &TestNode, last: u8) -> LedgerServiceClient<Channel> {
    let from = Ipv4Addr::new(127, 0, 0, last).into();
    let endpoint = Endpoint::from_shared(node.url()).expect("a URL").local_address(Some(from));
    LedgerServiceClient::new(endpoint.connect().await.expect("a connection"))
}

/// A measure by the beginning of its line; 0 where it has none.
fn measure(ledger: &Ledger, line: &str) -> f64 {
    let text = ledger.metrics().text();
    let value = |found: &str| found.strip_prefix(line)?.split_whitespace().last()?.parse::<f64>().ok();
    text.lines().filter_map(value).sum()
}

fn refused(status: &Status) -> (Reason, String) {
    let refusal = refusal::from_status(status);
    (refusal.why(), refusal.message)
}

/// Sends many calls at once, and counts those whose refusal `is_one` of a kind.
async fn count<F: Future<Output = Status> + Send + 'static>(
    calls: impl Iterator<Item = F>,
    is_one: impl Fn(&Status) -> bool,
) -> usize {
    let mut set = JoinSet::new();
    calls.for_each(|call| drop(set.spawn(call)));
    let mut count = 0;
    while let Some(refused) = set.join_next().await {
        count += usize::from(is_one(&refused.expect("no panic")));
    }
    count
}

/// The public blocks of a log, as anybody can put them together from its entries.
async fn public_blocks(node: &TestNode) -> Vec<SubmitBlockRequest> {
    let mut log = LogServiceClient::connect(node.url()).await.expect("a connection");
    let all = StreamEntriesRequest { from_index: 0, until_index: 0 };
    let mut stream = log.stream_entries(all).await.expect("a stream").into_inner();
    let mut entries = Vec::new();
    while let Some(entry) = stream.message().await.expect("an entry") {
        entries.push(entry.entry);
    }
    let mut blocks = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let Ok(Entry::Head(head)) = Entry::parse(entry) else { continue };
        let pb::BlockHead { header, signature, approvals, second_signature } =
            pb::BlockHead::decode(&entry[1..]).expect("behind its type");
        let block = join(head, || entries.get(at + 1).cloned().ok_or(EntryError::NoPublic));
        let block = block.expect("a block of the log");
        let public_part = if block.head().has_public() { block.public().encode_to_vec() } else { Vec::new() };
        let block = pb::Block { header, signature, public_part, approvals, second_signature };
        blocks.push(SubmitBlockRequest { block: block.encode_to_vec().into(), ..Default::default() });
    }
    blocks
}

/// Goal: blocks that are in the log already, which anybody can send again, are answered from the store: they take no
/// verification and no place. Method: what verifies counts each block with a good signature.
#[tokio::test(flavor = "multi_thread")]
async fn replays_of_public_blocks_take_no_place() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, [1]).await;
    let client = university.client(&node).await;
    let blocks = public_blocks(&node).await;
    assert!(blocks.len() >= 2, "the operator's blocks");
    let (size, verified) = (node.ledger().size(), "creditbank_quota_used_total{institution=\"0\",of=\"blocks\"}");
    let before = measure(node.ledger(), verified);
    assert!(before > 0.0);
    let mut replays = JoinSet::new();
    for _ in 0..200 / blocks.len() {
        let mut replayer = at(&node, 2).await;
        for block in blocks.clone() {
            let mut replayer = replayer.clone();
            replays.spawn(async move { replayer.submit_block(block).await.map(|_| ()) });
        }
        // Without approvals, or with another signature, it is not the block that was accepted; that one is named.
        let mut other = pb::Block::decode(&blocks[0].block[..]).expect("a block");
        other.signature[3] ^= 1;
        let other = SubmitBlockRequest { block: other.encode_to_vec().into(), ..Default::default() };
        let refused = replayer.submit_block(other).await.expect_err("another signature");
        let refused = refusal::from_status(&refused);
        assert!(refused.why() == Reason::StaleHead && refused.accepted.is_some(), "{refused:?}");
    }
    while let Some(answer) = replays.join_next().await {
        answer.expect("no panic").expect("the receipt");
    }
    assert!((measure(node.ledger(), verified) - before).abs() < 0.5, "none was verified");
    assert_eq!(node.ledger().size(), size);
    Chain::of(&client, &university).await.issue(&client, &university, &[credit_record(aliases[0], "C-1")]).await;
}

/// Goal: who sends a whole file again, in streams, waits a little and gets all receipts.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_sent_again_is_finished() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, [1]).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let block = chain.block(&university, &[credit_record(aliases[0], "C-1")], Vec::new());
    chain.advance(&block);
    let receipt = client.submit(block.clone()).await.expect("sealed");
    let mut missing = 2_300;
    let mut waited = 0;
    for _ in 0..50 {
        let mut again = at(&node, 2).await;
        let stream = tokio_stream::iter(std::iter::repeat_n(block.clone(), missing));
        let mut answers = again.submit_blocks(stream).await.expect("a stream").into_inner();
        let (mut held_up, mut retry_after_ms) = (0, 0);
        while let Some(answer) = answers.message().await.expect("an answer") {
            match answer.outcome.expect("an outcome") {
                Outcome::Receipt(found) => assert_eq!(found, receipt),
                Outcome::Refusal(refusal) => {
                    assert_eq!(refusal.why(), Reason::Busy, "{refusal:?}");
                    assert!(refusal.message.contains("sealed already"), "{refusal:?}");
                    (held_up, retry_after_ms) = (held_up + 1, refusal.retry_after_ms);
                }
            }
        }
        missing = held_up;
        if missing == 0 {
            break;
        }
        waited += 1;
        tokio::time::sleep(Duration::from_millis(retry_after_ms)).await;
    }
    println!("waited {waited} times");
    assert_eq!(missing, 0, "all of it has receipts");
    // A new block behind them is sealed in the same stream.
    let next = chain.block(&university, &[credit_record(aliases[0], "C-2")], Vec::new());
    let stream = tokio_stream::iter([block.clone(), next, block]);
    let mut answers = at(&node, 3).await.submit_blocks(stream).await.expect("a stream").into_inner();
    for _ in 0..3 {
        let answer = answers.message().await.expect("an answer").expect("one for each");
        assert!(matches!(answer.outcome, Some(Outcome::Receipt(_))), "{answer:?}");
    }
}

/// Goal: a mistake behind a good signature is none of a forger, however often it is made.
#[tokio::test(flavor = "multi_thread")]
async fn an_honest_mistake_is_no_forgery() {
    let node = TestNode::start().await;
    let university = University::admit(&node, 1).await;
    let aliases = university.aliases(&node, [1]).await;
    let client = university.client(&node).await;
    let chain = Chain::of(&client, &university).await;
    let mut mistaken = chain.block(&university, &[credit_record(aliases[0], "C-1")], Vec::new());
    mistaken.records = vec![RecordBody { kind: 77, ..mistaken.records[0].clone() }];
    for _ in 0..5 {
        let honest = at(&node, 2).await;
        let calls = (0..60).map(|_| {
            let (mut honest, mistaken) = (honest.clone(), mistaken.clone());
            async move { honest.submit_block(mistaken).await.expect_err("a record of no kind") }
        });
        let told = count(calls, |status| refused(status).0 == Reason::RecordMalformed).await;
        assert_eq!(told, 60, "each is told what is wrong");
    }
    assert!(measure(node.ledger(), "creditbank_held_up_total") < 0.5);
}

/// Goal: a forger behind the address of an honest unit and a reader, as behind a proxy, holds up neither of them once
/// they are known there: not with blocks in his own name or theirs, and not with tokens. He is told to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_forger_does_not_hold_up_his_neighbours() {
    let node = TestNode::start().await;
    let (university, other) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let aliases = university.aliases(&node, [1]).await;
    let client = university.client(&node).await;
    let mut chain = Chain::of(&client, &university).await;
    let mut shared = at(&node, 2).await;
    let first = chain.block(&university, &[credit_record(aliases[0], "C-1")], Vec::new());
    shared.submit_block(first.clone()).await.expect("the unit is known there from now on");
    chain.advance(&first);

    let forged = |request: &SubmitBlockRequest| {
        let mut forged = pb::Block::decode(&request.block[..]).expect("a block");
        forged.signature[5] ^= 1;
        SubmitBlockRequest { block: forged.encode_to_vec().into(), ..request.clone() }
    };
    let other_aliases = other.aliases(&node, [1]).await;
    let other_chain = Chain { head: other.client(&node).await.chain_head(UnitId::new(2, 1)).await.expect("the head") };
    let of_other = other_chain.block(&other, &[credit_record(other_aliases[0], "C-1")], Vec::new());
    let sender = shared.clone();
    let send = |request: SubmitBlockRequest, times: usize| {
        let client = sender.clone();
        (0..times).map(move |_| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.submit_block(request).await.expect_err("a refusal") }
        })
    };
    let is_held_up = |status: &Status| {
        let (reason, message) = refused(status);
        assert!(reason == Reason::WrongSignature || reason == Reason::Busy, "{status:?}");
        reason == Reason::Busy && message.contains("bad signatures")
    };
    let mut told = 0;
    for _ in 0..10 {
        told += count(send(forged(&of_other), 60), is_held_up).await;
    }
    assert!(told > 0, "the forger is told to wait");
    let next = chain.block(&university, &[credit_record(aliases[0], "C-2")], Vec::new());
    assert_eq!(count(send(forged(&next), 300), is_held_up).await, 0, "more than an address may have, in its name");
    shared.submit_block(next).await.expect("the unit that is known there");

    // Tokens.
    let access = university.access.key.clone();
    let ask = |token: &str| {
        let mut request = Request::new(GetRecordRequest { place: None });
        let header = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", header);
        request
    };
    let good = token::make(ORIGIN, &access, now_s(), [1; 16]);
    let begin = if good.ends_with('A') { 'Q' } else { 'A' };
    let forged =
        format!("{}.{begin}{}", good.rsplit_once('.').expect("parts").0, &good.rsplit_once('.').expect("parts").1[1..]);
    let mut reader = at(&node, 3).await;
    let code = |answer: Result<_, Status>| answer.map_or_else(|status| status.code(), |_: tonic::Response<_>| Code::Ok);
    let served = code(reader.get_record(ask(&good)).await);
    assert!(![Code::Unauthenticated, Code::ResourceExhausted].contains(&served), "{served:?}");
    let mut forger = at(&node, 4).await;
    let mut codes = Vec::new();
    for _ in 0..400 {
        codes.push(code(forger.get_record(ask(&forged)).await));
    }
    assert_eq!(codes[0], Code::Unauthenticated);
    assert!(codes.contains(&Code::ResourceExhausted), "the forger is told to wait");
    for _ in 0..400 {
        assert_eq!(code(reader.get_record(ask(&forged)).await), Code::Unauthenticated);
    }
    assert_eq!(code(reader.get_record(ask(&good)).await), served, "the reader is known at the other one");
    assert!(measure(node.ledger(), "creditbank_held_up_total{by=\"tokens\"}") >= 1.0);
    assert!(measure(node.ledger(), "creditbank_held_up_total{by=\"blocks\"}") >= 1.0);
}

/// Goal: who sends many large blocks at once waits behind himself: another one's block is sealed meanwhile. Method: an
/// institution sends sixty blocks of a thousand records, each refused for its last one; one block of another address is
/// answered before most of them.
#[tokio::test(flavor = "multi_thread")]
async fn large_blocks_wait_behind_themselves() {
    const BLOCKS: usize = 60;
    let node = TestNode::start().await;
    let (greedy, honest) = (University::admit(&node, 1).await, University::admit(&node, 2).await);
    let aliases = greedy.aliases(&node, [1]).await;
    let own = honest.aliases(&node, [1]).await;
    let chain = Chain::of(&greedy.client(&node).await, &greedy).await;
    let unknown = Alias([9; 16]);
    let mut records: Vec<_> = (0..999).map(|number| credit_record(aliases[0], &format!("C-{number}"))).collect();
    records.push(record(Kind::Credit, &creditbank_fixtures::credit(unknown, "C-1"), 1));
    let refused = chain.block(&greedy, &records, Vec::new());
    let client = honest.client(&node).await;
    let good = Chain::of(&client, &honest).await.block(&honest, &[credit_record(own[0], "C-1")], Vec::new());
    let answered = Arc::new(AtomicUsize::new(0));
    let attack = {
        let (answered, mut attacker) = (Arc::clone(&answered), at(&node, 2).await);
        tokio::spawn(async move {
            let blocks = tokio_stream::iter(std::iter::repeat_n(refused, BLOCKS));
            let mut answers = attacker.submit_blocks(blocks).await.expect("a stream").into_inner();
            while let Some(answer) = answers.message().await.expect("an answer") {
                let Some(Outcome::Refusal(refusal)) = answer.outcome else { panic!("expected a refusal") };
                assert_eq!(refusal.why(), Reason::UnknownAlias, "{refusal:?}");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    while answered.load(Ordering::Relaxed) == 0 && !attack.is_finished() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    client.submit(good).await.expect("sealed");
    let before = answered.load(Ordering::Relaxed);
    attack.await.expect("no panic");
    assert_eq!(answered.load(Ordering::Relaxed), BLOCKS);
    println!("{before} of {BLOCKS} were answered before");
    assert!(before < BLOCKS / 2, "{before} of {BLOCKS} were answered before");
}

//! Goal: a node that is killed at any moment under load has, after its start, every block that it acknowledged, and
//! gives the same receipts again.

mod child;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant};

use child::Child;
use creditbank_client::ClientError;
use creditbank_protocol::Alias;
use creditbank_protocol::UnitId;
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, University};

const KILLS: u64 = 20;

/// A block that was sent, and its receipt once it came.
struct Sent {
    request: SubmitBlockRequest,
    receipt: Option<Receipt>,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_sled() {
    Box::pin(nothing_acknowledged_is_lost("sled:log")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_fjall() {
    Box::pin(nothing_acknowledged_is_lost("fjall:log")).await;
}

async fn nothing_acknowledged_is_lost(store: &str) {
    let begun = Instant::now();
    let mut child = Child::on(store);
    let universities = [child.admit(1).await, child.admit(2).await, child.admit(3).await];
    let aliases = child.aliases(&universities).await;
    let mut histories: [Vec<Sent>; 3] = Default::default();
    // The moments of the kills differ from run to run.
    let mut random = RandomState::new().build_hasher().finish();
    for round in 0..KILLS {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = Duration::from_millis(20 + (random >> 33) % 400);
        let before = histories.each_ref().map(Vec::len);
        let [first, second, third] = &mut histories;
        let load = |number: usize, history| {
            issue_until_it_dies(&child, &universities[number], aliases[number], history, round)
        };
        let kill = async {
            tokio::time::sleep(moment).await;
            child.kill();
        };
        tokio::join!(load(0, first), load(1, second), load(2, third), kill);
        child.restart();
        for ((university, history), before) in universities.iter().zip(histories.iter_mut()).zip(before) {
            check(&child, university, history, before).await;
        }
    }
    for (university, history) in universities.iter().zip(histories.iter_mut()) {
        check(&child, university, history, 0).await;
    }
    assert_eq!(child.terminate(), Some(0));
    let (good, said) = child.run("check");
    assert!(good, "{said}");
    let sealed: usize = histories.iter().map(Vec::len).sum();
    println!("{store}: {KILLS} kills, {sealed} blocks, all there, in {:?}", begun.elapsed());
    assert!(sealed as u64 > KILLS, "the node was killed before it did anything");
}

async fn issue_until_it_dies(
    child: &Child,
    university: &University,
    alias: Alias,
    history: &mut Vec<Sent>,
    round: u64,
) {
    let Ok(client) = child.client(university).await else { return };
    let Ok(head) = client.chain_head(UnitId::new(university.institution, university.unit)).await else { return };
    let mut chain = Chain { head };
    for number in 0.. {
        let course = format!("R{round}-{number}");
        let request = chain.block(university, &[credit_record(alias, &course)], Vec::new());
        chain.advance(&request);
        let answer = client.submit(request.clone()).await;
        let ended = answer.is_err();
        match answer {
            Ok(receipt) => history.push(Sent { request, receipt: Some(receipt) }),
            Err(ClientError::Unreachable(_)) => history.push(Sent { request, receipt: None }),
            Err(other) => panic!("{other}"),
        }
        if ended {
            return;
        }
    }
}

/// Sends everything from a height on again: what was acknowledged gives the same receipt, the last one is sealed now or was before.
async fn check(child: &Child, university: &University, history: &mut [Sent], from: usize) {
    let client = child.client(university).await.expect("the node is back");
    for (height, sent) in (0u64..).zip(history.iter_mut()).skip(from) {
        let again = client.submit(sent.request.clone()).await.expect("a receipt");
        if let Some(receipt) = &sent.receipt {
            assert_eq!(*receipt, again, "height {height} of institution {}", university.institution);
        }
        let held = client.block(UnitId::new(university.institution, university.unit), height).await.expect("the block");
        assert_eq!(held, again);
        sent.receipt = Some(again);
    }
    let head = client.chain_head(UnitId::new(university.institution, university.unit)).await.expect("the head");
    assert_eq!(head.next_height, history.len() as u64);
}

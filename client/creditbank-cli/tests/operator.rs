//! The operator's commands as they are typed, where a node refuses to seal: under a wrong clock.

mod desk;

use std::path::PathBuf;
use std::time::Duration;

use creditbank_protocol::pb::Purpose;
use creditbank_server::directory::key_path;
use creditbank_tests::TestNode;
use desk::{Desk, shown};

const HOUR_MS: u64 = 3_600_000;

/// Exit code, standard output, standard error of a command of the operator.
async fn operate(desk: &Desk, arguments: &[&str]) -> (i32, String, String) {
    let key = key_path(desk.node.dir(), Purpose::Registry);
    desk.call(&[arguments, &["--registry-key", shown(&key)]].concat()).await
}

/// Where the operator's blocks are under way.
fn notes(desk: &Desk) -> PathBuf {
    let mut path = key_path(desk.node.dir(), Purpose::Registry).into_os_string();
    path.push(".blocks");
    path.into()
}

fn institution(name: &str) -> [&str; 6] {
    ["institution", "add", "--name", name, "--country", "FR"]
}

/// Goal: what the node refuses for now is kept, and that is said with what it holds and how it is given up; the next
/// command says that it is sent. What was given up is never sent. Only the operator can mend a clock: nobody waits.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_under_way_is_said() {
    let Desk { node, dir } = Desk::new().await;
    // More than 26 hours after the last seal, under a time that nobody has confirmed.
    let node = TestNode::again_unconfirmed(node.stop().await, 27 * HOUR_MS).await;
    let desk = Desk { node, dir };
    let (code, _, err) = operate(&desk, &institution("en:First")).await;
    assert!(code == 1 && err.contains("error: refused (CLOCK_MOVED)") && err.contains("--confirm-time"), "{err}");
    assert!(!err.contains("tried again"), "it is not waited for: {err}");
    let notes = notes(&desk);
    for words in
        ["1 institution of the operator", "It is kept", &format!("creditbank pending {} --drop", shown(&notes))]
    {
        assert!(err.contains(words), "{words}: {err}");
    }
    let pending = desk.json(&["pending", shown(&notes)]).await;
    assert_eq!(pending["pending"][0]["holds"], "1 institution of the operator", "{pending}");

    let Desk { node, dir } = desk;
    let desk = Desk { node: TestNode::again(node.stop().await).await, dir };
    let (code, _, err) = operate(&desk, &institution("en:Second")).await;
    assert!(code == 0 && err.contains("1 institution of the operator") && err.contains("sent again now"), "{err}");
    assert!(err.contains("is published at entry"), "{err}");
    assert!(desk.good(&["pending", shown(&notes)]).await.contains("nothing is under way"));

    let Desk { node, dir } = desk;
    let desk = Desk { node: TestNode::again_unconfirmed(node.stop().await, 27 * HOUR_MS).await, dir };
    let (code, _, err) = operate(&desk, &institution("en:Third")).await;
    assert!(code == 1 && err.contains("It is kept"), "{err}");
    assert!(desk.good(&["pending", shown(&notes), "--drop"]).await.contains("1 block given up"));
    let (code, out, err) = desk.call(&["pending", shown(&notes), "--drop"]).await;
    assert!(code == 1 && out.is_empty() && err.contains("nothing is under way in"), "{out}{err}");
    let Desk { node, dir } = desk;
    let desk = Desk { node: TestNode::again(node.stop().await).await, dir };
    let (code, _, err) = operate(&desk, &institution("en:Fourth")).await;
    assert!(code == 0 && err.is_empty(), "{err}");
    let listed = desk.good(&["institution", "list"]).await;
    for (name, is_there) in [("First", true), ("Second", true), ("Third", false), ("Fourth", true)] {
        assert_eq!(listed.contains(name), is_there, "{name}: {listed}");
    }
    let (code, _, err) = desk.call(&["pending", "."]).await;
    assert!(code == 2 && err.contains("expected the directory of a command's notes"), "{err}");
}

/// Seals an empty round under a clock that is ahead.
async fn seal_ahead(node: TestNode, ahead_ms: u64) -> TestNode {
    let node = TestNode::again_ahead(node.stop().await, ahead_ms).await;
    let size = node.ledger().size();
    for _ in 0..500 {
        node.ledger().tick();
        if node.ledger().size() > size {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(node.ledger().size() > size, "a round was due");
    TestNode::again_to_correct(node.stop().await).await
}

/// Goal: a log that is not ahead is not corrected, also within the minute of its last seal. One that is ahead asks for
/// an approver: which key that is, or that the registry has none and what to do. The bound's own minute is right.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_the_time_is_of_wrong_seals_only() {
    let desk = Desk::new().await;
    let minute = |ms: u64| creditbank_client::validity::shown(ms / 60_000);
    let client = desk.node.client(None).await;
    let right = minute(creditbank_client::time_correction::newest_ms(&client).await.expect("a seal"));
    let correct = ["registry", "correct-time", "--bound", &right];
    let (code, _, err) = operate(&desk, &correct).await;
    assert!(code == 1 && err.contains("there is nothing to correct") && err.contains(&right), "{err}");

    // Nobody may approve it.
    let Desk { node, dir } = Desk::new().await;
    let other = Desk { node: seal_ahead(node, 40 * 24 * HOUR_MS).await, dir };
    let (code, _, err) = operate(&other, &correct).await;
    assert!(code == 1 && err.contains("nothing was written"), "{err}");
    for words in ["no key of purpose approver of institution 0", "the log goes on by itself at 2", "creditbank keygen"]
    {
        assert!(err.contains(words), "{words}: {err}");
    }
    assert!(!notes(&other).join("correct-time").exists(), "no request");

    desk.good(&["keygen", "approver.key", "--purpose", "approver"]).await;
    desk.good(&["key", "request", "--key", "approver.key", "--institution", "0", "--out", "approver.json"]).await;
    desk.operate(&["key", "add", "approver.json"]).await;
    let client = desk.node.client(None).await;
    let last = creditbank_client::time_correction::newest_ms(&client).await.expect("a seal");
    let size = client.checkpoint().await.expect("a checkpoint").0.checkpoint.size;
    let Desk { node, dir } = desk;
    let desk = Desk { node: seal_ahead(node, 40 * 24 * HOUR_MS).await, dir };
    let bound = minute(last);
    let correct = ["registry", "correct-time", "--bound", &bound];
    let (code, out, err) = operate(&desk, &correct).await;
    // The seals before it, some of them of the same minute, are right.
    assert!(code == 0 && out.contains(&format!("a correction of the seals from {size} to {size}")), "{out}{err}");
    assert!(err.contains("of 1 other person, each with one of these approvers' keys of institution 0"), "{err}");
    assert!(err.contains("creditbank approve"), "{err}");
    let request =
        out.split_whitespace().find(|word| word.strip_suffix(".json").is_some()).expect("a request").to_owned();
    desk.good(&["approve", &request, "--key", "approver.key", "--yes"]).await;
    let (code, out, err) = operate(&desk, &correct).await;
    assert!(code == 0 && out.contains("published at entry"), "{out}{err}");
    let (code, _, err) = operate(&desk, &correct).await;
    assert!(code == 1 && (err.contains("nothing to correct") || err.contains("nothing more to correct")), "{err}");
    let (code, _, err) = operate(&desk, &institution("en:Afterwards")).await;
    assert_eq!(code, 0, "the log goes on: {err}");
    let (code, _, err) = operate(&desk, &correct).await;
    assert!(code == 1 && err.contains("the node seals again by itself"), "{err}");
}

/// Goal: where the policy asks for more approvals than there are keys in force at the bound, no request is written that
/// nobody could have sealed.
#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_the_time_needs_as_many_approvers_as_the_policy_says() {
    let desk = Desk::new().await;
    for (name, from) in [("now", None), ("later", Some("2100-01-01T00:00Z"))] {
        let (key, request) = (format!("{name}.key"), format!("{name}.json"));
        desk.good(&["keygen", &key, "--purpose", "approver"]).await;
        desk.good(&["key", "request", "--key", &key, "--institution", "0", "--out", &request]).await;
        let from = from.map(|from| ["--from", from]);
        desk.operate(&[&["key", "add", &request][..], from.as_ref().map_or(&[], |from| &from[..])].concat()).await;
    }
    desk.operate(&["registry", "approvals", "2"]).await;
    let client = desk.node.client(None).await;
    let last = creditbank_client::time_correction::newest_ms(&client).await.expect("a seal");
    let bound = creditbank_client::validity::shown(last / 60_000);
    let Desk { node, dir } = desk;
    let desk = Desk { node: seal_ahead(node, 40 * 24 * HOUR_MS).await, dir };
    let (code, out, err) = operate(&desk, &["registry", "correct-time", "--bound", &bound]).await;
    assert!(code == 1 && out.is_empty(), "{out}{err}");
    for words in ["nothing was written", "the approvals of 2 other persons", "only 1 key of purpose approver"] {
        assert!(err.contains(words), "{words}: {err}");
    }
    assert!(!notes(&desk).join("correct-time").exists(), "no request");
}

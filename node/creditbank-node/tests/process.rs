//! The binary as its users see it.

mod child;

use std::process::Command;

use child::{BINARY, Child};
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode};

/// Goal: the quickstart's figures are those of the data, and tampering is found.
#[test]
fn the_quickstart_tells_the_truth() {
    let dir = tempfile::tempdir().expect("a directory");
    let kept = dir.path().join("node");
    let run = Command::new(BINARY).args(["quickstart", "--json", "--keep"]).arg(&kept).output().expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let figures: serde_json::Value = serde_json::from_slice(&run.stdout).expect("one JSON object and nothing else");
    for (key, expected) in [
        ("records", serde_json::json!(32_593)),
        ("credit_records", serde_json::json!(15_385)),
        ("credits", serde_json::json!("777840")),
        ("unit", serde_json::json!("CATS")),
        ("learners", serde_json::json!(28_785)),
        ("transcript_valid", serde_json::json!(true)),
        ("tampered_valid", serde_json::json!(false)),
    ] {
        assert_eq!(figures[key], expected, "{key}");
    }
    assert!(figures["transcript_records"].as_u64() >= Some(2));
    for key in ["blocks", "log_size", "records_per_second", "seconds"] {
        assert!(figures[key].is_number(), "{key}");
    }
    for file in ["transcript.cbt", "trust.toml", "node.toml", "keys/registry.key", "open.ac.uk/unit.key"] {
        assert!(kept.join(file).exists(), "{file}");
    }
    let again = Command::new(BINARY).args(["quickstart", "--keep"]).arg(&kept).output().expect("it runs");
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && said.contains("already holds a node"), "{said}");
}

/// Goal: SIGTERM ends a node with code 0 and everything in place.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_gracefully() {
    let mut child = Child::start();
    let universities = [child.admit(1).await];
    let alias = child.aliases(&universities).await[0];
    let client = child.client(&universities[0]).await.expect("the node serves");
    let mut chain = Chain::of(&client, &universities[0]).await;
    let receipt = chain.issue(&client, &universities[0], &[credit_record(alias, "A-1")]).await;
    assert_eq!(child.terminate(), Some(0));
    child.restart();
    let client = child.client(&universities[0]).await.expect("the node serves again");
    assert_eq!(client.block(creditbank_protocol::UnitId::new(1, 1), 0).await.expect("the block"), receipt);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_says_what_to_do() {
    let empty = tempfile::tempdir().expect("a directory");
    let run = |arguments: &[&str], dir: &std::path::Path| {
        let run = Command::new(BINARY).args(arguments).arg("--dir").arg(dir).output().expect("it runs");
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    // 2 is for what the caller must ask for differently, 1 for everything else.
    let (code, said) = run(&["serve"], empty.path());
    assert!(code == Some(2) && said.contains("creditbank-node init"), "{said}");
    let node = TestNode::start().await;
    // The registry key decides which institutions there are: it does not lie where a node is served.
    let (code, said) = run(&["serve"], node.dir());
    assert!(code == Some(2) && said.contains("registry.key is a registry key") && said.contains("mv "), "{said}");
    for name in ["registry.key", "next-registry.key"] {
        let (code, said) = run(&["serve"], node.dir());
        assert!(code == Some(2) && said.contains("registry.key"), "{said}");
        std::fs::remove_file(node.dir().join("keys").join(name)).expect("removed");
    }
    let (code, said) = run(&["serve"], node.dir());
    assert!(code == Some(1) && said.contains("another process"), "{said}");
    let (code, said) = run(&["init", "--origin", "x.example"], node.dir());
    assert!(code == Some(2) && said.contains("already holds a node"), "{said}");
    let under = empty.path().join("keys").display().to_string();
    let (code, said) = run(&["init", "--origin", "x.example", "--registry-keys", &under], empty.path());
    assert!(code == Some(2) && said.contains("expected a directory outside"), "{said}");
    let (code, said) = run(&["init", "--origin", "x.example", "--store", "mysql:here"], empty.path());
    assert!(code == Some(2) && said.contains("sled:PATH"), "{said}");
    let (code, said) = run(&["init", "--origin", "https://x.example"], empty.path());
    assert!(code == Some(2) && said.contains("without scheme"), "{said}");
}

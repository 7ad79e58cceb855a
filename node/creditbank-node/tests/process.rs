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

/// Goal: `succeed` says what is wrong and how to ask for it, makes a node that `check` finds whole, and says what is
/// next.
#[test]
fn a_log_goes_on_by_the_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name).to_str().expect("a plain path").to_owned();
    let run = |arguments: &[&str]| {
        let run = Command::new(BINARY).args(arguments).output().expect("it runs");
        let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        (run.status.code(), said)
    };
    let (old, new, keys) = (at("old"), at("new"), at("registry"));
    let (code, said) = run(&["init", "--dir", &old, "--registry-keys", &keys, "--origin", "test.example/log"]);
    assert_eq!(code, Some(0), "{said}");
    let registry_key = format!("{keys}/registry.key");
    let succeed = |size: &str, origin: &str| {
        run(&[
            "succeed",
            "--dir",
            &old,
            "--to",
            &new,
            "--size",
            size,
            "--origin",
            origin,
            "--registry-key",
            &registry_key,
            "--case",
            "2026-1",
        ])
    };
    let second = "test.example/second";
    let (code, said) = succeed("100000", second);
    assert!(code == Some(2) && said.contains("there is no size 100000"), "{code:?} {said}");
    // It says where a round ends.
    let (code, said) = succeed("1", second);
    assert!(code == Some(2) && said.contains("not directly behind a seal"), "{code:?} {said}");
    let after = said.trim_end().rsplit(' ').next().expect("a size").to_owned();
    let (code, said) = succeed(&after, "test.example/log");
    assert!(code == Some(2) && said.contains("choose another"), "{code:?} {said}");
    let (code, said) = succeed(&after, second);
    assert!(code == Some(0) && said.contains("Next:") && said.contains("trust.toml"), "{code:?} {said}");
    let (code, said) = run(&["check", "--dir", &new]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = succeed(&after, second);
    assert!(code == Some(2) && said.contains("not empty"), "{code:?} {said}");
    let (code, said) = run(&["check", "--dir", &old]);
    assert_eq!(code, Some(0), "the old one is as it was: {said}");
    let trust = std::fs::read_to_string(dir.path().join("new/trust.toml")).expect("a trust file");
    assert!(trust.contains(&format!("former = [{{ origin = \"test.example/log\", size = {after} }}]")), "{trust}");
}

//! The binary as its users see it.

mod child;
mod open_metrics;
mod refused;

use std::process::Command;

use child::{BINARY, Child};
use creditbank_tests::university::{credit_record, student};
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

/// Goal: SIGTERM ends a node within 10 s under any load, with code 0, and what it has acknowledged is there. Method:
/// endless dry runs of 1,024 records, transcripts, streams of the log and of blocks that are left open, and accounts,
/// all under way when the signal comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_in_time_under_load() {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use creditbank_rpc::v1::{CheckedRecord, RecordBody};
    let child = Arc::new(Child::start());
    let university = Arc::new(child.admit(1).await);
    let alias = child.aliases(std::slice::from_ref(&university)).await[0];
    let client = Arc::new(child.client(&university).await.expect("the node serves"));
    let mut chain = Chain::of(&client, &university).await;
    let receipt = chain.issue(&client, &university, &[credit_record(alias, "A-1")]).await;

    let mut load = tokio::task::JoinSet::new();
    let key_id = creditbank_protocol::key::KeyId::of(&university.key.public_key());
    let checked = |number: usize| {
        let record = credit_record(alias, &format!("B-{number}"));
        CheckedRecord { record: Some(RecordBody::from(&record)), identities: Vec::new() }
    };
    let records: Vec<CheckedRecord> = (0..1_024).map(checked).collect();
    for caller in 0..48u64 {
        let (client, records) = (Arc::clone(&client), records.clone());
        load.spawn(async move {
            for turn in 0u64.. {
                let ended = if caller % 2 == 0 {
                    client.check_records(creditbank_protocol::UnitId::new(1, 1), key_id, records.clone()).await.is_err()
                } else {
                    let number = |at| student(&format!("{}", caller * 1_000_000 + turn * 500 + at));
                    client.open_accounts(1, (0..500).map(number).collect()).await.is_err()
                };
                if ended {
                    return;
                }
            }
        });
    }
    let channel = tonic::transport::Endpoint::from_shared(child.url().to_owned()).expect("an address");
    let channel = channel.connect().await.expect("a connection");
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut ledger = creditbank_rpc::v1::ledger_service_client::LedgerServiceClient::new(channel.clone());
        let (open, blocks) = tokio::sync::mpsc::channel(1);
        let answers = ledger.submit_blocks(tokio_stream::wrappers::ReceiverStream::new(blocks)).await;
        let mut log = creditbank_rpc::v1::log_service_client::LogServiceClient::new(channel.clone());
        let entries = log.stream_entries(creditbank_rpc::v1::StreamEntriesRequest::default()).await;
        streams.push((open, answers.expect("a stream"), entries.expect("a stream")));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begun = Instant::now();
    let ending = Arc::clone(&child);
    let code = tokio::task::spawn_blocking(move || ending.terminate()).await.expect("it ends");
    let took = begun.elapsed();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    load.shutdown().await;
    drop(streams);
    drop(client);
    let mut child = Arc::into_inner(child).expect("nobody else has it");
    child.restart();
    let client = child.client(&university).await.expect("the node serves again");
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
    let volume = "check that its volume is mounted";
    assert!(code == Some(2) && said.contains("creditbank-node init") && said.contains(volume), "{said}");
    let node = TestNode::start().await;
    // The registry key decides which institutions there are: it does not lie where a node is served.
    let (code, said) = run(&["serve"], node.dir());
    assert!(
        code == Some(2) && said.contains("keys/next-registry.key, ") && said.contains("keys/registry.key. Move them"),
        "{said}"
    );
    for name in ["registry.key", "next-registry.key"] {
        let (code, said) = run(&["serve"], node.dir());
        assert!(code == Some(2) && said.contains("registry.key"), "{said}");
        std::fs::remove_file(node.dir().join("keys").join(name)).expect("removed");
    }
    let (code, said) = run(&["serve"], node.dir());
    assert!(code == Some(1) && said.contains("another process"), "{said}");
    // A time that is confirmed is the time now; a script that confirms any time is refused.
    let (code, said) = run(&["serve", "--confirm-time", "2001-01-01T00:00Z"], node.dir());
    assert!(code == Some(2) && said.contains("this machine's clock says"), "{said}");
    let (code, said) = run(&["serve", "--confirm-time", "now"], node.dir());
    assert!(code == Some(2) && said.contains("as 2026-11-26T09:30Z"), "{said}");
    let (code, said) = run(&["init", "--origin", "x.example"], node.dir());
    assert!(code == Some(2) && said.contains("already holds a node"), "{said}");
    let under = empty.path().join("keys").display().to_string();
    let (code, said) = run(&["init", "--origin", "x.example", "--registry-keys", &under], empty.path());
    assert!(code == Some(2) && said.contains("expected one outside"), "{said}");
    let (code, said) = run(&["init", "--origin", "x.example", "--store", "mysql:here"], empty.path());
    assert!(code == Some(2) && said.contains("sled:PATH"), "{said}");
    let (code, said) = run(&["init", "--origin", "https://x.example"], empty.path());
    assert!(code == Some(2) && said.contains("without scheme"), "{said}");
}

/// Goal: by default a node is reached from its own machine alone; in clear from elsewhere only by word of the operator.
#[test]
fn clear_text_stays_on_the_machine() {
    let dir = tempfile::tempdir().expect("a directory");
    let at = |name: &str| dir.path().join(name).to_str().expect("a plain path").to_owned();
    let run = |arguments: &[&str]| {
        let run = Command::new(BINARY).args(arguments).output().expect("it runs");
        (run.status.code(), [run.stdout, run.stderr].concat().iter().map(|byte| char::from(*byte)).collect::<String>())
    };
    let (code, said) = run(&["init", "--dir", &at("own"), "--origin", "own.example"]);
    assert!(code == Some(0) && said.contains("only this machine can reach it"), "{said}");
    let text = std::fs::read_to_string(dir.path().join("own/node.toml")).expect("a configuration");
    assert!(text.contains("listen = \"127.0.0.1:7600\""), "{text}");
    let (code, said) = run(&["init", "--dir", &at("open"), "--origin", "open.example", "--listen", "0.0.0.0:0"]);
    assert!(code == Some(0) && said.contains("--insecure"), "{said}");
    let (code, said) = run(&["serve", "--dir", &at("open")]);
    assert!(code == Some(2) && said.contains("in clear") && said.contains("--insecure"), "{said}");
    let (code, said) = run(&["init", "--dir", &at("tls"), "--origin", "tls.example", "--tls", "here.pem"]);
    assert!(code == Some(2) && said.contains("two files with a comma"), "{said}");
    let (code, said) = run(&["init", "--dir", &at("tls"), "--origin", "tls.example", "--tls", "no.pem,no.key"]);
    assert!(code == Some(2) && said.contains("found none"), "{said}");
    let (code, said) =
        run(&["init", "--dir", &at("self"), "--origin", "self.example", "--tls-self-signed", "node.example"]);
    assert!(code == Some(0) && said.contains("--ca tls-cert.pem"), "{said}");
    let text = std::fs::read_to_string(dir.path().join("self/node.toml")).expect("a configuration");
    assert!(text.contains("listen = \"[::]:7600\"") && text.contains("[tls]"), "{text}");
}

/// Goal: a certificate that signs itself is believed by whoever has it, and by nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_speaks_tls() {
    let child = Child::made(&["--tls-self-signed", "localhost"]);
    child.over_tls(true).await.expect("who has the certificate").checkpoint().await.expect("an answer");
    child.over_tls(false).await.map(|_| ()).expect_err("who does not");
}

/// Goal: measures that other machines can read are warned of.
#[test]
fn measures_for_everybody_are_warned_of() {
    let mut child = Child::start();
    let is_warned = |child: &Child| child.logs().iter().any(|line| line.contains("[operations] listen: other"));
    assert!(!is_warned(&child), "{:#?}", child.logs());
    assert_eq!(child.terminate(), Some(0));
    let path = child.dir().join("node.toml");
    let text = std::fs::read_to_string(&path).expect("a configuration");
    let open = text.replace("[operations]\nlisten = \"127.0.0.1:0\"", "[operations]\nlisten = \"0.0.0.0:0\"");
    assert_ne!(open, text);
    std::fs::write(&path, open).expect("written");
    child.restart();
    assert!(is_warned(&child), "{:#?}", child.logs());
}

/// Goal: after a theft the log says which calls a key has made, and nothing about persons. Method: some calls with a
/// token; each has its line, with the key's id; neither the learner's number nor the alias is in the log. Clear text on
/// the loopback is not warned of.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_which_key_has_read() {
    let child = Child::start();
    let universities = [child.admit(1).await];
    let alias = child.aliases(&universities).await[0];
    let client = child.client(&universities[0]).await.expect("the node serves");
    let mut chain = Chain::of(&client, &universities[0]).await;
    let receipt = chain.issue(&client, &universities[0], &[credit_record(alias, "A-1")]).await;
    let place = creditbank_protocol::Place { entry: receipt.index.into(), index: 0 };
    client.record(place).await.expect("its own record");
    assert_eq!(child.terminate(), Some(0));
    let key = creditbank_protocol::key::KeyId::of(&universities[0].access.public_key());
    // The pipe may hold the last lines still.
    let begun = std::time::Instant::now();
    while !child.logs().iter().any(|line| line.contains("stopped cleanly")) {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:#?}", child.logs());
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let logs = child.logs();
    let of = |call: &str| {
        let call = format!("call=\"{call}\"");
        logs.iter().find(|line| line.contains(&call)).unwrap_or_else(|| panic!("{call} in {logs:#?}"))
    };
    for (call, records) in [("OpenAccounts", "records=1"), ("GetRecord", "records=1")] {
        let line = of(call);
        for part in [format!("key={key}"), "institution=1".to_owned(), "of=1".to_owned(), records.to_owned()] {
            assert!(line.contains(&part), "{part} in {line}");
        }
    }
    let all = logs.join("\n");
    assert!(!all.contains(&alias.to_string()) && !all.contains(&format!("{alias:?}")), "{all}");
    assert!(!all.contains("NO TLS"), "{all}");
}

/// Goal: what others may write into, or read a secret of, is not served, and the message mends it.
#[test]
fn loose_modes_are_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (dir, keys) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        let run = command.args(arguments).arg("--dir").arg(dir.path()).output().expect("it runs");
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    let registry = keys.path().join("registry");
    let (code, said) = run(&["init", "--origin", "x.example", "--registry-keys", registry.to_str().expect("a path")]);
    assert_eq!(code, Some(0), "{said}");
    for (name, loose, mends) in [
        ("", 0o777, "chmod go-w"),
        ("keys", 0o770, "chmod go-w"),
        ("log", 0o702, "chmod go-w"),
        ("log/journal", 0o722, "chmod go-w"),
        ("learners.keys", 0o640, "chmod 600"),
        ("keys/secrets", 0o604, "chmod 600"),
        ("keys/credential.key", 0o620, "chmod 600"),
    ] {
        let path = dir.path().join(name);
        let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its mode");
        let before = std::fs::metadata(&path).expect("it is there").permissions().mode();
        set(loose);
        let (code, said) = run(&["serve"]);
        assert!(code == Some(2) && said.contains(mends) && said.contains(name), "{name}: {code:?} {said}");
        set(before);
    }
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

/// Goal: an error about damage names the file and the next step; what moves or succeeds a node names the option that is
/// missing, and this option works.
#[test]
fn errors_name_the_next_step() {
    let parent = tempfile::tempdir().expect("a directory");
    let [dir, moved, keys, next] = ["node", "moved", "keys", "next"].map(|name| parent.path().join(name));
    let run = |arguments: &[&str], dir: &std::path::Path| {
        let run = Command::new(BINARY).args(arguments).arg("--dir").arg(dir).output().expect("it runs");
        (run.status.code(), String::from_utf8_lossy(&run.stderr).into_owned())
    };
    let text = |path: &std::path::Path| path.to_str().expect("a name of a test").to_owned();
    let (code, said) =
        run(&["init", "--origin", "x.example/log", "--registry-keys", &text(&keys), "--listen", "127.0.0.1:0"], &dir);
    assert!(code == Some(0), "{said}");
    for (file, expected) in [
        ("keys/log.key", "which the registry does not know"),
        ("keys/secrets", "Restore it from a backup"),
        ("log/guard", "restore a backup of this node (docs/operate/damage.md)"),
        ("learners.keys", "restore learners.keys from a backup as new as the log"),
    ] {
        let path = dir.join(file);
        let whole = std::fs::read(&path).expect("the file");
        // A digit of a seed or a secret, or everything where a part may have a copy.
        let mut damaged = whole.clone();
        match file {
            "keys/log.key" => damaged[60] = if whole[60] == b'A' { b'B' } else { b'A' },
            "keys/secrets" => damaged[40] = if whole[40] == b'0' { b'1' } else { b'0' },
            _ => damaged.fill(1),
        }
        std::fs::write(&path, &damaged).expect("damaged");
        let (code, said) = run(&["serve"], &dir);
        assert!(code == Some(1) && said.contains(file) && said.contains(expected), "{file}: {said}");
        std::fs::write(&path, &whole).expect("repaired");
    }
    let succeed = |registry_key: &std::path::Path, more: &[&str]| {
        let (to, key) = (text(&next), text(registry_key));
        let fixed = ["succeed", "--to", &to, "--size", "3", "--origin", "x.example/log-2", "--case", "1"];
        run(&[&fixed, &["--registry-key", &key][..], more].concat(), &dir)
    };
    let (code, said) = succeed(&keys.join("none.key"), &[]);
    assert!(code == Some(2) && said.contains("--registry-key") && said.contains("registry.key"), "{said}");
    let (code, said) = succeed(&keys.join("next-registry.key"), &[]);
    assert!(code == Some(2) && said.contains("expected the registry key in force"), "{said}");
    let (code, said) = succeed(&keys.join("registry.key"), &["--approver-key", &text(&keys.join("none.key"))]);
    assert!(code == Some(2) && said.contains("--approver-key"), "{said}");
    std::fs::rename(&dir, &moved).expect("moved");
    let (code, said) = run(&["reindex"], &moved);
    assert!(code == Some(1) && said.contains("reindex --dir") && said.contains("--take-over"), "{said}");
    let (code, said) = run(&["reindex", "--take-over"], &moved);
    assert!(code == Some(0), "{said}");
}

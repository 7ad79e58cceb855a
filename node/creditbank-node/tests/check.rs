//! `creditbank-node check`: what is good is found good, each kind of damage is named with its place, and nothing is
//! changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use creditbank_server::ledger::Limits;
use creditbank_tests::university::credit_record;
use creditbank_tests::{Chain, TestNode, University};
use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_creditbank-node");

fn run(command: &str, dir: &Path) -> (Option<i32>, Value, String) {
    let run = Command::new(BINARY).args([command, "--json", "--dir"]).arg(dir).output().expect("it runs");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    (run.status.code(), serde_json::from_slice(&run.stdout).unwrap_or_default(), said)
}

/// A stopped node with two institutions' records.
async fn stopped(store: &str) -> TempDir {
    let node = TestNode::with(store.parse().expect("a store"), None, Limits::default()).await;
    for number in 1..3 {
        let university = University::admit(&node, number).await;
        let client = university.client(&node).await;
        let aliases = university.aliases(&node, 0..4).await;
        let mut chain = Chain::of(&client, &university).await;
        for course in ["A-1", "A-2", "A-3"] {
            let records: Vec<_> = aliases.iter().map(|alias| credit_record(*alias, course)).collect();
            chain.issue(&client, &university, &records).await;
        }
    }
    node.stop().await
}

fn only_segment(dir: &Path) -> PathBuf {
    let mut found =
        fs::read_dir(dir.join("log/journal")).expect("the journal").map(|entry| entry.expect("a file").path());
    found.find(|path| path.extension().is_some_and(|name| name == "seg")).expect("a segment")
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).expect("the file");
    bytes[offset] ^= 0x10;
    fs::write(path, bytes).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_node_is_good_with_every_engine() {
    for store in ["sled:log", "fjall:log"] {
        let dir = stopped(store).await;
        let (code, found, said) = run("check", dir.path());
        assert_eq!(code, Some(0), "{store}: {found} {said}");
        assert_eq!((&found["records"], &found["erased"]), (&24.into(), &0.into()), "{store}");
        // Four learners of each institution; student numbers count within theirs.
        assert_eq!(found["learner_keys"], 8, "{store}");
        // One of each block and seal; what a block shows to everybody is an entry without one.
        let count = |name: &str| found[name].as_u64().expect("a number");
        assert_eq!(count("signatures"), count("blocks") + count("seals"), "{store}");
        assert!(count("entries") > count("signatures"), "{store}: admissions have public parts");
        assert!(found["index_rows"].as_u64() >= Some(24 + 6), "{store}: {found}");
        assert_eq!(found["notes"], serde_json::json!([]), "{store}");
        let again = TestNode::again(dir).await;
        assert_eq!(again.ledger().size(), found["size"].as_u64().expect("a size"));
        let (code, _, said) = run("check", again.dir());
        assert!(code == Some(2) && said.contains("stop the node first"), "{code:?} {said}");
    }
}

/// Goal: a flipped bit anywhere in the journal is found at its frame; nothing that is damaged passes as good.
#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_journal_is_found_where_it_is() {
    let dir = stopped("sled:log").await;
    let segment = only_segment(dir.path());
    let len = usize::try_from(fs::metadata(&segment).expect("a file").len()).expect("small");
    let whole = fs::read(&segment).expect("the segment");
    let used = whole.iter().rposition(|byte| *byte != 0).expect("something");
    let before = directory_state(dir.path());
    for part in 0..12 {
        let at = used * part / 12;
        flip(&segment, at);
        let (code, found, said) = run("check", dir.path());
        assert_eq!(code, Some(1), "byte {at} of {len}: {said}");
        let first = &found["listed"][0];
        assert_eq!(first["path"], segment.display().to_string(), "{found}");
        assert!(!found["listed"].to_string().contains("reindex"), "which cannot mend it: {found}");
        assert!(found["notes"].to_string().contains("restore a backup"), "{found}");
        assert!(first["offset"].as_u64().is_some_and(|offset| offset <= at as u64), "byte {at}: {found}");
        fs::write(&segment, &whole).expect("mended");
    }
    assert_eq!(directory_state(dir.path()), before, "check changes nothing");
    assert_eq!(run("check", dir.path()).0, Some(0));
}

/// Goal: two damaged rounds of one segment are both listed, with what could not be read, what lies behind them is
/// checked, and the guard is not blamed; key files that a start needs are looked at.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_behind_damage_is_checked() {
    let dir = stopped("sled:log").await;
    let segment = only_segment(dir.path());
    let whole = fs::read(&segment).expect("the segment");
    let frames: Vec<usize> = whole.windows(4).enumerate().filter(|(_, at)| at == b"CBFR").map(|(at, _)| at).collect();
    assert!(frames.len() > 8, "{}", frames.len());
    flip(&segment, frames[3] - 9);
    flip(&segment, frames[5] + 2);
    let (code, found, said) = run("check", dir.path());
    assert_eq!(code, Some(1), "{said}");
    let listed = found["listed"].as_array().expect("findings");
    assert_eq!(listed.len(), 2, "{found}");
    for (finding, round) in listed.iter().zip([3, 6]) {
        let what = finding["what"].as_str().unwrap_or_default();
        assert!(what.contains(&format!("bytes of round {round} were not read")), "{what}");
    }
    let rounds = found["rounds"].as_u64().expect("rounds");
    assert_eq!(rounds, frames.len() as u64 - 2, "{found}");
    fs::write(&segment, &whole).expect("mended");

    for (file, expected) in
        [("statement.key", "the statement key"), ("log.key", "the log key"), ("credential.key", "key")]
    {
        let path = dir.path().join("keys").join(file);
        let text = fs::read_to_string(&path).expect("a key");
        // Another seed of the same form.
        let at = text.trim_end().len() - 2;
        let other = if &text[at..=at] == "0" { "1" } else { "0" };
        fs::write(&path, format!("{}{other}{}", &text[..at], &text[at + 1..])).expect("written");
        let (code, found, _) = run("check", dir.path());
        let listed = found["listed"].to_string();
        assert!(code == Some(1) && listed.contains(file) && listed.contains(expected), "{file}: {found}");
        fs::write(&path, text).expect("mended");
    }
    // One record of a learner: it is named, and with it the records that it opens, and no others.
    flip(&dir.path().join("learners.keys"), 84 + 2 * 93 + 40);
    let (code, found, _) = run("check", dir.path());
    let listed = found["listed"].to_string();
    assert!(code == Some(1) && listed.contains("record 2 cannot be read"), "{found}");
    assert_eq!(found["findings"], 1 + 3, "three records of one learner: {found}");
}

/// Lengths of all files outside the index, whose engine keeps its own house.
fn directory_state(dir: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).expect("a directory") {
            let path = entry.expect("a file").path();
            match path.metadata().expect("a file") {
                of if of.is_dir() && path.file_name() != Some("index".as_ref()) => todo.push(path),
                of if of.is_file() && path.file_name() != Some("LOCK".as_ref()) => found.push((path, of.len())),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_beside_the_journal_is_found() {
    let dir = stopped("sled:log").await;
    let log = dir.path().join("log");
    let cases: [(&str, &str, usize); 4] = [
        ("log/flat/level-00", "level-00: node 3", 3 * 32 + 5),
        ("log/flat/level-02", "level-02: node 1", 32 + 1),
        ("log/flat/entries", "the place of entry 2", 2 * 32 + 9),
        ("learners.keys", "the log needs the first 8", 700),
    ];
    for (file, expected, at) in cases {
        let path = dir.path().join(file);
        let whole = fs::read(&path).expect("the file");
        flip(&path, at);
        let (code, found, said) = run("check", dir.path());
        assert_eq!(code, Some(1), "{file}: {said}");
        let what = found["listed"].to_string();
        assert!(what.contains(expected), "{file}: {what}");
        fs::write(&path, whole).expect("mended");
    }
    // A guard that knows of more than the journal has.
    let guard = fs::read(log.join("guard")).expect("the guard");
    let segment = only_segment(dir.path());
    let whole = fs::read(&segment).expect("the segment");
    let used = whole.iter().rposition(|byte| *byte != 0).expect("something");
    fs::write(&segment, &whole[..used - 10]).expect("cut");
    let (code, found, _) = run("check", dir.path());
    assert_eq!(code, Some(1), "{found}");
    assert!(found["listed"].to_string().contains("acknowledged"), "{found}");
    fs::write(&segment, &whole).expect("mended");
    fs::remove_file(log.join("guard")).expect("gone");
    let (code, found, _) = run("check", dir.path());
    assert!(code == Some(1) && found["listed"].to_string().contains("it is missing"), "{found}");
    fs::write(log.join("guard"), guard).expect("mended");
    assert_eq!(run("check", dir.path()).0, Some(0));
}

/// Goal: an index that lacks rows, has others, or is gone is found.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_not_the_journals_is_found() {
    use creditbank_store::{Index as _, Row, Table, summed_row};
    for store in ["sled:log", "fjall:log"] {
        let dir = stopped(store).await;
        let path = dir.path().join("log/index");
        let change = |rows: Vec<Row>| {
            if store.starts_with("sled") {
                let index = creditbank_store_sled::SledIndex::open(&path).expect("the index");
                index.apply(&rows).and_then(|()| index.sync()).expect("written");
            } else {
                let index = creditbank_store_fjall::FjallIndex::open(&path).expect("the index");
                index.apply(&rows).and_then(|()| index.sync()).expect("written");
            }
        };
        let first = {
            let scan = |rows: Vec<(Vec<u8>, Vec<u8>)>| rows.into_iter().next().expect("a row");
            if store.starts_with("sled") {
                scan(
                    creditbank_store_sled::SledIndex::open(&path)
                        .expect("it")
                        .scan(Table(2), &[], None, 1)
                        .expect("rows"),
                )
            } else {
                scan(
                    creditbank_store_fjall::FjallIndex::open(&path)
                        .expect("it")
                        .scan(Table(2), &[], None, 1)
                        .expect("rows"),
                )
            }
        };
        let row = |key: &[u8], value: Option<&[u8]>| Row {
            table: Table(2),
            key: key.to_vec(),
            value: value.map(<[u8]>::to_vec),
        };
        for (rows, expected) in [
            (vec![row(&first.0, None)], "table 2 lacks 1 row of the journal"),
            (vec![row(&first.0, Some(&[1; 10]))], "the checksum of a row of table 2 does not hold"),
            (vec![summed_row(&row(&first.0, Some(&[1; 10])))], "has another value"),
            (vec![summed_row(&row(b"nobody's", Some(b"x")))], "is not in the journal"),
        ] {
            change(rows);
            let (code, found, said) = run("check", dir.path());
            assert_eq!(code, Some(1), "{store}: {said}");
            assert!(found["listed"].to_string().contains(expected), "{store}: {found}");
            change(vec![row(&first.0, Some(&first.1)), row(b"nobody's", None)]);
        }
        assert_eq!(run("check", dir.path()).0, Some(0), "{store}: mended");
        fs::remove_dir_all(&path).expect("gone");
        let (code, found, _) = run("check", dir.path());
        assert!(code == Some(1) && found["listed"].to_string().contains("not there"), "{store}: {found}");
    }
}

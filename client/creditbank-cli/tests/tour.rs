//! The command as registrars, operators and verifiers use it: exit codes, JSON, and what it says.

mod desk;

use std::fs;
use std::process::Command;

use creditbank_protocol::pb::Purpose;
use creditbank_protocol::trust::text_for;
use creditbank_server::directory::key_path;
use serde_json::Value;

use desk::{Desk, FILE, ISSUE, shown};

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_key_to_a_verified_transcript() {
    let desk = Desk::new().await;
    desk.admit().await;
    fs::write(desk.path("results.csv"), FILE).expect("the file");
    let issue = [&ISSUE[..], &["--access-key", "access.key", "--json"]].concat();
    let (code, out, err) = desk.call(&issue).await;
    assert_eq!(code, 1, "one line was refused: {err}");
    let done: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&done["records"], &done["refused"]), (&3.into(), &1.into()), "{done}");
    assert_eq!(done["credits"]["ECTS"], "19.5");
    let refused = fs::read_to_string(desk.path("results.csv.refused.csv")).expect("the report");
    assert!(refused.contains("4,grade,") && refused.contains("GRADE_NOT_A_PASS"), "{refused}");

    let alias = desk.json(&["learner", "alias", "7", "--access-key", "access.key"]).await;
    let alias = alias["alias"].as_str().expect("an alias").to_owned();
    let who = ["--alias", &alias, "--access-key", "access.key"];
    let records = desk.json(&[&["learner", "records"][..], &who].concat()).await;
    let records = records["records"].as_array().expect("records").clone();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1]["record"]["amount"]["amount"], "7.5");
    assert_eq!(records[0]["record"]["course"]["titles"][0]["value"], "Alg\u{e8}bre");
    let table = desk.good(&[&["learner", "records"][..], &who].concat()).await;
    assert!(table.contains("ANA Analyse") && table.contains("7.5 ECTS"), "{table}");
    let place = records[0]["place"].as_str().expect("a place").to_owned();
    let one = desk.good(&["record", "show", &place, "--access-key", "access.key"]).await;
    assert!(one.contains("2024-09 to 2025-01"), "{one}");

    desk.good(&[&["transcript", "--out", "t.cbt"][..], &who].concat()).await;
    let verified = desk.json(&["verify", "t.cbt"]).await;
    assert_eq!((&verified["valid"], &verified["whole"]), (&true.into(), &true.into()));
    assert_eq!(verified["records"][0]["verdict"], "authentic");
    assert_eq!(verified["records"][0]["issuer"], "Universit\u{e9} d'Essai");
    let text = desk.good(&["verify", "t.cbt"]).await;
    assert_eq!(text.lines().filter(|line| line.starts_with("authentic  credit")).count(), 2, "{text}");
    // One of the two records alone, without the node; and as of a time at which the status is stale.
    desk.good(&["cut", "t.cbt", "--only", &place, "--out", "one.cbt"]).await;
    let one = desk.json(&["verify", "one.cbt"]).await;
    assert_eq!((one["records"].as_array().map(Vec::len), &one["whole"]), (Some(1), &false.into()), "{one}");
    assert_eq!((&one["axes"]["current"], &one["axes"]["by_witnesses"]), (&"current".into(), &false.into()), "{one}");
    let (code, _, err) = desk.call(&["cut", "t.cbt", "--only", "0/9", "--out", "none.cbt"]).await;
    assert!(code == 1 && err.contains("no record at 0/9"), "{err}");
    let (code, _, err) = desk.call(&["verify", "one.cbt", "--at", "2199-01-01"]).await;
    assert!(code == 4 && err.contains("ask for status: creditbank status one.cbt"), "{err}");
    let (code, _, err) = desk.call(&["verify", "one.cbt", "--at", "2020-01-01"]).await;
    assert!(code == 1 && err.contains("the time of --at: pass a later time"), "{err}");
    // A trust file of another log is named as what is wrong, and so is one that is none.
    let another = text_for(&desk.node.trust().beginning("other.example/log")).expect("a trust file");
    fs::write(desk.path("other.toml"), another).expect("the trust file");
    let verify_under = async |trust: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
        command
            .current_dir(desk.dir.path())
            .args(["verify", "one.cbt", "--trust", trust])
            .env_clear()
            .env("CREDITBANK_STATE", "state");
        let output = desk.run(command).await;
        (output.status.code().expect("a code"), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    let (code, err) = verify_under("other.toml").await;
    assert!(code == 1 && err.contains("your trust file is for other.example/log"), "{err}");
    let (code, err) = verify_under("one.cbt").await;
    assert!(code == 2 && err.contains("one.cbt is no trust file: expected TOML"), "{err}");
    let mut file = fs::read(desk.path("t.cbt")).expect("the transcript");
    let middle = file.len() / 2;
    file[middle] ^= 1;
    fs::write(desk.path("bad.cbt"), &file).expect("a tampered transcript");
    let (code, _, err) = desk.call(&["verify", "bad.cbt"]).await;
    assert!(code == 1 && err.contains("NOT VALID"), "{err}");
    let (code, out, _) = desk.call(&["verify", "bad.cbt", "--json"]).await;
    assert_eq!((code, serde_json::from_str::<Value>(&out).expect("JSON")["valid"].clone()), (1, false.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_shown_and_changed() {
    let desk = Desk::new().await;
    desk.admit().await;
    let shown = desk.json(&["institution", "show", "1"]).await;
    assert_eq!(shown["entry"]["country"], "FR");
    assert_eq!(
        desk.json(&["institution", "list"]).await.as_array().map(Vec::len),
        Some(2),
        "the operator and one more"
    );
    desk.operate(&["institution", "state", "1", "suspended"]).await;
    assert_eq!(desk.json(&["institution", "show", "1"]).await["entry"]["state"], "suspended");
    desk.operate(&["institution", "state", "1", "active"]).await;
    desk.operate(&["accreditation", "end", "--institution", "1", "--number", "1", "--until", "2030-12-31"]).await;
    let list = desk.json(&["accreditation", "list", "--institution", "1"]).await;
    assert_eq!(list[0]["entry"]["until"], "2030-12-31");

    let key = |list: &Value, purpose: &str, revoked: bool| {
        let found = list
            .as_array()
            .into_iter()
            .flatten()
            .find(|item| item["entry"]["purpose"] == purpose && item["entry"]["revoked"].is_object() == revoked);
        found.map(|item| item["entry"]["key_id"].as_str().expect("an id").to_owned())
    };
    let keys = desk.json(&["key", "list", "--institution", "1"]).await;
    let old = key(&keys, "unit", false).expect("the unit's key");
    desk.good(&["keygen", "new.key"]).await;
    desk.good(&["key", "request", "--key", "new.key", "--institution", "1", "--unit", "1", "--out", "new.json"]).await;
    desk.operate(&["key", "rotate", &old, "new.json"]).await;
    let keys = desk.json(&["key", "list", "--institution", "1"]).await;
    assert_eq!(key(&keys, "unit", true), Some(old));
    let new = key(&keys, "unit", false).expect("the new key");
    assert_eq!(desk.json(&["key", "show", &new]).await["entry"]["kinds"], serde_json::json!(["credit", "result"]));
    desk.operate(&["key", "revoke", &new, "--reason", "compromised", "--compromised-since", "2026-01-01T10:00Z"]).await;

    let checkpoint = desk.json(&["log", "checkpoint"]).await;
    let size = checkpoint["size"].as_u64().expect("a size");
    assert_eq!(desk.json(&["log", "entry", &(size - 1).to_string()]).await["type"], "seal");
    desk.good(&["log", "prove", "0", "--out", "proof"]).await;
    assert!(
        fs::read_to_string(desk.path("proof")).expect("the proof").starts_with("c2sp.org/tlog-proof@v1\nindex 0\n")
    );
}

/// Goal: an admission that is typed twice admits nobody twice and changes nothing without a word; a request for
/// approvals that still waits says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_twice_is_refused() {
    let desk = Desk::new().await;
    desk.admit().await;
    let registry_key = key_path(desk.node.dir(), Purpose::Registry);
    let again = async |arguments: &[&str], expected: &str| {
        let (code, out, err) = desk.call(&[arguments, &["--registry-key", shown(&registry_key)]].concat()).await;
        assert!(matches!(code, 1 | 2) && err.contains(expected), "{arguments:?}: {code} {out}{err}");
    };
    let institution = ["institution", "add", "--name", "fr:Universit\u{e9} d'Essai", "--country", "FR"];
    again(&institution, "institution 1 of FR has this name already: pass --number").await;
    desk.operate(&[&institution[..], &["--number", "2"]].concat()).await;
    again(&["key", "add", "unit.json", "--kinds", "credit"], "pass --replace").await;
    desk.operate(&["key", "add", "unit.json", "--kinds", "credit", "--replace"]).await;
    let keys = desk.good(&["key", "list", "--institution", "1"]).await;
    assert!(keys.contains("unit 1.1, unit, credit") && !keys.contains("result"), "{keys}");
    let operators = desk.good(&["key", "list", "--institution", "0"]).await;
    assert!(operators.contains("operator, log"), "{operators}");

    desk.good(&["keygen", "second.key", "--purpose", "approver"]).await;
    desk.good(&["key", "request", "--key", "second.key", "--institution", "0", "--out", "second.json"]).await;
    desk.operate(&["key", "add", "second.json"]).await;
    desk.operate(&["registry", "approvals", "1"]).await;
    // Two that wait take two numbers; each command publishes its own, and only what was approved.
    let third = ["institution", "add", "--name", "fr:Trois", "--country", "FR"];
    let fourth = ["institution", "add", "--name", "fr:Quatre", "--country", "FR"];
    let asked = async |arguments: &[&str]| {
        let out = desk.operate(&[arguments, &["--json"]].concat()).await;
        let value: Value = serde_json::from_str(&out).expect("JSON");
        let text = |name: &str| value[name].as_str().expect("a text").to_owned();
        (text("waiting_for_approval"), text("request"))
    };
    let (what, request) = asked(&third).await;
    assert_eq!(what, "institution 3");
    let (what, other) = asked(&fourth).await;
    assert_eq!(what, "institution 4");
    again(&third, "institution 3 still waits").await;
    desk.good(&["approve", &other, "--key", "second.key", "--yes"]).await;
    again(&third, "institution 3 still waits").await;
    assert_eq!(desk.call(&["institution", "show", "4"]).await.0, 1, "its own command publishes it");
    assert!(desk.operate(&fourth).await.contains("institution 4: published"));

    // An approval that is nobody's stops its own command alone, and the message names the file.
    desk.good(&["keygen", "stranger.key", "--purpose", "approver"]).await;
    desk.good(&["approve", &request, "--key", "stranger.key", "--yes"]).await;
    again(&third, ".approval is by key").await;
    assert!(desk.operate(&["institution", "state", "2", "suspended"]).await.contains("not published yet"));
    fs::remove_file(format!("{request}.approval")).expect("removed");
    desk.good(&["approve", &request, "--key", "second.key", "--yes"]).await;
    assert!(desk.operate(&third).await.contains("institution 3: published"));
    again(&third, "has this name already").await;

    // A key that does not sign for the operator asks nobody.
    let (code, _, err) = desk.call(&[&third[..], &["--number", "9", "--registry-key", "second.key"]].concat()).await;
    assert!(code == 2, "{err}");
}

/// Goal: an operator loads a national framework and its level map from files, replaces what is there only when asked
/// to, and what the file leaves as it is costs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn entries_are_published_from_files() {
    let desk = Desk::new().await;
    let write = |name: &str, text: &str| fs::write(desk.path(name), text).expect("the file");
    write(
        "national.toml",
        r#"
        [[entries]]
        kind = "framework"
        [entries.entry]
        code = "XA-NQF"
        names = [{ language = "en", value = "A national framework" }]
        levels = [{ code = "basic" }, { code = "advanced" }]
        sources = [{ text = "a decree", grade = "a", as_of = "2026-11-26" }]
        [[entries]]
        kind = "level-map"
        [entries.entry]
        code = "XA-NQF-EQF"
        names = [{ language = "en", value = "Levels of XA-NQF in EQF" }]
        from_framework = "XA-NQF"
        to_framework = "EQF"
        rows = [{ from = "advanced", to = ["6", "5"] }, { from = "basic" }]
        sources = [{ text = "a report", grade = "b", reading = "copy", as_of = "2026-11-26" }]
        "#,
    );
    let plan = desk.json(&["registry", "publish", "national.toml", "--dry-run"]).await;
    assert_eq!((&plan["written"], &plan["entries"][1]["change"]), (&false.into(), &"new".into()));
    desk.operate(&["registry", "publish", "national.toml"]).await;
    let levels = &desk.json(&["registry", "show", "framework", "XA-NQF"]).await["entry"]["levels"];
    assert_eq!(levels, &serde_json::json!([{ "code": "basic" }, { "code": "advanced" }]));
    let map = desk.good(&["registry", "show", "level-map", "XA-NQF-EQF"]).await;
    assert!(map.contains("advanced: 5, 6; basic: no comparable level"), "{map}");
    let registry_key = key_path(desk.node.dir(), Purpose::Registry);
    let publish = ["registry", "publish", "national.toml", "--registry-key", shown(&registry_key)];
    let (code, again, err) = desk.call(&publish).await;
    assert!(code == 1 && again.contains("Nothing was published") && err.contains("already"), "{again}{err}");

    let shown = desk.good(&["registry", "show", "legal-deadline", "LISBON", "--json"]).await;
    write("law.json", &shown.replace("\"decision\": \"4 months\"", "\"decision\": \"60 working days\""));
    let (code, _, err) = desk.call(&["registry", "publish", "law.json"]).await;
    assert!(code == 1 && err.contains("--replace"), "{err}");
    desk.operate(&["registry", "publish", "law.json", "--replace"]).await;
    let law = desk.json(&["registry", "show", "legal-deadline", "LISBON"]).await;
    assert_eq!(law["entry"]["decision"], "60 working days");

    let seed = desk.json(&["registry", "publish", "--seed", "--dry-run"]).await;
    let changes: Vec<_> = seed["entries"].as_array().into_iter().flatten().map(|entry| &entry["change"]).collect();
    assert!(
        changes.len() > 400 && changes.iter().all(|change| **change == "as it is"),
        "the changed one is left alone"
    );
    let seed = desk.json(&["registry", "publish", "--seed", "--replace", "--dry-run"]).await;
    let replaced = seed["entries"].as_array().into_iter().flatten().filter(|entry| entry["change"] == "replaced");
    assert_eq!(replaced.map(|entry| entry["key"].clone()).collect::<Vec<_>>(), ["LISBON"]);

    let nowhere = shown.replace("LISBON", "NOWHERE").replace("\"decision\":", "\"country\": \"XX\", \"decision\":");
    write("nowhere.json", &nowhere);
    let key = key_path(desk.node.dir(), Purpose::Registry);
    let (code, _, err) = desk.call(&["registry", "publish", "nowhere.json", "--registry-key", self::shown(&key)]).await;
    assert!(code == 1 && err.contains("a country of the registry"), "{err}");
    let (countries, fields) = (
        desk.json(&["registry", "list", "country"]).await,
        desk.good(&["registry", "list", "field-of-education"]).await,
    );
    assert_eq!(countries.as_array().map(Vec::len), Some(249));
    assert!(fields.contains("0541") && fields.contains("Mathematics"), "{fields}");
}

/// Nothing that a command writes replaces what is there, least of all a key or its own input.
#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_lost() {
    let desk = Desk::new().await;
    desk.admit().await;
    fs::write(desk.path("results.csv"), FILE).expect("the file");
    let key = fs::read(desk.path("unit.key")).expect("the key");
    let refused = |arguments: Vec<&'static str>| {
        let desk = &desk;
        async move {
            let (code, _, err) = desk.call(&arguments).await;
            assert_eq!(code, 2, "{arguments:?}: {err}");
        }
    };
    refused(vec!["key", "request", "--key", "unit.key", "--institution", "1", "--unit", "1", "--out", "unit.key"])
        .await;
    refused([&ISSUE[..], &["--access-key", "access.key", "--refused", "results.csv"]].concat()).await;
    refused([&ISSUE[..], &["--access-key", "access.key", "--refused", "unit.key"]].concat()).await;
    refused(vec!["log", "prove", "0", "--out", "map.toml"]).await;
    assert_eq!(fs::read(desk.path("unit.key")).expect("the key"), key);
    assert_eq!(fs::read_to_string(desk.path("results.csv")).expect("the file"), FILE);
    let (code, out, _) = desk.call(&["institution", "show", "9", "--json"]).await;
    let told: Value = serde_json::from_str(&out).expect("JSON on failure too");
    assert!(code == 1 && told["error"].is_string(), "{out}");
}

/// A desk that has issued its file, and the transcript of one learner in `t.cbt`.
async fn with_a_transcript() -> Desk {
    let desk = Desk::new().await;
    desk.admit().await;
    fs::write(desk.path("results.csv"), FILE).expect("the file");
    desk.call(&[&ISSUE[..], &["--access-key", "access.key"]].concat()).await;
    let alias = desk.good(&["learner", "alias", "7", "--access-key", "access.key"]).await;
    desk.good(&["transcript", "--out", "t.cbt", "--alias", alias.trim(), "--access-key", "access.key"]).await;
    desk
}

/// Whoever holds another registry key to be right is told, online and offline; so is who does not trust the issuer.
#[tokio::test(flavor = "multi_thread")]
async fn trust_is_the_verifiers_own() {
    let desk = with_a_transcript().await;
    let trust = desk.node.trust_text();
    fs::write(desk.path("trust.toml"), format!("institutions = [7]\n{trust}")).expect("the trust file");
    let (code, out, _) = desk.call(&["verify", "t.cbt", "--json"]).await;
    let told: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &told["valid"], &told["authentic"]), (1, &false.into(), &true.into()));
    assert_eq!(told["records"][0]["verdict"], "issuer not trusted");
    let at = trust.find("registry_key = \"").expect("the key") + 16;
    let other = format!("{}{}{}", &trust[..at], "07".repeat(32), &trust[at + 64..]);
    fs::write(desk.path("trust.toml"), other).expect("the trust file");
    for arguments in [&["institution", "list"][..], &["log", "checkpoint"], &["verify", "t.cbt"]] {
        let (code, _, err) = desk.call(arguments).await;
        assert_eq!(code, 1, "{arguments:?}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes() {
    let desk = Desk::new().await;
    let code = |arguments: &'static [&'static str]| {
        let desk = &desk;
        async move { desk.call(arguments).await }
    };
    // 1: refused, or not there.
    let (found, _, err) = code(&["institution", "show", "9"]).await;
    assert!(found == 1 && err.contains("has no institution 9"), "{err}");
    // 2: usage.
    for arguments in
        [&["institution"][..], &["verify"], &["record", "show", "x"], &["log", "entry", "-1"], &["verify", "none.cbt"]]
    {
        let output = desk.run(desk.command(arguments)).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let (found, _, err) = code(&["institution", "state", "1", "closed"]).await;
    assert!(found == 1 || found == 2, "{err}");
    let (found, _, err) = code(&["learner", "alias", "--institution", "1", "7"]).await;
    assert!(found == 2 && err.contains("--access-key"), "{err}");
    fs::write(desk.path("open.key"), "x").expect("a file");
    let (found, _, err) = code(&["keygen", "open.key"]).await;
    assert!(found == 2 && err.contains("open.key"), "an existing file is never replaced: {err}");
    // 3: nobody there.
    let mut command = desk.command(&["log", "checkpoint"]);
    command.args(["--node", "http://127.0.0.1:9"]);
    let output = desk.run(command).await;
    // The same option twice is a question of usage; the environment names the node in its place.
    assert_eq!(output.status.code(), Some(2));
    let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
    command
        .current_dir(desk.dir.path())
        .args(["log", "checkpoint", "--trust", "trust.toml"])
        .env_clear()
        .env("CREDITBANK_STATE", "state")
        .env("CREDITBANK_NODE", "http://127.0.0.1:9");
    let output = desk.run(command).await;
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_teaches() {
    let desk = Desk::new().await;
    for arguments in [&["--help"][..], &["issue", "--help"], &["key", "add", "--help"], &["verify", "--help"]] {
        let output = desk.run(desk.command(arguments)).await;
        assert!(output.status.success() && output.stdout.len() > 300, "{arguments:?}");
    }
    let template = desk.good(&["mapping", "show", "template"]).await;
    assert!(template.contains("[learner]") && template.contains('#'));
}

fn amending<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let head = ["amend", "--key", "unit.key", "--reason", "error"];
    [&head[..], arguments, &["--access-key", "access.key"]].concat()
}

/// A registrar corrects: what is shown can be edited and sent back, and every outcome says itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_registrar_corrects() {
    let desk = Desk::new().await;
    desk.admit().await;
    fs::write(desk.path("results.csv"), FILE).expect("the file");
    let access = ["--access-key", "access.key"];
    desk.call(&[&ISSUE[..], &access].concat()).await;
    let alias = desk.good(&[&["learner", "alias", "7"][..], &access].concat()).await;
    let records = desk.json(&[&["learner", "records", "--alias", alias.trim()][..], &access].concat()).await;
    let place = |at: usize| records["records"][at]["place"].as_str().expect("a place").to_owned();
    let (first, second) = (place(0), place(1));
    // One field.
    let dry = desk.json(&amending(&["--place", &first, "--set", "grade=B", "--dry-run"])).await;
    assert_eq!(dry["records"][0]["outcome"], "would be amended");
    let table = desk.good(&amending(&["--place", &first, "--set", "grade=B"])).await;
    assert!(table.contains("grade: A in ESSAI -> B in ESSAI") && table.contains("amended in entry"), "{table}");
    // What was done before is not done again, and the command says so.
    let (code, out, err) = desk.call(&amending(&["--place", &first, "--set", "grade=B", "--json"])).await;
    let again: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &again["changed"], &again["already"]), (1, &0.into(), &1.into()), "{again}");
    assert!(err.contains("nothing was amended"), "{err}");
    let (code, _, err) = desk.call(&amending(&["--place", &second, "--set", "amount=7.5"])).await;
    assert!(code == 1 && err.contains("says so already"), "{err}");
    // The whole record, as it is shown.
    let shown = desk.good(&[&["record", "show", &second, "--json"][..], &access].concat()).await;
    fs::write(desk.path("r.json"), shown.replace("\"7.5\"", "\"9\"")).expect("the record");
    let done = desk.json(&amending(&["--from", "r.json"])).await;
    assert_eq!((&done["changed"], &done["blocks"]), (&1.into(), &1.into()), "{done}");
    let (code, _, err) = desk.call(&amending(&["--place", &first, "--from", "r.json"])).await;
    assert!(code == 2 && err.contains("another place"), "{err}");
    let (code, _, err) = desk.call(&amending(&["--place", &second, "--set", "kredits=7"])).await;
    assert!(code == 2 && err.contains("is no field"), "{err}");
    // A file with the mapping that it was issued with: learner and reference say which record.
    fs::write(desk.path("right.csv"), "student,course,title,ects,grade\n8,ALG,Alg,6,A\n7,ALG,Alg,6,A\n")
        .expect("the file");
    let (code, out, err) = desk.call(&amending(&["right.csv", "--mapping", "map.toml", "--json"])).await;
    let done: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &done["changed"], &done["refused"]), (1, &1.into(), &1.into()), "{err} {out}");
    // Revoked, once.
    fs::write(desk.path("back.csv"), format!("place,reason\n{first},error\n1/x,error\n")).expect("the file");
    let (code, out, _) =
        desk.call(&[&["revoke", "back.csv", "--key", "unit.key", "--json"][..], &access].concat()).await;
    let done: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &done["refused"]), (1, &2.into()), "superseded, and no place: {out}");
    let records = desk.json(&[&["learner", "records", "--alias", alias.trim()][..], &access].concat()).await;
    let standing = records["records"].as_array().into_iter().flatten();
    let standing: Vec<&Value> = standing.filter(|one| one["marks"].as_array().is_some_and(Vec::is_empty)).collect();
    let last = standing[0]["place"].as_str().expect("a place");
    let revoke = ["revoke", "--place", last, "--reason", "error", "--key", "unit.key"];
    assert!(desk.good(&[&revoke[..], &access].concat()).await.contains("revoked in entry"));
    let (code, out, err) = desk.call(&[&revoke[..], &access].concat()).await;
    assert!(code == 1 && out.contains("done before") && err.contains("nothing was revoked"), "{out}{err}");
    let (code, _, err) = desk.call(&["revoke", "--place", last, "--reason", "whim", "--key", "unit.key"]).await;
    assert!(code == 2 && err.contains("decision"), "{err}");
}

/// What is no revocation is refused before anything is written, and so is a unit that is another's or none.
async fn what_cannot_be_revoked_is_refused(desk: &Desk, key_id: &str) {
    let registry_key = key_path(desk.node.dir(), Purpose::Registry);
    let refused = async |arguments: &[&str], code: i32, expected: &str| {
        let keys = ["--registry-key", shown(&registry_key), "--access-key", "access.key"];
        let found = desk.call(&[arguments, &keys].concat()).await;
        assert!(found.0 == code && found.2.contains(expected), "{arguments:?}: {found:?}");
    };
    let stolen = ["--reason", "compromised", "--compromised-since", "2026-01-01T00:00Z"];
    let again = [&["key", "revoke", key_id][..], &stolen].concat();
    refused(&again, 1, "is revoked already: compromised since 2026-01-01T00:00Z").await;
    for (purpose, expected) in [("log", "run creditbank-node succeed"), ("registry", "creditbank registry succeed")] {
        let keys = desk.json(&["key", "list", "--institution", "0"]).await;
        let found = keys.as_array().into_iter().flatten().find(|one| one["entry"]["purpose"] == purpose);
        let id = found.and_then(|one| one["entry"]["key_id"].as_str()).expect("a key").to_owned();
        refused(&[&["key", "revoke", &id][..], &stolen].concat(), 2, expected).await;
    }
    refused(&["contested", "list", "--institution", "9"], 1, "no unit 1 of institution 9").await;
    let elsewhere: Vec<&str> = ISSUE.iter().map(|word| if *word == "1" { "9" } else { *word }).collect();
    refused(&elsewhere, 2, "is of unit 1/1, expected one of unit 9/1").await;
}

/// A second person, a stolen key, and a custodian, from the command line.
#[tokio::test(flavor = "multi_thread")]
async fn approvals_compromise_and_custody() {
    let desk = Desk::new().await;
    desk.admit().await;
    fs::write(desk.path("results.csv"), FILE).expect("the file");
    let access = ["--access-key", "access.key"];
    desk.call(&[&ISSUE[..], &access].concat()).await;
    let alias = desk.good(&[&["learner", "alias", "7"][..], &access].concat()).await;
    let who = ["--alias", alias.trim(), "--access-key", "access.key"];
    let records = desk.json(&[&["learner", "records"][..], &who].concat()).await;
    let place = |at: usize| records["records"][at]["place"].as_str().expect("a place").to_owned();

    for (name, purpose) in [("approver", "approver"), ("good", "unit")] {
        let key = format!("{name}.key");
        desk.good(&["keygen", &key, "--purpose", purpose]).await;
        let request = format!("{name}.json");
        desk.good(&["key", "request", "--key", &key, "--institution", "1", "--unit", "1", "--out", &request]).await;
        let kinds = if name == "good" { &["--kinds", "credit,result"][..] } else { &[] };
        desk.operate(&[&["key", "add", &request][..], kinds].concat()).await;
    }
    desk.operate(&["unit", "change", "--institution", "1", "--requires-approval", "true"]).await;
    let first = place(0);
    let revoke = ["revoke", "--place", &first, "--reason", "error", "--key", "unit.key"];
    let (code, _, err) = desk.call(&[&revoke[..], &access].concat()).await;
    assert!(code == 1 && err.contains("APPROVAL_MISSING"), "{err}");
    let waiting = [&revoke[..], &["--require-approval"], &access].concat();
    let asked = desk.json(&waiting).await;
    let request = asked["requests"][0].as_str().expect("a request").to_owned();
    let (code, _, err) = desk.call(&["approve", &request, "--key", "approver.key"]).await;
    assert!(code == 2 && err.contains("--yes"), "{err}");
    let text = desk.good(&["approve", &request, "--key", "approver.key", "--yes"]).await;
    assert!(text.contains("1 revoke") && text.contains(&first), "{text}");
    desk.good(&waiting).await;
    // The newest block: its head, its public part, and the seal.
    let size = desk.json(&["log", "checkpoint"]).await["size"].as_u64().expect("a size");
    let entry = (size - 3).to_string();
    let approver = desk.json(&["log", "entry", &entry]).await["approvals"][0]["key_id"].clone();
    let text_of_entry = desk.good(&["log", "entry", &entry]).await;
    assert!(text_of_entry.contains(&format!("key id {}", approver.as_str().expect("a key"))), "{text_of_entry}");
    assert!(text_of_entry.contains("created_at_minute  20"), "a time that people can read: {text_of_entry}");
    let shown = desk.json(&[&["record", "show", &first][..], &access].concat()).await;
    assert_eq!(shown["marks"][0], "revoked");
    desk.operate(&["unit", "change", "--institution", "1", "--requires-approval", "false"]).await;

    let key_id = shown["key_id"].as_str().expect("a key").to_owned();
    desk.operate(&["key", "revoke", &key_id, "--reason", "compromised", "--compromised-since", "2026-01-01T00:00Z"])
        .await;
    what_cannot_be_revoked_is_refused(&desk, &key_id).await;
    let listed = desk.json(&[&["contested", "list", "--institution", "1"][..], &access].concat()).await;
    assert_eq!((&listed["counts"]["contested"], &listed["counts"]["ended"]), (&2.into(), &1.into()), "{listed}");
    desk.good(&[&["transcript", "--out", "before.cbt"][..], &who].concat()).await;
    let (code, out, _) = desk.call(&["verify", "before.cbt"]).await;
    // The stolen key has revoked one of the two: that is contested too, and nobody calls the record revoked.
    assert!(code == 1 && out.matches("contested  credit").count() == 2 && !out.contains("revoked  credit"), "{out}");
    // Beneath each stands why, and whom to ask.
    let of_one = "contested because its revocation was signed in entry";
    let of_other = format!("with the key {key_id}, which counts as stolen since 2026-01-01T00:00Z: ask Universit");
    assert!(out.contains(of_one) && out.matches(&of_other).count() == 2, "{out}");
    let (_, out, err) = desk.call(&["verify", "before.cbt", "--json"]).await;
    assert!(err.contains("2 of 2 records") && err.contains("2 contested"), "{err}");
    let said: Value = serde_json::from_str(&out).expect("JSON");
    let by = &said["records"][1]["contested_by"];
    assert_eq!((&by["key_id"], &by["role"]), (&Value::from(key_id.as_str()), &"signed".into()), "{said}");
    assert_eq!(by["since"], "2026-01-01T00:00:00Z");
    // The key is in a directory of its own, without seed secrets: nothing is made that needs them.
    fs::create_dir(desk.path("safe")).expect("a directory");
    fs::rename(desk.path("good.key"), desk.path("safe/good.key")).expect("the key");
    let revoke = ["revoke", "--all-of-key", &key_id, "--reason", "decision", "--key", "safe/good.key", "--dry-run"];
    let planned = desk.json(&[&revoke[..], &access].concat()).await;
    assert_eq!(planned["records"].as_array().map(Vec::len), Some(2), "{planned}");
    assert_eq!(planned["records"][0]["outcome"], "would be revoked", "{planned}");
    let confirm = ["confirm", "--all-of-key", &key_id, "--before", "2199-01-01", "--key", "safe/good.key"];
    let done = desk.json(&[&confirm[..], &access].concat()).await;
    assert_eq!(done["changed"], 2, "{done}");
    desk.good(&[&["transcript", "--out", "after.cbt"][..], &who].concat()).await;
    let (_, out, _) = desk.call(&["verify", "after.cbt"]).await;
    assert!(out.contains("authentic  credit") && out.contains("confirmed in entry"), "{out}");

    // Whoever was shown the old file asks for the newest status, without an access key; the file says it from then on.
    let (code, _, err) = desk.call(&["status", "before.cbt", "--out", "after.cbt"]).await;
    assert!(code == 2 && err.contains("exists and is not replaced"), "{err}");
    let (code, out, _) = desk.call(&["status", "before.cbt", "--out", "newest.cbt"]).await;
    assert!(code == 1 && out.contains("was contested, is authentic"), "one of them is revoked: {out}");
    let (code, out, _) = desk.call(&["status", "before.cbt", "--json"]).await;
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &said["valid"], &said["file"]), (1, &false.into(), &"before.cbt".into()));
    let both = ["before.cbt", "newest.cbt"].map(|name| fs::read(desk.path(name)).expect("a file"));
    assert!(both[0] == both[1], "in its place, or beside it");
    let (_, out, _) = desk.call(&["status", "before.cbt"]).await;
    assert!(out.contains("no record has another standing"), "{out}");
    fs::write(desk.path("broken.cbt"), &both[0][1..]).expect("written");
    let (code, _, err) = desk.call(&["status", "broken.cbt"]).await;
    assert!(code == 1 && err.contains("broken.cbt is NOT VALID"), "{err}");

    desk.operate(&["institution", "add", "--name", "fr:Archives", "--country", "FR"]).await;
    desk.operate(&["institution", "close", "1", "--custodian", "2"]).await;
    desk.good(&[&["transcript", "--out", "kept.cbt"][..], &who].concat()).await;
    let (_, out, _) = desk.call(&["verify", "kept.cbt"]).await;
    assert!(out.contains("kept by custodian Archives"), "{out}");
    desk.operate(&["institution", "custodian", "2", "--of", "1", "--until", "2020-12-31"]).await;
    desk.good(&[&["transcript", "--out", "left.cbt"][..], &who].concat()).await;
    let (_, out, _) = desk.call(&["verify", "left.cbt"]).await;
    assert!(!out.contains("kept by"), "{out}");
}

/// Goal: `verify` needs no state and no node, but where another history was seen at the file's very size, the file is
/// not called authentic. A file of authorities that holds none is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_of_a_fork_is_not_authentic() {
    use sha2::Digest as _;
    let desk = with_a_transcript().await;
    let size = desk.json(&["verify", "t.cbt"]).await["log_size"].as_u64().expect("a size");
    let mut files = fs::read_dir(desk.path("state")).expect("the state").map(|file| file.expect("a name").path());
    let file = files.find(|path| path.extension().is_some_and(|name| name == "seen")).expect("what was seen");
    let text = fs::read_to_string(&file).expect("it is there");
    let write = |size: u64| {
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        let (shown, root) = (size.to_string(), format!("{}=", "A".repeat(43)));
        (lines[1], lines[2]) = (&shown, &root);
        let note = format!("{}\n", lines.join("\n"));
        let hash = hex::encode(sha2::Sha256::digest(note.as_bytes()));
        fs::write(&file, format!("creditbank seen v1 {hash}\n{note}")).expect("written");
    };
    write(size + 1);
    desk.good(&["verify", "t.cbt"]).await;
    write(size);
    let (code, out, err) = desk.call(&["verify", "t.cbt"]).await;
    assert!(code == 1 && err.contains("NOT of the log that was seen before") && out.is_empty(), "{out}{err}");
    let (code, out, _) = desk.call(&["verify", "t.cbt", "--json"]).await;
    let said: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &said["authentic"]), (1, &false.into()), "{said}");
    desk.good(&["verify", "t.cbt", "--no-log-state"]).await;
    fs::write(&file, "damaged").expect("written");
    desk.good(&["verify", "t.cbt"]).await;
    fs::remove_file(&file).expect("removed");
    let (code, _, err) = desk.call(&["log", "checkpoint", "--ca", "results.csv"]).await;
    assert!(
        code == 2 && err.contains("--ca results.csv: expected certificates in PEM") && err.contains("found no PEM"),
        "{err}"
    );
}

/// Goal: what was seen of a log is kept between commands, where the caller says; a damaged file is an error that says
/// so, and whoever has nowhere to keep it is told how to say that.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_seen_is_kept() {
    let desk = Desk::new().await;
    desk.good(&["log", "checkpoint"]).await;
    let files = || fs::read_dir(desk.path("state")).expect("the state").map(|file| file.expect("a name").path());
    let seen: Vec<_> = files().filter(|path| path.extension().is_some_and(|name| name == "seen")).collect();
    assert_eq!(seen.len(), 1);
    let whole = fs::read(&seen[0]).expect("it is there");
    fs::write(&seen[0], &whole[..whole.len() - 1]).expect("written");
    let (code, _, err) = desk.call(&["log", "checkpoint"]).await;
    assert!(code == 2 && err.contains("it is damaged") && err.contains("remove the file"), "{err}");
    desk.good(&["log", "checkpoint", "--log-state", "elsewhere"]).await;
    let mut command = desk.command(&["log", "checkpoint"]);
    command.env_remove("CREDITBANK_STATE");
    let output = desk.run(command).await;
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        output.status.code() == Some(2) && err.contains("--log-state DIR") && err.contains("--no-log-state"),
        "{err}"
    );
    desk.good(&["log", "checkpoint", "--no-log-state"]).await;
    let mut command = desk.command(&["log", "checkpoint", "--no-log-state"]);
    command.env_remove("CREDITBANK_STATE");
    assert!(desk.run(command).await.status.success());
}

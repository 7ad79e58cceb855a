//! `course alias`, `course codes`, `course list`.

use std::fs;

use creditbank_client::operator::KeyRequest;
use creditbank_client::time_correction::newest_ms;
use creditbank_protocol::UnitId;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_tests::university::{KINDS, key, set};
use serde_json::json;

use crate::desk::office::Office;

/// Goal: aliases are published one by one and from a file, listed as courses, withdrawn; what says nothing new ends with 1.
#[tokio::test(flavor = "multi_thread")]
async fn aliases_come_and_go() {
    let office = Office::new().await;
    let alias = |code: &'static str, same_as: &'static str| ["course", "alias", "--code", code, "--same-as", same_as];
    office.refused(1, &alias("WS101", "ws101"), &["CONTRADICTION", "same_as"]).await;
    let (code, _, err) =
        office.call(1, &[&alias("WS\u{200b}101", "WS-101")[..], &["--key", "unit-1.key"]].concat()).await;
    assert!(code == 2 && err.contains("expected a course code") && err.contains("U+200B"), "{err}");
    let withdraw = [&alias("WS101", "WS-101")[..], &["--withdraw"]].concat();
    office.refused(1, &withdraw, &["nothing was published", "WS101", "no such alias"]).await;
    let dry = office.json(1, &[&alias("WS101", "WS-101")[..], &["--key", "unit-1.key", "--dry-run"]].concat()).await;
    assert_eq!((&dry["written"], &dry["refusals"]), (&json!(false), &json!([])), "{dry}");
    office.seal(1, &alias("WS101", "WS-101")).await;
    office.refused(1, &alias("WS101", "WS-101"), &["nothing was published", "already"]).await;
    office.write("aliases.csv", "code,same_as\nΠΛΗ10,PLI10\nWS101,WS-101\nПРАВ 7,LAW 7\n");
    office.seal(1, &["course", "alias", "--file", "aliases.csv"]).await;
    office.refused(1, &["course", "alias", "--file", "aliases.csv"], &["nothing was published", "already"]).await;
    let listed = office.json(2, &["course", "list", "--institution", "1"]).await;
    let codes: Vec<_> = listed["courses"].as_array().expect("courses").iter().map(|one| one["codes"].clone()).collect();
    assert_eq!(codes.len(), 3, "{listed}");
    for pair in [json!(["WS-101", "WS101"]), json!(["PLI10", "ΠΛΗ10"]), json!(["LAW 7", "ПРАВ 7"])] {
        assert!(codes.contains(&pair), "{pair}: {listed}");
    }
    let (_, table, _) = office.call(2, &["course", "list"]).await;
    assert!(table.contains("WS-101 = WS101") && table.contains("spelling") && table.contains("other code"), "{table}");
    office.seal(1, &withdraw).await;
    office.refused(1, &withdraw, &["nothing was published"]).await;
    let listed = office.json(2, &["course", "list", "--institution", "1"]).await;
    assert_eq!(listed["courses"].as_array().map(Vec::len), Some(2), "{listed}");
    // Published anew.
    office.seal(1, &alias("WS101", "WS-101")).await;
    for (file, words) in [
        ("code,same_as\nA\u{7},B\n", &["line 2"][..]),
        ("code,other\nA,B\n", &["same_as"]),
        ("code,same_as\n", &["a line for each alias"]),
        ("code,same_as\nA,\n", &["line 2"]),
    ] {
        fs::remove_file(office.dir.path().join("aliases.csv")).expect("it is there");
        office.write("aliases.csv", file);
        let typed = ["course", "alias", "--file", "aliases.csv", "--key", "unit-1.key"];
        let (code, out, err) = office.call(1, &typed).await;
        assert!(code != 0 && words.iter().all(|word| err.contains(word)), "{file:?}: {code} {out}{err}");
    }
}

/// Goal: an institution says once that case matters, and once more that it does not; what changes nothing ends with 1.
#[tokio::test(flavor = "multi_thread")]
async fn whether_case_matters() {
    let office = Office::new().await;
    office.refused(1, &["course", "codes", "--ignore-case"], &["nothing was published", "institution 1"]).await;
    office.seal(1, &["course", "codes", "--case-matters"]).await;
    office.refused(1, &["course", "codes", "--case-matters"], &["nothing was published", "already"]).await;
    assert_eq!(office.json(2, &["course", "list"]).await["case_matters"], json!([1]));
    let (_, text, _) = office.call(2, &["course", "list", "--institution", "1"]).await;
    assert!(text.contains("case matters in the codes of institution 1"), "{text}");
    // Now these are two courses, of which one is an alias of the other.
    office.seal(1, &["course", "alias", "--code", "WS101", "--same-as", "ws101"]).await;
    let ignore = ["course", "codes", "--ignore-case"];
    office.seal(1, &ignore).await;
    assert_eq!(office.json(2, &["course", "list"]).await["case_matters"], json!([]));
    office.seal(1, &["course", "codes", "--case-matters"]).await;
    office.seal(1, &ignore).await;
}

/// What the first institution has just sealed was sealed with a stolen key; `good.key` follows it.
async fn steal_key(office: &Office) {
    let university = &office.institutions[0];
    let minute = newest_ms(&university.client(&office.node).await).await.expect("a seal") / 60_000;
    let entry = |key: &KeyFile| {
        let request = KeyRequest::new(creditbank_tests::node::ORIGIN, UnitId::new(1, 1), key).expect("a request");
        request.record(&KINDS, 0, 0).expect("a key")
    };
    let good = key(Purpose::Unit, 99);
    set(&office.node, Kind::Key, &entry(&good)).await;
    let reason = pb::RevocationReason::Compromised.into();
    // The last seals, also where a minute ends between them.
    let revoked = Some(pb::KeyRevocation { reason, compromised_since_minute: minute - 1 });
    set(&office.node, Kind::Key, &pb::Key { revoked, ..entry(&university.key) }).await;
    office.write("good.key", &good.to_text());
}

/// Goal: what is permanent and has versions is ended by a later version of a good key, and not by the thief's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_ends_what_a_stolen_key_has_published() {
    let office = Office::new().await;
    let (_, template, _) = office.call(1, &["equivalence", "template"]).await;
    for version in 1..=3 {
        let text = template.replace("institution = 7", "institution = 2");
        office.write(&format!("{version}.toml"), &text.replace("version = 1", &format!("version = {version}")));
    }
    office.seal(1, &["equivalence", "publish", "1.toml"]).await;
    office.seal(1, &["equivalence", "publish", "2.toml"]).await;
    steal_key(&office).await;
    let list = ["contested", "list", "--institution", "1"];
    let listed = office.json(1, &list).await;
    assert_eq!(listed["counts"], json!({ "in force": 2 }), "{listed}");
    let (_, text, _) = office.call(1, &list).await;
    assert!(text.contains("equivalence: creditbank equivalence publish FILE, with the next version"), "{text}");
    office.json(1, &["equivalence", "publish", "3.toml", "--key", "good.key"]).await;
    let listed = office.json(1, &list).await;
    assert_eq!(listed["counts"], json!({ "ended": 2 }), "{listed}");
}

/// Goal: what a stolen key has published in the registry is listed as in force, with what to do about it; it is neither
/// confirmed nor revoked, which is said with the same words; and what is said to do ends it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stolen_key_has_published_is_replaced() {
    let office = Office::new().await;
    let alias = ["course", "alias", "--code", "WS101", "--same-as", "WS-101"];
    office.seal(1, &alias).await;
    office.seal(1, &["course", "codes", "--case-matters"]).await;
    steal_key(&office).await;
    let list = ["contested", "list", "--institution", "1"];
    let listed = office.json(1, &list).await;
    assert_eq!(listed["counts"], json!({ "in force": 2 }), "{listed}");
    let place = |kind: &str| {
        let records = listed["records"].as_array().expect("records");
        let found = records.iter().find(|record| record["kind"] == kind).expect("it is listed");
        found["place"].as_str().expect("a place").to_owned()
    };
    let (_, text, _) = office.call(1, &list).await;
    for words in ["In force: entries of the registry", "course-alias: creditbank course alias", "--withdraw"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (stolen, until) = (KeyId::of(&office.institutions[0].key.public_key()).to_string(), "2100-01-01");
    let at = place("course-alias");
    for typed in [&["confirm", "--place", &at][..], &["revoke", "--place", &at, "--reason", "error"]] {
        let (code, out, err) = office.call(1, &[typed, &["--key", "good.key", "--json"]].concat()).await;
        assert_eq!(code, 1, "{out}{err}");
        assert!(out.contains("an entry of the registry (course-alias)") && out.contains("--withdraw"), "{out}{err}");
    }
    let all = ["confirm", "--all-of-key", &stolen, "--before", until, "--key", "good.key"];
    let (code, out, err) = office.call(1, &all).await;
    assert!(code == 1 && err.contains("in force in the registry (2 places)"), "{out}{err}");

    office.json(1, &[&alias[..], &["--withdraw", "--key", "good.key"]].concat()).await;
    office.json(1, &["course", "codes", "--ignore-case", "--key", "good.key"]).await;
    let listed = office.json(1, &list).await;
    assert_eq!(listed["counts"], json!({ "ended": 2 }), "{listed}");
    // Whoever stands by it states it anew.
    office.json(1, &[&alias[..], &["--key", "good.key"]].concat()).await;
    assert_eq!(office.json(1, &["course", "list"]).await["courses"].as_array().map(Vec::len), Some(1));
}

//! `course alias`, `course codes`, `course list`.

use std::fs;

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

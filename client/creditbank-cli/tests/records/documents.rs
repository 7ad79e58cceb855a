//! `qualification award --document` and `qualification document`.

use serde_json::json;

use crate::desk::office::Office;

const DEFINITION: &str = "code = 'CERT'\nversion = 1\nunit = 'CATS'\nsource = 'a test'\ntitles = { en = 'Certificate' }\n\
    [[requirement]]\ntype = 'credits'\namount = '60'\n";

/// An award of a learner on the institution's word, with these documents.
fn award<'a>(alias: &'a str, documents: &[&'a str]) -> Vec<&'a str> {
    let words = ["qualification", "award", "CERT", "--declared", "--kind", "certificate", "--alias", alias];
    let words = [&words[..], &["--consumes-none", "Conferred before the ledger"]].concat();
    let by = ["--decider", "Prof. B", "--conferred", "2026-06-30", "--mandate-paper", documents[0]];
    let documents = documents.iter().flat_map(|one| ["--document", *one]);
    words.into_iter().chain(by).chain(documents).collect()
}

/// Goal: an award has several documents, each with its number, series, day and state; a number is given once in a series;
/// what replaces a document carries its number.
#[tokio::test(flavor = "multi_thread")]
async fn documents_of_an_award() {
    let office = Office::new().await;
    office.write("cert.toml", DEFINITION);
    office.seal(1, &["qualification", "publish", "cert.toml"]).await;
    let aliases = office.institutions[0].aliases(&office.node, [7, 8]).await;
    let [first, second] = [0, 1].map(|at: usize| aliases[at].to_string());
    let twice = award(&first, &["diploma:A:1", "certificate:A:1"]);
    office.refused(1, &twice, &["DOCUMENT_NUMBER_USED", "document 2", "another document of this award"]).await;
    let place = office.seal(1, &award(&first, &["diploma:A:1", "certificate:证:7:2026-07-01", "transcript"])).await;
    let read = office.shown(1, &place).await;
    let documents = read["record"]["documents"].as_array().expect("documents");
    assert_eq!(documents.len(), 3, "{read}");
    assert_eq!(
        (&documents[0]["number"]["number"], &documents[0]["issued"]),
        (&json!("1"), &json!("2026-06-30")),
        "{read}"
    );
    let (_, text, _) = office.call(1, &["record", "show", &place]).await;
    for part in ["diploma A 1, 2026-06-30", "certificate 证 7, 2026-07-01", "transcript without a number"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The number is given, in this series; in another it is free, and without a number there is nothing to give twice.
    office.refused(1, &award(&second, &["diploma:A:1"]), &["DOCUMENT_NUMBER_USED", "document 1", &place]).await;
    let other = office.seal(1, &award(&second, &["diploma:B:1", "transcript"])).await;

    let paper = ["--mandate-paper", "file 9"];
    let document = |verb: &'static str, place: &str, more: &[&'static str]| {
        let words = ["qualification", "document", verb, place];
        words.iter().chain(more).chain(&paper).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let call = async |verb, place: &str, more: &[&'static str], words: &[&str]| {
        let typed = document(verb, place, more);
        office.refused(1, &typed.iter().map(String::as_str).collect::<Vec<_>>(), words).await;
    };
    call("add", &other, &["--document", "diploma-supplement:A:1"], &["DOCUMENT_NUMBER_USED", "document 3", &place])
        .await;
    call("add", &place, &["--document", "diploma:A:1:2026-06-30"], &["nothing was changed"]).await;
    call("replace", &place, &["--number", "A:2"], &["expected", "A:1", "found A:2"]).await;
    let lost = ["--number", "A:1", "--state", "lost", "--document", "replacement:R:5:2026-11-02"];
    let typed = document("replace", &place, &lost);
    let newer = office.seal(1, &typed.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let read = office.shown(1, &newer).await;
    let documents = read["record"]["documents"].as_array().expect("documents");
    assert_eq!((&documents[0]["state"], &documents[0]["number"]["number"]), (&json!("lost"), &json!("1")), "{read}");
    let new = &documents[3];
    assert_eq!(
        (&new["type"], &new["replaces"]["number"], &new["number"]["series"]),
        (&json!("replacement"), &json!("1"), &json!("R"))
    );
    let (_, text, _) = office.call(1, &["record", "show", &newer]).await;
    assert!(text.contains("replacement R 5, 2026-11-02, in the place of A 1"), "{text}");
    // The original's number stays given, and says so already.
    call("replace", &newer, &["--number", "A:1", "--state", "lost"], &["nothing was changed", "lost"]).await;
    office
        .refused(1, &[&award(&second, &["diploma:A:1"])[..], &["--reference", "x"]].concat(), &["DOCUMENT_NUMBER_USED"])
        .await;
    // What stands in the place of the former award is named.
    call("add", &place, &["--document", "transcript:T:1"], &["superseded", &newer]).await;
    let (_, credits) = office.credits(&["ALG"]).await;
    call("add", &credits[0], &["--document", "transcript:T:1"], &["expected an award", "found a credit"]).await;
    // Nobody else's award.
    let typed = document("add", &newer, &["--document", "transcript:T:1"]);
    let typed: Vec<&str> = typed.iter().map(String::as_str).chain(["--key", "unit-2.key"]).collect();
    let (code, out, err) = office.call(2, &typed).await;
    assert!(code == 1 && !err.contains("CERT"), "{out}{err}");
    office.json(1, &["transcript", "--alias", &first, "--out", "award.cbt"]).await;
    let (code, text, err) = office.call(1, &["verify", "award.cbt"]).await;
    assert!(code == 1 || code == 0, "{err}");
    assert!(text.contains("replacement R 5, 2026-11-02, in the place of A 1"), "{text}");
}

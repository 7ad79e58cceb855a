//! `learner identity issue`.

use serde_json::json;

use crate::desk::office::Office;

/// Goal: names in several scripts, a birth date, a document and an assurance; a newer Identity stands in the place of the
/// former one, and what says the same is told to be there. Names and dates stand on the registrar's screen, never in an error.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_and_a_newer_one() {
    let office = Office::new().await;
    let alias = office.institutions[0].aliases(&office.node, [7]).await[0].to_string();
    let of = |name: &'static str, born: &'static str| {
        let words = ["learner", "identity", "issue", "--alias", &alias, "--name", "zh-Hans:王小明", "--name", name];
        let more = ["--birth-date", born, "--document", "passport", "--assurance", "substantial"];
        words.iter().chain(&more).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let first = of("zh-Latn:WANG/Xiaoming", "1999-04-30");
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    let (code, out, err) = office.call(1, &[&first[..], &["--key", "unit-1.key"]].concat()).await;
    assert!(code == 0 && out.contains("sealed at") && out.contains("WANG, Xiaoming (zh-Latn)"), "{out}{err}");
    assert!(out.contains("1999-04-30") && out.contains("passport") && out.contains("substantial"), "{out}");
    office.refused(1, &first, &["nothing was changed", "says so already"]).await;
    let records = office.json(1, &["learner", "records", "--alias", &alias]).await;
    let place = records["records"][0]["place"].as_str().expect("a place").to_owned();
    let read = office.shown(1, &place).await;
    let said = &read["record"];
    assert_eq!((&said["birth_date"], &said["document"]), (&json!("1999-04-30"), &json!("passport")), "{read}");
    let names = said["names"].as_array().expect("names");
    assert!(names.iter().any(|name| name["family"] == "WANG" && name["given"] == "Xiaoming"), "{read}");
    assert!(names.iter().any(|name| name["full"] == "王小明" && name["language"] == "zh-Hans"), "{read}");
    let second = of("zh-Latn:WANG-LI/Xiaoming", "1999-04-30");
    let second: Vec<&str> = second.iter().map(String::as_str).collect();
    let newer = office.seal(1, &second).await;
    let read = office.shown(1, &newer).await;
    assert_eq!(
        (&read["record"]["amends"]["place"], &read["record"]["amends"]["reason"]),
        (&json!(place), &json!("name-change"))
    );
    assert!(office.shown(1, &place).await["marks"][0].as_str().is_some_and(|mark| mark.starts_with("superseded")));
    // The first one again is news: it stands in the place of the second.
    let third = office.seal(1, &[&first[..], &["--reason", "error"]].concat()).await;
    assert_eq!(office.shown(1, &third).await["record"]["amends"]["place"], newer.as_str());
    // Whoever is shown a transcript sees whom it is about, as the Identity says that stands.
    office.json(1, &["transcript", "--alias", &alias, "--out", "whole.cbt"]).await;
    let (code, text, err) = office.call(1, &["verify", "whole.cbt"]).await;
    assert_eq!(code, 0, "{text}{err}");
    for part in
        ["王小明 (zh-Hans)", "WANG, Xiaoming (zh-Latn)", "born 1999-04-30", "by passport", "assurance substantial"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("WANG-LI"), "{text}");
    office.json(1, &["cut", "whole.cbt", "--only", &third, "--out", "one.cbt"]).await;
    let value = office.json(1, &["verify", "one.cbt"]).await;
    assert_eq!((&value["identity"], &value["person"]["place"]), (&json!(third), &json!(third)), "{value}");
    assert!(value["person"]["record"]["names"].to_string().contains("WANG"), "{value}");
}

/// Goal: what is no Identity is refused with its field, and never with the name or the date that was typed.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_identity() {
    let office = Office::new().await;
    let alias = office.institutions[0].aliases(&office.node, [7]).await[0].to_string();
    let of = |name: &'static str, born: &'static str| {
        let words = ["learner", "identity", "issue", "--alias", &alias, "--name", name, "--birth-date", born];
        words
            .iter()
            .chain(&["--document", "passport", "--assurance", "high"])
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    for (name, born, found) in [
        ("th:สมชาย", "2542-04-30", &["IMPLAUSIBLE_DATE", "birth_date", "1900"][..]),
        ("en:DOE/Jane", "1899-12-31", &["IMPLAUSIBLE_DATE", "birth_date"]),
    ] {
        let typed = of(name, born);
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        for more in [&[][..], &["--dry-run"]] {
            office.refused(1, &[&typed[..], more].concat(), found).await;
            let (_, out, err) = office.call(1, &[&typed[..], more, &["--key", "unit-1.key"]].concat()).await;
            assert!(!err.contains(born) && out.matches(born).count() <= 1, "{out}{err}");
        }
    }
    for (name, born, word) in [
        ("en:/", "1999-04-30", "FAMILY"),
        ("en: ", "1999-04-30", "NAME"),
        ("en:Jane", "1999-02-30", "1999-02-30"),
        ("en:Jane\u{202e}DOE", "1999-04-30", "turns the direction"),
    ] {
        let typed = of(name, born);
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        let (code, _, err) = office.call(1, &[&typed[..], &["--key", "unit-1.key"]].concat()).await;
        assert!(code == 2 && err.contains(word), "{name}: {code} {err}");
    }
    // Another institution's alias of a learner is unknown to this one.
    let other = office.institutions[1].aliases(&office.node, [7]).await[0].to_string();
    let typed =
        ["learner", "identity", "issue", "--alias", &other, "--name", "en:Jane Doe", "--birth-date", "1999-04-30"];
    let typed = [&typed[..], &["--document", "passport", "--assurance", "high"]].concat();
    let (code, _, err) = office.call(1, &[&typed[..], &["--key", "unit-1.key"]].concat()).await;
    assert!(code == 1 && !err.contains("Jane"), "{err}");
}

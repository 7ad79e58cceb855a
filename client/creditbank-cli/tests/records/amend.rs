//! `amend --set`: fields that registrars add later.

use serde_json::json;

use crate::desk::office::Office;

/// Goal: further grades, basis, day, term and session are set by their names and read back in words; what changes nothing
/// ends with 1, and what is no value is refused with its field.
#[tokio::test(flavor = "multi_thread")]
async fn fields_are_set_by_their_names() {
    let office = Office::new().await;
    let (_, places) = office.credits(&["ALG"]).await;
    let place = &places[0];
    let amend = |place: &str, set: &[&str]| {
        let mut words = ["amend", "--place", place, "--reason", "error"].map(str::to_owned).to_vec();
        words.extend(set.iter().flat_map(|one| ["--set".to_owned(), (*one).to_owned()]));
        words
    };
    let refused = async |set: &[&str], words: &[&str]| {
        let typed = amend(place, set);
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        office.refused(1, &typed, words).await;
        office.refused(1, &[&typed[..], &["--dry-run"]].concat(), words).await;
    };
    let one = "further=[{\"scale\":\"DE-5\",\"value\":\"1.3\"}]";
    refused(&[one], &["MISSING_FIELD", "beside which others may stand"]).await;
    // Of an ungraded credit the grade is set with them.
    let grade = ["grade.scale=GB-100-UG", "grade.value=70"];
    let refused = async |set: &[&str], words: &[&str]| refused(&[&grade[..], set].concat(), words).await;
    refused(
        &["further=[{\"scale\":\"DE-5\",\"value\":\"1.3\"},{\"scale\":\"DE-5\",\"value\":\"2.0\"}]"],
        &["CONTRADICTION", "further", "DE-5"],
    )
    .await;
    refused(&["further=[{\"scale\":\"DE-5\",\"value\":\"9\"}]"], &["UNKNOWN_GRADE", "further", "9 in DE-5"]).await;
    refused(&["basis=earned"], &["CONTRADICTION", "basis"]).await;
    refused(&["completed=2567-06-01"], &["IMPLAUSIBLE_DATE", "completed", "2567-06-01"]).await;
    refused(&["completed=1999-06-01"], &["INVALID_DATE", "completed"]).await;
    let further = "further=[{\"scale\":\"DE-5\",\"value\":\"1.3\"},{\"scale\":\"AT-5\",\"value\":\"1\"}]";
    let set =
        [grade[0], grade[1], further, "completed=2026-01-20", "term=2025 S1", "session=resit", "basis=recognised"];
    let typed = amend(place, &set);
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let (code, text, err) = office.call(1, &[&typed[..], &["--key", "unit-1.key"]].concat()).await;
    assert_eq!(code, 0, "{text}{err}");
    office.refused(1, &[&typed[..], &["--dry-run"]].concat(), &["done before", "nothing was amended"]).await;
    for part in ["further grades: nothing", "1.3 in DE-5; 1 in AT-5", "term: nothing -> 2025 S1", "session: nothing"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (code, out, err) = office.call(1, &[&typed[..], &["--key", "unit-1.key", "--json"]].concat()).await;
    let again: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &again["changed"], &again["already"]), (1, &json!(0), &json!(1)), "{again}");
    assert!(err.contains("nothing was amended"), "{err}");
    let alias = office.institutions[0].aliases(&office.node, [7]).await[0].to_string();
    let records = office.json(1, &["learner", "records", "--alias", &alias]).await;
    let newer = records["records"]
        .as_array()
        .expect("records")
        .iter()
        .find(|one| one["marks"] == json!([]))
        .expect("one stands");
    let (newer, said) = (newer["place"].as_str().expect("a place").to_owned(), newer["record"].clone());
    assert_eq!(
        (&said["further"][1]["scale"], &said["term"], &said["session"]),
        (&json!("AT-5"), &json!("2025 S1"), &json!("resit")),
        "{said}"
    );
    assert_eq!((&said["basis"], &said["completed"]), (&json!("recognised"), &json!("2026-01-20")), "{said}");
    office.json(1, &["transcript", "--alias", &alias, "--out", "shown.cbt"]).await;
    let (code, text, err) = office.call(1, &["verify", "shown.cbt"]).await;
    assert!(code == 0 && text.contains("stands in its place"), "{text}{err}");
    let (_, shown, _) = office.call(1, &["record", "show", &newer]).await;
    let (_, listed, _) = office.call(1, &["learner", "records", "--alias", &alias]).await;
    for part in ["1.3 in DE-5, 1 in AT-5", "recognised", "2025 S1, resit, assessed 2026-01-20"] {
        assert!(text.contains(part), "{part}: {text}");
        let words = |word: &str| listed.contains(word);
        assert!(part.split([' ', ',']).filter(|word| !word.is_empty()).all(words), "{part}: {listed}");
    }
    for part in ["further grades", "1.3 in DE-5; 1 in AT-5", "recognised (learned elsewhere)", "2025 S1", "2026-01-20"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let typed = amend(&newer, &["term=2025 S1"]);
    office.refused(1, &typed.iter().map(String::as_str).collect::<Vec<_>>(), &["nothing was changed", &newer]).await;
    // A list is set as a whole, or by one of its items; an empty value takes a field away.
    let typed = amend(&newer, &["further.0=1.0", "session="]);
    let (code, text, err) = office
        .call(1, &[&typed.iter().map(String::as_str).collect::<Vec<_>>()[..], &["--key", "unit-1.key"]].concat())
        .await;
    assert!(code == 0 && text.contains("1.0"), "{text}{err}");
    for (set, word) in [
        ("further=DE-5", "list"),
        ("further=[1]", "object"),
        ("basis=good", "compensated"),
        ("completed=June", "2024-09"),
    ] {
        let typed = amend(&newer, &[set]);
        let (code, _, err) = office
            .call(1, &[&typed.iter().map(String::as_str).collect::<Vec<_>>()[..], &["--key", "unit-1.key"]].concat())
            .await;
        assert!(code == 2 && err.contains(word), "{set}: {code} {err}");
    }
}

//! `enrolment`.

use serde_json::json;

use crate::desk::office::Office;

/// Goal: an enrolment is recorded, changed and read back in words; the former one is superseded; what is left out stays.
#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_until_its_end() {
    let office = Office::new().await;
    let alias = office.institutions[0].aliases(&office.node, [7]).await[0].to_string();
    let issue = ["enrolment", "issue", "--alias", &alias, "--programme", "ÖKO BSc", "--title", "de:Ökologie"];
    let more = ["--title", "en:Ecology", "--from", "2024-10", "--mode", "on-site", "--load", "full-time"];
    let issue = [&issue[..], &more].concat();
    let dry = office.json(1, &[&issue[..], &["--key", "unit-1.key", "--dry-run"]].concat()).await;
    assert_eq!((&dry["written"], &dry["refusals"]), (&json!(false), &json!([])), "{dry}");
    let place = office.seal(1, &issue).await;
    office.again(1, &[&issue[..], &["--key", "unit-1.key"]].concat()).await;
    let read = office.shown(1, &place).await;
    let said = &read["record"];
    assert_eq!(
        (&read["kind"], &said["state"], &said["from"]),
        (&json!("enrolment"), &json!("registered"), &json!("2024-10"))
    );
    assert_eq!((&said["programme"]["code"], &said["load"]), (&json!("ÖKO BSc"), &json!("full-time")), "{read}");

    let leave = ["enrolment", "change", &place, "--state", "leave", "--from", "2025-10", "--until", "2026-03"];
    let second = office.seal(1, &leave).await;
    assert_eq!(
        office.shown(1, &place).await["marks"][0].as_str().map(|mark| mark.starts_with("superseded")),
        Some(true)
    );
    let read = office.shown(1, &second).await;
    assert_eq!((&read["record"]["state"], &read["record"]["mode"]), (&json!("leave"), &json!("on-site")), "{read}");
    let (_, text, _) = office.call(1, &["record", "show", &second]).await;
    for part in ["state", "leave", "until", "2026-03", "ÖKO BSc", "programme"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (_, listed, _) = office.call(1, &["learner", "records", "--alias", &alias]).await;
    assert!(listed.contains("leave") && listed.contains("2025-10"), "{listed}");
    // Back again: the last day goes.
    let back = ["enrolment", "change", &second, "--state", "registered", "--open-ended"];
    let third = office.seal(1, &back).await;
    let read = office.shown(1, &third).await;
    assert_eq!(
        (&read["record"]["state"], &read["record"]["until"]),
        (&json!("registered"), &serde_json::Value::Null),
        "{read}"
    );
    let end =
        ["enrolment", "change", &third, "--state", "withdrawn", "--until", "2026-06-30", "--reason", "late-result"];
    let last = office.seal(1, &end).await;
    assert_eq!(office.shown(1, &last).await["record"]["amends"]["reason"], "late-result");
    office.json(1, &["transcript", "--alias", &alias, "--out", "shown.cbt"]).await;
    let (code, text, err) = office.call(1, &["verify", "shown.cbt"]).await;
    assert!(code == 0 && text.contains("stands in its place"), "{text}{err}");
    for part in ["enrolment", "ÖKO BSc Ökologie", "withdrawn, on-site, full-time", "2025-10 to 2026-06-30"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Goal: what cannot be meant is refused with its field, what was expected and found; what changes nothing says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_enrolment() {
    let office = Office::new().await;
    let (alias, credits) = office.credits(&["ALG"]).await;
    let on = ["enrolment", "issue", "--alias", &alias, "--programme", "INF", "--title", "en:Informatics"];
    let of = |more: &[&'static str]| on.iter().chain(more).copied().collect::<Vec<_>>();
    for (more, words) in [
        (&["--from", "2567-09"][..], &["IMPLAUSIBLE_DATE", "from", "1900-01-01", "2567-09"][..]),
        (&["--from", "1403-07-01"], &["IMPLAUSIBLE_DATE", "from", "1403-07-01"]),
        (&["--from", "2099-09", "--state", "leave"], &["IMPLAUSIBLE_DATE", "from", "2099-09"]),
        (&["--from", "2024-09", "--state", "completed"], &["MISSING_FIELD", "until", "the last day"]),
        (&["--from", "2024-09", "--until", "2024-08"], &["INVALID_DATE", "until", "2024-08"]),
        (&["--from", "2024-09", "--until", "2570-08"], &["IMPLAUSIBLE_DATE", "until", "20 years", "2570-08"]),
        (&["--from", "2024-09", "--definition", "1/NONE.1"], &["UNKNOWN_REFERENCE", "definition", "NONE.1"]),
    ] {
        office.refused(1, &of(more), words).await;
        office.refused(1, &[&of(more)[..], &["--dry-run"]].concat(), words).await;
    }
    let (code, _, err) = office.call(1, &[&of(&["--from", "2567-13"])[..], &["--key", "unit-1.key"]].concat()).await;
    assert!(code == 2 && err.contains("2567-13"), "{err}");
    let place = office.seal(1, &of(&["--from", "2024-09"])).await;
    office.refused(1, &["enrolment", "change", &place], &["nothing was changed", &place, "--state"]).await;
    let same = ["enrolment", "change", &place, "--state", "registered", "--from", "2024-09"];
    office.refused(1, &same, &["nothing was changed", &place]).await;
    office.refused(1, &["enrolment", "change", &place, "--state", "excluded"], &["MISSING_FIELD", "until"]).await;
    let end = ["--state", "withdrawn", "--until", "2026-01-31"];
    let wrong = [&["enrolment", "change", &credits[0]][..], &end].concat();
    office.refused(1, &wrong, &["expected an enrolment", "found a credit", &credits[0]]).await;
    // Nobody else's: another institution is not even told that it is there.
    let (code, _, err) =
        office.call(2, &[&["enrolment", "change", &place, "--key", "unit-2.key"][..], &end].concat()).await;
    assert!(code == 1 && !err.contains("INF"), "{err}");
    let second = office.seal(1, &[&["enrolment", "change", &place][..], &end].concat()).await;
    // The former one is named: what stands in its place is told.
    let former = ["enrolment", "change", &place, "--state", "excluded", "--until", "2026-02-01"];
    office.refused(1, &former, &["superseded", &second]).await;
}

//! `notify`, and the time for an appeal that runs from it.

use serde_json::{Value, json};

use crate::desk::office::Office;

/// An application of the learner with this number, refused on 2026-10-01 and not notified: its place and the decision's.
async fn refused(office: &Office, learner: u64, law: &str) -> (String, String) {
    let alias = office.institutions[0].aliases(&office.node, [learner]).await[0].to_string();
    let apply = ["apply", "--alias", &alias, "--purpose", "study", "--asked", "Entry", "--deadline", law];
    let more = ["--mandate-paper", "file 1", "--received", "2026-09-01"];
    let application = office.seal(1, &[&apply[..], &more].concat()).await;
    let decide = ["decide", &application, "--type", "refused", "--difference", "level:none", "--decider", "Dr. A"];
    let more = ["--legal-basis", "s. 3", "--decided", "2026-10-01"];
    let decision = office.seal(1, &[&decide[..], &more].concat()).await;
    (application, decision)
}

/// Goal: the time for an appeal runs from the day on which the decision counts as notified: a letter on the fourth day, or
/// later where it came later; a month is no 30 days, and ends on a working day.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_for_an_appeal_runs_from_notification() {
    let office = Office::new().await;
    for (learner, law, more, until) in [
        // 2 October and four days; a month later it is Friday, the 6th of November.
        (11, "GB-POST", &["--channel", "letter", "--notified", "2026-10-02"][..], "2026-11-06"),
        // It came on the 8th: Sunday, the 8th of November, rolls.
        (12, "GB-POST", &["--channel", "letter", "--notified", "2026-10-02", "--arrived", "2026-10-08"], "2026-11-09"),
        (13, "GB-POST", &["--channel", "delivered", "--notified", "2026-10-02"], "2026-11-02"),
        (14, "GB-TEST", &["--channel", "portal", "--notified", "2026-10-02"], "2026-11-01"),
    ] {
        let (application, decision) = refused(&office, learner, law).await;
        let state = async || {
            let listed = office.json(1, &["applications"]).await;
            listed.as_array().into_iter().flatten().find(|one| one["place"] == application.as_str()).cloned()
        };
        let before = state().await.expect("the application");
        assert_eq!((&before["stage"], &before["appeal_until"]), (&json!("decided"), &Value::Null), "{before}");
        let notify = [&["notify", &decision, "--key", "unit-1.key"][..], more].concat();
        let dry = office.json(1, &[&notify[..], &["--dry-run"]].concat()).await;
        assert_eq!(dry["records"][0]["outcome"], "would be amended", "{dry}");
        let (code, text, err) = office.call(1, &notify).await;
        assert!(code == 0 && text.contains(until), "{text}{err}");
        let after = state().await.expect("the application");
        assert_eq!(after["appeal_until"], until, "{after}");
        let newer = after["decision"].as_str().expect("a decision").to_owned();
        let (code, out, err) = office.call(1, &notify).await;
        assert!(code == 1 && out.contains("done before") && err.contains("nothing was amended"), "{out}{err}");
        office.refused(1, &[&["notify", &newer][..], more].concat(), &["nothing was changed", &newer]).await;
        // A day after the last one an appeal is too late.
        let late = match until.rsplit_once('-') {
            Some((month, day)) => format!("{month}-{:02}", day.parse::<u32>().expect("a day") + 1),
            None => until.to_owned(),
        };
        let appeal = ["appeal", &newer, "--grounds", "x", "--mandate-paper", "file 2", "--received"];
        office.refused(1, &[&appeal[..], &[&late]].concat(), &["NOT_OPEN", "received", until, &late]).await;
        office.seal(1, &[&appeal[..], &[until]].concat()).await;
    }
}

/// Goal: what cannot be notified is refused with what was expected and found.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_notice() {
    let office = Office::new().await;
    let (application, decision) = refused(&office, 11, "GB-POST").await;
    let on = |place: &str, day: &str, more: &[&str]| {
        let words = ["notify", place, "--channel", "letter", "--notified", day];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    for (place, day, more, words) in [
        (&application, "2026-10-02", &[][..], &["expected a decision", "found an application"][..]),
        (&decision, "2026-09-30", &[], &["INVALID_DATE", "notified", "2026-09-30"]),
        (&decision, "2026-10-02", &["--arrived", "2026-10-01"], &["INVALID_DATE", "arrived", "2026-10-01"]),
        (&decision, "2569-10-02", &[], &["IMPLAUSIBLE_DATE", "notified", "2569-10-02"]),
    ] {
        let typed = on(place, day, more);
        office.refused(1, &typed.iter().map(String::as_str).collect::<Vec<_>>(), words).await;
    }
    // Nobody else can.
    let typed = on(&decision, "2026-10-02", &["--key", "unit-2.key"]);
    let (code, out, err) = office.call(2, &typed.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(code == 1, "{out}{err}");
}

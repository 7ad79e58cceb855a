//! `notify`, and the time for an appeal that runs from it.

use creditbank_protocol::dates::{date_of, first_day, month_days, parse, show};
use creditbank_protocol::pb::Date;
use serde_json::{Value, json};

use crate::desk::office::{Office, day};

/// An application of the learner with this number, refused eight days ago and not notified: its place and the decision's.
async fn refused(office: &Office, learner: u64, law: &str) -> (String, String) {
    let alias = office.institutions[0].aliases(&office.node, [learner]).await[0].to_string();
    let apply = ["apply", "--alias", &alias, "--purpose", "study", "--asked", "Entry", "--deadline", law];
    let (received, paper) = (day(40), format!("application {learner}"));
    let more = ["--mandate-paper", &paper, "--received", &received];
    let application = office.seal(1, &[&apply[..], &more].concat()).await;
    let decide = ["decide", &application, "--type", "refused", "--difference", "level:none", "--decider", "Dr. A"];
    let decided = day(8);
    let more = ["--legal-basis", "s. 3", "--decided", &decided];
    let decision = office.seal(1, &[&decide[..], &more].concat()).await;
    (application, decision)
}

/// The same date a month after a day so many days ago, or the last day of a shorter month; no Saturday or Sunday.
fn month_later(ago: i64) -> String {
    let from = parse(&day(ago)).expect("a day");
    let (year, month) = if from.month == 12 { (from.year + 1, 1) } else { (from.year, from.month + 1) };
    let of_month = from.day.min(month_days(year, month).expect("a month"));
    let mut last = first_day(&Date { year, month, day: of_month });
    // 1970 began on a Thursday.
    while (last + 3).rem_euclid(7) > 4 {
        last += 1;
    }
    show(&date_of(last))
}

/// Goal: the time for an appeal runs from the day on which the decision counts as notified: a letter on the fourth day, or
/// later where it came later; a month is no 30 days, and ends on a working day. It never runs from before today, when the
/// ledger learns of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_for_an_appeal_runs_from_notification() {
    let office = Office::new().await;
    let [today, yesterday, before] = [0, 1, 7].map(day);
    for (learner, law, more, until) in [
        // Four days from yesterday.
        (11, "GB-POST", &["--channel", "letter", "--notified", &yesterday][..], month_later(-3)),
        (12, "GB-POST", &["--channel", "letter", "--notified", &before, "--arrived", &today], month_later(0)),
        (13, "GB-POST", &["--channel", "delivered", "--notified", &before], month_later(0)),
        (14, "GB-TEST", &["--channel", "portal", "--notified", &before], day(-30)),
    ] {
        let until = until.as_str();
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
        // In time nobody says that it is late.
        let paper = format!("appeal {learner}");
        let appeal = ["appeal", &newer, "--grounds", "x", "--mandate-paper", &paper, "--received", &today];
        let (code, _, err) =
            office.call(1, &[&appeal[..], &["--late-reason", "Ill", "--key", "unit-1.key"]].concat()).await;
        assert!(code == 2 && err.contains("in time"), "{err}");
        office.seal(1, &appeal).await;
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
    let [good, early, earlier] = [7, 9, 8].map(day);
    for (place, day, more, words) in [
        (&application, good.as_str(), &[][..], &["expected a decision", "found an application"][..]),
        (&decision, &early, &[], &["INVALID_DATE", "notified", &early]),
        (&decision, &good, &["--arrived", &earlier], &["INVALID_DATE", "arrived", &earlier]),
        (&decision, "2569-10-02", &[], &["IMPLAUSIBLE_DATE", "notified", "2569-10-02"]),
    ] {
        let typed = on(place, day, more);
        office.refused(1, &typed.iter().map(String::as_str).collect::<Vec<_>>(), words).await;
    }
    // Nobody else can.
    let typed = on(&decision, &good, &["--key", "unit-2.key"]);
    let (code, out, err) = office.call(2, &typed.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(code == 1, "{out}{err}");
}

//! What an import would do: asked without writing, and held to when it must be all or nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use creditbank_client::issue::{Forecast, IssueError, Places, Progress, check, issue, issue_all};
use creditbank_protocol::pb::Kind;
use creditbank_tests::{Registrar, set};

/// Everything below a directory.
fn files(dir: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

async fn forecast(desk: &Registrar, csv: &str, report: Option<&Path>) -> Result<Forecast, IssueError> {
    let (client, unit, work) = (desk.client().await, desk.university.issuing(), desk.path("work"));
    check(&client, &unit, &desk.mapping(), || Ok(io::Cursor::new(csv.to_owned())), &work, report, |_| ()).await
}

async fn whole(desk: &Registrar, csv: &str) -> Result<Result<Progress, Forecast>, IssueError> {
    let (client, unit) = (desk.client().await, desk.university.issuing());
    let (work, refused) = (desk.path("work"), desk.path("refused.csv"));
    let places = Places { work: &work, refused: &refused };
    issue_all(&client, &unit, &desk.mapping(), || Ok(io::Cursor::new(csv.to_owned())), places, |_| ()).await
}

/// Goal: a dry run says what the import then does, and leaves the ledger, the accounts and the directory as they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_the_import_does_and_writes_nothing() {
    let desk = Registrar::new().await;
    let csv = desk.csv(
        "1,C1,2023A,Good,15,pass\n\
         1,C2,2023A,Good,7.5,pass\n\
         2,C1,2023A,Good,15,fail\n\
         3,C1,2023A,Negative,-15,pass\n\
         4,C1,1989A,Before the accreditation,15,pass\n",
    );
    let before = (desk.sealed(), files(desk.dir()), files(desk.node.dir()));
    let keys = fs::metadata(desk.node.dir().join("learners.keys")).map(|found| found.len()).expect("the keys");
    let forecast = forecast(&desk, &csv, None).await.expect("a forecast");
    assert_eq!((desk.sealed(), files(desk.dir()), files(desk.node.dir())), before);
    assert_eq!(fs::metadata(desk.node.dir().join("learners.keys")).expect("the keys").len(), keys, "no account");
    assert_eq!(forecast.progress.credits.get("CATS"), Some(&22_5000));
    assert_eq!((forecast.progress.learners, forecast.learners_with_earlier, forecast.ungraded), (2, 0, 3));
    let lines: Vec<_> = forecast.refused.iter().map(|line| (line.line, line.field.as_str())).collect();
    assert_eq!(lines, [(5, "credits"), (6, "")], "{:?}", forecast.refused);
    let done = desk.issue(&csv).await.expect("the import");
    assert_eq!(done, forecast.progress);
}

/// Goal: rules that look at several lines hold across the calls that a check is made of.
#[tokio::test(flavor = "multi_thread")]
async fn a_course_twice_far_apart_is_found() {
    let desk = Registrar::new().await;
    let between = (2..1_500).map(|number| format!("{number},C1,2023A,Title,15,pass\n")).collect::<Vec<_>>().concat();
    let csv = desk.csv(&format!("1,C1,2023A,First,15,pass\n{between}1,C1,2024A,Second,15,pass\n"));
    let forecast = forecast(&desk, &csv, None).await.expect("a forecast");
    assert_eq!((forecast.progress.records, forecast.progress.refused), (1_499, 1));
    assert_eq!(forecast.refused[0].line, 1_501);
    assert!(forecast.refused[0].reason.contains("TOO_MANY_REPEATS"), "{:?}", forecast.refused);
    let done = desk.issue(&csv).await.expect("the import");
    assert_eq!((done.records, done.refused, done.credits), (1_499, 1, forecast.progress.credits));
}

/// Goal: what was issued before is known by the notes, and without them by the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn lines_that_were_issued_are_counted_as_such() {
    let desk = Registrar::new().await;
    let csv = desk.csv("1,C1,2023A,Good,15,pass\n2,C1,2023A,Good,15,pass\n");
    desk.issue(&csv).await.expect("the import");
    let grown = format!("{csv}1,C2,2023A,New,15,pass\n");
    for with_notes in [true, false] {
        if !with_notes {
            fs::remove_dir_all(desk.path("work")).expect("the notes");
        }
        let forecast = forecast(&desk, &grown, None).await.expect("a forecast");
        let progress = &forecast.progress;
        assert_eq!((progress.records, progress.already, forecast.learners_with_earlier), (1, 2, 1));
    }
    assert!(!desk.path("work").exists(), "a dry run makes no notes");
    let mut other = desk.university.issuing();
    other.seeds = creditbank_client::Seeds::derived([99; 32]);
    desk.issue(&grown).await.expect("the import");
    let (client, work) = (desk.client().await, desk.path("work"));
    let open = || Ok(io::Cursor::new(grown.clone()));
    let refused = check(&client, &other, &desk.mapping(), open, &work, None, |_| ()).await;
    assert!(refused.expect_err("notes under other secrets").to_string().contains("other seed secrets"));
}

/// Goal: one refused line and nothing is written; the report says which; without it all is.
#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing() {
    let desk = Registrar::new().await;
    let csv = desk.csv("1,C1,2023A,Good,15,pass\n4,C1,1989A,Before the accreditation,15,pass\n");
    let refused = whole(&desk, &csv).await.expect("a forecast").expect_err("a line is refused");
    assert_eq!((refused.progress.refused, desk.sealed()), (1, 0));
    assert!(!desk.path("work").exists(), "no notes");
    let report = fs::read_to_string(desk.path("refused.csv")).expect("the report");
    assert!(report.contains("3,,\"NOT_ACCREDITED"), "{report}");
    let good = csv.replace("1989A", "2023A");
    let done = whole(&desk, &good).await.expect("the import").expect("nothing is refused");
    assert_eq!((done.records, done.refused), (2, 0));
}

/// Goal: when the ledger changes between check and blocks, the run stops there, says so, and goes on when it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_between_stops_the_run() {
    let desk = Registrar::new().await;
    let csv = desk.csv("1,C1,2023A,Good,15,pass\n2,C1,2023A,Good,15,pass\n");
    let (client, unit) = (desk.client().await, desk.university.issuing());
    let (work, refused) = (desk.path("work"), desk.path("refused.csv"));
    let places = Places { work: &work, refused: &refused };
    // The file is opened a second time after the check: by then somebody has issued a record of the same course.
    let opened = std::sync::atomic::AtomicUsize::new(0);
    let open = || {
        if opened.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1 {
            let other = desk.csv("2,C1,2022A,Earlier,15,pass\n");
            let places = Places { work: &desk.path("other"), refused: &desk.path("other.csv") };
            let mapping = desk.mapping();
            let done = issue(&client, &unit, &mapping, io::Cursor::new(other), places, |_| ());
            let done = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(done));
            assert_eq!(done.expect("the other import").records, 1);
        }
        Ok(io::Cursor::new(csv.clone()))
    };
    let stopped = issue_all(&client, &unit, &desk.mapping(), open, places, |_| ()).await.expect_err("it stops");
    assert!(matches!(&stopped, IssueError::Stopped(done) if (done.records, done.refused) == (0, 1)), "{stopped}");
    assert!(fs::read_to_string(&refused).expect("the report").contains("TOO_MANY_REPEATS"));
    // The unit's other line can still be issued: the run left nothing in the way.
    let done = desk.issue(&csv).await.expect("the import");
    assert_eq!((done.records, done.refused), (1, 1));
}

/// Goal: what the whole call is refused for is an error, not a refused line; a key that may not issue is one.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_issue() {
    let desk = Registrar::new().await;
    let unit = creditbank_protocol::pb::Unit {
        state: creditbank_protocol::pb::RegistryState::Suspended.into(),
        ..desk.university.unit_entry()
    };
    set(&desk.node, Kind::Unit, &unit).await;
    let error = forecast(&desk, &desk.csv("1,C1,2023A,Good,15,pass\n"), None).await.expect_err("refused");
    assert!(error.to_string().contains("UNIT_NOT_ACTIVE"), "{error}");
}

//! Cases of registrars' files that are about course codes and dates: 15-spaces, 16-era, 28-nfd, 34-nonascii-code, 49-tz.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use creditbank_client::import::Mapping;
use creditbank_client::issue::{Places, Progress, check, issue};
use creditbank_client::sealing::{Contents, Options, record as sealed_record, seal_block};
use creditbank_protocol::UnitId;
use creditbank_protocol::canonical::Canonical;
use creditbank_protocol::dates::{date_of, show};
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::plausible::latest_day;
use creditbank_tests::{TestNode, University};

/// An accredited institution, and what its files came to.
struct Scene {
    node: TestNode,
    university: University,
    dir: tempfile::TempDir,
}

fn case(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/codes").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Scene {
    async fn new() -> Self {
        let node = TestNode::start().await;
        let university = University::admit(&node, 1).await;
        Self { node, university, dir: tempfile::tempdir().expect("a directory") }
    }

    /// Asks what the file would come to and issues it: both say the same. Returns the refusals too.
    async fn issue(&self, csv: &str, mapping: &str) -> (Progress, String) {
        let mapping = Mapping::parse(mapping).expect("a mapping");
        let client = self.university.client(&self.node).await;
        let unit = self.university.issuing();
        let (work, refused) = (self.dir.path().join("work"), self.dir.path().join("refused.csv"));
        let input = || Ok(Cursor::new(csv.as_bytes().to_vec()));
        let forecast = check(&client, &unit, &mapping, input, &work, None, |_| ()).await.expect("a forecast");
        let places = Places { work: &work, refused: &refused };
        let input = Cursor::new(csv.as_bytes().to_vec());
        let done = issue(&client, &unit, &mapping, input, places, |_| ()).await.expect("an import");
        let of = |progress: &Progress| (progress.lines, progress.records, progress.refused);
        assert_eq!(of(&forecast.progress), of(&done), "the dry run says what the run does");
        let report = fs::read_to_string(&refused).unwrap_or_default();
        (done, report)
    }

    async fn publish<M: Canonical>(&self, kind: Kind, entry: &M) {
        let (client, unit) = (self.university.client(&self.node).await, self.university.issuing());
        let contents = Contents::of([sealed_record(&unit, kind, entry, "").expect("a record")]);
        let work = self.dir.path().join("published");
        let options = Options { work: &work, require_approval: false };
        let size = self.node.ledger().size();
        seal_block(&client, &unit, &contents, options, |_| ()).await.expect("sealed");
        while self.node.ledger().size() < size + 3 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    async fn alias(&self, code: &str, same_as: &str, withdrawn: bool) {
        let (code, same_as) = (code.to_owned(), same_as.to_owned());
        self.publish(Kind::CourseAlias, &pb::CourseAlias { institution: 1, code, same_as, withdrawn }).await;
    }

    /// Records of the unit in the ledger.
    fn sealed(&self) -> usize {
        self.node.ledger().issued(UnitId::new(1, 1), 0, 1_000).expect("a list").0.len()
    }
}

/// The lines of one learner, below the header.
fn of_learner(csv: &str, learner: &str) -> String {
    let chosen = |(number, line): &(usize, &str)| *number == 0 || line.starts_with(learner);
    csv.lines().enumerate().filter(chosen).flat_map(|(_, line)| [line, "\n"]).collect()
}

const HEADER: &str = "sid,code,title,credits,grade,term\n";

fn codes(codes: &[&str]) -> String {
    let line = |(number, code): (usize, &&str)| format!("n{number},{code},Calculus,6,14,2024A\n");
    let lines: Vec<String> = codes.iter().enumerate().map(line).collect();
    HEADER.to_owned() + &lines.concat()
}

/// Goal: case 15-spaces: a space inside belongs to the code, one at its end makes no other course, and case makes none.
#[tokio::test(flavor = "multi_thread")]
async fn spaces_and_case_make_no_other_course() {
    let (scene, mapping) = (Scene::new().await, case("15-spaces/mapping.toml"));
    let (done, report) = scene.issue(&case("15-spaces/inner.csv"), &mapping).await;
    assert_eq!((done.records, done.refused), (1, 0), "{report}");
    let lines = of_learner(&case("15-spaces/input.csv"), "w1,");
    let (done, report) = scene.issue(&lines, &mapping).await;
    // WS-101 and ws-101 are one course; WS101 is near, and another one until somebody says that it is the same.
    assert_eq!((done.lines, done.records, done.refused), (4, 2, 2), "{report}");
    assert_eq!(report.matches("TOO_MANY_REPEATS").count(), 2, "{report}");
    let trailing = case("15-spaces/trail.csv").replace("w1,", "w2,");
    let (done, report) = scene.issue(&trailing, &mapping).await;
    assert_eq!((done.records, done.refused), (1, 1), "{report}");
}

/// Goal: with a published alias all spellings are one passed course, 6 ECTS and not 18; withdrawn, they are two again.
#[tokio::test(flavor = "multi_thread")]
async fn aliases_make_one_course() {
    let (scene, mapping) = (Scene::new().await, case("15-spaces/mapping.toml"));
    scene.alias("WS101", "WS-101", false).await;
    let lines = of_learner(&case("15-spaces/input.csv"), "w1,");
    let (done, report) = scene.issue(&lines, &mapping).await;
    assert_eq!((done.lines, done.records, done.refused), (4, 1, 3), "{report}");
    assert_eq!(report.matches("TOO_MANY_REPEATS").count(), 3, "{report}");
    // The ledger looks under each key: what was issued before an alias counts.
    let (done, report) = scene.issue(&codes(&["THERMO-1"]).replace("n0,", "w1,"), &mapping).await;
    assert_eq!((done.records, done.refused), (1, 0), "{report}");
    scene.alias("WS101", "WS-101", true).await;
    let (done, report) = scene.issue(&codes(&["ws101"]).replace("n0,", "w1,"), &mapping).await;
    assert_eq!((done.records, done.refused), (1, 0), "{report}");
}

/// Goal: where an institution says that case matters, codes that differ in case are two courses.
#[tokio::test(flavor = "multi_thread")]
async fn case_matters_where_an_institution_says_so() {
    let (scene, mapping) = (Scene::new().await, case("15-spaces/mapping.toml"));
    scene.publish(Kind::CourseCodes, &pb::CourseCodes { institution: 1, case_matters: true }).await;
    let lines = of_learner(&case("15-spaces/input.csv"), "w1,");
    let (done, report) = scene.issue(&lines, &mapping).await;
    assert_eq!((done.records, done.refused), (3, 1), "{report}");
}

/// Goal: case 28-nfd: a code is the same, however its accents are composed, and is stored as it came.
#[tokio::test(flavor = "multi_thread")]
async fn composition_makes_no_other_course() {
    let (scene, mapping) = (Scene::new().await, case("28-nfd/mapping-codes.toml"));
    let csv = case("28-nfd/codes.csv");
    let composed = csv.lines().skip(1).map(|line| line.split(',').nth(1).expect("a code")).collect::<Vec<_>>();
    assert_ne!(composed[0], composed[1], "the file has both forms");
    let (done, report) = scene.issue(&csv, &mapping).await;
    assert_eq!((done.records, done.refused), (1, 1), "{report}");
    assert!(report.contains("TOO_MANY_REPEATS"), "{report}");
}

/// Goal: case 34-nonascii-code: codes of all scripts are issued; what cannot be seen in one is refused for its line alone,
/// with the character and its place, and the dry run says so too.
#[tokio::test(flavor = "multi_thread")]
async fn codes_of_all_scripts_are_issued() {
    let (scene, mapping) = (Scene::new().await, case("34-nonascii-code/mapping.toml"));
    let (done, report) = scene.issue(&case("34-nonascii-code/small.csv"), &mapping).await;
    assert_eq!((done.records, done.refused), (3, 0), "{report}");
    let longest = "Ж".repeat(64);
    let good = ["MATH 101", "ΠΛΗ10", "МАТ-101", "ÖKO.301", "E\u{301}C-1", "ท.101", "हिन्दी-१", "微積分", &longest];
    let (done, report) = scene.issue(&codes(&good), &mapping).await;
    assert_eq!((done.records, done.refused), (9, 0), "{report}");
    let too_long = "é".repeat(65);
    let odd = ["A\u{200b}B", "A\u{a0}B", "A\u{202e}B", "A  B", "A\u{e000}", "A\u{378}", &too_long, "GOOD-1"];
    let (done, report) = scene.issue(&codes(&odd), &mapping).await;
    assert_eq!((done.records, done.refused), (1, 7), "{report}");
    // A mark that turns the direction the client refuses in every field, before the node is asked.
    assert_eq!(report.matches("INVALID_COURSE_CODE").count(), 6, "{report}");
    for found in ["U+200B", "U+00A0", "turns the direction", "U+E000", "U+0378", "as character 2", "65 characters"] {
        assert!(report.contains(found), "{found}: {report}");
    }
    assert!(scene.sealed() > 0);
}

/// Goal: case 16-era: dates of other calendars and slips of a digit are refused, whatever they are of.
#[tokio::test(flavor = "multi_thread")]
async fn dates_of_other_calendars_are_refused() {
    let scene = Scene::new().await;
    for (csv, mapping, lines) in [
        ("16-era/input.csv", "16-era/mapping.toml", 3),
        ("16-era/future.csv", "16-era/mapping.toml", 1),
        ("16-era/result.csv", "16-era/mapping-result.toml", 3),
        ("16-era/expires.csv", "16-era/expires.toml", 1),
    ] {
        let (done, report) = scene.issue(&case(csv), &case(mapping)).await;
        assert_eq!((done.lines, done.records, done.refused), (lines, 0, lines), "{csv}: {report}");
        // Where a calendar fits, the client says which, before the node is asked.
        let said = ["IMPLAUSIBLE_DATE", "is no day of our calendar"].map(|what| report.matches(what).count());
        let named = u64::try_from(said.iter().sum::<usize>()).expect("few");
        assert_eq!(named, lines, "{csv}: {report}");
    }
    assert_eq!(scene.sealed(), 0);
}

/// Goal: case 49-tz: today of the institution is not the future, wherever on earth it is; tomorrow is.
#[tokio::test(flavor = "multi_thread")]
async fn today_in_auckland_is_not_the_future() {
    let scene = Scene::new().await;
    let today = latest_day(creditbank_client::now_ms() / 60_000);
    let day = |day| show(&date_of(day));
    let line = |sid: &str, on: &str| format!("{sid},TZ1,Surveying,6,14,2026A,{on},{on}\n");
    let header = "sid,code,title,credits,grade,term,from,until\n".to_owned();
    let good = header.clone() + &line("tz1", &day(today)) + &line("tz2", &day(today - 1));
    let (done, report) = scene.issue(&good, &case("49-tz/mapping.toml")).await;
    assert_eq!((done.records, done.refused), (2, 0), "{report}");
    let (done, report) = scene.issue(&(header + &line("tz3", &day(today + 1))), &case("49-tz/mapping.toml")).await;
    assert_eq!((done.records, done.refused), (0, 1), "{report}");
    assert!(report.contains("IMPLAUSIBLE_DATE") && report.contains(&day(today)), "{report}");
}

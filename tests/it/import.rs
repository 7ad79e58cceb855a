//! A registrar's CSV: the good lines go through once, the others are reported.

use std::fs;
use std::io::Cursor;
use std::time::Duration;

use creditbank_client::import::{ImportError, Mapping};
use creditbank_client::issue::{IssueError, Places, Progress, issue};
use creditbank_client::{Client, ClientError};
use creditbank_protocol::UnitId;
use creditbank_tests::registrar::{HEADER, MAPPING};
use creditbank_tests::{TestNode, University};

struct Scene {
    node: TestNode,
    university: University,
    dir: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let node = TestNode::start().await;
        let university = University::admit(&node, 1).await;
        Self { node, university, dir: tempfile::tempdir().expect("a directory") }
    }

    async fn client(&self) -> Client {
        self.university.client(&self.node).await
    }

    async fn issue(&self, csv: impl AsRef<[u8]>) -> Result<Progress, IssueError> {
        self.issue_with(MAPPING, csv.as_ref()).await
    }

    async fn issue_with(&self, mapping: &str, csv: &[u8]) -> Result<Progress, IssueError> {
        let mapping = Mapping::parse(mapping).expect("a mapping");
        let (work, refused) = (self.dir.path().join("work"), self.refused());
        let places = Places { work: &work, refused: &refused };
        issue(&self.client().await, &self.university.issuing(), &mapping, Cursor::new(csv.to_vec()), places, |_| ())
            .await
    }

    fn refused(&self) -> std::path::PathBuf {
        self.dir.path().join("refused.csv")
    }

    fn report(&self) -> String {
        fs::read_to_string(self.refused()).expect("a report")
    }

    /// Records of the unit in the ledger.
    fn sealed(&self) -> usize {
        self.node.ledger().issued(UnitId::new(1, 1), 0, 1_000).expect("a list").0.len()
    }
}

fn lines(count: usize) -> String {
    let line = |number: usize| {
        format!("{number},C{},2023A,Title,15,{}\n", number % 7, if number.is_multiple_of(3) { "fail" } else { "pass" })
    };
    HEADER.to_owned() + &(1..=count).map(line).collect::<String>()
}

#[tokio::test(flavor = "multi_thread")]
async fn good_lines_go_through_and_bad_ones_are_reported() {
    let scene = Scene::new().await;
    let csv = format!(
        "{HEADER}1,C1,2023A,Good,15,pass\n\
         2,C1,2023A,Too few fields,15\n\
         3,C1,2023A,Too,many,fields,15,pass\n\
         4,C1,2023A,\"Quoted, over\ntwo lines\",15,pass\n\
         5,C1,2023A,Negative,-15,pass\n\
         6,C1,2023A,Overflow,99999999999999999999,pass\n\
         7,C1,2023A,Five places,1.00001,pass\n\
         8,C1,2023X,No such term,15,pass\n\
         9,C1,1989A,Before the accreditation,15,pass\n\
         10,C1,2023A,,15,pass\n\
         11,C1,2023A,Unknown result,15,perhaps\n\
         ,C1,2023A,No learner,15,pass\n\
         1,C1,2023A,The same again,15,pass\n\
         12,C1,2023A,Good,7.5,pass\n"
    );
    let done = scene.issue(&csv).await.expect("the import goes through");
    assert_eq!((done.lines, done.records, done.refused), (14, 2, 12), "{}", scene.report());
    assert_eq!(done.credits.get("CATS"), Some(&22_5000));
    let report = scene.report();
    let found: Vec<(&str, &str)> = report
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .filter_map(|(number, rest)| Some((number, rest.split_once(',')?.0)))
        .collect();
    let expected = [
        ("3", "line"),
        ("4", "line"),
        ("5", "title"),
        ("7", "credits"),
        ("8", "credits"),
        ("9", "credits"),
        ("10", "term"),
        ("13", "result"),
        ("14", "student"),
        ("15", "reference"),
        ("11", ""),
        ("12", "course"),
    ];
    assert_eq!(found, expected, "{report}");
    assert!(report.contains("NOT_ACCREDITED") && report.contains("MISSING_FIELD"), "{report}");
    assert_eq!(scene.sealed(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_read_at_all() {
    let scene = Scene::new().await;
    let import = |error: IssueError| match error {
        IssueError::Import(error) => error,
        other => panic!("expected an import error, found {other}"),
    };
    assert!(matches!(import(scene.issue("").await.expect_err("no header")), ImportError::Empty));
    let missing = import(scene.issue("student,course\n").await.expect_err("columns are missing"));
    assert!(matches!(missing, ImportError::Columns { .. }), "{missing}");
    let twice =
        import(scene.issue("student,student,course,term,title,credits,result\n").await.expect_err("a column twice"));
    assert!(matches!(twice, ImportError::Twice(_)), "{twice}");
    let latin = import(
        scene
            .issue(
                format!("{HEADER}1,C1,2023A,x,15,pass\n")
                    .replace('x', "\u{e9}")
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
                    .collect::<Vec<u8>>(),
            )
            .await
            .expect_err("Latin-1"),
    );
    assert!(latin.to_string().contains("line 2, character 12") && latin.to_string().contains("--encoding"), "{latin}");
    let unclosed = format!("{HEADER}1,C1,2023A,\"never closed{}", ",x\n".repeat(6 << 20));
    let unclosed = import(scene.issue(unclosed).await.expect_err("a quote that is never closed"));
    assert!(unclosed.to_string().contains("is a quote not closed"), "{unclosed}");
    let semicolons = import(scene.issue(HEADER.replace(',', ";")).await.expect_err("another delimiter"));
    assert!(semicolons.to_string().contains("delimiter"), "{semicolons}");
    let nothing = import(scene.issue(HEADER).await.expect_err("a file of no lines"));
    assert!(nothing.to_string().contains("there are no lines after the header"), "{nothing}");
    assert_eq!(scene.sealed(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_issues_nothing() {
    let scene = Scene::new().await;
    let csv = lines(2_500);
    let first = scene.issue(&csv).await.expect("the first time");
    assert_eq!((first.records, first.blocks, first.already), (2_500, 3, 0));
    let again = scene.issue(&csv).await.expect("again");
    assert_eq!((again.records, again.already, again.refused), (0, 2_500, 0));
    // The file has grown and one line says something else: the new lines are issued, the changed one is reported.
    let grown = lines(2_510).replacen("\n1,C1,2023A,Title,15", "\n1,C1,2023A,Title,30", 1);
    let grown = scene.issue(&grown).await.expect("the grown file");
    assert_eq!((grown.records, grown.already, grown.refused), (10, 2_499, 1));
    assert!(scene.report().contains("amend"), "{}", scene.report());
    // The notes are lost: the ledger itself knows what it holds, and does not hold a record twice.
    fs::remove_dir_all(scene.dir.path().join("work")).expect("the notes");
    let without = scene.issue(&csv).await.expect("without notes");
    assert_eq!((without.records, without.already, without.refused), (0, 2_500, 0));
    assert_eq!(scene.sealed(), 2_510);
}

/// An import that is ended at any moment, again and again, ends with every line issued once.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_import_goes_on() {
    let scene = Scene::new().await;
    let csv = lines(3_000);
    let mut interrupted = 0;
    let mut patience = Duration::from_millis(20);
    let done = loop {
        let ended = tokio::time::timeout(patience, scene.issue(&csv)).await;
        if let Ok(done) = ended {
            break done.expect("the last run goes through");
        }
        interrupted += 1;
        patience += Duration::from_millis(60);
    };
    assert!(interrupted >= 2, "the import was never interrupted");
    assert_eq!(done.refused, 0, "{}", scene.report());
    assert_eq!(scene.sealed(), 3_000);
    let again = scene.issue(&csv).await.expect("again");
    assert_eq!((again.records, again.already), (0, 3_000));
}

/// A node that goes away in the middle: the command says so, and the next run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_goes_away() {
    let mut scene = Scene::new().await;
    let csv = lines(1_200);
    let client = scene.client().await;
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    let unit = scene.university.issuing();
    let (work, refused) = (scene.dir.path().join("work"), scene.refused());
    let dir = scene.node.stop().await;
    let places = Places { work: &work, refused: &refused };
    let away =
        issue(&client, &unit, &mapping, Cursor::new(csv.clone()), places, |_| ()).await.expect_err("nobody answers");
    assert!(matches!(away, IssueError::Client(ClientError::Unreachable(_))), "{away}");
    drop(dir);
    scene.node = TestNode::start().await;
    scene.university = University::admit(&scene.node, 1).await;
    let done = scene.issue(&csv).await.expect("the node is back");
    assert_eq!(done.records, 1_200);
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_for_one_unit_and_one_run() {
    let scene = Scene::new().await;
    scene.issue(lines(1)).await.expect("the first");
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    let (work, refused) = (scene.dir.path().join("work"), scene.refused());
    let places = Places { work: &work, refused: &refused };
    let mut other = scene.university.issuing();
    other.seeds = creditbank_client::Seeds::derived([99; 32]);
    let client = scene.client().await;
    let refused =
        issue(&client, &other, &mapping, Cursor::new(lines(1)), places, |_| ()).await.expect_err("of another unit");
    assert!(refused.to_string().contains("other seed secrets"), "{refused}");
    let lock = fs::File::open(work.join("lock")).expect("the lock");
    lock.lock().expect("a lock");
    let busy = scene.issue(lines(1)).await.expect_err("a run is under way");
    assert!(busy.to_string().contains(&format!("process {} is sealing", std::process::id())), "{busy}");
}

#[test]
fn mappings_say_what_is_wrong() {
    for (from, to, word) in [
        ("credits =", "kredits =", "kredits"),
        ("unit = \"CATS\"", "unit = 7.5", "unit"),
        ("student_number", "shoe_size", "learner.type"),
        ("{year}-09", "{year}-13", "period.suffixes"),
        ("reference = [\"course\", \"term\", \"student\"]", "reference = []", "reference"),
        ("[learner]", "[lerner]", "learner"),
    ] {
        let text = MAPPING.replacen(from, to, 1);
        assert_ne!(text, MAPPING);
        let error = Mapping::parse(&text).expect_err("a wrong mapping").to_string();
        assert!(error.contains(word), "{error}");
    }
    Mapping::parse(creditbank_client::import::OULAD).expect("the mapping of OULAD");
    Mapping::parse(creditbank_client::import::TEMPLATE).expect("the template");
}

/// Two registrars of one unit at once: every line of both files is sealed once, and neither signs two blocks for a
/// height.
#[tokio::test(flavor = "multi_thread")]
async fn two_imports_of_one_unit_at_once() {
    let scene = Scene::new().await;
    let (first, second) = (lines(2_500), lines(2_500).replace(",2023A,", ",2022A,").replace(",C", ",D"));
    let mapping = Mapping::parse(MAPPING).expect("a mapping");
    let (unit, client, other) = (scene.university.issuing(), scene.client().await, scene.client().await);
    let (work, more_work) = (scene.dir.path().join("work"), scene.dir.path().join("more"));
    let (refused, more_refused) = (scene.refused(), scene.dir.path().join("more.csv"));
    let places = Places { work: &work, refused: &refused };
    let more_places = Places { work: &more_work, refused: &more_refused };
    let (one, two) = tokio::join!(
        issue(&client, &unit, &mapping, Cursor::new(first), places, |_| ()),
        issue(&other, &unit, &mapping, Cursor::new(second), more_places, |_| ()),
    );
    assert_eq!((one.expect("the first").records, two.expect("the second").records), (2_500, 2_500));
    assert_eq!(scene.sealed(), 5_000);
}

//! The registrar's bulk commands as they are typed: what they print, and how they end.

use std::fs;
use std::process::Command;

use creditbank_tests::{Registrar, registrar::MAPPING};
use serde_json::Value;

struct Office {
    desk: Registrar,
}

impl Office {
    async fn new() -> Self {
        let desk = Registrar::new().await;
        let write = |name: &str, text: &str| {
            fs::write(desk.path(name), text).expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(desk.path(name), mode).expect("a mode");
        };
        write("trust.toml", &desk.node.trust_text());
        write("map.toml", MAPPING);
        write("unit.key", &desk.university.key.to_text());
        write("access.key", &desk.university.access.to_text());
        Self { desk }
    }

    /// Exit code, standard output, standard error.
    async fn call(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
        command.current_dir(self.desk.dir()).args(arguments).env_clear().env("CREDITBANK_STATE", "state");
        command.args(["--node", &self.desk.node.url(), "--trust", "trust.toml", "--access-key", "access.key"]);
        command.args(["--mapping", "map.toml", "--institution", "1", "--key", "unit.key"]);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
    }

    async fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, out, err) = self.call(&[arguments, &["--json"]].concat()).await;
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}")))
    }
}

/// Goal: a dry run shows what would happen, leaves no file that was not asked for, and ends with 1 when a line is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_on_screen_and_as_json() {
    let office = Office::new().await;
    let csv = office.desk.csv("1,C1,2023A,Good,7.5,pass\n2,C1,2023A,Bad,-1,pass\n");
    fs::write(office.desk.path("r.csv"), csv).expect("the file");
    let (code, out, err) = office.call(&["issue", "r.csv", "--dry-run"]).await;
    assert_eq!(code, 1, "{err}");
    for part in ["nothing was written", "1 in 1 block (1 credit)", "7.5 CATS", "ungraded", "100.00", "\"-1\""] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (_, value) = office.json(&["issue", "r.csv", "--dry-run", "--refused", "asked.csv"]).await;
    assert_eq!((&value["records"], &value["first_refused"][0]["line"]), (&1.into(), &3.into()), "{value}");
    assert!(office.desk.path("asked.csv").exists());
    assert!(!office.desk.path("map.toml.issue").exists() && !office.desk.path("r.csv.refused.csv").exists());
    let (code, value) = office.json(&["issue", "r.csv", "--all-or-nothing"]).await;
    assert_eq!((code, &value["written"], office.desk.sealed()), (1, &false.into(), 0), "{value}");
    assert!(office.desk.path("r.csv.refused.csv").exists());
    let (code, _, err) = office.call(&["issue", "r.csv", "--all-or-nothing", "--dry-run"]).await;
    assert!(code == 2 && err.contains("cannot be used with"), "{err}");
}

/// Goal: sync and reconcile as they are typed: the plan, the deed, both sides equal and not, and the exit codes.
#[tokio::test(flavor = "multi_thread")]
async fn a_student_system_and_both_sides() {
    let office = Office::new().await;
    let write = |lines: &str| fs::write(office.desk.path("r.csv"), office.desk.csv(lines)).expect("the file");
    write("1,C1,2023A,T,15,pass\n2,C1,2023A,T,15,pass\n");
    let (code, plan, _) = office.call(&["sync", "r.csv", "--dry-run"]).await;
    assert!(code == 0 && plan.contains("would be issued"), "{plan}");
    assert!(!office.desk.path("map.toml.sync").exists() && !office.desk.path("r.csv.refused.csv").exists());
    let (code, done) = office.json(&["sync", "r.csv"]).await;
    assert_eq!((code, &done["issued"], &done["written"]), (0, &2.into(), &true.into()), "{done}");
    let (code, equal) = office.json(&["reconcile"]).await;
    assert_eq!((code, &equal["equal"], &equal["same"]), (0, &true.into(), &2.into()), "{equal}");
    write("1,C1,2023A,T,20,pass\n3,C1,2023A,T,15,pass\n");
    let (code, differ) = office.json(&["reconcile", "r.csv"]).await;
    assert_eq!((code, &differ["equal"]), (1, &false.into()), "{differ}");
    for list in ["different", "only_registrar", "only_ledger"] {
        assert_eq!(differ[list]["count"], 1, "{list}: {differ}");
    }
    assert_eq!(differ["different"]["first"][0]["changes"][0], "amount: 15 CATS -> 20 CATS", "{differ}");
    let (code, _, err) = office.call(&["sync", "r.csv"]).await;
    assert!(code == 1 && err.contains("vanished (1)") && err.contains("--accept vanished"), "{err}");
    let (code, plan, err) = office.call(&["sync", "r.csv", "--dry-run"]).await;
    assert!(code == 1 && plan.contains("amount: 15 CATS -> 20 CATS") && err.contains("would stop"), "{plan}{err}");
    let (code, out, err) = office.call(&["sync", "r.csv", "--accept", "vanished"]).await;
    assert!(code == 0 && out.contains("1, which stand as they did") && out.contains("vanished"), "{out}{err}");
    let (code, out, _) = office.call(&["reconcile", "r.csv"]).await;
    assert!(code == 1 && out.contains("only in the ledger"), "{out}");
    let (code, _, err) = office.call(&["reconcile", "--work", "elsewhere"]).await;
    assert!(code == 2 && err.contains("sync has noted nothing"), "{err}");
}

/// Goal: before anything is signed the first records are shown in words; what must be looked at ends the command with 1; a
/// file without lines does too, and one that was issued before says so and ends with 0.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_before_anything_is_signed() {
    let office = Office::new().await;
    let write = |lines: &str| fs::write(office.desk.path("r.csv"), office.desk.csv(lines)).expect("the file");
    write("ge42abc,C1,2023A,G\u{c3}\u{a9}om\u{c3}\u{a9}trie,15,pass\n");
    let (code, out, err) = office.call(&["issue", "r.csv"]).await;
    assert!(code == 1 && err.contains("stopped before anything was signed: mojibake (1)"), "{err}");
    for part in ["line 2: credit", "student number GE42ABC", "15 CATS", "2023-09 to 2024-01", "G\u{e9}om\u{e9}trie"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert_eq!(office.desk.sealed(), 0);
    let (code, out, err) = office.call(&["issue", "r.csv", "--accept", "mojibake"]).await;
    assert!(code == 0 && out.contains("1 in 1 block (1 credit)"), "{out}{err}");
    let (code, out, _) = office.call(&["issue", "r.csv", "--accept", "mojibake"]).await;
    let before = |line: &str| line.starts_with("issued before") && line.ends_with(" 1");
    assert!(code == 0 && out.lines().any(before), "{out}");
    write("");
    for arguments in [["issue", "r.csv"].as_slice(), &["issue", "r.csv", "--dry-run"], &["sync", "r.csv"]] {
        let (code, _, err) = office.call(arguments).await;
        assert!(code == 1 && err.contains("no lines after the header"), "{arguments:?}: {err}");
    }
    let (code, _, err) = office.call(&["issue", "r.csv", "--accept", "everything"]).await;
    assert!(code == 2 && err.contains("mojibake"), "{err}");
}

/// Goal: a first mapping without a terminal: what is missing is listed and nothing written; with it the file is issued.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_mapping() {
    let office = Office::new().await;
    let file = "Matrikelnummer;LVNR;Titel;ECTS;Note;Semester\n0001;IN1;Informatik;7,5;1,3;2023W\n0002;IN1;Informatik;7,5;5,0;2023W\n";
    fs::write(office.desk.path("r.csv"), file).expect("the file");
    let new = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
        command
            .current_dir(office.desk.dir())
            .env_clear()
            .env("CREDITBANK_STATE", "state")
            .stdin(std::process::Stdio::null());
        let output =
            command.args(["mapping", "new", "r.csv", "--out", "new.toml"]).args(more).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
    };
    let (code, _, err) = new(&[]);
    assert!(code == 1 && ["unit=", "scale=", "results=", "reference="].iter().all(|key| err.contains(key)), "{err}");
    assert!(!office.desk.path("new.toml").exists());
    let (code, _, err) = new(&["--set", "units=ECTS"]);
    assert!(code == 2 && err.contains("unit"), "{err}");
    let answers =
        ["unit=ECTS", "scale=DE-5", "results=scale", "title_language=de", "reference=Matrikelnummer,LVNR,Semester"];
    let answers: Vec<&str> = answers.iter().flat_map(|answer| ["--set", answer]).collect();
    let (code, _, err) = new(&answers);
    assert!(code == 1 && err.contains("--set months.W="), "{err}");
    let answers = [&answers[..], &["--set", "months.W={year}-10 {next_year}-03", "--set", "blank=refuse"]].concat();
    let (code, _, err) = new(&[&answers[..], &["--set", "title=titel"]].concat());
    assert!(code == 2 && err.contains("do you mean \"Titel\""), "{err}");
    let (code, out, err) = new(&answers);
    assert!(code == 0 && out.contains("Matrikelnummer") && out.contains("look at each"), "{out}{err}");
    let (code, _, err) = new(&answers);
    assert!(code == 2 && err.contains("exists"), "{err}");
    fs::copy(office.desk.path("new.toml"), office.desk.path("map.toml")).expect("the mapping");
    let (code, value) = office.json(&["issue", "r.csv"]).await;
    let report = fs::read_to_string(office.desk.path("r.csv.refused.csv")).expect("the report");
    let kinds = (&value["kinds"]["credit"], &value["kinds"]["result"]);
    assert_eq!((code, kinds), (0, (&1.into(), &1.into())), "{report}");
}

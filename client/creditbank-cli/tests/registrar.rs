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
        command.current_dir(self.desk.dir()).args(arguments).env_clear();
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
    for part in ["nothing was written", "1 in 1 blocks (1 credit)", "7.5 CATS", "ungraded", "100.00", "\"-1\""] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (_, value) = office.json(&["issue", "r.csv", "--dry-run", "--refused", "asked.csv"]).await;
    assert_eq!((&value["records"], &value["first_refused"][0]["line"]), (&1.into(), &3.into()), "{value}");
    assert!(office.desk.path("asked.csv").exists());
    assert!(!office.desk.path("r.csv.issue").exists() && !office.desk.path("r.csv.refused.csv").exists());
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
    let (code, out, err) = office.call(&["sync", "r.csv"]).await;
    assert!(code == 0 && out.contains("1, which stand as they did") && out.contains("vanished"), "{out}{err}");
    let (code, out, _) = office.call(&["reconcile", "r.csv"]).await;
    assert!(code == 1 && out.contains("only in the ledger"), "{out}");
    let (code, _, err) = office.call(&["reconcile", "--work", "elsewhere"]).await;
    assert!(code == 2 && err.contains("sync has noted nothing"), "{err}");
}

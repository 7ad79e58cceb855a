//! What the tests of the command share: a node, files, and the command as it is typed.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod office;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use creditbank_protocol::pb::Purpose;
use creditbank_server::directory::key_path;
use creditbank_tests::TestNode;
use serde_json::Value;

/// A node, and a place for files.
pub(crate) struct Desk {
    pub(crate) node: TestNode,
    pub(crate) dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let node = TestNode::start().await;
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("trust.toml"), node.trust_text()).expect("the trust file");
        Self { node, dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
        command.current_dir(self.dir.path()).args(arguments).env_clear().env("CREDITBANK_STATE", "state");
        command.args(["--node", &self.node.url(), "--trust", "trust.toml"]);
        command
    }

    pub(crate) async fn run(&self, mut command: Command) -> Output {
        tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends")
    }

    /// Exit code, standard output, standard error.
    pub(crate) async fn call(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.run(self.command(arguments)).await;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
    }

    pub(crate) async fn good(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.call(arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {err}");
        out
    }

    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let out = self.good(&[arguments, &["--json"]].concat()).await;
        serde_json::from_str(&out).expect("JSON and nothing else")
    }

    /// As the operator.
    pub(crate) async fn operate(&self, arguments: &[&str]) -> String {
        let key = key_path(self.node.dir(), Purpose::Registry);
        self.good(&[arguments, &["--registry-key", shown(&key)]].concat()).await
    }

    /// Admits a university with everything that it needs.
    pub(crate) async fn admit(&self) {
        self.admit_with("credit,result").await;
    }

    /// The same, where the unit's key signs these kinds.
    pub(crate) async fn admit_with(&self, kinds: &str) {
        self.good(&["keygen", "unit.key"]).await;
        self.good(&["keygen", "access.key", "--purpose", "institution-access"]).await;
        self.good(&["key", "request", "--key", "unit.key", "--institution", "1", "--unit", "1", "--out", "unit.json"])
            .await;
        self.good(&["key", "request", "--key", "access.key", "--institution", "1", "--out", "access.json"]).await;
        self.operate(&[
            "institution",
            "add",
            "--name",
            "fr:Universit\u{e9} d'Essai",
            "--country",
            "FR",
            "--domain",
            "essai.example",
        ])
        .await;
        self.operate(&["unit", "add", "--institution", "1", "--name", "fr:Scolarit\u{e9}"]).await;
        self.operate(&["key", "add", "unit.json", "--kinds", kinds]).await;
        self.operate(&["key", "add", "access.json"]).await;
        self.operate(&["accreditation", "add", "--institution", "1", "--body", "HCERES", "--from", "2000-01"]).await;
        self.operate(&[
            "scale",
            "add",
            "ESSAI",
            "--name",
            "fr:Essai",
            "--pass",
            "A,B",
            "--fail",
            "F",
            "--source",
            "A/own-site: essai.example",
        ])
        .await;
        fs::write(self.path("map.toml"), MAPPING).expect("the mapping");
    }
}

pub(crate) fn shown(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub(crate) const MAPPING: &str = r#"
reference = ["course", "student"]
[learner]
type = "student_number"
column = "student"
[fields]
kind = "credit"
course_code = { column = "course" }
title = { column = "title" }
title_language = "fr"
credits = { column = "ects" }
unit = "ECTS"
grade = { column = "grade", blank = "ungraded" }
scale = "ESSAI"
period_from = "2024-09"
period_until = "2025-01"
"#;
pub(crate) const FILE: &str = "student,course,title,ects,grade\n\
    7,ALG,Alg\u{e8}bre,6,A\n7,ANA,Analyse,7.5,B\n8,ALG,Alg\u{e8}bre,6,F\n9,ALG,Alg\u{e8}bre,6,\n";
pub(crate) const ISSUE: [&str; 8] =
    ["issue", "results.csv", "--mapping", "map.toml", "--institution", "1", "--key", "unit.key"];

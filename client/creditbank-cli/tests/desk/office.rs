//! Two institutions at one node, whose keys sign every kind, and the command as each of them types it.

use std::fs;
use std::process::Command;

use creditbank_client::Seeds;
use creditbank_client::operator::KeyRequest;
use creditbank_fixtures::text;
use creditbank_protocol::UnitId;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_tests::university::{credit_record, key, set};
use creditbank_tests::{Chain, TestNode, University};
use serde_json::Value;

/// A node, two institutions whose keys sign every kind, and a directory with what they need.
pub(crate) struct Office {
    pub(crate) node: TestNode,
    pub(crate) dir: tempfile::TempDir,
    pub(crate) institutions: [University; 2],
}

/// The day so many days ago, UTC; what is recorded long after its day is late.
pub(crate) fn day(ago: i64) -> String {
    let today = creditbank_protocol::dates::first_day(&creditbank_client::today());
    creditbank_protocol::dates::show(&creditbank_protocol::dates::date_of(today - ago))
}

/// Everything that institutions sign.
fn all_kinds() -> Vec<Kind> {
    (1..=20).filter_map(|number| Kind::try_from(number).ok()).collect()
}

impl Office {
    pub(crate) async fn new() -> Self {
        let node = TestNode::start().await;
        let institutions = [University::admit(&node, 1).await, University::admit(&node, 2).await];
        for one in &institutions {
            let request =
                KeyRequest::new(creditbank_tests::node::ORIGIN, UnitId::new(one.institution, one.unit), &one.key);
            let entry = request.expect("a request").record(&all_kinds(), 0, 0).expect("a key");
            set(&node, Kind::Key, &entry).await;
        }
        let days = |amount| Some(pb::Term { amount, unit: pb::TermUnit::Days.into() });
        let law = pb::LegalDeadline {
            code: "GB-TEST".to_owned(),
            names: vec![text("Recognition")],
            country: "GB".to_owned(),
            decision: days(120),
            decision_from: pb::TermStart::Receipt.into(),
            appeal: days(30),
            appeal_decision: days(60),
            appeal_decision_from: pb::TermStart::Receipt.into(),
            appeal_instance: "the Appeals Board".to_owned(),
            review: days(90),
            legal_basis: "an act".to_owned(),
            sources: vec![pb::Source {
                text: "a test".to_owned(),
                grade: pb::SourceGrade::D.into(),
                as_of: Some(pb::Date { year: 2026, month: 11, day: 26 }),
                ..Default::default()
            }],
            ..Default::default()
        };
        set(&node, Kind::LegalDeadline, &law).await;
        let dir = tempfile::tempdir().expect("a directory");
        let this = Self { node, dir, institutions };
        this.write("trust.toml", &this.node.trust_text());
        for one in &this.institutions {
            this.write(&format!("unit-{}.key", one.institution), &one.key.to_text());
            this.write(&format!("access-{}.key", one.institution), &one.access.to_text());
            // Some of them have sealed before: they bring their seed secrets.
            let unit = UnitId::new(one.institution, 1);
            let seeds = Seeds::fresh(&this.dir.path().join(format!("unit-{}-1.seeds", one.institution)), unit);
            seeds.and_then(|seeds| seeds.keep()).expect("new secrets");
        }
        // One whose letters arrive on the fourth day, where the law says so.
        let letters =
            pb::DeemedNotice { channel: pb::NoticeChannel::Letter.into(), after: days(4), ..Default::default() };
        let month = Some(pb::Term { amount: 1, unit: pb::TermUnit::Months.into() });
        let post =
            pb::LegalDeadline { code: "GB-POST".to_owned(), appeal: month, notices: vec![letters], rolls: true, ..law };
        set(&this.node, Kind::LegalDeadline, &post).await;
        let learner: KeyFile = key(Purpose::Unspecified, 77);
        this.write("learner.key", &learner.to_text());
        this
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::write(&path, text).expect("a file");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(path, mode).expect("a mode");
    }

    /// As one of the institutions: exit code, standard output, standard error.
    pub(crate) async fn call(&self, institution: u64, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_creditbank"));
        command.current_dir(self.dir.path()).args(arguments).env_clear().env("CREDITBANK_STATE", "state");
        command.args(["--node", &self.node.url(), "--trust", "trust.toml"]);
        command.args(["--access-key", &format!("access-{institution}.key")]);
        let output = tokio::task::spawn_blocking(move || command.output().expect("it runs")).await.expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
    }

    pub(crate) async fn json(&self, institution: u64, arguments: &[&str]) -> Value {
        let (code, out, err) = self.call(institution, &[arguments, &["--json"]].concat()).await;
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        serde_json::from_str(&out).expect("JSON and nothing else")
    }

    /// The same command again: it says that nothing was sealed, and fails.
    pub(crate) async fn again(&self, institution: u64, arguments: &[&str]) {
        let (code, out, err) = self.call(institution, &[arguments, &["--json"]].concat()).await;
        let said: Value = serde_json::from_str(&out).expect("JSON and nothing else");
        assert_eq!((code, &said["outcome"]), (1, &"sealed before".into()), "{arguments:?}: {out}{err}");
        assert!(err.contains("an earlier run has sealed the same"), "{err}");
    }

    /// A command that seals, by the unit of an institution; the place of its record.
    pub(crate) async fn seal(&self, institution: u64, arguments: &[&str]) -> String {
        let key = format!("unit-{institution}.key");
        let value = self.json(institution, &[arguments, &["--key", &key]].concat()).await;
        assert_eq!(value["outcome"], "sealed", "{value}");
        value["places"][0].as_str().unwrap_or_default().to_owned()
    }

    /// A command that is refused, or that did nothing: it ends with 1 and says so with each of these words.
    pub(crate) async fn refused(&self, institution: u64, arguments: &[&str], words: &[&str]) {
        let key = format!("unit-{institution}.key");
        let (code, out, err) = self.call(institution, &[arguments, &["--key", &key]].concat()).await;
        let told = format!("{out}{err}");
        assert!(code == 1 && words.iter().all(|word| told.contains(word)), "{arguments:?}: {code}: {out}{err}");
    }

    /// A record as programs get it.
    pub(crate) async fn shown(&self, institution: u64, place: &str) -> Value {
        self.json(institution, &["record", "show", place]).await
    }

    /// The first institution's credits of a learner, and its alias.
    pub(crate) async fn credits(&self, courses: &[&str]) -> (String, Vec<String>) {
        let university = &self.institutions[0];
        let alias = university.aliases(&self.node, [7]).await[0];
        let client = university.client(&self.node).await;
        let mut chain = Chain::of(&client, university).await;
        let records: Vec<_> = courses.iter().map(|course| credit_record(alias, course)).collect();
        let entry = chain.issue(&client, university, &records).await.index;
        (alias.to_string(), (0..courses.len()).map(|index| format!("{entry}/{index}")).collect())
    }
}

//! What a person at a desk does with one file: tries it, issues it, lets the ledger follow it.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use creditbank_client::import::Mapping;
use creditbank_client::issue::{Forecast, IssueError, Places, Progress, check, issue};
use creditbank_client::sync::{SyncReport, plan, sync};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::Credit;
use creditbank_tests::Registrar;

/// A file of a case.
pub(crate) fn read(case: &str, file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(case).join(file);
    std::fs::read(path).expect("a file of a case")
}

pub(crate) fn mapping(case: &str, file: &str) -> Mapping {
    Mapping::parse(&String::from_utf8(read(case, file)).expect("text")).expect("a mapping")
}

/// What a person at a desk does with one file.
pub(crate) struct Desk {
    pub(crate) desk: Registrar,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self { desk: Registrar::new().await }
    }

    pub(crate) async fn forecast(&self, mapping: &Mapping, file: &[u8]) -> Result<Forecast, IssueError> {
        let (client, unit, work) = (self.desk.client().await, self.desk.university.issuing(), self.desk.path("work"));
        let report = self.desk.path("forecast.csv");
        check(&client, &unit, mapping, || Ok(Cursor::new(file.to_vec())), &work, Some(&report), |_| ()).await
    }

    pub(crate) async fn issue(&self, mapping: &Mapping, file: &[u8]) -> Result<Progress, IssueError> {
        let (client, unit, work) = (self.desk.client().await, self.desk.university.issuing(), self.desk.path("work"));
        let places = Places { work: &work, refused: &self.desk.path("refused.csv") };
        issue(&client, &unit, mapping, Cursor::new(file.to_vec()), places, |_| ()).await
    }

    pub(crate) async fn plan(&self, mapping: &Mapping, file: &[u8]) -> Result<SyncReport, IssueError> {
        let (client, unit, work) = (self.desk.client().await, self.desk.university.issuing(), self.desk.path("notes"));
        plan(&client, &unit, mapping, Cursor::new(file.to_vec()), &work, None, |_| ()).await
    }

    pub(crate) async fn sync(&self, mapping: &Mapping, file: &[u8]) -> Result<SyncReport, IssueError> {
        let (client, unit, work) = (self.desk.client().await, self.desk.university.issuing(), self.desk.path("notes"));
        let places = Places { work: &work, refused: &self.desk.path("refused.csv") };
        sync(&client, &unit, mapping, Cursor::new(file.to_vec()), places, |_| ()).await
    }

    /// The refused lines of a report, whole.
    pub(crate) fn refused(&self, report: &str) -> BTreeSet<String> {
        let text = std::fs::read_to_string(self.desk.path(report)).expect("a report");
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// Course and grade of every Credit that stands.
    pub(crate) async fn standing(&self) -> Vec<(String, String)> {
        let client = self.desk.client().await;
        let unit = self.desk.university.issuing().id;
        let mut found = Vec::new();
        for record in client.issued(unit, 0, 100).await.expect("a list").0 {
            if record.marks.is_empty() {
                let read = client.record(creditbank_protocol::Place::read(record.place)).await.expect("a record");
                if let Ok(credit) = decode::<Credit>(&read.disclosed.body) {
                    let grade = credit.grade.map(|grade| grade.value).unwrap_or_default();
                    found.push((credit.course.expect("a course").code, grade));
                }
            }
        }
        found.sort();
        found
    }
}

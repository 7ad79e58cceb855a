//! A registrar: a node, an institution, a mapping, and a directory for files.

use std::path::{Path, PathBuf};

use creditbank_client::Client;
use creditbank_client::import::{Encoding, Mapping};
use creditbank_client::issue::{IssueError, Places, Progress, issue};
use creditbank_protocol::UnitId;

use crate::{TestNode, University};

/// The mapping of its files.
pub const MAPPING: &str = r#"
reference = ["course", "term", "student"]
[learner]
type = "student_number"
column = "student"
[fields]
course_code = { column = "course" }
title = { column = "title" }
title_language = "en"
credits = { column = "credits" }
unit = "CATS"
[period]
column = "term"
[period.suffixes]
A = { from = "{year}-09", until = "{next_year}-01" }
[results]
column = "result"
[results.values]
pass = { kind = "credit" }
fail = { kind = "result", status = "failed" }
"#;

/// The header of its files.
pub const HEADER: &str = "student,course,term,title,credits,result\n";

/// A registrar, with a node, an institution and files.
pub struct Registrar {
    /// The node.
    pub node: TestNode,
    /// Who issues.
    pub university: University,
    dir: tempfile::TempDir,
}

impl Registrar {
    /// A node with one institution.
    pub async fn new() -> Self {
        let node = TestNode::start().await;
        let university = University::admit(&node, 1).await;
        Self { node, university, dir: tempfile::tempdir().expect("a directory") }
    }

    /// Where the files are.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A file of theirs.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A client with the institution's access key.
    pub async fn client(&self) -> Client {
        self.university.client(&self.node).await
    }

    /// The mapping.
    pub fn mapping(&self) -> Mapping {
        Mapping::parse(MAPPING).expect("a mapping")
    }

    /// A file of these lines.
    pub fn csv(&self, lines: &str) -> String {
        format!("{HEADER}{lines}")
    }

    /// Imports a file.
    pub async fn issue(&self, file: impl AsRef<[u8]>) -> Result<Progress, IssueError> {
        self.issue_as(file, None, None).await
    }

    /// Imports a file in an encoding, or a sheet of a workbook.
    pub async fn issue_as(
        &self,
        file: impl AsRef<[u8]>,
        encoding: Option<Encoding>,
        sheet: Option<&str>,
    ) -> Result<Progress, IssueError> {
        let (work, refused) = (self.path("work"), self.path("refused.csv"));
        let places = Places { work: &work, refused: &refused };
        let (client, unit) = (self.client().await, self.university.issuing());
        let mapping = self.mapping().for_file(encoding, sheet.map(str::to_owned));
        issue(&client, &unit, &mapping, std::io::Cursor::new(file.as_ref().to_vec()), places, |_| ()).await
    }

    /// The report of refused lines.
    pub fn report(&self) -> String {
        std::fs::read_to_string(self.path("refused.csv")).expect("a report")
    }

    /// Records of the unit in the ledger.
    pub fn sealed(&self) -> usize {
        self.node.ledger().issued(UnitId::new(1, 1), 0, 1_000).expect("a list").0.len()
    }
}

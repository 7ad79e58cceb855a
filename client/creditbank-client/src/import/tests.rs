//! Registrars' files as they come (`tests/cases`), line by line, against the right value of each.

use std::io::Cursor;
use std::path::Path;

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{GradeScale, Kind, ListedGrade};
use creditbank_rpc::v1::IdentityType;

use super::survey::{Courses, Known, Survey, Warning};
use super::{DraftRecord, ImportError, Mapping, RefusedLine, Rows};

mod identities;
mod more_fields;
mod shipped;
mod values;

/// The scales of a new node, and one of two words.
pub(super) fn scales() -> Vec<GradeScale> {
    let seed = creditbank_rules::seed::entries().expect("a seed");
    let own = seed.iter().filter(|(kind, _)| *kind == Kind::GradeScale);
    let mut scales: Vec<GradeScale> = own.map(|(_, body)| decode(body).expect("a scale")).collect();
    let listed = [("P", true), ("F", false)].map(|(value, pass)| ListedGrade { value: value.to_owned(), pass });
    scales.push(GradeScale { code: "GB-PF".to_owned(), listed: listed.to_vec(), ..GradeScale::default() });
    scales
}

/// What became of a file: each line in words, or why it was refused.
pub(super) struct Read {
    pub(super) lines: Vec<Result<DraftRecord, RefusedLine>>,
    pub(super) survey: Survey,
}

impl Read {
    pub(super) fn of(mapping: &str, file: &[u8]) -> Result<Self, ImportError> {
        let mapping = Mapping::parse(mapping).expect("a mapping").with_scales(scales());
        let rows = Rows::open(&mapping, Cursor::new(file.to_vec()))?;
        let lines = rows.collect::<Result<_, _>>()?;
        let survey =
            Survey::of(&mapping, &mut Rows::open(&mapping, Cursor::new(file.to_vec()))?, &Courses::default(), |_| {
                Known::New
            })?;
        Ok(Self { lines, survey })
    }

    pub(super) fn case(case: &str, mapping: &str, file: &str) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases").join(case);
        let mapping = std::fs::read_to_string(dir.join(mapping)).expect("a mapping");
        let file = std::fs::read(dir.join(file)).expect("a file");
        Self::of(&mapping, &file).expect("a file that can be read")
    }

    /// `line kind person grade credits`, or `line: field`.
    pub(super) fn shown(&self) -> Vec<String> {
        let good = |draft: &DraftRecord| {
            let grade = draft.grade().map_or("no grade", |(_, grade)| grade);
            let credits = draft.credits().map_or(String::new(), |(e4, _)| creditbank_rules::decimal::show_e4(e4));
            let person = &draft.person[0].value;
            format!("{} {} {person} {grade} {credits}", draft.line, draft.kind_name()).trim_end().to_owned()
        };
        self.lines
            .iter()
            .map(|line| line.as_ref().map_or_else(|bad| format!("{}: {}", bad.line, bad.field), good))
            .collect()
    }

    /// Why a line was refused.
    pub(super) fn why(&self, line: u64) -> &str {
        let bad = self.lines.iter().filter_map(|one| one.as_ref().err()).find(|bad| bad.line == line);
        bad.map_or("", |bad| &bad.reason)
    }

    pub(super) fn good(&self, at: usize) -> &DraftRecord {
        self.lines.iter().filter_map(|line| line.as_ref().ok()).nth(at).expect("a record")
    }

    pub(super) fn count(&self, warning: Warning) -> u64 {
        self.survey.warnings.get(&warning).map_or(0, |found| found.count)
    }

    pub(super) fn kind_of_identity(&self) -> IdentityType {
        IdentityType::try_from(self.good(0).person[0].r#type).expect("a type")
    }
}

/// A mapping of `sid,code,title,credits,grade` with more keys in `[learner]` and elsewhere.
pub(super) fn mapping(learner: &str, file: &str, fields: &str, more: &str) -> String {
    format!(
        "reference = [\"sid\", \"code\"]\n[file]\ndelimiter = \";\"\n{file}\n[learner]\ncolumn = \"sid\"\n{learner}\n[fields]\n\
         course_code = {{ column = \"code\" }}\ntitle = {{ column = \"title\" }}\nunit = \"ECTS\"\n{fields}\n{more}"
    )
}

/// A file of `sid;code;title;credits;grade`.
pub(super) fn file(lines: &[&str]) -> Vec<u8> {
    format!("sid;code;title;credits;grade\n{}\n", lines.join("\n")).into_bytes()
}

/// The fields of a Credit in FR-20.
pub(super) const FRENCH: &str =
    "credits = { column = \"credits\" }\ngrade = { column = \"grade\" }\nscale = \"FR-20\"\nkind = \"credit\"";

//! The whole file once, before anything is signed: how many lines of what, what is odd, and the first records in words.

mod courses;
mod warning;
mod words;

use std::collections::{BTreeMap, HashMap};

pub(crate) use courses::Courses;
pub(crate) use warning::Seen;
pub use warning::Warning;

use creditbank_protocol::course_code;

use crate::issue::IssueError;

use super::{About, Contradicted, DraftRecord, ImportError, Mapping, Rows};

/// Examples of each warning.
const SAMPLES_MAX: usize = 5;
/// Records that are shown in words.
const FIRST_MAX: usize = 3;
/// Course codes that are compared with each other.
const CODES_MAX: usize = 200_000;

/// A warning with its examples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// How many lines or values.
    pub count: u64,
    /// Some of them: the line, the field and what was found. They may name a person: for the registrar's screen, never for
    /// a log.
    pub samples: Vec<(u64, String, String)>,
}

/// What is in a file. Holds values of it: for the registrar's screen and files of mode 0600.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Lines read, without header and skipped rows.
    pub lines: u64,
    /// Rows that the mapping skips.
    pub skipped: u64,
    /// Lines that make a record of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Lines that were refused by what they say.
    pub refused: u64,
    /// Records as they would be signed, in words.
    pub first: Vec<String>,
    /// What the file is and how it was read, with words to look at.
    pub about: About,
    /// What was noticed.
    pub warnings: BTreeMap<Warning, Found>,
    /// Learners of whom two lines say something else.
    pub(crate) contradicted: Contradicted,
}

impl Survey {
    /// Reads a file whole. `known` says what the ledger has of a line.
    pub(crate) fn of(
        mapping: &Mapping,
        rows: &mut Rows<'_>,
        courses: &Courses,
        mut known: impl FnMut(&DraftRecord) -> Known,
    ) -> Result<Self, ImportError> {
        let mut survey = Surveying::default();
        for row in rows.by_ref() {
            match row? {
                Ok(draft) => survey.line(mapping, courses, &draft, known(&draft)),
                Err(_) => survey.refused(),
            }
        }
        Ok(survey.end(rows))
    }

    /// Shows a record as it would be signed, while there is room.
    pub(crate) fn show(&mut self, mapping: &Mapping, draft: &DraftRecord) {
        if self.first.len() < FIRST_MAX {
            self.first.push(words::of(mapping, draft));
        }
    }

    /// Adds an example of a warning.
    pub(crate) fn warn(&mut self, warning: Warning, line: u64, field: &str, what: String) {
        let found = self.warnings.entry(warning).or_default();
        found.count += 1;
        if found.samples.len() < SAMPLES_MAX {
            found.samples.push((line, field.to_owned(), what));
        }
    }

    /// The warnings that stop a run by this mapping.
    pub fn stops(&self, mapping: &Mapping) -> Vec<Warning> {
        self.warnings.keys().copied().filter(|warning| mapping.stops_at(*warning)).collect()
    }

    /// Ends a run before anything is signed where something stops it.
    pub(crate) fn check(&self, mapping: &Mapping) -> Result<(), IssueError> {
        let stops = self.stops(mapping);
        if stops.is_empty() { Ok(()) } else { Err(IssueError::Warned(Box::new(self.clone()), stops)) }
    }
}

/// What the ledger has of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    New,
    /// A record that says something else, which is shown beside what the line says.
    Changed,
    /// What the line says: it is counted, and neither shown nor warned of.
    Signed,
}

/// A survey while it is made.
#[derive(Default)]
pub(crate) struct Surveying {
    survey: Survey,
    /// The first spelling of each course code, by what is left without spaces and dashes.
    codes: HashMap<String, (String, u64)>,
}

impl Surveying {
    /// A line that is refused by what it says.
    pub(crate) fn refused(&mut self) {
        self.survey.lines += 1;
        self.survey.refused += 1;
    }

    /// A line that makes a record.
    pub(crate) fn line(&mut self, mapping: &Mapping, courses: &Courses, draft: &DraftRecord, known: Known) {
        self.survey.lines += draft.lines();
        *self.survey.kinds.entry(draft.kind_name()).or_default() += 1;
        if known == Known::Signed {
            return;
        }
        for seen in &draft.seen {
            self.survey.warn(seen.warning, draft.line, &seen.field, seen.what.clone());
        }
        if known == Known::New {
            self.survey.show(mapping, draft);
        }
        self.near(courses, draft);
    }

    /// What was found.
    pub(crate) fn end(mut self, rows: &Rows<'_>) -> Survey {
        (self.survey.skipped, self.survey.about) = (rows.skipped(), rows.about());
        self.survey.contradicted = rows.contradicted();
        let about = &self.survey.about;
        if about.is_also_utf8 {
            let encoding = about.encoding.unwrap_or_default();
            let what = format!("the file is valid UTF-8, and is read as {encoding}: look at the words");
            self.survey.warn(Warning::AlsoUtf8, about.header_line, "encoding", what);
        }
        self.survey
    }

    fn near(&mut self, courses: &Courses, draft: &DraftRecord) {
        let code = draft.course();
        if code.is_empty() || self.codes.len() >= CODES_MAX {
            return;
        }
        let first = self.codes.entry(course_code::near(code)).or_insert_with(|| (code.to_owned(), draft.line));
        if first.0 != code && courses.id(&first.0) != courses.id(code) {
            let what = format!("{code:?} is another course than {:?} of line {}", first.0, first.1);
            self.survey.warn(Warning::NearCode, draft.line, "course_code", what);
        }
    }
}

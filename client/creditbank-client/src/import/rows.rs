//! From the rows of a file to draft records.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};

use super::draft::DraftRecord;
use super::line::Line;
use super::mapping::{Mapping, MappingError};
use super::table::{self, Row, Source, Table};

/// Most bytes of one field.
const FIELD_LEN_MAX: usize = 64 << 10;

/// A line that becomes no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Line of the file on which it begins, from 1; the header is line 1.
    pub line: u64,
    /// The field or column.
    pub field: String,
    /// What was expected and found. Holds no value that could name a person.
    pub reason: String,
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No header.
    #[error("the file is empty: expected a header line")]
    Empty,
    /// A header that cannot be read.
    #[error("the header line cannot be read: {0}")]
    Header(String),
    /// A mapping that does not fit this node's registry.
    #[error("mapping: {0}")]
    Mapping(MappingError),
    /// Two columns of the same name.
    #[error("the header names the column {0:?} twice")]
    Twice(String),
    /// The mapping names columns that the file does not have.
    #[error("the mapping names columns that the file does not have: {missing}; the file has {found}")]
    Column {
        /// The columns, in quotes.
        missing: String,
        /// The file's.
        found: String,
    },
    /// A header, and nothing below it that is a result.
    #[error("the file has no lines below its header{}: nothing to do", skipped_rows(.skipped))]
    NoLines {
        /// Rows that the mapping skips.
        skipped: u64,
    },
    /// Bytes that are no text in the file's encoding.
    #[error("{0}")]
    Encoding(String),
    /// A workbook that cannot be read, or has no such sheet.
    #[error("the workbook cannot be read: {0}")]
    Workbook(String),
    /// The file cannot be read on.
    #[error("line {line}: the file cannot be read: {error}")]
    Read {
        /// Where.
        line: u64,
        /// What the reader said.
        error: String,
    },
}

fn skipped_rows(skipped: &u64) -> String {
    if *skipped == 0 { String::new() } else { format!(" but {skipped} that the mapping skips") }
}

/// The lines of a file, in order.
pub struct Rows<'a> {
    mapping: &'a Mapping,
    table: Box<dyn Table>,
    /// Fields of the header, also those without a name.
    width: usize,
    columns: BTreeMap<String, usize>,
    row: Row,
    /// First bytes of the references seen, and their lines: bounded at 24 bytes a line.
    seen: HashMap<[u8; 16], u64>,
    skipped: u64,
    /// Whether lines come that lack a value which a record of the ledger may have.
    follows: bool,
}

impl<'a> Rows<'a> {
    /// Reads the header: the first line, or the first row of a sheet that is not empty.
    pub fn open(mapping: &'a Mapping, input: impl Source) -> Result<Self, ImportError> {
        let mut table = table::open(&mapping.file, input)?;
        let mut row = Row::default();
        if !table.read(&mut row)? {
            return Err(ImportError::Empty);
        }
        if let Some((_, problem)) = row.problems.first() {
            return Err(ImportError::Header(problem.clone()));
        }
        let mut columns = BTreeMap::new();
        for (index, name) in row.values.iter().enumerate() {
            let name = if index == 0 { name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name) } else { name };
            if name.contains(&0) {
                let what = "it looks like UTF-16 without a byte order mark: pass --encoding utf-16le or utf-16be";
                return Err(ImportError::Header(what.to_owned()));
            }
            let name = std::str::from_utf8(name).map_err(|_| ImportError::Header("it is not UTF-8".to_owned()))?;
            let name = name.trim_matches('"').to_owned();
            // A column of a sheet without a name is none; what stands in it is refused.
            if name.is_empty() && table.cell(row.line, index).is_some() {
                continue;
            }
            if columns.insert(name.clone(), index).is_some() {
                return Err(ImportError::Twice(name));
            }
        }
        let missing: BTreeSet<&str> = mapping.columns().filter(|column| !columns.contains_key(*column)).collect();
        if !missing.is_empty() {
            let missing = missing.iter().map(|column| format!("{column:?}")).collect::<Vec<_>>().join(", ");
            let mut found = columns.keys().cloned().collect::<Vec<_>>().join(", ");
            if columns.len() == 1 && found.contains([';', '\t', '|']) {
                found.push_str(" in one column: set [file] delimiter in the mapping");
            }
            return Err(ImportError::Column { missing, found });
        }
        Ok(Self {
            mapping,
            table,
            width: row.values.len(),
            columns,
            row,
            seen: HashMap::new(),
            skipped: 0,
            follows: false,
        })
    }

    /// The same lines for who compares them with the ledger: what a blank cell lacks may be there.
    #[must_use]
    pub(crate) fn following(self) -> Self {
        Self { follows: true, ..self }
    }

    /// Rows that the mapping has skipped so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Whether the row under way is no result, by the mapping.
    fn is_skipped(&self) -> bool {
        self.mapping.file.skip_where.iter().any(|rule| {
            let at = self.columns.get(&rule.column);
            let value = at.and_then(|at| self.row.values.get(*at)).unwrap_or_default();
            std::str::from_utf8(value).is_ok_and(|value| rule.matches(value))
        })
    }

    fn line(&mut self) -> Result<DraftRecord, RefusedLine> {
        let line = self.row.line;
        let refuse = |field: &str, reason: String| RefusedLine { line, field: field.to_owned(), reason };
        if let Some((position, problem)) = self.row.problems.first() {
            let column = self.columns.iter().find(|(_, index)| *index == position).map_or("", |(name, _)| name);
            return Err(refuse(column, problem.clone()));
        }
        let (expected, found) = (self.width, self.row.values.len());
        if found != expected {
            let last = self.row.until;
            let swallowed = if last > line {
                format!("; it goes on to line {last}: is a quote not closed?")
            } else {
                String::new()
            };
            return Err(refuse("line", format!("{found} fields, expected {expected}{swallowed}")));
        }
        let mut values = BTreeMap::new();
        for (name, index) in &self.columns {
            let value = self.row.values.get(*index).unwrap_or_default();
            if value.len() > FIELD_LEN_MAX {
                return Err(refuse(name, format!("{} bytes, at most {FIELD_LEN_MAX} are read", value.len())));
            }
            let value = std::str::from_utf8(value).map_err(|_| refuse(name, "the text is not UTF-8".to_owned()))?;
            values.insert(name.as_str(), value);
        }
        let has_cells = self.table.cell(line, 0).is_some();
        let draft = Line { line, values: &values, has_cells }.draft(self.mapping);
        let draft = draft.map_err(|refused| self.with_cell(refused))?;
        if let Some(wanting) = draft.wanting.as_ref().filter(|_| !self.follows) {
            return Err(self.with_cell(wanting.clone()));
        }
        let digest: [u8; 32] = Sha256::digest(&draft.reference).into();
        match self.seen.entry(std::array::from_fn(|i| digest[i])) {
            Entry::Occupied(first) => Err(refuse("reference", format!("the same result as line {}", first.get()))),
            Entry::Vacant(free) => {
                free.insert(line);
                Ok(draft)
            }
        }
    }

    /// A refusal with the cell that it is about, where the file has cells.
    fn with_cell(&self, refused: RefusedLine) -> RefusedLine {
        let column = self.mapping.column_of(&refused.field).unwrap_or(&refused.field);
        let cell = self.columns.get(column).and_then(|position| self.table.cell(refused.line, *position));
        match cell {
            Some(cell) => RefusedLine { reason: format!("cell {cell}: {}", refused.reason), ..refused },
            None => refused,
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Result<DraftRecord, RefusedLine>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.row.problems.clear();
            match self.table.read(&mut self.row) {
                Ok(true) if self.is_skipped() => self.skipped += 1,
                Ok(true) => return Some(Ok(self.line())),
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

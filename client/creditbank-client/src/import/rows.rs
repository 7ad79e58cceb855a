//! From the rows of a file to draft records.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

use creditbank_protocol::counted;
use sha2::{Digest as _, Sha256};

use super::about::{About, Samples};
use super::draft::DraftRecord;
use super::header::Wanted;
use super::line::{Line, Made};
use super::mapping::{Mapping, MappingError};
use super::people::{Contradicted, People};
use super::table::{self, Kind, Row, Source, Table};
use super::{damage, open_header};

/// Refused lines whose references are kept.
const REFUSED_MAX: usize = 100_000;
/// Most bytes of one field.
const FIELD_LEN_MAX: usize = 64 << 10;

/// A line that becomes no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// Line of the file on which it begins, from 1.
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
    /// Nothing but a header.
    #[error("there are no lines after the header on line {0}: nothing was read")]
    NoLines(u64),
    /// A header that cannot be read.
    #[error("the header line cannot be read: {0}")]
    Header(String),
    /// Two columns of one name, which the mapping wants.
    #[error("the mapping names the column {0:?}, and the header has it twice: rename one of them in the file")]
    Twice(String),
    /// The file does not have columns that it should have.
    #[error("the file does not have these columns: {missing}; {found}")]
    Columns {
        /// The columns.
        missing: String,
        /// What the file has, and what may help.
        found: String,
    },
    /// A mapping that does not fit this node's registry.
    #[error("mapping: {0}")]
    Mapping(MappingError),
    /// Bytes that are no text in the file's encoding.
    #[error("{0}")]
    Encoding(String),
    /// A file that holds something else than a table.
    #[error("the file cannot be read: {0}")]
    NoTable(String),
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

/// Lines that an item of [`Rows`] stands for: a second record of a line counts as none.
pub(crate) fn lines_of(item: &Result<DraftRecord, RefusedLine>) -> u64 {
    item.as_ref().map_or(1, DraftRecord::lines)
}

/// The lines of a file, in order.
pub struct Rows<'a> {
    mapping: &'a Mapping,
    table: Box<dyn Table>,
    /// Fields of the header, also those without a name.
    width: usize,
    wanted: Vec<Wanted<'a>>,
    about: About,
    samples: Samples,
    row: Row,
    /// Rows that may be the last ones, which are left out.
    ahead: VecDeque<Row>,
    has_lines: bool,
    has_ended: bool,
    /// First bytes of the references seen, and their lines: bounded at 24 bytes a line.
    seen: HashMap<[u8; 16], u64>,
    /// The Identities of the lines until now.
    people: People,
    /// The Identity of the line that was read last.
    identity: Option<DraftRecord>,
    skipped: u64,
    /// What names the results of lines that were refused, where that could be read, while lines are compared with the ledger.
    refused: Vec<Vec<u8>>,
    nameless: usize,
    /// Whether lines come that lack a value which a record of the ledger may have.
    follows: bool,
}

impl<'a> Rows<'a> {
    /// Reads the header: the line that the mapping says, else the first one that is not blank.
    pub fn open(mapping: &'a Mapping, input: impl Source) -> Result<Self, ImportError> {
        let mut table = table::open(&mapping.file, input)?;
        let header = open_header::read(mapping, &mut *table)?;
        let facts = table.facts();
        let about = About {
            format: facts.format,
            sheet: facts.sheet,
            encoding: facts.encoding,
            is_also_utf8: facts.is_also_utf8,
            delimiter: facts.delimiter.map(char::from),
            header_line: header.line,
            samples: Vec::new(),
            notes: facts.notes,
        };
        Ok(Self {
            mapping,
            table,
            width: header.width,
            wanted: header.wanted,
            about,
            samples: Samples::default(),
            row: Row::default(),
            ahead: VecDeque::new(),
            has_lines: false,
            has_ended: false,
            seen: HashMap::new(),
            people: People::default(),
            identity: None,
            skipped: 0,
            refused: Vec::new(),
            nameless: 0,
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
            let wanted = self.wanted.iter().find(|wanted| wanted.name == rule.column);
            let value = wanted.and_then(|wanted| self.row.values.get(wanted.position)).unwrap_or_default();
            std::str::from_utf8(value).is_ok_and(|value| rule.matches(value))
        })
    }

    /// What the file is, with sample words of the lines that were read until now.
    pub fn about(&self) -> About {
        let mut about = About { samples: self.samples.all(), ..self.about.clone() };
        about.notes.extend(self.people.note());
        let last = self.ahead.iter().map(|row| row.line.to_string()).collect::<Vec<_>>().join(", ");
        if self.has_ended && !last.is_empty() {
            about.notes.push(format!("left out at the end (skip_last): lines {last}"));
        }
        about
    }

    /// The next row that is not blank and not one of the last ones.
    fn read(&mut self) -> Result<bool, ImportError> {
        let skip_last = self.mapping.file.rows_skipped();
        loop {
            let mut row = std::mem::take(&mut self.row);
            let read = self.table.read(&mut row);
            self.row = row;
            if !read? {
                self.has_ended = true;
                return Ok(false);
            }
            if self.row.is_blank() {
                continue;
            }
            if skip_last == 0 {
                return Ok(true);
            }
            self.ahead.push_back(std::mem::take(&mut self.row));
            if self.ahead.len() > skip_last {
                self.row = self.ahead.pop_front().unwrap_or_default();
                return Ok(true);
            }
        }
    }

    /// The same lines, where an earlier reading has found learners of whom they contradict each other.
    #[must_use]
    pub(crate) fn knowing(self, contradicted: &Contradicted) -> Self {
        Self { people: People::knowing(contradicted.clone()), ..self }
    }

    /// Learners of whom the lines until now contradict each other.
    pub(crate) fn contradicted(&self) -> Contradicted {
        self.people.contradicted()
    }

    /// What names the results of lines that were refused until now.
    pub(crate) fn refused(&self) -> &[Vec<u8>] {
        &self.refused
    }

    /// Refused lines of which not even that could be read.
    pub(crate) fn nameless(&self) -> usize {
        self.nameless
    }

    /// The row under way, with what names its result where it is refused.
    fn line(&mut self) -> Result<Option<DraftRecord>, RefusedLine> {
        let before = self.refused.len();
        let made = self.records();
        if made.is_ok() {
            self.refused.truncate(before);
        } else if self.refused.len() == before {
            self.nameless += 1;
        }
        made
    }

    /// The record of the row under way; its Identity where it makes nothing else, and nothing where an earlier line has made
    /// the same.
    fn records(&mut self) -> Result<Option<DraftRecord>, RefusedLine> {
        let line = self.row.line;
        let refuse = |field: &str, reason: String| RefusedLine { line, field: field.to_owned(), reason };
        self.check_shape().map_err(|reason| refuse("line", reason))?;
        let mut values = BTreeMap::new();
        let mut numbers = Vec::new();
        for wanted in &self.wanted {
            let Wanted { name, position, .. } = *wanted;
            let at_cell = |reason: String| refuse(name, with_cell(&*self.table, line, position, reason));
            if let Some((_, problem)) = self.row.problems.iter().find(|(place, _)| *place == position) {
                return Err(at_cell(problem.clone()));
            }
            let value = self.row.values.get(position).unwrap_or_default();
            if value.len() > FIELD_LEN_MAX {
                return Err(at_cell(format!("{} bytes, at most {FIELD_LEN_MAX} are read", value.len())));
            }
            let value = std::str::from_utf8(value).map_err(|_| at_cell("the text is not UTF-8".to_owned()))?;
            let kind = self.row.kinds.get(position).copied().unwrap_or_default();
            if let Some(reason) = damage::find(value).or_else(|| odd_kind(wanted, kind)) {
                return Err(at_cell(reason));
            }
            if !value.is_ascii() {
                self.samples.look(line, name, value);
            }
            values.insert(name, value);
            if matches!(kind, Kind::Number | Kind::Percent) {
                numbers.push(name);
            }
        }
        let of_line = Line { number: line, values: &values, numbers: &numbers };
        if self.follows && self.refused.len() < REFUSED_MAX {
            // Taken back where the line makes a record.
            self.refused.extend(of_line.names(self.mapping));
        }
        let made = of_line.made(self.mapping);
        let Made { record, identity } = made.map_err(|refused| self.at_cell(refused))?;
        for draft in record.iter().chain(&identity) {
            if let Some(wanting) = draft.wanting.as_ref().filter(|_| !self.follows) {
                return Err(self.at_cell(wanting.clone()));
            }
        }
        let identity = match identity {
            Some(identity) if self.people.has(&identity)? => None,
            identity => identity,
        };
        if let Some(record) = &record {
            let digest: [u8; 32] = Sha256::digest(&record.reference).into();
            match self.seen.entry(std::array::from_fn(|i| digest[i])) {
                Entry::Occupied(first) => {
                    return Err(refuse("reference", format!("the same result as line {}", first.get())));
                }
                Entry::Vacant(free) => free.insert(line),
            };
        }
        if let Some(identity) = &identity {
            self.people.add(identity);
        }
        if record.is_none() {
            return Ok(identity);
        }
        self.identity = identity;
        Ok(record)
    }

    /// Why the values of the row may not stand where they belong.
    fn check_shape(&self) -> Result<(), String> {
        let row = &self.row;
        let lines = || {
            let (first, last) = (row.line, row.until);
            if last > first { format!("; lines {first} to {last} became one record") } else { String::new() }
        };
        if let Some(broken) = &row.broken {
            return Err(format!("{broken}{}", lines()));
        }
        let (expected, found) = (self.width, row.values.len());
        let Some(delimiter) = self.about.delimiter else {
            // A row of a sheet has its columns, and what stands beside the table is not read. Where a cell of the table is
            // empty too, the row may have been moved.
            let beside = row.values.iter().skip(expected).position(|value| !value.trim_ascii().is_empty());
            let is_empty =
                |wanted: &&Wanted<'_>| row.values.get(wanted.position).unwrap_or_default().trim_ascii().is_empty();
            return match (beside, self.wanted.iter().find(is_empty)) {
                (Some(beside), Some(empty)) => {
                    let cell = |position| self.table.cell(row.line, position).unwrap_or_default();
                    let (beside, empty) = (cell(expected + beside), cell(empty.position));
                    Err(format!(
                        "cell {beside}: a value in a column without a header, and cell {empty} is empty: were cells moved?"
                    ))
                }
                _ => Ok(()),
            };
        };
        if found != expected {
            return Err(format!("{}, expected {expected}{}", counted(found, "field", "fields"), lines()));
        }
        let swallowed = |(position, value): (usize, &[u8])| has_swallowed(value, delimiter, position, expected);
        if row.until > row.line && row.values.iter().enumerate().any(swallowed) {
            return Err(format!(
                "a quoted value looks as if it had swallowed a record{}: is a quote not closed?",
                lines()
            ));
        }
        Ok(())
    }

    /// A refusal with the cell that it is about, where the file has cells.
    fn at_cell(&self, refused: RefusedLine) -> RefusedLine {
        let column = self.mapping.column_of(&refused.field).unwrap_or(&refused.field);
        match self.wanted.iter().find(|wanted| wanted.name == column) {
            Some(wanted) => {
                let reason = with_cell(&*self.table, refused.line, wanted.position, refused.reason);
                RefusedLine { reason, ..refused }
            }
            None => refused,
        }
    }
}

fn with_cell(table: &dyn Table, line: u64, position: usize, reason: String) -> String {
    match table.cell(line, position) {
        Some(cell) => format!("cell {cell}: {reason}"),
        None => reason,
    }
}

/// Why a cell that holds this is not what the column is for. A spreadsheet program makes dates of `1-2` and booleans of words.
fn odd_kind(wanted: &Wanted<'_>, kind: Kind) -> Option<String> {
    match kind {
        Kind::Date if !wanted.takes_dates => Some(
            "a date, and the column feeds a field that takes none: format the cell as text and type it again"
                .to_owned(),
        ),
        Kind::Boolean if !wanted.takes_booleans => {
            Some("a boolean (TRUE or FALSE), and the column feeds a field that takes none".to_owned())
        }
        Kind::Percent if !wanted.takes_percent => Some(
            "a percentage, and the column does not feed a grade of a scale from 0 to 100 alone: format the cell as the number \
             that is meant"
                .to_owned(),
        ),
        Kind::Text | Kind::Number | Kind::Percent | Kind::Date | Kind::Boolean => None,
    }
}

/// Whether a value of several lines has just the delimiters that the rest of its record, whole records, and the beginning of
/// another have: two quotes that were not closed fit each other.
fn has_swallowed(value: &[u8], delimiter: char, position: usize, width: usize) -> bool {
    let delimiter = u8::try_from(delimiter).unwrap_or(b',');
    let lines = value.split(|byte| *byte == b'\n').flat_map(|line| line.split(|byte| *byte == b'\r'));
    let last = value.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    // What stands behind the last line break may be nothing; empty lines before it are no records.
    let pieces: Vec<&[u8]> =
        lines.filter(|piece| !piece.is_empty()).chain(value[last..].is_empty().then_some(&b""[..])).collect();
    let count = |piece: &[u8]| piece.split(|byte| *byte == delimiter).count() - 1;
    let [first, middle @ .., last] = pieces.as_slice() else { return false };
    let ends = count(first) + 1 + position == width && count(last) == position;
    width > 1 && ends && middle.iter().all(|piece| count(piece) + 1 == width)
}

impl Iterator for Rows<'_> {
    type Item = Result<Result<DraftRecord, RefusedLine>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(identity) = self.identity.take() {
            return Some(Ok(Ok(identity)));
        }
        loop {
            return match self.read() {
                Ok(true) if self.is_skipped() => {
                    self.skipped += 1;
                    continue;
                }
                Ok(true) => {
                    self.has_lines = true;
                    match self.line() {
                        Ok(None) => continue,
                        Ok(Some(draft)) => Some(Ok(Ok(draft))),
                        Err(refused) => Some(Ok(Err(refused))),
                    }
                }
                Ok(false) if self.has_lines => None,
                Ok(false) => {
                    self.has_lines = true;
                    Some(Err(ImportError::NoLines(self.about.header_line)))
                }
                Err(error) => Some(Err(error)),
            };
        }
    }
}

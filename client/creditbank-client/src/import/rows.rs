//! Reading the lines of a file.

use std::cell::Cell;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader, Read};
use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use super::draft::DraftRecord;
use super::line::Line;
use super::mapping::Mapping;

/// Most bytes of one field.
const FIELD_LEN_MAX: usize = 64 << 10;

/// Read at once; the header line is far shorter.
const BUFFER_LEN: usize = 64 << 10;

/// Most bytes of one record of the file: bounds the memory where a quote is never closed.
const RECORD_LEN_MAX: usize = 16 << 20;

/// A reader that gives up when one record asks for too much.
struct Bounded<R> {
    input: R,
    /// Bytes that may still be read for the record under way; shared with whoever begins the next one.
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        let left = self.left.get().checked_sub(read);
        let too_long = || std::io::Error::other("a record of more than 16 MiB: is a quote not closed?");
        self.left.set(left.ok_or_else(too_long)?);
        Ok(read)
    }
}

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
    /// Two columns of the same name.
    #[error("the header names the column {0:?} twice")]
    Twice(String),
    /// The mapping names a column that the file does not have.
    #[error("the mapping names the column {missing:?}; the file has {found}")]
    Column {
        /// The column.
        missing: String,
        /// The file's.
        found: String,
    },
    /// The file cannot be read on.
    #[error("line {line}: the file cannot be read: {error}")]
    Read {
        /// Where.
        line: u64,
        /// What the reader said.
        error: String,
    },
}

/// The lines of a file, in order.
pub struct Rows<'a, R> {
    mapping: &'a Mapping,
    reader: csv::Reader<BufReader<Bounded<R>>>,
    left: Rc<Cell<usize>>,
    /// Lines end in CR LF. The reader ends a record at the CR, so the next one seems to begin a line too early.
    crlf: bool,
    columns: BTreeMap<String, usize>,
    record: csv::ByteRecord,
    /// First bytes of the references seen, and their lines: bounded at 24 bytes a line.
    seen: HashMap<[u8; 16], u64>,
}

impl<'a, R: Read> Rows<'a, R> {
    /// Reads the header. A UTF-8 byte order mark is dropped.
    pub fn open(mapping: &'a Mapping, input: R) -> Result<Self, ImportError> {
        let delimiter = u8::try_from(mapping.file.delimiter).unwrap_or(b',');
        let left = Rc::new(Cell::new(RECORD_LEN_MAX));
        let mut input = BufReader::with_capacity(BUFFER_LEN, Bounded { input, left: Rc::clone(&left) });
        let start = input.fill_buf().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
        let crlf = start.iter().position(|byte| *byte == b'\n').is_some_and(|at| start[..at].ends_with(b"\r"));
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(input);
        let mut record = csv::ByteRecord::new();
        let read = reader.read_byte_record(&mut record).map_err(|error| ImportError::Header(error.to_string()))?;
        if !read {
            return Err(ImportError::Empty);
        }
        let mut columns = BTreeMap::new();
        for (index, name) in record.iter().enumerate() {
            let name = if index == 0 { name.strip_prefix(b"\xef\xbb\xbf").unwrap_or(name) } else { name };
            if name.contains(&0) || name.starts_with(b"\xff\xfe") || name.starts_with(b"\xfe\xff") {
                return Err(ImportError::Header("it looks like UTF-16: save the file as UTF-8".to_owned()));
            }
            let name = std::str::from_utf8(name).map_err(|_| ImportError::Header("it is not UTF-8".to_owned()))?;
            let name = name.trim_matches('"').to_owned();
            if columns.insert(name.clone(), index).is_some() {
                return Err(ImportError::Twice(name));
            }
        }
        if let Some(missing) = mapping.columns().find(|column| !columns.contains_key(*column)) {
            let mut found = columns.keys().cloned().collect::<Vec<_>>().join(", ");
            if columns.len() == 1 && found.contains([';', '\t', '|']) {
                found.push_str(" in one column: set [file] delimiter in the mapping");
            }
            return Err(ImportError::Column { missing: missing.to_owned(), found });
        }
        Ok(Self { mapping, reader, left, crlf, columns, record, seen: HashMap::new() })
    }

    fn line(&mut self) -> Result<DraftRecord, RefusedLine> {
        let line = self.record.position().map_or(0, csv::Position::line) + u64::from(self.crlf);
        let refuse = |field: &str, reason: String| RefusedLine { line, field: field.to_owned(), reason };
        let (expected, found) = (self.columns.len(), self.record.len());
        if found != expected {
            let last = self.reader.position().line().saturating_sub(1);
            let swallowed = if last > line {
                format!("; it goes on to line {last}: is a quote not closed?")
            } else {
                String::new()
            };
            return Err(refuse("line", format!("{found} fields, expected {expected}{swallowed}")));
        }
        let mut values = BTreeMap::new();
        for (name, index) in &self.columns {
            let value = self.record.get(*index).unwrap_or_default();
            if value.len() > FIELD_LEN_MAX {
                return Err(refuse(name, format!("{} bytes, at most {FIELD_LEN_MAX} are read", value.len())));
            }
            let value = std::str::from_utf8(value).map_err(|_| refuse(name, "the text is not UTF-8".to_owned()))?;
            values.insert(name.as_str(), value);
        }
        let draft = Line { line, values: &values }.draft(self.mapping)?;
        let digest: [u8; 32] = Sha256::digest(&draft.reference).into();
        match self.seen.entry(std::array::from_fn(|i| digest[i])) {
            Entry::Occupied(first) => Err(refuse("reference", format!("the same result as line {}", first.get()))),
            Entry::Vacant(free) => {
                free.insert(line);
                Ok(draft)
            }
        }
    }
}

impl<R: Read> Iterator for Rows<'_, R> {
    type Item = Result<Result<DraftRecord, RefusedLine>, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left.set(RECORD_LEN_MAX);
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => Some(Ok(self.line())),
            Ok(false) => None,
            Err(error) => Some(Err(ImportError::Read { line, error: error.to_string() })),
        }
    }
}

//! The rows of a file, whatever its format.

use std::io::{Read, Seek, SeekFrom};

use super::about::Facts;
use super::contents;
use super::csv_file::CsvFile;
use super::encoding::open_text;
use super::file_options::File;
use super::rows::ImportError;
use super::workbook::Workbook;

/// First bytes by which a file is recognised.
const START_LEN: usize = 1 << 10;
/// Bytes in which the parts of an old container are named.
const CONTAINER_LEN: u64 = 8 << 20;

/// What a file is read from. It is read from the beginning more than once.
pub trait Source: Read + Seek + Send + 'static {}

impl<T: Read + Seek + Send + 'static> Source for T {}

/// What a cell of a sheet holds. Text files hold text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Kind {
    #[default]
    Text,
    Number,
    /// A number that the cell shows with a percent sign: 85 for 85 %.
    Percent,
    Date,
    Boolean,
}

/// One row, with its values in order.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Line of a text file, or row of a sheet, from 1.
    pub(super) line: u64,
    /// The last line of it, where it may go over several.
    pub(super) until: u64,
    pub(super) values: csv::ByteRecord,
    /// What the cells hold, by position; text where it ends before.
    pub(super) kinds: Vec<Kind>,
    /// Values that could not be read, by position.
    pub(super) problems: Vec<(usize, String)>,
    /// Why no value of the row can be trusted to stand where it belongs.
    pub(super) broken: Option<String>,
}

impl Row {
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.kinds.clear();
        self.problems.clear();
        self.broken = None;
    }

    /// Whether nothing stands in it, or only delimiters and white space, or the end mark of DOS.
    pub(super) fn is_blank(&self) -> bool {
        let is_empty =
            self.values.as_slice().iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, 0x0b | 0x1a));
        is_empty && self.problems.is_empty() && self.broken.is_none()
    }
}

/// A file's rows, the header first.
pub(super) trait Table {
    /// The next row; `false` at the end.
    fn read(&mut self, row: &mut Row) -> Result<bool, ImportError>;

    /// What is known of the file beside its rows.
    fn facts(&self) -> Facts;

    /// How a value's place is called beside its column, where the format has names for places.
    fn cell(&self, _line: u64, _position: usize) -> Option<String> {
        None
    }
}

/// Opens a file: a workbook by its first bytes, else text.
pub(super) fn open<R: Source>(file: &File, mut input: R) -> Result<Box<dyn Table>, ImportError> {
    let unread = |error: std::io::Error| ImportError::Read { line: 1, error: error.to_string() };
    let mut start = Vec::with_capacity(START_LEN);
    (&mut input).take(START_LEN as u64).read_to_end(&mut start).map_err(unread)?;
    input.seek(SeekFrom::Start(0)).map_err(unread)?;
    if start.starts_with(b"PK\x03\x04") {
        return Ok(Box::new(Workbook::open(input, file)?));
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        let mut bytes = Vec::new();
        input.take(CONTAINER_LEN).read_to_end(&mut bytes).map_err(unread)?;
        return Err(ImportError::Workbook(contents::of_container(&bytes).to_owned()));
    }
    if let Some(what) = contents::no_table(&start) {
        return Err(ImportError::NoTable(what));
    }
    if let Some(sheet) = &file.sheet {
        return Err(ImportError::Workbook(format!("it is no workbook, and has no sheet {sheet:?}")));
    }
    let text = open_text(file.encoding, &start, input)?;
    Ok(Box::new(CsvFile::open(file, text.input)?.of(text.encoding, text.is_also_utf8)))
}

//! The rows of a file, whatever its format.

use std::io::{Read, Seek, SeekFrom};

use super::csv_file::CsvFile;
use super::encoding::open_text;
use super::mapping::File;
use super::rows::ImportError;
use super::workbook::Workbook;

/// What a file is read from. It is read from the beginning more than once.
pub trait Source: Read + Seek + Send + 'static {}

impl<T: Read + Seek + Send + 'static> Source for T {}

/// One row, with its values in order.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// Line of a text file, or row of a sheet, from 1.
    pub(super) line: u64,
    /// The last line of it, where it may go over several.
    pub(super) until: u64,
    pub(super) values: csv::ByteRecord,
    /// Values that could not be read, by position.
    pub(super) problems: Vec<(usize, String)>,
}

/// A file's rows, the header first.
pub(super) trait Table {
    /// The next row; `false` at the end.
    fn read(&mut self, row: &mut Row) -> Result<bool, ImportError>;

    /// How a value's place is called beside its column, where the format has names for places.
    fn cell(&self, _line: u64, _position: usize) -> Option<String> {
        None
    }
}

/// Opens a file: a workbook by its first bytes, else text.
pub(super) fn open<R: Source>(file: &File, mut input: R) -> Result<Box<dyn Table>, ImportError> {
    let mut start = [0; 8];
    let read = fill(&mut input, &mut start).and_then(|len| input.seek(SeekFrom::Start(0)).map(|_| len));
    let len = read.map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
    let start = &start[..len];
    if start.starts_with(b"PK\x03\x04") {
        return Ok(Box::new(Workbook::open(input, file.sheet.clone())?));
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        let what = "it is an .xls workbook, or one with a password: save it as .xlsx without a password";
        return Err(ImportError::Workbook(what.to_owned()));
    }
    if let Some(sheet) = &file.sheet {
        return Err(ImportError::Workbook(format!("it is no .xlsx workbook, and has no sheet {sheet:?}")));
    }
    let text = open_text(file.encoding, start, input)?;
    Ok(Box::new(CsvFile::open(file.delimiter, text)?))
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match input.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

//! Comma-separated text, line by line, with bounded memory.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Read};
use std::rc::Rc;

use super::rows::ImportError;
use super::table::{Row, Table};

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

/// A CSV file.
pub(super) struct CsvFile<R> {
    reader: csv::Reader<BufReader<Bounded<R>>>,
    left: Rc<Cell<usize>>,
    /// Lines end in CR LF. The reader ends a record at the CR, so the next one seems to begin a line too early.
    crlf: bool,
    /// Whether a row was read. The reader's own line does not tell: behind the CR of line 1 it is still 1.
    begun: bool,
}

impl<R: Read> CsvFile<R> {
    pub(super) fn open(delimiter: char, input: R) -> Result<Self, ImportError> {
        let delimiter = u8::try_from(delimiter).unwrap_or(b',');
        let left = Rc::new(Cell::new(RECORD_LEN_MAX));
        let mut input = BufReader::with_capacity(BUFFER_LEN, Bounded { input, left: Rc::clone(&left) });
        let start = input.fill_buf().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
        let crlf = start.iter().position(|byte| *byte == b'\n').is_some_and(|at| start[..at].ends_with(b"\r"));
        let reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(input);
        Ok(Self { reader, left, crlf, begun: false })
    }
}

impl<R: Read> Table for CsvFile<R> {
    fn read(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        self.left.set(RECORD_LEN_MAX);
        let line = self.reader.position().line();
        let read = self.reader.read_byte_record(&mut row.values);
        let read = read.map_err(|error| ImportError::Read { line, error: error.to_string() })?;
        let late = u64::from(self.crlf);
        row.line = row.values.position().map_or(0, csv::Position::line) + if self.begun { late } else { 0 };
        row.until = self.reader.position().line().saturating_sub(1) + late;
        self.begun = true;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a row is said to stand on the line on which it begins, and to go on to the line on which it ends, whatever ends lines.
    #[test]
    fn lines_are_counted() {
        let text = "a,b\n1,2\n3,\"4\nand 5\"\n6,7\n";
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            let mut file = CsvFile::open(',', text.as_bytes()).expect("a file");
            let mut row = Row::default();
            let mut lines = Vec::new();
            while file.read(&mut row).expect("a row") {
                lines.push((row.line, row.until));
            }
            assert_eq!(lines, [(1, 1), (2, 2), (3, 4), (5, 5)], "{text:?}");
        }
    }
}

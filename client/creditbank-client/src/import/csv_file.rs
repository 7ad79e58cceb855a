//! Comma-separated text (RFC 4180), line by line, with bounded memory.
//!
//! Nothing is repaired. Where quotes do not fit, several lines may have become one record: it is refused with all its lines.

use std::io::{BufRead as _, BufReader, Read};

use super::about::Facts;
use super::file_options::File;
use super::rows::ImportError;
use super::table::{Row, Table};

/// Read at once.
const BUFFER_LEN: usize = 64 << 10;

/// Most bytes of one record of the file: bounds the memory where a quote is never closed.
const RECORD_LEN_MAX: usize = 16 << 20;

/// Bytes from the beginning that are kept, for what a message can say about another header line or delimiter.
const START_LEN: usize = 16 << 10;

/// Where the reader stands within a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field.
    Begin,
    /// In a field without quotes.
    Plain,
    Quoted,
    /// Behind a quote within a quoted field: the end of it, or the first of two that stand for one.
    Closed,
}

/// A CSV file.
pub(super) struct CsvFile<R> {
    input: BufReader<R>,
    delimiter: u8,
    /// Line of the next byte, from 1.
    line: u64,
    /// The last byte ended a line by CR: an LF behind it belongs to it.
    after_cr: bool,
    field: Vec<u8>,
    start: Vec<u8>,
    encoding: &'static str,
    is_also_utf8: bool,
}

impl<R: Read> CsvFile<R> {
    /// Opens text without a byte order mark, and goes to the header where the mapping says its line.
    pub(super) fn open(file: &File, text: R) -> Result<Self, ImportError> {
        let mut input = BufReader::with_capacity(BUFFER_LEN, text);
        let start = input.fill_buf().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
        let start = start[..start.len().min(START_LEN)].to_vec();
        let said = separator(&start);
        let delimiter = match (file.delimiter, said) {
            (Some(asked), Some(said)) if asked != said => {
                let (asked, said) = (char::from(asked), char::from(said));
                return Err(ImportError::Header(format!(
                    "line 1 says that the delimiter is {said:?}, and the mapping says {asked:?}: correct [file] delimiter"
                )));
            }
            (asked, said) => asked.or(said).unwrap_or(b','),
        };
        let (field, encoding) = (Vec::new(), "utf-8");
        let mut this = Self { input, delimiter, line: 1, after_cr: false, field, start, encoding, is_also_utf8: false };
        let header = u64::from(file.header_line.unwrap_or(1));
        this.go_to(if said.is_some() { header.max(2) } else { header })?;
        Ok(this)
    }

    /// The same file, with what is known of its encoding.
    pub(super) fn of(self, encoding: &'static str, is_also_utf8: bool) -> Self {
        Self { encoding, is_also_utf8, ..self }
    }

    /// Goes to the beginning of a line, whatever stands before it.
    fn go_to(&mut self, line: u64) -> Result<(), ImportError> {
        while self.line < line {
            let here = self.line;
            let unread = |error: std::io::Error| ImportError::Read { line: here, error: error.to_string() };
            let buffer = self.input.fill_buf().map_err(unread)?;
            let Some(byte) = buffer.first().copied() else {
                return Err(ImportError::Header(format!("the file ends on line {here}, before header_line = {line}")));
            };
            self.input.consume(1);
            self.count(byte);
        }
        Ok(())
    }

    /// Counts lines, whatever ends them.
    fn count(&mut self, byte: u8) {
        if byte == b'\r' || byte == b'\n' && !self.after_cr {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
    }

    fn end_field(&mut self, row: &mut Row, state: State) {
        let plain = state == State::Plain && self.field.trim_ascii_start().starts_with(b"\"");
        if plain && row.broken.is_none() {
            row.broken =
                Some("a space stands before an opening quote: the quotes would be part of the text".to_owned());
        }
        row.values.push_field(&self.field);
        self.field.clear();
    }

    /// Reads one record, which may be a blank line; `false` at the end.
    fn record(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        row.clear();
        self.field.clear();
        let (mut state, mut begun, mut len, mut opened) = (State::Begin, false, 0, self.line);
        let mut last = self.line;
        row.line = self.line;
        loop {
            let here = self.line;
            let unread = |error: std::io::Error| ImportError::Read { line: here, error: error.to_string() };
            let buffer = self.input.fill_buf().map_err(unread)?;
            if buffer.is_empty() {
                break;
            }
            // Bytes that mean nothing are taken at once.
            let delimiter = self.delimiter;
            let is_text = |byte: &u8| match state {
                State::Plain => *byte != delimiter && *byte != b'\n' && *byte != b'\r',
                State::Quoted => !matches!(byte, b'"' | b'\n' | b'\r'),
                State::Begin | State::Closed => false,
            };
            let run = buffer.iter().position(|byte| !is_text(byte)).unwrap_or(buffer.len());
            self.field.extend_from_slice(&buffer[..run]);
            len += run + 1;
            if len > RECORD_LEN_MAX {
                let error = "a record of more than 16 MiB: is a quote not closed?".to_owned();
                return Err(ImportError::Read { line: row.line, error });
            }
            let Some(byte) = buffer.get(run).copied() else {
                self.input.consume(run);
                self.after_cr = false;
                continue;
            };
            self.input.consume(run + 1);
            self.after_cr &= run == 0;
            if byte == b'\n' && self.after_cr && state != State::Quoted {
                self.after_cr = false;
                continue;
            }
            begun = true;
            last = self.line;
            self.count(byte);
            let is_end = matches!(byte, b'\r' | b'\n');
            match (state, byte) {
                (State::Begin, b'"') => (state, opened) = (State::Quoted, last),
                (State::Quoted, b'"') => state = State::Closed,
                (State::Quoted, _) => self.field.push(byte),
                (State::Closed, b'"') => {
                    self.field.push(b'"');
                    state = State::Quoted;
                }
                _ if is_end || byte == delimiter => {
                    self.end_field(row, state);
                    if is_end {
                        row.until = last;
                        return Ok(true);
                    }
                    state = State::Begin;
                }
                (State::Closed, _) => {
                    row.broken.get_or_insert_with(|| {
                        "text stands behind a closing quote: a quote within quoted text is written twice".to_owned()
                    });
                    self.field.push(byte);
                    state = State::Plain;
                }
                (State::Begin | State::Plain, _) => {
                    self.field.push(byte);
                    state = State::Plain;
                }
            }
        }
        if state == State::Quoted {
            row.broken = Some(format!("the quote that opens on line {opened} is not closed"));
        }
        if begun {
            self.end_field(row, state);
        }
        row.until = last;
        Ok(begun)
    }
}

impl<R: Read> Table for CsvFile<R> {
    fn read(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        while self.record(row)? {
            let is_blank = row.values.len() == 1 && row.values.as_slice().is_empty() && row.broken.is_none();
            if !is_blank {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn facts(&self) -> Facts {
        Facts {
            format: "CSV text",
            encoding: Some(self.encoding),
            is_also_utf8: self.is_also_utf8,
            delimiter: Some(self.delimiter),
            start: self.start.clone(),
            ..Facts::default()
        }
    }
}

/// The delimiter that a first line `sep=;` names, which some spreadsheet programs write for themselves.
fn separator(start: &[u8]) -> Option<u8> {
    let line = start.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let (name, said) = line.split_at_checked(4)?;
    let said = said.strip_suffix(b"\"").unwrap_or(said);
    match said {
        [byte] if name.eq_ignore_ascii_case(b"sep=") && byte.is_ascii() => Some(*byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(text: &str) -> CsvFile<&[u8]> {
        CsvFile::open(&File::default(), text.as_bytes()).expect("a file")
    }

    /// Line, last line, values joined by `|`, and what is wrong with it.
    fn rows(text: &str) -> Vec<(u64, u64, String, Option<String>)> {
        let (mut file, mut row, mut rows) = (open(text), Row::default(), Vec::new());
        while file.read(&mut row).expect("a row") {
            let values: Vec<_> = row.values.iter().map(String::from_utf8_lossy).collect();
            rows.push((row.line, row.until, values.join("|"), row.broken.clone()));
        }
        rows
    }

    /// Goal: a row is said to stand on the line on which it begins, and to go on to the line on which it ends, whatever ends lines.
    #[test]
    fn lines_are_counted() {
        let text = "a,b\n1,2\n\n3,\"4\nand 5\"\n6,7\n";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            let lines: Vec<_> = rows(&text).into_iter().map(|(line, until, ..)| (line, until)).collect();
            assert_eq!(lines, [(1, 1), (2, 2), (4, 5), (6, 6)], "{text:?}");
        }
    }

    /// Goal: quotes, doubled quotes and line ends within quotes are read as RFC 4180 says; the last line needs no end.
    #[test]
    fn quotes() {
        let found = rows("a,\"b \"\"x\"\", c\",\"\"\n=\"00123\",3.5\" disk,\"l1\r\nl2\"");
        let values: Vec<_> = found.iter().map(|(_, _, values, broken)| (values.as_str(), broken.is_none())).collect();
        assert_eq!(values, [("a|b \"x\", c|", true), ("=\"00123\"|3.5\" disk|l1\r\nl2", true)]);
    }

    /// Goal: what the csv crate repairs in silence is refused.
    #[test]
    fn bad_quotes_are_refused() {
        for (text, words) in [
            ("a,\"abc\"def,c\n", "behind a closing quote"),
            ("a,\"abc\" ,c\n", "behind a closing quote"),
            ("a, \"abc\",c\n", "before an opening quote"),
            ("a,\"Law,6\nb,\"Art\",7\n", "behind a closing quote"),
            ("a\nb,\"Law,6\nc,Art,7\n", "opens on line 2 is not closed"),
            ("\"", "opens on line 1 is not closed"),
        ] {
            let broken = rows(text).into_iter().find_map(|(.., broken)| broken).unwrap_or_default();
            assert!(broken.contains(words), "{text:?}: {broken:?}");
        }
    }

    /// Goal: a record has a bound, also where a quote is never closed.
    #[test]
    fn records_are_bounded() {
        let text = format!("a,\"{}", "x".repeat(RECORD_LEN_MAX));
        let refused = open(&text).read(&mut Row::default()).expect_err("too long").to_string();
        assert!(refused.contains("is a quote not closed?"), "{refused}");
    }

    /// Goal: the line `sep=` of spreadsheet programs is no header; it says the delimiter where the mapping does not.
    #[test]
    fn a_separator_line() {
        for text in ["sep=;\na;b\n", "SEP=;\r\na;b\r\n", "\"sep=;\"\na;b\n"] {
            assert_eq!(rows(text), [(2, 2, "a|b".to_owned(), None)]);
        }
        assert_eq!(rows("sep=\t\na\tb\n")[0].2, "a|b");
        let file = File { delimiter: Some(b','), ..File::default() };
        let refused = CsvFile::open(&file, &b"sep=;\na;b\n"[..]).err().expect("they differ").to_string();
        assert!(refused.contains("';'") && refused.contains("','"), "{refused}");
    }

    /// Goal: what stands above the header is not read as records, whatever quotes it has.
    #[test]
    fn lines_above_the_header() {
        for text in
            ["Report \"2024\n\"\na,b\n1,2\n", "Report \"2024\r\n\"\r\na,b\r\n1,2\r\n", "Report \"2024\r\"\ra,b\r1,2"]
        {
            let file = File { header_line: Some(3), ..File::default() };
            let mut csv = CsvFile::open(&file, text.as_bytes()).expect("a file");
            let mut row = Row::default();
            assert!(csv.read(&mut row).expect("the header"));
            assert_eq!((row.line, row.values.get(1)), (3, Some(&b"b"[..])));
            assert!(csv.read(&mut row).expect("a row"));
            assert_eq!((row.line, row.values.get(0)), (4, Some(&b"1"[..])));
        }
        let file = File { header_line: Some(9), ..File::default() };
        assert!(CsvFile::open(&file, &b"a\nb"[..]).err().expect("too far").to_string().contains("ends on line 2"));
    }

    proptest! {
        /// Goal: what a writer of CSV wrote is read as it was, and what the csv crate reads otherwise is refused here.
        #[test]
        fn as_it_was_written(rows in proptest::collection::vec(proptest::collection::vec("[a\",;\r\n ]{0,6}", 1..4), 1..6)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            rows.iter().for_each(|row| writer.write_record(row).expect("memory"));
            let text = String::from_utf8(writer.into_inner().expect("memory")).expect("text");
            let (mut file, mut row, mut found) = (open(&text), Row::default(), Vec::new());
            while file.read(&mut row).expect("a row") {
                prop_assert_eq!(&row.broken, &None);
                found.push(row.values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>());
            }
            let written: Vec<_> = rows.into_iter().filter(|row| row.len() > 1 || !row[0].is_empty()).collect();
            prop_assert_eq!(found, written);
        }

        /// Goal: any text is read to its end, and where nothing is refused it says what the csv crate says.
        #[test]
        fn any_text(text in "[a\",\r\n ]{0,40}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|row| row.expect("text").iter().map(str::to_owned).collect()).collect();
            let (mut file, mut row, mut ours, mut broken) = (open(&text), Row::default(), Vec::new(), false);
            while file.read(&mut row).expect("a row") {
                broken |= row.broken.is_some();
                ours.push(row.values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>());
            }
            let theirs: Vec<_> = theirs.into_iter().filter(|row| row.len() > 1 || !row[0].is_empty()).collect();
            prop_assert!(broken || ours == theirs, "{:?} {:?}", ours, theirs);
        }
    }
}

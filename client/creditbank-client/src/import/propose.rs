//! A first mapping for a file: what its header and first lines say, what only a person knows, and the mapping that follows.

mod check;
mod columns;
mod questions;
mod terms;
#[cfg(test)]
mod tests;
mod write;

use super::file_options::File;
use super::table::{self, Row, Source};
use super::values::cells;
use super::{Encoding, ImportError};

pub use questions::Question;
pub use write::{Draft, write};

/// Rows that are looked at.
const ROWS_MAX: usize = 1_000;
/// Rows among which the header is looked for.
const HEADER_MAX: usize = 20;
/// Values of a column that are shown.
const SAMPLES_MAX: usize = 5;

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Rows in which it is blank.
    pub blank: usize,
    values: Vec<String>,
}

/// What a file looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Between the columns; nothing where the file says it itself, or has sheets.
    pub delimiter: Option<char>,
    /// The line of the header, from 1, where it is not the first one.
    pub header_line: Option<u64>,
    /// In their order.
    pub columns: Vec<Column>,
    /// Rows that were looked at, with their lines.
    rows: Vec<(u64, Vec<String>)>,
}

/// Reads the header and the first rows of a file. The header is the first row that has about as many columns as any of the
/// first ones.
pub fn look<R: Source>(
    encoding: Option<Encoding>,
    sheet: Option<&str>,
    open: impl Fn() -> std::io::Result<R>,
) -> Result<Look, ImportError> {
    let mut best: Option<Look> = None;
    let mut failed = None;
    // What the file says itself, or a comma, comes first.
    for delimiter in [None, Some(b';'), Some(b'\t'), Some(b'|')] {
        let file = File {
            encoding: encoding.unwrap_or_default(),
            sheet: sheet.map(str::to_owned),
            delimiter,
            ..File::default()
        };
        let input = open().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
        match read(&file, input) {
            Ok(found) if best.as_ref().is_none_or(|best| found.columns.len() > best.columns.len()) => {
                best = Some(found);
            }
            Ok(_) => {}
            // A file that says its delimiter is not read with another one.
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    best.ok_or(failed.unwrap_or(ImportError::Empty))
}

fn read<R: Source>(file: &File, input: R) -> Result<Look, ImportError> {
    let mut table = table::open(file, input)?;
    let text = |value: &[u8]| {
        let text = String::from_utf8_lossy(value);
        cells::trimmed(cells::text(text.trim_start_matches('\u{feff}').trim_matches('"'))).to_owned()
    };
    let mut all: Vec<(u64, Vec<String>)> = Vec::new();
    let mut row = Row::default();
    while all.len() < ROWS_MAX && table.read(&mut row)? {
        if !row.is_blank() {
            all.push((row.line, row.values.iter().map(text).collect()));
        }
    }
    let filled = |row: &[String]| row.iter().filter(|value| !value.is_empty()).count();
    let most = all.iter().take(HEADER_MAX).map(|(_, row)| filled(row)).max().ok_or(ImportError::Empty)?;
    // A header may lack a name or two; a title above it has one or two cells.
    let header = all.iter().position(|(_, row)| filled(row) * 5 >= most * 4).ok_or(ImportError::Empty)?;
    let (line, names) = all[header].clone();
    let rows = all.split_off(header + 1);
    let mut columns: Vec<Column> = names.into_iter().map(|name| Column { name, ..Column::default() }).collect();
    for (_, row) in &rows {
        for (column, value) in columns.iter_mut().zip(row) {
            if value.is_empty() {
                column.blank += 1;
                continue;
            }
            if column.samples.len() < SAMPLES_MAX && !column.samples.contains(value) {
                column.samples.push(value.clone());
            }
            column.values.push(value.clone());
        }
    }
    let facts = table.facts();
    let delimiter = facts.delimiter.map(char::from).filter(|_| file.delimiter.is_some());
    Ok(Look { delimiter, header_line: (header > 0).then_some(line), columns, rows })
}

impl Look {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name && !name.is_empty())
    }

    /// How many rows were looked at.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    fn is_twice(&self, name: &str) -> bool {
        self.columns.iter().filter(|column| column.name == name).count() > 1
    }
}

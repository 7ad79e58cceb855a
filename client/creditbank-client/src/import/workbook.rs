//! Workbooks (.xlsx): one sheet, row by row, on a thread of its own that is at most a few rows ahead.
//!
//! A number of a workbook is binary floating point that is written as decimal text. It is taken as the shortest decimal that
//! stands for the same stored number, which is what somebody typed; one with more than 15 significant digits is what a
//! computation left, and is refused, never rounded.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use calamine::{Data, DataRef, Dimensions, ExcelDateTime, Reader as _, Xlsx};

use super::about::Facts;
use super::file_options::File;
use super::rows::ImportError;
use super::table::{Row, Source, Table};
use super::unpack;

/// Rows that are read ahead.
const AHEAD: usize = 64;
/// Most rows and columns that are read; a sheet cannot have more rows.
const ROWS_MAX: u32 = 1_048_576;
const COLUMNS_MAX: u32 = 1_000;
/// Most merged regions of a sheet.
const MERGED_MAX: usize = 1_000;
/// Digits that a number of a workbook keeps.
const DIGITS_MAX: usize = 15;

/// One sheet of a workbook.
pub(super) struct Workbook {
    rows: Receiver<Result<Row, ImportError>>,
    reader: Option<JoinHandle<()>>,
}

impl Workbook {
    pub(super) fn open<R: Source>(input: R, file: &File) -> Result<Self, ImportError> {
        let sheet = file.sheet.clone();
        let (out, rows) = sync_channel(AHEAD);
        let read = move || {
            if let Err(error) = Sheet::read(input, sheet.as_deref(), &out) {
                // Whoever no longer listens needs no error.
                let _ = out.send(Err(error));
            }
        };
        let reader = std::thread::Builder::new().name("workbook".to_owned()).spawn(read);
        let reader = reader.map_err(|error| ImportError::Workbook(error.to_string()))?;
        Ok(Self { rows, reader: Some(reader) })
    }
}

impl Table for Workbook {
    fn read(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        if let Ok(next) = self.rows.recv() {
            *row = next?;
            return Ok(true);
        }
        match self.reader.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(ImportError::Workbook("it is damaged".to_owned())),
            _ => Ok(false),
        }
    }

    fn facts(&self) -> Facts {
        Facts { format: "workbook (.xlsx)", ..Facts::default() }
    }

    fn cell(&self, line: u64, position: usize) -> Option<String> {
        Some(cell_name(line, position))
    }
}

/// `B17` for the second column of row 17.
fn cell_name(line: u64, position: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = position + 1;
    while rest > 0 {
        letters.push(b'A' + u8::try_from((rest - 1) % 26).unwrap_or(0));
        rest = (rest - 1) / 26;
    }
    let letters: String = letters.iter().rev().map(|letter| char::from(*letter)).collect();
    format!("{letters}{line}")
}

/// The rows of one sheet as they are read.
struct Sheet<'a> {
    out: &'a SyncSender<Result<Row, ImportError>>,
    merged: Vec<Dimensions>,
    /// Fields of the header, once it is known.
    width: Option<usize>,
}

impl Sheet<'_> {
    fn read<R: Source>(
        mut input: R,
        sheet: Option<&str>,
        out: &SyncSender<Result<Row, ImportError>>,
    ) -> Result<(), ImportError> {
        let wrong = |error: &dyn std::fmt::Display| ImportError::Workbook(error.to_string());
        unpack::check(&mut input)?;
        let mut book: Xlsx<R> = Xlsx::new(input).map_err(|error| wrong(&error))?;
        let names = book.sheet_names();
        let name = match sheet {
            Some(sheet) => names.iter().find(|name| *name == sheet),
            None => names.first(),
        };
        let name = name.cloned().ok_or_else(|| {
            let found = names.join(", ");
            ImportError::Workbook(format!("it has no sheet {:?}; its sheets are {found}", sheet.unwrap_or_default()))
        })?;
        let merged = book.merge_cells_by_sheet_name(&name).map_err(|error| wrong(&error))?;
        if merged.len() > MERGED_MAX {
            let what = format!("{} merged regions, at most {MERGED_MAX} are read: unmerge the cells", merged.len());
            return Err(ImportError::Workbook(what));
        }
        let mut cells = book.worksheet_cells_reader(&name).map_err(|error| wrong(&error))?;
        let mut this = Sheet { out, merged, width: None };
        let mut at: Option<u32> = None;
        let mut values: Vec<Result<String, String>> = Vec::new();
        while let Some(cell) = cells.next_cell().map_err(|error| wrong(&error))? {
            let (row, column) = cell.get_position();
            if row >= ROWS_MAX || column >= COLUMNS_MAX {
                let found = cell_name(u64::from(row) + 1, column as usize);
                let what = format!("cell {found} is beyond {ROWS_MAX} rows and {COLUMNS_MAX} columns");
                // A formatted but empty cell out there is no value.
                if *cell.get_value() == DataRef::Empty {
                    continue;
                }
                return Err(ImportError::Workbook(what));
            }
            if at != Some(row) {
                if at.is_some_and(|at| at > row) {
                    return Err(ImportError::Workbook(format!(
                        "row {} stands after row {}",
                        row + 1,
                        at.unwrap_or(0) + 1
                    )));
                }
                if !this.give(at, std::mem::take(&mut values)) {
                    return Ok(());
                }
                at = Some(row);
            }
            let column = column as usize;
            if values.len() <= column {
                values.resize(column + 1, Ok(String::new()));
            }
            values[column] = text(cell.get_value());
        }
        this.give(at, values);
        Ok(())
    }

    /// Sends a row on, unless it is empty; whether somebody still listens.
    fn give(&mut self, at: Option<u32>, mut values: Vec<Result<String, String>>) -> bool {
        while values.last().is_some_and(|value| value.as_ref().is_ok_and(String::is_empty)) {
            values.pop();
        }
        let Some(at) = at.filter(|_| !values.is_empty()) else {
            return true;
        };
        let line = u64::from(at) + 1;
        let width = *self.width.get_or_insert(values.len());
        let mut row = Row { line, until: line, ..Row::default() };
        let extra = values.iter().skip(width).position(|value| value.as_ref().is_ok_and(|value| !value.is_empty()));
        if let Some(extra) = extra {
            let cell = cell_name(line, width + extra);
            row.problems.push((width + extra, format!("cell {cell}: a value in a column without a header")));
        }
        values.resize(width, Ok(String::new()));
        for (position, value) in values.iter().enumerate() {
            let merged = self.merged.iter().find(|region| region.contains(at, u32::try_from(position).unwrap_or(0)));
            let problem = match (merged, value) {
                (Some(region), _) => {
                    let first = cell_name(u64::from(region.start.0) + 1, region.start.1 as usize);
                    Some(format!("it is merged with others from {first} on: unmerge them"))
                }
                (None, Err(problem)) => Some(problem.clone()),
                (None, Ok(_)) => None,
            };
            if let Some(problem) = problem {
                row.problems.push((position, format!("cell {}: {problem}", cell_name(line, position))));
            }
            row.values.push_field(value.as_deref().unwrap_or_default().as_bytes());
        }
        self.out.send(Ok(row)).is_ok()
    }
}

/// The text of a cell, or why it has none.
fn text(value: &DataRef<'_>) -> Result<String, String> {
    match Data::from(value.clone()) {
        Data::Empty => Ok(String::new()),
        Data::String(text) | Data::DateTimeIso(text) => Ok(text),
        Data::Int(number) => decimal(&number.to_string()),
        Data::Float(number) => decimal(&number.to_string()),
        Data::Bool(yes) => Ok(if yes { "TRUE" } else { "FALSE" }.to_owned()),
        Data::DateTime(date) => day(&date),
        Data::DurationIso(_) => Err("a duration, expected text, a number or a date".to_owned()),
        Data::Error(error) => Err(format!("the error {error}, expected a value")),
    }
}

/// A number as it was typed: the shortest decimal that stands for the stored one.
fn decimal(shortest: &str) -> Result<String, String> {
    let digits = shortest.trim_start_matches('-');
    let whole = digits.split('.').next().unwrap_or_default();
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err("it is no finite number".to_owned());
    }
    if whole.len() > DIGITS_MAX {
        let what = "a number of more than 15 digits, of which a workbook keeps 15: format the cell as text";
        return Err(what.to_owned());
    }
    let significant = digits.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
    if significant > DIGITS_MAX {
        let what = "has more digits than anybody types: it was computed, and nothing is rounded here; round it in the workbook";
        return Err(format!("{shortest} {what}"));
    }
    Ok(shortest.to_owned())
}

/// A date as ISO 8601; with the time where it has one.
fn day(date: &ExcelDateTime) -> Result<String, String> {
    // 1 is the first day; 0 is a time without a day. Beyond the last day of 9999 the workbook has no dates.
    let serial = date.as_f64().to_string();
    let days: Option<u32> = serial.split('.').next().and_then(|days| days.parse().ok());
    if date.is_duration() || !days.is_some_and(|days| (1..=2_957_003).contains(&days)) {
        return Err("a time without a date, expected text, a number or a date".to_owned());
    }
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let time =
        if (hour, minute, second) == (0, 0, 0) { String::new() } else { format!("T{hour:02}:{minute:02}:{second:02}") };
    Ok(format!("{year:04}-{month:02}-{day:02}{time}"))
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    /// Goal: numbers come as they were typed; what a computation left and what a workbook does not keep are refused.
    #[test]
    fn numbers_are_taken_exactly_or_not_at_all() {
        let number = |number: f64| text(&DataRef::Float(number));
        for (stored, typed) in
            [("7.5", "7.5"), ("1.1000000000000001", "1.1"), ("60", "60"), ("1E2", "100"), ("-1", "-1")]
        {
            assert_eq!(number(stored.parse().expect("a number")).as_deref(), Ok(typed));
        }
        for stored in ["0.30000000000000004", "0.333333333333333333", "1e15", "12345678901234567", "1e300", "NaN"] {
            assert!(number(stored.parse().expect("a number")).is_err(), "{stored}");
        }
    }

    /// Goal: the same day in both date systems; times alone and days beyond the calendar are refused.
    #[test]
    fn dates_are_iso() {
        let date = |serial: f64, is_1904| day(&ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904));
        assert_eq!(date(45_536.0, false).as_deref(), Ok("2024-09-01"));
        assert_eq!(date(44_074.0, true).as_deref(), Ok("2024-09-01"));
        assert_eq!(date(45_536.5, false).as_deref(), Ok("2024-09-01T12:00:00"));
        assert!(date(0.5, false).is_err() && date(-1.0, false).is_err() && date(9e9, false).is_err());
        assert!(day(&ExcelDateTime::new(2.0, ExcelDateTimeType::TimeDelta, false)).is_err());
    }

    #[test]
    fn cells_have_names() {
        assert_eq!(cell_name(17, 1), "B17");
        assert_eq!(cell_name(1, 25), "Z1");
        assert_eq!(cell_name(1, 26), "AA1");
        assert_eq!(cell_name(9, 701), "ZZ9");
    }
}

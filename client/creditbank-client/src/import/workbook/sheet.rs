//! What the readers of sheets have in common: cells, regions, names of cells.

use crate::import::table::Kind;

/// Most rows and columns that are read; a sheet cannot have more rows.
pub(super) const ROWS_MAX: u32 = 1_048_576;
pub(super) const COLUMNS_MAX: usize = 1_000;
/// Most merged regions of a sheet.
pub(super) const MERGED_MAX: usize = 100_000;

/// A sheet by its name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) is_hidden: bool,
    /// Which part of the archive, or nothing where all sheets are in one.
    pub(super) part: String,
}

/// One cell as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// Why it has no value.
    pub(super) problem: Option<String>,
}

impl Cell {
    pub(super) fn of((text, kind): (String, Kind)) -> Self {
        Self { text, kind, problem: None }
    }

    pub(super) fn wrong(problem: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.problem.is_none()
    }
}

impl From<Result<(String, Kind), String>> for Cell {
    fn from(read: Result<(String, Kind), String>) -> Self {
        read.map_or_else(Self::wrong, Self::of)
    }
}

/// A formula whose program never wrote its result down.
pub(super) fn without_result() -> Cell {
    Cell::wrong("a formula without a result: open the file in your spreadsheet program and save it")
}

/// Cells that are one; rows and columns from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) first: (u32, usize),
    pub(super) last: (u32, usize),
}

/// What is known of a sheet when all of it was read.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) merged: Vec<Region>,
    pub(super) hidden_columns: Vec<usize>,
}

/// Takes one row: its number from 0, its cells, and whether it is hidden. Whether there shall be more.
pub(super) type Give<'a> = dyn FnMut(u32, &mut Vec<Cell>, bool) -> bool + 'a;

/// `B17` for the second column of row 17.
pub(super) fn cell_name(line: u64, position: usize) -> String {
    format!("{}{line}", column_name(position))
}

/// `B` for the second column.
pub(super) fn column_name(position: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = position + 1;
    while rest > 0 {
        letters.push(b'A' + u8::try_from((rest - 1) % 26).unwrap_or(0));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

/// Row and column, from 0, of `B17`.
pub(super) fn place(name: &str) -> Option<(u32, usize)> {
    let name = name.replace('$', "");
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = name.split_at(letters);
    if letters == 0 || letters > 4 {
        return None;
    }
    let column = column.bytes().fold(0, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    let row: u32 = row.parse().ok()?;
    Some((row.checked_sub(1)?, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_names() {
        for (name, place_of) in [("B17", (16, 1)), ("Z1", (0, 25)), ("AA1", (0, 26)), ("ZZ9", (8, 701))] {
            assert_eq!(place(name), Some(place_of));
            assert_eq!(cell_name(u64::from(place_of.0) + 1, place_of.1), name);
        }
        for name in ["", "7", "A", "A0", "A-1", "AAAAA1"] {
            assert_eq!(place(name), None, "{name}");
        }
    }
}

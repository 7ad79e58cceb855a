//! Workbooks: one sheet, row by row, on a thread of its own that is at most a few rows ahead.
//!
//! The sheet is read twice: once to see what it hides and merges, so that nothing is issued from a sheet that is then refused, and
//! once for its rows. Neither time more than a few rows are held.

mod cells;
mod date;
mod decimal;
mod number_format;
mod ods;
mod sections;
mod sheet;
mod shown_date;
mod shown_number;
mod strings;
mod unpack;
mod xlsx;
mod xml;

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use zip::ZipArchive;

use self::ods::Ods;
use self::sheet::{Cell, Give, Layout, Named, Region, cell_name, column_name};
use self::xlsx::Xlsx;
use self::xml::wrong;
use super::about::Facts;
use super::contents::no_workbook;
use super::file_options::{File, Hidden};
use super::header::key;
use super::rows::ImportError;
use super::table::{Row, Source, Table};

/// Rows that are read ahead.
const AHEAD: usize = 64;
/// Most hidden rows that a message names.
const NAMED_MAX: usize = 5;

/// One sheet of a workbook.
pub(super) struct Workbook {
    facts: Facts,
    rows: Receiver<Result<Row, ImportError>>,
    reader: Option<JoinHandle<()>>,
}

impl Workbook {
    /// Looks at the whole sheet, and begins to read it.
    pub(super) fn open<R: Source>(input: R, file: &File) -> Result<Self, ImportError> {
        let (out, rows) = sync_channel(AHEAD);
        let (told, facts) = sync_channel(1);
        let file = file.clone();
        let read = move || {
            if let Err(error) = read(input, &file, &told, &out) {
                // Whoever no longer listens needs no error.
                let what = if let ImportError::Workbook(what) = &error { what.clone() } else { error.to_string() };
                let _ = told.try_send(Err(ImportError::Workbook(what)));
                let _ = out.send(Err(error));
            }
        };
        let reader = std::thread::Builder::new().name("workbook".to_owned()).spawn(read);
        let reader = reader.map_err(|error| ImportError::Workbook(error.to_string()))?;
        let facts = facts.recv().map_err(|_| ImportError::Workbook("it is damaged".to_owned()))??;
        Ok(Self { facts, rows, reader: Some(reader) })
    }
}

impl Table for Workbook {
    fn read(&mut self, row: &mut Row) -> Result<bool, ImportError> {
        if let Ok(next) = self.rows.recv() {
            *row = next?;
            return Ok(true);
        }
        row.clear();
        match self.reader.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(ImportError::Workbook("it is damaged".to_owned())),
            _ => Ok(false),
        }
    }

    fn facts(&self) -> Facts {
        self.facts.clone()
    }

    fn cell(&self, line: u64, position: usize) -> Option<String> {
        Some(cell_name(line, position))
    }
}

/// A workbook of either format.
enum Book<R> {
    Xlsx(Box<Xlsx<R>>),
    Ods(Ods<R>),
}

impl<R: Read + Seek> Book<R> {
    fn open(mut input: R) -> Result<Self, ImportError> {
        let names = unpack::check(&mut input)?;
        let archive = ZipArchive::new(input).map_err(wrong)?;
        if names.iter().any(|name| name == ods::CONTENT) {
            return Ods::open(archive).map(Self::Ods);
        }
        if let Some(what) = no_workbook(names.iter().map(String::as_str)) {
            return Err(ImportError::NoTable(what.to_owned()));
        }
        Ok(Self::Xlsx(Box::new(Xlsx::open(archive, &names)?)))
    }

    fn format(&self) -> &'static str {
        match self {
            Self::Xlsx(_) => "Excel workbook (.xlsx)",
            Self::Ods(_) => "OpenDocument sheet (.ods)",
        }
    }

    fn sheets(&self) -> &[Named] {
        match self {
            Self::Xlsx(book) => &book.sheets,
            Self::Ods(book) => &book.sheets,
        }
    }

    fn read(&mut self, sheet: &Named, give: &mut Give<'_>) -> Result<Layout, ImportError> {
        match self {
            Self::Xlsx(book) => book.read(&sheet.part, give),
            Self::Ods(book) => book.read(&sheet.name, give),
        }
    }
}

/// The sheet that is meant: by its name, else the first one that is not hidden.
fn choose(sheets: &[Named], file: &File) -> Result<Named, ImportError> {
    let include = file.hidden == Some(Hidden::Include);
    let shown = |hidden: bool| {
        let names = sheets.iter().filter(|sheet| sheet.is_hidden == hidden).map(|sheet| format!("{:?}", sheet.name));
        names.collect::<Vec<_>>().join(", ")
    };
    let list = || match (shown(false), shown(true)) {
        (visible, hidden) if hidden.is_empty() => format!("its sheets are {visible}"),
        (visible, hidden) => format!("its sheets are {visible}, and hidden {hidden}"),
    };
    let Some(asked) = &file.sheet else {
        let first = sheets.iter().find(|sheet| !sheet.is_hidden);
        return first.cloned().ok_or_else(|| wrong(format!("it has no visible sheet: {}", list())));
    };
    let found = sheets.iter().find(|sheet| sheet.name == *asked);
    let found = found.or_else(|| sheets.iter().find(|sheet| key(&sheet.name) == key(asked)));
    match found {
        Some(sheet) if sheet.is_hidden && !include => {
            Err(wrong(format!("the sheet {asked:?} is hidden: show it, or set hidden = \"include\" in [file]")))
        }
        Some(sheet) => Ok(sheet.clone()),
        None => Err(wrong(format!("it has no sheet {asked:?}; {}", list()))),
    }
}

/// Reads a sheet twice: looks at it, tells what it is, and sends its rows.
fn read<R: Source>(
    input: R,
    file: &File,
    told: &SyncSender<Result<Facts, ImportError>>,
    out: &SyncSender<Result<Row, ImportError>>,
) -> Result<(), ImportError> {
    let mut book = Book::open(input)?;
    let sheet = choose(book.sheets(), file)?;
    let (layout, hidden) = look(&mut book, &sheet, file)?;
    let mut notes = Vec::new();
    let rest = book.sheets().iter().filter(|other| other.name != sheet.name && !other.is_hidden);
    let rest = rest.map(|other| format!("{:?}", other.name)).collect::<Vec<_>>().join(", ");
    if !rest.is_empty() {
        notes.push(format!("other sheets were not read: {rest}"));
    }
    if hidden.count > 0 {
        let done = if file.hidden == Some(Hidden::Skip) { "were left out" } else { "were read" };
        notes.push(format!("hidden rows {done}: {}", hidden.names()));
    }
    if !layout.hidden_columns.is_empty() {
        let columns = layout.hidden_columns.iter().take(NAMED_MAX).map(|column| column_name(*column));
        notes.push(format!("hidden columns: {}", columns.collect::<Vec<_>>().join(", ")));
    }
    let facts = Facts {
        format: book.format(),
        sheet: Some(sheet.name.clone()),
        hidden_columns: layout.hidden_columns,
        notes,
        ..Facts::default()
    };
    let _ = told.send(Ok(facts));
    let mut merged = Merged::new(layout.merged);
    let mut overlap = None;
    book.read(&sheet, &mut |row, cells, is_hidden| {
        if is_hidden && file.hidden == Some(Hidden::Skip) {
            return true;
        }
        match row_of(row, cells, &mut merged) {
            Ok(Some(row)) => out.send(Ok(row)).is_ok(),
            Ok(None) => true,
            Err(error) => {
                overlap = Some(error);
                false
            }
        }
    })?;
    overlap.map_or(Ok(()), Err)
}

/// Hidden rows that hold something.
#[derive(Default)]
struct HiddenRows {
    count: usize,
    first: Vec<u32>,
}

impl HiddenRows {
    fn names(&self) -> String {
        let more = match self.count.saturating_sub(self.first.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        self.first.iter().map(u32::to_string).collect::<Vec<_>>().join(", ") + &more
    }
}

/// What a sheet merges and hides. Rows that are hidden are refused, unless the mapping says what becomes of them.
fn look<R: Read + Seek>(book: &mut Book<R>, sheet: &Named, file: &File) -> Result<(Layout, HiddenRows), ImportError> {
    let mut hidden = HiddenRows::default();
    let mut first = file.header_line.map(|line| line - 1);
    let layout = book.read(sheet, &mut |row, cells, is_hidden| {
        if cells.iter().all(Cell::is_empty) {
            return true;
        }
        if is_hidden && *first.get_or_insert(row) <= row {
            hidden.count += 1;
            if hidden.first.len() < NAMED_MAX {
                hidden.first.push(row + 1);
            }
        }
        first.get_or_insert(row);
        true
    })?;
    if hidden.count > 0 && file.hidden.is_none() {
        return Err(wrong(format!(
            "the sheet {:?} hides rows, perhaps by a filter (row {}). Show them, or set hidden = \"skip\" or \"include\" in [file]",
            sheet.name,
            hidden.names()
        )));
    }
    Ok((layout, hidden))
}

/// The merged regions, and those that the rows have come to.
struct Merged {
    /// By their first row, the last one first.
    later: Vec<Region>,
    /// By their first column: none of them overlaps another.
    here: BTreeMap<usize, Region>,
}

impl Merged {
    fn new(mut regions: Vec<Region>) -> Self {
        regions.sort_unstable_by_key(|region| std::cmp::Reverse(region.first));
        Self { later: regions, here: BTreeMap::new() }
    }

    /// The regions that a row is in. Rows are asked for in order. No format allows regions that overlap.
    fn at(&mut self, row: u32) -> Result<impl Iterator<Item = &Region>, ImportError> {
        self.here.retain(|_, region| region.last.0 >= row);
        while let Some(region) = self.later.pop_if(|region| region.first.0 <= row) {
            if region.last.0 < row {
                continue;
            }
            let (first, last) = (region.first.1, region.last.1);
            let before = self.here.range(..=last).next_back();
            if before.is_some_and(|(_, other)| other.last.1 >= first) {
                let name = cell_name(u64::from(region.first.0) + 1, first);
                return Err(wrong(format!("merged regions overlap at cell {name}: unmerge them")));
            }
            self.here.insert(first, region);
        }
        Ok(self.here.values())
    }
}

/// A row with the problems of its cells; nothing where it is empty.
fn row_of(number: u32, cells: &mut Vec<Cell>, merged: &mut Merged) -> Result<Option<Row>, ImportError> {
    while cells.last().is_some_and(Cell::is_empty) {
        cells.pop();
    }
    if cells.is_empty() {
        return Ok(None);
    }
    let line = u64::from(number) + 1;
    let mut row = Row { line, until: line, ..Row::default() };
    for region in merged.at(number)? {
        let first = cell_name(u64::from(region.first.0) + 1, region.first.1);
        // What is merged beyond the last cell is empty all the same.
        for position in region.first.1..=region.last.1.min(sheet::COLUMNS_MAX) {
            row.problems.push((position, format!("it is merged with others from {first} on: unmerge them")));
        }
    }
    for (position, cell) in cells.iter_mut().enumerate() {
        row.values.push_field(cell.text.as_bytes());
        row.kinds.push(cell.kind);
        if let Some(problem) = cell.problem.take() {
            row.problems.push((position, problem));
        }
    }
    Ok(Some(row))
}

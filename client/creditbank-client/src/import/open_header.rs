//! Finds the header of a file, and says what may help where it is not what the mapping expects.

use super::csv_file::CsvFile;
use super::file_options::{File, Hidden};
use super::header::{self, Search, Wanted};
use super::mapping::{Mapping, is_day};
use super::rows::ImportError;
use super::table::{Row, Table};

/// Rows in which a header is looked for when it is not where it should be.
const NEAR_MAX: usize = 20;
/// What may stand between the values of a text file.
const DELIMITERS: [u8; 4] = [b';', b'\t', b',', b'|'];

pub(super) struct Header<'a> {
    pub(super) line: u64,
    pub(super) width: usize,
    pub(super) wanted: Vec<Wanted<'a>>,
}

/// Reads rows until the header, and looks for the columns of the mapping in it.
pub(super) fn read<'a>(mapping: &'a Mapping, table: &mut dyn Table) -> Result<Header<'a>, ImportError> {
    let file = &mapping.file;
    let mut above: Vec<(u64, Vec<String>)> = Vec::new();
    let mut row = Row::default();
    let asked = file.header_line.map(u64::from);
    loop {
        if !table.read(&mut row)? {
            return Err(match (asked, above.last()) {
                (Some(asked), Some((last, _))) => {
                    ImportError::Header(format!("header_line is {asked}, and the file ends on line {last}"))
                }
                _ => ImportError::Empty,
            });
        }
        if asked.is_some_and(|asked| row.line < asked) {
            if above.len() < NEAR_MAX {
                above.push((row.line, texts(&row)));
            }
            continue;
        }
        if !row.is_blank() {
            break;
        }
    }
    // A line `sep=` above it is no line of the table.
    if let Some(asked) = asked.filter(|asked| *asked > 1 && *asked != row.line) {
        return Err(ImportError::Header(format!("header_line is {asked}, and that line is blank")));
    }
    if let Some(problem) = &row.broken {
        return Err(ImportError::Header(problem.clone()));
    }
    let names = header::names(&row)?;
    let found = header::places(&names, mapping.columns())?;
    let places = match found {
        Ok(places) => places,
        Err(missing) => return Err(explain(mapping, table, &row, above, &missing)),
    };
    if let Some(odd) =
        file.refuse_columns.iter().find(|odd| names.iter().any(|name| header::key(name) == header::key(odd)))
    {
        return Err(ImportError::Header(format!(
            "it has the column {odd:?}, with which this mapping would read the wrong column: see refuse_columns in it"
        )));
    }
    let facts = table.facts();
    let mut hidden = places.iter().filter(|(_, place)| facts.hidden_columns.contains(place));
    if let (Some((name, place)), true) = (hidden.next(), file.hidden != Some(Hidden::Include)) {
        let column = table.cell(row.line, *place).unwrap_or_default();
        return Err(ImportError::Workbook(format!(
            "the column {name:?} ({column}) is hidden: show it, or set hidden = \"include\" in [file]"
        )));
    }
    // What feeds a field of two is read by both.
    let of_dates = |name: &str| mapping.fed_by(name).any(|field| is_day(&field));
    let wanted = |(name, position)| Wanted {
        name,
        position,
        takes_dates: of_dates(name) && !feeds_more(mapping, name, true) || is_only_reference(mapping, name),
        takes_percent: mapping.takes_percent(name),
        takes_booleans: !feeds_more(mapping, name, false),
    };
    let width = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    let width = if facts.delimiter.is_some() { names.len() } else { width };
    Ok(Header { line: row.line, width, wanted: places.into_iter().map(wanted).collect() })
}

/// Whether a column feeds a field, other than dates where they do not count, or names the learner.
fn feeds_more(mapping: &Mapping, name: &str, dates_do_not_count: bool) -> bool {
    let mut fields = mapping.fed_by(name);
    mapping.learner.column == name || fields.any(|field| !(dates_do_not_count && is_day(&field)))
}

/// Whether a column does nothing but name the result.
fn is_only_reference(mapping: &Mapping, name: &str) -> bool {
    let of_results = mapping.results.as_ref().is_some_and(|results| results.column() == Some(name));
    let of_period = mapping.period.as_ref().is_some_and(|period| period.columns.iter().any(|column| column == name));
    !feeds_more(mapping, name, false) && !of_results && !of_period
}

fn texts(row: &Row) -> Vec<String> {
    row.values.iter().map(|value| String::from_utf8_lossy(value).trim().to_owned()).collect()
}

/// Looks around for the columns that are not in the header.
fn explain(
    mapping: &Mapping,
    table: &mut dyn Table,
    row: &Row,
    mut others: Vec<(u64, Vec<String>)>,
    missing: &[&str],
) -> ImportError {
    let facts = table.facts();
    let mut delimited = Vec::new();
    if let Some(own) = facts.delimiter {
        others = rows_of(&facts.start, own);
        for delimiter in DELIMITERS.into_iter().filter(|delimiter| *delimiter != own) {
            let rows = rows_of(&facts.start, delimiter);
            delimited.extend(rows.into_iter().map(|(line, names)| (delimiter, line, names)));
        }
    } else {
        let mut next = Row::default();
        while others.len() < NEAR_MAX && table.read(&mut next).is_ok_and(|read| read) {
            others.push((next.line, texts(&next)));
        }
    }
    others.retain(|(line, _)| *line != row.line);
    let wanted: Vec<&str> = mapping.columns().collect();
    let names = texts(row);
    Search { line: row.line, names: &names, others: &others, delimited: &delimited, file: &mapping.file }
        .explain(&wanted, missing)
}

/// The first rows of a text with a delimiter.
fn rows_of(start: &[u8], delimiter: u8) -> Vec<(u64, Vec<String>)> {
    let file = File { delimiter: Some(delimiter), ..File::default() };
    let Ok(mut table) = CsvFile::open(&file, start) else { return Vec::new() };
    let (mut rows, mut row) = (Vec::new(), Row::default());
    while rows.len() < NEAR_MAX && table.read(&mut row).is_ok_and(|read| read) {
        rows.push((row.line, texts(&row)));
    }
    rows
}

//! The rows and cells of one sheet of an .xlsx workbook.

use std::io::Read;
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};

use super::decimal::Decimal;
use super::number_format::Format;
use super::sheet::{COLUMNS_MAX, Cell, Give, Layout, MERGED_MAX, ROWS_MAX, Region, cell_name, place, without_result};
use super::strings::{Strings, rich_text, unescaped};
use super::xml::{Xml, attribute, is_set, wrong};
use crate::import::rows::ImportError;
use crate::import::table::Kind;

/// What cells refer to.
pub(super) struct Context {
    pub(super) strings: Strings,
    pub(super) formats: Vec<Rc<Format>>,
    pub(super) is_1904: bool,
}

/// What stands between the tags of a cell.
#[derive(Default)]
struct Content {
    value: Option<String>,
    inline: Option<String>,
    has_formula: bool,
}

/// Reads a sheet from its beginning to its end.
pub(super) fn read(input: impl Read, context: &Context, give: &mut Give<'_>) -> Result<Layout, ImportError> {
    let (mut xml, mut buffer) = (Xml::new(input), Vec::new());
    let mut layout = Layout::default();
    let mut before: Option<u32> = None;
    loop {
        match xml.next(&mut buffer)? {
            Event::Start(element) => match element.local_name().as_ref() {
                "col" => columns(&element, &mut layout.hidden_columns),
                "mergeCell" => merged(&element, &mut layout.merged)?,
                "row" => {
                    let number = attribute(&element, "r").and_then(|number| number.parse::<u32>().ok());
                    let next = before.map_or(0, |row| row + 1);
                    let row = number.and_then(|number| number.checked_sub(1)).unwrap_or(next);
                    let is_flat =
                        attribute(&element, "ht").is_some_and(|height| height.trim_matches(['0', '.']).is_empty());
                    let is_hidden = is_set(&element, "hidden") || is_flat;
                    if row < next {
                        let before = before.unwrap_or(0) + 1;
                        return Err(wrong(format!("row {} stands after row {before}", row + 1)));
                    }
                    before = Some(row);
                    let mut cells = row_cells(&mut xml, &mut buffer, context, row)?;
                    if row >= ROWS_MAX && cells.iter().any(|cell| !cell.is_empty()) {
                        return Err(beyond(row, 0));
                    }
                    if !give(row, &mut cells, is_hidden) {
                        return Ok(layout);
                    }
                }
                _ => {}
            },
            Event::Eof => return Ok(layout),
            _ => {}
        }
    }
}

fn beyond(row: u32, column: usize) -> ImportError {
    let found = cell_name(u64::from(row) + 1, column);
    wrong(format!("cell {found} is beyond {ROWS_MAX} rows and {COLUMNS_MAX} columns"))
}

/// The columns that a sheet hides.
fn columns(element: &BytesStart<'_>, hidden: &mut Vec<usize>) {
    let number = |name: &str| attribute(element, name).and_then(|number| number.parse::<usize>().ok());
    let is_narrow = attribute(element, "width").is_some_and(|width| width.trim_matches(['0', '.']).is_empty());
    if let (true, Some(first), Some(last)) = (is_set(element, "hidden") || is_narrow, number("min"), number("max")) {
        hidden.extend(first.saturating_sub(1)..last.min(COLUMNS_MAX));
    }
}

fn merged(element: &BytesStart<'_>, merged: &mut Vec<Region>) -> Result<(), ImportError> {
    if merged.len() == MERGED_MAX {
        return Err(wrong(format!("more than {MERGED_MAX} merged regions: unmerge the cells")));
    }
    let region = attribute(element, "ref").unwrap_or_default();
    let (first, last) = region.split_once(':').unwrap_or((&region, &region));
    let (Some(first), Some(last)) = (place(first), place(last)) else {
        return Err(wrong("a merged region that names no cells"));
    };
    merged.push(Region { first, last });
    Ok(())
}

/// The cells of the row whose beginning was read last.
fn row_cells<R: Read>(
    xml: &mut Xml<R>,
    buffer: &mut Vec<u8>,
    context: &Context,
    row: u32,
) -> Result<Vec<Cell>, ImportError> {
    let mut cells: Vec<Cell> = Vec::new();
    let mut next = 0;
    loop {
        let (column, style, kind) = match xml.next(buffer)? {
            Event::Start(element) if element.local_name().as_ref() == "c" => {
                let column = match attribute(&element, "r") {
                    Some(name) => place(&name).ok_or_else(|| wrong("a cell without a name"))?.1,
                    None => next,
                };
                let style = attribute(&element, "s").and_then(|style| style.parse().ok()).unwrap_or(0_usize);
                (column, style, attribute(&element, "t").unwrap_or_default().into_owned())
            }
            Event::Start(_) => {
                xml.skip(buffer)?;
                continue;
            }
            Event::End(_) | Event::Eof => return Ok(cells),
            _ => continue,
        };
        let content = content(xml, buffer)?;
        let cell = cell(context, &kind, style, content);
        if column < next {
            return Err(wrong(format!(
                "cell {} stands twice or in the wrong place",
                cell_name(u64::from(row) + 1, column)
            )));
        }
        next = column + 1;
        if column >= COLUMNS_MAX {
            // A formatted but empty cell out there is no value.
            if cell.is_empty() {
                continue;
            }
            return Err(beyond(row, column));
        }
        cells.resize(column, Cell::default());
        cells.push(cell);
    }
}

/// What stands in the cell whose beginning was read last.
fn content<R: Read>(xml: &mut Xml<R>, buffer: &mut Vec<u8>) -> Result<Content, ImportError> {
    let mut content = Content::default();
    loop {
        match xml.next(buffer)? {
            Event::Start(element) => match element.local_name().as_ref() {
                "v" => content.value = Some(xml.text(buffer)?),
                "is" => content.inline = Some(rich_text(xml, buffer)?),
                "f" => {
                    content.has_formula = true;
                    xml.skip(buffer)?;
                }
                _ => xml.skip(buffer)?,
            },
            Event::End(_) | Event::Eof => return Ok(content),
            _ => {}
        }
    }
}

/// A cell as it is shown.
fn cell(context: &Context, kind: &str, style: usize, content: Content) -> Cell {
    let Content { value, inline, has_formula } = content;
    let format = context.formats.get(style);
    let text = |text: String| {
        let shown = match format {
            Some(format) => format.show_text(text),
            None => Ok(text),
        };
        Cell::from(shown.map(|shown| (shown, Kind::Text)))
    };
    // A formula may well give an empty text; it says that it is one.
    let has_result = value.as_ref().is_some_and(|value| !value.is_empty() || kind == "str");
    if has_formula && !has_result {
        return without_result();
    }
    let value = value.unwrap_or_default();
    match kind {
        "inlineStr" => text(inline.unwrap_or_default()),
        "str" => text(unescaped(value)),
        _ if value.trim().is_empty() => inline.map_or_else(Cell::default, text),
        "s" => match value.trim().parse().ok().and_then(|index| context.strings.get(index)) {
            Some(shared) => text(shared.to_owned()),
            None => Cell::wrong("a text that the workbook does not have: it is damaged"),
        },
        "b" => match value.trim() {
            "1" | "true" => Cell::of(("TRUE".to_owned(), Kind::Boolean)),
            "0" | "false" => Cell::of(("FALSE".to_owned(), Kind::Boolean)),
            _ => Cell::wrong("it is neither true nor false"),
        },
        "e" => Cell::wrong(format!("the error {}, expected a value", value.trim())),
        "d" => Cell::of((iso_day(value.trim()).to_owned(), Kind::Date)),
        "n" | "" => match (Decimal::stored(&value), format) {
            (None, _) => Cell::wrong("it is no finite number"),
            (Some(number), Some(format)) => format.show(&number, context.is_1904).into(),
            (Some(number), None) => Format::built_in(0).show(&number, context.is_1904).into(),
        },
        _ => Cell::wrong("it holds something that is not known"),
    }
}

/// A date without a time that says nothing.
pub(super) fn iso_day(text: &str) -> &str {
    match text.split_once('T') {
        Some((day, time)) if time.trim_end_matches('Z').bytes().all(|byte| matches!(byte, b'0' | b':' | b'.')) => day,
        _ => text,
    }
}

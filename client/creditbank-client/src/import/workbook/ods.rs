//! OpenDocument sheets (.ods): all sheets are in one part, and each cell has its value and the text that it shows.

use std::collections::HashSet;
use std::io::{Read, Seek};

use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::cells::iso_day;
use super::decimal::Decimal;
use super::sheet::{COLUMNS_MAX, Cell, Give, Layout, MERGED_MAX, Named, ROWS_MAX, Region, cell_name, without_result};
use super::shown_date::shown_date;
use super::shown_number::shown_number;
use super::xml::{Xml, attribute, push_text, wrong};
use crate::import::rows::ImportError;
use crate::import::table::Kind;

/// The part that holds the sheets.
pub(super) const CONTENT: &str = "content.xml";
/// Most bytes of the lists of contents that are looked at.
const LIST_LEN_MAX: u64 = 1 << 20;

/// A document with sheets.
pub(super) struct Ods<R> {
    archive: ZipArchive<R>,
    pub(super) sheets: Vec<Named>,
}

impl<R: Read + Seek> Ods<R> {
    pub(super) fn open(mut archive: ZipArchive<R>) -> Result<Self, ImportError> {
        let mut list = |name: &str| {
            let mut text = Vec::new();
            // A part that is not there says nothing.
            let read = archive.by_name(name).map(|part| part.take(LIST_LEN_MAX).read_to_end(&mut text));
            if read.is_ok() { String::from_utf8_lossy(&text).into_owned() } else { String::new() }
        };
        if list("META-INF/manifest.xml").contains("encryption-data") {
            return Err(wrong("it is a workbook with a password: save it without a password"));
        }
        let kind = list("mimetype");
        if !kind.is_empty() && !kind.contains("opendocument.spreadsheet") {
            return Err(wrong("it is an OpenDocument file without sheets: save the table as .ods or .xlsx"));
        }
        let sheets = sheets(archive.by_name(CONTENT).map_err(wrong)?)?;
        Ok(Self { archive, sheets })
    }

    /// Reads a sheet row by row.
    pub(super) fn read(&mut self, name: &str, give: &mut Give<'_>) -> Result<Layout, ImportError> {
        let (mut xml, mut buffer) = (Xml::new(self.archive.by_name(CONTENT).map_err(wrong)?), Vec::new());
        loop {
            match xml.next(&mut buffer)? {
                Event::Start(element) if element.name().as_ref() == "table:table" => {
                    if attribute(&element, "table:name").as_deref() == Some(name) {
                        return Reader { xml, buffer, layout: Layout::default(), row: 0 }.table(give);
                    }
                    xml.skip(&mut buffer)?;
                }
                Event::Start(element) if element.name().as_ref() == "table:tracked-changes" => xml.skip(&mut buffer)?,
                Event::Eof => return Ok(Layout::default()),
                _ => {}
            }
        }
    }
}

/// The sheets by name, and which of them a style hides.
fn sheets(input: impl Read) -> Result<Vec<Named>, ImportError> {
    let (mut xml, mut buffer) = (Xml::new(input), Vec::new());
    let (mut style, mut hidden, mut sheets) = (String::new(), HashSet::new(), Vec::new());
    loop {
        match xml.next(&mut buffer)? {
            Event::Start(element) => match element.name().as_ref() {
                "style:style" => style = attribute(&element, "style:name").unwrap_or_default().into_owned(),
                "style:table-properties" if attribute(&element, "table:display").as_deref() == Some("false") => {
                    hidden.insert(style.clone());
                }
                "table:table" => {
                    let name = attribute(&element, "table:name").unwrap_or_default().into_owned();
                    let is_hidden =
                        attribute(&element, "table:style-name").is_some_and(|style| hidden.contains(&*style));
                    sheets.push(Named { name, is_hidden, part: String::new() });
                    xml.skip(&mut buffer)?;
                }
                "table:tracked-changes" => xml.skip(&mut buffer)?,
                _ => {}
            },
            Event::Eof => return Ok(sheets),
            _ => {}
        }
    }
}

/// How often a row, column or cell is repeated.
fn repeated(element: &BytesStart<'_>, name: &str) -> usize {
    attribute(element, name).and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
}

fn is_hidden(element: &BytesStart<'_>) -> bool {
    attribute(element, "table:visibility").is_some_and(|seen| matches!(&*seen, "collapse" | "filter"))
}

/// A table that is being read.
struct Reader<I: Read> {
    xml: Xml<I>,
    buffer: Vec<u8>,
    layout: Layout,
    /// The next row, from 0.
    row: u32,
}

impl<I: Read> Reader<I> {
    /// Reads to the end of the table whose beginning was read last.
    fn table(mut self, give: &mut Give<'_>) -> Result<Layout, ImportError> {
        let (mut depth, mut column) = (1, 0_usize);
        // At which depth the outermost group began that is folded away.
        let mut hidden_group = None;
        while depth > 0 {
            match self.xml.next(&mut self.buffer)? {
                Event::Start(element) => match element.name().as_ref() {
                    "table:table-column" => {
                        let count = repeated(&element, "table:number-columns-repeated");
                        if is_hidden(&element) {
                            self.layout
                                .hidden_columns
                                .extend(column.min(COLUMNS_MAX)..column.saturating_add(count).min(COLUMNS_MAX));
                        }
                        column = column.saturating_add(count);
                        depth += 1;
                    }
                    "table:table-row" => {
                        let count = repeated(&element, "table:number-rows-repeated");
                        let is_hidden = is_hidden(&element) || hidden_group.is_some();
                        let regions = self.layout.merged.len();
                        let cells = self.cells()?;
                        self.repeat_regions(regions, count)?;
                        if !self.give(&cells, count, is_hidden, give)? {
                            return Ok(self.layout);
                        }
                    }
                    // Groups of rows and columns; anything else is no part of the table.
                    "table:table-row-group" if attribute(&element, "table:display").as_deref() == Some("false") => {
                        hidden_group.get_or_insert(depth);
                        depth += 1;
                    }
                    name if name.starts_with("table:table-") => depth += 1,
                    _ => self.xml.skip(&mut self.buffer)?,
                },
                Event::End(_) => {
                    depth -= 1;
                    if hidden_group == Some(depth) {
                        hidden_group = None;
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        Ok(self.layout)
    }

    /// What is merged in a row that is repeated is merged in each of them.
    fn repeat_regions(&mut self, from: usize, count: usize) -> Result<(), ImportError> {
        let own: Vec<Region> = self.layout.merged[from..].to_vec();
        if own.is_empty() || count == 1 {
            return Ok(());
        }
        if own.iter().any(|region| region.last.0 > region.first.0) {
            let name = cell_name(u64::from(self.row) + 1, own[0].first.1);
            return Err(wrong(format!("cell {name} is merged with rows below, and its row is repeated: unmerge it")));
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX).min(ROWS_MAX);
        for region in own {
            // One region of many rows says the same of each of them.
            let below = region.first.0.saturating_add(count - 1);
            self.layout.merged.push(Region {
                first: (region.first.0.saturating_add(1), region.first.1),
                last: (below, region.last.1),
            });
        }
        if self.layout.merged.len() > MERGED_MAX {
            return Err(wrong(format!("more than {MERGED_MAX} merged regions: unmerge the cells")));
        }
        Ok(())
    }

    /// Gives a row as often as it is there; an empty one only counts.
    fn give(
        &mut self,
        cells: &[Cell],
        count: usize,
        is_hidden: bool,
        give: &mut Give<'_>,
    ) -> Result<bool, ImportError> {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if cells.iter().all(Cell::is_empty) {
            self.row = self.row.saturating_add(count);
            return Ok(true);
        }
        for _ in 0..count {
            if self.row >= ROWS_MAX {
                return Err(wrong(format!("it has more than {ROWS_MAX} rows")));
            }
            let row = self.row;
            self.row += 1;
            if !give(row, &mut cells.to_vec(), is_hidden) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The cells of the row whose beginning was read last.
    fn cells(&mut self) -> Result<Vec<Cell>, ImportError> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut column = 0_usize;
        loop {
            match self.xml.next(&mut self.buffer)? {
                Event::Start(element)
                    if matches!(element.name().as_ref(), "table:table-cell" | "table:covered-table-cell") =>
                {
                    let found = Found::of(&element);
                    let count = repeated(&element, "table:number-columns-repeated");
                    let (wide, high) = (
                        repeated(&element, "table:number-columns-spanned"),
                        repeated(&element, "table:number-rows-spanned"),
                    );
                    if wide > 1 || high > 1 {
                        self.merge(column, wide, high)?;
                    }
                    let text = self.text()?;
                    let cell = found.cell(text);
                    if !cell.is_empty() {
                        if column.saturating_add(count) > COLUMNS_MAX {
                            let name = cell_name(u64::from(self.row) + 1, column);
                            return Err(wrong(format!("cell {name} is beyond {COLUMNS_MAX} columns")));
                        }
                        cells.resize(column, Cell::default());
                        cells.extend(std::iter::repeat_n(cell, count));
                    }
                    column = column.saturating_add(count);
                }
                Event::Start(_) => self.xml.skip(&mut self.buffer)?,
                Event::End(_) | Event::Eof => return Ok(cells),
                _ => {}
            }
        }
    }

    fn merge(&mut self, column: usize, wide: usize, high: usize) -> Result<(), ImportError> {
        if self.layout.merged.len() == MERGED_MAX {
            return Err(wrong(format!("more than {MERGED_MAX} merged regions: unmerge the cells")));
        }
        let below = u32::try_from(high - 1).unwrap_or(u32::MAX);
        let last = (self.row.saturating_add(below), column.saturating_add(wide - 1));
        self.layout.merged.push(Region { first: (self.row, column), last });
        Ok(())
    }

    /// The text of the cell whose beginning was read last; nothing where it has no paragraph.
    fn text(&mut self) -> Result<Option<String>, ImportError> {
        let (mut text, mut depth) = (None::<String>, 1);
        while depth > 0 {
            match self.xml.next(&mut self.buffer)? {
                Event::Start(element) => {
                    depth += 1;
                    match (element.name().as_ref(), &mut text) {
                        ("text:p" | "text:line-break", Some(text)) => text.push('\n'),
                        ("text:p", none) => *none = Some(String::new()),
                        ("text:span" | "text:a" | "text:ruby" | "text:ruby-base", Some(_)) => {}
                        ("text:s", Some(text)) => {
                            let count = repeated(&element, "text:c").min(1_000);
                            // Marked, so that it is not taken for white space of the XML.
                            text.extend(std::iter::repeat_n(SPACE, count));
                        }
                        ("text:tab", Some(text)) => text.push('\t'),
                        ("text:note" | "text:ruby-text", _) => {
                            depth -= 1;
                            self.xml.skip(&mut self.buffer)?;
                        }
                        // Fields such as the sheet's name: they stand in the text as it is shown.
                        (name, Some(_)) if name.starts_with("text:") => {}
                        // Comments, drawings.
                        _ => {
                            depth -= 1;
                            self.xml.skip(&mut self.buffer)?;
                        }
                    }
                }
                Event::End(_) => depth -= 1,
                Event::Eof => break,
                event => {
                    if let (Some(text), true) = (&mut text, depth > 1) {
                        let mut part = String::new();
                        push_text(&event, &mut part)?;
                        for letter in part.chars() {
                            // White space of the XML is one space, and none at the beginning of a paragraph.
                            match letter {
                                ' ' | '\t' | '\n' | '\r' if text.is_empty() || text.ends_with([' ', '\n']) => {}
                                ' ' | '\t' | '\n' | '\r' => text.push(' '),
                                other => text.push(other),
                            }
                        }
                    }
                }
            }
        }
        Ok(text.map(|text| text.trim_end_matches(' ').replace(SPACE, " ")))
    }
}

/// Stands for a space that the document asks for. No document may hold it: it is no character.
const SPACE: char = '\u{fdd0}';

/// What the tag of a cell says.
struct Found {
    kind: String,
    value: Option<String>,
    is_error: bool,
    has_formula: bool,
}

impl Found {
    fn of(element: &BytesStart<'_>) -> Self {
        let get = |name: &str| attribute(element, name).map(std::borrow::Cow::into_owned);
        let kind = get("office:value-type").unwrap_or_default();
        let value = match kind.as_str() {
            "date" => get("office:date-value"),
            "boolean" => get("office:boolean-value"),
            "string" => get("office:string-value"),
            "" => None,
            _ => get("office:value"),
        };
        let is_error = get("calcext:value-type").as_deref() == Some("error");
        Self { kind, value, is_error, has_formula: attribute(element, "table:formula").is_some() }
    }

    /// The cell, with the text that it shows.
    fn cell(self, text: Option<String>) -> Cell {
        if self.is_error {
            return Cell::wrong(format!("the error {}, expected a value", text.unwrap_or_default()));
        }
        let held = self.value.as_deref();
        match self.kind.as_str() {
            "float" | "percentage" | "currency" => match held.and_then(Decimal::stored) {
                Some(number) => {
                    let is_percent = self.kind == "percentage";
                    let kind = if is_percent { Kind::Percent } else { Kind::Number };
                    shown_number(text.as_deref(), &number, is_percent).map(|shown| (shown, kind)).into()
                }
                None => Cell::wrong("it is no finite number"),
            },
            "date" => match held {
                Some(date) => shown_date(text.as_deref(), iso_day(date)).map(|date| (date, Kind::Date)).into(),
                None => Cell::wrong("a date without a value"),
            },
            "time" => Cell::wrong("a time without a date, expected text, a number or a date"),
            "boolean" => match held {
                Some("true") => Cell::of(("TRUE".to_owned(), Kind::Boolean)),
                Some("false") => Cell::of(("FALSE".to_owned(), Kind::Boolean)),
                _ => Cell::wrong("it is neither true nor false"),
            },
            "string" => Cell::of((text.or(self.value).unwrap_or_default(), Kind::Text)),
            "" | "void" => match text {
                None if self.has_formula => without_result(),
                text => Cell::of((text.unwrap_or_default(), Kind::Text)),
            },
            _ => Cell::wrong("it holds something that is not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(rows: &str) -> (Vec<(u32, bool, Vec<Cell>)>, Layout) {
        let text = format!("<table:table>{rows}</table:table>");
        let (mut xml, mut buffer) = (Xml::new(text.as_bytes()), Vec::new());
        xml.next(&mut buffer).expect("the table");
        let mut found = Vec::new();
        let mut give = |row: u32, cells: &mut Vec<Cell>, hidden: bool| {
            found.push((row, hidden, std::mem::take(cells)));
            true
        };
        let layout = Reader { xml, buffer, layout: Layout::default(), row: 0 }.table(&mut give).expect("rows");
        (found, layout)
    }

    fn cell(attributes: &str, inner: &str) -> Cell {
        let row =
            format!("<table:table-row><table:table-cell {attributes}>{inner}</table:table-cell></table:table-row>");
        cells(&row).0.pop().and_then(|(.., mut cells)| cells.pop()).unwrap_or_default()
    }

    /// Goal: every type of value is read as it is shown, or refused.
    #[test]
    fn values() {
        let number = |kind: &str, value: &str, shown: &str| {
            cell(
                &format!("office:value-type=\"{kind}\" office:value=\"{value}\""),
                &format!("<text:p>{shown}</text:p>"),
            )
        };
        assert_eq!(number("float", "101234", "00101234").text, "00101234");
        assert_eq!(number("float", "12.5", "12,50").text, "12.50");
        assert_eq!(number("percentage", "0.85", "85 %").text, "85");
        assert!(number("float", "12.5", "13").problem.is_some_and(|what| what.contains("shows 13 and holds 12.5")));
        let date =
            cell("office:value-type=\"date\" office:date-value=\"2024-09-01T00:00:00\"", "<text:p>1.9.24</text:p>");
        assert_eq!((date.text.as_str(), date.kind), ("2024-09-01", Kind::Date));
        let boolean = cell("office:value-type=\"boolean\" office:boolean-value=\"true\"", "<text:p>WAHR</text:p>");
        assert_eq!((boolean.text.as_str(), boolean.kind), ("TRUE", Kind::Boolean));
        for (attributes, inner, words) in [
            ("office:value-type=\"string\" calcext:value-type=\"error\"", "<text:p>#N/A</text:p>", "the error #N/A"),
            ("table:formula=\"of:=1+1\"", "", "without a result"),
            ("office:value-type=\"time\" office:time-value=\"PT1H\"", "<text:p>1:00</text:p>", "a time without a date"),
        ] {
            assert!(cell(attributes, inner).problem.is_some_and(|what| what.contains(words)), "{words}");
        }
    }

    /// Goal: text is that of the paragraphs, with the spaces that the document asks for, and without comments and readings.
    #[test]
    fn texts() {
        let text = |inner: &str| cell("office:value-type=\"string\"", inner).text;
        assert_eq!(
            text("<text:p>Law  &amp; <text:span>art</text:span><text:s text:c=\"2\"/>x</text:p>"),
            "Law & art  x"
        );
        assert_eq!(text("<office:annotation><text:p>ask Ada</text:p></office:annotation><text:p>Law</text:p>"), "Law");
        assert_eq!(text("<text:p>a</text:p><text:p>b</text:p>"), "a\nb");
        let ruby = "<text:p><text:ruby><text:ruby-base>\u{6f22}</text:ruby-base><text:ruby-text>\u{304b}\u{3093}</text:ruby-text></text:ruby></text:p>";
        assert_eq!(text(ruby), "\u{6f22}");
        assert_eq!(cell("", "<text:p>sid</text:p>").text, "sid", "without a type");
    }

    /// Goal: what is repeated is repeated, without memory for what is empty; rows that are hidden and cells that are merged are told.
    #[test]
    fn repeated_hidden_and_merged() {
        let (rows, layout) = cells(
            "<table:table-column/><table:table-column table:number-columns-repeated=\"2\" table:visibility=\"collapse\"/>\
             <table:table-header-rows><table:table-row><table:table-cell table:number-columns-repeated=\"3\"><text:p>x</text:p></table:table-cell>\
             <table:table-cell table:number-columns-repeated=\"16381\"/></table:table-row></table:table-header-rows>\
             <table:table-row table:number-rows-repeated=\"9\"><table:table-cell/></table:table-row>\
             <table:table-row table:visibility=\"filter\" table:number-rows-repeated=\"2\"><table:table-cell/>\
             <table:table-cell table:number-columns-spanned=\"2\"><text:p>y</text:p></table:table-cell><table:covered-table-cell/></table:table-row>\
             <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell/></table:table-row>",
        );
        let shape: Vec<_> = rows.iter().map(|(row, hidden, cells)| (*row, *hidden, cells.len())).collect();
        assert_eq!(shape, [(0, false, 3), (10, true, 2), (11, true, 2)]);
        assert_eq!(layout.hidden_columns, [1, 2]);
        let merged = [Region { first: (10, 1), last: (10, 2) }, Region { first: (11, 1), last: (11, 2) }];
        assert_eq!(layout.merged, merged, "each of the rows that are repeated");
    }
}

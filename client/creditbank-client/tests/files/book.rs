//! Makes workbooks.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// An archive of these parts.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, text) in parts {
        zip.start_file(*name, options).expect("a part");
        zip.write_all(text.as_bytes()).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

/// An .xlsx workbook under construction.
#[derive(Default)]
pub(crate) struct Book {
    /// Number formats; style 1 is the first of them.
    pub(crate) formats: Vec<&'static str>,
    /// Name, state and XML of each sheet: what stands before its rows, its rows, what stands after them.
    pub(crate) sheets: Vec<(&'static str, &'static str, [String; 3])>,
    pub(crate) strings: &'static str,
    pub(crate) properties: &'static str,
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

impl Book {
    /// A workbook of one sheet with the header and one row of these cells.
    pub(crate) fn of(formats: &[&'static str], cells: [&str; 6]) -> Vec<u8> {
        Self::with(formats, &[row(1, &HEADER), row(2, &cells)].concat(), "").pack()
    }

    /// A workbook of one sheet.
    pub(crate) fn with(formats: &[&'static str], rows: &str, after: &str) -> Self {
        let sheet = ("Results", "visible", [String::new(), rows.to_owned(), after.to_owned()]);
        Self { formats: formats.to_vec(), sheets: vec![sheet], ..Self::default() }
    }

    pub(crate) fn pack(&self) -> Vec<u8> {
        let relation = |id: usize, kind: &str, target: &str| {
            format!(r#"<Relationship Id="r{id}" Type="{RELS}/{kind}" Target="{target}"/>"#)
        };
        let relations = |inner: String| format!(r#"<Relationships xmlns="x">{inner}</Relationships>"#);
        let codes = self.formats.iter().enumerate().map(|(at, code)| {
            let code = code.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            format!(r#"<numFmt numFmtId="{}" formatCode="{code}"/>"#, at + 164)
        });
        let styles = (0..self.formats.len()).map(|at| format!(r#"<xf numFmtId="{}"/>"#, at + 164));
        let styles = format!(
            r#"<styleSheet xmlns="{MAIN}"><numFmts>{}</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>{}</cellXfs></styleSheet>"#,
            codes.collect::<String>(),
            styles.collect::<String>()
        );
        let list = self.sheets.iter().enumerate().map(|(at, (name, state, _))| {
            format!(r#"<sheet name="{name}" sheetId="{}" state="{state}" r:id="r{}"/>"#, at + 1, at + 10)
        });
        let book = format!(
            r#"<workbook xmlns="{MAIN}" xmlns:r="{RELS}">{}<sheets>{}</sheets></workbook>"#,
            self.properties,
            list.collect::<String>()
        );
        let parts =
            (0..self.sheets.len()).map(|at| relation(at + 10, "worksheet", &format!("worksheets/sheet{at}.xml")));
        let parts = parts.collect::<String>()
            + &relation(1, "styles", "/xl/styles.xml")
            + &relation(2, "sharedStrings", "sharedStrings.xml");
        let mut all = vec![
            ("_rels/.rels".to_owned(), relations(relation(1, "officeDocument", "xl/workbook.xml"))),
            ("xl/workbook.xml".to_owned(), book),
            ("xl/_rels/workbook.xml.rels".to_owned(), relations(parts)),
            ("xl/styles.xml".to_owned(), styles),
            ("xl/sharedStrings.xml".to_owned(), format!("<sst>{}</sst>", self.strings)),
        ];
        for (at, (.., [before, rows, after])) in self.sheets.iter().enumerate() {
            let sheet =
                format!(r#"<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>"#);
            all.push((format!("xl/worksheets/sheet{at}.xml"), sheet));
        }
        let parts: Vec<_> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        archive(&parts)
    }
}

pub(crate) const HEADER: [&str; 6] = ["'sid", "'code", "'title", "'credits", "'grade", "'term"];

/// A row of cells: texts behind `'`, numbers as `5` or with their style as `5@1`, anything else as the cell's own XML, in which
/// `@` is its place.
pub(crate) fn row(number: u32, cells: &[&str]) -> String {
    row_with(number, "", cells)
}

/// The same with attributes of the row.
pub(crate) fn row_with(number: u32, attributes: &str, cells: &[&str]) -> String {
    let cell = |(column, cell): (u8, &&str)| {
        let place = format!("{}{number}", char::from(b'A' + column));
        match (cell.strip_prefix('\''), cell.split_once('@')) {
            (Some(text), _) => format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#),
            _ if cell.is_empty() => String::new(),
            _ if cell.starts_with('<') => cell.replace('@', &place),
            (_, Some((value, style))) => format!(r#"<c r="{place}" s="{style}"><v>{value}</v></c>"#),
            _ => format!(r#"<c r="{place}"><v>{cell}</v></c>"#),
        }
    };
    let cells = (0u8..).zip(cells).map(cell).collect::<String>();
    format!(r#"<row r="{number}" {attributes}>{cells}</row>"#)
}

/// An OpenDocument file with these sheets, and styles before them.
pub(crate) fn ods(styles: &str, sheets: &str) -> Vec<u8> {
    let content = format!(
        r#"<?xml version="1.0"?><office:document-content><office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body></office:document-content>"#
    );
    archive(&[("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("content.xml", &content)])
}

/// A row of an OpenDocument sheet: texts behind `'`, numbers with what they show as `0.85=85%`, else the cell's own XML.
pub(crate) fn ods_row(attributes: &str, cells: &[&str]) -> String {
    let cell = |cell: &&str| match (cell.strip_prefix('\''), cell.split_once('=')) {
        (Some(text), _) => {
            format!(r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#)
        }
        _ if cell.starts_with('<') => (*cell).to_owned(),
        (_, Some((value, shown))) => {
            let kind = if shown.contains('%') { "percentage" } else { "float" };
            format!(
                r#"<table:table-cell office:value-type="{kind}" office:value="{value}"><text:p>{shown}</text:p></table:table-cell>"#
            )
        }
        _ => "<table:table-cell/>".to_owned(),
    };
    format!("<table:table-row {attributes}>{}</table:table-row>", cells.iter().map(cell).collect::<String>())
}

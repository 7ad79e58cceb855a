//! Workbooks of both formats: what a cell shows, what a sheet hides, what it merges.

use crate::book::{Book, HEADER, archive, ods, ods_row, row, row_with};
use crate::read::{error, mapping, read, try_read};
use proptest::prelude::*;

/// The one line of a workbook with these cells.
fn line(formats: &[&'static str], cells: [&str; 6]) -> String {
    read(&mapping(""), &Book::of(formats, cells)).lines.remove(0)
}

/// Goal: each cell is read as it is shown where that loses nothing.
#[test]
fn cells_are_read_as_they_are_shown() {
    for (format, cell, shown) in [
        ("00000000", "101234@1", "00101234"),
        ("000-000", "1234@1", "001-234"),
        ("\"S\"00000", "123@1", "S00123"),
        ("[<=9999999]###\\-####;\\(###\\)\\ ###\\-####", "5551234@1", "555-1234"),
        ("General", "210520251234@1", "210520251234"),
        ("@", "7@1", "7"),
        ("0", "'00123", "00123"),
        ("_(* #,##0_);_(* \\(#,##0\\);_(* \"-\"??_);_(@_)", "1234@1", "1234"),
        ("\"S-\"@", "<c r=\"@\" s=\"1\" t=\"inlineStr\"><is><t>ab</t></is></c>", "S-ab"),
        ("0", "<c r=\"@\" t=\"str\"><f>\"a\"</f><v>a_x005F_x000D_b</v></c>", "a_x000D_b"),
        ("0", "<c r=\"@\" t=\"inlineStr\"><is><r><t>s</t></r><r><t>1</t></r><rPh><t>x</t></rPh></is></c>", "s1"),
        ("0", "<c r=\"@\"><f>1+1</f><v>2</v></c>", "2"),
    ] {
        let found = line(&[format], [cell, "'C1", "'Law", "6", "14", "'2024A"]);
        assert_eq!(found, format!("{shown}|Law|60000|14"), "{format}");
    }
    let on_twenty = mapping("").replace("GB-100-UG", "FR-20");
    let book = Book::of(&["0%"], ["'s1", "'C1", "'Law", "6", "0.12@1", "'2024A"]);
    let found = read(&on_twenty, &book).lines.remove(0);
    assert!(found.contains("cell E2: a percentage"), "12 % is not 12 of 20: {found}");
    for column in 0..4 {
        let mut cells = ["'s1", "'C1", "'Law", "6", "14", "'2024A"];
        cells[column] = "0.12@1";
        let found = line(&["0%"], cells);
        assert!(found.contains("a percentage"), "column {column}: {found}");
    }
    for (format, cell, grade) in [
        ("0%", "0.85@1", "85"),
        ("0.0%", "0.855@1", "85.5"),
        ("0.00", "12.5@1", "12.50"),
        ("#,##0.0", "12.5@1", "12.5"),
    ] {
        let found = line(&[format], ["'s1", "'C1", "'Law", "6", cell, "'2024A"]);
        assert_eq!(found, format!("s1|Law|60000|{grade}"), "{format}");
    }
}

/// Goal: what a display rounds, hides or replaces, and what is no value, is refused with its cell and both values.
#[test]
fn cells_that_are_refused() {
    for (format, cell, words) in [
        ("0", "12.5@1", "cell E2: the cell shows 13 and holds 12.5"),
        ("0.0", "12.55@1", "cell E2: the cell shows 12.6 and holds 12.55"),
        ("0%", "0.855@1", "cell E2: the cell shows 86% and holds 0.855"),
        (";;;", "14@1", "cell E2: the cell shows nothing and holds 14"),
        ("[>=10]\"pass\";\"fail\"", "14@1", "cell E2: the cell shows pass and holds 14"),
        ("0.00E+00", "14@1", "cell E2: the cell has the format \"0.00E+00\" with an exponent"),
        ("# ?/?", "7.5@1", "with a fraction"),
        ("yyyy-mm-dd", "45324@1", "cell E2: a date"),
        ("d\\-mmm", "45324@1", "cell E2: the cell holds the day 2024-02-02 and hides a part of it"),
        ("[h]:mm", "1.5@1", "cell E2: a time without a date"),
        ("0", "<c r=\"@\" t=\"b\"><v>1</v></c>", "cell E2: a boolean"),
        ("0", "<c r=\"@\" t=\"e\"><v>#DIV/0!</v></c>", "cell E2: the error #DIV/0!"),
        ("0", "<c r=\"@\" t=\"e\"><v>#SOMETHING_NEW!</v></c>", "cell E2: the error #SOMETHING_NEW!"),
        ("0", "<c r=\"@\"><f>A1+1</f></c>", "cell E2: a formula without a result"),
        ("0", "<c r=\"@\"><f>A1+1</f><v/></c>", "cell E2: a formula without a result"),
        ("0", "<c r=\"@\" t=\"str\"><f>A1</f></c>", "cell E2: a formula without a result"),
        ("0", "<c r=\"@\" t=\"d\"><v>2024-02-01T00:00:00</v></c>", "cell E2: a date"),
        ("0", "'#BEZUG!", "cell E2: an error of a spreadsheet program"),
        ("0", "0.30000000000000004@0", "cell E2: 0.30000000000000004 has more digits"),
        ("0", "12345678901234567@1", "more than 15 digits"),
        ("0", "<c r=\"@\" t=\"s\"><v>99</v></c>", "it is damaged"),
        ("0", "'a_x000D_&#10;b", "a line break"),
    ] {
        let found = line(&[format], ["'s1", "'C1", "'Law", "6", cell, "'2024A"]);
        assert!(found.starts_with("!2 grade: ") && found.contains(words), "{format} {cell}: {found}");
    }
    // Nobody reads that column.
    let rows = [
        row(1, &[&HEADER[..], &["'note"]].concat()),
        row(2, &["'s1", "'C1", "'Law", "6", "14", "'2024A", "<c r=\"@\" t=\"e\"><v>#N/A</v></c>"]),
    ];
    assert_eq!(read(&mapping(""), &Book::with(&[], &rows.concat(), "").pack()).lines, ["s1|Law|60000|14"]);
}

/// Goal: dates go where dates belong, in both date systems.
#[test]
fn dates_go_into_fields_of_dates() {
    let dated = mapping("").replace("period_from = \"2024-09\"", "period_from = { column = \"from\" }");
    for (properties, day) in [("", "45536@1"), ("<workbookPr date1904=\"1\"/>", "44074@1")] {
        let rows =
            [row(1, &[&HEADER[..], &["'from"]].concat()), row(2, &["'s1", "'C1", "'Law", "6", "14", "'2024A", day])];
        let book = Book { properties, ..Book::with(&["dd\\.mm\\.yyyy"], &rows.concat(), "") };
        assert_eq!(read(&dated, &book.pack()).lines, ["s1|Law|60000|14"]);
    }
}

/// Goal: what is merged counts only in columns that are read, below the header.
#[test]
fn merged_cells() {
    let rows = [
        row(1, &["'Results of 2024"]),
        row(3, &[&HEADER[..], &["'note"]].concat()),
        row(4, &["'s1", "'C1", "'Law", "6", "14", "'2024A", "'x"]),
        row(5, &["'s2", "'C1", "'Law", "6", "14", "'2024A"]),
        row(6, &["'s3", "'C1", "'Law", "6", "14", "'2024A"]),
    ];
    let merged = r#"<mergeCells><mergeCell ref="A1:G1"/><mergeCell ref="G4:G6"/><mergeCell ref="C5:D5"/></mergeCells>"#;
    let found = read(&mapping("header_line = 3"), &Book::with(&[], &rows.concat(), merged).pack());
    assert_eq!(found.good(), ["s1|Law|60000|14", "s3|Law|60000|14"]);
    assert!(found.refused()[0].contains("it is merged with others from C5 on"), "{:?}", found.lines);
}

/// Goal: a filter that hides nothing is no matter; a hidden column only where it is read; rows above the header may be hidden.
#[test]
fn hidden_things() {
    let good = ["'s1", "'C1", "'Law", "6", "14", "'2024A", "'x"];
    let header = [&HEADER[..], &["'note"]].concat();
    let rows = [
        row_with(1, "hidden=\"1\"", &["'old title"]),
        row(2, &header),
        row(3, &good),
        row_with(4, "hidden=\"1\"", &[]),
    ]
    .concat();
    let filter = r#"<autoFilter ref="A2:G3"><filterColumn colId="0"/></autoFilter>"#;
    let mut book = Book::with(&[], &rows, filter);
    book.sheets[0].2[0] = r#"<cols><col min="7" max="7" hidden="1"/></cols>"#.to_owned();
    let found = read(&mapping("header_line = 2"), &book.pack());
    assert_eq!(found.lines, ["s1|Law|60000|14"]);
    assert!(found.about.notes.contains(&"hidden columns: G".to_owned()), "{:?}", found.about.notes);
    book.sheets[0].2[0] = r#"<cols><col min="5" max="6" hidden="1"/></cols>"#.to_owned();
    for file in ["header_line = 2", "header_line = 2\nhidden = \"skip\""] {
        let refused = error(&mapping(file), &book.pack());
        assert!(refused.contains("is hidden") && refused.contains("include"), "{refused}");
    }
    assert_eq!(read(&mapping("header_line = 2\nhidden = \"include\""), &book.pack()).lines.len(), 1);
    let hidden = Book::with(&[], &[row(1, &header), row_with(2, "ht=\"0\"", &good)].concat(), "").pack();
    assert!(error(&mapping(""), &hidden).contains("hides rows, perhaps by a filter (row 2)."));
    assert!(error(&mapping("hidden = \"skip\""), &hidden).contains("no lines after the header"));
}

/// Goal: the first visible sheet is read, or the one that is named, in any script; the report says which.
#[test]
fn sheets() {
    let rows = |id: &str| [row(1, &HEADER), row(2, &[id, "'C1", "'Law", "6", "14", "'2024A"])].concat();
    let sheet = |name, state, id: &str| (name, state, [String::new(), rows(id), String::new()]);
    let book = Book {
        sheets: vec![
            sheet("Old", "veryHidden", "'s1"),
            sheet("\u{6210}\u{7e3e}", "visible", "'s2"),
            sheet("Noten \u{c9}t\u{e9}", "visible", "'s3"),
        ],
        ..Book::default()
    }
    .pack();
    let first = read(&mapping(""), &book);
    assert_eq!((first.about.sheet.as_deref(), first.lines[0].as_str()), (Some("\u{6210}\u{7e3e}"), "s2|Law|60000|14"));
    assert!(first.about.notes.iter().any(|note| note.contains("not read: \"Noten \u{c9}t\u{e9}\"")));
    let named = read(&mapping("sheet = \"Noten E\u{301}te\u{301}\""), &book);
    assert_eq!(named.lines, ["s3|Law|60000|14"]);
    assert!(error(&mapping("sheet = \"Old\""), &book).contains("is hidden"));
    assert_eq!(read(&mapping("sheet = \"Old\"\nhidden = \"include\""), &book).lines, ["s1|Law|60000|14"]);
    let missing = error(&mapping("sheet = \"X\""), &book);
    assert!(
        missing.contains("its sheets are \"\u{6210}\u{7e3e}\"") && missing.contains("and hidden \"Old\""),
        "{missing}"
    );
    let none = Book { sheets: vec![sheet("Old", "hidden", "'s1")], ..Book::default() }.pack();
    assert!(error(&mapping(""), &none).contains("no visible sheet"));
}

/// Goal: what stands beside the table is not read; where a cell of the table is empty too, the row may have been moved.
#[test]
fn values_beside_the_table() {
    let rows = [
        row(1, &HEADER),
        row(2, &["'s1", "'C1", "'Law", "6", "14", "'2024A", "'checked"]),
        row(3, &["'s2", "'C1", "", "'Law", "6", "14", "'2024A"]),
    ];
    let found = read(&mapping(""), &Book::with(&[], &rows.concat(), "").pack());
    assert_eq!(found.good(), ["s1|Law|60000|14"]);
    assert!(found.refused()[0].contains("cell G3") && found.refused()[0].contains("C3 is empty"), "{:?}", found.lines);
}

/// Goal: shared texts, with runs, readings and escapes.
#[test]
fn shared_texts() {
    let cells = ["<c r=\"@\" t=\"s\"><v>0</v></c>", "'C1", "<c r=\"@\" t=\"s\"><v>1</v></c>", "6", "14", "'2024A"];
    let rows = [row(1, &HEADER), row(2, &cells)].concat();
    let strings = "<si><r><t>s</t></r><r><t>1</t></r></si><si><t>\u{6cd5}</t><rPh><t>\u{307b}\u{3046}</t></rPh></si>";
    let book = Book { strings, ..Book::with(&[], &rows, "") };
    assert_eq!(read(&mapping(""), &book.pack()).lines, ["s1|\u{6cd5}|60000|14"]);
}

/// Goal: an OpenDocument sheet says the same as the workbook.
#[test]
fn open_document() {
    let table = |name: &str, style: &str, rows: &str| {
        format!(
            r#"<table:table table:name="{name}" table:style-name="{style}"><table:table-column/>{rows}</table:table>"#
        )
    };
    let header = ods_row("", &HEADER);
    let hidden = r#"<style:style style:name="h" style:family="table"><style:table-properties table:display="false"/></style:style>"#;
    let rows = [
        header.clone(),
        ods_row("", &["101234=00101234", "'C1", "'Law", "7.5=7,50", "0.85=85 %", "'2024A"]),
        ods_row("", &["'s2", "'C1", "'Law", "6=6", "12.5=13", "'2024A"]),
        ods_row("table:number-rows-repeated=\"3\"", &["", "", ""]),
        ods_row(
            "",
            &[
                "'s3",
                "'C1",
                "<table:table-cell office:value-type=\"string\" table:number-columns-spanned=\"2\"><text:p>Law</text:p></table:table-cell>",
                "<table:covered-table-cell/>",
                "14=14",
                "'2024A",
            ],
        ),
        ods_row(
            "",
            &[
                "'s4",
                "'C1",
                "'Law",
                "6=6",
                "<table:table-cell office:value-type=\"date\" office:date-value=\"2024-02-01\"><text:p>1-2</text:p></table:table-cell>",
                "'2024A",
            ],
        ),
        ods_row("table:number-rows-repeated=\"1048000\"", &[""]),
    ];
    let file = ods(hidden, &(table("Old", "h", &header) + &table("Results", "v", &rows.concat())));
    let found = read(&mapping(""), &file);
    assert_eq!(found.good(), ["00101234|Law|75000|85"]);
    assert_eq!((found.about.format, found.about.sheet.as_deref()), ("OpenDocument sheet (.ods)", Some("Results")));
    for (line, words) in [
        ("3 grade", "cell E3: the cell shows 13 and holds 12.5"),
        ("7 title", "cell C7: it is merged with others from C7 on"),
        ("8 grade", "cell E8: the cell shows 1-2 and holds the day 2024-02-01"),
    ] {
        assert!(
            found.refused().iter().any(|refused| refused.starts_with(line) && refused.contains(words)),
            "{:?}",
            found.lines
        );
    }
    let filtered =
        [header.as_str(), &ods_row("table:visibility=\"filter\"", &["'s1", "'C1", "'Law", "6=6", "14=14", "'2024A"])]
            .concat();
    assert!(
        error(&mapping(""), &ods("", &table("R", "v", &filtered))).contains("hides rows, perhaps by a filter (row 2).")
    );
    let encrypted = archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", "garbage"),
        ("META-INF/manifest.xml", "<manifest:encryption-data/>"),
    ]);
    assert!(error(&mapping(""), &encrypted).contains("with a password"));
    let text = archive(&[("mimetype", "application/vnd.oasis.opendocument.text"), ("content.xml", "<x/>")]);
    assert!(error(&mapping(""), &text).contains("without sheets"));
}

/// Goal: damaged and hostile workbooks are refused, with words and without their text.
#[test]
fn damaged_workbooks() {
    let rows = |inner: &str| Book::with(&[], inner, "").pack();
    let deep = "<a>".repeat(300) + &"</a>".repeat(300);
    for (book, words) in [
        (rows("<row r=\"1\"><c r=\"A1\"><v>Ada</w></c></row>"), "damaged"),
        (rows(&deep), "too deep"),
        (
            rows(&row(1, &["<c r=\"B1\"><v>1</v></c>", "<c r=\"A1\"><v>1</v></c>"])),
            "stands twice or in the wrong place",
        ),
        (rows("<row r=\"1\"><c r=\"ZZZ1\"><v>1</v></c></row>"), "beyond"),
        (rows("<row r=\"5\"/><row r=\"2\"/>"), "row 2 stands after row 5"),
        (rows(&row(1, &["'&bad;"])), "entity"),
        (archive(&[("word/document.xml", "<x/>")]), ".docx"),
        (archive(&[("results.csv", "sid")]), "unpack it"),
        (archive(&[("xl/workbook.bin", "x")]), ".xlsb"),
    ] {
        let refused = error(&mapping(""), &book);
        assert!(refused.contains(words) && !refused.contains("Ada"), "{words}: {refused}");
    }
}

proptest! {
    /// Goal: no sheet, however broken, makes the reader panic: a panic of its thread would say no more than "it is damaged".
    #[test]
    fn broken_sheets(pieces in proptest::collection::vec(0usize..26, 0..40)) {
        const PIECES: [&str; 26] = [
            "<row>", "<row r=\"2\">", "<row r=\"99999999999\">", "</row>", "<c>", "<c r=\"B2\" s=\"9\">", "<c t=\"s\">", "<c t=\"b\">", "</c>",
            "<v>", "</v>", "1", "-1e400", "45000.99999999", "&#x41;", "&x;", "<is>", "</is>", "<t>", "</t>", "<f/>", "<rPh>", "</rPh>",
            "<mergeCell ref=\"A1:XFD1048576\"/>", "<cols><col min=\"1\" max=\"99999999\" hidden=\"1\"/></cols>", "\u{1f600}",
        ];
        let inner: String = pieces.iter().map(|at| PIECES[*at]).collect();
        let book = Book::with(&["0%"], &(row(1, &HEADER) + &inner), "").pack();
        if let Err(error) = try_read(&mapping("hidden = \"include\""), None, &book) {
            prop_assert!(!error.ends_with("read: it is damaged"), "{}", error);
        }
    }
}

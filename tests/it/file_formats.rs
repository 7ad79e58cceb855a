//! The same results in every format and encoding that a registrar's file comes in.

use std::io::{Cursor, Write as _};

use creditbank_client::import::Encoding;
use creditbank_protocol::UnitId;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::Credit;
use creditbank_tests::Registrar;
use encoding_rs::GB18030;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The title of the unit's first record.
async fn first_title(desk: &Registrar) -> String {
    let place = desk.node.ledger().issued(UnitId::new(1, 1), 0, 10).expect("a list").0[0].place;
    let read = desk.client().await.record(place).await.expect("the record");
    let credit = decode::<Credit>(&read.disclosed.body).expect("a Credit");
    credit.course.expect("a course").titles[0].value.clone()
}

/// Goal: text is kept byte for byte, decomposed letters too; only with UTF-8 by name a line that is not is refused alone.
#[tokio::test(flavor = "multi_thread")]
async fn utf_8_with_a_mark_and_a_bad_line() {
    let desk = Registrar::new().await;
    let mut csv = b"\xef\xbb\xbf".to_vec();
    csv.extend(desk.csv("1,C1,2023A,Re\u{301}sume\u{301},15,pass\n").replace('\n', "\r\n").as_bytes());
    csv.extend(b"2,C1,2023A,caf\xe9,15,pass\r\n");
    let refused = desk.issue(&csv).await.expect_err("the file is not UTF-8").to_string();
    assert!(refused.contains("line 3, character 15") && refused.contains("e9"), "{refused}");
    assert_eq!(desk.sealed(), 0, "nothing was issued");
    let done = desk.issue_as(&csv, Some(Encoding::Utf8), None).await.expect("the import goes through");
    assert_eq!((done.records, done.refused), (1, 1));
    assert_eq!(desk.report(), "line,field,reason\n3,title,the text is not UTF-8\n");
    assert_eq!(first_title(&desk).await, "Re\u{301}sume\u{301}", "byte for byte");
}

/// Goal: Chinese and UTF-16 files come through as they are meant, and nothing is guessed.
#[tokio::test(flavor = "multi_thread")]
async fn gb_18030_and_utf_16() {
    let csv = |desk: &Registrar| desk.csv("1,C1,2023A,\u{9ad8}\u{7b49}\u{6570}\u{5b66}\u{20000},15,pass\n");
    let desk = Registrar::new().await;
    let gb = GB18030.encode(&csv(&desk)).0.into_owned();
    let refused = desk.issue(&gb).await.expect_err("it is not said to be GB 18030").to_string();
    assert!(refused.contains("--encoding NAME") && refused.contains("Thai: windows-874"), "{refused}");
    let gb_18030 = Encoding::by_name("gb18030");
    let done = desk.issue_as(&gb, gb_18030, None).await.expect("the import");
    assert_eq!(done.records, 1);
    assert_eq!(first_title(&desk).await, "\u{9ad8}\u{7b49}\u{6570}\u{5b66}\u{20000}");
    // The same file in UTF-16 is the same records.
    let utf16: Vec<u8> = format!("\u{feff}{}", csv(&desk)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(desk.issue(&utf16).await.expect("again").already, 1);
    let without_mark = desk.issue(&utf16[2..]).await.expect_err("no mark").to_string();
    assert!(without_mark.contains("utf-16le"), "{without_mark}");
    let broken = desk.issue_as([&gb[..], b"\xff"].concat(), gb_18030, None).await;
    assert!(broken.expect_err("a byte too many").to_string().contains("line 3, character 1"));
}

/// A workbook of these parts.
fn archive(parts: &[(&str, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, text) in parts {
        zip.start_file(*name, options).expect("a part");
        zip.write_all(text.as_bytes()).expect("its bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

/// A workbook with one sheet of these rows and what stands after them, and an empty one before it.
fn workbook(rows: &str, after: &str, properties: &str) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let rels = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let sheet = |rows: &str, after: &str| {
        format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData>{after}</worksheet>"#)
    };
    archive(&[
        (
            "_rels/.rels",
            format!(
                r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{rels}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                r#"<workbook xmlns="{main}" xmlns:r="{rels}">{properties}<sheets><sheet name="Notes" sheetId="1" r:id="r1"/><sheet name="Results" sheetId="2" r:id="r2"/></sheets></workbook>"#
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{rels}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{rels}/worksheet" Target="worksheets/sheet2.xml"/><Relationship Id="r3" Type="{rels}/styles" Target="styles.xml"/></Relationships>"#
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                r#"<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#
            ),
        ),
        ("xl/worksheets/sheet1.xml", sheet("", "")),
        ("xl/worksheets/sheet2.xml", sheet(rows, after)),
    ])
}

/// A row of cells: texts in quotes, anything else as the cell's own XML.
fn row(number: u32, cells: &[&str]) -> String {
    let cell = |(column, cell): (u8, &&str)| {
        let place = format!("{}{number}", char::from(b'A' + column));
        match cell.strip_prefix('\'') {
            Some(text) => format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#),
            None if cell.starts_with('<') => cell.replace('@', &place),
            None => format!(r#"<c r="{place}"><v>{cell}</v></c>"#),
        }
    };
    let cells = (0u8..).zip(cells).map(cell).collect::<Vec<_>>().concat();
    format!(r#"<row r="{number}">{cells}</row>"#)
}

const HEADER: [&str; 6] = ["'student", "'course", "'term", "'title", "'credits", "'result"];

/// Goal: the good rows of a workbook become records, exactly; every bad cell is named with its reason.
#[tokio::test(flavor = "multi_thread")]
async fn a_workbook() {
    let desk = Registrar::new().await;
    let rows = [
        row(2, &HEADER),
        row(3, &["990001", "'C1", "'2023A", "'Good", "7.5", "'pass"]),
        row(4, &["990002", "'C1", "'2023A", "'As Excel writes 1.1", "1.1000000000000001", "'pass"]),
        row(5, &["990003", "'C1", "'2023A", "'Computed", "0.30000000000000004", "'pass"]),
        row(7, &["990004", "'C1", "'2023A", "'Error", r#"<c r="@" t="e"><v>#N/A</v></c>"#, "'pass"]),
        row(8, &["990005", "'C1", "'2023A", "'Formula", r#"<c r="@"><f>2*7.5</f><v>15</v></c>"#, "'pass"]),
        row(9, &["12345678901234567", "'C1", "'2023A", "'A long number", "15", "'pass"]),
        row(10, &["990006", "'C1", "'2023A", "'Merged", "15", "'pass"]),
        row(11, &["990007", "'C1", "'2023A", "'Too much", "15", "'pass", "'what is this"]),
        row(12, &["990008", "'C1", "'2023A", r#"<c r="@" s="1"><v>45536</v></c>"#, "-15", "'pass"]),
        row(13, &["990009", "'C1", "'2023A", "'Good too", "15", "'pass"]),
        row(14, &["", "", "", "", "", ""]),
    ];
    let book = workbook(&rows.concat(), r#"<mergeCells count="1"><mergeCell ref="D10:E10"/></mergeCells>"#, "");
    let done = desk.issue_as(&book, None, Some("Results")).await.expect("the import");
    let report = desk.report();
    assert_eq!((done.records, done.refused), (5, 5), "{report}");
    assert_eq!(done.credits.get("CATS"), Some(&(7_5000 + 1_1000 + 3 * 15_0000)));
    for (line, field, words) in [
        (5, "credits", "cell E5: 0.30000000000000004"),
        (7, "credits", "cell E7: the error #N/A"),
        (9, "student", "cell A9: a number of more than 15 digits"),
        (10, "title", "cell D10: it is merged with others from D10 on"),
        (12, "title", "cell D12: a date"),
    ] {
        let found = report.lines().find(|found| found.starts_with(&format!("{line},"))).unwrap_or_default();
        assert!(found.starts_with(&format!("{line},{field},")) && found.contains(words), "{line}: {report}");
    }
    // The same results as CSV are the same records.
    let again = desk.issue(desk.csv("990001,C1,2023A,Good,7.5,pass\n990009,C1,2023A,Good too,15,pass\n")).await;
    assert_eq!(again.expect("again").already, 2);
}

/// Goal: what is no workbook, has no such sheet, or unpacks to too much is refused whole, with the reason.
#[tokio::test(flavor = "multi_thread")]
async fn workbooks_that_cannot_be_read() {
    let desk = Registrar::new().await;
    let book = workbook(&row(1, &HEADER), "", "");
    let refused = async |file: &[u8], sheet: Option<&str>| {
        desk.issue_as(file, None, sheet).await.expect_err("refused").to_string()
    };
    let missing = refused(&book, Some("Marks")).await;
    assert!(missing.contains("\"Marks\"") && missing.contains("\"Notes\", \"Results\""), "{missing}");
    assert!(refused(&book, None).await.contains("empty"), "the first sheet has no header");
    assert!(refused(&book[..book.len() / 2], None).await.contains("workbook"));
    assert!(refused(b"PK\x03\x04 and nothing else", None).await.contains("workbook"));
    assert!(refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old one", None).await.contains(".xls workbook"));
    assert!(refused(desk.csv("").as_bytes(), Some("Results")).await.contains("it is no workbook"));
    assert!(refused(&archive(&[("mimetype", "application/zip".to_owned())]), None).await.contains("workbook"));
    let bomb = archive(&[("xl/styles.xml", "<a>".repeat(65 << 20 >> 1))]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    assert!(refused(&bomb, None).await.contains("unpacks to more than"));
    let long = workbook(&row(1, &[&format!("'{}", "x".repeat(2 << 20))]), "", "");
    assert!(refused(&long, Some("Results")).await.contains("a value of more than"));
    let far = workbook(&row(1, &[r#"<c r="ZZZ1"><v>1</v></c>"#]), "", "");
    assert!(refused(&far, Some("Results")).await.contains("beyond"));
    let backwards = workbook(&[row(5, &HEADER), row(2, &HEADER)].concat(), "", "");
    assert!(refused(&backwards, Some("Results")).await.contains("row 2 stands after row 5"));
    assert_eq!(desk.sealed(), 0);
}

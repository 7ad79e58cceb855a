//! How much memory a large workbook takes. Run it with `--ignored --nocapture`; it is slow without optimisation.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use creditbank_client::import::{Mapping, Rows};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::book::Book;
use crate::read::mapping;

const ROWS: u32 = 200_000;

/// Most memory of this process so far, in KiB; Linux alone says it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Writes a workbook of ten columns in which each row has three texts of its own.
fn write(file: &File) {
    let small = Book::with(&["00000000", "0%"], "", "").pack();
    let mut parts = zip::ZipArchive::new(std::io::Cursor::new(small)).expect("an archive");
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for index in 0..parts.len() {
        let part = parts.by_index_raw(index).expect("a part");
        let name = part.name().expect("a name").into_owned();
        if !name.contains("sheet0") && !name.contains("sharedStrings") {
            zip.raw_copy_file(part).expect("a part");
        }
    }
    zip.start_file("xl/sharedStrings.xml", options).expect("a part");
    zip.write_all(b"<sst>").expect("bytes");
    for name in ["sid", "code", "title", "credits", "grade", "term", "name", "e-mail", "room", "note"] {
        write!(zip, "<si><t>{name}</t></si>").expect("bytes");
    }
    for row in 0..ROWS {
        let texts = format!("<si><t>Introduction to Subject {row}</t></si><si><t>Student Number {row}</t></si>");
        write!(zip, "{texts}<si><t>student.{row}@university.example</t></si>").expect("bytes");
    }
    zip.write_all(b"</sst>").expect("bytes");
    zip.start_file("xl/worksheets/sheet0.xml", options).expect("a part");
    zip.write_all(b"<worksheet><sheetData><row r=\"1\">").expect("bytes");
    (0..10).for_each(|at| write!(zip, "<c t=\"s\"><v>{at}</v></c>").expect("bytes"));
    for row in 0..ROWS {
        let (number, text) = (row + 2, 10 + 3 * row);
        write!(
            zip,
            "</row><row r=\"{number}\"><c s=\"1\"><v>{row}</v></c><c t=\"inlineStr\"><is><t>C1</t></is></c><c t=\"s\"><v>{text}</v></c>\
             <c><v>7.5</v></c><c s=\"2\"><v>0.85</v></c><c t=\"inlineStr\"><is><t>2024A</t></is></c><c t=\"s\"><v>{}</v></c>\
             <c t=\"s\"><v>{}</v></c><c><v>12</v></c><c><v>0</v></c>",
            text + 1,
            text + 2
        )
        .expect("bytes");
    }
    zip.write_all(b"</row></sheetData></worksheet>").expect("bytes");
    zip.finish().expect("an archive");
}

/// Goal: a workbook of 200,000 rows and ten columns is read with less than 300 MB.
#[test]
#[ignore = "slow without optimisation"]
fn a_large_workbook() {
    let path = tempfile::NamedTempFile::new().expect("a file");
    write(path.as_file());
    // The peak begins anew.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = peak_kib();
    let mapping = Mapping::parse(&mapping("")).expect("a mapping");
    let began = std::time::Instant::now();
    let rows = Rows::open(&mapping, File::open(path.path()).expect("the file")).expect("the header");
    let good = rows.filter(|row| matches!(row, Ok(Ok(_)))).count();
    assert_eq!(good, usize::try_from(ROWS).expect("a count"));
    println!("{good} rows in {:?}; peak {:?} KiB, before {before:?} KiB", began.elapsed(), peak_kib());
    assert!(peak_kib().is_none_or(|peak| peak < 300 << 10));
}

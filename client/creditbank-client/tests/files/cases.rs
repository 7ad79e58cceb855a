//! The cases in tests/cases, each against its right value.

use crate::read::{case, case_mapping, error, read, try_read};

/// Goal: a number under a format of zeros is another person's number without them: it is read as it is shown.
#[test]
fn case_01_zeros_of_a_number_format() {
    let mapping = case_mapping("01-zero-numfmt/mapping.toml");
    assert_eq!(
        read(&mapping, &case("01-zero-numfmt/input.xlsx")).lines,
        ["00101234|Algebra|60000|15", "00101235|Algebra|60000|12"]
    );
    assert_eq!(
        read(&mapping, &case("01-zero-numfmt/input.csv")).lines,
        ["00101234|Analysis|60000|14", "00101235|Analysis|60000|11"]
    );
}

/// Goal: a number of more digits than a workbook keeps is refused, one of twelve is read.
#[test]
fn case_02_long_numbers() {
    let mapping = case_mapping("02-sci-id/mapping-x.toml");
    let found = read(&mapping, &case("02-sci-id/input.xlsx"));
    assert_eq!(found.good(), ["210520251234|Statistics|60000|14"]);
    assert!(found.refused()[0].starts_with("2 sid: cell A2: a number of more than 15 digits"), "{:?}", found.lines);
}

/// Goal: 85% is 85, and 100% is 100.
#[test]
fn case_04_percent() {
    let found = read(&case_mapping("04-percent/mapping.toml"), &case("04-percent/input.xlsx"));
    assert_eq!(found.lines, ["p1|Ethics|100000|85", "p2|Ethics|100000|100"]);
}

/// Goal: a hidden row stops the file until the mapping says what becomes of it; a hidden sheet is not the first one.
#[test]
fn case_07_hidden() {
    let mapping = case_mapping("07-hidden/mapping.toml");
    let refused = error(&mapping, &case("07-hidden/input.xlsx"));
    assert!(
        refused.contains("hides rows, perhaps by a filter (row 3).") && refused.contains("hidden = \"skip\""),
        "{refused}"
    );
    let skipped = read(&case_mapping("07-hidden/mapping-skip.toml"), &case("07-hidden/input.xlsx"));
    assert_eq!(skipped.lines, ["h1|Optics|60000|14", "h3|Optics|60000|15"]);
    assert!(skipped.about.notes.iter().any(|note| note.contains("hidden rows were left out: 3")));
    let included = mapping.replace("[file]", "[file]\nhidden = \"include\"");
    assert_eq!(read(&included, &case("07-hidden/input.xlsx")).lines.len(), 3);
    let sheet = read(&mapping, &case("07-hidden/hidden-sheet.xlsx"));
    assert_eq!((sheet.about.sheet.as_deref(), sheet.lines), (Some("Final"), vec!["h4|Optics|60000|16".to_owned()]));
    let old = mapping.replace("[file]", "[file]\nsheet = \"Old\"");
    assert!(error(&old, &case("07-hidden/hidden-sheet.xlsx")).contains("the sheet \"Old\" is hidden"));
}

/// Goal: text is decoded by the name that the registrar gives, and none is recommended; the words are shown.
#[test]
fn case_08_encodings() {
    let mapping = case_mapping("08-latin1/mapping.toml");
    let refused = error(&mapping, &case("08-latin1/input.csv"));
    assert!(refused.contains("line 2, character 9") && refused.contains("Western European: windows-1252"), "{refused}");
    let words = |encoding: &str, file: &str| {
        let mapping = if file.contains("kr") || file.contains("jis") {
            "08-latin1/mapping-jp.toml"
        } else {
            "08-latin1/mapping.toml"
        };
        let read = try_read(&case_mapping(mapping), Some(encoding), &case(file)).expect("text");
        read.about.samples.into_iter().map(|sample| (sample.line, sample.word)).collect::<Vec<_>>()
    };
    let word = |line: u64, word: &str| (line, word.to_owned());
    for encoding in ["latin-1", "windows-1252", "ISO-8859-15"] {
        let found = words(encoding, "08-latin1/input.csv");
        assert_eq!(found[..2], [word(2, "G\u{e9}om\u{e9}trie"), word(2, "diff\u{e9}rentielle")]);
    }
    assert_eq!(words("latin-1", "08-latin1/german.csv")[0], word(2, "Gr\u{f6}\u{df}ensch\u{e4}tzung"));
    assert_eq!(words("shift_jis", "08-latin1/sjis.csv")[0], word(2, "\u{7dda}\u{5f62}\u{4ee3}\u{6570}"));
    assert_eq!(words("euc-kr", "08-latin1/euckr.csv")[0], word(2, "\u{c120}\u{d615}\u{b300}\u{c218}\u{d559}"));
}

/// Goal: a line `sep=;` is the spreadsheet's own.
#[test]
fn case_10_separator_line() {
    let mapping = case_mapping("10-sep/mapping.toml");
    let input = case("10-sep/input.csv");
    assert_eq!(read(&mapping, &input).lines, ["s1|Law|60000|14"]);
    assert_eq!(read(&mapping.replace("delimiter = \";\"", ""), &input).lines, ["s1|Law|60000|14"]);
    let other = mapping.replace("delimiter = \";\"", "delimiter = \",\"");
    assert!(error(&other, &input).contains("line 1 says that the delimiter is ';'"));
}

/// Goal: what has the name .xls and is something else is named; no text of it is in the error.
#[test]
fn case_18_other_things_with_the_name_xls() {
    let mapping = case_mapping("18-html-xls/mapping.toml");
    let page = error(&mapping, &case("18-html-xls/input.xls"));
    assert!(page.contains("an HTML page") && page.contains("save it as .xlsx") && !page.contains("Optics"), "{page}");
    let xml = error(&mapping, &case("18-html-xls/sm2003.xls"));
    assert!(xml.contains("an XML spreadsheet of 2003") && !xml.contains("sid"), "{xml}");
}

/// Goal: an OpenDocument sheet is read; here it has one column, and all that are missing are named.
#[test]
fn case_19_open_document() {
    let refused = error(&case_mapping("19-ods/mapping.toml"), &case("19-ods/input.ods"));
    for words in
        ["\"code\", \"credits\", \"grade\", \"term\", \"title\"", "line 1 was taken as the header", "columns \"sid\""]
    {
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

/// Goal: titles above the header and a signature below the table are left out when the mapping says so; else the message says
/// where the header is.
#[test]
fn case_20_title_rows() {
    let (book, csv) = (case("20-title-rows/input.xlsx"), case("20-title-rows/input.csv"));
    for (mapping, file) in [("20-title-rows/mapping.toml", &book), ("20-title-rows/mapping-csv.toml", &csv)] {
        let refused = error(&case_mapping(mapping), file);
        assert!(refused.contains("line 1 was taken as the header") && refused.contains("header_line = 3"), "{refused}");
    }
    let lines = case_mapping("20-title-rows/mapping-lines.toml");
    let found = read(&lines, &book);
    assert_eq!(found.lines, ["t1|Optics|60000|14"]);
    assert!(found.about.notes.iter().any(|note| note.contains("lines 5")), "{:?}", found.about.notes);
    let csv_lines = lines.replace("skip_last = 1", "delimiter = \";\"");
    assert_eq!(read(&csv_lines, &csv).lines, ["t1|Optics|60000|14"]);
}

/// Goal: titles that were damaged before they came here are refused, each with its reason.
#[test]
fn case_26_damaged_titles() {
    let found = read(&case_mapping("26-placeholder/mapping-titles.toml"), &case("26-placeholder/titles.csv"));
    let refused = found.refused();
    let reason =
        |line: u64| refused.iter().find(|found| found.starts_with(&format!("{line} "))).copied().unwrap_or_default();
    for (line, words) in [
        (2, "title: an error of a spreadsheet program"),
        (6, "title: it holds U+FFFD"),
        (7, "title: it holds a line break"),
    ] {
        assert!(reason(line).contains(words), "{line}: {:?}", found.lines);
    }
    assert!(found.good().contains(&"pt1|Gender, \"race\" & law &amp; society|60000|14"), "{:?}", found.lines);
}

/// Goal: headers are compared in NFC.
#[test]
fn case_28_composed_and_decomposed_headers() {
    let found = read(&case_mapping("28-nfd/mapping.toml"), &case("28-nfd/input.csv"));
    assert_eq!(found.lines.len(), 2);
    assert!(found.good().iter().all(|line| line.starts_with("nf1|")), "{:?}", found.lines);
    assert_eq!(read(&case_mapping("28-nfd/mapping-codes.toml"), &case("28-nfd/codes.csv")).lines.len(), 2);
}

//! Text files, as programs of all countries write them.

use crate::read::{HEADER, error, mapping, read, try_read};

const LINE: &str = "s1,C1,Law,6,14,2024A\n";
const GOOD: &str = "s1|Law|60000|14";

/// Goal: line ends, marks, blank lines and lines of delimiters make no difference.
#[test]
fn shapes_that_mean_the_same() {
    let plain = format!("{HEADER}{LINE}");
    let utf16: Vec<u8> =
        format!("\u{feff}{}", plain.replace(',', "\t")).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (file, text) in [
        ("", plain.clone().into_bytes()),
        ("", plain.replace('\n', "\r\n").into_bytes()),
        ("", plain.replace('\n', "\r").into_bytes()),
        ("", plain.trim_end().as_bytes().to_vec()),
        ("", format!("\u{feff}{plain}").into_bytes()),
        ("", format!("\n\n{HEADER}\n{LINE}\n,,,,,\n , ,\n").into_bytes()),
        ("", plain.replace("sid", " sid ").into_bytes()),
        ("", plain.replace("code,title", "\"code\",\"title\"").into_bytes()),
        ("delimiter = \"\\t\"", utf16),
        ("delimiter = \"|\"", plain.replace(',', "|").into_bytes()),
        ("header_line = 1", format!("sep=,\n{plain}").into_bytes()),
        ("header_line = 2", format!("sep=,\n{plain}").into_bytes()),
        ("skip_last = 1", format!("{plain}Sum,,,6,,\n\n").into_bytes()),
    ] {
        let found = read(&mapping(file), &text);
        assert_eq!(found.lines, [GOOD], "{file} {:?}", String::from_utf8_lossy(&text));
    }
}

/// Goal: columns that nobody reads may have any name, none, or one twice; one that is read may not be there twice.
#[test]
fn columns_that_nobody_reads() {
    let text = "note,sid,,code,note,title,credits,,grade,term,\n#N/A,s1,x,C1,\u{fffd},Law,6,y,14,2024A,\n";
    assert_eq!(read(&mapping(""), text.as_bytes()).lines, [GOOD]);
    let twice = error(&mapping(""), "sid,code,title,credits,grade,grade,term\n1,2,3,4,5,6,7\n".as_bytes());
    assert!(twice.contains("\"grade\"") && twice.contains("twice"), "{twice}");
}

/// Goal: a file of nothing, or of nothing but a header, is an error.
#[test]
fn files_without_lines() {
    for (file, text, words) in [
        ("", String::new(), "the file is empty"),
        ("", "\u{feff}".to_owned(), "the file is empty"),
        ("", "\n\n".to_owned(), "the file is empty"),
        ("", HEADER.to_owned(), "no lines after the header"),
        ("", format!("{HEADER}\n,,,,,\n"), "no lines after the header"),
        ("skip_last = 2", format!("{HEADER}{LINE}Sum,,,6,,\n"), "no lines after the header"),
        ("header_line = 9", format!("{HEADER}{LINE}"), "ends on line"),
        ("header_line = 2", format!("\n\n{HEADER}{LINE}"), "that line is blank"),
    ] {
        let refused = error(&mapping(file), text.as_bytes());
        assert!(refused.contains(words), "{text:?}: {refused}");
    }
}

/// Goal: what may be several records in one is refused with all its lines.
#[test]
fn swallowed_records() {
    for (lines, words) in [
        (
            "s1,C1,\"Law,6,14,2024A\ns2,C1,Art,6,14,2024A\n",
            "line: the quote that opens on line 2 is not closed; lines 2 to 4",
        ),
        ("s1,C1,\"Law\"s,6,14,2024A\n", "line: text stands behind a closing quote"),
        (
            "s1,C1,\"Law,6,14,2024A\ns2,C1,Art\",6,14,2024A\n",
            "line: a quoted value looks as if it had swallowed a record; lines 2 to 3",
        ),
        ("s1,C1,\"Law of\nthe sea\",6,14,2024A\n", "title: it holds a line break"),
        ("s1,C1, \"Law\",6,14,2024A\n", "line: a space stands before an opening quote"),
        ("s1,C1,Law,6,14\n", "line: 5 fields, expected 6"),
    ] {
        let found = read(&mapping(""), format!("{HEADER}{lines}s9,C1,Good,6,14,2024A\n").as_bytes());
        let refused = found.refused();
        assert!(refused.first().is_some_and(|found| found.contains(words)), "{lines:?}: {:?}", found.lines);
        if !lines.contains("not closed") && !words.contains("not closed") {
            assert_eq!(found.good(), ["s9|Good|60000|14"], "{lines:?}");
        }
    }
    // A comment that nobody reads may go over several lines, with commas in it; one that holds a record may not.
    let commented =
        |comment: &str| format!("sid,code,title,credits,grade,term,comment\ns1,C1,Law,6,14,2024A,\"{comment}\"\n");
    assert_eq!(read(&mapping(""), commented("came late,\nwent early, again, and again").as_bytes()).lines, [GOOD]);
    let swallowed =
        "sid,code,title,credits,grade,term,comment\ns1,C1,Law,6,14,2024A,\"late\ns2,C1,Art,6,14,2024A,\"\"early\"\n";
    assert!(read(&mapping(""), swallowed.as_bytes()).refused()[0].contains("swallowed a record"));
}

/// Goal: quotes within text are text.
#[test]
fn quotes_that_are_text() {
    for (written, title) in
        [("3.5\" disk", "3.5\" disk"), ("\"The \"\"Law\"\"\"", "The \"Law\""), ("O'Hara's law", "O'Hara's law")]
    {
        let text = format!("{HEADER}s1,C1,{written},6,14,2024A\n");
        assert_eq!(read(&mapping(""), text.as_bytes()).lines, [format!("s1|{title}|60000|14")]);
    }
}

/// Goal: text that was damaged is refused on its line, the others go through.
#[test]
fn damaged_values() {
    for value in ["#BEZUG!", "#N/D", "Err:502", "G\u{fffd}o", "a\u{0}b", "a\u{feff}b", "a\u{85}b", "####"] {
        let found =
            read(&mapping(""), format!("{HEADER}s1,C1,{value},6,14,2024A\n{}", LINE.replace("s1", "s2")).as_bytes());
        assert_eq!((found.refused().len(), found.good()), (1, vec!["s2|Law|60000|14"]), "{value:?}");
    }
}

/// Goal: the message names every column that is missing, and the way out where the file shows one.
#[test]
fn columns_that_are_missing() {
    let semicolons = format!("{HEADER}{LINE}").replace(',', ";");
    for (file, text, words) in [
        ("", "a,b\n1,2\n".to_owned(), "\"code\", \"credits\", \"grade\", \"sid\", \"term\", \"title\""),
        ("", semicolons.clone(), "set delimiter = ';' in [file]"),
        ("", format!("Report\n\n{HEADER}{LINE}"), "All of them are on line 3: set header_line = 3"),
        ("", format!("Report;;\n{semicolons}"), "set delimiter = ';' in [file] and header_line = 2"),
        ("header_line = 2", format!("{HEADER}{LINE}"), "All of them are on line 1"),
        ("", format!("{HEADER}{LINE}").replace("title", "Title"), "differ at character 1: U+0074 and U+0054"),
        ("", format!("{HEADER}{LINE}").replace("sid", "s\u{200b}id"), "character 2: U+0069 and U+200B"),
    ] {
        let refused = error(&mapping(file), text.as_bytes());
        assert!(refused.contains(words), "{words}: {refused}");
    }
}

/// Goal: what is no table is named by what it holds.
#[test]
fn files_that_are_no_tables() {
    for (text, words) in [
        (&b"%PDF-1.7\n1 0 obj"[..], "a PDF"),
        (b"<!DOCTYPE html><p>Ada Lovelace", "an HTML page"),
        (b"[{\"sid\":\"s1\"}]", "JSON"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 W\0o\0r\0k\0b\0o\0o\0k\0", ".xls workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", "with a password"),
        (b"\x1f\x8b\x08", "gzip"),
    ] {
        let refused = error(&mapping(""), text);
        assert!(refused.contains(words) && !refused.contains("Ada"), "{refused}");
    }
}

/// Goal: the encoding of the mapping is used, and UTF-8 that is read as something else is noticed.
#[test]
fn encodings_of_the_mapping() {
    let text = format!("{HEADER}s1,C1,\u{160}koda,6,14,2024A\n");
    let bytes = encoding_rs::WINDOWS_1250.encode(&text).0.into_owned();
    let found = read(&mapping("encoding = \"windows-1250\""), &bytes);
    assert_eq!((found.lines[0].as_str(), found.about.encoding), ("s1|\u{160}koda|60000|14", Some("windows-1250")));
    let wrong = try_read(&mapping(""), Some("windows-1252"), text.as_bytes()).expect("it decodes");
    assert!(wrong.about.is_also_utf8);
    assert_eq!(wrong.about.samples[0].word, "\u{c5}");
}

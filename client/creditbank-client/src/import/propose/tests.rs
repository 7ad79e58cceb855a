//! First mappings of files as student systems export them.

use std::collections::BTreeMap;
use std::io::Cursor;

use super::{Draft, Look, look, write};
use crate::import::{Encoding, Mapping};

fn looked(file: &str) -> Look {
    look(None, None, || Ok(Cursor::new(file.as_bytes().to_vec()))).expect("a file")
}

fn answers(said: &[(&str, &str)]) -> BTreeMap<String, String> {
    said.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

const SAID: [(&str, &str); 5] = [
    ("unit", "ECTS"),
    ("scale", "FR-20"),
    ("results", "scale"),
    ("title_language", "fr"),
    ("reference", "sid,code,term"),
];

fn written(look: &Look, said: &[(&str, &str)]) -> Draft {
    let all = [&SAID[..], said].concat();
    let draft = write(look, &answers(&all)).unwrap_or_else(|open| panic!("{open:?}"));
    Mapping::parse(&draft.text).unwrap_or_else(|error| panic!("{error}: {}", draft.text));
    draft
}

/// Goal: a title above the header, a line `sep=` and another delimiter are seen, and the mapping reads the file.
#[test]
fn shapes_of_files() {
    let titled = looked("R\u{e9}sultats 2024;;;;;\n\nsid;code;title;credits;grade;term\n1;A;T;6;14;2024A\n");
    assert_eq!((titled.header_line, titled.delimiter, titled.columns.len(), titled.rows()), (Some(3), Some(';'), 6, 1));
    let months = [("months.A", "{year}-09 {next_year}-01")];
    assert!(written(&titled, &months).text.contains("header_line = 3"));
    let said = looked("sep=;\nsid;code;title;credits;grade;term\n1;A;T;6;14;2024A\n");
    assert_eq!((said.header_line, said.delimiter, said.columns.len()), (None, None, 6));
    assert!(!written(&said, &months).text.contains("delimiter"));
    let latin = "sid,code,title,credits,grade,term\n1,A,\u{c9}t\u{e9},6,14,2024A\n";
    let bytes = encoding_rs::WINDOWS_1252.encode(latin).0.into_owned();
    let encoding = Encoding::by_name("windows-1252");
    let read = look(encoding, None, || Ok(Cursor::new(bytes.clone()))).expect("a file");
    assert_eq!(read.column("title").expect("a column").samples, ["\u{c9}t\u{e9}"]);
}

/// Goal: the months of a term are never guessed; each suffix of the file is asked for, also where terms are written in two ways.
#[test]
fn months_are_asked() {
    let look = looked("sid,code,title,credits,grade,term\n1,A,T,6,14,WS 2024/25\n2,A,T,6,14,SS 2025\n");
    let open = write(&look, &answers(&SAID)).expect_err("months");
    let keys: Vec<&str> = open.iter().map(|question| question.key.as_str()).collect();
    assert_eq!(keys, ["months.SS", "months.WS"]);
    let said = [("months.WS", "{year}-10 {next_year}-03"), ("months.SS", "{year}-04 {year}-09")];
    let text = written(&look, &said).text;
    assert!(text.contains("pattern = [\"{suffix} {yyyy}/{yy+1}\", \"{suffix} {yyyy}\"]"), "{text}");
    assert!(text.contains("\"SS\" = { from = \"{year}-04\", until = \"{year}-09\" }"), "{text}");
    assert!(
        look.wrong("period_pattern", "{suffix} {yyyy}", Some("term")).is_some_and(|why| why.contains("WS 2024/25"))
    );
    for odd in ["2024-09 2025-01", "{year}-10", "{year}-10 {year}-02", "october february"] {
        assert!(look.wrong("months.WS", odd, None).is_some(), "{odd}");
    }
}

/// Goal: a column of days is no column of terms.
#[test]
fn days_are_no_terms() {
    let look = looked("sid,code,title,credits,grade,exam\n1,A,T,6,14,15/02/2024\n2,A,T,6,14,16/02/2025\n");
    let text = written(&look, &[("period", "exam"), ("reference", "sid,code")]).text;
    assert!(text.contains("period_from = { column = \"exam\" }") && !text.contains("[period]"), "{text}");
    assert!(text.contains("date = \"DD/MM/YYYY\""), "{text}");
}

/// Goal: what is wrong with an answer is said when it is given: a column that is not there, a constant that looks like one, a
/// reference that names two lines.
#[test]
fn wrong_answers() {
    let look = looked("sid,code,Titre,credits,grade,term,note,note\n1,A,T,6,14,2024A,,\n1,A,U,6,15,2024A,,\n");
    for (key, answer, words) in [
        ("learner", "Sid", "do you mean \"sid\""),
        ("title", "titre", "write =titre"),
        ("title", "=", "behind ="),
        ("credits", "six", "a number such as 6"),
        ("grade", "note", "twice"),
        ("title_language", "French", "BCP 47"),
        ("results", "yes", "credit or scale"),
        ("blank", "keep", "ungraded or refuse"),
        ("unit", "a b", "code"),
        ("level", "6", "EQF:6"),
        ("period", "2025-01 2024-09", "before the first"),
        ("period", "terms", "no column"),
        ("reference", "sid,code", "lines 2 and 3"),
        ("reference", "sid,cours", "no column"),
    ] {
        let why = look.wrong(key, answer, None).unwrap_or_default();
        assert!(why.contains(words), "{key} {answer}: {why}");
    }
    for (key, answer) in [
        ("learner", "sid"),
        ("title", "=Droit"),
        ("credits", "7.5"),
        ("title_language", "zh-Hans"),
        ("level", "EQF:6"),
        ("period", "2024-09 2025-01"),
        ("reference", "sid,Titre"),
    ] {
        assert_eq!(look.wrong(key, answer, None), None, "{key} {answer}");
    }
}

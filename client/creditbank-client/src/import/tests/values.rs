//! What a line says.

use super::{FRENCH, Read, file, mapping};
use crate::import::Mapping;
use crate::import::draft::Body;
use crate::import::survey::Warning;
use creditbank_protocol::dates;

fn period(read: &Read, at: usize) -> String {
    let period = read.good(at).period().expect("a period");
    let shown = |date: Option<creditbank_protocol::pb::Date>| date.map(|date| dates::show(&date)).unwrap_or_default();
    format!("{} {}", shown(period.from), shown(period.until))
}

/// Goal: decimal commas are read where the mapping says so, and refused with that hint where it does not.
#[test]
fn decimal_commas() {
    let read = Read::case("13-comma", "mapping.toml", "input.csv");
    assert_eq!(read.shown(), ["2 credit K1 1.3 7.5", "3 credit K2 2 7.5"]);
    let german = FRENCH.replace("FR-20", "DE-5");
    let read = Read::of(&mapping("", "", &german, ""), &file(&["k1;K;T;7,5;1,3", "k2;K;T;7;1,3"])).expect("a file");
    assert_eq!(read.shown(), ["2: credits", "3: grade"]);
    assert!(read.why(2).contains("decimal = \",\""), "{}", read.why(2));
    let read = Read::of(&mapping("", "decimal = \",\"", &german, ""), &file(&["k1;K;T;1.500;1,3"])).expect("a file");
    assert_eq!(read.shown(), ["2: credits"], "one and a half, or fifteen hundred");
}

/// Goal: two-digit years, decimal commas and days as a German system exports them; X and 5.0 are no refused lines.
#[test]
fn a_german_export() {
    let read = Read::case("32-tum", "mapping.toml", "input.csv");
    assert_eq!(read.shown(), ["2 credit 03700001 1.3 6", "3 result 03700002 5.0", "4 result 03700003 no grade"]);
    assert_eq!(period(&read, 0), "2024-10 2025-03");
    let Body::Result(absent) = &read.good(2).body else { panic!("a Result") };
    assert_eq!(absent.status(), creditbank_protocol::pb::ResultStatus::Absent);
    let dated = format!("{FRENCH}\nperiod_from = {{ column = \"title\" }}\nperiod_until = {{ column = \"title\" }}");
    let with = mapping("", "date = \"DD.MM.YYYY\"", &dated, "");
    let read = Read::of(&with, &file(&["k1;K;12.02.2025;6;14", "k2;K;2025-02-12;6;14", "k3;K;13.13.2025;6;14"]))
        .expect("a file");
    assert_eq!(
        (period(&read, 0), period(&read, 1)),
        ("2025-02-12 2025-02-12".to_owned(), "2025-02-12 2025-02-12".to_owned())
    );
    assert_eq!(read.why(4), "\"13.13.2025\" is no date such as DD.MM.YYYY or 2014-06-30");
}

/// Goal: what passes in the scale is a Credit, another grade a failed Result, and words say who was absent.
#[test]
fn the_scale_decides() {
    let read = Read::case("22-makeup", "french.toml", "french.csv");
    assert_eq!(read.shown(), ["2 credit FR1 14 6", "3 result FR2 8.5", "4 result FR3 no grade"]);
    let status = |at: usize| match &read.good(at).body {
        Body::Result(one) => creditbank_protocol::names::of(one.status()),
        _ => String::new(),
    };
    assert_eq!((status(1), status(2)), ("failed".to_owned(), "absent".to_owned()));
    let read = Read::case("22-makeup", "mapping.toml", "input.csv");
    let shown: Vec<String> =
        read.shown().iter().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(shown, ["2 result", "3 credit", "4 result", "5 credit", "6 result"]);
    assert_eq!((period(&read, 0), period(&read, 3)), ("2023-09 2024-01".to_owned(), "2024-09 2025-01".to_owned()));
    let by = "[results]\nby = \"scale\"\n[results.words]\nW = { status = \"withdrawn\" }";
    let fields = FRENCH.replace("kind = \"credit\"", "");
    let lines = ["a1;C;T;6;14", "a2;C;T;6;W", "a3;C;T;6;", "a4;C;T;6;21", "a5;C;T;6;9.99", "a6;C;T;6;10"];
    let read = Read::of(&mapping("", "", &fields, by), &file(&lines)).expect("a file");
    let kinds =
        ["2 credit A1 14 6", "3 result A2 no grade", "4: grade", "5: grade", "6 result A5 9.99", "7 credit A6 10 6"];
    assert_eq!(read.shown(), kinds);
    let blank = by.replace("W =", "\"\" = { status = \"in_progress\" }\nW =");
    let read = Read::of(&mapping("", "", &fields, &blank), &file(&lines)).expect("a file");
    assert_eq!(read.shown()[2], "4 result A3 no grade", "a blank is a word too, where the mapping says so");
}

/// Goal: the first column that is not blank gives the grade, in its own scale; a line without any says so.
#[test]
fn either_column() {
    let read = Read::case("27-either", "mapping.toml", "input.csv");
    assert_eq!(read.shown(), ["2 credit L1 78 6", "3 credit L2 P 6"]);
    assert_eq!((read.good(0).grade(), read.good(1).grade()), (Some(("GB-100-UG", "78")), Some(("GB-PF", "P"))));
    let fields = FRENCH.replace(
        "grade = { column = \"grade\" }\nscale = \"FR-20\"",
        "grade = { columns = [\"title\", \"grade\"], scales = [\"GB-100-UG\", \"GB-PF\"] }",
    );
    let read = Read::of(&mapping("", "", &fields, ""), &file(&["l3;C;;6;"])).expect("a file");
    assert_eq!(read.shown(), ["2: grade"]);
    assert!(read.why(2).contains("blank"), "{}", read.why(2));
}

/// Goal: a blank grade is "ungraded" only where the mapping says so; other words for blanks are kept to.
#[test]
fn blanks() {
    let with = |blank: &str| FRENCH.replace("{ column = \"grade\" }", &format!("{{ column = \"grade\"{blank} }}"));
    let lines = ["g1;C;T;6;", "g2;C;T;6;  ", "g3;C;T;6;=\"\"", "g4;C;T;6;14"];
    let read = |blank: &str| Read::of(&mapping("", "", &with(blank), ""), &file(&lines)).expect("a file").shown();
    assert_eq!(read(""), ["2: grade", "3: grade", "4: grade", "5 credit G4 14 6"]);
    assert_eq!(read(", blank = \"refuse\""), ["2: grade", "3: grade", "4: grade", "5 credit G4 14 6"]);
    assert_eq!(read(", blank = \"ungraded\"")[0], "2 credit G1 no grade 6");
    assert_eq!(read(", blank = \"clear\"")[2], "4 credit G3 no grade 6");
    let refused = format!("{FRENCH}\nsite = {{ column = \"title\", blank = \"refuse\" }}");
    let read = Read::of(&mapping("", "", &refused, ""), &file(&["g1;C;;6;14"])).expect("a file");
    assert_eq!(read.shown(), ["2: site"]);
}

/// Goal: grades without a number are read by words, and never taken for others.
#[test]
fn words_for_grades() {
    let read = Read::case("43-lode", "mapping.toml", "input.csv");
    let grades: Vec<_> = (0..5).map(|at| read.good(at).grade().expect("a grade").1).collect();
    assert_eq!(grades, ["30L", "18", "30L", "30L", "30"]);
    let fields = FRENCH
        .replace("{ column = \"grade\" }", "{ column = \"grade\", words = { \"1,0*\" = \"1.0\", \"n.b.\" = \"\" } }")
        .replace("FR-20", "DE-5");
    let read =
        Read::of(&mapping("", "decimal = \",\"", &fields, ""), &file(&["a;C;T;6;1,0*", "b;C;T;6;n.b.", "c;C;T;6;2,3"]));
    assert_eq!(read.expect("a file").shown(), ["2 credit A 1.0 6", "3 credit B no grade 6", "4 credit C 2.3 6"]);
    let listed = FRENCH.replace("FR-20", "DE-MODUL");
    let read =
        Read::of(&mapping("", "decimal = \",\"", &listed, ""), &file(&["a;C;T;6;1,0", "b;C;T;6;2", "c;C;T;6;1,4"]));
    let shown = ["2 credit A 1.0 6", "3 credit B 2.0 6", "4 credit C 1.4 6"];
    assert_eq!(read.expect("a file").shown(), shown, "a spreadsheet writes 2 for 2.0; 1.4 is the node's to refuse");
}

/// Goal: titles that were damaged on their way are refused, or shown with what was meant.
#[test]
fn damaged_titles() {
    let read = Read::case("26-placeholder", "mapping-titles.toml", "titles.csv");
    let shown = read.shown();
    let refused: Vec<&str> = shown.iter().filter(|line| line.contains(": title")).map(String::as_str).collect();
    assert_eq!(refused.len(), 4, "an error, U+FFFD, a line break, a turned direction: {shown:?}");
    assert_eq!((read.count(Warning::Mojibake), read.count(Warning::Entities)), (2, 1), "{:?}", read.survey.warnings);
    let sample = &read.survey.warnings[&Warning::Mojibake].samples[0].2;
    assert!(sample.contains("G\u{e9}om\u{e9}trie"), "{sample}");
    let parsed = Mapping::parse(&mapping("", "", FRENCH, "")).expect("a mapping");
    assert_eq!(read.survey.stops(&parsed), [Warning::Mojibake, Warning::Entities]);
}

/// Goal: years of other calendars are refused with ours.
#[test]
fn other_calendars() {
    let read = Read::case("16-era", "mapping.toml", "input.csv");
    assert_eq!(read.shown(), ["2: period_from", "3: period_from", "4: period_from"]);
    assert!(read.why(2).contains("2567 BE is 2024"), "{}", read.why(2));
    assert!(read.why(3).contains("1403 AP is 2024"), "{}", read.why(3));
    let read = Read::case("16-era", "mapping.toml", "future.csv");
    assert_eq!(read.shown(), ["2: period_until"]);
    let read = Read::case("16-era", "expires.toml", "expires.csv");
    assert_eq!(read.shown(), ["2: expires"]);
    let read = Read::case("16-era", "mapping-result.toml", "result.csv");
    assert_eq!(read.shown().len(), 3);
    assert!(read.lines.iter().all(Result::is_err));
}

/// Goal: a line that can be no record is refused alone, by dry run and run alike, as both read it here.
#[test]
fn one_odd_line_is_refused_alone() {
    let long = "x".repeat(5_000);
    let lines = ["a;C1;T;6;14".to_owned(), format!("b;C2;{long};6;14"), "c;C3;T;6;14".to_owned()];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let read = Read::of(&mapping("", "", FRENCH, ""), &file(&lines)).expect("a file");
    assert_eq!(read.lines.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

/// Goal: mistakes in a mapping are told with the line as it should be, or with the name that was meant.
#[test]
fn mistakes_in_mappings() {
    let wrong = |fields: &str| Mapping::parse(&mapping("", "", fields, "")).expect_err("a mistake").to_string();
    let told = wrong("credits = 7.5");
    assert!(told.contains("credits = \"7.5\"") && told.contains("line 12"), "{told}");
    let told = wrong("grade = { column = \"g\", words = { A = 4 } }");
    assert!(told.contains("words = { A = \"4\" }"), "{told}");
    assert!(wrong("grad = \"A\"").contains("do you mean grade?"));
    assert!(wrong("grade = { columns = [\"a\", \"b\"], scales = [\"X\"] }").contains("scales"));
    assert!(wrong("grade = { column = \"a\", value = \"b\" }").contains("one of column, columns and value"));
    assert!(wrong("site = { column = \"a\", blank = \"ungraded\" }").contains("ungraded is for a grade"));
    for file in ["decimal = \";\"", "date = \"dd.mm.yy\"", "skip_where = [{ column = \"a\" }]", "thousands = \".\""] {
        assert!(Mapping::parse(&mapping("", file, FRENCH, "")).is_err(), "{file}");
    }
    for more in [
        "[results]\nby = \"column\"",
        "[results]\nby = \"scale\"\n[results.values]\nA = {}",
        "[period]\ncolumn = \"t\"",
    ] {
        assert!(Mapping::parse(&mapping("", "", FRENCH, more)).is_err(), "{more}");
    }
    for learner in ["pattern = \"[\"", "digits = 0", "type = \"national\"", "scope = \"FR\"", "case = \"Upper\""] {
        assert!(Mapping::parse(&mapping(learner, "", FRENCH, "")).is_err(), "{learner}");
    }
    assert!(Mapping::parse(&format!("accept = [\"all\"]\n{}", mapping("", "", FRENCH, ""))).is_err());
}

/// Goal: a file without lines, and columns that are not there, are told at once and whole.
#[test]
fn files_that_say_nothing() {
    let empty = Read::of(&mapping("", "", FRENCH, ""), b"sid;code;title;credits;grade\n").err().expect("no lines");
    assert!(empty.to_string().contains("no lines after the header"), "{empty}");
    let skips = "skip_where = [{ column = \"sid\", blank = true }]";
    let empty = Read::of(&mapping("", skips, FRENCH, ""), &file(&[";C;T;6;14"])).err().expect("no lines");
    assert!(empty.to_string().contains("no lines after the header"), "{empty}");
    let other = Read::of(&mapping("", "", FRENCH, ""), b"sid;kurs\n1;2\n").err().expect("other columns").to_string();
    assert!(["code", "title", "credits", "grade"].iter().all(|name| other.contains(name)), "{other}");
}

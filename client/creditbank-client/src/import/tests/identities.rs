//! Who a line is about.

use super::{FRENCH, Read, file, mapping};
use crate::import::survey::Warning;
use creditbank_rpc::v1::IdentityType;

fn persons(learner: &str, values: &[&str]) -> Vec<String> {
    let lines: Vec<String> = values.iter().enumerate().map(|(at, value)| format!("{value};C{at};T;6;14")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let read = Read::of(&mapping(learner, "", FRENCH, ""), &file(&lines)).expect("a file");
    let shown = |line: &Result<crate::import::DraftRecord, _>| match line {
        Ok(draft) => draft.person[0].value.clone(),
        Err(_) => "refused".to_owned(),
    };
    read.lines.iter().map(shown).collect()
}

/// Goal: three students whose numbers a spreadsheet has rounded to one do not share an account.
#[test]
fn rounded_numbers() {
    let read = Read::case("02-sci-id", "mapping.toml", "input.csv");
    assert_eq!(read.shown(), ["2: sid", "3: sid", "4: sid"]);
    assert!(read.why(2).contains("rounded") && !read.why(2).contains("2.02312"), "{}", read.why(2));
}

/// Goal: placeholders and what spreadsheets leave are no identities, and no reason repeats one.
#[test]
fn placeholders() {
    let read = Read::case("26-placeholder", "mapping.toml", "input.csv");
    assert_eq!(read.shown().len(), 8);
    assert!(read.shown().iter().all(|line| line.ends_with(": sid")), "{:?}", read.shown());
}

/// Goal: rows that are no results are skipped by rule and counted; without a rule nobody is called Moyenne.
#[test]
fn rows_that_are_no_results() {
    let read = Read::case("11-canvas", "mapping.toml", "input.csv");
    assert_eq!(read.shown(), ["4 result C1 14"]);
    assert_eq!(read.survey.skipped, 2, "the row without anything is blank");
    let read = Read::case("11-canvas", "mapping-totals.toml", "totals.csv");
    assert_eq!((read.shown(), read.survey.skipped), (vec!["2 credit C2 14 6".to_owned()], 2));
    let without = mapping("", "", FRENCH, "");
    let lines = ["c2;CV1;Painting;6;14", "Total;;;6;14", "Moyenne;CV1;Painting;6;14", ";CV1;Painting;6;14"];
    let read = Read::of(&without, &file(&lines)).expect("a file");
    assert_eq!(read.shown(), ["2 credit C2 14 6", "3: sid", "4: sid", "5: sid"]);
    let lines = ["a3f0c1d2e4b5968778695a4b3c2d1e0f12345678;CV1;Student, Test;6;14"];
    let read = Read::of(&without, &file(&lines)).expect("a file");
    assert_eq!(read.shown(), ["2: title"], "a platform's own test student");
}

/// Goal: one person in two spellings is one; where case matters they are two.
#[test]
fn case_of_letters() {
    let read = Read::case("15-spaces", "mapping.toml", "input.csv");
    assert_eq!(read.shown()[..2], ["2 credit GE42ABC 14 6", "3 credit GE42ABC 13 6"]);
    assert_eq!(read.count(Warning::NearCode), 1, "WS101 is nearly WS-101: {:?}", read.survey.warnings);
    let read = Read::case("15-spaces", "mapping.toml", "trail.csv");
    assert_eq!((read.good(0).course(), read.good(1).course()), ("WS-101", "WS-101"));
    assert_eq!(read.count(Warning::Trimmed), 1);
    assert_eq!(persons("", &["ge42abc", " GE42ABC ", "\u{a0}ge42ABC"]), ["GE42ABC"; 3]);
    assert_eq!(persons("case = \"keep\"", &["ge42abc", "GE42ABC"]), ["ge42abc", "GE42ABC"]);
    let exact = mapping("case = \"keep\"", "", FRENCH, "");
    let read = Read::of(&exact, &file(&["ge42abc;C;T;6;14"])).expect("a file");
    assert_eq!(read.kind_of_identity(), IdentityType::StudentNumberExact);
}

/// Goal: the mapping says what a good number looks like, and nothing else passes.
#[test]
fn stated_shapes() {
    assert_eq!(
        persons("digits = 8", &["20230001", "2023001", "2023000A", "=\"00230001\""]),
        ["20230001", "refused", "refused", "00230001"]
    );
    assert_eq!(persons("pad = 8", &["230001", "20230001", "GE1"]), ["00230001", "20230001", "GE1"]);
    assert_eq!(persons("pad = 8\ndigits = 8", &["230001", "202300011"]), ["00230001", "refused"]);
    let letters = "pattern = \"[A-Z]{2}[0-9]{2}[A-Z]{3}\"\ncase = \"upper\"";
    assert_eq!(
        persons(letters, &["ge42abc", "GE42ABCD", "XGE42ABC", "N/A"]),
        ["GE42ABC", "refused", "refused", "refused"]
    );
    assert_eq!(persons("pattern = \"a|b\"", &["a", "b", "ab"]), ["A", "B", "refused"], "anchored as a whole");
    assert_eq!(
        persons("pattern = \"10\\\\.[0-9]{3}\"", &["10.234"]),
        ["10.234"],
        "a stated shape goes before suspicion"
    );
    assert_eq!(persons("pattern = \"[0-9]+\"", &["\u{661}\u{662}", "\u{ff11}"]), ["refused", "refused"]);
    assert_eq!(persons("", &["00123", "=\"00123\"", "\"=\"\"00124\"\"\""]), ["00123", "00123", "00124"]);
    assert_eq!(persons("", &["1\u{200b}2", "1 2", "1\u{202e}2"]), ["refused"; 3]);
}

/// Goal: identities of a standard compare as it says; a failed check digit is shown, stops, and is accepted by name.
#[test]
fn standards() {
    let danish = "type = \"national\"\nscope = \"DK\"";
    let lines = ["070761-4285;C1;T;6;14", "0707614285;C2;T;6;14", "070761-4284;C3;T;6;14"];
    let read = Read::of(&mapping(danish, "", FRENCH, ""), &file(&lines)).expect("a file");
    assert_eq!(read.good(0).person, read.good(1).person);
    assert_eq!(read.count(Warning::CheckDigit), 1);
    let parsed = crate::import::Mapping::parse(&mapping(danish, "", FRENCH, "")).expect("a mapping");
    assert_eq!(read.survey.stops(&parsed), [Warning::CheckDigit]);
    assert!(read.survey.stops(&parsed.accepting([Warning::CheckDigit])).is_empty());
    let orcid = "type = \"network\"\nscope = \"orcid\"";
    let same = ["https://orcid.org/0000-0002-1825-0097", "0000000218250097"];
    assert_eq!(persons(orcid, &same), ["0000-0002-1825-0097"; 2]);
    let accepted = format!("accept = [\"check-digit\"]\n{}", mapping(danish, "", FRENCH, ""));
    assert!(read.survey.stops(&crate::import::Mapping::parse(&accepted).expect("a mapping")).is_empty());
}

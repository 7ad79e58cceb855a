//! The registry of a new node: credit units, frameworks and level maps, grade scales, fields of education, countries and
//! legal deadlines, each with its sources and their grade. An operator may replace any, and add what is missing: a national
//! framework and its level maps are loaded in the same way, as registry records.
//!
//! What rests on weak sources alone is not in the registry of a new node, but in [`WEAK`], which an operator who wants it
//! publishes by hand.

mod countries;
mod deadlines;
mod fields;
mod frameworks;
mod levels;
mod scales;
mod units;

use creditbank_protocol::canonical::{Canonical, CanonicalError, encode};
use creditbank_protocol::pb::{Date, Kind, Source, SourceGrade, SourceReading, Text};

/// Entries whose only sources are weak (grade D), as TOML that `creditbank registry publish` reads.
pub const WEAK: &str = include_str!("../data/seed/weak.toml");

/// Kind and canonical body of every seed entry, in an order in which they can be admitted.
pub fn entries() -> Result<Vec<(Kind, Vec<u8>)>, CanonicalError> {
    let mut seed = Vec::new();
    add(&mut seed, Kind::CreditUnit, units::all())?;
    add(&mut seed, Kind::Framework, frameworks::all())?;
    add(&mut seed, Kind::GradeScale, scales::all())?;
    add(&mut seed, Kind::LevelMap, levels::all())?;
    add(&mut seed, Kind::Country, countries::all())?;
    add(&mut seed, Kind::LegalDeadline, deadlines::all())?;
    add(&mut seed, Kind::FieldOfEducation, fields::all())?;
    Ok(seed)
}

fn add<M: Canonical>(
    seed: &mut Vec<(Kind, Vec<u8>)>,
    kind: Kind,
    entries: impl IntoIterator<Item = M>,
) -> Result<(), CanonicalError> {
    for entry in entries {
        seed.push((kind, encode(&entry)?));
    }
    Ok(())
}

/// The day on which the sources of the seed were looked up.
const LOOKED_UP: Date = Date { year: 2026, month: 11, day: 26 };

/// Sources as the tables write them, the best first: grade, how it was read where that is known, and the text. `Ao` was read
/// on the issuer's own site, `Ac` in a copy, of `An` the figure was not read.
fn sources(written: &[&str]) -> Vec<Source> {
    written.iter().map(|one| source(one)).collect()
}

fn source(written: &str) -> Source {
    let (mark, text) = written.split_once(' ').unwrap_or((written, ""));
    let grade = match mark.as_bytes().first() {
        Some(b'A') => SourceGrade::A,
        Some(b'B') => SourceGrade::B,
        Some(b'C') => SourceGrade::C,
        _ => SourceGrade::D,
    };
    let reading = match mark.as_bytes().get(1) {
        Some(b'o') => SourceReading::OwnSite,
        Some(b'c') => SourceReading::Copy,
        Some(b'n') => SourceReading::NotRead,
        _ => SourceReading::Unspecified,
    };
    Source { text: text.to_owned(), grade: grade.into(), reading: reading.into(), as_of: Some(LOOKED_UP) }
}

/// One text, in English.
fn english(value: &str) -> Vec<Text> {
    texts(&[("en", value)])
}

/// Texts in several languages, each once, in the canonical order of a set: by their encoding, which begins with the length
/// of the language's tag and the tag.
fn texts(all: &[(&str, &str)]) -> Vec<Text> {
    let mut texts: Vec<Text> = all
        .iter()
        .map(|(language, value)| Text { language: (*language).to_owned(), value: (*value).to_owned() })
        .collect();
    texts.sort_by(|a, b| (a.language.len(), &a.language).cmp(&(b.language.len(), &b.language)));
    texts
}

/// The English name of an entry, and those of `at_home` (code, language, name) that are its.
fn named(code: &str, english: &str, at_home: &[(&str, &str, &str)]) -> Vec<Text> {
    let own = at_home.iter().filter(|(of, ..)| *of == code).map(|(_, language, name)| (*language, *name));
    texts(&own.chain([("en", english)]).collect::<Vec<_>>())
}

fn countries(codes: &str) -> Vec<String> {
    codes.split_whitespace().map(str::to_owned).collect()
}

/// The lines of a table that comes with the code, the head aside: values between semicolons, never quoted.
fn table<const COLUMNS: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; COLUMNS]> {
    let row = |line: &'static str| -> [&str; COLUMNS] {
        let values: Vec<&str> = line.split(';').collect();
        values.try_into().expect("each line of the tables has the columns of its head, which a test reads")
    };
    text.lines().skip(1).map(row)
}

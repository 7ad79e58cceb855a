//! The registry of a new node: credit units, frameworks and level maps, grade scales, fields of education, countries and
//! legal deadlines, each with its source. An operator may replace any, and add what is missing: a national framework and
//! its level maps are loaded in the same way, as registry records.

mod countries;
mod deadlines;
mod fields;
mod frameworks;
mod levels;
mod scales;
mod units;

use creditbank_protocol::canonical::{Canonical, CanonicalError, encode};
use creditbank_protocol::pb::{Kind, Text};

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

/// The source of what no document at hand says.
const UNSOURCED: &str = "unsourced: general knowledge";

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

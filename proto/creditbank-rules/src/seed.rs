//! The registry of a new node: credit units, frameworks and grade scales with their sources. An operator may replace any.

mod frameworks;
mod scales;
mod units;

use creditbank_protocol::canonical::{CanonicalError, encode};
use creditbank_protocol::pb::{Kind, Text};

/// Kind and canonical body of every seed entry, in an order in which they can be admitted.
pub fn entries() -> Result<Vec<(Kind, Vec<u8>)>, CanonicalError> {
    let mut entries = Vec::new();
    for unit in units::all() {
        entries.push((Kind::CreditUnit, encode(&unit)?));
    }
    for framework in frameworks::all() {
        entries.push((Kind::Framework, encode(&framework)?));
    }
    for scale in scales::all() {
        entries.push((Kind::GradeScale, encode(&scale)?));
    }
    Ok(entries)
}

fn english(value: &str) -> Vec<Text> {
    vec![Text { language: "en".to_owned(), value: value.to_owned() }]
}

fn countries(codes: &str) -> Vec<String> {
    codes.split_whitespace().map(str::to_owned).collect()
}

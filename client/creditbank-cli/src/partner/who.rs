//! About whom a transcript is: the Identity that its statement names, as far as the file shows it.

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{Identity, Kind};
use creditbank_protocol::transcript::{Report, TranscriptRecord};
use serde_json::{Value, json};

use super::verify::name;
use crate::failure::Failure;
use crate::{show, words};

/// The record that the statement names, where the holder shows it.
fn shown(report: &Report) -> Option<&TranscriptRecord> {
    let place = report.statement.identity?;
    report.records.iter().find(|one| one.place == place && one.disclosed.info.kind == Kind::Identity)
}

/// Who it is, by whose word, and what speaks against it.
pub(super) fn in_words(report: &Report) -> String {
    let Some(place) = report.statement.identity else { return "no Identity record".to_owned() };
    let Some(one) = shown(report) else {
        return format!("the Identity record {place}, which this file does not show: ask the holder for it");
    };
    let said = decode::<Identity>(&one.disclosed.body).map(|said| words::identity(&said)).unwrap_or_default();
    let hidden: Vec<&str> = one.disclosed.hidden().collect();
    let hidden =
        if hidden.is_empty() { String::new() } else { format!("; HIDDEN by the holder: {}", hidden.join(", ")) };
    let standing = one.standing();
    let standing = if standing.is_valid() { String::new() } else { format!("; {standing}, as said beneath") };
    format!("{said}, by the word of {} at {place}{hidden}{standing}", name(report, one.owner()))
}

/// The same, for programs; nothing where no Identity is shown.
pub(super) fn value(report: &Report) -> Result<Option<Value>, Failure> {
    let Some(one) = shown(report) else { return Ok(None) };
    let record = show::body(one.disclosed.info.name(), &one.disclosed.body)?;
    let (standing, issuer) = (one.standing().name(), name(report, one.owner()));
    Ok(Some(json!({ "place": one.place.to_string(), "issuer": issuer, "verdict": standing, "record": record })))
}

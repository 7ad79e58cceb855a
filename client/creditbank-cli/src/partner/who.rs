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

/// Who it is, by whose word, and what speaks against it; then what other institutions say that can be relied on.
pub(super) fn in_words(report: &Report) -> String {
    let named = shown(report);
    let is_other = |one: &&TranscriptRecord| {
        one.disclosed.info.kind == Kind::Identity
            && one.standing().is_valid()
            && Some(one.place) != report.statement.identity
    };
    let missing = || match report.statement.identity {
        Some(place) => format!("the Identity record {place}, which this file does not show: ask the holder for it"),
        None => "no Identity record".to_owned(),
    };
    let named = named.map_or_else(missing, |one| words_of(report, one));
    let others = report.records.iter().filter(is_other).map(|one| words_of(report, one));
    std::iter::once(named).chain(others).collect::<Vec<_>>().join("; also ")
}

/// One of them.
fn words_of(report: &Report, one: &TranscriptRecord) -> String {
    let said = decode::<Identity>(&one.disclosed.body).map(|said| words::identity(&said)).unwrap_or_default();
    let said = if said.is_empty() { "a person".to_owned() } else { said };
    let hidden: Vec<&str> = one.disclosed.hidden().collect();
    let hidden =
        if hidden.is_empty() { String::new() } else { format!("; HIDDEN by the holder: {}", hidden.join(", ")) };
    let standing = one.standing();
    let standing = if standing.is_valid() { String::new() } else { format!("; {standing}, as said beneath") };
    format!("{said}, by the word of {} at {}{hidden}{standing}", name(report, one.owner()), one.place)
}

/// The same, for programs; nothing where no Identity is shown.
pub(super) fn value(report: &Report) -> Result<Option<Value>, Failure> {
    let Some(one) = shown(report) else { return Ok(None) };
    let record = show::body(one.disclosed.info.name(), &one.disclosed.body)?;
    let (standing, issuer) = (one.standing().name(), name(report, one.owner()));
    Ok(Some(json!({ "place": one.place.to_string(), "issuer": issuer, "verdict": standing, "record": record })))
}

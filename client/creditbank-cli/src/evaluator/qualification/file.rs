//! A definition from a file.

use std::fs;
use std::path::Path;

use creditbank_client::authoring::qualification::parse;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::QualificationDefinition;
use serde_json::Value;

use crate::edit;
use crate::failure::Failure;

/// Reads a definition of an institution: TOML for people, or JSON, as `creditbank qualification show --json` prints it.
pub(super) fn read(path: &Path, institution: Option<InstitutionId>) -> Result<QualificationDefinition, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(Failure::file(path))?;
    if !text.trim_start().starts_with('{') {
        return parse(&text, institution.map(|one| one.0)).map_err(|error| wrong(&error));
    }
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let body = value.get("entry").unwrap_or(&value);
    let bytes = edit::body("QualificationDefinition", body).map_err(|error| wrong(&error))?;
    let read: QualificationDefinition = decode(&bytes).map_err(|error| wrong(&error))?;
    match institution.filter(|expected| expected.0 != read.institution) {
        Some(expected) => {
            Err(wrong(&format!("institution: expected {expected}, whose key signs, found {}", read.institution)))
        }
        None => Ok(read),
    }
}

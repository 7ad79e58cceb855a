//! A definition from a file.

use std::path::Path;

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb;
use serde_json::Value;

use crate::connect::Global;
use crate::failure::Failure;
use crate::{edit, output, show};

/// Reads a definition of an institution: JSON, as `creditbank registry show --json` prints it.
pub(super) fn read(path: &Path, institution: u64) -> Result<pb::QualificationDefinition, Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let body = value.get("entry").unwrap_or(&value);
    let bytes = edit::body("QualificationDefinition", body).map_err(|error| wrong(&error))?;
    let read: pb::QualificationDefinition = decode(&bytes).map_err(|error| wrong(&error))?;
    if read.institution != institution {
        let of = read.institution;
        return Err(wrong(&format!("institution: expected {institution}, whose key signs, found {of}")));
    }
    Ok(read)
}

/// Explains a definition.
pub(super) fn check(global: &Global, path: &Path) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    let value: Value =
        serde_json::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    let body = value.get("entry").unwrap_or(&value);
    let wrong = |error: String| Failure::NotValid(format!("{}: {error}", path.display()));
    let bytes = edit::body("QualificationDefinition", body).map_err(wrong)?;
    let shown = show::body("QualificationDefinition", &bytes)?;
    output::print(global, &shown, || {
        let fields = shown.as_object().into_iter().flatten();
        output::facts(fields.map(|(name, value)| (name.as_str(), show::line(value))))
    })
}

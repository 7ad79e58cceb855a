//! The trust file on disk. What it says is read by [`Trust::parse`].

use std::path::Path;

use creditbank_protocol::Trust;

use crate::ClientError;

/// Reads a trust file.
pub fn read(path: &Path) -> Result<Trust, ClientError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| ClientError::File { path: shown.clone(), error })?;
    let none = |what: &str| ClientError::Local(format!("{shown} is no trust file: expected TOML, found {what}"));
    let text = std::str::from_utf8(&bytes).map_err(|_| none("bytes that are no text; a trust file ends in .toml"))?;
    if text.trim().is_empty() {
        return Err(none("an empty file"));
    }
    Trust::parse(text).map_err(|error| ClientError::Local(format!("{shown}: trust file: {error}")))
}

//! The trust file on disk. What it says is read by [`Trust::parse`].

use std::path::Path;

use creditbank_protocol::Trust;

use crate::ClientError;

/// Reads a trust file.
pub fn read(path: &Path) -> Result<Trust, ClientError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ClientError::File { path: shown.clone(), error })?;
    Trust::parse(&text).map_err(|error| ClientError::Local(format!("{shown}: trust file: {error}")))
}

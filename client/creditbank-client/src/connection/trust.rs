//! The trust file: TOML with a C2SP policy and our keys beside it.
//!
//! ```toml
//! registry_key = "0707..."     # the log was begun with it
//! institutions = [1, 7]        # whom you trust; left out: all that the registry has admitted
//! policy = """
//! log credits.example/log+1a2b3c4d+AQ...
//! quorum none
//! """
//! ```

use std::path::Path;

use creditbank_protocol::note::{KeyType, Policy, VerifierKey};
use creditbank_protocol::transcript::Trust;
use serde::Deserialize;

use crate::ClientError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    registry_key: String,
    institutions: Option<Vec<u64>>,
    policy: String,
}

/// Reads the text of a trust file.
pub fn parse(text: &str) -> Result<Trust, ClientError> {
    let Text { registry_key, institutions, policy } =
        toml::from_str(text).map_err(|error| ClientError::Local(format!("trust file: {error}")))?;
    let key = hex::decode(&registry_key).ok().and_then(|key| key.try_into().ok());
    let wrong = || ClientError::Local("trust file: registry_key: expected 32 bytes in hexadecimal".to_owned());
    let policy = Policy::parse(&policy).map_err(|error| ClientError::Local(format!("trust file: {error}")))?;
    let institutions = institutions.map(|numbers| numbers.into_iter().collect());
    Ok(Trust { policy, registry_key: key.ok_or_else(wrong)?, institutions })
}

/// Reads a trust file.
pub fn read(path: &Path) -> Result<Trust, ClientError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ClientError::File { path: shown.clone(), error })?;
    parse(&text).map_err(|error| ClientError::Local(format!("{shown}: {error}")))
}

/// The text of a trust file for one log without witnesses.
pub fn text_for(origin: &str, log_key: [u8; 32], registry_key: &[u8; 32]) -> Result<String, ClientError> {
    let key = VerifierKey::new(origin, KeyType::Log, log_key).map_err(|error| ClientError::Local(error.to_string()))?;
    Ok(format!(
        "# Whom you trust. Get it from the operator by a way that you trust, not from whoever shows a transcript.\n\
         registry_key = \"{}\"\n\
         # institutions = [1]   # only these; left out: all that the registry has admitted\n\
         policy = \"\"\"\nlog {key}\nquorum none\n\"\"\"\n",
        hex::encode(registry_key)
    ))
}

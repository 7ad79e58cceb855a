//! The log goes on under another origin, after a theft of its log key.

use creditbank_protocol::key::{LogKeyHistory, LogSuccessionError};
use creditbank_protocol::pb;

use super::{Registry, RegistryRecord};
use crate::{Rejection, Rule};

/// Log keys and origins after a succession. That its block stands directly behind a seal, and which root the tree had
/// there, is not the registry's to know.
pub(super) fn succeed(
    registry: &Registry,
    said: &pb::LogSuccession,
    record: RegistryRecord<'_>,
) -> Result<LogKeyHistory, Rejection> {
    let expected = "a registry of a log that was begun";
    let log_keys =
        registry.log_keys.as_ref().ok_or_else(|| Rejection::new(Rule::Contradiction, expected, "another"))?;
    let mut next = log_keys.clone();
    next.succeed(record.entry, said).map_err(|error| match error {
        LogSuccessionError::Origin { expected, found } => {
            Rejection::new(Rule::Contradiction, expected, found).field("origin")
        }
        LogSuccessionError::KnownOrigin(found) => {
            Rejection::new(Rule::Contradiction, "an origin that the log never had", found).field("new_origin")
        }
        LogSuccessionError::KnownKey => {
            Rejection::new(Rule::Contradiction, "a new log key", error.to_string()).field("log_key")
        }
        LogSuccessionError::Size { expected, found } => {
            Rejection::new(Rule::Contradiction, expected.to_string(), found.to_string()).field("size")
        }
        LogSuccessionError::Missing(field) => Rejection::new(Rule::MissingField, "a value", "nothing").field(field),
        LogSuccessionError::Signature(error) => {
            Rejection::new(Rule::NoPossession, "a signature by the new log key", error.to_string()).field("signature")
        }
        LogSuccessionError::FormerSignature(error) => {
            let expected = "a signature by the log key that has signed the last seal";
            Rejection::new(Rule::NoPossession, expected, error.to_string()).field("former_signature")
        }
    })?;
    Ok(next)
}

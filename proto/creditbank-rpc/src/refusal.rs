//! Refusals: how one travels as a gRPC status and comes back.
//!
//! The status carries two details: `google.rpc.ErrorInfo` for programs that know only the standard, and the whole
//! [`Refusal`] for ours.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::v1::Refusal;

/// `domain` of the error info.
pub const DOMAIN: &str = "creditbank.v1";
/// Binary metadata that carries the whole refusal beside the standard details.
const METADATA: &str = "creditbank-refusal-bin";
/// Most bytes of the refusal in the trailers; an accepted block that is larger is left out of it.
const REFUSAL_LEN_MAX: usize = 6_144;

/// The status of a refusal.
pub fn to_status(refusal: &Refusal) -> Status {
    let mut details = ErrorDetails::new();
    let mut facts = HashMap::new();
    for (name, value) in [("field", &refusal.field), ("expected", &refusal.expected), ("found", &refusal.found)] {
        if !value.is_empty() {
            facts.insert(name.to_owned(), value.clone());
        }
    }
    if refusal.record_plus_1 > 0 {
        facts.insert("record".to_owned(), (refusal.record_plus_1 - 1).to_string());
    }
    details.set_error_info(&refusal.reason, DOMAIN, facts);
    if !refusal.field.is_empty() {
        details.add_bad_request_violation(&refusal.field, &refusal.message);
    }
    if refusal.retry_after_ms > 0 {
        details.set_retry_info(Some(Duration::from_millis(refusal.retry_after_ms)));
    }
    let code = Code::from_i32(i32::try_from(refusal.code).unwrap_or(i32::from(Code::Unknown)));
    let mut status = Status::with_error_details(code, &refusal.message, details);
    let mut whole = refusal.encode_to_vec();
    if whole.len() > REFUSAL_LEN_MAX {
        whole = Refusal { accepted: None, ..refusal.clone() }.encode_to_vec();
    }
    status.metadata_mut().insert_bin(METADATA, tonic::metadata::MetadataValue::from_bytes(&whole));
    status
}

/// The refusal in a status; of a status from elsewhere, what its code and message say.
pub fn from_status(status: &Status) -> Refusal {
    let whole = status.metadata().get_bin(METADATA).and_then(|value| value.to_bytes().ok());
    if let Some(refusal) = whole.and_then(|bytes| Refusal::decode(bytes).ok()) {
        return refusal;
    }
    Refusal {
        code: u32::try_from(i32::from(status.code())).unwrap_or(2),
        reason: status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default(),
        message: status.message().to_owned(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what was refused and why comes back as it was sent.
    #[test]
    fn refusal_survives_the_status() {
        let refusal = Refusal {
            code: Code::InvalidArgument as u32,
            reason: "GRADE_NOT_A_PASS".to_owned(),
            message: "record 3: the grade is not a pass".to_owned(),
            record_plus_1: 4,
            field: "grade".to_owned(),
            expected: "a pass".to_owned(),
            found: "Fail".to_owned(),
            retry_after_ms: 250,
            accepted: None,
        };
        let status = to_status(&refusal);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.get_error_details().error_info().map(|info| info.reason.as_str()), Some("GRADE_NOT_A_PASS"));
        assert_eq!(from_status(&status), refusal);
    }
}

//! Mandates: that the learner wants what is done with their records.

use creditbank_protocol::mandate::{mandate_digest, verify_mandate};
use creditbank_protocol::pb::Mandate;
use creditbank_protocol::record::Record;
use creditbank_protocol::{Digest, InstitutionId};

use super::fields::{present, require};
use crate::{Registry, Rejection, Rule};

/// Checks the mandate of a record of an institution and returns the digest that the log has of it.
pub(super) fn check(
    registry: &Registry,
    institution: InstitutionId,
    record: &Record,
    mandate: Option<&Mandate>,
) -> Result<Digest, Rejection> {
    let refuse = |found: &str| {
        let expected = "a signature by the learner's key over this record, or the reference of a signed paper";
        Rejection::new(Rule::NoMandate, expected, found).field("mandate")
    };
    let mandate = mandate.ok_or_else(|| refuse("nothing"))?;
    present(mandate.salt.len() == 16, "mandate", "16 random bytes as its salt")?;
    let signed = !mandate.learner_key.is_empty() || !mandate.signature.is_empty();
    let paper = !mandate.paper_reference.is_empty();
    require(signed != paper, Rule::NoMandate, "mandate", "either a signature or a paper", "both, or none")?;
    if signed && verify_mandate(registry.origin(), institution, record, mandate).is_err() {
        return Err(refuse("a signature that does not hold for this record"));
    }
    mandate_digest(mandate).map_err(|error| refuse(&error.to_string()))
}

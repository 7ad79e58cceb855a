//! Mandates: that the learner wants what is done with their records.

use creditbank_protocol::Digest;
use creditbank_protocol::dates::show_minute;
use creditbank_protocol::mandate::{BY_LEGAL_BASIS, core, mandate_digest, verify_mandate};
use creditbank_protocol::names;
use creditbank_protocol::once::SALT_LEN;
use creditbank_protocol::pb::Mandate;
use creditbank_protocol::record::Record;

use super::derived::Issuing;
use super::fields::{present, require};
use super::kinds::malformed;
use super::uses::consent_lasts;
use crate::{Registry, Rejection, Rule};

/// Checks the mandate of a record of an institution and returns the digest that the log has of it. Whether it was
/// used is looked
/// at with the block.
pub(super) fn check(
    registry: &Registry,
    issuing: Issuing,
    record: &Record,
    mandate: Option<&Mandate>,
) -> Result<Digest, Rejection> {
    let refuse = |found: &str| {
        let expected =
            "a signature by the learner's key over this record, the reference of a signed paper, or a legal basis";
        Rejection::new(Rule::NoMandate, expected, found).field("mandate")
    };
    let mandate = mandate.ok_or_else(|| refuse("nothing"))?;
    present(mandate.salt.len() == SALT_LEN, "mandate", "16 random bytes as its salt")?;
    let signed = !mandate.learner_key.is_empty() || !mandate.signature.is_empty();
    let (paper, legal) = (!mandate.paper_reference.is_empty(), !mandate.legal_basis.is_empty());
    let given = usize::from(signed) + usize::from(paper) + usize::from(legal);
    let expected = "exactly one of a signature, a paper and a legal basis";
    require(given == 1, Rule::NoMandate, "mandate", expected, format_args!("{given} of them"))?;
    super::papers::written(&mandate.paper_reference)?;
    let (origin, institution, kind) = (registry.origin(), issuing.institution, record.kind());
    if signed && verify_mandate(origin, institution, record, mandate).is_err() {
        return Err(refuse("a signature that does not hold for this record"));
    }
    let by_law = !legal || BY_LEGAL_BASIS.contains(&kind);
    let expected = "a signature or a paper: nobody applies or appeals in the learner's place";
    require(by_law, Rule::NoMandate, "mandate", expected, "a legal basis")?;
    // A signature is for one record, and lists nothing.
    let acts = mandate.acts.contains(&i32::from(kind)) == paper && (paper || mandate.acts.is_empty());
    let expected = format_args!("a paper that lists {} among its acts, or a mandate without a list", names::of(kind));
    require(acts, Rule::NoMandate, "mandate", expected, format_args!("{} others", mandate.acts.len()))?;
    let (until, sealed) = (mandate.until_minute, issuing.sealed_at_ms / 60_000);
    let lasts = consent_lasts(until, issuing.created_at_minute, sealed);
    lasts.map_err(|expected| Rejection::new(Rule::MandateExpired, expected, show_minute(until)).field("mandate"))?;
    let core = core(kind, record.body()).map_err(malformed)?;
    Ok(mandate_digest(origin, institution, kind, &core, mandate))
}

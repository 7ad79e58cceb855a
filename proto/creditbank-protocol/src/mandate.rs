//! What people and other institutions sign inside a record: mandates of learners, signatures under joint awards.
//!
//! Both are over the record's *core*: its canonical body without the fields that hold such signatures.

use crate::canonical::{CanonicalError, encode, top_level_fields};
use crate::hash::{Preimage, tag};
use crate::key::{SignatureError, verify};
use crate::pb::{AgreementTerms, Kind, Mandate};
use crate::record::{Record, info_of, kind_number};
use crate::{Digest, InstitutionId};

/// Names of the fields that are left out of the core.
const SIGNATURES: [&str; 2] = ["mandate", "cosignatures"];

/// The canonical body of a record without its mandate and cosignatures.
pub fn core(kind: Kind, body: &[u8]) -> Result<Vec<u8>, CanonicalError> {
    let Some(info) = info_of(kind) else {
        return Ok(body.to_vec());
    };
    let fields = top_level_fields(info.schema, body)?;
    let kept = info.schema.fields.iter().zip(fields).filter(|(field, _)| !SIGNATURES.contains(&field.name));
    Ok(kept.flat_map(|(_, range)| body[range].iter().copied()).collect())
}

/// What a learner signs: sign(learner key, preimage(mandate, var origin, u64 institution, u16 kind, var core)).
pub fn mandate_message(origin: &str, institution: InstitutionId, kind: Kind, core: &[u8]) -> Preimage {
    let preimage = Preimage::new(tag::MANDATE).variable(origin.as_bytes()).u64(institution.0);
    preimage.u16(kind_number(kind)).variable(core)
}

/// Whether the learner's signature of a mandate holds for a record.
pub fn verify_mandate(
    origin: &str,
    institution: InstitutionId,
    record: &Record,
    mandate: &Mandate,
) -> Result<(), SignatureError> {
    let core = core(record.kind(), record.body()).unwrap_or_default();
    let message = mandate_message(origin, institution, record.kind(), &core);
    verify(&mandate.learner_key, message.as_bytes(), &mandate.signature)
}

/// What stands in the log of a mandate: H(preimage(mandate-digest, var mandate)). Its salt keeps it silent.
pub fn mandate_digest(mandate: &Mandate) -> Result<Digest, CanonicalError> {
    Ok(Preimage::new(tag::MANDATE_DIGEST).variable(&encode(mandate)?).digest())
}

/// What another institution signs under a joint award: sign(unit key, preimage(joint-award, var origin, u64 that institution,
/// var core)).
pub fn joint_message(origin: &str, institution: InstitutionId, core: &[u8]) -> Preimage {
    Preimage::new(tag::JOINT_AWARD).variable(origin.as_bytes()).u64(institution.0).variable(core)
}

/// The text of an agreement, as both parties sign it: H(preimage(agreement-terms, var terms)).
pub fn terms_digest(terms: &AgreementTerms) -> Result<Digest, CanonicalError> {
    Ok(Preimage::new(tag::AGREEMENT_TERMS).variable(&encode(terms)?).digest())
}

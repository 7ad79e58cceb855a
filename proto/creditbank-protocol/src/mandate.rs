//! What people and other institutions sign inside a record: mandates of learners, signatures under joint awards.
//!
//! Both are over the record's *core*: its canonical body without the fields that hold such signatures.

use crate::canonical::{CanonicalError, encode, top_level_fields};
use crate::hash::{Preimage, tag};
use crate::key::{SignatureError, verify};
use crate::pb::{self, AgreementTerms, CoSignature, Kind, Mandate};
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

/// What a learner signs: until when, and for which record of which institution.
pub fn mandate_message(
    origin: &str,
    institution: InstitutionId,
    kind: Kind,
    core: &[u8],
    mandate: &Mandate,
) -> Preimage {
    let preimage = Preimage::new(tag::MANDATE).variable(origin.as_bytes()).u64(institution.0);
    preimage.u16(kind_number(kind)).variable(core).u64(mandate.until_minute).fixed(&mandate.salt)
}

/// What a paper stands for: one record of a kind, whatever it says. Until when it holds is the institution's word, so
/// another day makes it no other paper; and neither does another origin of the log.
fn paper_message(institution: InstitutionId, kind: Kind, mandate: &Mandate) -> Preimage {
    let preimage = Preimage::new(tag::PAPER_MANDATE).u64(institution.0);
    preimage.u16(kind_number(kind)).variable(mandate.paper_reference.as_bytes()).fixed(&mandate.salt)
}

/// What is done by a regulation: one record, as it is.
fn legal_message(origin: &str, institution: InstitutionId, kind: Kind, core: &[u8], mandate: &Mandate) -> Preimage {
    let preimage = Preimage::new(tag::LEGAL_BASIS).variable(origin.as_bytes()).u64(institution.0);
    let preimage = preimage.u16(kind_number(kind)).variable(core).variable(mandate.legal_basis.as_bytes());
    preimage.u64(mandate.until_minute).fixed(&mandate.salt)
}

/// Kinds of records that an institution may make by a regulation, without the learner: nobody applies or appeals in
/// another's place.
pub const BY_LEGAL_BASIS: [Kind; 4] =
    [Kind::Conversion, Kind::Award, Kind::QualificationRecognition, Kind::ForeignAward];

/// Whether the learner's signature of a mandate holds for a record.
pub fn verify_mandate(
    origin: &str,
    institution: InstitutionId,
    record: &Record,
    mandate: &Mandate,
) -> Result<(), SignatureError> {
    let core = core(record.kind(), record.body()).unwrap_or_default();
    let message = mandate_message(origin, institution, record.kind(), &core, mandate);
    verify(&mandate.learner_key, message.as_bytes(), &mandate.signature)
}

/// What stands in the log of a mandate, and is used up with the record: the hash of what it was signed or stated for.
/// Its
/// salt keeps it silent.
pub fn mandate_digest(origin: &str, institution: InstitutionId, kind: Kind, core: &[u8], mandate: &Mandate) -> Digest {
    if !mandate.paper_reference.is_empty() {
        paper_message(institution, kind, mandate).digest()
    } else if !mandate.legal_basis.is_empty() {
        legal_message(origin, institution, kind, core, mandate).digest()
    } else {
        mandate_message(origin, institution, kind, core, mandate).digest()
    }
}

/// The mandate in a record, if its kind has one and it is there.
pub fn mandate_in(record: &Record) -> Result<Option<Mandate>, CanonicalError> {
    Ok(match record.kind() {
        Kind::Application => record.read::<pb::Application>()?.mandate,
        Kind::Appeal => record.read::<pb::Appeal>()?.mandate,
        Kind::Conversion => record.read::<pb::Conversion>()?.mandate,
        Kind::Award => record.read::<pb::Award>()?.mandate,
        Kind::QualificationRecognition => record.read::<pb::QualificationRecognition>()?.mandate,
        Kind::ForeignAward => record.read::<pb::ForeignAward>()?.mandate,
        _ => None,
    })
}

/// What stands in the log of the mandate in a record of an institution, if there is one.
pub fn mandate_of(origin: &str, institution: InstitutionId, record: &Record) -> Result<Option<Digest>, CanonicalError> {
    let Some(mandate) = mandate_in(record)? else {
        return Ok(None);
    };
    let core = core(record.kind(), record.body())?;
    Ok(Some(mandate_digest(origin, institution, record.kind(), &core, &mandate)))
}

/// What stands in the log of what others have signed inside a record of an institution.
pub fn consents(origin: &str, institution: InstitutionId, record: &Record) -> Result<Vec<Digest>, CanonicalError> {
    let mut found: Vec<Digest> = mandate_of(origin, institution, record)?.into_iter().collect();
    if record.kind() == Kind::Award {
        let (award, core) = (record.read::<pb::Award>()?, core(record.kind(), record.body())?);
        let digest = |one: &CoSignature| joint_message(origin, institution, &core, one).digest();
        found.extend(award.cosignatures.iter().map(digest));
    }
    Ok(found)
}

/// What another institution signs under a joint award of an institution: until when, and for which award.
pub fn joint_message(origin: &str, institution: InstitutionId, core: &[u8], cosignature: &CoSignature) -> Preimage {
    let preimage = Preimage::new(tag::JOINT_AWARD).variable(origin.as_bytes()).u64(institution.0);
    let preimage = preimage.variable(core).u64(cosignature.institution).u64(cosignature.until_minute);
    preimage.fixed(&cosignature.salt)
}

/// The text of an agreement, as both parties sign it: H(preimage(agreement-terms, var terms)).
pub fn terms_digest(terms: &AgreementTerms) -> Result<Digest, CanonicalError> {
    Ok(Preimage::new(tag::AGREEMENT_TERMS).variable(&encode(terms)?).digest())
}

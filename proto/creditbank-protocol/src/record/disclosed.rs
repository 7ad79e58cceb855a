//! Records as a verifier gets them: whole, or claim by claim.

use super::{BODY_LEN_MAX, KindInfo, Record, RecordError, claim_hash, info_of, kind_info, record_hash, salt};
use crate::Digest;
use crate::canonical::{CanonicalError, check, top_level_fields};
use crate::pb;

/// Field numbers that must be opened.
pub type RequiredClaims = &'static [u16];

/// Why a disclosed record is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Kind, version, seed or a whole body is wrong.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Both a whole body and claims, or neither.
    #[error("a record is disclosed either whole or claim by claim")]
    Form,
    /// Not one claim for each field.
    #[error("{found} claims, expected {expected}")]
    Count {
        /// Fields of the kind.
        expected: usize,
        /// Claims that came.
        found: usize,
    },
    /// A claim that is neither hidden nor opened in one of the two ways.
    #[error("claim {0} is neither a hash alone nor a salt with at most a value")]
    Claim(u16),
    /// The value of a claim is not exactly that field.
    #[error("the value of claim {0} is not exactly that field")]
    Value(u16),
    /// The opened values together are not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// What a verifier knows of a record.
#[derive(Debug, Clone)]
pub struct Disclosed {
    /// The kind.
    pub info: &'static KindInfo,
    /// The record hash that everything disclosed leads to.
    pub hash: Digest,
    /// The opened fields, as canonical bytes of the kind's message; hidden fields are missing from it.
    pub body: Vec<u8>,
    /// Whether each field was opened, in schema order.
    pub opened: Vec<bool>,
}

impl Disclosed {
    /// Checks what was disclosed and computes the record hash.
    pub fn new(disclosed: &pb::DisclosedRecord) -> Result<Self, DisclosureError> {
        let kind = u32::try_from(disclosed.kind).unwrap_or(0);
        let info = kind_info(kind).ok_or(RecordError::UnknownKind(kind))?;
        let version = info.version(disclosed.version)?;
        if !disclosed.seed.is_empty() {
            if !disclosed.claims.is_empty() {
                return Err(DisclosureError::Form);
            }
            let record = Record::new(kind, disclosed.version, &disclosed.seed, disclosed.body.clone())?;
            let opened = vec![true; info.fields()];
            return Ok(Self { info, hash: record.hash(), body: record.body, opened });
        }
        if !disclosed.body.is_empty() || disclosed.claims.is_empty() {
            return Err(DisclosureError::Form);
        }
        Self::from_claims(info, version, &disclosed.claims)
    }

    fn from_claims(
        info: &'static KindInfo,
        version: u16,
        disclosed: &[pb::DisclosedClaim],
    ) -> Result<Self, DisclosureError> {
        if disclosed.len() != info.fields() {
            return Err(DisclosureError::Count { expected: info.fields(), found: disclosed.len() });
        }
        let mut hashes = Vec::with_capacity(disclosed.len());
        let mut opened = Vec::with_capacity(disclosed.len());
        let mut body = Vec::new();
        for (number, claim) in info.numbers().zip(disclosed) {
            match (Digest::from_slice(&claim.hash), <[u8; 16]>::try_from(claim.salt.as_slice())) {
                (Some(hash), Err(_)) if claim.salt.is_empty() && claim.value.is_empty() => {
                    hashes.push(hash);
                    opened.push(false);
                }
                (None, Ok(salt)) if claim.hash.is_empty() => {
                    only_field(info, number, &claim.value)?;
                    hashes.push(claim_hash(&salt, info.kind, version, number, &claim.value));
                    opened.push(true);
                    body.extend_from_slice(&claim.value);
                }
                _ => return Err(DisclosureError::Claim(number)),
            }
        }
        if body.len() > BODY_LEN_MAX {
            return Err(RecordError::TooLong { found: body.len() }.into());
        }
        check(info.schema, &body)?;
        Ok(Self { info, hash: record_hash(info, version, &hashes), body, opened })
    }

    /// The first claim that must be opened and is not.
    pub fn missing_claim(&self) -> Option<&'static str> {
        let is_opened =
            |number: u16| self.info.numbers().zip(&self.opened).any(|(one, opened)| one == number && *opened);
        let number = self.info.required.iter().find(|number| !is_opened(**number))?;
        self.info.schema.field(u64::from(*number)).map(|field| field.name)
    }
}

impl Disclosed {
    /// The names of the fields that are hidden: whether they are there, and what they say, nobody sees.
    pub fn hidden(&self) -> impl Iterator<Item = &'static str> + '_ {
        let fields = self.info.schema.fields.iter().zip(&self.opened);
        fields.filter(|(_, is_opened)| !**is_opened).map(|(field, _)| field.name)
    }
}

/// Refuses a value that holds another field than `number`.
fn only_field(info: &KindInfo, number: u16, value: &[u8]) -> Result<(), DisclosureError> {
    let ranges = top_level_fields(info.schema, value)?;
    let exact = info.numbers().zip(ranges).all(|(other, range)| other == number || range.start == range.end);
    if exact { Ok(()) } else { Err(DisclosureError::Value(number)) }
}

/// Discloses the fields of `record` whose numbers are in `open`, and only the hashes of the others.
pub fn disclose(record: &Record, open: &[u16]) -> Result<Vec<pb::DisclosedClaim>, DisclosureError> {
    let info = info_of(record.kind()).ok_or(DisclosureError::Form)?;
    let ranges = top_level_fields(info.schema, record.body())?;
    Ok(info
        .numbers()
        .zip(ranges)
        .map(|(number, range)| {
            let salt = salt(record.seed(), record.kind(), record.version(), number);
            let value = &record.body()[range];
            if open.contains(&number) {
                pb::DisclosedClaim { hash: Vec::new(), salt: salt.to_vec(), value: value.to_vec() }
            } else {
                let hash = claim_hash(&salt, record.kind(), record.version(), number, value);
                pb::DisclosedClaim { hash: hash.0.to_vec(), ..Default::default() }
            }
        })
        .collect())
}

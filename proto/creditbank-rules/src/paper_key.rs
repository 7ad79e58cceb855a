//! The paper of a mandate, which an institution uses once for each kind of record.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::course_code::wide_key;
use creditbank_protocol::mandate::mandate_in;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::record::{Record, kind_number};

/// A paper, as it is compared, and what it is used for: case and width of its reference make no other one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaperKey {
    /// Who keeps it.
    pub institution: InstitutionId,
    /// What kind of record stands on it.
    pub kind: Kind,
    /// The key of its reference, which is not empty.
    pub reference: String,
}

impl PaperKey {
    /// The paper on which a record of `institution` stands, if it stands on one.
    pub fn of_record(record: &Record, institution: InstitutionId) -> Result<Option<Self>, CanonicalError> {
        let mandate = mandate_in(record)?.filter(|mandate| !mandate.paper_reference.is_empty());
        let kind = record.kind();
        Ok(mandate.map(|mandate| Self { institution, kind, reference: wide_key(&mandate.paper_reference) }))
    }

    /// The key as bytes, for a digest. No two keys have the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (institution, kind) = (self.institution.0.to_be_bytes(), kind_number(self.kind).to_be_bytes());
        [&institution[..], &kind, self.reference.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: papers of two institutions, papers for two kinds and two papers are told apart.
    #[test]
    fn no_two_keys_have_the_same_bytes() {
        let key = |institution: u64, kind, reference: &str| PaperKey {
            institution: institution.into(),
            kind,
            reference: reference.to_owned(),
        };
        let keys = [
            key(1, Kind::Award, "17"),
            key(2, Kind::Award, "17"),
            key(1, Kind::Conversion, "17"),
            key(1, Kind::Award, "1"),
        ];
        let mut bytes: Vec<Vec<u8>> = keys.iter().map(PaperKey::to_bytes).collect();
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), keys.len());
    }
}

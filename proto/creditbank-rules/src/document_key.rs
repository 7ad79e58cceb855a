//! The number of an award's document, which an institution gives once.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::course_code::wide_key;
use creditbank_protocol::pb::{Award, DocumentNumber};

/// A number in a series of an institution, as it is compared: case and width make no other one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DocumentKey {
    /// Who gave it.
    pub institution: InstitutionId,
    /// The key of the series; empty: it has none.
    pub series: String,
    /// The key of the number, which is not empty.
    pub number: String,
}

impl DocumentKey {
    /// The numbers of the documents of an award of `institution`, in their order.
    pub fn of_award(award: &Award, institution: InstitutionId) -> Vec<Self> {
        let key = |document: &creditbank_protocol::pb::AwardDocument| {
            let DocumentNumber { series, number } = document.number.as_ref()?;
            let (series, number) = (wide_key(series), wide_key(number));
            let by = if document.institution == 0 { institution } else { document.institution.into() };
            Some(Self { institution: by, series, number })
        };
        award.documents.iter().filter_map(key).collect()
    }

    /// Whether two numbers of one institution are the same one.
    pub fn is_same(one: &DocumentNumber, other: &DocumentNumber) -> bool {
        let key = |of: &DocumentNumber| (wide_key(&of.series), wide_key(&of.number));
        key(one) == key(other)
    }

    /// The key as bytes, for a digest. No two keys have the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.series.len()).expect("the schema bounds it");
        [&self.institution.0.to_be_bytes()[..], &length.to_be_bytes(), self.series.as_bytes(), self.number.as_bytes()]
            .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what belongs to the series is not mistaken for a part of the number.
    #[test]
    fn no_two_keys_have_the_same_bytes() {
        let key = |institution: u64, series: &str, number: &str| DocumentKey {
            institution: institution.into(),
            series: series.to_owned(),
            number: number.to_owned(),
        };
        let keys = [key(1, "A", "12"), key(1, "A1", "2"), key(1, "", "A12"), key(2, "A", "12"), key(1, "A", "1")];
        let mut bytes: Vec<Vec<u8>> = keys.iter().map(DocumentKey::to_bytes).collect();
        bytes.sort_unstable();
        bytes.dedup();
        assert_eq!(bytes.len(), keys.len());
    }
}

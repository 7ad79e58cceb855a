//! What an award or a conversion rests on, which a reader must always see.

use crate::Place;
use crate::canonical::{CanonicalError, decode};
use crate::pb::{self, AgreementName, AwardBasis, AwardDocument, Date, EquivalenceName, Kind};

/// What a record rests on beside its issuer's word. Fields that a disclosure hides are `None`.
#[derive(Debug, Clone, PartialEq)]
pub enum RestsOn {
    /// Of an award: what the requirements were judged by.
    Award {
        /// Records, which the ledger has recomputed, or the institution's word.
        basis: AwardBasis,
        /// Its documents, as they are called and numbered.
        documents: Vec<AwardDocument>,
        /// The day on which it was conferred.
        conferred: Option<Date>,
        /// Of a declared award: how many Credits of the ledger it consumes.
        consumes: usize,
        /// Of a declared award that consumes none: why.
        consumes_none: Option<String>,
        /// Of an audited award: how much of what it counts was declared, in ten-thousandths of the definition's unit.
        declared_e4: u64,
        /// The revoked award in whose place it comes.
        replaces: Option<Place>,
    },
    /// Of a conversion: an agreement between the institutions.
    Agreement(AgreementName),
    /// Of a conversion: what the receiver has published as equal.
    Equivalence(EquivalenceName),
    /// Of a conversion: somebody has assessed prior learning.
    Assessment {
        /// Who answers for it.
        assessor: String,
    },
    /// Of a conversion: the receiver has decided it before it was in the registry, and nobody has recomputed it.
    Declared {
        /// By what the decision is found.
        reference: String,
        /// On what it rested.
        legal_basis: String,
    },
}

impl RestsOn {
    /// What a record with a canonical body of a kind rests on. `None` where the record is the word of its issuer alone, or
    /// hides what it rests on.
    pub fn of(kind: Kind, body: &[u8]) -> Result<Option<Self>, CanonicalError> {
        Ok(match kind {
            Kind::Award => of_award(decode(body)?),
            Kind::Conversion => of_conversion(decode(body)?),
            _ => None,
        })
    }
}

fn of_award(award: pb::Award) -> Option<RestsOn> {
    match AwardBasis::try_from(award.basis).unwrap_or_default() {
        AwardBasis::Unspecified => None,
        basis => Some(RestsOn::Award {
            basis,
            documents: award.documents,
            conferred: award.conferred,
            consumes: if basis == AwardBasis::Declared { award.redeems.len() } else { 0 },
            consumes_none: Some(award.consumes_none).filter(|reason| !reason.is_empty()),
            declared_e4: award.declared_e4,
            replaces: award.replaces.and_then(|award| award.place).map(Place::from),
        }),
    }
}

fn of_conversion(conversion: pb::Conversion) -> Option<RestsOn> {
    let assessor = conversion.assessment.map(|assessment| assessment.assessor).filter(|assessor| !assessor.is_empty());
    let agreement = conversion.agreement.map(RestsOn::Agreement);
    let equivalence = conversion.equivalence.map(RestsOn::Equivalence);
    let declared = conversion.declared.map(|one| (one.reference, one.legal_basis));
    let declared = declared.map(|(reference, legal_basis)| RestsOn::Declared { reference, legal_basis });
    let assessment = assessor.map(|assessor| RestsOn::Assessment { assessor });
    agreement.or(equivalence).or(assessment).or(declared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{Canonical, encode};

    fn of<M: Canonical>(kind: Kind, message: &M) -> Option<RestsOn> {
        RestsOn::of(kind, &encode(message).expect("canonical")).expect("canonical")
    }

    /// Goal: an award rests on its basis; what is hidden of it is not made up.
    #[test]
    fn an_award_rests_on_its_basis() {
        let reason = "Conferred in 1998".to_owned();
        let award =
            pb::Award { basis: AwardBasis::Declared.into(), consumes_none: reason.clone(), ..Default::default() };
        let found = Some(RestsOn::Award {
            basis: AwardBasis::Declared,
            documents: Vec::new(),
            conferred: None,
            consumes: 0,
            consumes_none: Some(reason),
            declared_e4: 0,
            replaces: None,
        });
        assert_eq!(of(Kind::Award, &award), found);
        assert_eq!(of(Kind::Award, &pb::Award::default()), None);
        assert_eq!(of(Kind::Credit, &pb::Credit::default()), None);
    }

    /// Goal: a conversion rests on the one right that it names.
    #[test]
    fn a_conversion_rests_on_its_right() {
        let agreement = AgreementName { code: "PARIS-LEEDS".to_owned(), version: 1 };
        let equivalence = EquivalenceName { institution: 2, code: "IELTS".to_owned(), version: 3 };
        let assessor = "Office for prior learning".to_owned();
        let assessment = Some(pb::Assessment { assessor: assessor.clone(), ..Default::default() });
        let by_agreement = pb::Conversion { agreement: Some(agreement.clone()), ..Default::default() };
        let by_equivalence = pb::Conversion { equivalence: Some(equivalence.clone()), ..Default::default() };
        let by_assessment = pb::Conversion { assessment, ..Default::default() };
        assert_eq!(of(Kind::Conversion, &by_agreement), Some(RestsOn::Agreement(agreement)));
        assert_eq!(of(Kind::Conversion, &by_equivalence), Some(RestsOn::Equivalence(equivalence)));
        assert_eq!(of(Kind::Conversion, &by_assessment), Some(RestsOn::Assessment { assessor }));
        let (reference, legal_basis) = ("2019/417".to_owned(), "Regulations 2015".to_owned());
        let by = pb::DeclaredConversion { reference: reference.clone(), legal_basis: legal_basis.clone() };
        let declared = pb::Conversion { declared: Some(by), ..Default::default() };
        assert_eq!(of(Kind::Conversion, &declared), Some(RestsOn::Declared { reference, legal_basis }));
    }
}

//! That the learner wants it: a mandate inside a record, signed by the learner's key or on a paper that is kept.

use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::mandate::{core, mandate_digest, mandate_message};
use creditbank_protocol::pb::{Authority, Basis, Kind, Mandate};

use crate::IssuingUnit;
use crate::secret::derive;
use crate::{ClientError, Signer as _};

/// How the learner said yes.
#[derive(Clone)]
pub enum Consent {
    /// On a paper that the institution keeps under this reference.
    Paper(String),
    /// With a key of their own.
    Key(Box<KeyFile>),
}

/// The mandate for a record that has everything else. Its salt is derived from the unit's secret and what the record says:
/// nobody else can guess it, and the same record again gets the same one.
pub fn mandate<M: Canonical>(
    origin: &str,
    unit: &IssuingUnit,
    kind: Kind,
    message: &M,
    consent: &Consent,
) -> Result<Mandate, ClientError> {
    let local = |error: &dyn std::fmt::Display| ClientError::Local(error.to_string());
    let body = encode(message).map_err(|error| local(&error))?;
    let core = core(kind, &body).map_err(|error| local(&error))?;
    let secret = derive(&unit.secret, &[b"creditbank mandate salt", &i32::from(kind).to_be_bytes(), &core]);
    let salt = secret[..16].to_vec();
    match consent {
        Consent::Paper(reference) if reference.is_empty() => {
            Err(ClientError::Local("expected the reference of the paper that the learner has signed".to_owned()))
        }
        Consent::Paper(reference) => Ok(Mandate { paper_reference: reference.clone(), salt, ..Default::default() }),
        Consent::Key(key) => {
            let message = mandate_message(origin, unit.id.institution, kind, &core);
            let signature = key.sign(message.as_bytes())?.to_vec();
            Ok(Mandate { learner_key: key.public_key().to_vec(), signature, salt, ..Default::default() })
        }
    }
}

/// The authority by which a block redeems what its record uses.
pub fn redeeming(mandate: &Mandate) -> Result<Authority, ClientError> {
    let digest = mandate_digest(mandate).map_err(|error| ClientError::Local(error.to_string()))?;
    Ok(Authority { basis: Basis::Mandate.into(), mandate_digest: digest.0.to_vec(), ..Default::default() })
}

#[cfg(test)]
mod tests {
    use creditbank_protocol::canonical::encode;
    use creditbank_protocol::mandate::verify_mandate;
    use creditbank_protocol::pb::{Appeal, Date, Place, Purpose};
    use creditbank_protocol::record::Record;
    use ed25519_dalek::SigningKey;

    use super::*;

    fn key(purpose: Purpose, seed: u8) -> KeyFile {
        KeyFile { purpose, key: SigningKey::from_bytes(&[seed; 32]) }
    }

    /// Goal: a learner's signature holds for the record with its mandate in it, and for no other; the salt tells records apart.
    #[test]
    fn a_mandate_holds_for_its_record() {
        let unit = IssuingUnit::new(creditbank_protocol::UnitId::new(1, 1), key(Purpose::Unit, 1));
        let appeal = Appeal {
            learner: vec![7; 16],
            decision: Some(Place { entry: 4, index: 0 }),
            grounds: "the syllabus was not read".to_owned(),
            received: Some(Date { year: 2026, month: 11, day: 24 }),
            ..Default::default()
        };
        let consent = Consent::Key(Box::new(key(Purpose::Unspecified, 2)));
        let given = mandate("o.example", &unit, Kind::Appeal, &appeal, &consent).expect("a mandate");
        let record =
            |appeal: Appeal| Record::of(Kind::Appeal, &[3; 32], encode(&appeal).expect("canonical")).expect("it");
        let whole = record(Appeal { mandate: Some(given.clone()), ..appeal.clone() });
        assert!(verify_mandate("o.example", 1.into(), &whole, &given).is_ok());
        assert!(verify_mandate("o.example", 2.into(), &whole, &given).is_err());
        let other = record(Appeal { mandate: Some(given.clone()), grounds: "else".to_owned(), ..appeal.clone() });
        assert!(verify_mandate("o.example", 1.into(), &other, &given).is_err());
        let again = mandate("o.example", &unit, Kind::Appeal, &appeal, &consent).expect("a mandate");
        assert_eq!(again, given);
        let paper = Consent::Paper("file 12".to_owned());
        let else_said = Appeal { grounds: "else".to_owned(), ..appeal };
        let papers = mandate("o.example", &unit, Kind::Appeal, &else_said, &paper).expect("a mandate");
        assert!(papers.salt != given.salt && papers.learner_key.is_empty());
        assert!(mandate("o.example", &unit, Kind::Appeal, &else_said, &Consent::Paper(String::new())).is_err());
    }
}

//! That the learner wants it: a mandate inside a record, signed by the learner's key or on a paper that is kept; or by
//! which regulation the institution acts without the learner.

use std::collections::BTreeSet;

use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::mandate::{core, mandate_message, mandate_of};
use creditbank_protocol::once::SALT_LEN;
use creditbank_protocol::pb::{Authority, Basis, Kind, Mandate};
use creditbank_protocol::record::{Record, amends_of};
use prost::Message as _;

use crate::IssuingUnit;
use crate::sealing::body::learner as learner_of;
use crate::secret::derive;
use crate::{ClientError, Signer as _};

/// How the learner said yes.
#[derive(Clone)]
pub enum Consent {
    /// On a paper that the institution keeps.
    Paper {
        /// Its reference.
        reference: String,
        /// What else it is for than the record at hand: it serves one record of each kind.
        acts: Vec<Kind>,
    },
    /// With a key of their own.
    Key(Box<KeyFile>),
    /// Not at all: the institution acts ex officio or after the learner's death. The regulation and the case.
    Law(String),
}

/// How the learner said yes to one record.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// On a paper, with a key, or by a regulation.
    pub consent: &'a Consent,
    /// The last minute at which it holds, since 1970.
    pub until_minute: u64,
    /// Tells the record from another one that says the same, and so the learner's second signature from the first.
    pub reference: &'a str,
}

/// The mandate for a record that has everything else. Its salt is derived from the unit's secret that lasts: nobody
/// else can guess it, the same record again gets the same one, and the same paper of a learner has one salt, but where an
/// amendment stands on it once more.
pub fn mandate<M: Canonical>(
    origin: &str,
    unit: &IssuingUnit,
    kind: Kind,
    message: &M,
    given: Given<'_>,
) -> Result<Mandate, ClientError> {
    let local = |error: &dyn std::fmt::Display| ClientError::Local(error.to_string());
    let body = encode(message).map_err(|error| local(&error))?;
    let core = core(kind, &body).map_err(|error| local(&error))?;
    let salt = |what: &[u8], of: &[u8]| derive(unit.seeds.lasting(), &[what, of])[..SALT_LEN].to_vec();
    let bare = Mandate { until_minute: given.until_minute, ..Default::default() };
    match given.consent {
        Consent::Paper { reference, .. } if reference.is_empty() => {
            Err(ClientError::Local("expected the reference of the paper that the learner has signed".to_owned()))
        }
        Consent::Paper { reference, acts } => {
            let acts: BTreeSet<i32> = acts.iter().chain([&kind]).map(|kind| i32::from(*kind)).collect();
            let learner = learner_of(kind, &body).map_err(ClientError::Local)?;
            let amends = amends_of(kind, &body).map_err(|error| local(&error))?.and_then(|amends| amends.place);
            let amends = amends.map_or(Vec::new(), |place| place.encode_to_vec());
            let salt = salt(b"creditbank paper salt", &[&learner, reference.as_bytes(), &amends].concat());
            Ok(Mandate { paper_reference: reference.clone(), salt, acts: acts.into_iter().collect(), ..bare })
        }
        Consent::Law(basis) if basis.trim().is_empty() => Err(ClientError::Local(
            "expected the regulation by which you act, and the reference of the case".to_owned(),
        )),
        Consent::Law(basis) => {
            let salt = salt(b"creditbank legal basis salt", &record_tag(given.reference, kind, &core));
            Ok(Mandate { legal_basis: basis.clone(), salt, ..bare })
        }
        Consent::Key(key) => {
            let salt = salt(b"creditbank mandate salt", &record_tag(given.reference, kind, &core));
            let bare = Mandate { salt, ..bare };
            let message = mandate_message(origin, unit.id.institution, kind, &core, &bare);
            let signature = key.sign(message.as_bytes())?.to_vec();
            Ok(Mandate { learner_key: key.public_key().to_vec(), signature, ..bare })
        }
    }
}

/// What tells a record from another one, also from one that says the same.
fn record_tag(reference: &str, kind: Kind, core: &[u8]) -> Vec<u8> {
    let len = (reference.len() as u64).to_be_bytes();
    [&len[..], reference.as_bytes(), &i32::from(kind).to_be_bytes(), core].concat()
}

/// The authority by which a block redeems what its record, of the unit's institution, uses.
pub fn redeeming(origin: &str, unit: &IssuingUnit, record: &Record) -> Result<Authority, ClientError> {
    let mandate = mandate_of(origin, unit.id.institution, record);
    let digest = mandate.map_err(|error| ClientError::Local(error.to_string()))?;
    let mandate_digest = digest.map(|digest| digest.0.to_vec()).unwrap_or_default();
    Ok(Authority { basis: Basis::Mandate.into(), mandate_digest, ..Default::default() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use creditbank_protocol::canonical::encode;
    use creditbank_protocol::mandate::verify_mandate;
    use creditbank_protocol::pb::{self, Appeal, Date, Place, Purpose};
    use creditbank_protocol::record::Record;
    use ed25519_dalek::SigningKey;

    use super::*;
    use crate::Seeds;

    fn key(purpose: Purpose, seed: u8) -> KeyFile {
        KeyFile { purpose, key: SigningKey::from_bytes(&[seed; 32]) }
    }

    /// Goal: a learner's signature holds for the record with its mandate in it, and for no other; the salt tells
    /// records apart.
    #[test]
    fn a_mandate_holds_for_its_record() {
        let id = creditbank_protocol::UnitId::new(1, 1);
        let unit = IssuingUnit::new(id, Arc::new(key(Purpose::Unit, 1)), Seeds::derived([1; 32]));
        let appeal = Appeal {
            learner: vec![7; 16],
            decision: Some(Place { entry: 4, index: 0 }),
            grounds: "the syllabus was not read".to_owned(),
            received: Some(Date { year: 2026, month: 11, day: 24 }),
            ..Default::default()
        };
        let consent = Consent::Key(Box::new(key(Purpose::Unspecified, 2)));
        let by = |consent| Given { consent, until_minute: 9, reference: "" };
        let given = mandate("o.example", &unit, Kind::Appeal, &appeal, by(&consent)).expect("a mandate");
        let record =
            |appeal: Appeal| Record::of(Kind::Appeal, &[3; 32], encode(&appeal).expect("canonical")).expect("it");
        let whole = record(Appeal { mandate: Some(given.clone()), ..appeal.clone() });
        assert!(verify_mandate("o.example", 1.into(), &whole, &given).is_ok());
        assert!(verify_mandate("o.example", 2.into(), &whole, &given).is_err());
        let other = record(Appeal { mandate: Some(given.clone()), grounds: "else".to_owned(), ..appeal.clone() });
        assert!(verify_mandate("o.example", 1.into(), &other, &given).is_err());
        let longer = record(Appeal { mandate: Some(Mandate { until_minute: 10, ..given.clone() }), ..appeal.clone() });
        assert!(
            verify_mandate("o.example", 1.into(), &longer, &Mandate { until_minute: 10, ..given.clone() }).is_err()
        );
        let again = mandate("o.example", &unit, Kind::Appeal, &appeal, by(&consent)).expect("a mandate");
        assert_eq!(again, given);
        let second = Given { reference: "second", ..by(&consent) };
        let second = mandate("o.example", &unit, Kind::Appeal, &appeal, second).expect("a mandate");
        assert_ne!(second.salt, given.salt, "another mandate for the same words");
        // A paper is the same whatever the record says.
        let paper = Consent::Paper { reference: "file 12".to_owned(), acts: vec![Kind::Application] };
        let papers = mandate("o.example", &unit, Kind::Appeal, &appeal, by(&paper)).expect("a mandate");
        assert!(papers.salt != given.salt && papers.learner_key.is_empty());
        assert_eq!(papers.acts, [Kind::Application.into(), i32::from(Kind::Appeal)]);
        let else_said = Appeal { grounds: "else".to_owned(), ..appeal };
        assert_eq!(mandate("o.example", &unit, Kind::Appeal, &else_said, by(&paper)).expect("a mandate"), papers);
        let law = Consent::Law("Recognition act, section 3; case 7".to_owned());
        let by_law = mandate("o.example", &unit, Kind::Conversion, &pb::Conversion::default(), by(&law)).expect("one");
        assert!(by_law.legal_basis.ends_with("case 7") && by_law.acts.is_empty() && by_law.salt.len() == SALT_LEN);
        let none = Consent::Law(" ".to_owned());
        assert!(mandate("o.example", &unit, Kind::Appeal, &else_said, by(&none)).is_err());
        let none = Consent::Paper { reference: String::new(), acts: Vec::new() };
        assert!(mandate("o.example", &unit, Kind::Appeal, &else_said, by(&none)).is_err());
    }
}

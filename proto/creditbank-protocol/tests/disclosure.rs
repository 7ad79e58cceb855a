//! Field-level disclosure: what is opened is proved, what is hidden stays hidden.
#![allow(missing_docs, clippy::unwrap_used)]

use creditbank_protocol::canonical::{decode, encode};
use creditbank_protocol::pb;
use creditbank_protocol::record::{Disclosed, DisclosureError, Record, disclose};
use proptest::prelude::*;

fn record() -> Record {
    let credit = pb::Credit {
        learner: vec![7; 16],
        course: Some(pb::Course { code: "MATH-1".to_owned(), titles: vec![] }),
        amount: Some(pb::Amount { e4: 50_000, unit: "ECTS".to_owned() }),
        grade: Some(pb::Grade { scale: "DE".to_owned(), value: "1.3".to_owned() }),
        attempt: 1,
        ..Default::default()
    };
    Record::new(3, 1, &[5; 32], encode(&credit).unwrap()).unwrap()
}

fn partly(open: &[u16]) -> pb::DisclosedRecord {
    let claims = disclose(&record(), open).unwrap();
    pb::DisclosedRecord { kind: 3, version: 1, claims, ..Default::default() }
}

proptest! {
    /// Goal: any choice of fields leads to the record's hash and shows those fields and no others.
    #[test]
    fn any_choice_of_fields(open in prop::collection::btree_set(1u16..=25, 0..25)) {
        let open: Vec<u16> = open.into_iter().collect();
        let disclosed = Disclosed::new(&partly(&open)).unwrap();
        prop_assert_eq!(disclosed.hash, record().hash());
        let shown: pb::Credit = decode(&disclosed.body).unwrap();
        prop_assert_eq!(shown.grade.is_some(), open.contains(&6));
        prop_assert_eq!(shown.amount.is_some(), open.contains(&3));
        prop_assert_eq!(disclosed.missing_claim().is_none(), [2, 3, 7, 11, 14, 16, 17, 18, 20, 21].iter().all(|n| open.contains(n)));
    }
}

/// Goal: a changed value, a value in another field's place, and a value hidden as absent are refused or change the hash.
#[test]
fn disclosed_values_are_bound() {
    let honest = partly(&[2, 6]);
    let mut absent = honest.clone();
    absent.claims[5].value.clear();
    assert_ne!(Disclosed::new(&absent).unwrap().hash, record().hash());
    let mut moved = honest.clone();
    moved.claims[6].hash.clear();
    moved.claims[6].salt = vec![0; 16];
    moved.claims[6].value = moved.claims[5].value.clone();
    assert_eq!(Disclosed::new(&moved).unwrap_err(), DisclosureError::Value(7));
    let mut both = honest.clone();
    both.claims[5].hash = vec![1; 32];
    assert_eq!(Disclosed::new(&both).unwrap_err(), DisclosureError::Claim(6));
    let mut fewer = honest;
    fewer.claims.pop();
    assert_eq!(Disclosed::new(&fewer).unwrap_err(), DisclosureError::Count { expected: 25, found: 24 });
}

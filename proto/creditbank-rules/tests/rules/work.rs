//! How often a block makes the ledger be read: what many of its records are about is read once.

use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::{Marks, Named};
use creditbank_protocol::{Digest, LogIndex, Place};
use creditbank_rules::admission::{AdmissionError, admit_block, check_records};
use creditbank_rules::{CourseKey, Rule, Sealing};

use crate::fixtures::*;
use crate::seen::Seen;
use crate::world::World;

/// A result of the one course, as often as it is asked for.
fn results(count: u32) -> Vec<Record> {
    let body = creditbank_protocol::canonical::encode(&result()).expect("a canonical result");
    let one = |number: u32| {
        let mut seed = [1; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        Record::of(Kind::Result, &seed, body.clone()).expect("a record")
    };
    (0..count).map(one).collect()
}

/// Goal: a block of 1,024 records of one course of a learner who has 10,000 reads these once, whether it is admitted or
/// refused for its last record: a *refused* block of 76 KB held the sequencer for 13 s.
#[test]
fn a_course_is_read_once_for_a_block() {
    const HELD: u32 = 10_000;
    let mut world = World::new();
    for index in 0..HELD {
        world.hold(Place::new(5, index), &record(Kind::Result, &result(), 9), 1, "AAA", Marks::default());
        let held = world.ledger.held.get_mut(&Place::new(5, index)).expect("held");
        held.hash_prefix = u64::from(index).to_be_bytes();
    }
    let mut records = results(1_024);
    let view = Seen::new(&world.ledger);
    admit_block(&view, &world.facts(&records, &[])).expect("results are counted by nobody");
    assert_eq!(view.rows.get(), usize::try_from(HELD).expect("small"));
    // The last one stands twice.
    records[1_023] = records[0].clone();
    let view = Seen::new(&world.ledger);
    let refused = admit_block(&view, &world.facts(&records, &[])).expect_err("a duplicate");
    assert!(matches!(&refused, AdmissionError::Rejected(found) if found.rule == Rule::DuplicateRecord), "{refused:?}");
    assert_eq!(view.rows.get(), usize::try_from(HELD).expect("small"));
    let view = Seen::new(&world.ledger);
    let rejections = check_records(&view, &world.facts(&records, &[])).expect("a dry run");
    assert_eq!((rejections.len(), view.rows.get()), (1, usize::try_from(HELD).expect("small")));
}

/// Goal: amendments of one record read it once.
#[test]
fn a_target_is_read_once_for_a_block() {
    let mut world = World::new();
    let place = Place::new(5, 0);
    world.hold(place, &record(Kind::Result, &result(), 9), 1, "AAA", Marks::default());
    let amends = Some(pb::Amends { place: Some(place.into()), reason: pb::AmendReason::Error.into() });
    let one = |number: u8| record(Kind::Result, &pb::Result { attempt: 1, amends, ..result() }, number);
    let records: Vec<Record> = (1..200).map(one).collect();
    let view = Seen::new(&world.ledger);
    // Whether one record may be amended so often is not the question.
    let _ = check_records(&view, &world.facts(&records, &[])).expect("a dry run");
    assert!(view.records.get() <= 2, "{} reads", view.records.get());
}

/// Goal: a block that releases many records of a learner reads what the learner holds once, however much that is, and
/// not once for each release.
#[test]
fn what_holds_many_releases_is_read_once() {
    const HELD: u32 = 5_000;
    const RELEASED: u8 = 40;
    let mut world = World::new();
    let entry = key(1, 1, &world.key, &[Kind::Award]);
    world.set(Kind::Key, &entry);
    let redeemed = Marks::default().after(Action::Redeem, 6, Named::default()).expect("a first mark");
    let revoked = Marks::default().after(Action::Revoke, 7, Named::default()).expect("a first mark");
    let mut effects = Vec::new();
    let mut redeems = Vec::new();
    for number in 0..RELEASED {
        let place = Place::new(5, u32::from(number));
        world.hold(place, &record(Kind::Credit, &credit(), number + 1), 1, "AAA", redeemed);
        let status_id = [number; 32];
        world.ledger.held.get_mut(&place).expect("held").facts.status_id = Digest(status_id);
        redeems.push(pb::RecordReference { place: Some(place.into()), ..Default::default() });
        effects.push(pb::Effect {
            status_id: status_id.to_vec(),
            place: Some(place.into()),
            action: Action::Release.into(),
            redemption_plus_1: 7,
            ..Default::default()
        });
    }
    let award = |redeems| record(Kind::Award, &pb::Award { learner: ALIAS.to_vec(), redeems, ..Default::default() }, 1);
    let others = award(Vec::new());
    let awards = (0..HELD).map(|number| (Place::new(100, number), others.clone()));
    for (place, award) in awards.chain([(Place::new(6, 0), award(redeems))]) {
        world.hold(place, &award, 1, "AAA", revoked);
        world.ledger.held.get_mut(&place).expect("held").key = CourseKey::Award;
    }
    let by = Sealing { key_id: world.key_id(), approvers: Vec::new(), sealed_at_ms: 0 };
    world.ledger.sealings.insert(LogIndex(6), by);
    let authority = Some(pb::Authority { basis: pb::Basis::Issuer.into(), ..Default::default() });
    let view = Seen::new(&world.ledger);
    admit_block(&view, &world.facts(&[], &[pb::EffectGroup { authority, effects }])).expect("they are left behind");
    let most = usize::try_from(HELD).expect("small") * 2;
    assert!(view.records.get() < most && view.rows.get() < most, "{} {}", view.records.get(), view.rows.get());
}

//! Goal: whoever replays a log with its keys alone comes to the state of whoever made it, and finds a lie at its own
//! index.

mod log;

use creditbank_ledger::replay::{Contradiction, Prepared, Replay};
use creditbank_protocol::entry::{BlockEntries, PUBLIC};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Action, Kind};
use creditbank_protocol::seal::Seal;
use creditbank_protocol::{Digest, LogIndex, Place, UnitId};
use proptest::prelude::*;

use log::{Draft, Log, ONE, TWO, credit, effect, registry_record, replay, seal, unit};

/// The contradiction that is found when a round with a bad block, sealed as if it were good, follows on a log.
fn found(log: &Log, bad: &Draft) -> Contradiction {
    let index = LogIndex(log.state.size());
    let draft = log.state.open(log.time_ms).draft_seal();
    let mut entries = log.entries.clone();
    entries.extend(bad.entries().into_vec());
    let (index_of_seal, records) = (LogIndex(entries.len() as u64), bad.records.len() as u64);
    let lie = Seal { index: index_of_seal, records_total: draft.records_total + records, ..draft };
    entries.push(seal(&lie));
    let found = replay(&entries).err().expect("a contradiction");
    assert_eq!(found.index, index, "{found}");
    found
}

#[test]
fn a_block_that_does_not_follow_is_named() {
    let mut log = Log::new();
    let place = log.issue(ONE, &[1, 2]);
    let none = Vec::<creditbank_protocol::pb::EffectGroup>::new;
    let bad = |change: &dyn Fn(&mut Draft)| {
        let mut block = log.draft(ONE, vec![credit(3)], none());
        change(&mut block);
        found(&log, &block).what
    };
    assert_eq!(bad(&|block| block.header.height += 1), "height");
    assert_eq!(bad(&|block| block.header.previous = Digest::ZERO), "previous");
    assert_eq!(bad(&|block| block.header.created_at_minute -= 2_000), "created_at_minute");
    assert_eq!(bad(&|block| "other.example/log".clone_into(&mut block.header.origin)), "origin");
    assert_eq!(bad(&|block| block.header.unit.number = 5), "chain");
    assert_eq!(bad(&|block| block.header.key_id = KeyId([9; 16])), "UNKNOWN_KEY");
    assert_eq!(bad(&|block| block.key = log::key_of(2)), "the signature does not hold");
    assert_eq!(bad(&|block| block.records.clear()), "content");
    assert_eq!(bad(&|block| block.records = vec![registry_record(Kind::Unit, &unit(1, 2))]), "KIND_OUTSIDE_KEY");
    let operator = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &unit(9, 1))], none());
    assert_eq!(found(&log, &operator).what, "UNKNOWN_REFERENCE");
    let hidden = log.draft(UnitId::OPERATOR, vec![credit(1)], none());
    assert_eq!(found(&log, &hidden).what, "NOT_THE_OPERATOR");
    let mut key = log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &unit(1, 2))], none());
    (key.key, key.header.key_id) = (log::key_of(1), KeyId::of(&log::key_of(1).verifying_key().to_bytes()));
    assert_eq!(found(&log, &key).what, "key_id");

    let effects = |unit, group| found(&log, &log.draft(unit, Vec::new(), vec![group])).what;
    assert_eq!(effects(TWO, log.effect(place, 1, Action::Revoke)), "NOT_AUTHORISED");
    assert_eq!(effects(ONE, effect(Place::new(3, 9), Digest([1; 32]), Action::Revoke)), "effect on 3/9");
    // The operator's records are nobody's to revoke, and neither a public part nor a seal has any.
    assert_eq!(effects(ONE, effect(Place::new(0, 1), Digest([1; 32]), Action::Revoke)), "effect on 0/1");
    assert_eq!(effects(ONE, effect(Place::new(1, 0), Digest([1; 32]), Action::Revoke)), "effect on 1/0");
    assert_eq!(effects(ONE, effect(Place::new(2, 0), Digest([1; 32]), Action::Revoke)), "effect on 2/0");
    assert_eq!(effects(ONE, log.effect(place, 1, Action::Confirm)), "NOT_CONTESTED");
    assert_eq!(effects(ONE, log.effect(place, 1, Action::CloseReview)), "effect on 3/0");
    let reinstating = |contested: u64| {
        let mut group = log.effect(place, 1, Action::Reinstate);
        group.effects[0].contested_plus_1 = contested + 1;
        group
    };
    assert_eq!(effects(ONE, reinstating(3)), "NOT_CONTESTED");
    assert_eq!(effects(ONE, reinstating(99)), "NOT_CONTESTED");
    assert_eq!(effects(TWO, reinstating(3)), "NOT_AUTHORISED");
    assert_eq!(effects(ONE, log.effect(place, 1, Action::Reinstate)), "effect on 3/0");
}

/// Goal: where a place shows, it has one status id for ever, and a status id one place: who names another one later, or
/// two in one block, is found.
#[test]
fn a_place_has_one_status_id() {
    let mut log = Log::new();
    let place = log.issue(ONE, &[1, 2]);
    let other = Place::new(place.entry, 1);
    let review = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::Review)]);
    log.round(&[review]);
    let first = log.effect(place, 1, Action::Revoke).effects[0].status_id.clone();
    let first = Digest::from_slice(&first).expect("32 bytes");
    let found = |log: &Log, groups| found(log, &log.draft(ONE, Vec::new(), groups));
    let mut both = effect(other, first, Action::Revoke);
    both.effects.extend(effect(other, Digest([3; 32]), Action::Revoke).effects);
    both.effects.sort_by(|one, other| one.status_id.cmp(&other.status_id));
    assert_eq!(found(&log, vec![both]).what, "effect on 3/1");
    // What shows no place binds none.
    let closed = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::CloseReview)]);
    log.round(&[closed]);
    assert_eq!(found(&log, vec![effect(place, Digest([3; 32]), Action::Revoke)]).what, "effect on 3/0");
    assert_eq!(found(&log, vec![effect(other, first, Action::Revoke)]).what, "effect on 3/1");
    let revoked = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::Revoke)]);
    log.round(&[revoked]);
    replay(&log.entries).expect("the same place again");
}

/// Goal: an unsealed end is no contradiction, but no log that has a checkpoint either; its size and root are those of
/// all entries.
#[test]
fn blocks_wait_for_their_seal() {
    let mut log = Log::new();
    log.issue(ONE, &[1]);
    let cut = &log.entries[..4];
    let replayed = replay(cut).expect("nothing is wrong so far");
    assert!(!replayed.is_sealed());
    let leaves: Vec<_> = cut.iter().map(|entry| creditbank_protocol::merkle::leaf_hash(entry)).collect();
    assert_eq!((replayed.size(), replayed.root()), (4, creditbank_protocol::merkle::root(&leaves)));
    assert_eq!((replayed.counts().entries, replayed.counts().blocks), (4, 1));
}

#[test]
fn bytes_that_are_no_entry_are_named() {
    let mut entries = Log::new().entries;
    entries.push(vec![7]);
    let found = replay(&entries).err().expect("no entry");
    assert_eq!((found.index, found.what.as_str()), (LogIndex(3), "the bytes are no entry"));
}

/// Goal: head and public part of a block stand together, and belong together.
#[test]
fn a_block_is_whole_or_named() {
    let mut log = Log::new();
    let place = log.issue(ONE, &[1]);
    let block = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::Revoke)]);
    let BlockEntries { head, public } = block.entries();
    let public = public.expect("a public part");
    let other = log.draft(ONE, Vec::new(), vec![log.effect(place, 1, Action::Review)]).entries();
    let closing = seal(&log.state.open(log.time_ms).draft_seal());
    let at = log.state.size();
    let found = |entries: &[&Vec<u8>]| {
        let entries = log.entries.iter().chain(entries.iter().copied()).cloned().collect::<Vec<_>>();
        let found = replay(&entries).err().expect("a contradiction");
        (found.index.0 - at, found.what)
    };
    let without_part = "a head without its public part".to_owned();
    assert_eq!(found(&[&head, &closing]), (1, without_part.clone()));
    assert_eq!(found(&[&head, &other.head]), (1, without_part));
    assert_eq!(found(&[&public]), (0, "a public part without its head".to_owned()));
    assert_eq!(found(&[&head, &public, &public]), (2, "a public part without its head".to_owned()));
    assert_eq!(found(&[&head, &other.public.expect("a part")]), (1, "the public part is not its head's".to_owned()));
    // Between the two the log has no checkpoint, and its root is that of all entries.
    let entries = [&log.entries[..], std::slice::from_ref(&head)].concat();
    let replayed = replay(&entries).expect("nothing is wrong so far");
    let leaves: Vec<_> = entries.iter().map(|entry| creditbank_protocol::merkle::leaf_hash(entry)).collect();
    assert_eq!((replayed.size(), replayed.root()), (at + 1, creditbank_protocol::merkle::root(&leaves)));
    assert!(!replayed.is_sealed());
}

/// What a unit may do next.
#[derive(Debug, Clone)]
enum Step {
    Issue { second: bool, records: u8 },
    Act { second: bool, on: usize, action: Action },
    Admit { second: bool, number: u32 },
    Empty,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<bool>(), 1..4u8).prop_map(|(second, records)| Step::Issue { second, records }),
        (any::<bool>(), 0..40usize, prop_oneof![Just(Action::Revoke), Just(Action::Confirm)])
            .prop_map(|(second, on, action)| Step::Act { second, on, action }),
        (any::<bool>(), 1..5u32).prop_map(|(second, number)| Step::Admit { second, number }),
        Just(Step::Empty),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Goal: whatever honest units do, the replay of the entries comes to the same roots, heads, marks and tree nodes
    /// as the rounds in which they were made, and names exactly the signatures that there are.
    #[test]
    fn a_replay_comes_to_the_state_of_whoever_made_the_log(steps in prop::collection::vec(step(), 1..24)) {
        let mut log = Log::new();
        let mut issued: Vec<(UnitId, Place, u8)> = Vec::new();
        let mut nodes = Vec::new();
        let mut acted = std::collections::BTreeSet::new();
        let unit_of = |second: bool| if second { TWO } else { ONE };
        let mut salt = 0u8;
        for step in &steps {
            let block = match step {
                Step::Issue { second, records } => {
                    let salts: Vec<u8> = (0..*records).map(|_| { salt = salt.wrapping_add(1); salt }).collect();
                    let places = (0u32..).zip(&salts).map(|(at, salt)| (Place::new(log.state.size(), at), *salt));
                    issued.extend(places.map(|(place, salt)| (unit_of(*second), place, salt)));
                    Some(log.draft(unit_of(*second), salts.iter().map(|salt| credit(*salt)).collect(), Vec::new()))
                }
                Step::Act { second, on, action } => {
                    let target = issued.get(*on).filter(|(unit, place, _)| {
                        *unit == unit_of(*second) && *action == Action::Revoke && !acted.contains(place)
                    });
                    acted.extend(target.map(|(_, place, _)| *place));
                    target.map(|(unit, place, salt)| {
                        log.draft(*unit, Vec::new(), vec![log.effect(*place, *salt, *action)])
                    })
                }
                Step::Admit { second, number } => {
                    let entry = unit(if *second { 2 } else { 1 }, *number);
                    Some(log.draft(UnitId::OPERATOR, vec![registry_record(Kind::Unit, &entry)], Vec::new()))
                }
                Step::Empty => None,
            };
            let (applied, closed) = log.round(&block.into_iter().collect::<Vec<_>>());
            nodes.extend(applied.into_iter().flat_map(|applied| applied.nodes));
            nodes.extend(closed.nodes);
        }
        let mut replay = Replay::new(log::keys());
        let (mut replayed, mut checks) = (Vec::new(), Vec::new());
        for entry in &log.entries {
            if let Some(round) = replay.apply(Prepared::new(entry), &mut checks).expect("an honest log") {
                replayed.extend(round.blocks.into_iter().flat_map(|applied| applied.nodes));
                replayed.extend(round.closed.nodes);
            }
        }
        prop_assert!(replay.is_sealed());
        // A head has its signature, a seal too, and a public part none.
        prop_assert_eq!(checks.len(), log.entries.iter().filter(|entry| entry[0] != PUBLIC).count());
        prop_assert_eq!(replay.root(), log.state.root());
        // The founding round is not among the steps.
        prop_assert_eq!(&replayed[4..], &nodes[..]);
        let (left, right) = (replay.state(), &log.state);
        prop_assert_eq!(left.last_seal(), right.last_seal());
        prop_assert!(left.chains() == right.chains() && left.marks() == right.marks());
        prop_assert_eq!(left.status().root(), right.status().root());
        prop_assert_eq!(left.in_force().map.root(), right.in_force().map.root());
        prop_assert_eq!(replay.counts().effects, log.state.marks().size() as u64);
    }
}

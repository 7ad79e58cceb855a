//! What a transcript has to prove, over a small ledger in memory.
#![allow(missing_docs, clippy::unwrap_used)]

mod world;

use std::collections::{BTreeMap, BTreeSet};

use creditbank_ledger::read::{PartPlan, PlanError, StatusQuestion, TranscriptPlan, status, transcript};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Action, Basis, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::{RegistryRecord, ViewError};
use world::{ACCOUNT, OTHER, OWN, World, block, block_doing, credit, key_of, marked, registering};

const STATEMENT_KEY: KeyId = KeyId([77; 16]);
/// The seal to which everything is proved.
const LAST: u64 = 30;

/// A ledger with a credit of each of the two institutions, in rounds of their own.
fn world() -> World {
    let mut world = World::new();
    world.seals = vec![1, 12, 14, 22, LAST];
    for (entry, institution) in [(11, OWN), (13, OTHER)] {
        world.hold(entry, institution, Kind::Credit, &credit(1), Marks::default());
        world.blocks.insert(LogIndex(entry), block(institution, Basis::Issuer, &[]));
    }
    world
}

fn plan(world: &World, institution: Option<InstitutionId>) -> Result<TranscriptPlan, PlanError> {
    transcript(world, &ACCOUNT, institution, STATEMENT_KEY, 0)
}

fn indices(numbers: &[u64]) -> BTreeSet<LogIndex> {
    numbers.iter().copied().map(LogIndex).collect()
}

/// Log indices of the blocks of a part.
fn blocks(plan: &PartPlan) -> BTreeSet<LogIndex> {
    plan.blocks.keys().copied().collect()
}

fn key(seal: u64, institution: InstitutionId) -> (LogIndex, RegistryKey) {
    (LogIndex(seal), RegistryKey::Key(key_of(institution)))
}

fn registered(seal: u64, institution: InstitutionId) -> (LogIndex, RegistryKey) {
    (LogIndex(seal), RegistryKey::Institution(institution))
}

/// What a block of an institution needs of the registry of its round.
fn signed(seal: u64, institution: InstitutionId) -> [(LogIndex, RegistryKey); 3] {
    let unit = (LogIndex(seal), RegistryKey::Unit(UnitId { institution, number: 1 }));
    [key(seal, institution), registered(seal, institution), unit]
}

/// That the statement key was in force.
fn statement_key() -> (LogIndex, RegistryKey) {
    (LogIndex(LAST), RegistryKey::Key(STATEMENT_KEY))
}

/// What the status of a record of the first institution needs of the registry.
fn registry_of_own() -> BTreeSet<(LogIndex, RegistryKey)> {
    BTreeSet::from([statement_key(), key(LAST, OWN), registered(LAST, OWN)])
}

/// Goal: a record needs its block, the first seal and that of its round, and the key of its signer there; the statement
/// needs its key at the end of the base. The status needs the last seal, and the signer, its key and the statement key
/// there.
#[test]
fn a_record_needs_its_block_and_signer() {
    let world = world();
    let own = plan(&world, Some(OWN)).unwrap();
    assert_eq!(own.records.iter().map(|used| used.place).collect::<Vec<_>>(), [Place::new(11, 0)]);
    assert_eq!((blocks(&own.base), own.base.seals), (indices(&[11]), indices(&[1, 12, LAST])));
    assert_eq!(own.base.registry, signed(12, OWN).into_iter().chain([statement_key()]).collect());
    assert_eq!(own.status.marks, BTreeMap::from([(Digest([11; 32]), Marks::default())]));
    assert_eq!((blocks(&own.status.part), own.status.part.seals), (indices(&[]), indices(&[LAST])));
    assert_eq!(own.status.part.registry, registry_of_own());
    let all = plan(&world, None).unwrap();
    assert_eq!((blocks(&all.base), all.base.seals), (indices(&[11, 13]), indices(&[1, 12, 14, LAST])));
    let both = signed(12, OWN).into_iter().chain(signed(14, OTHER));
    assert_eq!(all.base.registry, both.chain([statement_key()]).collect());
    let mut registry = registry_of_own();
    registry.extend([key(LAST, OTHER), registered(LAST, OTHER)]);
    assert_eq!(all.status.part.registry, registry);
}

/// Goal: the block that has set a mark is proved, with the group that has; of a dispute no block tells.
#[test]
fn what_was_said_of_a_record_is_proved() {
    let mut world = world();
    let place = Place::new(11, 0);
    let id = Digest([11; 32]);
    let set = |world: &mut World, marks| world.records.get_mut(&place).unwrap().0.marks = marks;
    set(&mut world, marked(Action::Review, 20));
    let others = [Digest([1; 32]), id];
    world.blocks.insert(LogIndex(20), block_doing(Action::Review, OTHER, Basis::Dependency, &others));
    let found = plan(&world, Some(OWN)).unwrap();
    assert_eq!(found.status.marks[&id], marked(Action::Review, 20));
    let part = found.status.part;
    assert_eq!(part.blocks[&LogIndex(20)].slices, BTreeSet::from([1]), "the effects that are about the record");
    assert_eq!((blocks(&part), part.seals), (indices(&[20]), indices(&[22, LAST])));
    let mut registry = registry_of_own();
    registry.extend(signed(22, OTHER));
    registry.insert(key(LAST, OTHER));
    assert_eq!(part.registry, registry);
    assert_eq!(blocks(&found.base), indices(&[11]));
    set(&mut world, marked(Action::Dispute, 20));
    assert_eq!(blocks(&plan(&world, Some(OWN)).unwrap().status.part), indices(&[]));
}

/// Goal: anybody is told what stands under any id, whether or not there is such a record; and no more of the registry
/// than was asked for.
#[test]
fn anybody_may_ask_for_any_id() {
    let mut world = world();
    world.records.get_mut(&Place::new(11, 0)).unwrap().0.marks = marked(Action::Confirm, 20);
    world.blocks.insert(LogIndex(20), block(OWN, Basis::Issuer, &[Digest([11; 32])]));
    let ids = [Digest([11; 32]), Digest([13; 32]), Digest([99; 32])];
    let question = StatusQuestion { status_ids: ids.into(), ..StatusQuestion::default() };
    let found = status(&world, &question).unwrap();
    let marks = [marked(Action::Confirm, 20), Marks::default(), Marks::default()];
    assert_eq!(found.marks, ids.into_iter().zip(marks).collect());
    assert_eq!((blocks(&found.part), found.part.seals), (indices(&[20]), indices(&[22, LAST])));
    assert_eq!(found.part.registry, signed(22, OWN).into_iter().chain([key(LAST, OWN)]).collect());
    world.seals.clear();
    assert!(matches!(status(&world, &question), Err(PlanError::Empty)), "a log without entries");
}

/// Goal: where a custodian signs, it is proved that it was one in that round; and who keeps a closed institution's
/// records now is named.
#[test]
fn a_custodian_proves_that_it_is_one() {
    let mut world = world();
    let place = Place::new(11, 0);
    let confirmed = block(OTHER, Basis::Custodian, &[Digest([11; 32])]);
    world.records.get_mut(&place).unwrap().0.marks = marked(Action::Confirm, 20);
    world.blocks.insert(LogIndex(20), confirmed);
    let found = plan(&world, Some(OWN)).unwrap().status.part.registry;
    let mut registry = registry_of_own();
    registry.extend(signed(22, OTHER));
    registry.extend([key(LAST, OTHER), registered(22, OWN)]);
    assert_eq!(found, registry);

    // An amendment of the closed institution's record, signed by its custodian.
    let (mut facts, record) = world.records.remove(&place).unwrap();
    facts.marks = Marks::default();
    facts.institution = OTHER;
    world.records.insert(place, (facts, record));
    for (number, state) in [(OTHER, pb::RegistryState::Closed), (OWN, pb::RegistryState::Active)] {
        let mut changed = world.registry.institution(number).unwrap().clone();
        changed.state = state.into();
        if number == OWN {
            let r#type = pb::RelationType::CustodianOf.into();
            changed.relations = vec![pb::Relation { r#type, institution: OTHER.0, ..Default::default() }];
        }
        let body = encode(&changed).unwrap();
        world.registry.admit(RegistryRecord::of_operator(Kind::Institution, &body)).unwrap();
    }
    world.records.retain(|at, _| *at == place);
    let found = plan(&world, None).unwrap();
    let base = signed(12, OWN).into_iter().chain([registered(12, OTHER), statement_key()]);
    assert_eq!(found.base.registry, base.collect());
    let mut registry = registry_of_own();
    registry.insert(registered(LAST, OTHER));
    assert_eq!(found.status.part.registry, registry);

    // A record that the institution signed itself, before it was closed.
    world.blocks.insert(LogIndex(11), block(OTHER, Basis::Issuer, &[]));
    let found = plan(&world, None).unwrap();
    assert_eq!(found.base.registry, signed(12, OTHER).into_iter().chain([statement_key()]).collect());
    let registry = [statement_key(), key(LAST, OTHER), registered(LAST, OTHER), registered(LAST, OWN)];
    assert_eq!(found.status.part.registry, BTreeSet::from(registry), "the custodian of today");
}

/// Goal: each registry entry is proved to be published. A block under the trusted key needs no more; one under a
/// registry key that has followed needs the successions up to it.
#[test]
fn what_is_registered_was_published() {
    let mut world = world();
    let (trusted, second) = (key_of(InstitutionId::OPERATOR), KeyId([55; 16]));
    world.blocks.insert(LogIndex(0), registering(0, trusted, 3));
    let own_key = RegistryKey::Key(key_of(OWN));
    world.published.insert(own_key.clone(), Place::new(0, 2));
    let found = plan(&world, Some(OWN)).unwrap();
    for part in [&found.base, &found.status.part] {
        assert_eq!(part.publications, BTreeMap::from([(Place::new(0, 2), 2)]));
    }
    assert_eq!((blocks(&found.base), found.base.seals), (indices(&[0, 11]), indices(&[1, 12, LAST])));
    assert_eq!((blocks(&found.status.part), found.status.part.seals), (indices(&[0]), indices(&[LAST])));
    assert_eq!(found.status.part.registry, registry_of_own());

    world.blocks.insert(LogIndex(5), registering(2, second, 1));
    world.published.insert(own_key, Place::new(5, 0));
    // One succession before that block, and one behind it, which it does not need.
    world.blocks.insert(LogIndex(3), registering(1, trusted, 3));
    world.successions = vec![LogIndex(3), LogIndex(9)];
    world.seals = vec![1, 8, 12, LAST];
    let found = plan(&world, Some(OWN)).unwrap();
    for part in [&found.base, &found.status.part] {
        assert_eq!(part.publications, BTreeMap::from([(Place::new(5, 0), 0)]));
        assert_eq!(part.successions, [LogIndex(3)]);
    }
    assert_eq!((blocks(&found.base), found.base.seals), (indices(&[3, 5, 11]), indices(&[1, 12, LAST])));
    assert_eq!((blocks(&found.status.part), found.status.part.seals), (indices(&[3, 5]), indices(&[LAST])));
}

/// Goal: why there is no transcript is said: nothing to show, not yet sealed, damage.
#[test]
fn a_plan_is_refused_with_its_reason() {
    let mut world = world();
    let nobody = transcript(&world, &AccountId([8; 16]), None, STATEMENT_KEY, 0);
    assert!(matches!(nobody, Err(PlanError::Empty)));
    assert!(matches!(plan(&world, Some(InstitutionId(3))), Err(PlanError::Empty)));
    world.blocks.remove(&LogIndex(13));
    assert!(matches!(plan(&world, None), Err(PlanError::View(ViewError::Damaged(_)))));
    assert!(plan(&world, Some(OWN)).is_ok());
    world.seals = vec![1, 10];
    assert!(matches!(plan(&world, None), Err(PlanError::Empty)), "the records wait for the next seal");
    world.seals.clear();
    assert!(matches!(plan(&world, None), Err(PlanError::Empty)), "a log without entries");
}

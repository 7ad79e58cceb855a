//! What needs no order of a block is found before it is its turn, and not a second time.

use std::sync::Arc;

use creditbank_protocol::UnitId;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::admission::{AdmissionError, Alone, BlockFacts, admit_block, admit_checked_block};
use creditbank_rules::{Registry, Rejection, Rule};

use crate::fixtures::*;
use crate::seen::Seen;
use crate::world::World;

fn check(registry: &Arc<Registry>, block: &BlockFacts<'_>) -> Result<Alone, Rejection> {
    Alone::check(registry, (block.unit, block.key_id, block.created_at_minute), block.records.to_vec())
}

fn rule<T>(admitted: Result<T, AdmissionError>) -> Option<Rule> {
    match admitted {
        Ok(_) => None,
        Err(AdmissionError::Rejected(rejection)) => Some(rejection.rule),
        Err(AdmissionError::View(error)) => panic!("{error}"),
    }
}

/// Goal: a bad text, and a field that its kind must hold, are found alone, with the record and the rule that the whole
/// check names; the signer is not asked for.
#[test]
fn what_needs_no_order_is_found_alone() {
    let world = World::new();
    let registry = Arc::new(world.ledger.registry.clone());
    let with = |change: fn(&mut pb::Credit)| {
        let mut body = credit();
        change(&mut body);
        record(Kind::Credit, &body, 2)
    };
    let bad = [
        (with(|credit| credit.course.as_mut().expect("a course").titles = vec![text("two\nlines")]), Rule::InvalidText),
        (with(|credit| credit.amount = None), Rule::MissingField),
        (with(|credit| credit.amount.as_mut().expect("an amount").unit = "none".to_owned()), Rule::UnknownCreditUnit),
    ];
    for (bad, expected) in bad {
        let records = [record(Kind::Credit, &credit(), 1), bad];
        let block = world.facts(&records, &[]);
        let found = check(&registry, &block).expect_err("a bad record");
        assert_eq!((found.rule, found.record), (expected, Some(1)), "{found}");
        assert_eq!(rule(admit_block(&world.ledger, &block)), Some(expected));
    }
}

/// Goal: what was found by one registry holds for no other one, nor for another block: all but the texts is found
/// again.
#[test]
fn another_registry_judges_anew() {
    let world = World::new();
    let (registry, empty) = (Arc::new(world.ledger.registry.clone()), Registry::new(ORIGIN));
    let records = [record(Kind::Credit, &credit(), 1)];
    let block = world.facts(&records, &[]);
    let alone = check(&registry, &block).expect("a good record");
    let ledger = &world.ledger;
    let same = Seen::under(ledger, &registry);
    let whole = admit_block(ledger, &block).expect("admitted");
    assert_eq!(admit_checked_block(&same, &block, &alone).expect("admitted"), whole);
    // The same in content, and another one: it is not taken for the first.
    assert_eq!(admit_checked_block(ledger, &block, &alone).expect("admitted"), whole);
    let later = Seen::under(ledger, &empty);
    assert_eq!(rule(admit_checked_block(&later, &block, &alone)), Some(Rule::UnknownInstitution));
    let mut without = (*registry).clone();
    let key = pb::Key { kinds: vec![Kind::Result.into()], ..key(1, 1, &world.key, &[Kind::Result]) };
    let body = encode(&key).expect("canonical");
    without.admit(creditbank_rules::RegistryRecord::of_operator(Kind::Key, &body)).expect("another scope");
    let narrowed = Seen::under(ledger, &without);
    assert_eq!(rule(admit_checked_block(&narrowed, &block, &alone)), Some(Rule::KindOutsideKey));
    let early = BlockFacts { created_at_minute: 1, ..block };
    assert_eq!(rule(admit_checked_block(&same, &early, &alone)), rule(admit_block(&same, &early)));
    assert_eq!(rule(admit_block(&same, &early)), Some(Rule::ImplausibleDate));
}

/// Goal: a definition above the bound of its names is refused without the registry that would judge it; of what the
/// operator registers the texts are checked.
#[test]
fn sizes_and_texts_of_what_is_published() {
    let world = World::new();
    let registry = Arc::new(world.ledger.registry.clone());
    let named = |version| pb::QualificationName { institution: 1, code: "A".to_owned(), version };
    let award = |version| pb::Requirement { awards: vec![named(version)], ..node(1, pb::RequirementType::Award) };
    let large = pb::QualificationDefinition {
        institution: 1,
        code: "Q".to_owned(),
        version: 1,
        requirements: std::iter::once(node(0, pb::RequirementType::All)).chain((1..=257).map(award)).collect(),
        ..Default::default()
    };
    let large = record(Kind::QualificationDefinition, &large, 1);
    let mut world = world;
    let key = key(1, 1, &world.key, &[Kind::QualificationDefinition]);
    world.set(Kind::Key, &key);
    let registry_of_key = Arc::new(world.ledger.registry.clone());
    let records = [large];
    let found = check(&registry_of_key, &world.facts(&records, &[])).expect_err("too large");
    assert_eq!((found.rule, found.record), (Rule::DefinitionTooLarge, Some(0)), "{found}");

    let mut odd = institution(1);
    odd.names[0].name.as_mut().expect("a name").value = "a\u{202e}b".to_owned();
    let records = [record(Kind::Institution, &odd, 1)];
    let of_operator = BlockFacts { unit: UnitId::OPERATOR, ..world.facts(&records, &[]) };
    assert_eq!(check(&registry, &of_operator).expect_err("an odd text").rule, Rule::InvalidText);
    let records = [record(Kind::Institution, &institution(1), 1)];
    let of_operator = BlockFacts { unit: UnitId::OPERATOR, ..world.facts(&records, &[]) };
    check(&registry, &of_operator).expect("the registry has to admit it");
}

//! A university, a definition in few words, and a learner's records.

use crate::fixtures::{self, fheq, institution, seeded, text};
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{
    self, Allocation, Kind, Match, Mode, Origin, Place, QualificationDefinition, Ratio, RecordReference, Requirement,
};
use creditbank_rules::dates::{Day, first_day, parse};
use creditbank_rules::qualification::{Audit, Candidate, HeldAward, check};
use creditbank_rules::{Registry, RegistryRecord, Rejection, Rule};

pub(crate) const UNIVERSITY: u64 = 1;
pub(crate) const OTHER: u64 = 2;

pub(crate) fn registry() -> Registry {
    let mut registry = seeded();
    for number in [UNIVERSITY, OTHER] {
        let body = encode(&institution(number)).expect("canonical");
        registry.admit(RegistryRecord::of_operator(Kind::Institution, &body)).expect("admitted");
    }
    registry
}

pub(crate) fn day(text: &str) -> Day {
    first_day(&parse(text).expect("a date"))
}

#[expect(clippy::unnecessary_wraps, reason = "as the schema has it")]
pub(crate) fn share(numerator: u64, denominator: u64) -> Option<Ratio> {
    Some(Ratio { numerator, denominator })
}

pub(crate) fn of_origin(origin: Origin) -> Match {
    Match { origins: vec![origin.into()], ..Default::default() }
}

pub(crate) fn at_level(code: &str) -> Match {
    Match { levels: vec![fheq(code)], ..Default::default() }
}

/// Whole credits of what is asked; nothing asked: of any.
pub(crate) fn credits(parent: u32, amount: u64, asked: Match) -> Requirement {
    fixtures::credits(parent, amount, (asked != Match::default()).then_some(asked))
}

pub(crate) fn definition(requirements: Vec<Requirement>) -> QualificationDefinition {
    QualificationDefinition { level: Some(fheq("6")), from: None, ..fixtures::definition("DEGREE", requirements) }
}

/// An own credit at level 6 of 2024, without a grade; `index` is its place.
pub(crate) fn credit(index: u32, amount: u64) -> Candidate {
    of(&definition(Vec::new()), UNIVERSITY, index, amount)
}

/// One of another university.
pub(crate) fn transfer(index: u32, amount: u64) -> Candidate {
    of(&definition(Vec::new()), OTHER, index, amount)
}

fn of(definition: &QualificationDefinition, institution: u64, index: u32, amount: u64) -> Candidate {
    let credit = pb::Credit {
        course: Some(pb::Course { code: format!("C{index}"), titles: vec![text("A course")] }),
        amount: Some(pb::Amount { e4: amount * 10_000, unit: "CATS".to_owned() }),
        level: Some(fheq("6")),
        field: "0541".to_owned(),
        mode: Mode::OnSite.into(),
        period: Some(pb::Period { from: parse("2024-01-01"), until: parse("2024-06-30") }),
        ..Default::default()
    };
    Candidate::credit(&registry(), definition, reference(index), institution.into(), &credit)
}

pub(crate) fn reference(index: u32) -> RecordReference {
    RecordReference { place: Some(Place { entry: 5, index }), status_id: vec![9; 32], ..Default::default() }
}

pub(crate) fn put(requirement: u32, index: u32) -> Allocation {
    Allocation { requirement, record: Some(reference(index)), result_plus_1: 0 }
}

pub(crate) const CONFERRED: &str = "2024-07-15";

pub(crate) fn judged(
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    allocations: &[Allocation],
) -> Result<Audit, Rejection> {
    judged_with(definition, candidates, allocations, &[])
}

pub(crate) fn judged_with(
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    allocations: &[Allocation],
    held: &[HeldAward],
) -> Result<Audit, Rejection> {
    check(&registry(), definition, candidates, allocations, &[], held, &[], UNIVERSITY.into(), day(CONFERRED))
}

pub(crate) fn assert_refused(found: Result<Audit, Rejection>, rule: Rule, part: &str) {
    let rejection = found.expect_err("must be refused");
    assert_eq!(rejection.rule, rule, "{rejection}");
    assert!(rejection.to_string().contains(part), "{rejection}");
}

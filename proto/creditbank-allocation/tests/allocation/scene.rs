//! A definition in few words, and records.

use creditbank_allocation::{Answer, allocate};
use creditbank_protocol::pb::{
    self, Allocation, AssessmentType, Kind, Level, Match, Mode, Origin, OutcomeType, QualificationDefinition, Ratio,
    RecordReference, Requirement, RequirementType,
};
use creditbank_protocol::{Part, Place};
use creditbank_rules::dates::{Day, first_day, parse};
use creditbank_rules::qualification::{Candidate, CandidateRoot, Case, check};
use creditbank_rules::{CourseName, Registry, RegistryRecord, seed};

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new("test.example/log");
    for (kind, body) in seed::entries().expect("the seed is canonical") {
        registry.admit(RegistryRecord::of_operator(kind, &body)).expect("the seed is admitted");
    }
    registry
}

pub(crate) fn day() -> Day {
    first_day(&parse("2026-01-01").expect("a date"))
}

pub(crate) fn node(parent: u32, kind: RequirementType) -> Requirement {
    Requirement { parent, r#type: kind.into(), ..Default::default() }
}

pub(crate) fn all() -> Requirement {
    node(0, RequirementType::All)
}

pub(crate) fn credits(parent: u32, amount: u64, asked: Match) -> Requirement {
    let asked = (asked != Match::default()).then_some(asked);
    Requirement { amount_e4: amount * 10_000, r#match: asked, ..node(parent, RequirementType::Credits) }
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
pub(crate) fn share(numerator: u64, denominator: u64) -> Option<Ratio> {
    Some(Ratio { numerator, denominator })
}

pub(crate) fn fields(codes: &[&str]) -> Match {
    Match { fields: codes.iter().map(|code| (*code).to_owned()).collect(), ..Default::default() }
}

pub(crate) fn of_origin(origin: Origin) -> Match {
    Match { origins: vec![origin.into()], ..Default::default() }
}

pub(crate) fn definition(requirements: Vec<Requirement>) -> QualificationDefinition {
    QualificationDefinition {
        institution: 1,
        code: "DEGREE".to_owned(),
        version: 1,
        unit: "ECTS".to_owned(),
        average_scale: "GB-100-UG".to_owned(),
        requirements,
        ..Default::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an Outcome has no amount")]
pub(crate) fn amount_of(e4: u64, unit: &str) -> Option<pb::Amount> {
    Some(pb::Amount { e4, unit: unit.to_owned() })
}

pub(crate) fn credit(index: u32, amount: u64, field: &str) -> Candidate {
    let place = Place::new(5, index);
    Candidate {
        record: RecordReference { place: Some(place.into()), status_id: vec![9; 32], ..Default::default() },
        part: Part::Whole,
        kind: Kind::Credit,
        institution: 1.into(),
        course: Some(CourseName::alone(1.into(), &format!("C{index}"))),
        amount: amount_of(amount * 10_000, "ECTS"),
        level: Some(Level { framework: "EQF".to_owned(), level: "6".to_owned() }),
        field: Some(field.to_owned()),
        mode: Mode::OnSite,
        assessment: AssessmentType::Exam,
        origin: Origin::Own,
        grade: None,
        attempt: None,
        period: Some((day() - 200, day() - 100)),
        completed: None,
        expires: None,
        esco_uris: Vec::new(),
        outcome: OutcomeType::Unspecified,
        score: None,
        agreement: None,
        basis: creditbank_protocol::pb::PassBasis::Earned,
        declared: false,
        repeats_max: Some(0),
        after_enrolment: false,
        roots: vec![CandidateRoot { place, fraction: Ratio { numerator: 1, denominator: 1 } }],
        barred: None,
        hypothetical: false,
    }
}

/// The answer, after the ledger's own check has agreed.
pub(crate) fn answer(registry: &Registry, definition: &QualificationDefinition, candidates: &[Candidate]) -> Answer {
    let case = Case::new(registry, definition, candidates, &[], &[], &[], day()).expect("a tree");
    let answer = allocate(&case, &mut || false);
    if let Answer::Met { found, audit } = &answer {
        let again = checked(registry, definition, candidates, &found.allocations);
        assert_eq!(again.as_ref(), Ok(audit), "the ledger agrees");
        assert!(found.progress.met);
    }
    if let Answer::Missing(found) = &answer {
        assert!(!found.progress.met, "{found:?}");
    }
    answer
}

pub(crate) fn checked(
    registry: &Registry,
    definition: &QualificationDefinition,
    candidates: &[Candidate],
    allocations: &[Allocation],
) -> Result<creditbank_rules::qualification::Audit, creditbank_rules::Rejection> {
    check(registry, definition, candidates, allocations, &[], &[], &[], 1.into(), day())
}

pub(crate) fn is_met(answer: &Answer) -> bool {
    match answer {
        Answer::Met { .. } => true,
        Answer::Missing(_) => false,
        Answer::Undecided(_) => panic!("small questions are decided"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "fields of messages are optional")]
pub(crate) fn grade(value: u64) -> Option<pb::Grade> {
    Some(pb::Grade { scale: "GB-100-UG".to_owned(), value: value.to_string() })
}

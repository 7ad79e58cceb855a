//! Equivalences and grade distributions: what may be published.

use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::Rule;

use super::land::*;
use crate::fixtures;

pub(crate) fn equivalence() -> pb::Equivalence {
    pb::Equivalence {
        r#type: pb::EquivalenceType::Test.into(),
        minimum: Some(grade("IELTS-9", "6.5")),
        from: Some(date(2024, 1, 1)),
        ..fixtures::equivalence(THERE, "IELTS", HERE)
    }
}

/// Grades of one field of education.
pub(crate) fn distribution(
    institution: u64,
    number: u32,
    scale: &str,
    counts: &[(&str, u64)],
) -> pb::GradeDistribution {
    pb::GradeDistribution { field: "05".to_owned(), ..fixtures::distribution(institution, number, scale, counts) }
}

type Change<T> = fn(&mut T);

/// Goal: an equivalence that names what does not exist, means itself, or skips a version is refused.
#[test]
fn equivalences_are_well_formed() {
    let cases: &[(&str, Rule, Change<pb::Equivalence>)] = &[
        ("no code", Rule::MissingField, |entry| entry.code.clear()),
        ("no version", Rule::MissingField, |entry| entry.version = 0),
        ("a gap", Rule::UnknownReference, |entry| entry.version = 2),
        ("no type", Rule::MissingField, |entry| entry.r#type = 0),
        ("unknown source", Rule::UnknownReference, |entry| entry.source_institution = 99),
        ("a course without a code", Rule::MissingField, |entry| entry.r#type = pb::EquivalenceType::Course.into()),
        ("an outcome of a test", Rule::Contradiction, |entry| {
            entry.source_outcome = pb::OutcomeType::WorkExperience.into();
        }),
        ("no number in an unknown scale", Rule::UnknownGrade, |entry| entry.minimum = Some(grade("IELTS-9", "good"))),
        ("no grade of a known scale", Rule::UnknownGrade, |entry| entry.minimum = Some(grade("DE-5", "9"))),
        ("a course's minimum in an unknown scale", Rule::UnknownGrade, |entry| {
            (entry.r#type, entry.source_course) = (pb::EquivalenceType::Course.into(), "C1".to_owned());
        }),
        ("no target", Rule::MissingField, |entry| entry.target = None),
        ("no amount", Rule::MissingField, |entry| entry.amount = None),
        ("unknown unit", Rule::UnknownCreditUnit, |entry| entry.amount = Some(amount(1, "XX"))),
        ("unknown level", Rule::UnknownLevel, |entry| entry.level = Some(level("EQF", "9"))),
        ("no field", Rule::InvalidCode, |entry| entry.field = "x".to_owned()),
        ("a grade that fails", Rule::GradeNotAPass, |entry| entry.grade = Some(grade("DE-5", "5.0"))),
        ("no first day", Rule::MissingField, |entry| entry.from = None),
    ];
    for (what, expected, change) in cases {
        let mut entry = equivalence();
        change(&mut entry);
        assert_eq!(rule(Land::new().try_set(THERE, Kind::Equivalence, &entry)), *expected, "{what}");
    }
    let mut land = Land::new();
    assert_eq!(rule(land.try_set(HERE, Kind::Equivalence, &equivalence())), Rule::NotThePublisher);
    land.set(THERE, Kind::Equivalence, &equivalence());
    assert_eq!(rule(land.try_set(THERE, Kind::Equivalence, &equivalence())), Rule::Permanent);
    let second = pb::Equivalence { version: 2, ..equivalence() };
    let earlier = pb::Equivalence { from: Some(date(2023, 1, 1)), ..second.clone() };
    assert_eq!(rule(land.try_set(THERE, Kind::Equivalence, &earlier)), Rule::InvalidDate);
    land.set(THERE, Kind::Equivalence, &second);
    let itself = pb::Equivalence {
        r#type: pb::EquivalenceType::Course.into(),
        source_institution: THERE,
        source_course: "ENG-1".to_owned(),
        minimum: None,
        ..equivalence()
    };
    assert_eq!(rule(Land::new().try_set(THERE, Kind::Equivalence, &itself)), Rule::Contradiction);
}

/// Goal: a distribution counts every grade once, best first, points at nobody, is over, and never changes.
#[test]
fn distributions_are_well_formed_and_final() {
    let jp = [("S", 5), ("A", 5), ("B", 0), ("C", 0), ("D", 1), ("E", 0)];
    let good = distribution(THERE, 1, "JP-SABC:TOKAI", &jp);
    let cases: &[(&str, Rule, Change<pb::GradeDistribution>)] = &[
        ("unknown scale", Rule::UnknownGrade, |entry| entry.scale = "XX".to_owned()),
        ("no field", Rule::InvalidCode, |entry| entry.field = "5".to_owned()),
        ("no cycle", Rule::MissingField, |entry| entry.cycle = 0),
        ("no period", Rule::MissingField, |entry| entry.period = None),
        ("not over", Rule::ImplausibleDate, |entry| {
            entry.period = Some(pb::Period { from: Some(date(2026, 1, 0)), until: Some(date(2026, 11, 24)) });
        }),
        ("unknown grade", Rule::UnknownGrade, |entry| entry.counts[0].value = "Z".to_owned()),
        ("worst first", Rule::Contradiction, |entry| entry.counts.reverse()),
        ("a grade twice", Rule::Contradiction, |entry| entry.counts.insert(0, entry.counts[0].clone())),
        ("a grade left out", Rule::MissingField, |entry| drop(entry.counts.pop())),
        ("nine results", Rule::Contradiction, |entry| {
            (entry.counts[0].count, entry.counts[4].count) = (4, 0);
        }),
        ("too many", Rule::Contradiction, |entry| entry.counts[0].count = 10_000_000_000),
    ];
    for (what, expected, change) in cases {
        let mut entry = good.clone();
        change(&mut entry);
        assert_eq!(rule(Land::new().try_set(THERE, Kind::GradeDistribution, &entry)), *expected, "{what}");
    }
    let mut land = Land::new();
    land.set(THERE, Kind::GradeDistribution, &good);
    assert_eq!(rule(land.try_set(THERE, Kind::GradeDistribution, &good)), Rule::Permanent);
    // Numbers: distinct as numbers, and listed grades that pass before them.
    let same = distribution(THERE, 2, "DE-5", &[("1.0", 5), ("1", 5)]);
    assert_eq!(rule(land.try_set(THERE, Kind::GradeDistribution, &same)), Rule::Contradiction);
    land.set(THERE, Kind::GradeDistribution, &distribution(THERE, 2, "DE-5", &[("1.0", 5), ("1.3", 5), ("5.0", 1)]));
    land.set(THERE, Kind::GradeDistribution, &distribution(THERE, 3, "IT-30", &[("30L", 5), ("30", 5), ("18", 1)]));
}

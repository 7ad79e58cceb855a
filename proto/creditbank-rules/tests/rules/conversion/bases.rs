//! Equivalences, standing rules and assessments; ages and expiry.

use creditbank_protocol::pb::{self, EquivalenceType, Kind, Mode, OutcomeType};
use creditbank_rules::conversion::{Account, Basis, Converted, Request, Source, Stated, convert};
use creditbank_rules::{Rejection, Rule};

use super::land::*;
use super::publications::equivalence;

fn outcome(kind: OutcomeType, score: Option<&str>) -> Source {
    let outcome = pb::Outcome {
        r#type: kind.into(),
        course: Some(pb::Course { code: "IELTS".to_owned(), titles: vec![text("A test")] }),
        score: score.map(|value| pb::Score {
            scale: "IELTS-9".to_owned(),
            value: value.to_owned(),
            ..Default::default()
        }),
        period: Some(pb::Period { from: Some(date(2025, 5, 1)), until: Some(date(2025, 5, 1)) }),
        ..Default::default()
    };
    Source::of_outcome(reference(1), HERE.into(), &outcome)
}

fn by(land: &Land, entry: &pb::Equivalence, source: &Source) -> Result<Converted, Rejection> {
    let (sources, account) = ([source.clone()], Account::default());
    let request = Request {
        registry: &land.registry,
        basis: Basis::Equivalence(entry),
        receiver: THERE.into(),
        sources: &sources,
        account: &account,
        decided: land.today,
        promised: None,
        stated: &[],
    };
    let converted = convert(&request)?;
    let conversion = pb::Conversion {
        agreement: None,
        equivalence: Some(pb::EquivalenceName {
            institution: entry.institution,
            code: entry.code.clone(),
            version: entry.version,
        }),
        ..land.conversion(&terms(), &converted)
    };
    assert_eq!(land.check(THERE, &conversion, &sources, &account).as_ref(), Ok(&converted));
    Ok(converted)
}

/// Goal: a test score counts from its minimum on, as long as it is fresh and the equivalence in force.
#[test]
fn a_test_score_becomes_credit() {
    let mut land = Land::new();
    let entry = pb::Equivalence { age_months_max: 24, until: Some(date(2026, 12, 31)), ..equivalence() };
    land.set(THERE, Kind::Equivalence, &entry);
    let score = |value| outcome(OutcomeType::TestScore, Some(value));
    let converted = by(&land, &entry, &score("6.5")).expect("converted");
    assert_eq!((amounts(&converted), converted.results[0].source_plus_1), (vec![50_000], 1));
    assert_eq!(converted.results[0].roots[0].had, [amount(50_000, "ECTS")]);
    by(&land, &entry, &score("9")).expect("better");
    for (what, source) in [
        ("less", score("6.4")),
        ("no score", outcome(OutcomeType::TestScore, None)),
        ("no test", outcome(OutcomeType::MoocCertificate, Some("9"))),
        ("a credit", Source { grade: Some(grade("IELTS-9", "9")), ..credit(1, HERE, 1, "CATS") }),
        ("of another", Source { institution: GROUP.into(), ..score("9") }),
        ("in another scale", Source { grade: Some(grade("DE-5", "1.0")), ..score("9") }),
    ] {
        assert_eq!(rule(by(&land, &entry, &source)), Rule::OutsideScope, "{what}");
    }
    // The age is counted to the day of the decision.
    land.today = day(2026, 12, 31);
    by(&land, &entry, &score("7")).expect("in force on its last day");
    land.today = day(2027, 1, 1);
    assert_eq!(rule(by(&land, &entry, &score("7"))), Rule::NotInForce);
    let mut old = score("7");
    land.today = TODAY;
    old.period = Some(pb::Period { from: Some(date(2024, 11, 23)), until: Some(date(2024, 11, 23)) });
    by(&land, &entry, &old).expect("exactly 24 months");
    old.period = Some(pb::Period { from: Some(date(2024, 11, 22)), until: Some(date(2024, 11, 22)) });
    assert_eq!(rule(by(&land, &entry, &old)), Rule::OutsideScope);
    old.period = None;
    assert_eq!(rule(by(&land, &entry, &old)), Rule::OutsideScope, "not stated is not young");
    // A newer version counts from its first day.
    let second = pb::Equivalence { version: 2, from: Some(date(2026, 11, 1)), ..entry.clone() };
    land.set(THERE, Kind::Equivalence, &second);
    assert_eq!(rule(by(&land, &entry, &score("7"))), Rule::NotInForce);
    by(&land, &second, &score("7")).expect("the version in force");
}

/// Goal: a course counts as another by grade in the order of its scale, and never as more of a unit than it was.
#[test]
fn a_course_becomes_another() {
    let mut land = Land::new();
    let entry = pb::Equivalence {
        r#type: EquivalenceType::Course.into(),
        source_course: "C1".to_owned(),
        minimum: Some(grade("DE-5", "2.0")),
        grade: Some(grade("FR-20", "15")),
        level: Some(level("EQF", "6")),
        ..equivalence()
    };
    land.set(THERE, Kind::Equivalence, &entry);
    let course =
        |value: &str, e4, unit: &str| Source { grade: Some(grade("DE-5", value)), ..credit(1, HERE, e4, unit) };
    let converted = by(&land, &entry, &course("1.7", 100_000, "CATS")).expect("converted");
    assert_eq!(amounts(&converted), [50_000]);
    assert_eq!(converted.results[0].grade, Some(grade("FR-20", "15")));
    assert_eq!(converted.results[0].mode, i32::from(Mode::OnSite));
    assert_eq!(amounts(&by(&land, &entry, &course("2.0", 30_000, "ECTS")).expect("converted")), [30_000], "no growth");
    assert_eq!(amounts(&by(&land, &entry, &course("2", 90_000, "ECTS")).expect("converted")), [50_000]);
    assert_eq!(rule(by(&land, &entry, &course("2.3", 1, "CATS"))), Rule::OutsideScope);
    let other = Source { grade: Some(grade("DE-5", "1.0")), ..credit(2, HERE, 1, "CATS") };
    assert_eq!(rule(by(&land, &entry, &other)), Rule::OutsideScope, "another course");
}

/// Goal: a standing rule takes the kind of outcome that it names, and no test scores.
#[test]
fn a_standing_rule_takes_non_formal_learning() {
    let mut land = Land::new();
    let entry = pb::Equivalence {
        r#type: EquivalenceType::NonFormal.into(),
        source_outcome: OutcomeType::NonFormalCourse.into(),
        minimum: None,
        ..equivalence()
    };
    land.set(THERE, Kind::Equivalence, &entry);
    by(&land, &entry, &outcome(OutcomeType::NonFormalCourse, None)).expect("converted");
    assert_eq!(rule(by(&land, &entry, &outcome(OutcomeType::WorkExperience, None))), Rule::OutsideScope);
    assert_eq!(rule(by(&land, &entry, &outcome(OutcomeType::TestScore, Some("9")))), Rule::OutsideScope);
}

type Change = fn(&mut Stated);

/// Goal: prior learning becomes what the assessor states, who is named with method and evidence; credit is not assessed again.
#[test]
fn an_assessor_states_what_prior_learning_becomes() {
    let land = Land::new();
    let assessment = pb::Assessment {
        assessor: "Dr A".to_owned(),
        method: "portfolio and interview".to_owned(),
        evidence_digest: vec![1; 32],
    };
    let stated = Stated {
        course: Some(pb::Course { code: "RPL-1".to_owned(), titles: vec![text("Practice")] }),
        amount: Some(amount(100_000, "ECTS")),
        level: Some(level("EQF", "5")),
        grade: Some(grade("DE-5", "2.0")),
        field: "0541".to_owned(),
        ..Stated::default()
    };
    let assess = |assessment: &pb::Assessment, source: Source, stated: &[Stated]| {
        let (sources, account) = ([source], Account::default());
        let basis = Basis::Assessment(assessment);
        let (registry, receiver, decided) = (&land.registry, THERE, TODAY);
        let request = Request {
            registry,
            basis,
            receiver: receiver.into(),
            sources: &sources,
            account: &account,
            decided,
            promised: None,
            stated,
        };
        let converted = convert(&request)?;
        let conversion = pb::Conversion {
            agreement: None,
            assessment: Some(assessment.clone()),
            ..land.conversion(&terms(), &converted)
        };
        assert_eq!(land.check(THERE, &conversion, &sources, &account).as_ref(), Ok(&converted));
        Ok(converted)
    };
    let prior = || outcome(OutcomeType::PriorLearning, None);
    let converted = assess(&assessment, prior(), std::slice::from_ref(&stated)).expect("converted");
    assert_eq!((amounts(&converted), converted.results[0].mode), (vec![100_000], i32::from(Mode::Rpl)));
    assert_eq!(converted.results[0].grade, Some(grade("DE-5", "2.0")));
    let cases: [(Rule, Change); 6] = [
        (Rule::MissingField, |stated| stated.course = None),
        (Rule::MissingField, |stated| stated.amount = None),
        (Rule::UnknownCreditUnit, |stated| stated.amount = Some(amount(1, "XX"))),
        (Rule::UnknownLevel, |stated| stated.level = Some(level("EQF", "9"))),
        (Rule::GradeNotAPass, |stated| stated.grade = Some(grade("DE-5", "5.0"))),
        (Rule::InvalidCode, |stated| stated.field = "x".to_owned()),
    ];
    for (expected, change) in cases {
        let mut stated = stated.clone();
        change(&mut stated);
        assert_eq!(rule(assess(&assessment, prior(), &[stated])), expected);
    }
    assert_eq!(rule(assess(&assessment, prior(), &[])), Rule::MissingField);
    assert_eq!(
        rule(assess(&assessment, credit(1, HERE, 1, "CATS"), std::slice::from_ref(&stated))),
        Rule::OutsideScope
    );
    let nameless = pb::Assessment { assessor: String::new(), ..assessment.clone() };
    assert_eq!(rule(assess(&nameless, prior(), &[stated])), Rule::MissingField);
}

/// Goal: credit that has expired or is older than the agreement allows is not converted; what expires goes on expiring.
#[test]
fn shelf_life_is_judged_on_the_day_of_the_decision() {
    let mut land = Land::new();
    let terms = pb::AgreementTerms { age_months_max: 84, ..terms() };
    land.agree(&terms);
    let mut source = Source { expires: Some(date(2026, 11, 23)), ..credit(1, HERE, 100_000, "CATS") };
    let converted = land.convert(&terms, std::slice::from_ref(&source)).expect("on its last day");
    assert_eq!(converted.results[0].expires, Some(date(2026, 11, 23)));
    source.expires = Some(date(2026, 11, 22));
    assert_eq!(rule(land.convert(&terms, std::slice::from_ref(&source))), Rule::SourceNotUsable);
    source.expires = None;
    land.today = day(2032, 3, 31);
    land.convert(&terms, std::slice::from_ref(&source)).expect("seven years after the end of its period");
    land.today += 1;
    assert_eq!(rule(land.convert(&terms, &[source])), Rule::OutsideScope);
}

//! Which codes name one course, through the whole of the rules: as a relation, in requirements, in retakes, in
//! accreditations, in equivalences.

use creditbank_protocol::pb::{self, Kind, Match, RequirementType, RetakePolicy};
use creditbank_rules::qualification::{Candidate, Obstacle};
use creditbank_rules::{CourseName, Registry, RegistryRecord, Rule};
use proptest::prelude::*;

use crate::fixtures::{accreditation, course, credit, node, record};
use crate::qualification::scene::{self, put};
use crate::world::World;

fn publish<M: creditbank_protocol::canonical::Canonical>(registry: &mut Registry, kind: Kind, by: u64, entry: &M) {
    let body = creditbank_protocol::canonical::encode(entry).expect("canonical");
    let (institution, entry) = (by.into(), 0.into());
    let record = RegistryRecord { kind, body: &body, institution, created_at_minute: 0, sealed_at_ms: 0, entry };
    registry.admit(record).expect("admitted");
}

fn publishes(registry: &mut Registry, entry: &pb::CourseAlias) -> Result<(), creditbank_rules::Rejection> {
    let body = creditbank_protocol::canonical::encode(entry).expect("canonical");
    let (kind, institution, entry) = (Kind::CourseAlias, entry.institution.into(), 0.into());
    let record = RegistryRecord { kind, body: &body, institution, created_at_minute: 0, sealed_at_ms: 0, entry };
    registry.admit(record).map(|_| ())
}

/// Goal: the aliases of an institution have a bound, which withdrawals do not lift; those that it has may change.
#[test]
fn aliases_of_an_institution_are_bounded() {
    let mut registry = scene::registry();
    let of = |institution: u64, number: u32, same_as: u32| pb::CourseAlias {
        institution,
        code: format!("OLD-{number}"),
        same_as: format!("NEW-{same_as}"),
        withdrawn: false,
    };
    for number in 0..10_000 {
        publishes(&mut registry, &of(1, number, number)).expect("within the bound");
    }
    let last = of(1, 9_999, 9_999);
    publishes(&mut registry, &pb::CourseAlias { withdrawn: true, ..last.clone() }).expect("withdrawn");
    let refused = publishes(&mut registry, &of(1, 10_000, 10_000)).expect_err("beyond the bound");
    assert_eq!((refused.rule, refused.field), (Rule::Contradiction, Some("code")));
    publishes(&mut registry, &last).expect("published again");
    publishes(&mut registry, &of(1, 0, 1)).expect("of another course");
    publishes(&mut registry, &of(2, 10_000, 10_000)).expect("of another institution");
    assert!(registry.course(1.into(), "OLD-0").is("NEW-1") && !registry.course(1.into(), "OLD-0").is("NEW-0"));
}

fn alias(registry: &mut Registry, code: &str, same_as: &str) {
    let entry = pb::CourseAlias { institution: 1, code: code.into(), same_as: same_as.into(), withdrawn: false };
    publish(registry, Kind::CourseAlias, 1, &entry);
}

/// A credit for a code.
fn coded(registry: &Registry, index: u32, amount: u64, code: &str) -> Candidate {
    Candidate { course: Some(registry.course(1.into(), code)), ..scene::credit(index, amount) }
}

/// Goal: a required course is passed under each of its codes, and a prefix is met by each of them.
#[test]
fn a_required_course_has_several_codes() {
    let mut registry = scene::registry();
    let asked = |courses: &[&str], prefixes: &[&str]| Match {
        courses: courses.iter().map(|code| (*code).to_owned()).collect(),
        course_prefixes: prefixes.iter().map(|code| (*code).to_owned()).collect(),
        ..Default::default()
    };
    let found = |registry: &Registry, asked: &Match, code: &str| {
        creditbank_rules::qualification::matches(asked, &coded(registry, 0, 30, code))
    };
    let (required, prefixed) = (asked(&["ws-101"], &[]), asked(&[], &["ws-"]));
    assert!(found(&registry, &required, "WS-101") && found(&registry, &prefixed, "WS-101"));
    assert!(!found(&registry, &required, "WS101") && !found(&registry, &prefixed, "WS101"));
    alias(&mut registry, "WS101", "WS-101");
    assert!(found(&registry, &required, "WS101") && found(&registry, &prefixed, "ws101"));
    // Another institution's code is another course.
    let elsewhere = Candidate { course: Some(registry.course(2.into(), "WS101")), ..scene::credit(0, 30) };
    assert!(!creditbank_rules::qualification::matches(&required, &elsewhere));
    publish(&mut registry, Kind::CourseCodes, 1, &pb::CourseCodes { institution: 1, case_matters: true });
    assert!(!found(&registry, &required, "WS-101"), "where case matters");
}

/// Goal: of passes under several codes of one course one counts: 6 ECTS, not 18.
#[test]
fn one_pass_of_a_course_counts() {
    let mut registry = scene::registry();
    alias(&mut registry, "WS101", "WS-101");
    let definition = pb::QualificationDefinition {
        retakes: RetakePolicy::Last.into(),
        ..scene::definition(vec![node(0, RequirementType::All), crate::fixtures::credits(1, 90, None)])
    };
    let codes = ["WS-101", "ws-101", "WS101"];
    let candidates: Vec<Candidate> =
        (0u32..).zip(codes).map(|(index, code)| coded(&registry, index, 30, code)).collect();
    let day = scene::day("2026-01-01");
    let case = creditbank_rules::qualification::Case::new(&registry, &definition, &candidates, &[], &[], &[], day)
        .expect("a definition");
    let counting = (0..3).filter(|at| case.obstacle(*at).is_none()).count();
    assert_eq!(counting, 1);
    assert!((0..3).any(|at| matches!(case.obstacle(at), Some(Obstacle::Retake(_)))));
    assert_eq!(put(2, 0).requirement, 2);
}

/// Goal: of credit that was converted from two codes of one course one counts, whoever's codes they are: under an agreement
/// the course stays the sender's, by an equivalence it is the receiver's.
#[test]
fn one_course_counts_once_after_its_conversion() {
    for (of, agreement) in [(2, Some(pb::AgreementName { code: "AGREED".to_owned(), version: 1 })), (1, None)] {
        let mut registry = scene::registry();
        let definition = pb::QualificationDefinition {
            retakes: RetakePolicy::Last.into(),
            ..scene::definition(vec![node(0, RequirementType::All), crate::fixtures::credits(1, 60, None)])
        };
        let counting = |registry: &Registry| {
            let converted = |entry: u64, code: &str| {
                let result = pb::ConvertedCredit {
                    course: course(code, "A course"),
                    amount: scene::credit(0, 30).amount,
                    source_plus_1: 1,
                    ..Default::default()
                };
                let conversion = pb::Conversion {
                    agreement: agreement.clone(),
                    sources: vec![pb::ConversionSource { institution: 2, ..Default::default() }],
                    results: vec![result],
                    ..Default::default()
                };
                let place = Some(pb::Place { entry, index: 0 });
                let record = pb::RecordReference { place, ..Default::default() };
                Candidate::conversion(registry, &definition, &record, 1.into(), &conversion, None)
            };
            let candidates = [converted(1, "WS-101"), converted(2, "WS101")].concat();
            let day = scene::day("2026-01-01");
            let case =
                creditbank_rules::qualification::Case::new(registry, &definition, &candidates, &[], &[], &[], day);
            let case = case.expect("a definition");
            (0..2).filter(|at| case.obstacle(*at).is_none()).count()
        };
        assert_eq!(counting(&registry), 2, "two courses");
        let entry =
            pb::CourseAlias { institution: of, code: "WS101".into(), same_as: "WS-101".into(), withdrawn: false };
        publish(&mut registry, Kind::CourseAlias, of, &entry);
        assert_eq!(counting(&registry), 1, "one course of institution {of}");
    }
}

/// Goal: an institution cannot widen its accreditation by calling a course something else; case and composition count
/// there as everywhere.
#[test]
fn an_alias_widens_no_accreditation() {
    let mut world = World::new();
    world
        .set(Kind::Accreditation, &pb::Accreditation { programmes: vec!["me\u{301}d-".to_owned()], ..accreditation() });
    let of = |code: &str| [record(Kind::Credit, &pb::Credit { course: course(code, "A"), ..credit() }, 1)];
    world.admit(&of("M\u{c9}D-1")).expect("of the programme");
    let registry = &mut world.ledger.registry;
    alias(registry, "HIST-1", "M\u{c9}D-1");
    let refused = world.admit(&of("HIST-1")).expect_err("another course");
    let creditbank_rules::admission::AdmissionError::Rejected(rejection) = refused else { panic!("{refused}") };
    assert_eq!(rejection.rule, Rule::NotAccredited);
}

/// What follows from the aliases that stand, worked out by going along them until nothing is new.
fn reached(standing: &[(String, String)], case_matters: bool, code: &str) -> std::collections::BTreeSet<String> {
    let name = |code: &str| if case_matters { code.to_owned() } else { code.to_lowercase() };
    let mut found = std::collections::BTreeSet::from([name(code)]);
    loop {
        let before = found.len();
        for (one, other) in standing {
            if found.contains(&name(one)) || found.contains(&name(other)) {
                found.extend([name(one), name(other)]);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

proptest! {
    /// Goal: however aliases come, change and go, and case begins and ceases to matter, what names one course is what the
    /// aliases that stand say.
    #[test]
    fn changes_leave_the_courses_that_the_aliases_say(
        steps in prop::collection::vec(("[aAbBcC]", "[aAbBcCdD]", 0..5u8), 1..40)
    ) {
        let mut registry = scene::registry();
        let (mut standing, mut case_matters) = (Vec::<(String, String)>::new(), false);
        for (code, same_as, what) in steps {
            if what == 0 {
                case_matters = !case_matters;
                publish(&mut registry, Kind::CourseCodes, 1, &pb::CourseCodes { institution: 1, case_matters });
                continue;
            }
            let at = standing.iter().position(|(known, _)| *known == code);
            let withdrawn = what == 1;
            let same_as = at.filter(|_| withdrawn).map_or(same_as, |at| standing[at].1.clone());
            let entry = pb::CourseAlias { institution: 1, code: code.clone(), same_as: same_as.clone(), withdrawn };
            if publishes(&mut registry, &entry).is_ok() {
                standing.retain(|(known, _)| *known != code);
                standing.extend((!withdrawn).then_some((code, same_as)));
            }
        }
        for code in ["a", "A", "b", "B", "c", "C", "d", "D", "e"] {
            let course = registry.course(1.into(), code);
            let same = reached(&standing, case_matters, code);
            for other in ["a", "A", "b", "B", "c", "C", "d", "D", "e"] {
                let name = if case_matters { other.to_owned() } else { other.to_lowercase() };
                prop_assert_eq!(course.is(other), same.contains(&name), "{} {} of {:?}", code, other, standing);
            }
        }
    }
}

proptest! {
    /// Goal: "the same course" is an equivalence relation, whatever aliases are published, withdrawn and replaced.
    #[test]
    fn the_same_course_is_an_equivalence(
        steps in prop::collection::vec((0usize..6, 0usize..6, any::<bool>(), any::<bool>()), 0..24),
    ) {
        let codes = ["A", "a", "B 1", "B1", "E\u{301}", "\u{e9}"];
        let mut registry = scene::registry();
        for (one, other, withdrawn, case_matters) in steps {
            let codes_of = pb::CourseCodes { institution: 1, case_matters };
            publish(&mut registry, Kind::CourseCodes, 1, &codes_of);
            let (code, same_as) = (codes[one].to_owned(), codes[other].to_owned());
            let entry = pb::CourseAlias { institution: 1, code, same_as, withdrawn };
            let body = creditbank_protocol::canonical::encode(&entry).expect("canonical");
            let (kind, institution, entry) = (Kind::CourseAlias, 1.into(), 0.into());
            // Of two codes that are one already, or of what was not published, it is refused, and changes nothing.
            let _ = registry.admit(RegistryRecord {
                kind, body: &body, institution, created_at_minute: 0, sealed_at_ms: 0, entry,
            });
        }
        let names: Vec<CourseName> = codes.iter().map(|code| registry.course(1.into(), code)).collect();
        for (at, one) in names.iter().enumerate() {
            prop_assert!(one.is(codes[at]) && one.is_same(one));
            for (with, other) in names.iter().enumerate() {
                prop_assert_eq!(one.is_same(other), one.is(codes[with]));
                prop_assert_eq!(one.is_same(other), other.is_same(one));
                for third in &names {
                    prop_assert!(!(one.is_same(other) && other.is_same(third)) || one.is_same(third));
                }
            }
        }
    }
}

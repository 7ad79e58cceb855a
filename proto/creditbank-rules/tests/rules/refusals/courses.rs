//! Codes of one course: folded, aliased, told apart by case.

use creditbank_protocol::pb::{self, Action, Basis, Kind};
use creditbank_protocol::status::Marks;
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, definition};
use super::case::{Case, PLACE, effect};
use super::derived::{Held, course as key, published};
use crate::fixtures::{ALIAS, course, credit, day, record};

fn alias(code: &str, same_as: &str) -> pb::CourseAlias {
    pb::CourseAlias { institution: 1, code: code.to_owned(), same_as: same_as.to_owned(), withdrawn: false }
}

/// The learner holds a credit for AAA, and gets one for `code`.
fn again(name: Option<&'static str>, about: &'static str, code: &'static str) -> Case {
    Case::new(name, about).with(|case| {
        case.hold(1, Marks::default(), 0);
        case.records = vec![record(Kind::Credit, &pb::Credit { course: course(code, "A course"), ..credit() }, 2)];
    })
}

/// The learner holds credits for AAA and BBB, which an alias has made one course; one for AAA amends the former.
fn amended(name: Option<&'static str>, about: &'static str, code: &'static str) -> Case {
    Case::new(name, about).with(|case| {
        case.hold(1, Marks::default(), 0);
        let mut other = case.held[0].clone();
        (other["index"], other["key"]) = (8.into(), serde_json::json!(["course", "BBB"]));
        (other["record_hash"], other["status_id"]) = (hex::encode([8; 32]).into(), hex::encode([8; 32]).into());
        case.held.push(other);
        aliased(case, &[("BBB", "AAA")]);
        let amends = Some(pb::Amends { place: Some(PLACE), reason: pb::AmendReason::Error.into() });
        let entry = pb::Credit { course: course(code, "A course"), amends, ..credit() };
        case.records = vec![record(Kind::Credit, &entry, 2)];
        case.groups = vec![effect(Action::Supersede, Basis::Issuer)];
    })
}

fn aliased(case: &mut Case, names: &[(&str, &str)]) {
    for (code, same_as) in names {
        case.set(Kind::CourseAlias, &alias(code, same_as));
    }
}

fn case_matters(case: &mut Case) {
    case.set(Kind::CourseCodes, &pb::CourseCodes { institution: 1, case_matters: true });
}

/// An alias, withdrawn.
fn withdrawn(code: &str, same_as: &str) -> pb::CourseAlias {
    pb::CourseAlias { withdrawn: true, ..alias(code, same_as) }
}

/// Of two passes of one course the later one counts; the award counts the credit for AAA in entry 1. The other pass came
/// later, for A-A-A, which `names` may make an alias.
fn counted(name: Option<&'static str>, about: &'static str, names: &[(&str, &str)], other: fn(&mut Case)) -> Case {
    let scene = |case: &mut Case| {
        let retakes = pb::RetakePolicy::Last.into();
        case.set(Kind::QualificationDefinition, &pb::QualificationDefinition { retakes, ..definition("CERT") });
        case.holds_credit(Marks::default());
        aliased(case, names);
        other(case);
    };
    awarding(name, about, scene, &audited())
}

fn later() -> Option<pb::Period> {
    Some(pb::Period { from: day(2026, 10, 1), until: day(2026, 11, 15) })
}

/// Credit for A-A-A that was not earned here.
fn result() -> pb::ConvertedCredit {
    let amount = Some(pb::Amount { e4: 60_0000, unit: "CATS".to_owned() });
    pb::ConvertedCredit { course: course("A-A-A", "A course"), amount, period: later(), ..Default::default() }
}

fn later_credit(case: &mut Case) {
    let entry = pb::Credit { course: course("A-A-A", "A course"), period: later(), ..credit() };
    case.holds(Held::new(3, key("A-A-A")), Kind::Credit, &entry);
}

fn later_exemption(case: &mut Case) {
    let entry =
        pb::QualificationRecognition { learner: ALIAS.0.to_vec(), exemptions: vec![result()], ..Default::default() };
    case.holds(Held::new(3, CourseKey::Recognition), Kind::QualificationRecognition, &entry);
}

fn later_conversion(case: &mut Case) {
    let assessment = Some(pb::Assessment { assessor: "An assessor".to_owned(), ..Default::default() });
    let entry = pb::Conversion { learner: ALIAS.0.to_vec(), assessment, results: vec![result()], ..Default::default() };
    case.holds(Held::new(3, CourseKey::Conversion), Kind::Conversion, &entry);
}

/// The learner holds a credit for AAA that may be repeated once, and one for its alias A-A-A where `twice`; `code` is next.
fn repeated(name: Option<&'static str>, about: &'static str, twice: bool, code: &'static str) -> Case {
    Case::new(name, about).with(|case| {
        aliased(case, &[("A-A-A", "AAA")]);
        case.hold(1, Marks::default(), 1);
        if twice {
            let entry = pb::Credit { course: course("A-A-A", "A course"), repeats_max: 1, ..credit() };
            case.holds(Held::new(3, key("A-A-A")), Kind::Credit, &entry);
        }
        let entry = pb::Credit { course: course(code, "A course"), repeats_max: 1, ..credit() };
        case.records = vec![record(Kind::Credit, &entry, 2)];
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let alias_of = [("A-A-A", "AAA")];
    let repeats = Some("TOO_MANY_REPEATS");
    let said = |name, about, entry: &pb::CourseAlias| published(Some(name), about, Kind::CourseAlias, entry);
    let many: Vec<String> = (0..64).map(|number| format!("X-{number}")).collect();
    vec![
        counted(Some("SOURCE_NOT_USABLE"), "a pass before a later one under an alias", &alias_of, later_credit),
        counted(Some("SOURCE_NOT_USABLE"), "a pass before an exemption from its alias", &alias_of, later_exemption),
        counted(
            Some("SOURCE_NOT_USABLE"),
            "a pass before credit that was converted into its alias",
            &alias_of,
            later_conversion,
        ),
        repeated(repeats, "a third time, under two codes of one course", true, "aaa"),
        again(repeats, "the course in small letters", "aaa"),
        again(repeats, "the course in letters of full case folding", "aAa"),
        again(repeats, "the course under its alias", "A-A-A").with(|case| aliased(case, &[("A-A-A", "AAA")])),
        again(repeats, "the course under its alias in small letters", "a-a-a")
            .with(|case| aliased(case, &[("A-A-A", "aaa")])),
        again(repeats, "the course of which this is an alias", "BBB").with(|case| aliased(case, &[("AAA", "BBB")])),
        again(repeats, "an alias of an alias", "CCC").with(|case| aliased(case, &[("CCC", "BBB"), ("BBB", "AAA")])),
        again(repeats, "two aliases of a third code", "CCC")
            .with(|case| aliased(case, &[("CCC", "BBB"), ("AAA", "BBB")])),
        again(repeats, "aliases in a ring", "CCC")
            .with(|case| aliased(case, &[("CCC", "BBB"), ("BBB", "AAA"), ("AAA", "CCC")])),
        again(repeats, "aliases that were published before case mattered", "ccc").with(|case| {
            aliased(case, &[("ccc", "AAA")]);
            case_matters(case);
        }),
        again(repeats, "an alias that was withdrawn, and another one that leads there too", "CCC").with(|case| {
            aliased(case, &[("CCC", "AAA"), ("AAA", "CCC")]);
            case.set(Kind::CourseAlias, &withdrawn("CCC", "AAA"));
        }),
        Case::new(repeats, "two codes of one course in one block").with(|case| {
            aliased(case, &[("A-A-A", "AAA")]);
            let other = pb::Credit { course: course("a-a-a", "A course"), ..credit() };
            case.records = vec![record(Kind::Credit, &credit(), 1), record(Kind::Credit, &other, 2)];
        }),
        amended(repeats, "an amendment to a course that has as many as it may", "CCC").with(|case| {
            let mut other = case.held[0].clone();
            (other["index"], other["key"]) = (9.into(), serde_json::json!(["course", "CCC"]));
            (other["record_hash"], other["status_id"]) = (hex::encode([9; 32]).into(), hex::encode([9; 32]).into());
            case.held.push(other);
        }),
        said(
            "NOT_THE_PUBLISHER",
            "an alias of another institution's course",
            &pb::CourseAlias { institution: 2, ..alias("WS101", "WS-101") },
        ),
        said("KIND_OUTSIDE_KEY", "an alias by a key for credits", &alias("WS101", "WS-101"))
            .with(|case| case.by_narrow(&[Kind::Credit])),
        said("MISSING_FIELD", "an alias of no course", &alias("WS101", "")),
        said("MISSING_FIELD", "an alias without a code", &alias("", "WS-101")),
        said("CONTRADICTION", "an alias of itself", &alias("WS-101", "ws-101")),
        said("INVALID_COURSE_CODE", "an alias that ends with a space", &alias("WS101 ", "WS-101")),
        said("UNKNOWN_REFERENCE", "an alias that is withdrawn and was never published", &withdrawn("WS101", "WS-101")),
        said("UNKNOWN_REFERENCE", "an alias of another course is withdrawn", &withdrawn("WS101", "WS-101"))
            .with(|case| aliased(case, &[("WS101", "WS-102")])),
        said("CONTRADICTION", "a course of 65 codes", &alias("X-64", "X-0")).with(|case| {
            let names: Vec<(&str, &str)> = many[1..].iter().map(|code| (code.as_str(), "X-0")).collect();
            aliased(case, &names);
        }),
        published(
            Some("NOT_THE_PUBLISHER"),
            "that case matters in the codes of another institution",
            Kind::CourseCodes,
            &pb::CourseCodes { institution: 2, case_matters: true },
        ),
        published(
            Some("KIND_OUTSIDE_KEY"),
            "that case matters, by a key for aliases",
            Kind::CourseCodes,
            &pb::CourseCodes { institution: 1, case_matters: true },
        )
        .with(|case| case.by_narrow(&[Kind::CourseAlias])),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let says = |about, entry: &pb::CourseAlias| published(None, about, Kind::CourseAlias, entry);
    vec![
        counted(None, "a pass before a later one under another code", &[], later_credit),
        counted(None, "a pass before an exemption from another code", &[], later_exemption),
        counted(None, "a pass before credit that was converted into another code", &[], later_conversion),
        repeated(None, "a second time, under an alias", false, "A-A-A"),
        says("an alias", &alias("WS101", "WS-101")),
        says("an alias of a course that has 63 codes", &alias("X-63", "X-0")).with(|case| {
            let names: Vec<String> = (1..63).map(|number| format!("X-{number}")).collect();
            aliased(case, &names.iter().map(|code| (code.as_str(), "X-0")).collect::<Vec<_>>());
        }),
        says("an alias of another course in its place", &alias("WS101", "WS-102"))
            .with(|case| aliased(case, &[("WS101", "WS-101")])),
        says("an alias that differs in case, where case matters", &alias("ws-101", "WS-101")).with(case_matters),
        published(
            None,
            "that case matters",
            Kind::CourseCodes,
            &pb::CourseCodes { institution: 1, case_matters: true },
        ),
        amended(None, "an amendment of one of two credits that an alias has made one course", "AAA"),
        amended(None, "an amendment under the code of the other one", "BBB"),
        again(None, "another code without an alias", "A-A-A"),
        again(None, "a code that was an alias", "A-A-A").with(|case| {
            aliased(case, &[("A-A-A", "AAA")]);
            case.set(Kind::CourseAlias, &withdrawn("A-A-A", "AAA"));
        }),
        again(None, "a code that is an alias of another course now", "A-A-A")
            .with(|case| aliased(case, &[("A-A-A", "AAA"), ("A-A-A", "BBB")])),
        again(None, "an alias of another institution", "A-A-A").with(|case| {
            case.set(Kind::CourseAlias, &pb::CourseAlias { institution: 2, ..alias("A-A-A", "AAA") });
        }),
        again(None, "small letters, where case matters", "aaa").with(case_matters),
        again(None, "letters of full width", "ＡＡＡ"),
    ]
}

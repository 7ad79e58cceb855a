//! One course counts as often as it may, over all ways to it: Credits, results of Conversions, exemptions, under whatever
//! code.

use creditbank_protocol::pb::{self, Kind, RetakePolicy};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, credits, definition, put};
use super::case::Case;
use super::derived::{Held, at, course as key, reference};
use crate::fixtures::{ALIAS, course, credit, node};

/// 120 CATS of anything.
fn whole(retakes: RetakePolicy) -> pb::QualificationDefinition {
    let requirements = vec![node(0, pb::RequirementType::All), credits(1, 120, "")];
    pb::QualificationDefinition { requirements, retakes: retakes.into(), ..definition("CERT") }
}

fn of_course(code: &str, repeats_max: u32) -> pb::Credit {
    pb::Credit { course: course(code, "A course"), repeats_max, ..credit() }
}

/// Credit for a course of an institution in an entry.
fn earned(case: &mut Case, entry: u64, institution: u64, code: &str, repeats_max: u32) {
    case.holds(Held { institution, ..Held::new(entry, key(code)) }, Kind::Credit, &of_course(code, repeats_max));
    case.held.last_mut().expect("it is held")["repeats_max"] = repeats_max.into();
}

/// What was converted from the credit in an entry into 60 CATS for a course, in another entry; under an agreement the course
/// is one of institution 2.
fn converted(case: &mut Case, (entry, source): (u64, u64), code: &str, agreed: bool) {
    let root = pb::Root {
        place: Some(at(source)),
        status_id: reference(at(source)).status_id,
        fraction: Some(pb::Ratio { numerator: 1, denominator: 1 }),
        ..Default::default()
    };
    let result = pb::ConvertedCredit {
        course: course(code, "A course"),
        amount: Some(pb::Amount { e4: 60_0000, unit: "CATS".to_owned() }),
        period: credit().period,
        source_plus_1: 1,
        roots: vec![root],
        ..Default::default()
    };
    let source = pb::ConversionSource { institution: 2, record: Some(reference(at(source))), ..Default::default() };
    let agreement = agreed.then(|| pb::AgreementName { code: "AGREED".to_owned(), version: 1 });
    let conversion = pb::Conversion {
        learner: ALIAS.0.to_vec(),
        sources: vec![source],
        results: vec![result],
        agreement,
        ..Default::default()
    };
    case.holds(Held::new(entry, CourseKey::Conversion), Kind::Conversion, &conversion);
}

fn exempted(case: &mut Case, entry: u64, code: &str) {
    let exemption = pb::ConvertedCredit {
        course: course(code, "A course"),
        amount: Some(pb::Amount { e4: 60_0000, unit: "CATS".to_owned() }),
        ..Default::default()
    };
    let learner = ALIAS.0.to_vec();
    let recognition = pb::QualificationRecognition { learner, exemptions: vec![exemption], ..Default::default() };
    case.holds(Held::new(entry, CourseKey::Recognition), Kind::QualificationRecognition, &recognition);
}

/// An award that counts two things, of which each redeems a root.
fn counting(
    name: Option<&'static str>,
    about: &'static str,
    counted: [pb::Allocation; 2],
    redeems: [u64; 2],
    scene: impl FnOnce(&mut Case),
) -> Case {
    under(name, about, RetakePolicy::Unspecified, counted, redeems, scene)
}

fn under(
    name: Option<&'static str>,
    about: &'static str,
    retakes: RetakePolicy,
    counted: [pb::Allocation; 2],
    redeems: [u64; 2],
    scene: impl FnOnce(&mut Case),
) -> Case {
    let award = pb::Award {
        allocations: counted.to_vec(),
        redeems: redeems.map(|entry| reference(at(entry))).to_vec(),
        ..audited()
    };
    let scene = |case: &mut Case| {
        case.set(Kind::QualificationDefinition, &whole(retakes));
        scene(case);
    };
    awarding(name, about, scene, &award)
}

/// The first result of the record in an entry.
fn result(entry: u64) -> pb::Allocation {
    pb::Allocation { result_plus_1: 1, ..put(2, entry) }
}

fn aliased(case: &mut Case, institution: u64) {
    let (code, same_as) = ("A-A-A".to_owned(), "AAA".to_owned());
    case.set(Kind::CourseAlias, &pb::CourseAlias { institution, code, same_as, withdrawn: false });
}

/// A course earned here, and again by an equivalence, of which the Credit says how often it may be repeated.
fn equivalent(name: Option<&'static str>, about: &'static str, repeats_max: u32, code: &'static str) -> Case {
    counting(name, about, [put(2, 1), result(3)], [1, 2], |case| {
        earned(case, 1, 1, "AAA", repeats_max);
        earned(case, 2, 2, "BBB", 5);
        converted(case, (3, 2), code, false);
    })
}

/// Credit for a course of institution 2, and what was converted under an agreement from another pass of it.
fn agreed(name: Option<&'static str>, about: &'static str, repeats: [u32; 2]) -> Case {
    counting(name, about, [put(2, 1), result(3)], [1, 2], |case| {
        earned(case, 1, 2, "AAA", repeats[0]);
        earned(case, 2, 2, "AAA", repeats[1]);
        converted(case, (3, 2), "AAA", true);
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let refused = Some("TOO_MANY_REPEATS");
    vec![
        equivalent(refused, "a course earned here, and once more by an equivalence", 0, "aaa"),
        equivalent(refused, "a course earned here, and once more by an equivalence, under an alias", 0, "A-A-A")
            .with(|case| aliased(case, 1)),
        counting(refused, "a course by two equivalences", [result(3), result(4)], [1, 2], |case| {
            earned(case, 1, 2, "BBB", 5);
            earned(case, 2, 2, "CCC", 5);
            converted(case, (3, 1), "AAA", false);
            converted(case, (4, 2), "AAA", false);
        }),
        counting(refused, "a course earned here, and an exemption from it", [put(2, 1), result(3)], [1, 3], |case| {
            earned(case, 1, 1, "AAA", 0);
            exempted(case, 3, "AAA");
        }),
        agreed(refused, "a course of elsewhere, and another pass of it under an agreement", [1, 0]),
        under(
            Some("SOURCE_NOT_USABLE"),
            "of a course earned here and by an equivalence the first",
            RetakePolicy::First,
            [put(2, 1), result(3)],
            [1, 2],
            |case| {
                earned(case, 1, 1, "AAA", 0);
                earned(case, 2, 2, "BBB", 5);
                converted(case, (3, 2), "AAA", false);
            },
        ),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        equivalent(None, "a course that may be repeated once, earned here and by an equivalence", 1, "AAA"),
        equivalent(None, "a course earned here, and another one by an equivalence", 0, "A-A-A"),
        counting(
            None,
            "a course earned here, and one of the same code elsewhere",
            [put(2, 1), put(2, 2)],
            [1, 2],
            |case| {
                earned(case, 1, 1, "AAA", 0);
                earned(case, 2, 2, "AAA", 0);
            },
        ),
        counting(
            None,
            "a course earned here, and an exemption from another one",
            [put(2, 1), result(3)],
            [1, 3],
            |case| {
                earned(case, 1, 1, "AAA", 0);
                exempted(case, 3, "BBB");
            },
        ),
        agreed(None, "two passes of a course of elsewhere that may be repeated once, one under an agreement", [1, 1]),
        under(
            None,
            "of a course that may be repeated, earned here and by an equivalence, the last two",
            RetakePolicy::Last,
            [put(2, 1), result(3)],
            [1, 2],
            |case| {
                earned(case, 1, 1, "AAA", 1);
                earned(case, 2, 2, "BBB", 5);
                converted(case, (3, 2), "AAA", false);
            },
        ),
        under(
            None,
            "of a credit and what it was converted into, which are one pass, and another course",
            RetakePolicy::Last,
            [put(2, 1), result(3)],
            [1, 2],
            |case| {
                earned(case, 1, 1, "BBB", 0);
                earned(case, 2, 2, "AAA", 0);
                let later = pb::Credit { attempt: 2, ..of_course("AAA", 0) };
                case.held.pop();
                case.holds(Held { institution: 2, ..Held::new(2, key("AAA")) }, Kind::Credit, &later);
                converted(case, (3, 2), "AAA", true);
            },
        ),
    ]
}

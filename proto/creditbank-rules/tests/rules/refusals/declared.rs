//! Declared awards: which Credits they consume, and that these pay for nothing else.

use creditbank_protocol::pb::{self, Action, Basis, Kind};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, cosigned, credits, declared, definition, document, joint, name};
use super::case::Case;
use super::derived::{Held, OTHER_KEY, at, course, effect, group, marked, of, paper, reference};
use crate::fixtures::{credit, day, node, outcome};

/// Declared, and consumes the credit in entry 1.
fn consuming() -> pb::Award {
    pb::Award { redeems: vec![reference(at(1))], consumes_none: String::new(), mandate: paper(), ..declared() }
}

/// CERT, and a credit in entry 1.
fn held(of: Held, entry: pb::Credit) -> impl FnOnce(&mut Case) {
    move |case| {
        case.set(Kind::QualificationDefinition, &definition("CERT"));
        case.holds(of, Kind::Credit, &entry);
    }
}

fn own() -> Held {
    Held::new(1, course("AAA"))
}

fn refuses(name: &'static str, about: &'static str, scene: impl FnOnce(&mut Case), award: &pb::Award) -> Case {
    awarding(Some(name), about, scene, award)
}

/// DIPLOMA absorbs CERT, OTHER overlaps with it by 60 credits and it with OTHER; CERT was declared in entry 6 and has
/// consumed the credit in entry 1.
fn declared_before(case: &mut Case) {
    let overlap = |code: &str| vec![pb::Overlap { other: Some(name(code, 0)), max_e4: 60_0000 }];
    case.set(Kind::QualificationDefinition, &definition("CERT"));
    case.set(
        Kind::QualificationDefinition,
        &pb::QualificationDefinition { overlaps: overlap("CERT"), ..definition("OTHER") },
    );
    let second = pb::QualificationDefinition { version: 2, overlaps: overlap("OTHER"), ..definition("CERT") };
    case.set(Kind::QualificationDefinition, &second);
    let diploma = pb::QualificationDefinition {
        requirements: vec![node(0, pb::RequirementType::All), credits(1, 60, "")],
        absorbs: vec![name("CERT", 0)],
        ..definition("DIPLOMA")
    };
    case.set(Kind::QualificationDefinition, &diploma);
    case.holds_credit(marked(&[(Action::Redeem, 6)]));
    let earlier = pb::Award { definition: Some(name("CERT", 2)), documents: vec![document("2026/1")], ..consuming() };
    case.holds(Held { depends_on: vec![at(1)], ..Held::new(6, CourseKey::Award) }, Kind::Award, &earlier);
}

/// An audited award under a code that counts the credit in entry 1 again.
fn again(code: &str) -> pb::Award {
    pb::Award { definition: Some(name(code, 1)), redeems: Vec::new(), ..audited() }
}

/// The declared award in entry 6 is amended.
fn amending(name_: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::Award)) -> Case {
    let amends = Some(pb::Amends { place: Some(at(6)), reason: pb::AmendReason::Error.into() });
    let mut award = pb::Award { amends, definition: Some(name("CERT", 2)), ..consuming() };
    change(&mut award);
    of(name_, about, Kind::Award, &award).with(|case| {
        declared_before(case);
        case.groups = vec![group(Basis::Issuer, &[effect(at(6), Action::Supersede)])];
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let right = || held(own(), credit());
    let marks = |marks: &[(Action, u64)]| held(Held { marks: marked(marks), ..own() }, credit());
    vec![
        refuses(
            "MISSING_FIELD",
            "declared, without a word on what it consumes",
            right(),
            &pb::Award { consumes_none: String::new(), ..declared() },
        ),
        refuses(
            "CONTRADICTION",
            "declared, consuming a credit and none",
            right(),
            &pb::Award { consumes_none: declared().consumes_none, ..consuming() },
        ),
        refuses(
            "CONTRADICTION",
            "audited, and says that it consumes none",
            right(),
            &pb::Award { consumes_none: declared().consumes_none, ..audited() },
        ),
        refuses(
            "NO_MANDATE",
            "declared, consuming a credit without a mandate",
            right(),
            &pb::Award { mandate: None, ..consuming() },
        ),
        refuses(
            "SOURCE_NOT_USABLE",
            "declared, consuming a credit of an institution that does not confer it",
            held(Held { institution: 2, ..own() }, credit()),
            &consuming(),
        ),
        refuses(
            "SOURCE_NOT_USABLE",
            "declared, consuming an outcome",
            |case| {
                case.set(Kind::QualificationDefinition, &definition("CERT"));
                let entry = outcome(pb::OutcomeType::NonFormalCourse);
                case.holds(Held::new(1, CourseKey::UncodedOutcome), Kind::Outcome, &entry);
            },
            &consuming(),
        ),
        refuses(
            "SOURCE_NOT_USABLE",
            "declared, consuming a credit that was revoked",
            marks(&[(Action::Revoke, 8)]),
            &consuming(),
        ),
        refuses(
            "INVALID_DATE",
            "declared, consuming a credit whose period ended later",
            right(),
            &pb::Award { conferred: day(2026, 9, 29), documents: Vec::new(), ..consuming() },
        ),
        refuses(
            "NOT_VISIBLE",
            "declared, consuming a credit that may not be shown yet",
            held(own(), pb::Credit { visible_from: day(2026, 11, 24), ..credit() }),
            &consuming(),
        ),
        refuses(
            "ALREADY_SPENT",
            "declared, consuming what an award has consumed",
            declared_before,
            &pb::Award { definition: Some(name("DIPLOMA", 1)), ..consuming() },
        ),
        refuses("ALREADY_SPENT", "a credit that a declared award has consumed", declared_before, &again("DIPLOMA")),
        amending(Some("CONTRADICTION"), "a declared award that lets go of what it consumes", |award| {
            (award.redeems, award.consumes_none) = (Vec::new(), declared().consumes_none);
        }),
        amending(Some("CONTRADICTION"), "a declared award that becomes one of another definition", |award| {
            award.definition = Some(name("DIPLOMA", 1));
        }),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let absorbs = vec![reference(at(6))];
    vec![
        awarding(None, "declared, consuming a credit", held(own(), credit()), &consuming()),
        awarding(
            None,
            "a joint award, declared, that consumes a credit of the other institution",
            |case| {
                let mut entry = definition("CERT");
                joint(&mut entry);
                case.set(Kind::QualificationDefinition, &entry);
                case.holds(Held { institution: 2, ..own() }, Kind::Credit, &credit());
            },
            &cosigned(&consuming(), OTHER_KEY),
        ),
        awarding(
            None,
            "declared, on the last day of the period of what it consumes",
            held(own(), credit()),
            &pb::Award { conferred: day(2026, 9, 30), ..consuming() },
        ),
        awarding(
            None,
            "a credit that a declared award has consumed, where that is absorbed",
            declared_before,
            &pb::Award { absorbs: absorbs.clone(), redeems: absorbs, ..again("DIPLOMA") },
        ),
        awarding(
            None,
            "a credit that a declared award has consumed, where both definitions let it overlap",
            declared_before,
            &again("OTHER"),
        ),
        amending(None, "a declared award that is amended consumes the same", |award| {
            award.classification = "first class".to_owned();
        }),
    ]
}

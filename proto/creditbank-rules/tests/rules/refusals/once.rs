//! What is there once: one standing award of a definition and specialisation, and one record of a kind on a paper.

use creditbank_protocol::AccountId;
use creditbank_protocol::pb::{self, Action, AmendReason, Basis, Kind};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, cosigned, declared, definition, document, earned, honorary, name};
use super::case::Case;
use super::consequences::effects;
use super::derived::{APPLICATIONS, Held, OTHER_KEY, application, at, effect, group, marked, of, paper};
use super::reinstatements::{SINCE, by_issuer, reinstate, stolen, struck};
use crate::fixtures::record;

fn branch(specialisation: &str, award: pb::Award) -> pb::Award {
    pb::Award { specialisation: specialisation.to_owned(), ..award }
}

/// The learner holds a declared award of this definition in entry 8, with marks.
fn awarded(case: &mut Case, version: u32, specialisation: &str, marks: &[(Action, u64)]) {
    let held = Held { marks: marked(marks), ..Held::new(8, CourseKey::Award) };
    let award = pb::Award { definition: Some(name("CERT", version)), documents: Vec::new(), ..declared() };
    case.holds(held, Kind::Award, &branch(specialisation, award));
}

/// An award where the learner holds a declared one in entry 8.
fn beside(
    refusal: Option<&'static str>,
    about: &'static str,
    (specialisation, marks): (&str, &[(Action, u64)]),
    award: &pb::Award,
) -> Case {
    let scene = |case: &mut Case| {
        earned(case);
        awarded(case, 1, specialisation, marks);
    };
    awarding(refusal, about, scene, award)
}

/// Under the second version of a definition, of which the learner holds an award of the first.
fn second_version(refusal: Option<&'static str>, about: &'static str, repeatable: bool) -> Case {
    let award = pb::Award { definition: Some(name("CERT", 2)), ..audited() };
    let scene = |case: &mut Case| {
        earned(case);
        let second = pb::QualificationDefinition { version: 2, repeatable, ..definition("CERT") };
        case.set(Kind::QualificationDefinition, &second);
        awarded(case, 1, "", &[]);
    };
    awarding(refusal, about, scene, &award)
}

/// The declared award in entry 8, for Optics, is amended; there is another one for Lasers in entry 9.
fn rewritten(refusal: Option<&'static str>, about: &'static str, specialisation: &str) -> Case {
    let amends = Some(pb::Amends { place: Some(at(8)), reason: AmendReason::Error.into() });
    let award = pb::Award { amends, documents: Vec::new(), ..branch(specialisation, declared()) };
    of(refusal, about, Kind::Award, &award).with(|case| {
        earned(case);
        awarded(case, 1, "Optics", &[]);
        let other = pb::Award { documents: Vec::new(), ..branch("Lasers", declared()) };
        case.holds(Held::new(9, CourseKey::Award), Kind::Award, &other);
        case.groups = vec![group(Basis::Issuer, &[effect(at(8), Action::Supersede)])];
    })
}

/// The award in entry 8 was revoked in entry 9 by a stolen key; in entry 10 another one was made. The first is reinstated.
fn reinstated(refusal: Option<&'static str>, about: &'static str, specialisation: &str) -> Case {
    let scene = |case: &mut Case| {
        stolen(case, SINCE);
        case.set(Kind::QualificationDefinition, &definition("CERT"));
        awarded(case, 1, "Optics", &[(Action::Revoke, 9)]);
        let other = pb::Award { documents: Vec::new(), ..branch(specialisation, declared()) };
        case.holds(Held::new(10, CourseKey::Award), Kind::Award, &other);
        struck(case, 9, 0, &[by_issuer(&[effect(at(8), Action::Revoke)])]);
    };
    effects(refusal, about, scene, vec![by_issuer(&[reinstate(at(8), 9)])])
}

/// An award on paper of another learner, in entry 8, with marks.
fn on_the_same(case: &mut Case, reference: &str, marks: &[(Action, u64)]) {
    earned(case);
    let held = Held { account: AccountId([77; 16]), marks: marked(marks), ..Held::new(8, CourseKey::Award) };
    let mandate = on_paper(reference, 9);
    let other = pb::Award { documents: vec![document("2026/1")], mandate, ..audited() };
    case.holds_as_said(held, Kind::Award, &other);
}

/// An amendment of the application in entry 2, which stands on the paper "file 17", with a salt of its own.
fn amended(refusal: Option<&'static str>, about: &'static str, reference: &str) -> Case {
    let amends = Some(pb::Amends { place: Some(at(2)), reason: AmendReason::Error.into() });
    let entry = pb::Application { mandate: on_paper(reference, 4), amends, ..application() };
    of(refusal, about, Kind::Application, &entry).with(|case| {
        case.holds_as_said(Held::new(2, APPLICATIONS), Kind::Application, &application());
        let work = pb::RecognitionPurpose::Work;
        let other = pb::Application { purpose: work.into(), mandate: on_paper("file 18", 5), ..application() };
        let held = Held { marks: marked(&[(Action::Revoke, 5)]), ..Held::new(4, CourseKey::Application(work)) };
        case.holds_as_said(held, Kind::Application, &other);
        case.groups = vec![group(Basis::Issuer, &[effect(at(2), Action::Supersede)])];
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let again = Some("AWARDED_ALREADY");
    let used = Some("MANDATE_USED");
    let written = |reference| pb::Award { mandate: on_paper(reference, 3), ..audited() };
    vec![
        beside(again, "a second award of a definition", ("", &[]), &audited()),
        beside(again, "a declared award beside one that is under review", ("", &[(Action::Review, 9)]), &declared()),
        beside(
            again,
            "a second award in a branch, in other letters",
            ("Optics", &[]),
            &branch("OPT\u{ff29}CS", audited()),
        ),
        second_version(again, "a second award, under another version", false),
        awarding(
            again,
            "a second award, where another institution has conferred the first",
            |case| {
                let joint = pb::QualificationDefinition { awarding: vec![1, 2], ..definition("CERT") };
                case.set(Kind::QualificationDefinition, &joint);
                case.holds_credit(marked(&[]));
                let held = Held { institution: 2, ..Held::new(8, CourseKey::Award) };
                case.holds(held, Kind::Award, &pb::Award { documents: Vec::new(), ..declared() });
            },
            &cosigned(&audited(), OTHER_KEY),
        ),
        rewritten(again, "an amendment into a branch in which another award stands", "lasers"),
        reinstated(again, "reinstated, where it was awarded again meanwhile", "Optics"),
        awarding(Some("CONTRADICTION"), "honorary, in a branch", earned, &branch("Optics", honorary())),
        awarding(Some("INVALID_CODE"), "a branch with two spaces in a row", earned, &branch("Thin  films", audited())),
        awarding(
            used,
            "a paper on which another learner's award stands",
            |case| on_the_same(case, "file 17", &[]),
            &audited(),
        ),
        awarding(
            used,
            "a paper on which another award stands, in other letters",
            |case| on_the_same(case, "FILE \u{ff11}7", &[]),
            &audited(),
        ),
        awarding(
            used,
            "a paper on which a revoked award stood",
            |case| on_the_same(case, "file 17", &[(Action::Revoke, 9)]),
            &audited(),
        ),
        amended(used, "an amendment on the paper of another application, which was revoked", "file 18"),
        of(used, "one paper with two salts for two applications of a block", Kind::Application, &application()).with(
            |case| {
                let purpose = pb::RecognitionPurpose::Work.into();
                let other = pb::Application { purpose, mandate: on_paper("File 17", 4), ..application() };
                case.records.push(record(Kind::Application, &other, 2));
            },
        ),
        awarding(Some("INVALID_CODE"), "a paper with a space at its end", earned, &written("file 17 ")),
        awarding(Some("INVALID_CODE"), "a paper with a zero-width space", earned, &written("file\u{200b} 17")),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        beside(None, "a second award in another branch", ("Optics", &[]), &branch("Lasers", audited())),
        beside(None, "a second award, where the first was revoked", ("", &[(Action::Revoke, 9)]), &audited()),
        second_version(None, "a second award, under a version that is repeatable", true),
        awarding(
            None,
            "an award of another definition",
            |case| {
                earned(case);
                case.set(Kind::QualificationDefinition, &definition("OTHER"));
                awarded(case, 1, "", &[]);
            },
            &pb::Award { definition: Some(name("OTHER", 1)), ..audited() },
        ),
        rewritten(None, "an amendment into another branch", "Holography"),
        rewritten(None, "an amendment in its branch", "optics"),
        reinstated(None, "reinstated, where it was awarded in another branch meanwhile", "Lasers"),
        awarding(
            None,
            "a paper on which an application stands",
            |case| {
                earned(case);
                case.holds_as_said(Held::new(2, APPLICATIONS), Kind::Application, &application());
            },
            &audited(),
        ),
        awarding(None, "another paper", |case| on_the_same(case, "file 18", &[]), &audited()),
        amended(None, "an amendment on the paper of what it amends", "file 17"),
        of(None, "two papers for two applications of a block", Kind::Application, &application()).with(|case| {
            let purpose = pb::RecognitionPurpose::Work.into();
            let other = pb::Application { purpose, mandate: on_paper("file 18", 4), ..application() };
            case.records.push(record(Kind::Application, &other, 2));
        }),
    ]
}

/// A paper, with a salt.
fn on_paper(reference: &str, salt: u8) -> Option<pb::Mandate> {
    paper().map(|paper| pb::Mandate { paper_reference: reference.to_owned(), salt: vec![salt; 16], ..paper })
}

//! Recognition of qualifications of elsewhere.

use creditbank_protocol::pb::{self, Action, DecisionType, Kind};
use creditbank_rules::CourseKey;

use super::case::Case;
use super::derived::{CASE, Held, TODAY, at, decision, marked, of, paper, reference};
use crate::fixtures::{ALIAS, day, fheq, text};

fn elsewhere() -> pb::ForeignQualification {
    pb::ForeignQualification {
        titles: vec![text("Licence")],
        institution: "A university in Lyon".to_owned(),
        country: "FR".to_owned(),
        conferred: day(2020, 7, 0),
        award: None,
        evidence: vec![vec![5; 32]],
    }
}

/// A statement that is right.
pub(crate) fn statement() -> pb::QualificationRecognition {
    pb::QualificationRecognition {
        learner: ALIAS.0.to_vec(),
        qualification: Some(elsewhere()),
        form: pb::RecognitionForm::Statement.into(),
        comparable_to: vec![text("Bachelor's degree with honours")],
        level: Some(fheq("6")),
        decider: "B. Example".to_owned(),
        decided: day(2026, 11, 20),
        mandate: paper(),
        ..Default::default()
    }
}

/// A decision with legal effect, which carries out the one in entry 3.
fn with_effect() -> pb::QualificationRecognition {
    pb::QualificationRecognition {
        form: pb::RecognitionForm::Decision.into(),
        legal_basis: "An act".to_owned(),
        decision: Some(at(3)),
        ..statement()
    }
}

/// Credit from which it exempts.
fn exemption() -> pb::ConvertedCredit {
    pb::ConvertedCredit {
        course: Some(pb::Course { code: "Y1".to_owned(), titles: vec![text("Year one")] }),
        amount: Some(pb::Amount { e4: 120_0000, unit: "CATS".to_owned() }),
        level: Some(fheq("4")),
        ..Default::default()
    }
}

fn exempting(change: impl FnOnce(&mut pb::ConvertedCredit)) -> pb::QualificationRecognition {
    let mut credit = exemption();
    change(&mut credit);
    pb::QualificationRecognition { exemptions: vec![credit], ..statement() }
}

/// An award of institution 2 in entry 5.
fn awarded(case: &mut Case) {
    let entry = pb::Award { learner: ALIAS.0.to_vec(), basis: pb::AwardBasis::Declared.into(), ..Default::default() };
    case.holds(Held { institution: 2, ..Held::new(5, CourseKey::Award) }, Kind::Award, &entry);
}

pub(crate) fn of_award() -> pb::QualificationRecognition {
    let qualification = pb::ForeignQualification { award: Some(reference(at(5))), ..Default::default() };
    pb::QualificationRecognition { qualification: Some(qualification), ..statement() }
}

fn root() -> pb::Root {
    let fraction = Some(pb::Ratio { numerator: 1, denominator: 1 });
    let amount = pb::Amount { e4: 120_0000, unit: "CATS".to_owned() };
    let (place, status_id) = (Some(at(5)), super::derived::id(at(5)));
    pb::Root { place, status_id, fraction, part_e4: amount.e4, had: vec![amount], ..Default::default() }
}

/// The share of one of two exemptions.
fn half() -> pb::Root {
    let fraction = Some(pb::Ratio { numerator: 1, denominator: 2 });
    let had = vec![pb::Amount { e4: 240_0000, unit: "CATS".to_owned() }];
    pb::Root { fraction, had, ..root() }
}

/// Two exemptions for an award with the same root.
fn two(root: pb::Root) -> pb::QualificationRecognition {
    let one = pb::ConvertedCredit { roots: vec![root], ..exemption() };
    let other = pb::ConvertedCredit {
        course: Some(pb::Course { code: "Y2".to_owned(), titles: vec![text("Year two")] }),
        ..one.clone()
    };
    pb::QualificationRecognition { exemptions: vec![one, other], ..of_award() }
}

fn changed(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::QualificationRecognition)) -> Case {
    let mut entry = statement();
    change(&mut entry);
    made(Some(name), about, &entry)
}

fn made(name: Option<&'static str>, about: &'static str, entry: &pb::QualificationRecognition) -> Case {
    of(name, about, Kind::QualificationRecognition, entry)
}

fn carried_out(name: Option<&'static str>, about: &'static str, kind: DecisionType) -> Case {
    made(name, about, &with_effect()).with(|case| case.holds(Held::new(3, CASE), Kind::Decision, &decision(kind)))
}

pub(crate) fn refused() -> Vec<Case> {
    let qualification = |change: fn(&mut pb::ForeignQualification)| {
        move |entry: &mut pb::QualificationRecognition| change(entry.qualification.as_mut().expect("a qualification"))
    };
    vec![
        changed("NO_MANDATE", "without a mandate", |entry| entry.mandate = None),
        changed("MISSING_FIELD", "of nothing", |entry| entry.qualification = None),
        changed("MISSING_FIELD", "neither a statement nor a decision", |entry| entry.form = 0),
        changed("MISSING_FIELD", "decided by nobody", |entry| entry.decider.clear()),
        changed("MISSING_FIELD", "that says nothing", |entry| {
            entry.comparable_to.clear();
            entry.level = None;
        }),
        changed("MISSING_FIELD", "a qualification without a title", qualification(|one| one.titles.clear())),
        changed("MISSING_FIELD", "without a document", qualification(|one| one.evidence.clear())),
        changed("INVALID_CODE", "a country in small letters", qualification(|one| one.country = "fr".to_owned())),
        changed("IMPLAUSIBLE_DATE", "decided tomorrow", |entry| entry.decided = day(TODAY.0, TODAY.1, TODAY.2 + 1)),
        changed("INVALID_DATE", "expired on its day", |entry| entry.expires = day(2026, 11, 20)),
        changed("UNKNOWN_LEVEL", "an unknown level", |entry| entry.level = Some(fheq("9"))),
        changed("CONTRADICTION", "a statement that carries out a decision", |entry| entry.decision = Some(at(3))),
        made(
            Some("MISSING_FIELD"),
            "a decision without a legal basis",
            &pb::QualificationRecognition { legal_basis: String::new(), ..with_effect() },
        ),
        made(Some("SOURCE_NOT_USABLE"), "a decision that is not there", &with_effect()),
        carried_out(Some("SOURCE_NOT_USABLE"), "a refusal that is carried out", DecisionType::Refused),
        carried_out(Some("SOURCE_NOT_USABLE"), "documents that are missing", DecisionType::DocumentsMissing),
        made(Some("SOURCE_NOT_USABLE"), "a decision that is under review", &with_effect()).with(|case| {
            let held = Held { marks: marked(&[(Action::Review, 9)]), ..Held::new(3, CASE) };
            case.holds(held, Kind::Decision, &decision(DecisionType::Full));
        }),
        made(Some("CONTRADICTION"), "two exemptions, each with the whole award", &two(root())).with(awarded),
        made(Some("SOURCE_NOT_USABLE"), "of an award that is not there", &of_award()),
        made(Some("SOURCE_NOT_USABLE"), "of an award that was revoked", &of_award()).with(|case| {
            let held = Held { institution: 2, marks: marked(&[(Action::Revoke, 9)]), ..Held::new(5, CourseKey::Award) };
            case.holds(held, Kind::Award, &pb::Award { learner: ALIAS.0.to_vec(), ..Default::default() });
        }),
        made(
            Some("UNKNOWN_CREDIT_UNIT"),
            "an exemption in an unknown unit",
            &exempting(|credit| {
                credit.amount = Some(pb::Amount { e4: 1, unit: "EURO".to_owned() });
            }),
        ),
        made(
            Some("MISSING_FIELD"),
            "an exemption of nothing",
            &exempting(|credit| {
                credit.amount = Some(pb::Amount { e4: 0, unit: "CATS".to_owned() });
            }),
        ),
        made(
            Some("UNKNOWN_GRADE"),
            "an exemption with a failing grade",
            &exempting(|credit| {
                credit.grade = Some(pb::Grade { scale: "JP-SABC:TOKAI".to_owned(), value: "E".to_owned() });
            }),
        ),
        made(
            Some("CONTRADICTION"),
            "an exemption with the root of a conversion",
            &exempting(|credit| {
                credit.roots = vec![root()];
            }),
        ),
        made(
            Some("CONTRADICTION"),
            "an exemption with the source of a conversion",
            &exempting(|credit| {
                credit.source_plus_1 = 1;
            }),
        ),
        made(
            Some("CONTRADICTION"),
            "an exemption for an award, without it as its root",
            &pb::QualificationRecognition { exemptions: vec![exemption()], ..of_award() },
        )
        .with(awarded),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        made(None, "a statement of comparability", &statement()),
        made(None, "exemptions for a qualification of elsewhere", &exempting(|_| ())),
        carried_out(None, "a decision that is carried out", DecisionType::Partial),
        made(
            None,
            "exemptions for an award of this ledger",
            &pb::QualificationRecognition {
                exemptions: vec![pb::ConvertedCredit { roots: vec![root()], ..exemption() }],
                ..of_award()
            },
        )
        .with(awarded),
        made(None, "two exemptions, which share the award", &two(half())).with(awarded),
    ]
}

//! Recognition of qualifications of elsewhere.

use creditbank_protocol::pb::{self, Action, DecisionType, Kind};
use creditbank_rules::CourseKey;

use super::awards::put;
use super::case::Case;
use super::derived::{CASE, Held, TODAY, at, course, decision, marked, of, paper, reference};
use super::foreign_awards::recorded;
use crate::fixtures::{ALIAS, credit, day, fheq, text};

/// The diploma of elsewhere in entry 8, which institution 2 has recorded.
pub(crate) fn elsewhere(case: &mut Case) {
    case.holds(Held { institution: 2, ..Held::new(8, CourseKey::ForeignAward) }, Kind::ForeignAward, &recorded());
}

/// A statement that is right.
pub(crate) fn statement() -> pb::QualificationRecognition {
    pb::QualificationRecognition {
        learner: ALIAS.0.to_vec(),
        qualification: Some(reference(at(8))),
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
    credit.roots = vec![share(120_0000, 180_0000)];
    change(&mut credit);
    sized(pb::QualificationRecognition { exemptions: vec![credit], ..statement() }, 180_0000)
}

/// The diploma in entry 8 as the root of an exemption of so much of a size.
pub(crate) fn share(e4: u64, of_e4: u64) -> pb::Root {
    let (mut more, mut less) = (of_e4, e4);
    while less != 0 {
        (more, less) = (less, more % less);
    }
    let fraction = Some(pb::Ratio { numerator: e4 / more, denominator: of_e4 / more });
    let had = vec![pb::Amount { e4: of_e4, unit: "CATS".to_owned() }];
    let (place, status_id) = (Some(at(8)), super::derived::id(at(8)));
    pb::Root { place, status_id, fraction, part_e4: e4, had, ..Default::default() }
}

/// With a size in CATS and how it was found.
pub(crate) fn sized(recognition: pb::QualificationRecognition, e4: u64) -> pb::QualificationRecognition {
    let size = Some(pb::Amount { e4, unit: "CATS".to_owned() });
    pb::QualificationRecognition { size, method: "The diploma supplement".to_owned(), ..recognition }
}

/// An award of institution 2 in entry 5 that counts the credit of 60 CATS in entry 1.
fn awarded(case: &mut Case) {
    awarding(case, &pb::Award { allocations: vec![put(1, 1)], basis: pb::AwardBasis::Audited.into(), ..bare() });
}

fn bare() -> pb::Award {
    pb::Award { learner: ALIAS.0.to_vec(), redeems: vec![reference(at(1))], ..Default::default() }
}

fn awarding(case: &mut Case, entry: &pb::Award) {
    let marks = marked(&[(Action::Redeem, 5)]);
    case.holds(Held { institution: 2, marks, ..Held::new(1, course("AAA")) }, Kind::Credit, &credit());
    let held = Held { institution: 2, depends_on: vec![at(1)], ..Held::new(5, CourseKey::Award) };
    case.holds(held, Kind::Award, entry);
}

pub(crate) fn of_award() -> pb::QualificationRecognition {
    pb::QualificationRecognition { qualification: Some(reference(at(5))), ..statement() }
}

/// The credit that the award in entry 5 counts, as the root of one of so many exemptions of an amount.
pub(crate) fn root(count: u64, e4: u64) -> pb::Root {
    let fraction = Some(pb::Ratio { numerator: 1, denominator: count });
    let had = vec![pb::Amount { e4: 60_0000, unit: "CATS".to_owned() }];
    let (place, status_id) = (Some(at(1)), super::derived::id(at(1)));
    pb::Root { place, status_id, fraction, part_e4: e4, had, ..Default::default() }
}

/// Exemptions for the award in entry 5, each of an amount with a root.
pub(crate) fn exempting_for(exemptions: &[(u64, pb::Root)]) -> pb::QualificationRecognition {
    let one = |(number, (e4, root)): (u32, &(u64, pb::Root))| pb::ConvertedCredit {
        course: Some(pb::Course { code: format!("Y{number}"), titles: vec![text("A year")] }),
        amount: Some(pb::Amount { e4: *e4, unit: "CATS".to_owned() }),
        roots: vec![root.clone()],
        ..exemption()
    };
    pb::QualificationRecognition { exemptions: (1..).zip(exemptions).map(one).collect(), ..of_award() }
}

fn changed(name: &'static str, about: &'static str, change: impl FnOnce(&mut pb::QualificationRecognition)) -> Case {
    let mut entry = statement();
    change(&mut entry);
    made(Some(name), about, &entry)
}

fn made(name: Option<&'static str>, about: &'static str, entry: &pb::QualificationRecognition) -> Case {
    of(name, about, Kind::QualificationRecognition, entry).with(elsewhere)
}

fn carried_out(name: Option<&'static str>, about: &'static str, kind: DecisionType) -> Case {
    made(name, about, &with_effect()).with(|case| case.holds(Held::new(3, CASE), Kind::Decision, &decision(kind)))
}

pub(crate) fn refused() -> Vec<Case> {
    vec![
        changed("NO_MANDATE", "without a mandate", |entry| entry.mandate = None),
        changed("MISSING_FIELD", "of nothing", |entry| entry.qualification = None),
        changed("MISSING_FIELD", "neither a statement nor a decision", |entry| entry.form = 0),
        changed("MISSING_FIELD", "decided by nobody", |entry| entry.decider.clear()),
        changed("MISSING_FIELD", "that says nothing", |entry| {
            entry.comparable_to.clear();
            entry.level = None;
        }),
        changed("SOURCE_NOT_USABLE", "of what is neither a diploma nor an award", |entry| {
            entry.qualification = Some(reference(at(1)));
        })
        .with(|case| case.holds_credit(marked(&[]))),
        changed("CONTRADICTION", "a size without exemptions", |entry| *entry = sized(entry.clone(), 180_0000)),
        made(
            Some("MISSING_FIELD"),
            "an exemption for a diploma whose size nobody states",
            &pb::QualificationRecognition { size: None, ..exempting(|_| ()) },
        ),
        made(
            Some("MISSING_FIELD"),
            "a size that nobody has found",
            &pb::QualificationRecognition { method: String::new(), ..exempting(|_| ()) },
        ),
        made(
            Some("CONVERSION_DIFFERS"),
            "an exemption of more than the diploma is",
            &sized(exempting(|_| ()), 119_9999),
        ),
        made(
            Some("CONVERSION_DIFFERS"),
            "exemptions of more than the diploma is, together",
            &pb::QualificationRecognition {
                exemptions: vec![exempting(|_| ()).exemptions[0].clone(); 2],
                ..exempting(|_| ())
            },
        ),
        made(
            Some("CONVERSION_DIFFERS"),
            "an exemption that stands for less of the diploma than its amount",
            &exempting(|credit| credit.roots[0].fraction = Some(pb::Ratio { numerator: 1, denominator: 2 })),
        ),
        made(
            Some("CONTRADICTION"),
            "a size of an award that counts credit of this ledger",
            &sized(exempting_for(&[(60_0000, root(1, 60_0000))]), 60_0000),
        )
        .with(awarded),
        made(
            Some("MISSING_FIELD"),
            "an exemption for a declared award that consumes none, without a size",
            &exempting_for(&[(60_0000, root(1, 60_0000))]),
        )
        .with(|case| {
            let (basis, redeems) = (pb::AwardBasis::Declared.into(), Vec::new());
            awarding(case, &pb::Award { basis, redeems, consumes_none: "In 1998".to_owned(), ..bare() });
        }),
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
        made(
            Some("CONVERSION_DIFFERS"),
            "two exemptions, each with the whole award",
            &exempting_for(&[(30_0000, root(1, 30_0000)), (30_0000, root(1, 30_0000))]),
        )
        .with(awarded),
        made(
            Some("CONVERSION_DIFFERS"),
            "an exemption of more than the award counts",
            &exempting_for(&[(60_0001, root(1, 60_0001))]),
        )
        .with(awarded),
        made(
            Some("CONVERSION_DIFFERS"),
            "an exemption with the award itself as its root",
            &exempting_for(&[(60_0000, pb::Root { place: Some(at(5)), ..root(1, 60_0000) })]),
        )
        .with(awarded),
        made(
            Some("SOURCE_NOT_USABLE"),
            "an exemption for an honorary award",
            &exempting_for(&[(60_0000, root(1, 60_0000))]),
        )
        .with(|case| awarding(case, &pb::Award { basis: pb::AwardBasis::Honorary.into(), ..bare() })),
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
            Some("CONVERSION_DIFFERS"),
            "an exemption with the root of a conversion",
            &exempting(|credit| {
                credit.roots = vec![root(1, 120_0000)];
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
            Some("CONVERSION_DIFFERS"),
            "an exemption for an award, without the roots of that",
            &pb::QualificationRecognition { exemptions: vec![exemption()], ..of_award() },
        )
        .with(awarded),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        made(None, "a statement of comparability", &statement()),
        made(None, "exemptions for a diploma of elsewhere", &exempting(|_| ())),
        made(None, "exemptions for a declared award that consumes none, of its size", &{
            let own = pb::Root { place: Some(at(5)), status_id: super::derived::id(at(5)), ..share(60_0000, 180_0000) };
            sized(exempting_for(&[(60_0000, own)]), 180_0000)
        })
        .with(|case| {
            let (basis, redeems) = (pb::AwardBasis::Declared.into(), Vec::new());
            awarding(case, &pb::Award { basis, redeems, consumes_none: "In 1998".to_owned(), ..bare() });
        }),
        carried_out(None, "a decision that is carried out", DecisionType::Partial),
        made(None, "exemptions for an award of this ledger", &exempting_for(&[(60_0000, root(1, 60_0000))]))
            .with(awarded),
        made(
            None,
            "two exemptions, which share the award",
            &exempting_for(&[(30_0000, root(2, 30_0000)), (20_0000, root(2, 20_0000))]),
        )
        .with(awarded),
        made(
            None,
            "exemptions for a declared award, of what it consumes",
            &exempting_for(&[(60_0000, root(1, 60_0000))]),
        )
        .with(|case| awarding(case, &pb::Award { basis: pb::AwardBasis::Declared.into(), ..bare() })),
    ]
}

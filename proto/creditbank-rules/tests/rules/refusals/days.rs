//! Days that come in order: what is used was there before, and what may be shown is not hidden again.

use creditbank_protocol::pb::{self, Action, Basis, Date, Kind, Period};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, definition};
use super::case::Case;
use super::conversions::agreed;
use super::derived::{Held, at, course as key, effect, group};
use super::foreign_awards::recorded;
use super::recognitions::{of_award, statement};
use crate::fixtures::{ALIAS, credit, day, outcome, record};

/// An award that is conferred on the 20th of November and counts a credit with one change.
fn conferred(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::Credit)) -> Case {
    let mut entry = credit();
    change(&mut entry);
    let scene = |case: &mut Case| {
        case.set(Kind::QualificationDefinition, &definition("CERT"));
        case.holds(Held::new(1, key("AAA")), Kind::Credit, &entry);
    };
    awarding(name, about, scene, &audited())
}

fn period(from: Option<Date>, until: Option<Date>) -> Option<Period> {
    Some(Period { from, until })
}

/// A conversion of credit from February to September 2026, of which it is known when it was assessed.
fn decided(name: Option<&'static str>, about: &'static str, on: Option<Date>, completed: Option<Date>) -> Case {
    agreed(name, about, |_| (), |conversion| conversion.decided = on).with(|case| {
        case.held.clear();
        let entry = pb::Credit { completed, ..credit() };
        case.holds(Held { institution: 2, ..Held::new(1, key("AAA")) }, Kind::Credit, &entry);
    })
}

fn recognised(name: Option<&'static str>, about: &'static str, conferred: Option<Date>) -> Case {
    Case::new(name, about).with(|case| {
        let entry = pb::ForeignAward { conferred, ..recorded() };
        case.holds(Held::new(8, CourseKey::ForeignAward), Kind::ForeignAward, &entry);
        case.records = vec![record(Kind::QualificationRecognition, &statement(), 1)];
    })
}

/// A credit of entry 1 that may be shown from one day on is amended into one of another day.
fn amended(name: Option<&'static str>, about: &'static str, before: Option<Date>, now: Option<Date>) -> Case {
    Case::new(name, about).with(|case| {
        let entry = pb::Credit { visible_from: before, ..credit() };
        case.holds(Held::new(1, key("AAA")), Kind::Credit, &entry);
        let amends = Some(pb::Amends { place: Some(at(1)), reason: pb::AmendReason::Error.into() });
        let entry = pb::Credit { visible_from: now, term: "2026/1".to_owned(), amends, ..credit() };
        case.records = vec![record(Kind::Credit, &entry, 2)];
        case.groups = vec![group(Basis::Issuer, &[effect(at(1), Action::Supersede)])];
    })
}

fn learned() -> pb::Outcome {
    outcome(pb::OutcomeType::NonFormalCourse)
}

pub(crate) fn refused() -> Vec<Case> {
    let unusable = Some("SOURCE_NOT_USABLE");
    let hidden = Some("CONTRADICTION");
    vec![
        conferred(unusable, "conferred before the study began", |credit| {
            credit.period = period(day(2026, 11, 21), day(2027, 1, 31));
        }),
        conferred(unusable, "conferred before the assessment", |credit| credit.completed = day(2026, 11, 21)),
        decided(Some("INVALID_DATE"), "converted before the study began", day(2026, 1, 31), None),
        decided(Some("INVALID_DATE"), "converted before the assessment", day(2026, 11, 20), day(2026, 11, 21)),
        recognised(Some("INVALID_DATE"), "recognised before it was conferred", day(2026, 11, 21)),
        Case::new(Some("INVALID_DATE"), "an award recognised before it was conferred").with(|case| {
            let (learner, basis) = (ALIAS.0.to_vec(), pb::AwardBasis::Declared.into());
            let entry = pb::Award { learner, basis, conferred: day(2026, 11, 21), ..Default::default() };
            case.holds(Held { institution: 2, ..Held::new(5, CourseKey::Award) }, Kind::Award, &entry);
            case.records = vec![record(Kind::QualificationRecognition, &of_award(), 1)];
        }),
        amended(hidden, "an amendment that hides what may be shown", None, day(2026, 11, 24)),
        amended(hidden, "an amendment that hides again what came to be shown", day(2026, 11, 23), day(2026, 12, 0)),
        Case::new(hidden, "an amendment that hides an outcome").with(|case| {
            case.holds(Held::new(1, CourseKey::UncodedOutcome), Kind::Outcome, &learned());
            let amends = Some(pb::Amends { place: Some(at(1)), reason: pb::AmendReason::Error.into() });
            let entry = pb::Outcome { visible_from: day(2026, 12, 1), amends, ..learned() };
            case.records = vec![record(Kind::Outcome, &entry, 2)];
            case.groups = vec![group(Basis::Issuer, &[effect(at(1), Action::Supersede)])];
        }),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    vec![
        conferred(None, "conferred in the month in which the study began, before it has ended", |credit| {
            credit.period = period(day(2026, 11, 0), day(2027, 1, 31));
        }),
        conferred(None, "conferred on the day of the assessment", |credit| credit.completed = day(2026, 11, 20)),
        decided(None, "converted on the day of the assessment", day(2026, 11, 20), day(2026, 11, 20)),
        recognised(None, "recognised on the day on which it was conferred", day(2026, 11, 20)),
        amended(
            None,
            "an amendment that may be shown later, of what may not be shown yet",
            day(2026, 11, 24),
            day(2026, 12, 24),
        ),
        amended(None, "an amendment that may be shown at once", day(2026, 11, 24), None),
        amended(None, "an amendment that may be shown from today on", None, day(2026, 11, 23)),
    ]
}

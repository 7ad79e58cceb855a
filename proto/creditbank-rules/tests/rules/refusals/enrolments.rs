//! Enrolments, and awards that are judged by them.

use creditbank_protocol::pb::{self, Action, EnrolmentState as State, Kind, RequirementType as Type};
use creditbank_rules::CourseKey;

use super::awards::{audited, awarding, credits, definition, earned};
use super::case::Case;
use super::derived::{Held, at, marked, of, reference};
use super::reinstatements::{SINCE, stolen, struck};
use crate::fixtures::{ALIAS, day, node, record, text};

fn name(institution: u64, code: &str, version: u32) -> Option<pb::QualificationName> {
    Some(pb::QualificationName { institution, code: code.to_owned(), version })
}

/// Enrolled on CERT since 2020.
pub(crate) fn enrolment() -> pb::Enrolment {
    pb::Enrolment {
        learner: ALIAS.0.to_vec(),
        programme: Some(pb::Course { code: "PHYS-BSC".to_owned(), titles: vec![text("Physics")] }),
        definition: name(1, "CERT", 1),
        from: day(2020, 9, 0),
        state: State::Registered.into(),
        load: pb::StudyLoad::FullTime.into(),
        ..Default::default()
    }
}

fn defined(case: &mut Case) {
    case.set(Kind::QualificationDefinition, &definition("CERT"));
}

fn enrolled(name: Option<&'static str>, about: &'static str, change: impl FnOnce(&mut pb::Enrolment)) -> Case {
    let mut entry = enrolment();
    change(&mut entry);
    of(name, about, Kind::Enrolment, &entry).with(defined)
}

/// How an enrolment is another one, and its marks.
type Bent = (fn(&mut pb::Enrolment), &'static [(Action, u64)]);

/// CERT has a second version since 2025; the learner of [`enrolment`] is in entry 3, changed, with marks.
fn by_enrolment(name: Option<&'static str>, about: &'static str, (change, marks): Bent, award: &pb::Award) -> Case {
    let scene = move |case: &mut Case| {
        earned(case);
        let second = pb::QualificationDefinition { version: 2, from: day(2025, 1, 1), ..definition("CERT") };
        case.set(Kind::QualificationDefinition, &second);
        let mut entry = enrolment();
        change(&mut entry);
        let held = Held { marks: marked(marks), ..Held::new(3, CourseKey::Enrolment) };
        case.holds(held, Kind::Enrolment, &entry);
    };
    awarding(name, about, scene, award)
}

fn named() -> pb::Award {
    pb::Award { enrolments: vec![reference(at(3))], ..audited() }
}

/// CERT asks for one thing more; the enrolment is [`enrolment`], changed.
fn asking(
    name: Option<&'static str>,
    about: &'static str,
    requirement: pb::Requirement,
    change: impl FnOnce(&mut pb::Enrolment),
) -> Case {
    let mut entry = enrolment();
    change(&mut entry);
    let scene = move |case: &mut Case| {
        let mut asked = definition("CERT");
        asked.requirements.push(requirement);
        case.set(Kind::QualificationDefinition, &asked);
        case.holds_credit(marked(&[]));
        case.holds(Held::new(3, CourseKey::Enrolment), Kind::Enrolment, &entry);
    };
    awarding(name, about, scene, &named())
}

fn months(months: u32) -> pb::Requirement {
    pb::Requirement { months, ..node(1, Type::Enrolment) }
}

fn after() -> pb::Requirement {
    let asked = pb::Match { after_enrolment: true, ..Default::default() };
    pb::Requirement { r#match: Some(asked), ..pb::Requirement { r#type: Type::AtLeast.into(), ..credits(1, 60, "") } }
}

pub(crate) fn refused() -> Vec<Case> {
    let odd = |name, about, change: fn(&mut pb::Enrolment)| enrolled(Some(name), about, change);
    vec![
        odd("MISSING_FIELD", "enrolled on nothing", |entry| entry.programme = None),
        odd("MISSING_FIELD", "enrolled on a programme without a code", |entry| {
            entry.programme.as_mut().expect("a programme").code.clear();
        }),
        odd("MISSING_FIELD", "enrolled on a programme without a title", |entry| {
            entry.programme.as_mut().expect("a programme").titles.clear();
        }),
        odd("MISSING_FIELD", "enrolled since no day", |entry| entry.from = None),
        odd("MISSING_FIELD", "enrolled in no state", |entry| entry.state = 0),
        odd("UNKNOWN_REFERENCE", "enrolled on a version that was not published", |entry| {
            entry.definition = name(1, "CERT", 2);
        }),
        odd("NOT_THE_PUBLISHER", "enrolled on a qualification of another institution", |entry| {
            entry.definition = name(2, "CERT", 1);
        })
        .with(|case| {
            let other = pb::QualificationDefinition { institution: 2, ..definition("CERT") };
            case.set(Kind::QualificationDefinition, &other);
        }),
        odd("IMPLAUSIBLE_DATE", "registered from a day more than a year ahead", |entry| entry.from = day(2027, 11, 24)),
        odd("IMPLAUSIBLE_DATE", "on leave from tomorrow", |entry| {
            (entry.state, entry.from) = (State::Leave.into(), day(2026, 11, 24));
        }),
        odd("INVALID_DATE", "until the day before the first one", |entry| {
            (entry.from, entry.until) = (day(2020, 9, 2), day(2020, 9, 1));
        }),
        odd("MISSING_FIELD", "withdrawn on no day", |entry| entry.state = State::Withdrawn.into()),
        odd("MISSING_FIELD", "completed on no day", |entry| entry.state = State::Completed.into()),
        odd("IMPLAUSIBLE_DATE", "excluded from tomorrow on", |entry| {
            (entry.state, entry.until) = (State::Excluded.into(), day(2026, 11, 24));
        }),
        odd("IMPLAUSIBLE_DATE", "registered from a day before 1900", |entry| entry.from = day(1899, 12, 31)),
        odd("IMPLAUSIBLE_DATE", "registered from a year of the Buddhist era", |entry| entry.from = day(2563, 9, 0)),
        odd("IMPLAUSIBLE_DATE", "completed in a year of the Iranian calendar", |entry| {
            (entry.state, entry.from, entry.until) = (State::Completed.into(), day(1399, 7, 1), day(1403, 4, 1));
        }),
        odd("IMPLAUSIBLE_DATE", "registered until a day more than 20 years after the first", |entry| {
            entry.until = day(2040, 9, 2);
        }),
        odd("IMPLAUSIBLE_DATE", "on leave until a year of the Buddhist era", |entry| {
            (entry.state, entry.until) = (State::Leave.into(), day(2570, 7, 0));
        }),
        odd("KIND_OUTSIDE_KEY", "an enrolment by a key for credits", |_| ())
            .with(|case| case.by_narrow(&[Kind::Credit])),
        by_enrolment(
            Some("SOURCE_NOT_USABLE"),
            "by an enrolment that a stolen key has sealed",
            (|_| (), &[]),
            &named(),
        )
        .with(|case| {
            stolen(case, SINCE);
            struck(case, 3, 1, &[]);
        }),
        by_enrolment(
            Some("NOT_IN_FORCE"),
            "under a former version, enrolled on no version",
            (|entry| entry.definition = None, &[]),
            &named(),
        ),
        by_enrolment(
            Some("NOT_IN_FORCE"),
            "under a former version, enrolled when the next had begun",
            (|entry| entry.from = day(2025, 1, 1), &[]),
            &named(),
        ),
        by_enrolment(
            Some("NOT_IN_FORCE"),
            "under a former version, by the day of a leave",
            (|entry| entry.state = State::Leave.into(), &[]),
            &named(),
        ),
        by_enrolment(Some("NOT_IN_FORCE"), "under a former version, without naming the enrolment", (|_| (), &[]), &{
            audited()
        }),
        by_enrolment(
            Some("SOURCE_NOT_USABLE"),
            "by an enrolment that was revoked",
            (|_| (), &[(Action::Revoke, 8)]),
            &named(),
        ),
        by_enrolment(
            Some("SOURCE_NOT_USABLE"),
            "by an enrolment that is none",
            (|_| (), &[]),
            &pb::Award { enrolments: vec![reference(at(1))], ..audited() },
        ),
        by_enrolment(
            Some("CONTRADICTION"),
            "by an enrolment on another qualification",
            (|entry| entry.definition = name(1, "OTHER", 1), &[]),
            &named(),
        ),
        by_enrolment(
            Some("CONTRADICTION"),
            "by one enrolment twice",
            (|_| (), &[]),
            &pb::Award { enrolments: vec![reference(at(3)); 2], ..audited() },
        ),
        asking(Some("REQUIREMENTS_NOT_MET"), "a month less than the requirement asks for", months(75), |_| ()),
        asking(Some("REQUIREMENTS_NOT_MET"), "credit that ended before the enrolment", after(), |entry| {
            entry.from = day(2026, 9, 30);
        }),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let good = |about, change: fn(&mut pb::Enrolment)| enrolled(None, about, change);
    vec![
        good("enrolled", |_| ()),
        good("registered from a day a year ahead", |entry| entry.from = day(2027, 11, 23)),
        good("registered until a day 20 years after the first", |entry| entry.until = day(2040, 9, 1)),
        good("enrolled in 1900, and completed after more than 20 years", |entry| {
            (entry.state, entry.from, entry.until) = (State::Completed.into(), day(1900, 1, 1), day(1930, 6, 0));
        }),
        good("on leave from this month on", |entry| {
            (entry.state, entry.from) = (State::Leave.into(), day(2026, 11, 0))
        }),
        good("enrolled on a programme that leads to nothing defined", |entry| entry.definition = None),
        good("completed today", |entry| {
            (entry.state, entry.until) = (State::Completed.into(), day(2026, 11, 23));
        }),
        good("two programmes, in one block", |_| ()).with(|case| {
            let programme = Some(pb::Course { code: "LAW".to_owned(), titles: vec![text("Law")] });
            case.records.push(record(
                Kind::Enrolment,
                &pb::Enrolment { programme, definition: None, ..enrolment() },
                2,
            ));
        }),
        by_enrolment(None, "under the version on which the learner has enrolled", (|_| (), &[]), &named()),
        asking(None, "as many months of enrolment as the requirement asks for", months(74), |_| ()),
        asking(None, "credit that ended a day after the enrolment", after(), |entry| entry.from = day(2026, 9, 29)),
    ]
}

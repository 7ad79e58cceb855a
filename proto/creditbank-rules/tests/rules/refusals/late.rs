//! What comes late says so, what is declared was decided before the ledger, and nothing is decided before it could be.

use creditbank_protocol::pb::{self, Action, Date, DecisionType, Kind};
use creditbank_rules::CourseKey;
use creditbank_rules::conversion::{Account, Source, Stated};

use super::awards::{audited, awarding, definition, honorary};
use super::case::Case;
use super::conversions::{agreed, bare, by_agreement, by_equivalence, computed, elsewhere, source};
use super::derived::{
    APPLICATIONS, CASE, Held, appeal, application, at, course, decision, effect, group, marked, of, reference,
};
use super::recognitions::{self, statement};
use crate::fixtures::{credit, date, day, record, text};
use crate::world::NOW_MS;

use super::agreements::{equivalence, terms};

const DAY_MS: u64 = 86_400_000;
/// 61 days before the block; and the last day that is not late.
const LONG_AGO: (u32, u32, u32) = (2026, 9, 23);
const IN_TIME: (u32, u32, u32) = (2026, 9, 24);

fn on((year, month, of_month): (u32, u32, u32)) -> Option<Date> {
    day(year, month, of_month)
}

fn why(on_recording: &str) -> Option<pb::Late> {
    Some(pb::Late {
        reason: "The file was found after the merger of two offices".to_owned(),
        case_reference: "2026/17".to_owned(),
        on_recording: on_recording.to_owned(),
    })
}

/// A conversion of a day, under an agreement that was recorded a year ago and ends on a day; another person approves.
fn converted(
    name: Option<&'static str>,
    about: &'static str,
    decided: Option<Date>,
    until: Option<Date>,
    bend: impl FnOnce(&mut pb::Conversion),
) -> Case {
    let text = pb::AgreementTerms { until, ..terms() };
    let mut case = Case::new(name, about);
    case.published_at = NOW_MS - 365 * DAY_MS;
    case.agree(&text);
    elsewhere(&mut case, marked(&[]));
    let asked = pb::Conversion { decided, ..by_agreement(&text) };
    let mut conversion = computed(&case, &asked, &[source()], &Account::default(), &[]);
    bend(&mut conversion);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case.approved();
    case
}

fn alone(mut case: Case) -> Case {
    case.approver = None;
    case
}

/// What institution 1 states that it decided on a day.
fn declared(name: Option<&'static str>, about: &'static str, decided: Option<Date>, sources: &[Source]) -> Case {
    let mut case = Case::new(name, about);
    let old = pb::Period { from: Some(date(2017, 10, 0)), until: Some(date(2018, 3, 0)) };
    if !sources.is_empty() {
        let entry = pb::Credit { period: Some(old), ..credit() };
        case.holds(Held { institution: 2, ..Held::new(1, course("AAA")) }, Kind::Credit, &entry);
    }
    let by = pb::DeclaredConversion { reference: "2019/0417".to_owned(), legal_basis: "Regulations 2015".to_owned() };
    let stated = Stated {
        course: Some(pb::Course { code: "MATH".to_owned(), titles: vec![text("Analysis")] }),
        amount: Some(pb::Amount { e4: 9_0000, unit: "ECTS".to_owned() }),
        period: Some(old).filter(|_| sources.is_empty()),
        ..Stated::default()
    };
    // Computed for a day that can be declared.
    let right = pb::Conversion { declared: Some(by), decided: day(2019, 5, 2), ..bare() };
    let conversion = computed(&case, &right, sources, &Account::default(), &[stated]);
    case.records = vec![record(Kind::Conversion, &pb::Conversion { decided, ..conversion }, 1)];
    case
}

fn old_source() -> Source {
    let period = pb::Period { from: Some(date(2017, 10, 0)), until: Some(date(2018, 3, 0)) };
    Source::of_credit(reference(at(1)), 2.into(), &pb::Credit { period: Some(period), ..credit() })
}

/// The application in entry 2 is under way, on which entry 3 decides in advance for a course of institution 2.
fn promised(case: &mut Case, code: &str) {
    case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
    let decided = course_decided(2, code, DecisionType::Full);
    let decided = pb::Decision { decided: day(2026, 10, 20), ..decided };
    case.holds(Held { depends_on: vec![at(2)], ..Held::new(3, CASE) }, Kind::Decision, &decided);
}

fn course_decided(institution: u64, code: &str, kind: DecisionType) -> pb::Decision {
    let course = pb::Course { code: code.to_owned(), titles: vec![text("A course")] };
    pb::Decision { courses: vec![pb::DecidedCourse { institution, course: Some(course) }], ..decision(kind) }
}

/// A conversion of today that carries out the decision in entry 3, under an agreement that has ended since.
fn carried_out(name: Option<&'static str>, about: &'static str, code: &str, names_it: bool) -> Case {
    let ended = converted(None, about, on((2026, 10, 20)), day(2026, 10, 31), |_| ());
    let mut conversion: pb::Conversion = ended.records[0].read().expect("a conversion");
    (conversion.decided, conversion.decision) = (day(2026, 11, 20), names_it.then(|| at(3)));
    let mut case = Case { name, ..ended };
    promised(&mut case, code);
    case.records = vec![record(Kind::Conversion, &conversion, 1)];
    case
}

/// The result of the conversion in entry 4, decided on the 15th of November, is converted again.
fn in_a_chain(name: Option<&'static str>, about: &'static str, decided: Option<Date>) -> Case {
    let mut case = Case::new(name, about);
    case.agree(&terms());
    elsewhere(&mut case, marked(&[]));
    let asked = pb::Conversion { decided: day(2026, 11, 15), ..by_agreement(&terms()) };
    let first = computed(&case, &asked, &[source()], &Account::default(), &[]);
    let held = Held { institution: 2, depends_on: vec![at(1)], ..Held::new(4, CourseKey::Conversion) };
    case.holds(held, Kind::Conversion, &first);
    let result = Source::of_result(reference(at(4)), Kind::Conversion, 0, 2.into(), &first.results[0]);
    case.set(Kind::Equivalence, &equivalence());
    let asked = pb::Conversion { decided: day(2026, 11, 20), ..by_equivalence() };
    let again = computed(&case, &asked, &[result], &Account::default(), &[]);
    case.records = vec![record(Kind::Conversion, &pb::Conversion { decided, ..again }, 1)];
    case
}

/// An award of a day that counts a credit of the first half of 2025; another person approves.
fn conferred(
    name: Option<&'static str>,
    about: &'static str,
    day: Option<Date>,
    until: Option<Date>,
    bend: impl FnOnce(&mut pb::Award),
) -> Case {
    let mut award = pb::Award { conferred: day, ..audited() };
    bend(&mut award);
    let scene = |case: &mut Case| {
        case.set(Kind::QualificationDefinition, &pb::QualificationDefinition { until, ..definition("CERT") });
        let period = Some(pb::Period { from: Some(date(2025, 2, 0)), until: Some(date(2025, 7, 0)) });
        case.holds(Held::new(1, course("AAA")), Kind::Credit, &pb::Credit { period, ..credit() });
        case.approved();
    };
    awarding(name, about, scene, &award)
}

/// The award in entry 6 comes back on its day, which lies long ago, or on another one.
fn again(name: Option<&'static str>, about: &'static str, day: Option<Date>, marks: &[(Action, u64)]) -> Case {
    let case = conferred(name, about, day, None, |award| award.replaces = Some(reference(at(6))));
    alone(case).with(|case| {
        let former = pb::Award { conferred: on((2025, 10, 1)), documents: Vec::new(), ..audited() };
        let held = Held { marks: marked(marks), depends_on: vec![at(1)], ..Held::new(6, CourseKey::Award) };
        case.holds(held, Kind::Award, &former);
    })
}

/// An honorary award of a day, by institution 1, which is in the registry since 2020.
fn honoured(name: Option<&'static str>, about: &'static str, conferred: Option<Date>) -> Case {
    of(name, about, Kind::Award, &pb::Award { conferred, ..honorary() })
}

/// An award that counts the result of the conversion in entry 4, which was decided on the 15th of November.
fn counting(name: Option<&'static str>, about: &'static str, conferred: Option<Date>, declared: bool) -> Case {
    let mut scene = agreed(None, about, |_| (), |_| ());
    let mut made: pb::Conversion = scene.records[0].read().expect("a conversion");
    made.decided = day(2026, 11, 15);
    made.results[0].declared = declared;
    let result = pb::Allocation { result_plus_1: 1, ..super::awards::put(2, 4) };
    let declared_e4 = if declared { made.results[0].amount.as_ref().map_or(0, |amount| amount.e4) } else { 0 };
    let award = pb::Award { conferred, allocations: vec![result], declared_e4, ..audited() };
    scene.registry.clear();
    let half = |case: &mut Case| {
        let mut text = definition("CERT");
        (text.unit, text.requirements[1].amount_e4) = ("ECTS".to_owned(), 30_0000);
        case.set(Kind::QualificationDefinition, &text);
        case.held.extend(scene.held.clone());
        case.sealings.extend(scene.sealings.clone());
        let held = Held { depends_on: vec![at(1)], ..Held::new(4, CourseKey::Conversion) };
        case.holds(held, Kind::Conversion, &made);
    };
    awarding(name, about, half, &award)
}

/// A decision on an application that came long ago.
fn decided(name: Option<&'static str>, about: &'static str, entry: &pb::Decision) -> Case {
    of(name, about, Kind::Decision, entry).with(|case| {
        let entry = pb::Application { received: day(2026, 9, 1), ..application() };
        case.holds(Held::new(2, APPLICATIONS), Kind::Application, &entry);
        case.approved();
    })
}

fn long_decided(late: Option<pb::Late>) -> pb::Decision {
    pb::Decision { decided: on(LONG_AGO), late, ..decision(DecisionType::Full) }
}

/// An appeal against a decision whose last day was the 20th of November.
fn objecting(name: Option<&'static str>, about: &'static str, received: Option<Date>, late: Option<pb::Late>) -> Case {
    of(name, about, Kind::Appeal, &pb::Appeal { received, late, ..appeal() }).with(|case| {
        case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
        let (decided, appeal_until) = (day(2026, 10, 21), day(2026, 11, 20));
        let entry = pb::Decision { decided, appeal_until, ..decision(DecisionType::Full) };
        case.holds(Held { depends_on: vec![at(2)], ..Held::new(3, CASE) }, Kind::Decision, &entry);
    })
}

fn recognised(name: Option<&'static str>, about: &'static str, late: Option<pb::Late>) -> Case {
    let entry = pb::QualificationRecognition { decided: on(LONG_AGO), late, ..statement() };
    of(name, about, Kind::QualificationRecognition, &entry).with(Case::approved).with(recognitions::elsewhere)
}

/// The late conversion in entry 4 is amended into another one of the same day.
fn amended(name: Option<&'static str>, about: &'static str, bend: impl FnOnce(&mut pb::Conversion)) -> Case {
    let case = converted(name, about, on(LONG_AGO), None, |one| one.late = why(""));
    let former: pb::Conversion = case.records[0].read().expect("a conversion");
    let amends = Some(pb::Amends { place: Some(at(4)), reason: pb::AmendReason::Error.into() });
    let mut entry = pb::Conversion { amends, decider: "C. Example".to_owned(), ..former.clone() };
    bend(&mut entry);
    case.with(|case| {
        let held = Held { depends_on: vec![at(1)], ..Held::new(4, CourseKey::Conversion) };
        case.holds(held, Kind::Conversion, &former);
        case.records = vec![record(Kind::Conversion, &entry, 2)];
        case.groups = vec![group(pb::Basis::Issuer, &[effect(at(4), Action::Supersede)])];
    })
}

/// The decision in entry 3, of which the ledger learned earlier, is amended.
fn renotified(name: Option<&'static str>, about: &'static str, bend: impl FnOnce(&mut pb::Decision)) -> Case {
    let former = pb::Decision { appeal_until: day(2026, 12, 20), ..decision(DecisionType::Full) };
    let amends = Some(pb::Amends { place: Some(at(3)), reason: pb::AmendReason::Error.into() });
    let mut entry = pb::Decision { amends, decider: "C. Example".to_owned(), ..former.clone() };
    bend(&mut entry);
    of(name, about, Kind::Decision, &entry).with(|case| {
        case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
        case.holds(Held { depends_on: vec![at(2)], ..Held::new(3, CASE) }, Kind::Decision, &former);
        case.groups = vec![group(pb::Basis::Issuer, &[effect(at(3), Action::Supersede)])];
    })
}

/// The declared result of the conversion in entry 4, of institution 2, is converted again by an equivalence.
fn declared_again(name: Option<&'static str>, about: &'static str, declared: bool) -> Case {
    let mut case = Case::new(name, about);
    case.set(Kind::Equivalence, &equivalence());
    let by = pb::DeclaredConversion { reference: "2019/0417".to_owned(), legal_basis: "Regulations 2015".to_owned() };
    let result = pb::ConvertedCredit {
        course: Some(pb::Course { code: "AAA".to_owned(), titles: vec![text("Analysis")] }),
        amount: Some(pb::Amount { e4: 20_0000, unit: "ECTS".to_owned() }),
        declared: true,
        ..Default::default()
    };
    // Two results: each stands for a half of the record.
    let results = vec![result.clone(), result];
    let first = pb::Conversion { declared: Some(by), decided: day(2019, 5, 2), results, ..bare() };
    case.holds(Held { institution: 2, ..Held::new(4, CourseKey::Conversion) }, Kind::Conversion, &first);
    let mut source = Source::of_result(reference(at(4)), Kind::Conversion, 0, 2.into(), &first.results[0]);
    source.roots = vec![creditbank_rules::conversion::roots::itself(&reference(at(4)), source.amount.as_ref(), 2)];
    let mut again = computed(&case, &by_equivalence(), &[source], &Account::default(), &[]);
    again.results[0].declared = declared;
    case.records = vec![record(Kind::Conversion, &again, 1)];
    case
}

/// A declared conversion that says something else of itself.
fn declared_with(name: &'static str, about: &'static str, bend: impl FnOnce(&mut pb::Conversion)) -> Case {
    declared(Some(name), about, day(2019, 5, 2), &[]).with(|case| {
        let mut made: pb::Conversion = case.records[0].read().expect("a conversion");
        bend(&mut made);
        case.records = vec![record(Kind::Conversion, &made, 1)];
    })
}

/// A declared award of long ago under a definition that has ended since; another person approves.
fn declared_award(name: Option<&'static str>, about: &'static str, on_recording: &str) -> Case {
    conferred(name, about, day(2025, 10, 18), day(2026, 10, 31), |award| {
        award.basis = pb::AwardBasis::Declared.into();
        (award.allocations, award.late) = (Vec::new(), why(on_recording));
    })
}

pub(crate) fn refused() -> Vec<Case> {
    let late = Some("LATE");
    let bare_reason = pb::Late { reason: String::new(), ..why("").expect("late") };
    let no_case = pb::Late { case_reference: String::new(), ..why("").expect("late") };
    let (ended, ago) = (day(2026, 10, 31), on(LONG_AGO));
    let before = (2025, 10, 18);
    vec![
        agreed(
            Some("NOT_IN_FORCE"),
            "decided before the agreement was recorded, which says that it began in 2020",
            |_| (),
            |conversion| conversion.decided = day(2026, 11, 12),
        ),
        Case::new(Some("NOT_IN_FORCE"), "decided before the equivalence was recorded").with(|case| {
            case.set(Kind::Equivalence, &equivalence());
            elsewhere(case, marked(&[]));
            let made = computed(case, &by_equivalence(), &[source()], &Account::default(), &[]);
            let made = pb::Conversion { decided: day(2026, 11, 12), ..made };
            case.records = vec![record(Kind::Conversion, &made, 1)];
        }),
        in_a_chain(Some("INVALID_DATE"), "decided before the conversion whose result it is of", day(2026, 11, 14)),
        converted(late, "a late conversion that says nothing of it", ago, None, |_| ()),
        converted(late, "a conversion in time that says that it is late", on(IN_TIME), None, |one| one.late = why("")),
        converted(late, "late, under an agreement that has ended, which it does not say", ago, ended, |one| {
            one.late = why("")
        }),
        converted(late, "late, with another rule than the one that refuses it now", ago, ended, |one| {
            one.late = why("OUTSIDE_SCOPE")
        }),
        converted(Some("MISSING_FIELD"), "late, for no reason", ago, None, |one| one.late = Some(bare_reason)),
        converted(Some("MISSING_FIELD"), "late, without a case", ago, None, |one| one.late = Some(no_case)),
        alone(converted(Some("APPROVAL_MISSING"), "late, without a second person", ago, None, |one| {
            one.late = why("")
        })),
        declared(Some("INVALID_DATE"), "declared since the institution is in the registry", day(2020, 1, 1), &[]),
        declared(Some("INVALID_DATE"), "declared before the source had begun", day(2017, 9, 30), &[old_source()]),
        declared(Some("INVALID_DATE"), "declared before what it states had begun", day(2017, 9, 30), &[]),
        declared(late, "declared, and said to be late", day(2019, 5, 2), &[]).with(|case| {
            let made: pb::Conversion = case.records[0].read().expect("a conversion");
            case.records = vec![record(Kind::Conversion, &pb::Conversion { late: why(""), ..made }, 1)];
        }),
        declared(Some("CONVERSION_DIFFERS"), "declared, in a result that hides it", day(2019, 5, 2), &[]).with(
            |case| {
                let mut made: pb::Conversion = case.records[0].read().expect("a conversion");
                made.results[0].declared = false;
                case.records = vec![record(Kind::Conversion, &made, 1)];
            },
        ),
        carried_out(Some("NOT_IN_FORCE"), "an agreement that has ended, without the advance decision", "AAA", false),
        carried_out(Some("OUTSIDE_SCOPE"), "credit for another course than was decided in advance", "BBB", true),
        of(
            Some("UNKNOWN_REFERENCE"),
            "decided in advance on an own course",
            Kind::Decision,
            &course_decided(1, "AAA", DecisionType::Full),
        )
        .with(|case| case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application())),
        of(
            Some("CONTRADICTION"),
            "withdrawn, with courses that are decided in advance",
            Kind::Decision,
            &pb::Decision {
                appeal_until: None,
                appeal_instance: String::new(),
                ..course_decided(2, "AAA", DecisionType::Withdrawn)
            },
        )
        .with(|case| case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application())),
        counting(Some("SOURCE_NOT_USABLE"), "conferred before the conversion was decided", day(2026, 11, 14), false),
        counting(Some("CONTRADICTION"), "counts declared credit without saying how much", day(2026, 11, 20), true)
            .with(|case| {
                let award: pb::Award = case.records[0].read().expect("an award");
                case.records = vec![record(Kind::Award, &pb::Award { declared_e4: 0, ..award }, 1)];
            }),
        conferred(late, "a late award that says nothing of it", on(before), None, |_| ()),
        conferred(late, "an award in time that says that it is late", day(2025, 10, 19), None, |one| {
            one.late = why("")
        }),
        conferred(late, "late, under a definition that has ended, which it does not say", on(before), ended, |one| {
            one.late = why("")
        }),
        alone(conferred(Some("APPROVAL_MISSING"), "a late award without a second person", on(before), None, |one| {
            one.late = why("")
        })),
        again(Some("SOURCE_NOT_USABLE"), "in the place of an award that stands", day(2025, 10, 1), &[]),
        again(
            Some("CONTRADICTION"),
            "on another day than the award in whose place it comes",
            day(2025, 10, 2),
            &[(Action::Revoke, 9)],
        ),
        honoured(late, "an honorary award of long ago, since the institution is in the registry", day(2024, 5, 2)),
        decided(late, "a late decision that says nothing of it", &long_decided(None)),
        alone(decided(Some("APPROVAL_MISSING"), "a late decision without a second person", &long_decided(why("")))),
        objecting(late, "an appeal in time that says that it is late", day(2026, 11, 20), why("")),
        objecting(late, "a late appeal that names a rule", day(2026, 11, 21), why("NOT_OPEN")),
        recognised(late, "a late recognition that says nothing of it", None),
        amended(late, "an amendment of a late conversion that is not late any more", |one| one.late = None),
        amended(late, "an amendment of a late conversion that names a rule", |one| one.late = why("NOT_IN_FORCE")),
        alone(amended(Some("APPROVAL_MISSING"), "an amendment of a late conversion by one person", |_| ())),
        renotified(Some("CONTRADICTION"), "an amendment of another field that gives more time for an appeal", |one| {
            one.appeal_until = day(2026, 12, 23);
        }),
        declared_again(Some("CONVERSION_DIFFERS"), "a conversion that hides that its source was declared", false),
        declared_with("MISSING_FIELD", "declared without a reference", |one| {
            one.declared.as_mut().expect("declared").reference.clear();
        }),
        declared_with("MISSING_FIELD", "declared on no basis", |one| {
            one.declared.as_mut().expect("declared").legal_basis.clear();
        }),
        declared_with("MISSING_FIELD", "declared, of nothing, without results", |one| one.results.clear()),
        declared_award(late, "a late declared award whose definition has ended, which it does not say", ""),
        objecting(
            late,
            "a late appeal without a reason",
            day(2026, 11, 21),
            Some(pb::Late { case_reference: "2026/17".to_owned(), ..Default::default() }),
        ),
        carried_out(Some("NOT_IN_FORCE"), "an agreement that ended before the advance decision", "AAA", true).with(
            |case| {
                // Decided after the end of October, when the agreement had ended.
                case.held.clear();
                elsewhere(case, marked(&[]));
                case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
                let decided =
                    pb::Decision { decided: day(2026, 11, 2), ..course_decided(2, "AAA", DecisionType::Full) };
                case.holds(Held { depends_on: vec![at(2)], ..Held::new(3, CASE) }, Kind::Decision, &decided);
            },
        ),
        carried_out(Some("SOURCE_NOT_USABLE"), "a decision that grants nothing is carried out", "AAA", true).with(
            |case| {
                case.held.clear();
                elsewhere(case, marked(&[]));
                case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application());
                let refusal = decision(DecisionType::Refused);
                case.holds(Held { depends_on: vec![at(2)], ..Held::new(3, CASE) }, Kind::Decision, &refusal);
            },
        ),
        of(
            Some("MISSING_FIELD"),
            "decided in advance on a course without a code",
            Kind::Decision,
            &course_decided(2, "", DecisionType::Full),
        )
        .with(|case| case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application())),
    ]
}

pub(crate) fn admitted() -> Vec<Case> {
    let (ended, ago) = (day(2026, 10, 31), on(LONG_AGO));
    vec![
        converted(None, "decided 60 days before its block", on(IN_TIME), None, |_| ()),
        converted(None, "late, and the rules give the same now", ago, None, |one| one.late = why("")),
        converted(None, "late, under an agreement that has ended since", ago, ended, |one| {
            one.late = why("NOT_IN_FORCE")
        }),
        agreed(
            None,
            "decided on the day on which the agreement was recorded",
            |_| (),
            |one| one.decided = day(2026, 11, 13),
        ),
        in_a_chain(None, "decided on the day of the conversion whose result it is of", day(2026, 11, 15)),
        declared(None, "declared, of something that is not in the ledger", day(2019, 5, 2), &[]),
        declared(None, "declared on the day before the institution came into the registry", day(2019, 12, 31), &[]),
        declared(None, "declared, of credit of the ledger", day(2019, 5, 2), &[old_source()]),
        carried_out(None, "what was promised before the agreement ended", "AAA", true),
        of(None, "decided in advance", Kind::Decision, &course_decided(2, "AAA", DecisionType::Full))
            .with(|case| case.holds(Held::new(2, APPLICATIONS), Kind::Application, &application())),
        counting(None, "conferred on the day on which the conversion was decided", day(2026, 11, 15), false),
        counting(None, "counts declared credit and says so", day(2026, 11, 20), true),
        conferred(None, "conferred 400 days before its block", day(2025, 10, 19), None, |_| ()),
        conferred(None, "a late award, under a definition that has ended", day(2025, 10, 18), ended, |one| {
            one.late = why("NOT_IN_FORCE")
        }),
        again(None, "in the place of a revoked award, on its day", day(2025, 10, 1), &[(Action::Revoke, 9)]),
        honoured(None, "an honorary award from before the ledger", day(2019, 5, 2)),
        decided(None, "a late decision", &long_decided(why(""))),
        objecting(None, "a late appeal with its reason", day(2026, 11, 21), why("")),
        recognised(None, "a late recognition", why("")),
        amended(None, "an amendment of a late conversion", |_| ()),
        renotified(None, "an amendment that says nothing new of the notification keeps the last day", |_| ()),
        renotified(None, "an amendment of the notification gives time from today", |one| {
            (one.arrived, one.appeal_until) = (day(2026, 11, 21), day(2026, 12, 23));
        }),
        declared_again(None, "one of two declared results is converted again", true),
        declared_award(None, "a late declared award whose definition has ended", "NOT_IN_FORCE"),
    ]
}

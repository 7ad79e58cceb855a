//! A learner's record in a few words, for a line of a table.

use creditbank_protocol::canonical::{Canonical, decode};
use creditbank_protocol::dates;
use creditbank_protocol::names::{self, Named};
use creditbank_protocol::pb::{self, AgreementName, EquivalenceName, Kind, QualificationName};
use creditbank_rules::decimal::show_e4;

use crate::failure::Failure;
use crate::show::safe;
use crate::words;

/// What a record is about. A field that the record does not have, or that is not shown, is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Summary {
    /// A course, a qualification, an agreement, or what was asked or decided.
    pub(crate) about: String,
    /// The amount, or those of its results.
    pub(crate) amount: String,
    pub(crate) level: String,
    pub(crate) grade: String,
    /// From when to when, or the day on which it was received, decided or conferred.
    pub(crate) period: String,
}

impl Summary {
    /// Of a canonical body of a kind; fields that were not disclosed may be missing from it.
    pub(crate) fn of(kind: Kind, body: &[u8]) -> Result<Self, Failure> {
        let made = match kind {
            Kind::Outcome => read(body, of_outcome)?,
            Kind::Credit => read(body, of_credit)?,
            Kind::Result => read(body, of_result)?,
            Kind::Application => read(body, |one: pb::Application| on(safe(&one.asked), one.received))?,
            Kind::Appeal => read(body, |one: pb::Appeal| on(safe(&one.grounds), one.received))?,
            Kind::Decision => read(body, |one: pb::Decision| on(named(one.r#type()), one.decided))?,
            Kind::Conversion => read(body, of_conversion)?,
            Kind::Award => read(body, of_award)?,
            Kind::QualificationRecognition => read(body, of_recognition)?,
            Kind::Enrolment => read(body, of_enrolment)?,
            Kind::ForeignAward => read(body, of_foreign)?,
            // An Identity is about the person; nothing of it belongs into a table.
            _ => Self::default(),
        };
        Ok(made)
    }

    /// The fields in the order of the columns.
    pub(crate) fn columns(self) -> [String; 5] {
        let Self { about, amount, level, grade, period } = self;
        [about, amount, level, grade, period]
    }
}

fn read<M: Canonical>(body: &[u8], summary: impl FnOnce(M) -> Summary) -> Result<Summary, Failure> {
    let message = decode(body).map_err(|error| Failure::NotValid(format!("the record cannot be shown: {error}")))?;
    Ok(summary(message))
}

fn on(about: String, day: Option<pb::Date>) -> Summary {
    Summary { about, period: date(day), ..Summary::default() }
}

fn of_outcome(one: pb::Outcome) -> Summary {
    let kind = || named(one.r#type());
    Summary {
        about: one.course.as_ref().map_or_else(kind, course),
        level: level(one.level.as_ref()),
        grade: one.score.as_ref().map(|score| safe(&score.value)).unwrap_or_default(),
        period: period(one.period.as_ref()),
        ..Summary::default()
    }
}

fn of_credit(one: pb::Credit) -> Summary {
    Summary {
        about: one.course.as_ref().map(course).unwrap_or_default(),
        amount: amount(one.amount.as_ref()),
        level: level(one.level.as_ref()),
        grade: listed([grade(one.grade.as_ref()), further(&one.further), basis(one.basis())]),
        period: listed([period(one.period.as_ref()), when(&one.term, &one.session, one.completed)]),
    }
}

fn of_result(one: pb::Result) -> Summary {
    Summary {
        about: one.course.as_ref().map(course).unwrap_or_default(),
        amount: amount(one.attempted.as_ref()),
        level: level(one.level.as_ref()),
        grade: listed([grade(one.grade.as_ref()), further(&one.further), named(one.status())]),
        period: listed([period(one.period.as_ref()), when(&one.term, &one.session, one.completed)]),
    }
}

fn of_conversion(one: pb::Conversion) -> Summary {
    let by = one.agreement.as_ref().map(agreement).or_else(|| one.equivalence.as_ref().map(equivalence));
    let amounts: Vec<String> = one.results.iter().map(|result| amount(result.amount.as_ref())).collect();
    Summary { amount: amounts.join(", "), ..on(by.unwrap_or_default(), one.decided) }
}

fn of_award(one: pb::Award) -> Summary {
    let own = || one.titles.first().map(|title| safe(&title.value)).unwrap_or_default();
    let branch =
        if one.specialisation.is_empty() { String::new() } else { format!(" ({})", safe(&one.specialisation)) };
    on(one.definition.as_ref().map_or_else(own, qualification) + &branch, one.conferred)
}

fn of_enrolment(one: pb::Enrolment) -> Summary {
    let until = if one.until.is_some() { date(one.until) } else { "now".to_owned() };
    let programme = one.programme.as_ref().map(course).unwrap_or_default();
    let leads_to = one.definition.as_ref().map(|name| format!("leads to {}", qualification(name))).unwrap_or_default();
    Summary {
        about: listed([programme, leads_to]),
        grade: listed([named(one.state()), named(one.mode()), named(one.load())]),
        period: format!("{} to {until}", date(one.from)),
        ..Summary::default()
    }
}

fn of_recognition(one: pb::QualificationRecognition) -> Summary {
    let place = one.qualification.and_then(|of| of.place);
    let about = place.map(|place| format!("of {}", creditbank_protocol::Place::from(place))).unwrap_or_default();
    let amounts: Vec<String> = one.exemptions.iter().map(|result| amount(result.amount.as_ref())).collect();
    Summary { amount: amounts.join(", "), level: level(one.level.as_ref()), ..on(about, one.decided) }
}

fn of_foreign(one: pb::ForeignAward) -> Summary {
    let title = one.titles.first().map(|title| safe(&title.value)).unwrap_or_default();
    on(listed([title, safe(&one.institution), safe(&one.country), safe(&one.number)]), one.conferred)
}

/// `GEO-1 Geology`.
fn course(course: &pb::Course) -> String {
    let code = safe(&course.code);
    match course.titles.first().map(|title| safe(&title.value)) {
        Some(title) if !title.is_empty() && title != code => format!("{code} {title}"),
        _ => code,
    }
}

/// `PARIS-LEEDS.1`.
pub(crate) fn agreement(name: &AgreementName) -> String {
    safe(&format!("{}.{}", name.code, name.version))
}

/// `2/IELTS.1`.
pub(crate) fn equivalence(name: &EquivalenceName) -> String {
    safe(&format!("{}/{}.{}", name.institution, name.code, name.version))
}

/// `2/BSC-INF.1`.
fn qualification(name: &QualificationName) -> String {
    safe(&format!("{}/{}.{}", name.institution, name.code, name.version))
}

/// The name of a value of an enum; empty where it is not shown.
fn named<E: Named + PartialEq>(value: E) -> String {
    if value == E::default() { String::new() } else { names::of(value) }
}

/// `7.5 ECTS`.
fn amount(amount: Option<&pb::Amount>) -> String {
    amount.map(|amount| format!("{} {}", show_e4(amount.e4), safe(&amount.unit))).unwrap_or_default()
}

/// `FHEQ 6`.
fn level(level: Option<&pb::Level>) -> String {
    level.map(|level| format!("{} {}", safe(&level.framework), safe(&level.level))).unwrap_or_default()
}

fn grade(grade: Option<&pb::Grade>) -> String {
    grade.map(|grade| safe(&grade.value)).unwrap_or_default()
}

/// The same result in further scales: `1.3 in DE-5, 1 in AT-5`.
fn further(grades: &[pb::Grade]) -> String {
    grades.iter().map(words::grade).collect::<Vec<_>>().join(", ")
}

/// On what a pass stands, where it was not earned.
fn basis(basis: pb::PassBasis) -> String {
    if basis == pb::PassBasis::Earned { String::new() } else { named(basis) }
}

/// `2025 S1, resit, assessed 2026-01-20`.
fn when(term: &str, session: &str, completed: Option<pb::Date>) -> String {
    let assessed = completed.map(|day| format!("assessed {}", dates::show(&day))).unwrap_or_default();
    listed([safe(term), safe(session), assessed])
}

/// What is there, with commas.
fn listed<const N: usize>(parts: [String; N]) -> String {
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// `2024-02 to 2024-06`.
fn period(period: Option<&pb::Period>) -> String {
    period.map(|period| format!("{} to {}", date(period.from), date(period.until))).unwrap_or_default()
}

fn date(date: Option<pb::Date>) -> String {
    date.map(|date| dates::show(&date)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use creditbank_protocol::canonical::encode;

    fn of<M: Canonical>(kind: Kind, message: &M) -> [String; 5] {
        let body = encode(message).expect("canonical");
        Summary::of(kind, &body).unwrap_or_else(|_| panic!("it can be read")).columns()
    }

    fn text(value: &str) -> pb::Text {
        pb::Text { language: "en".to_owned(), value: value.to_owned() }
    }

    /// Goal: each kind says what it is about, in the words of its own fields.
    #[test]
    fn each_kind_says_what_it_is_about() {
        let day = Some(pb::Date { year: 2026, month: 6, day: 30 });
        let credit = pb::Credit {
            course: Some(pb::Course { code: "GEO-1".to_owned(), titles: vec![text("Geology")] }),
            amount: Some(pb::Amount { e4: 75_000, unit: "ECTS".to_owned() }),
            level: Some(pb::Level { framework: "EQF".to_owned(), level: "6".to_owned() }),
            grade: Some(pb::Grade { scale: "FR-20".to_owned(), value: "14.5".to_owned() }),
            period: Some(pb::Period { from: Some(pb::Date { year: 2026, month: 2, day: 0 }), until: day }),
            ..Default::default()
        };
        let said = ["GEO-1 Geology", "7.5 ECTS", "EQF 6", "14.5", "2026-02 to 2026-06-30"];
        assert_eq!(of(Kind::Credit, &credit), said);
        assert_eq!(of(Kind::Credit, &pb::Credit::default()), [""; 5]);
        let further = vec![pb::Grade { scale: "DE-5".to_owned(), value: "1.3".to_owned() }];
        let more = pb::Credit {
            further: further.clone(),
            basis: pb::PassBasis::Condoned.into(),
            completed: day,
            term: "2026 S1".to_owned(),
            session: "resit".to_owned(),
            ..credit
        };
        let said = of(Kind::Credit, &more);
        assert_eq!(said[3], "14.5, 1.3 in DE-5, condoned");
        assert_eq!(said[4], "2026-02 to 2026-06-30, 2026 S1, resit, assessed 2026-06-30");
        let failed = pb::Result { status: pb::ResultStatus::Failed.into(), further, ..Default::default() };
        assert_eq!(of(Kind::Result, &failed)[3], "1.3 in DE-5, failed");
        let enrolment = pb::Enrolment {
            programme: Some(pb::Course { code: "INF".to_owned(), titles: vec![text("Informatics")] }),
            definition: Some(QualificationName { institution: 2, code: "BSC".to_owned(), version: 1 }),
            from: day,
            state: pb::EnrolmentState::Leave.into(),
            mode: pb::Mode::Online.into(),
            load: pb::StudyLoad::PartTime.into(),
            ..Default::default()
        };
        let said = ["INF Informatics, leads to 2/BSC.1", "", "", "leave, online, part-time", "2026-06-30 to now"];
        assert_eq!(of(Kind::Enrolment, &enrolment), said);
        let score = Some(pb::Score { value: "7.5".to_owned(), ..Default::default() });
        let outcome = pb::Outcome { r#type: pb::OutcomeType::TestScore.into(), score, ..Default::default() };
        assert_eq!(of(Kind::Outcome, &outcome), ["test-score", "", "", "7.5", ""]);
        let definition = Some(QualificationName { institution: 2, code: "BSC".to_owned(), version: 1 });
        let award = pb::Award { definition, conferred: day, ..Default::default() };
        assert_eq!(of(Kind::Award, &award), ["2/BSC.1", "", "", "", "2026-06-30"]);
        let branch = pb::Award { specialisation: "Optics".to_owned(), ..award };
        assert_eq!(of(Kind::Award, &branch)[0], "2/BSC.1 (Optics)");
        let honorary = pb::Award { titles: vec![text("Doctor")], ..Default::default() };
        assert_eq!(of(Kind::Award, &honorary)[0], "Doctor");
        let agreement = Some(AgreementName { code: "PARIS-LEEDS".to_owned(), version: 1 });
        let results = [75_000, 50_000].map(|e4| pb::ConvertedCredit {
            amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
            ..Default::default()
        });
        let conversion = pb::Conversion { agreement, results: results.to_vec(), decided: day, ..Default::default() };
        assert_eq!(of(Kind::Conversion, &conversion), ["PARIS-LEEDS.1", "7.5 CATS, 5 CATS", "", "", "2026-06-30"]);
        let decision = pb::Decision { r#type: pb::DecisionType::Partial.into(), decided: day, ..Default::default() };
        assert_eq!(of(Kind::Decision, &decision), ["partial", "", "", "", "2026-06-30"]);
        let asked = pb::Application { asked: "a\u{7}seat".to_owned(), received: day, ..Default::default() };
        assert_eq!(of(Kind::Application, &asked)[0], "a\u{fffd}seat");
    }
}

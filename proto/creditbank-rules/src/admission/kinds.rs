//! What each kind must hold.

use std::collections::BTreeSet;

use creditbank_protocol::Place;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Amends, Date, Grade, HoursKind, Kind, OutcomeType, PassBasis, ResultStatus};
use creditbank_protocol::record::Record;

use super::{BlockFacts, fields};
use crate::admission::fields::{present, require};
use crate::dates::{Day, first_day, last_day};
use crate::decimal::show_e4;
use crate::{CourseKey, Registry, Rejection, Rule, plausible};

/// What the rules beyond single fields need of a record.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) learner: Vec<u8>,
    /// The code of its course, if it has one: it is counted with the learner's records of this course.
    pub(super) course: Option<String>,
    /// With what else it is counted; `None` of a kind that stands on others, of which [`super::derived::check`] says so.
    pub(super) key: Option<CourseKey>,
    pub(super) earlier: Vec<Place>,
    pub(super) amends: Option<Amends>,
    /// Of a Credit: how often its course may count again.
    pub(super) repeats_max: Option<u32>,
    /// Of a Credit: what accreditation is judged by, and the last day of its period.
    pub(super) credit: Option<(Box<pb::Credit>, Day)>,
}

/// Checks the fields of a record against its kind.
pub(super) fn check(registry: &Registry, block: &BlockFacts<'_>, record: &Record) -> Result<Common, Rejection> {
    let kind = record.kind();
    match kind {
        Kind::Identity => identity(block, record.read().map_err(malformed)?),
        Kind::Outcome => outcome(registry, block, record.read().map_err(malformed)?),
        Kind::Credit => credit(registry, block, record.read().map_err(malformed)?),
        Kind::Result => result(registry, block, record.read().map_err(malformed)?),
        Kind::Application => {
            let read: pb::Application = record.read().map_err(malformed)?;
            super::recognition::application_fields(registry, block, &read)?;
            Ok(derived(read.learner, read.amends))
        }
        Kind::Decision => record.read().map_err(malformed).map(|read: pb::Decision| derived(read.learner, read.amends)),
        Kind::Appeal => record.read().map_err(malformed).map(|read: pb::Appeal| derived(read.learner, read.amends)),
        Kind::Conversion => {
            record.read().map_err(malformed).map(|read: pb::Conversion| derived(read.learner, read.amends))
        }
        Kind::Award => record.read().map_err(malformed).map(|read: pb::Award| derived(read.learner, read.amends)),
        Kind::QualificationRecognition => record
            .read()
            .map_err(malformed)
            .map(|read: pb::QualificationRecognition| derived(read.learner, read.amends)),
        Kind::ForeignAward => {
            record.read().map_err(malformed).map(|read: pb::ForeignAward| derived(read.learner, read.amends))
        }
        Kind::Enrolment => {
            let read: pb::Enrolment = record.read().map_err(malformed)?;
            super::enrolment::fields(block, &read)?;
            Ok(derived(read.learner, read.amends))
        }
        other => Err(not_issued(other)),
    }
}

pub(super) fn not_issued(kind: Kind) -> Rejection {
    Rejection::new(Rule::KindNotIssued, "a kind that institutions issue", names::of(kind))
}

pub(super) fn malformed(error: creditbank_protocol::canonical::CanonicalError) -> Rejection {
    Rejection::new(Rule::InvalidCode, "a canonical body", error.to_string())
}

/// Of a record that stands on others.
fn derived(learner: Vec<u8>, amends: Option<Amends>) -> Common {
    Common { learner, course: None, key: None, earlier: Vec::new(), amends, repeats_max: None, credit: None }
}

fn identity(block: &BlockFacts<'_>, identity: pb::Identity) -> Result<Common, Rejection> {
    let named = |name: &pb::PersonName| !name.full.is_empty() || !name.family.is_empty() || !name.given.is_empty();
    present(identity.names.iter().any(named), "names", "at least one name")?;
    present(identity.birth_date.is_some(), "birth_date", "a date")?;
    let born = identity.birth_date.as_ref().map(first_day);
    // The day itself is the learner's, and stands in no message.
    let past = born.is_none_or(|born| (plausible::EARLIEST..=block.latest_day()).contains(&born));
    require(past, Rule::ImplausibleDate, "birth_date", "a date from 1900 until today", "an earlier or a later one")?;
    present(identity.document != 0, "document", "the document that was checked")?;
    present(identity.assurance != 0, "assurance", "a level of assurance")?;
    let pb::Identity { learner, amends, .. } = identity;
    let key = Some(CourseKey::Identity);
    Ok(Common { learner, course: None, key, earlier: Vec::new(), amends, repeats_max: None, credit: None })
}

fn outcome(registry: &Registry, block: &BlockFacts<'_>, outcome: pb::Outcome) -> Result<Common, Rejection> {
    let kind = OutcomeType::try_from(outcome.r#type).unwrap_or_default();
    present(kind != OutcomeType::Unspecified, "type", "a type of outcome")?;
    let code = fields::course(outcome.course.as_ref(), false)?;
    let scored = outcome.score.as_ref().is_some_and(|score| !score.scale.is_empty() && !score.value.is_empty());
    present(kind != OutcomeType::TestScore || scored, "score", "a score and its scale")?;
    let assessed = outcome.prior_learning.as_ref().is_some_and(|prior| {
        !prior.assessor.is_empty() && !prior.method.is_empty() && prior.evidence_digest.len() == 32
    });
    let expected = "assessor, method and evidence digest";
    present(kind != OutcomeType::PriorLearning || assessed, "prior_learning", expected)?;
    fields::hours(outcome.workload.as_ref())?;
    fields::level(registry, outcome.level.as_ref())?;
    fields::codes(&outcome.field, outcome.place.as_ref())?;
    let latest = block.latest_day();
    let end = fields::stated_period(outcome.period.as_ref(), latest, false)?;
    fields::after_period(outcome.expires.as_ref(), outcome.visible_from.as_ref(), end, latest)?;
    let pb::Outcome { learner, amends, .. } = outcome;
    let course = Some(code).filter(|code| !code.is_empty());
    let key = Some(CourseKey::UncodedOutcome).filter(|_| course.is_none());
    // An outcome is no credit: it may be held any number of times.
    Ok(Common { learner, course, key, earlier: Vec::new(), amends, repeats_max: None, credit: None })
}

fn credit(registry: &Registry, block: &BlockFacts<'_>, credit: pb::Credit) -> Result<Common, Rejection> {
    let course = fields::course(credit.course.as_ref(), true)?;
    let missing = |field, expected: &str| Rejection::new(Rule::MissingField, expected, "nothing").field(field);
    let amount =
        credit.amount.as_ref().ok_or_else(|| missing("amount", "an amount and its unit, 0 where it carries none"))?;
    let (begin, end) = fields::period(credit.period.as_ref())?;
    let latest = block.latest_day();
    plausible::period(begin, end, latest, false)?;
    let unit = registry.credit_unit(&amount.unit);
    let unit = unit.ok_or_else(|| {
        Rejection::new(Rule::UnknownCreditUnit, "a credit unit of the registry", &amount.unit).field("amount")
    })?;
    fields::level(registry, credit.level.as_ref())?;
    let expected = "compensated, condoned, recognised or exempted; what was earned states nothing";
    let stated = credit.basis != i32::from(PassBasis::Earned);
    require(stated, Rule::Contradiction, "basis", expected, "earned")?;
    grades(registry, credit.grade.as_ref(), &credit.further, |passes| {
        let lenient = matches!(credit.basis(), PassBasis::Compensated | PassBasis::Condoned);
        if passes || lenient { Ok(()) } else { Err((Rule::GradeNotAPass, "a grade that passes")) }
    })?;
    completed(block, credit.completed.as_ref(), Some(begin))?;
    fields::named(&credit.term, "term")?;
    fields::named(&credit.session, "session")?;
    fields::hours(credit.hours.as_ref())?;
    fields::codes(&credit.field, credit.place.as_ref())?;
    fields::after_period(credit.expires.as_ref(), credit.visible_from.as_ref(), Some(end), latest)?;
    workload(&credit, amount, unit)?;
    let (learner, earlier, amends) = (credit.learner.clone(), places(&credit.earlier), credit.amends);
    let (course, repeats_max) = (Some(course), Some(credit.repeats_max));
    Ok(Common { learner, course, key: None, earlier, amends, repeats_max, credit: Some((Box::new(credit), end)) })
}

fn result(registry: &Registry, block: &BlockFacts<'_>, result: pb::Result) -> Result<Common, Rejection> {
    let course = fields::course(result.course.as_ref(), true)?;
    let status = ResultStatus::try_from(result.status).unwrap_or_default();
    present(status != ResultStatus::Unspecified, "status", "a status")?;
    if let Some(attempted) = &result.attempted {
        let known = registry.credit_unit(&attempted.unit).is_some();
        require(known, Rule::UnknownCreditUnit, "attempted", "a credit unit of the registry", &attempted.unit)?;
    }
    fields::level(registry, result.level.as_ref())?;
    let open = [ResultStatus::InProgress, ResultStatus::Provisional, ResultStatus::Deferred].contains(&status);
    grades(registry, result.grade.as_ref(), &result.further, |passes| {
        if !passes || open { Ok(()) } else { Err((Rule::GradeIsAPass, "a grade that does not pass")) }
    })?;
    fields::hours(result.hours.as_ref())?;
    fields::codes(&result.field, result.place.as_ref())?;
    let latest = block.latest_day();
    let end = fields::stated_period(result.period.as_ref(), latest, open)?;
    let begin = result.period.as_ref().and_then(|period| period.from.as_ref()).map(first_day);
    completed(block, result.completed.as_ref(), begin)?;
    fields::named(&result.term, "term")?;
    fields::named(&result.session, "session")?;
    fields::after_period(None, result.visible_from.as_ref(), end, latest)?;
    let pb::Result { learner, earlier, amends, .. } = result;
    let earlier = places(&earlier);
    let course = Some(course);
    Ok(Common { learner, course, key: None, earlier, amends, repeats_max: None, credit: None })
}

fn places(written: &[pb::Place]) -> Vec<Place> {
    written.iter().copied().map(Place::from).collect()
}

/// The grade, and the same result in further scales: each is one of its scale and what `judge` asks for, by whether it
/// passes.
fn grades(
    registry: &Registry,
    grade: Option<&Grade>,
    further: &[Grade],
    judge: impl Fn(bool) -> Result<(), (Rule, &'static str)>,
) -> Result<(), Rejection> {
    present(grade.is_some() || further.is_empty(), "grade", "a grade, beside which others may stand")?;
    let mut scales = BTreeSet::new();
    let fields = std::iter::once("grade").chain(std::iter::repeat("further"));
    for (one, field) in grade.into_iter().chain(further).zip(fields) {
        let refuse = |rule, expected| {
            let found = format!("{} in {}", one.value, one.scale);
            Rejection::new(rule, expected, found).field(field)
        };
        let passes = registry.passes(one);
        let passes = passes.ok_or_else(|| refuse(Rule::UnknownGrade, "a grade of a scale of the registry"))?;
        judge(passes).map_err(|(rule, expected)| refuse(rule, expected))?;
        let fresh = scales.insert(one.scale.as_str());
        require(fresh, Rule::Contradiction, field, "one grade in each scale", &one.scale)?;
    }
    Ok(())
}

/// The day of the assessment: within the study or after it, and not to come.
fn completed(block: &BlockFacts<'_>, date: Option<&Date>, begin: Option<Day>) -> Result<(), Rejection> {
    let Some(date) = date else { return Ok(()) };
    crate::plausible::happened(date, block.latest_day(), "completed")?;
    let expected = "a day that is not before the period's first one";
    let holds = begin.is_none_or(|begin| begin <= last_day(date));
    require(holds, Rule::InvalidDate, "completed", expected, crate::dates::show(date))
}

/// Workload hours, where they and the unit's band are stated: amount times hours per credit, compared as integers. A band
/// without a maximum is a floor.
fn workload(credit: &pb::Credit, amount: &pb::Amount, unit: &pb::CreditUnit) -> Result<(), Rejection> {
    let workload = credit.hours.as_ref().filter(|hours| hours.kind == i32::from(HoursKind::Workload));
    let Some(hours) = workload.filter(|_| unit.workload_hours_min_e4 > 0 || unit.workload_hours_max_e4 > 0) else {
        return Ok(());
    };
    // Both sides in hundred-millionths of an hour.
    let found = u128::from(hours.e4) * 10_000;
    let bound = |per_credit: u64| u128::from(amount.e4) * u128::from(per_credit);
    let (min, max) = (unit.workload_hours_min_e4, unit.workload_hours_max_e4);
    if bound(min) <= found && (max == 0 || found <= bound(max)) {
        return Ok(());
    }
    let band =
        if max == 0 { format!("at least {}", show_e4(min)) } else { format!("{} to {}", show_e4(min), show_e4(max)) };
    let expected = format!("{band} hours per credit for {} {}", show_e4(amount.e4), unit.code);
    let found = format!("{} hours", show_e4(hours.e4));
    Err(Rejection::new(Rule::WorkloadOutsideBand, expected, found).field("hours"))
}

//! Applications, decisions and appeals.

use creditbank_protocol::pb::{self, Amends, Appeal, Application, Date, Decision, DecisionType, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, InstitutionId, Place, names};

use super::case::{self, AppealTime, Case, Stage, Step};
use super::derived::Issuing;
use super::fields::{present, require};
use super::kinds::malformed;
use super::used::{named, own, visible};
use super::{AdmissionError, BlockFacts, late};
use crate::dates::{Day, date_of, first_day};
use crate::deadline;
use crate::plausible::happened;
use crate::{CourseKey, RecordFacts, Registry, Rejection, Rule, View};

/// A day that people name: with its day, and one that has come.
pub(super) fn past_day(date: Option<&Date>, field: &'static str, latest: Day) -> Result<Day, Rejection> {
    let date = date.ok_or_else(|| Rejection::new(Rule::MissingField, "a day", "nothing").field(field))?;
    require(date.day != 0, Rule::InvalidDate, field, "a day", "a month")?;
    happened(date, latest, field)?;
    Ok(first_day(date))
}

/// Checks the fields of an application that need no ledger; its records and open ones are [`application`]'s.
pub(super) fn application_fields(
    registry: &Registry,
    block: &BlockFacts<'_>,
    application: &Application,
) -> Result<(), Rejection> {
    present(application.purpose != 0, "purpose", "study, work or a regulated profession")?;
    present(!application.asked.is_empty(), "asked", "what is asked")?;
    past_day(application.received.as_ref(), "received", block.latest_day())?;
    let law = registry.deadline(&application.deadline);
    let unknown = "the code of a legal deadline of the registry";
    let law =
        law.ok_or_else(|| Rejection::new(Rule::UnknownReference, unknown, &application.deadline).field("deadline"))?;
    let country = registry.institution(block.unit.institution).map_or("", |found| found.country.as_str());
    let fits = law.country.is_empty() || law.country == country;
    require(fits, Rule::Contradiction, "deadline", format_args!("a deadline that holds in {country}"), &law.country)?;
    let fits = law.purpose == 0 || law.purpose == application.purpose;
    let found = names::of(law.purpose());
    require(fits, Rule::Contradiction, "deadline", "a deadline for this purpose", found)
}

/// An application names records of its learner, and is the only open one for its purpose.
pub(super) fn application(
    view: &impl View,
    issuing: Issuing,
    application: &Application,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Vec<Place>, AdmissionError> {
    let mut records = Vec::with_capacity(application.records.len());
    for reference in &application.records {
        let used = named(view, Some(reference), account, "records")?;
        visible(&used, issuing.day(), "records")?;
        records.push(used.place);
    }
    for held in view.held(account, issuing.institution, &CourseKey::Application(application.purpose()))? {
        let Some(case) = case::read(view, account, issuing.institution, held.place)? else { continue };
        let open = case.deadline(view.registry()).is_some_and(|law| matches!(case.stage(law), Stage::Open { .. }));
        let free = !open || amends == Some(held.place);
        let expected = "no other open application of this learner for this purpose here";
        require(free, Rule::ApplicationOpen, "purpose", expected, held.place)?;
    }
    if let Some(former) = amends {
        same_case(view, issuing, application, former, account)?;
    }
    Ok(records)
}

/// An amended application begins no case anew: neither its clock, nor what was decided, nor the way to an appeal.
fn same_case(
    view: &impl View,
    issuing: Issuing,
    application: &Application,
    former: Place,
    account: &AccountId,
) -> Result<(), AdmissionError> {
    let Some(case) = case::read(view, account, issuing.institution, former)? else { return Ok(()) };
    let steps = case.steps.len();
    let expected = "an application on which no decision or appeal stands (to correct a later one, amend that)";
    require(steps == 0, Rule::Contradiction, "amends", expected, format_args!("{steps} steps"))?;
    let before = case.application;
    let same = (application.purpose, &application.deadline) == (before.purpose, &before.deadline);
    require(same, Rule::Contradiction, "deadline", "purpose and deadline of the amended application", "others")?;
    let day = |of: &Application| of.received.as_ref().map_or(0, first_day);
    let earlier = day(application) <= day(&before);
    let expected = "no later day than that of the amended application, from which the deadline runs";
    let found = application.received.as_ref().map_or(String::new(), crate::dates::show);
    Ok(require(earlier, Rule::InvalidDate, "received", expected, found)?)
}

/// The case that a decision is about.
pub(super) fn case_of(
    view: &impl View,
    institution: InstitutionId,
    decision: &Decision,
    account: &AccountId,
) -> Result<Case, AdmissionError> {
    let either = decision.application.is_some() != decision.appeal.is_some();
    require(either, Rule::MissingField, "application", "either an application or an appeal", "both, or none")?;
    let application = match (decision.application, decision.appeal) {
        (Some(place), _) => place.into(),
        (None, appeal) => {
            let place = Place::read(appeal);
            let found = own(view, place, account, institution, Kind::Appeal)?;
            let read = found.and_then(|found| found.record.read::<Appeal>().ok());
            let expected = "the place of an appeal of this learner at this institution";
            let read =
                read.ok_or_else(|| Rejection::new(Rule::NotOpen, expected, place.to_string()).field("appeal"))?;
            appealed(view, institution, &read, account)?
        }
    };
    open_case(view, institution, application, account, "application")
}

/// The application that a decision or an appeal follows, whatever became of any of them.
pub(super) fn case_named(view: &impl View, facts: &RecordFacts, record: &Record) -> Result<Place, AdmissionError> {
    let (institution, account) = (facts.institution, &facts.account);
    let appeal = match record.kind() {
        Kind::Decision => {
            let read: Decision = record.read().map_err(malformed)?;
            if let Some(application) = read.application {
                return Ok(application.into());
            }
            let place = Place::read(read.appeal);
            let found = own(view, place, account, institution, Kind::Appeal)?;
            let expected = "the place of an appeal of this learner at this institution";
            found.ok_or_else(|| Rejection::new(Rule::NotOpen, expected, place.to_string()))?.record
        }
        _ => record.clone(),
    };
    appealed(view, institution, &appeal.read().map_err(malformed)?, account)
}

/// The application whose decision an appeal objects to.
fn appealed(
    view: &impl View,
    institution: InstitutionId,
    appeal: &Appeal,
    account: &AccountId,
) -> Result<Place, AdmissionError> {
    let place = Place::read(appeal.decision);
    let found = own(view, place, account, institution, Kind::Decision)?;
    let application = found.and_then(|found| found.record.read::<Decision>().ok()?.application);
    let expected = "the place of a decision of this institution on an application of this learner";
    let refuse = || Rejection::new(Rule::NotOpen, expected, place.to_string()).field("decision");
    Ok(application.map(Place::from).ok_or_else(refuse)?)
}

fn open_case(
    view: &impl View,
    institution: InstitutionId,
    place: Place,
    account: &AccountId,
    field: &'static str,
) -> Result<Case, AdmissionError> {
    let case = case::read(view, account, institution, place)?;
    let expected = "the place of an application of this learner at this institution";
    Ok(case.ok_or_else(|| Rejection::new(Rule::NotOpen, expected, place.to_string()).field(field))?)
}

/// Checks a decision against its case; returns the case's place and what the decision depends on.
pub(super) fn decision(
    view: &impl View,
    issuing: Issuing,
    decision: &Decision,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<(Place, Vec<Place>), AdmissionError> {
    let case = case_of(view, issuing.institution, decision, account)?;
    stays(view, amends, case.place, account)?;
    // An amended decision is judged as if it came where the former one stood.
    let (case, behind) = case.before(amends);
    let law = case.deadline(view.registry());
    let law =
        law.ok_or_else(|| Rejection::new(Rule::UnknownReference, "a legal deadline", &case.application.deadline))?;
    let latest = issuing.latest_day();
    let decided = past_day(decision.decided.as_ref(), "decided", latest)?;
    let Stage::Open { due, appeal, stopped, put_off } = case.stage(law) else {
        let expected = "an application or an appeal that is open";
        return Err(Rejection::new(Rule::NotOpen, expected, case.place.to_string()).field("application").into());
    };
    let asked = decision.appeal.map(Place::from);
    // An amendment may name the appeal as it stood first.
    let same = appeal == asked
        || amends.is_some() && appeal.map(|place| case.first(place)) == asked.map(|place| case.first(place));
    require(same, Rule::NotOpen, "appeal", "what is open", "another step of the case")?;
    between(&case, &behind, decided, "decided")?;
    kept(view, decision, amends, &behind)?;
    present(!decision.decider.is_empty(), "decider", "the person who answers for it")?;
    content(decision, &case, stopped)?;
    courses(view.registry(), issuing.institution, decision)?;
    self::put_off(decision, law, due.filter(|due| decided <= *due && !put_off && !stopped && asked.is_none()))?;
    let notified = notified(decision, law, decided, latest)?;
    // An amendment that says nothing new of how it was made known gives nobody more time, or less.
    let former = amends.map(|place| view.content_at(place)).transpose()?.flatten();
    let former = former.and_then(|(_, record)| record.read::<Decision>().ok());
    let former = former.filter(|former| case::same_notice(former, decision));
    let until = match former {
        Some(former) => former.appeal_until,
        None => case::appeal_until(decision, law, notified, issuing.day()).map(date_of),
    };
    appeal_time(decision, law, until)?;
    let mut depends: Vec<Place> = vec![case.place];
    depends.extend(asked);
    depends.extend(case.application.records.iter().filter_map(|reference| reference.place).map(Place::from));
    Ok((case.place, depends))
}

/// An amendment is of a step of its own case.
fn stays(view: &impl View, amends: Option<Place>, case: Place, account: &AccountId) -> Result<(), AdmissionError> {
    let Some((facts, record)) = amends.map(|place| view.content_at(place)).transpose()?.flatten() else {
        return Ok(());
    };
    if facts.account != *account || !matches!(record.kind(), Kind::Decision | Kind::Appeal) {
        return Ok(());
    }
    let former = case_named(view, &facts, &record)?;
    Ok(require(former == case, Rule::Contradiction, "amends", "a step of the same case", former)?)
}

/// Steps follow each other: by no day before the last one, and for an amendment by none after the next one.
fn between(case: &Case, behind: &[Step], day: Day, field: &'static str) -> Result<(), Rejection> {
    let shown = |day: Day| crate::dates::show(&date_of(day));
    let first = case.day();
    let expected = format_args!("no day before the last step of the case, {}", shown(first));
    require(day >= first, Rule::InvalidDate, field, expected, shown(day))?;
    let next = behind.iter().map(Step::day).min();
    let expected = format_args!("no day after the next step of the case, {}", next.map_or(String::new(), shown));
    require(next.is_none_or(|next| day <= next), Rule::InvalidDate, field, expected, shown(day))
}

/// What others have built on stays: once a step has followed, an amendment keeps the type and, of a decision that decides,
/// all but how it was made known.
fn kept(view: &impl View, decision: &Decision, amends: Option<Place>, behind: &[Step]) -> Result<(), AdmissionError> {
    let former = amends.filter(|_| !behind.is_empty()).map(|place| view.content_at(place)).transpose()?.flatten();
    let Some(former) = former.and_then(|(_, record)| record.read::<Decision>().ok()) else { return Ok(()) };
    let kind = DecisionType::try_from(former.r#type).unwrap_or_default();
    let expected = "the type of the amended decision, on which a step has followed";
    let found = names::of(decision.r#type());
    require(former.r#type == decision.r#type, Rule::Contradiction, "type", expected, found)?;
    let core = |of: &Decision| Decision {
        learner: Vec::new(),
        amends: None,
        channel: 0,
        notified: None,
        arrived: None,
        appeal_until: None,
        appeal_untold: false,
        appeal: None,
        ..of.clone()
    };
    let same = !case::is_final(kind) || core(&former) == core(decision);
    let expected = "what was decided: once it is appealed, only how it was made known is amended";
    Ok(require(same, Rule::Contradiction, "amends", expected, "another decision")?)
}

/// What a decision of each type must say.
fn content(decision: &Decision, case: &Case, stopped: bool) -> Result<(), Rejection> {
    let kind = DecisionType::try_from(decision.r#type).unwrap_or_default();
    present(kind != DecisionType::Unspecified, "type", "what is decided")?;
    present(!case::is_final(kind) || !decision.legal_basis.is_empty(), "legal_basis", "the legal basis")?;
    let shown = decision.differences.iter().all(|one| one.r#type != 0 && !one.reason.is_empty());
    present(shown, "differences", "type and reason of each difference")?;
    match kind {
        DecisionType::Refused => {
            let expected = "the substantial difference for which it is refused";
            present(!decision.differences.is_empty(), "differences", expected)
        }
        DecisionType::Partial => {
            let asked = |place: &pb::Place| case.application.records.iter().any(|one| one.place == Some(*place));
            present(!decision.recognised.is_empty(), "recognised", "what is recognised")?;
            let odd = decision.recognised.iter().find(|place| !asked(place));
            let expected = "records of the application";
            let found = odd.map_or(String::new(), |place| Place::from(*place).to_string());
            require(odd.is_none(), Rule::SourceNotUsable, "recognised", expected, found)
        }
        DecisionType::Alternative => present(!decision.alternative.is_empty(), "alternative", "what instead"),
        DecisionType::Conditional => {
            let full = decision.conditions.iter().all(|one| one.r#type != 0 && !one.text.is_empty());
            present(full && !decision.conditions.is_empty(), "conditions", "type and text of each condition")
        }
        DecisionType::DocumentsMissing => {
            present(!decision.missing_documents.is_empty(), "missing_documents", "which documents are missing")?;
            require(!stopped, Rule::NotOpen, "type", "a clock that runs", "one that stands still already")
        }
        DecisionType::DocumentsReceived => {
            require(stopped, Rule::NotOpen, "type", "a clock that stands still", "one that runs")
        }
        DecisionType::PutOff => present(!decision.reasons.is_empty(), "reasons", "why it is put off"),
        DecisionType::Full | DecisionType::CannotBeVerified | DecisionType::Withdrawn | DecisionType::Unspecified => {
            Ok(())
        }
    }
}

/// The courses of an advance decision, which is on an application and grants something: of other institutions of the
/// registry, with code and title.
fn courses(registry: &Registry, institution: InstitutionId, decision: &Decision) -> Result<(), Rejection> {
    let field = "courses";
    let free = decision.courses.is_empty() || decision.application.is_some() && case::grants(decision.r#type());
    let expected = "none, unless something is granted on an application";
    require(free, Rule::Contradiction, field, expected, decision.courses.len())?;
    for one in &decision.courses {
        let other = InstitutionId(one.institution);
        let known = other != institution && registry.institution(other).is_some();
        let expected = "another institution of the registry";
        require(known, Rule::UnknownReference, field, expected, one.institution)?;
        super::fields::course(one.course.as_ref(), true).map_err(|rejection| rejection.field(field))?;
    }
    Ok(())
}

/// A decision is put off once, before it is due, and as far as the law lets it. `due` is the last day in time of a decision
/// that can be put off.
fn put_off(decision: &Decision, law: &pb::LegalDeadline, due: Option<Day>) -> Result<(), Rejection> {
    let until = decision.put_off_until.as_ref();
    if decision.r#type != i32::from(DecisionType::PutOff) {
        let found = until.map_or(String::new(), crate::dates::show);
        return require(until.is_none(), Rule::Contradiction, "put_off_until", "no day without putting it off", found);
    }
    let until = until.filter(|until| until.day != 0);
    let missing =
        || Rejection::new(Rule::MissingField, "the day until which it is put off", "none").field("put_off_until");
    let until = first_day(until.ok_or_else(missing)?);
    let expected = "an open application, in time, whose clock runs, and which was not put off before";
    let due = due.ok_or_else(|| Rejection::new(Rule::NotOpen, expected, "another one").field("type"))?;
    let last = law.extension.as_ref().map(|term| deadline::end_of(term, due, law));
    let lets = last.is_some() || law.extension_reasonable;
    require(lets, Rule::Contradiction, "type", "a law that lets a decision be put off", &law.code)?;
    let shown = |day: Day| crate::dates::show(&date_of(day));
    let within = until > due && last.is_none_or(|last| until <= last);
    let expected = last.map_or(format!("a day after {}", shown(due)), |last| {
        format!("a day after {}, until {}", shown(due), shown(last))
    });
    require(within, Rule::Contradiction, "put_off_until", expected, shown(until))
}

/// The day on which a decision counts as notified; `None` while nothing says that it was made known.
fn notified(decision: &Decision, law: &pb::LegalDeadline, decided: Day, latest: Day) -> Result<Option<Day>, Rejection> {
    let known = decision.channel != 0;
    present(!known || decision.notified.is_some(), "notified", "the day on which it was posted, sent or handed over")?;
    present(known || decision.notified.is_none(), "channel", "letter, electronic, portal or delivered")?;
    let arrived = decision.arrived.as_ref();
    require(known || arrived.is_none(), Rule::Contradiction, "arrived", "nothing before it is made known", "a day")?;
    if !known {
        return Ok(None);
    }
    let day = past_day(decision.notified.as_ref(), "notified", latest)?;
    require(day >= decided, Rule::InvalidDate, "notified", "no day before the decision", "an earlier one")?;
    let arrived = arrived.map(|arrived| past_day(Some(arrived), "arrived", latest)).transpose()?;
    let later = arrived.is_none_or(|arrived| arrived >= day);
    require(later, Rule::InvalidDate, "arrived", "no day before it was sent", "an earlier one")?;
    Ok(Some(deadline::counts_as_notified(law, decision.channel(), day, arrived)))
}

/// The last day of an appeal and its instance are the law's.
fn appeal_time(decision: &Decision, law: &pb::LegalDeadline, until: Option<Date>) -> Result<(), Rejection> {
    let shown = |date: &Option<Date>| date.as_ref().map_or("none".to_owned(), crate::dates::show);
    let same = decision.appeal_until == until;
    let found = shown(&decision.appeal_until);
    require(same, Rule::Contradiction, "appeal_until", format_args!("{} (the law's)", shown(&until)), found)?;
    let instance = if case::is_appealable(decision) { law.appeal_instance.as_str() } else { "" };
    let same = decision.appeal_instance == instance;
    require(same, Rule::Contradiction, "appeal_instance", "the law's, where there is one", &decision.appeal_instance)
}

/// Checks an appeal against its case; returns the case's place and what the appeal depends on.
pub(super) fn appeal(
    view: &impl View,
    issuing: Issuing,
    appeal: &Appeal,
    amends: Option<&Amends>,
    account: &AccountId,
) -> Result<(Place, Vec<Place>), AdmissionError> {
    let application = appealed(view, issuing.institution, appeal, account)?;
    let case = open_case(view, issuing.institution, application, account, "decision")?;
    let former = amends.map(|amends| Place::read(amends.place));
    stays(view, former, application, account)?;
    let (case, behind) = case.before(former);
    present(!appeal.grounds.is_empty(), "grounds", "why the decision is wrong")?;
    let received = past_day(appeal.received.as_ref(), "received", issuing.latest_day())?;
    let law = case.deadline(view.registry());
    let stage = law.map(|law| case.stage(law));
    let Some(Stage::Decided { decision, appeal: time }) = stage else {
        let expected = "a decision that ends the application and was not appealed";
        return Err(Rejection::new(Rule::NotOpen, expected, application.to_string()).field("decision").into());
    };
    let asked = Place::read(appeal.decision);
    let same = decision == asked || former.is_some() && case.first(decision) == case.first(asked);
    require(same, Rule::NotOpen, "decision", "the decision that stands", asked)?;
    between(&case, &behind, received, "received")?;
    let last = match time {
        AppealTime::None => {
            let expected = "a decision against which an appeal is possible";
            return Err(Rejection::new(Rule::NotOpen, expected, asked.to_string()).field("decision").into());
        }
        AppealTime::Open => None,
        AppealTime::Until(until) => Some(until),
    };
    late::appeal(appeal.late.as_ref(), received, last)?;
    Ok((application, vec![decision]))
}

//! Applications, decisions and appeals.

use creditbank_protocol::pb::{self, Amends, Appeal, Application, Date, Decision, DecisionType, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::case::{self, Case, Stage, Step};
use super::derived::Issuing;
use super::fields::{present, require};
use super::kinds::malformed;
use super::used::{named, own};
use super::{AdmissionError, BlockFacts};
use crate::dates::{Day, date_of, first_day};
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
    require(fits, Rule::Contradiction, "deadline", format_args!("a deadline that holds in {country}"), &law.country)
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
        records.push(named(view, Some(reference), account, "records")?.place);
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
    let mut case = case_of(view, issuing.institution, decision, account)?;
    // An amended decision is judged as if it came where the former one stood.
    case.steps.retain(|step| !matches!(step, Step::Decision(place, _) if Some(*place) == amends));
    let law = case.deadline(view.registry());
    let law =
        law.ok_or_else(|| Rejection::new(Rule::UnknownReference, "a legal deadline", &case.application.deadline))?;
    let decided = past_day(decision.decided.as_ref(), "decided", issuing.latest_day())?;
    let Stage::Open { due, appeal } = case.stage(law) else {
        let expected = "an application or an appeal that is open";
        return Err(Rejection::new(Rule::NotOpen, expected, case.place.to_string()).field("application").into());
    };
    let asked = decision.appeal.map(Place::from);
    require(appeal == asked, Rule::NotOpen, "appeal", "what is open", "another step of the case")?;
    let received = case.application.received.as_ref().map_or(0, first_day);
    require(decided >= received, Rule::InvalidDate, "decided", "a day after the application", "an earlier one")?;
    present(!decision.decider.is_empty(), "decider", "the person who answers for it")?;
    content(decision, &case, due.is_none())?;
    appeal_days(decision, law, decided)?;
    let mut depends: Vec<Place> = vec![case.place];
    depends.extend(asked);
    depends.extend(case.application.records.iter().filter_map(|reference| reference.place).map(Place::from));
    Ok((case.place, depends))
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
        DecisionType::Full | DecisionType::CannotBeVerified | DecisionType::Withdrawn | DecisionType::Unspecified => {
            Ok(())
        }
    }
}

/// The last day of an appeal and its instance are the law's.
fn appeal_days(decision: &Decision, law: &pb::LegalDeadline, decided: Day) -> Result<(), Rejection> {
    let kind = DecisionType::try_from(decision.r#type).unwrap_or_default();
    let open = case::is_final(kind)
        && kind != DecisionType::Withdrawn
        && decision.application.is_some()
        && law.appeal_days > 0;
    let until = open.then(|| date_of(decided + Day::from(law.appeal_days)));
    let shown = |date: &Option<Date>| date.as_ref().map_or("none".to_owned(), crate::dates::show);
    let same = decision.appeal_until == until;
    let found = shown(&decision.appeal_until);
    require(same, Rule::Contradiction, "appeal_until", format_args!("{} (the law's)", shown(&until)), found)?;
    let instance = if open { law.appeal_instance.as_str() } else { "" };
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
    let mut case = open_case(view, issuing.institution, application, account, "decision")?;
    let former = amends.map(|amends| Place::read(amends.place));
    case.steps.retain(|step| !matches!(step, Step::Appeal(place, _) if Some(*place) == former));
    present(!appeal.grounds.is_empty(), "grounds", "why the decision is wrong")?;
    let received = past_day(appeal.received.as_ref(), "received", issuing.latest_day())?;
    let law = case.deadline(view.registry());
    let stage = law.map(|law| case.stage(law));
    let Some(Stage::Decided { decision, appeal_until }) = stage else {
        let expected = "a decision that ends the application and was not appealed";
        return Err(Rejection::new(Rule::NotOpen, expected, application.to_string()).field("decision").into());
    };
    let asked = Place::read(appeal.decision);
    require(decision == asked, Rule::NotOpen, "decision", "the decision that stands", asked)?;
    let last = appeal_until.map_or("no appeal is possible".to_owned(), |day| crate::dates::show(&date_of(day)));
    let in_time = appeal_until.is_some_and(|until| received <= until);
    require(in_time, Rule::NotOpen, "received", format_args!("an appeal until {last}"), "a later one")?;
    Ok((application, vec![decision]))
}

//! Enrolments: that a learner is, was, or is to be enrolled on a programme.

use creditbank_protocol::pb::{self, Enrolment, EnrolmentState, Kind};
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::fields::{present, require};
use super::kinds::malformed;
use super::used::{named, standing};
use super::{AdmissionError, BlockFacts, fields};
use crate::dates::{first_day, last_day, show};
use crate::qualification::{HeldEnrolment, confers};
use crate::{Registry, Rejection, Rule, View, plausible};

/// How far ahead of the seal an enrolment may begin.
const AHEAD_MONTHS_MAX: u32 = 12;

/// Checks the fields of an enrolment.
pub(super) fn fields(block: &BlockFacts<'_>, enrolment: &Enrolment) -> Result<(), Rejection> {
    let programme = enrolment.programme.as_ref();
    fields::course(programme, true).map_err(|rejection| rejection.field("programme"))?;
    let missing = || Rejection::new(Rule::MissingField, "the first day", "nothing").field("from");
    let from = enrolment.from.as_ref().ok_or_else(missing)?;
    let state = enrolment.state();
    present(state != EnrolmentState::Unspecified, "state", "a state")?;
    let (first, latest) = (first_day(from), block.latest_day());
    // Only who is registered may begin later.
    if state == EnrolmentState::Registered {
        plausible::begins(from, latest, AHEAD_MONTHS_MAX, "from")?;
    } else {
        plausible::happened(from, latest, "from")?;
    }
    let ended = matches!(state, EnrolmentState::Withdrawn | EnrolmentState::Completed | EnrolmentState::Excluded);
    present(!ended || enrolment.until.is_some(), "until", "the last day of what has ended")?;
    if let Some(until) = &enrolment.until {
        let ordered = first <= last_day(until);
        require(ordered, Rule::InvalidDate, "until", "a day not before the first one", show(until))?;
        if ended {
            plausible::happened(until, latest, "until")?;
        } else {
            plausible::planned_end(until, first, latest, "until")?;
        }
    }
    Ok(())
}

/// The definition that an enrolment names is one that the institution confers.
pub(super) fn definition(
    registry: &Registry,
    institution: InstitutionId,
    enrolment: &Enrolment,
) -> Result<(), Rejection> {
    let Some(name) = &enrolment.definition else { return Ok(()) };
    let found = super::award::definition(registry, Some(name))?;
    let expected = "a qualification that the institution confers";
    let shown = format_args!("{}/{}.{}", name.institution, name.code, name.version);
    require(confers(found, institution), Rule::NotThePublisher, "definition", expected, shown)
}

/// The enrolments that an award names: they stand, are at an institution that confers it, and on its definition where they
/// name one. What the award had named `before` it was amended need not stand any more.
pub(super) fn named_by(
    view: &impl View,
    award: &pb::Award,
    definition: &pb::QualificationDefinition,
    before: Option<&pb::Award>,
    account: &AccountId,
) -> Result<Vec<(Place, HeldEnrolment)>, AdmissionError> {
    let mut found: Vec<(Place, HeldEnrolment)> = Vec::with_capacity(award.enrolments.len());
    for reference in &award.enrolments {
        let used = named(view, Some(reference), account, "enrolments")?;
        let expected = "an enrolment at an institution that confers the qualification";
        let fits = used.record.kind() == Kind::Enrolment && confers(definition, used.facts.institution);
        require(fits, Rule::SourceNotUsable, "enrolments", expected, used.place)?;
        if !before.is_some_and(|before| before.enrolments.contains(reference)) {
            standing(view, &used, "enrolments")?;
        }
        let ascends = found.last().is_none_or(|(before, _)| *before < used.place);
        require(ascends, Rule::Contradiction, "enrolments", "each once, ascending by place", used.place)?;
        let held = HeldEnrolment::of(&used.record.read().map_err(malformed)?);
        let expected = "an enrolment on this qualification, in whatever version";
        require(held.is_on(definition), Rule::Contradiction, "enrolments", expected, used.place)?;
        found.push((used.place, held));
    }
    Ok(found)
}

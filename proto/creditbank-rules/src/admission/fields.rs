//! What single fields must hold.

use creditbank_protocol::pb::{Course, Date, Hours, HoursKind, Level, Period, Site};
use creditbank_protocol::{AccountId, Alias, InstitutionId};

use crate::codes::{is_country, is_field};
use crate::dates::{Day, first_day, last_day, period_days};
pub(super) use crate::rejection::{present, require};
use crate::{Registry, Rejection, Rule, View, plausible};

/// Most days between the end of the period and the end of an embargo.
const EMBARGO_DAYS_MAX: Day = 400;

/// The account behind the record's alias.
pub(super) fn learner(view: &impl View, institution: InstitutionId, alias: &[u8]) -> Result<AccountId, Rejection> {
    let unknown =
        || Rejection::new(Rule::UnknownAlias, "an alias given to this institution", "another").field("learner");
    let alias = Alias::from_slice(alias).ok_or_else(unknown)?;
    let learner = view.learner(institution, &alias).ok_or_else(unknown)?;
    require(learner.open, Rule::AccountNotOpen, "learner", "an open account", "one that is not")?;
    Ok(learner.account)
}

pub(super) fn course(course: Option<&Course>, code: bool) -> Result<String, Rejection> {
    let course = course.ok_or_else(|| Rejection::new(Rule::MissingField, "a course", "nothing").field("course"))?;
    present(!code || !course.code.is_empty(), "course", "a course code")?;
    let complete = course.titles.iter().all(|title| !title.value.is_empty() && !title.language.is_empty());
    present(complete && !course.titles.is_empty(), "course", "at least one title, each with its language")?;
    Ok(course.code.clone())
}

/// Most characters of a name that an institution gives to a term or a session.
const NAME_CHARS_MAX: usize = 64;

/// A name that an institution gives to a term or a session; it may be absent.
pub(super) fn named(name: &str, field: &'static str) -> Result<(), Rejection> {
    let found = name.chars().count();
    require(found <= NAME_CHARS_MAX, Rule::InvalidCode, field, "at most 64 characters", found)
}

/// First and last day of the period.
pub(super) fn period(period: Option<&Period>) -> Result<(Day, Day), Rejection> {
    present(period.is_some(), "period", "a period")?;
    let days = period.and_then(period_days);
    let shown = |date: Option<&Date>, what: &str| date.map_or(format!("no {what} day"), crate::dates::show);
    let found = || {
        let (from, until) = period.map_or((None, None), |period| (period.from.as_ref(), period.until.as_ref()));
        format!("{} and {}", shown(from, "first"), shown(until, "last"))
    };
    days.ok_or_else(|| Rejection::new(Rule::InvalidDate, "a first and a last day in order", found()).field("period"))
}

/// The last day of a period that need not be stated, and may be `planned`.
pub(super) fn stated_period(stated: Option<&Period>, latest: Day, planned: bool) -> Result<Option<Day>, Rejection> {
    let Some(stated) = stated else { return Ok(None) };
    let (first, last) = period(Some(stated))?;
    plausible::period(first, last, latest, planned)?;
    Ok(Some(last))
}

/// Expiry and embargo against the end of the period; an embargo without a period is counted from the block.
pub(super) fn after_period(
    expires: Option<&Date>,
    visible: Option<&Date>,
    end: Option<Day>,
    latest: Day,
) -> Result<(), Rejection> {
    let later = expires.zip(end).is_none_or(|(expires, end)| last_day(expires) > end);
    require(later, Rule::InvalidDate, "expires", "a date after the period", "an earlier one")?;
    plausible::expires(expires, latest)?;
    plausible::visible_from(visible)?;
    let days = visible.map_or(0, |visible| first_day(visible) - end.unwrap_or(latest));
    let expected = "at most 400 days after the end of the period";
    require(days <= EMBARGO_DAYS_MAX, Rule::EmbargoTooLong, "visible_from", expected, format_args!("{days} days"))
}

pub(super) fn codes(field: &str, place: Option<&Site>) -> Result<(), Rejection> {
    let known = field.is_empty() || is_field(field);
    require(known, Rule::InvalidCode, "field", "two to four digits (ISCED-F 2013)", field)?;
    let country = place.map_or("", |place| place.country.as_str());
    require(country.is_empty() || is_country(country), Rule::InvalidCode, "place", "two capital letters", country)
}

pub(super) fn level(registry: &Registry, level: Option<&Level>) -> Result<(), Rejection> {
    let known = level.is_none_or(|level| registry.has_level(level));
    let (framework, code) = level.map_or(("", ""), |level| (&level.framework, &level.level));
    let found = format_args!("{framework} {code}");
    require(known, Rule::UnknownLevel, "level", "a level of a framework of the registry", found)
}

pub(super) fn hours(hours: Option<&Hours>) -> Result<(), Rejection> {
    let kind = hours.map(|hours| HoursKind::try_from(hours.kind).unwrap_or_default());
    present(kind != Some(HoursKind::Unspecified), "hours", "contact or workload hours")
}

//! Accreditation, judged at the end of the period of study.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb;

use crate::dates::{Day, within};
use crate::{Registry, Rejection, Rule};

/// Refuses a credit that no accreditation of the institution covers.
pub(super) fn check(
    registry: &Registry,
    institution: InstitutionId,
    credit: &pb::Credit,
    end: Day,
) -> Result<(), Rejection> {
    let course = credit.course.as_ref().map_or("", |course| course.code.as_str());
    if registry.accreditations(institution).any(|entry| covers(entry, credit, course, end)) {
        return Ok(());
    }
    let level =
        credit.level.as_ref().map_or("not stated".to_owned(), |level| format!("{} {}", level.framework, level.level));
    let field = if credit.field.is_empty() { "not stated" } else { &credit.field };
    let until = credit.period.as_ref().and_then(|period| period.until.as_ref()).map(crate::dates::show);
    let found = format!("none for level {level}, field {field}, at {}", until.unwrap_or_default());
    let expected = "an accreditation in force at the end of the period, for level, field, mode, course and site";
    Err(Rejection::new(Rule::NotAccredited, expected, found))
}

/// Whether an accreditation covers the credit. An empty scope covers all; a stated one does not cover what is not stated.
fn covers(entry: &pb::Accreditation, credit: &pb::Credit, course: &str, end: Day) -> bool {
    let site = credit.place.as_ref().map_or("", |place| place.name.as_str());
    within(end, entry.from.as_ref(), entry.until.as_ref())
        && (entry.levels.is_empty() || credit.level.as_ref().is_some_and(|level| entry.levels.contains(level)))
        && (entry.fields.is_empty() || entry.fields.iter().any(|field| credit.field.starts_with(field.as_str())))
        && (entry.modes.is_empty() || entry.modes.contains(&credit.mode))
        && (entry.programmes.is_empty() || entry.programmes.iter().any(|code| course.starts_with(code.as_str())))
        && (entry.sites.is_empty() || entry.sites.iter().any(|one| one == site))
}

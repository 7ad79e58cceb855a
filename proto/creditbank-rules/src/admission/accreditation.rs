//! Accreditation, judged at the end of the period of study.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::accreditation::covers;
use creditbank_protocol::pb;

use crate::dates::Day;
use crate::{Registry, Rejection, Rule};

/// Refuses a credit that no accreditation of the institution covers.
pub(super) fn check(
    registry: &Registry,
    institution: InstitutionId,
    credit: &pb::Credit,
    end: Day,
) -> Result<(), Rejection> {
    if registry.accreditations(institution).any(|entry| covers(entry, credit, end)) {
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

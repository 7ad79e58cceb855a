//! Accreditation, judged at the end of the period of study.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::accreditation::covers;
use creditbank_protocol::pb;

use crate::dates::{Day, show};
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
    let until = credit.period.as_ref().and_then(|period| period.until.as_ref()).map(show);
    let until = until.unwrap_or_default();
    // What there is says best what the record lacks.
    let at_hand: Vec<String> = registry.accreditations(institution).take(3).map(words).collect();
    let at_hand = if at_hand.is_empty() { "no accreditation at all".to_owned() } else { at_hand.join("; ") };
    let found = format!("level {level}, field {field}, at {until}; the institution has {at_hand}");
    let expected = "an accreditation in force at the end of the period, for level, field, mode, course and site";
    Err(Rejection::new(Rule::NotAccredited, expected, found))
}

/// An accreditation in words: its number, for what, and when.
fn words(entry: &pb::Accreditation) -> String {
    let levels: Vec<String> = entry.levels.iter().map(|one| format!("{} {}", one.framework, one.level)).collect();
    let (from, until) = (entry.from.as_ref().map(show), entry.until.as_ref().map(show));
    let parts = [
        (!levels.is_empty()).then(|| format!("for {}", levels.join(", "))),
        (!entry.fields.is_empty()).then(|| format!("fields {}", entry.fields.join(", "))),
        from.map(|from| format!("from {from}")),
        until.map(|until| format!("until {until}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("number {} {}", entry.number, parts.join(" ")).trim_end().to_owned()
}

//! When an agreement is in force: judged on a day, from its dates, endings, later versions and replacements.

use creditbank_protocol::pb::AgreementName;

use crate::dates::{Day, first_day, last_day};
use crate::{Agreement, Registry};

/// First and last day on which conversions are made under a version of an agreement, both included; `None` when it was not
/// accepted or there is no such day. It ends with its own last day, with the day that a notice names, on the day before an
/// accepted later version of its code begins, or before an accepted agreement begins that names it as replaced. What has
/// been replaced stays replaced, also when the newer one has ended.
pub fn days_in_force(registry: &Registry, agreement: &Agreement) -> Option<(Day, Day)> {
    agreement.acceptance.as_ref()?;
    let terms = agreement.terms();
    let from = terms.from.as_ref().map_or(Day::MIN, first_day);
    let until = terms.until.as_ref().map_or(Day::MAX, last_day);
    let ends = agreement.ending.as_ref().and_then(|ending| ending.ends.as_ref()).map_or(Day::MAX, last_day);
    let replaced = registry.agreements().filter(|other| replaces(other, &terms.code, terms.version));
    let replaced = replaced.filter_map(|other| other.terms().from.as_ref()).map(|from| first_day(from) - 1).min();
    let last = until.min(ends).min(replaced.unwrap_or(Day::MAX));
    (from <= last).then_some((from, last))
}

fn replaces(newer: &Agreement, code: &str, version: u32) -> bool {
    let terms = newer.terms();
    let names = |name: &AgreementName| name.code == code && name.version == version;
    newer.acceptance.is_some() && (terms.code == code && terms.version > version || terms.replaces.iter().any(names))
}

/// Whether a version of an agreement is in force on a day.
pub fn in_force(registry: &Registry, code: &str, version: u32, day: Day) -> bool {
    let found = registry.agreement(code, version);
    let days = found.and_then(|agreement| days_in_force(registry, agreement));
    days.is_some_and(|(from, last)| (from..=last).contains(&day))
}

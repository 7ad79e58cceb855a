//! Which credits an accreditation covers (RULES.md, section 15).

use crate::course_code::key;
use crate::dates::{Day, last_day, within};
use crate::pb;

/// Whether an accreditation covers a credit whose period ends on a day. An empty scope covers all; a stated one does
/// not cover what is not stated.
pub fn covers(entry: &pb::Accreditation, credit: &pb::Credit, end: Day) -> bool {
    let course = credit.course.as_ref().map_or("", |course| course.code.as_str());
    let site = credit.place.as_ref().map_or("", |place| place.name.as_str());
    within(end, entry.from.as_ref(), entry.until.as_ref())
        && (entry.levels.is_empty() || credit.level.as_ref().is_some_and(|level| entry.levels.contains(level)))
        && (entry.fields.is_empty() || entry.fields.iter().any(|field| credit.field.starts_with(field.as_str())))
        && (entry.modes.is_empty() || entry.modes.contains(&credit.mode))
        && (entry.programmes.is_empty() || begins(course, &entry.programmes))
        && (entry.sites.is_empty() || entry.sites.iter().any(|one| one == site))
}

/// The last day of a credit's period, as far as it is stated.
pub fn end_of(credit: &pb::Credit) -> Option<Day> {
    Some(last_day(credit.period.as_ref()?.until.as_ref()?))
}

/// Whether a course is among the programmes: its key begins with the key of one of them. Aliases do not count, as nobody
/// widens an accreditation by calling a course something else.
fn begins(course: &str, programmes: &[String]) -> bool {
    let course = key(course);
    programmes.iter().any(|prefix| course.starts_with(&key(prefix)))
}

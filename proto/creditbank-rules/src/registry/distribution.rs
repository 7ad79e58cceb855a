//! Grade distributions: counts of grades, best first. What was published stands, so that a conversion is always recomputed
//! from the same counts.

use creditbank_protocol::pb::{Cycle, GradeDistribution, GradeScale};

use super::Registry;
use super::admit::{dates, present, require};
use super::rank::{Rank, rank};
use crate::codes::is_field;
use crate::dates::{Day, last_day};
use crate::plausible::happened;
use crate::{Rejection, Rule};

type Checked = Result<(), Rejection>;

/// Fewest results of a distribution, so that none points at a person.
pub(crate) const RESULTS_MIN: u64 = 10;
/// Sums stay below this, so that shares are fractions of the schema.
const RESULTS_BELOW: u64 = 10_000_000_000;

pub(super) fn check(registry: &Registry, entry: &GradeDistribution, latest: Day) -> Checked {
    let before = registry.distributions(entry.institution.into()).any(|other| other.number == entry.number);
    require(!before, Rule::Permanent, "number", "a number that was not published yet", entry.number)?;
    let unknown = || Rejection::new(Rule::UnknownGrade, "a grade scale of the registry", &entry.scale).field("scale");
    let scale = registry.scale(&entry.scale).ok_or_else(unknown)?;
    let known = entry.field.is_empty() || is_field(&entry.field);
    require(known, Rule::InvalidCode, "field", "two to four digits (ISCED-F)", &entry.field)?;
    let cycle = Cycle::try_from(entry.cycle).unwrap_or_default();
    present(cycle != Cycle::Unspecified, "cycle", "the cycle of the programmes")?;
    let period = entry.period.unwrap_or_default();
    present(period.from.is_some() && period.until.is_some(), "period", "a first and a last day")?;
    dates(period.from.as_ref(), period.until.as_ref(), "period")?;
    let ended = period.until.as_ref().is_some_and(|until| last_day(until) <= latest);
    require(ended, Rule::ImplausibleDate, "period", "a period that has ended", "one that goes on")?;
    period.from.as_ref().map_or(Ok(()), |from| happened(from, latest, "period"))?;
    counts(entry, scale)
}

fn counts(entry: &GradeDistribution, scale: &GradeScale) -> Checked {
    let mut last: Option<Rank> = None;
    let mut sum = 0u64;
    for one in &entry.counts {
        let unknown = || Rejection::new(Rule::UnknownGrade, "grades of the scale", &one.value).field("counts");
        let at = rank(scale, &one.value).ok_or_else(unknown)?;
        let ordered = last.is_none_or(|last| last < at);
        require(ordered, Rule::Contradiction, "counts", "each grade once, the best first", &one.value)?;
        last = Some(at);
        sum = sum.saturating_add(one.count);
    }
    let counted = |value: &str| entry.counts.iter().any(|one| one.value == value);
    let missing = scale.listed.iter().find(|grade| !counted(&grade.value));
    let found = missing.map_or(String::new(), |grade| format!("none for {}", grade.value));
    require(missing.is_none(), Rule::MissingField, "counts", "a count for every grade that the scale lists", found)?;
    let enough = (RESULTS_MIN..RESULTS_BELOW).contains(&sum);
    let expected = "at least 10 results, so that none points at a person, and less than 10000000000";
    require(enough, Rule::Contradiction, "counts", expected, sum)
}

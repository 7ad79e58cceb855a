//! The ECTS grading-table method: two distributions, laid over each other.
//!
//! Of each distribution only passing grades count. They are cumulated from the best on; a grade's range is
//! `(share of the better ones, that share and its own]`, as exact fractions. A target grade is *overlapped* when the two ranges
//! have more than a point in common: ranges that touch do not overlap. Minimum is the worst overlapped grade and maximum the
//! best; average is the target grade in whose range the middle of the source range lies. Where a range is empty, because nobody
//! got that grade, its point is looked for instead; a point on a boundary belongs to the better grade, and the point 0 to the
//! best. Target grades that nobody got are never suggested.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{DistributionName, GradeDistribution, GradeRule, GradeSteps, OverlapChoice, Ratio};
use num_rational::Ratio as Fraction;

use crate::conversion::Source;
use crate::conversion::exact::{Exact, parts, too_large};
use crate::dates::{Day, last_day};
use crate::decimal::parse_e4;
use crate::registry::rank::{Rank, rank, spell};
use crate::registry::scale::passes;
use crate::{Registry, Rejection, Rule};

/// A target grade that a source grade overlaps, and how much they have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The target grade.
    pub value: String,
    /// Share of all passing grades, exactly.
    pub common: Fraction<u128>,
}

/// The target grades that a grade overlaps, best first; none where nobody got it. `None` when the grade is not one of its scale,
/// or nobody passed.
pub fn overlaps(
    registry: &Registry,
    source: &GradeDistribution,
    value: &str,
    target: &GradeDistribution,
) -> Option<Vec<Overlap>> {
    let (from, until) = range(registry, source, value)?;
    let mut found = Vec::new();
    for one in Ranges::of(registry, target)?.rows {
        let (low, high) = (from.max(one.from), until.min(one.until));
        if low < high {
            found.push(Overlap { value: one.value.to_owned(), common: high - low });
        }
    }
    Some(found)
}

struct Row<'a> {
    value: &'a str,
    rank: Rank,
    from: Exact,
    until: Exact,
}

/// The passing grades that somebody got, best first.
struct Ranges<'a> {
    rows: Vec<Row<'a>>,
}

impl<'a> Ranges<'a> {
    fn of(registry: &Registry, distribution: &'a GradeDistribution) -> Option<Self> {
        let scale = registry.scale(&distribution.scale)?;
        let passing = distribution.counts.iter().filter(|one| one.count > 0 && passes(scale, &one.value) == Some(true));
        let passing: Vec<_> = passing.map(|one| (one, rank(scale, &one.value))).collect();
        let total: u128 = passing.iter().map(|(one, _)| u128::from(one.count)).sum();
        if total == 0 {
            return None;
        }
        let mut before = 0u128;
        let mut rows = Vec::with_capacity(passing.len());
        for (one, rank) in passing {
            let until = before + u128::from(one.count);
            let share = |count| Exact::new(count, total);
            rows.push(Row { value: &one.value, rank: rank?, from: share(before), until: share(until) });
            before = until;
        }
        Some(Self { rows })
    }

    /// The grade in whose range a point lies.
    fn at(&self, point: Exact) -> Option<&Row<'a>> {
        self.rows.iter().find(|row| point <= row.until)
    }
}

/// Where a grade lies; a point for a grade that nobody got.
fn range(registry: &Registry, distribution: &GradeDistribution, value: &str) -> Option<(Exact, Exact)> {
    let wanted = rank(registry.scale(&distribution.scale)?, value)?;
    let ranges = Ranges::of(registry, distribution)?;
    let better = ranges.rows.iter().rfind(|row| row.rank < wanted);
    let from = better.map_or(Exact::from_integer(0), |row| row.until);
    let own = ranges.rows.iter().find(|row| row.rank == wanted);
    Some((from, own.map_or(from, |row| row.until)))
}

/// What is compared.
pub(super) struct Compared<'a> {
    pub(super) registry: &'a Registry,
    pub(super) rule: &'a GradeRule,
    pub(super) source: &'a Source,
    pub(super) receiver: InstitutionId,
    pub(super) decided: Day,
}

impl Compared<'_> {
    pub(super) fn suggest(&self, value: &str, steps: &mut GradeSteps) -> Result<String, Rejection> {
        let source = self.distribution(self.source.institution, &self.rule.source_scale)?;
        let target = self.distribution(self.receiver, &self.rule.target_scale)?;
        let name =
            |found: &GradeDistribution| DistributionName { institution: found.institution, number: found.number };
        steps.source_distribution = Some(name(source));
        steps.target_distribution = Some(name(target));
        let nobody = |of: &GradeDistribution| {
            let found = format!("none in {}/{}", of.institution, of.number);
            Rejection::new(Rule::UnknownReference, "a distribution with passing grades", found).field("grade")
        };
        let (from, until) = range(self.registry, source, value).ok_or_else(|| nobody(source))?;
        steps.from = Some(ratio(&from)?);
        steps.until = Some(ratio(&until)?);
        let ranges = Ranges::of(self.registry, target).ok_or_else(|| nobody(target))?;
        let overlapped = |row: &&Row<'_>| from.max(row.from) < until.min(row.until);
        let found = match self.rule.overlap() {
            OverlapChoice::Minimum => ranges.rows.iter().rfind(overlapped),
            OverlapChoice::Maximum => ranges.rows.iter().find(overlapped),
            OverlapChoice::Average | OverlapChoice::Unspecified => None,
        };
        let middle = (from + until) / 2;
        let found = found.or_else(|| ranges.at(middle)).ok_or_else(|| nobody(target))?;
        Ok(self.spelled(found.value))
    }

    /// As the target scale writes it.
    fn spelled(&self, value: &str) -> String {
        let listed =
            |scale: &creditbank_protocol::pb::GradeScale| scale.listed.iter().any(|grade| grade.value == value);
        let scale = self.registry.scale(&self.rule.target_scale).filter(|scale| !listed(scale));
        let number = scale.zip(parse_e4(value).ok());
        number.and_then(|(scale, e4)| spell(scale, e4)).unwrap_or_else(|| value.to_owned())
    }

    /// Of the institution's distributions of this scale and cycle, with a period that ended before the decision: the one with
    /// the longest field that the source's begins with, then the latest end, then the highest number.
    fn distribution(&self, institution: InstitutionId, scale: &str) -> Result<&GradeDistribution, Rejection> {
        let end = |one: &GradeDistribution| one.period.as_ref()?.until.as_ref().map(last_day);
        let fits = |one: &&GradeDistribution| {
            one.scale == scale
                && one.cycle == self.rule.cycle
                && self.source.field.starts_with(one.field.as_str())
                && end(one).is_some_and(|end| end <= self.decided)
        };
        let all = self.registry.distributions(institution).filter(fits);
        let found = all.max_by_key(|one| (one.field.len(), end(one), one.number));
        let field = if self.source.field.is_empty() { "any" } else { &self.source.field };
        let expected = format!(
            "a distribution of {scale} by institution {institution}, of {} and field {field}, that had ended by then",
            self.rule.cycle().as_str_name()
        );
        found.ok_or_else(|| Rejection::new(Rule::UnknownReference, expected, "none published").field("grade"))
    }
}

fn ratio(exact: &Exact) -> Result<Ratio, Rejection> {
    parts(exact).ok_or_else(|| too_large("grade"))
}

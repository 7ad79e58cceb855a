//! Time of enrolment, as the enrolments that an award names have it.

use creditbank_protocol::pb::{Enrolment, EnrolmentState, QualificationDefinition, QualificationName};

use super::Candidate;
use crate::dates::{Day, first_day, last_day};

/// Most enrolments that an award names, as the schema has it.
pub const ENROLMENTS_MAX: usize = 16;

/// An enrolment of the learner that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldEnrolment {
    /// What the programme leads to, in the version that holds for this learner.
    pub definition: Option<QualificationName>,
    /// The first day.
    pub from: Day,
    /// The last day; `None`: it goes on.
    pub until: Option<Day>,
    /// Whether the time counts: not while on leave.
    pub counts: bool,
    /// Whether the learner has left: withdrawn or excluded.
    pub left: bool,
}

impl HeldEnrolment {
    /// What an enrolment says.
    pub fn of(enrolment: &Enrolment) -> Self {
        Self {
            definition: enrolment.definition.clone(),
            from: enrolment.from.as_ref().map_or(0, first_day),
            until: enrolment.until.as_ref().map(last_day),
            counts: enrolment.state() != EnrolmentState::Leave,
            left: matches!(enrolment.state(), EnrolmentState::Withdrawn | EnrolmentState::Excluded),
        }
    }

    /// Whether it may be on this qualification: it names it, in whatever version, or names none.
    pub fn is_on(&self, definition: &QualificationDefinition) -> bool {
        let same =
            |name: &QualificationName| (name.institution, &name.code) == (definition.institution, &definition.code);
        self.definition.as_ref().is_none_or(same)
    }
}

/// Since when a learner is enrolled.
pub fn enrolled_since(enrolments: &[HeldEnrolment]) -> Option<Day> {
    enrolments.iter().filter(|one| one.counts).map(|one| one.from).min()
}

/// Tells each candidate whether its period ended after the learner was enrolled.
pub fn mark_enrolled(candidates: &mut [Candidate], enrolments: &[HeldEnrolment]) {
    let since = enrolled_since(enrolments);
    for one in candidates {
        one.after_enrolment = since.zip(one.period).is_some_and(|(since, (_, end))| end > since);
    }
}

/// The time of enrolment until a day: its first and last day, and how many days between them do not count.
pub fn enrolled_time(enrolments: &[HeldEnrolment], day: Day) -> Option<((Day, Day), Day)> {
    let spell = |one: &HeldEnrolment| (one.from, one.until.map_or(day, |until| until.min(day)));
    let of = |counts: bool| {
        let mut spells: Vec<(Day, Day)> = enrolments
            .iter()
            .filter(|one| one.counts == counts)
            .map(spell)
            .filter(|(from, until)| from <= until)
            .collect();
        spells.sort_unstable();
        spells
    };
    let (counted, leaves) = (of(true), of(false));
    let (mut span, mut gaps): (Option<(Day, Day)>, Day) = (None, 0);
    for (from, until) in counted {
        // The days of this spell that no earlier one has.
        let new = span.map_or(from, |(_, last)| from.max(last + 1));
        if until < new {
            continue;
        }
        gaps += span.map_or(0, |(_, last)| new - last - 1) + covered(&leaves, new, until);
        span = Some((span.map_or(from, |(first, _)| first), until));
    }
    span.map(|span| (span, gaps))
}

/// How many days from the first to the last one lie in spells, which are in order.
fn covered(spells: &[(Day, Day)], first: Day, last: Day) -> Day {
    let (mut days, mut next) = (0, first);
    for (from, until) in spells {
        let (from, until) = ((*from).max(next), (*until).min(last));
        if from <= until {
            days += until - from + 1;
            next = until + 1;
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(from: Day, until: Option<Day>, counts: bool) -> HeldEnrolment {
        HeldEnrolment { definition: None, from, until, counts, left: false }
    }

    /// Goal: overlapping spells count once, gaps and leaves do not count, what goes on counts until the day.
    #[test]
    fn time_is_counted_once_and_without_gaps() {
        let cases: [(&[HeldEnrolment], _); 7] = [
            (&[], None),
            (&[spell(10, None, true)], Some(((10, 100), 0))),
            (&[spell(10, Some(20), true), spell(15, Some(30), true)], Some(((10, 30), 0))),
            (&[spell(10, Some(20), true), spell(31, Some(40), true)], Some(((10, 40), 10))),
            (
                &[spell(10, Some(50), true), spell(20, Some(29), false), spell(25, Some(34), false)],
                Some(((10, 50), 15)),
            ),
            (&[spell(20, Some(29), false)], None),
            (&[spell(200, None, true)], None),
        ];
        for (enrolments, expected) in cases {
            assert_eq!(enrolled_time(enrolments, 100), expected, "{enrolments:?}");
        }
    }
}

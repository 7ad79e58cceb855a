//! What an allocation gives each requirement, measured exactly.

use std::sync::LazyLock;

use creditbank_protocol::pb::{
    Attestation, Kind, Match, Origin, QualificationDefinition, QualificationName, Requirement, RequirementType,
};

use super::Candidate;
use super::counts::{Counting, Obstacle, counting};
use super::enrolment::{HeldEnrolment, enrolled_time};
use super::fraction::Fraction;
use super::grades::{GradeOrder, Point, is_at_least, order_of, point_of};
use super::matching::{matches, mismatch};
use super::months::add_months;
use super::terms::Terms;
use super::tree::Tree;
use crate::dates::{Day, is_real, last_day};
use crate::{Registry, Rejection};

/// An award that the learner holds and that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAward {
    /// The definition under which it was awarded.
    pub definition: QualificationName,
    /// The day of conferral.
    pub conferred: Day,
}

/// Everything that requirements are judged by.
pub struct Case<'a> {
    /// The tree.
    pub tree: Tree<'a>,
    /// The definition.
    pub definition: &'a QualificationDefinition,
    /// What the learner has; with each candidate, all passes of its course.
    pub candidates: &'a [Candidate],
    /// What people attest.
    pub attestations: &'a [Attestation],
    /// Awards that the learner holds.
    pub held: &'a [HeldAward],
    /// Enrolments by which the award is judged.
    pub enrolments: &'a [HeldEnrolment],
    /// The day of conferral.
    pub day: Day,
    registry: &'a Registry,
    counting: Counting,
    terms: Terms,
}

/// What was found at one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it holds.
    pub holds: bool,
    /// What it takes: positions of candidates, ascending.
    pub taken: Vec<usize>,
    /// How far it gets.
    pub measure: Measure,
}

/// How far a requirement gets. Amounts are in ten-thousandths of the definition's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// ALL, ANY: children that hold, and how many must.
    Children {
        /// That hold.
        hold: usize,
        /// That must.
        needed: usize,
    },
    /// CREDITS, `AT_LEAST`: at least so much.
    AtLeast {
        /// What matches.
        found_e4: u64,
        /// What is asked; of a share, rounded up.
        needed_e4: u64,
    },
    /// `AT_MOST`: at most so much.
    AtMost {
        /// What matches.
        found_e4: u64,
        /// What is allowed; of a share, rounded down.
        allowed_e4: u64,
    },
    /// COURSES: those that nothing fills.
    Courses {
        /// Their codes.
        missing: Vec<String>,
    },
    /// AMONG without an amount: so many of the courses, or of the records, that are asked for.
    Among {
        /// How many are there.
        found: usize,
        /// How many are asked for.
        needed: usize,
        /// Codes of the courses that are not there.
        missing: Vec<String>,
    },
    /// OUTCOME, AWARD, ATTESTATION: there or not.
    Present(bool),
    /// ENROLMENT: the first and the last day of the enrolments that are named, or else of own periods.
    Enrolment {
        /// Both days, where there is any.
        span: Option<(Day, Day)>,
        /// Days between them that do not count.
        gaps: Day,
    },
    /// AVERAGE: the mean, in ten-thousandths, where anything enters it.
    Average {
        /// Weighted by credit.
        mean_e4: Option<Fraction>,
        /// The least.
        minimum_e4: u64,
        /// Which way the scale runs.
        order: GradeOrder,
    },
    /// AGE: what is too old.
    Age {
        /// Positions of candidates.
        too_old: Vec<usize>,
    },
}

impl<'a> Case<'a> {
    /// Judges the candidates; refuses a tree that is not well-formed.
    pub fn new(
        registry: &'a Registry,
        definition: &'a QualificationDefinition,
        candidates: &'a [Candidate],
        attestations: &'a [Attestation],
        held: &'a [HeldAward],
        enrolments: &'a [HeldEnrolment],
        day: Day,
    ) -> Result<Self, Rejection> {
        let tree = Tree::of(definition)?;
        let counting = counting(registry, definition, candidates, day);
        let terms = Terms::default();
        Ok(Self { tree, definition, candidates, attestations, held, enrolments, day, registry, counting, terms })
    }

    /// The same, with what is asked beside the definition.
    #[must_use]
    pub fn with(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// What is asked beside the definition.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The registry by which it is judged.
    pub fn registry(&self) -> &'a Registry {
        self.registry
    }

    /// Why a candidate does not count, whatever is asked; `None`: it does.
    pub fn obstacle(&self, candidate: usize) -> Option<&Obstacle> {
        let found = self.counting.obstacles[candidate].as_ref();
        if found.is_none() && self.terms.kept.contains(&candidate) { Some(&Obstacle::Kept) } else { found }
    }

    /// The number of a candidate's grade for means, under the retake policy.
    pub fn point(&self, candidate: usize) -> Option<Point> {
        self.counting.passes[candidate].point
    }

    /// Which way the scale of means runs.
    pub fn order(&self) -> GradeOrder {
        let scale = self.registry.scale(&self.definition.average_scale);
        scale.map_or(GradeOrder::HigherIsBetter, |scale| order_of(scale, &self.definition.grade_points))
    }

    /// What keeps a candidate that counts from filling a requirement that takes; `None`: it fits.
    pub fn misfit(&self, requirement: usize, candidate: usize) -> Option<&'static str> {
        let (node, found) = (self.tree.node(requirement), &self.candidates[candidate]);
        let credit = found.kind != Kind::Outcome;
        match self.tree.kind(requirement) {
            RequirementType::Credits | RequirementType::Courses if !credit => Some("an outcome without credit"),
            RequirementType::Outcome if credit || i32::from(found.outcome) != node.outcome => Some("type"),
            _ => mismatch(asked(node), found).or_else(|| {
                let minimum =
                    node.minimum.as_ref().filter(|_| self.tree.kind(requirement) == RequirementType::Outcome)?;
                let holds = found.score.as_ref().is_some_and(|score| is_at_least(self.registry, score, minimum));
                (!holds).then_some("score")
            }),
        }
    }

    /// Whether an age requirement lets a candidate in: its period ended at most so many months before the day.
    pub fn is_young(&self, months: u32, candidate: usize) -> bool {
        self.candidates[candidate].period.is_some_and(|(_, end)| add_months(end, months) >= self.day)
    }

    /// The least mean of an AVERAGE requirement, as a number; where it names no grade of the scale (any more), one that
    /// no mean reaches.
    pub fn minimum(&self, requirement: usize) -> u64 {
        let minimum = self.tree.node(requirement).minimum.as_ref();
        let unreachable = match self.order() {
            GradeOrder::HigherIsBetter => u64::MAX,
            GradeOrder::LowerIsBetter => 0,
        };
        minimum.and_then(|minimum| point_of(self.registry, self.definition, minimum)).unwrap_or(unreachable)
    }

    /// Whether something that no record shows is there: an award or an attestation.
    pub fn is_present(&self, requirement: usize) -> bool {
        let node = self.tree.node(requirement);
        match self.tree.kind(requirement) {
            RequirementType::Award => {
                let one = |held: &HeldAward| {
                    held.conferred <= self.day && node.awards.iter().any(|name| names(name, &held.definition))
                };
                self.held.iter().any(one)
            }
            RequirementType::Attestation => {
                let number = Tree::number(requirement);
                self.attestations.iter().any(|found| {
                    let dated = found.on.as_ref().is_some_and(|on| is_real(on) && last_day(on) <= self.day);
                    found.requirement == number && !found.attested_by.is_empty() && dated
                })
            }
            _ => false,
        }
    }

    /// What each requirement makes of an allocation: positions of candidates per requirement. Leaves to
    /// [`super::check`] whether the allocation is allowed.
    pub fn measure(&self, taken: &[Vec<usize>]) -> Vec<Finding> {
        let below = self.tree.gather(taken);
        let mut findings: Vec<Option<Finding>> = vec![None; self.tree.size()];
        for position in (0..self.tree.size()).rev() {
            let children = self.tree.children(position).iter();
            let hold = children.filter(|child| findings[**child].as_ref().is_some_and(|found| found.holds)).count();
            let (holds, measure) = self.one(position, hold, &taken[position], &below[self.tree.scope(position)]);
            let mut taken = taken[position].clone();
            taken.sort_unstable();
            findings[position] = Some(Finding { holds, taken, measure });
        }
        findings.into_iter().flatten().collect()
    }

    fn amount(&self, positions: &[usize]) -> u64 {
        positions.iter().map(|position| self.candidates[*position].amount_e4()).sum()
    }

    /// `taken` by the node itself, `below` what it looks at.
    fn one(&self, position: usize, hold: usize, taken: &[usize], below: &[usize]) -> (bool, Measure) {
        let node = self.tree.node(position);
        let least = |found_e4: u64, needed_e4: u64| (found_e4 >= needed_e4, Measure::AtLeast { found_e4, needed_e4 });
        match self.tree.kind(position) {
            RequirementType::Unspecified => (false, Measure::Present(false)),
            RequirementType::All => {
                let needed = self.tree.children(position).len();
                (hold == needed, Measure::Children { hold, needed })
            }
            RequirementType::Any => {
                let needed = usize::try_from(node.choose).unwrap_or(usize::MAX);
                (hold >= needed, Measure::Children { hold, needed })
            }
            RequirementType::Credits => least(self.amount(taken), node.amount_e4),
            RequirementType::Courses => {
                let courses = &asked(node).courses;
                let has = |position: &usize, code: &String| self.candidates[*position].is_of(code);
                let open = |code: &&String| !taken.iter().any(|position| has(position, code));
                let missing: Vec<String> = courses.iter().filter(open).cloned().collect();
                (missing.is_empty(), Measure::Courses { missing })
            }
            RequirementType::Outcome => (!taken.is_empty(), Measure::Present(!taken.is_empty())),
            RequirementType::Award | RequirementType::Attestation => {
                let found = self.is_present(position);
                (found, Measure::Present(found))
            }
            RequirementType::Enrolment => self.enrolment(node, below),
            RequirementType::AtLeast => {
                let (found_e4, total) = self.shares(node, below);
                least(found_e4, bound(node, total, true))
            }
            RequirementType::AtMost => {
                let (found_e4, total) = self.shares(node, below);
                let allowed_e4 = bound(node, total, false);
                (found_e4 <= allowed_e4, Measure::AtMost { found_e4, allowed_e4 })
            }
            RequirementType::Average => {
                let (mean_e4, minimum_e4, order) = (self.mean(below), self.minimum(position), self.order());
                let holds = mean_e4.is_some_and(|mean| {
                    let found = mean.cmp_whole(u128::from(minimum_e4));
                    if order == GradeOrder::HigherIsBetter { found.is_ge() } else { found.is_le() }
                });
                (holds, Measure::Average { mean_e4, minimum_e4, order })
            }
            RequirementType::Age => {
                let old = below.iter().copied().filter(|position| !self.is_young(node.months, *position));
                let too_old: Vec<usize> = old.collect();
                (too_old.is_empty(), Measure::Age { too_old })
            }
            RequirementType::Among => self.among(node, below),
        }
    }

    /// What a node that looks without taking finds: credit, courses or records that match.
    fn among(&self, node: &Requirement, below: &[usize]) -> (bool, Measure) {
        let wanted = asked(node);
        let fits = |position: &usize| matches(wanted, &self.candidates[*position]);
        let matching: Vec<usize> = below.iter().copied().filter(fits).collect();
        if node.amount_e4 > 0 {
            let (found_e4, needed_e4) = (self.amount(&matching), node.amount_e4);
            return (found_e4 >= needed_e4, Measure::AtLeast { found_e4, needed_e4 });
        }
        let has = |code: &String| matching.iter().any(|position| self.candidates[*position].is_of(code));
        let missing: Vec<String> = wanted.courses.iter().filter(|code| !has(code)).cloned().collect();
        let found = if wanted.courses.is_empty() { matching.len() } else { wanted.courses.len() - missing.len() };
        let needed = among_needed(node);
        (found >= needed, Measure::Among { found, needed, missing })
    }

    /// What matches, and everything.
    fn shares(&self, node: &Requirement, below: &[usize]) -> (u64, u64) {
        let asked = asked(node);
        let matching: Vec<usize> =
            below.iter().copied().filter(|position| matches(asked, &self.candidates[*position])).collect();
        (self.amount(&matching), self.amount(below))
    }

    /// First and last day of enrolment, or of own periods where no enrolment is named: at least so many months lie from
    /// the one to the day after the other, less the days between them that do not count.
    fn enrolment(&self, node: &Requirement, below: &[usize]) -> (bool, Measure) {
        let own = below.iter().map(|position| &self.candidates[*position]).filter(|found| found.origin == Origin::Own);
        let periods = || own.filter_map(|found| found.period).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let (span, gaps) = match self.enrolments {
            [] => (periods(), 0),
            named => enrolled_time(named, self.day).map_or((None, 0), |(span, gaps)| (Some(span), gaps)),
        };
        let holds = span.is_some_and(|(first, last)| add_months(first, node.months) <= last + 1 - gaps);
        (holds, Measure::Enrolment { span, gaps })
    }

    /// Whether the enrolments that are named come to so many months; `None` where none is named.
    pub fn is_enrolled(&self, months: u32) -> Option<bool> {
        let holds = |((first, last), gaps)| add_months(first, months) <= last + 1 - gaps;
        (!self.enrolments.is_empty()).then(|| enrolled_time(self.enrolments, self.day).is_some_and(holds))
    }

    /// The mean of the grades that are numbers, weighted by credit; `None` where none is, or a part exceeds 128 bits.
    pub fn mean(&self, positions: &[usize]) -> Option<Fraction> {
        let (mut sum, mut weight) = (Fraction::ZERO, 0u128);
        for position in positions {
            let amount = u128::from(self.candidates[*position].amount_e4());
            if let Some(point) = self.point(*position) {
                sum = sum.checked_add(Fraction::new(amount * u128::from(point.sum_e4), u128::from(point.of))?)?;
                weight += amount;
            }
        }
        sum.checked_div(weight)
    }
}

/// What a requirement asks of a record; without a match, nothing.
pub(crate) fn asked(node: &Requirement) -> &Match {
    static ANYTHING: LazyLock<Match> = LazyLock::new(Match::default);
    node.r#match.as_ref().unwrap_or(&ANYTHING)
}

/// Whether a name stands for a definition; version 0 stands for every version.
pub fn names(name: &QualificationName, found: &QualificationName) -> bool {
    let version = name.version == 0 || name.version == found.version;
    version && (name.institution, &name.code) == (found.institution, &found.code)
}

/// How many courses, or records, an AMONG without an amount asks for: without `choose` each course, or one record.
pub fn among_needed(node: &Requirement) -> usize {
    match usize::try_from(node.choose).unwrap_or(usize::MAX) {
        0 => asked(node).courses.len().max(1),
        choose => choose,
    }
}

/// The amount that a share or an amount asks, rounded against the learner: the comparison of integers stays exact.
fn bound(node: &Requirement, total_e4: u64, up: bool) -> u64 {
    let Some(share) = &node.share else {
        return node.amount_e4;
    };
    let product = u128::from(total_e4) * u128::from(share.numerator);
    let denominator = u128::from(share.denominator.max(1));
    let whole = if up { product.div_ceil(denominator) } else { product / denominator };
    u64::try_from(whole).unwrap_or(u64::MAX)
}

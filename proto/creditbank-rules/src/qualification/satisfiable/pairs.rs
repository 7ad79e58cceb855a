//! Requirements that have to hold together and cannot.

use creditbank_protocol::course_code::exact;
use creditbank_protocol::pb::{Match, Origin, QualificationDefinition, Ratio, RequirementType as Type, RetakePolicy};

use super::super::fraction::Fraction;
use super::super::grades::{GradeOrder, order_of, point_of};
use super::super::measure::asked;
use super::super::tree::{Tree, takes};
use super::holds_whole;
use super::sets::{apart, within};
use crate::Registry;
use crate::decimal::show_e4;

/// A mean that is better than every grade.
pub(super) fn beyond_best(
    registry: &Registry,
    definition: &QualificationDefinition,
    tree: &Tree<'_>,
    position: usize,
) -> Option<String> {
    let scale = registry.scale(&definition.average_scale)?;
    let minimum = tree.node(position).minimum.clone().unwrap_or_default();
    let Some(least) = point_of(registry, definition, &minimum) else {
        return Some(format!("{} is no number of {}", minimum.value, definition.average_scale));
    };
    let order = order_of(scale, &definition.grade_points);
    let ends = scale.numeric.as_ref().map(|numeric| match order {
        GradeOrder::HigherIsBetter => numeric.max_e4,
        GradeOrder::LowerIsBetter => numeric.min_e4,
    });
    let mut points = ends.into_iter().chain(definition.grade_points.iter().map(|point| point.e4));
    let reached = points.any(|point| order.is_at_least(u128::from(point), u128::from(least)));
    (!reached).then(|| format!("no grade of {} is as good as {}", definition.average_scale, show_e4(least)))
}

/// The nodes that hold whenever `top` does, itself included.
fn certain(tree: &Tree<'_>, top: usize) -> Vec<usize> {
    let (mut found, mut open) = (Vec::new(), vec![top]);
    while let Some(position) = open.pop() {
        found.push(position);
        if holds_whole(tree, position) {
            open.extend(tree.children(position));
        }
    }
    found.sort_unstable();
    found
}

/// Everything below a node.
fn below(tree: &Tree<'_>, top: usize) -> Vec<usize> {
    let (mut found, mut open) = (Vec::new(), tree.children(top).to_vec());
    while let Some(position) = open.pop() {
        found.push(position);
        open.extend(tree.children(position));
    }
    found
}

/// One node whose children all hold: its aggregates against each other and against what is taken below it.
struct Scope<'a> {
    tree: &'a Tree<'a>,
    top: usize,
    /// Takers below that can be met.
    takers: Vec<usize>,
    /// CREDITS below that hold whenever the node does.
    due: Vec<usize>,
    at_least: Vec<usize>,
    at_most: Vec<usize>,
    /// Whether the registry has aliases.
    aliases: bool,
}

/// What contradicts something else among what holds whenever `top` does. Only contradictions at `top` itself: those
/// further down are found there.
pub(super) fn contradictions(
    definition: &QualificationDefinition,
    tree: &Tree<'_>,
    top: usize,
    open: &[bool],
    aliases: bool,
) -> Vec<String> {
    let with = certain(tree, top);
    let of = |kind: Type| -> Vec<usize> {
        tree.children(top).iter().copied().filter(|child| tree.kind(*child) == kind).collect()
    };
    let below = below(tree, top);
    let scope = Scope {
        tree,
        top,
        takers: below.iter().copied().filter(|position| takes(tree.kind(*position)) && open[*position]).collect(),
        due: with.iter().copied().filter(|position| tree.kind(*position) == Type::Credits).collect(),
        at_least: of(Type::AtLeast),
        at_most: of(Type::AtMost),
        aliases,
    };
    let mut reasons = scope.nothing_to_look_at();
    reasons.extend(scope.floors_over_caps());
    reasons.extend(scope.floors_over_the_whole());
    reasons.extend(scope.caps_under_takers());
    reasons.extend(scope.caps_under_the_whole());
    reasons.extend(courses_twice(definition, tree, &with));
    reasons
}

fn share_of(share: Ratio) -> Option<Fraction> {
    Fraction::new(u128::from(share.numerator), u128::from(share.denominator))
}

impl Scope<'_> {
    fn asked(&self, position: usize) -> &Match {
        asked(self.tree.node(position))
    }

    fn share(&self, position: usize) -> Option<Fraction> {
        self.tree.node(position).share.and_then(share_of)
    }

    fn amount(&self, position: usize) -> u64 {
        self.tree.node(position).amount_e4
    }

    fn number(position: usize) -> u32 {
        Tree::number(position)
    }

    /// The least that is taken: by what has to hold, or as a floor of everything says.
    fn least_taken(&self) -> u64 {
        let due: u64 = self.due.iter().map(|position| self.amount(*position)).sum();
        let floors = self.at_least.iter().filter(|position| self.share(**position).is_none());
        floors.map(|position| self.amount(*position)).fold(due, u64::max)
    }

    /// Floors, means and times over what nothing can fill.
    fn nothing_to_look_at(&self) -> Vec<String> {
        let credit = |asked: &Match| {
            let some = |position: &usize| {
                self.tree.kind(*position) != Type::Outcome && !apart(self.asked(*position), asked, self.aliases)
            };
            self.takers.iter().any(some)
        };
        let mut reasons = Vec::new();
        for position in &self.at_least {
            if self.least_taken() > 0 && !credit(self.asked(*position)) {
                reasons.push(format!("nothing beside requirement {} takes what it asks for", Self::number(*position)));
            }
        }
        for child in self.tree.children(self.top) {
            if self.tree.kind(*child) == Type::Average && !credit(&Match::default()) {
                reasons.push(format!("nothing beside requirement {} takes what it looks at", Self::number(*child)));
            }
        }
        reasons
    }

    /// A floor of what is capped below it.
    fn floors_over_caps(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for floor in &self.at_least {
            for cap in &self.at_most {
                if !within(self.asked(*floor), self.asked(*cap)) {
                    continue;
                }
                let over = match (self.share(*floor), self.share(*cap)) {
                    (Some(floor), Some(cap)) => self.least_taken() > 0 && floor.cmp_exact(cap).is_gt(),
                    (None, None) => self.amount(*floor) > self.amount(*cap),
                    // A share of the least that is taken is more than the cap.
                    (Some(share), None) => exceeds(share, self.least_taken(), self.amount(*cap)),
                    (None, Some(_)) => false,
                };
                if over {
                    let (floor, cap) = (Self::number(*floor), Self::number(*cap));
                    reasons.push(format!("requirement {floor} asks for more than requirement {cap} allows"));
                }
            }
        }
        reasons
    }

    /// Shares of records that have nothing in common, and more than the whole.
    fn floors_over_the_whole(&self) -> Vec<String> {
        let shares: Vec<usize> =
            self.at_least.iter().copied().filter(|position| self.share(*position).is_some()).collect();
        for first in 0..shares.len() {
            let mut chosen = vec![shares[first]];
            for next in &shares[first + 1..] {
                if chosen.iter().all(|one| apart(self.asked(*one), self.asked(*next), self.aliases)) {
                    chosen.push(*next);
                }
            }
            let mut parts = chosen.iter().filter_map(|position| self.share(*position));
            let sum = parts.try_fold(Fraction::ZERO, Fraction::checked_add);
            if self.least_taken() > 0 && sum.is_some_and(|sum| sum.cmp_whole(1).is_gt()) {
                let numbers: Vec<String> = chosen.iter().map(|one| Self::number(*one).to_string()).collect();
                return vec![format!("requirements {} ask for more than the whole", numbers.join(" and "))];
            }
        }
        Vec::new()
    }

    /// What has to be taken against what may be.
    fn caps_under_takers(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for cap in &self.at_most {
            let asked = self.asked(*cap);
            let inside = |position: &&usize| within(self.asked(**position), asked);
            let due: Vec<usize> = self.due.iter().filter(inside).copied().collect();
            let sum: u64 = due.iter().map(|position| self.amount(*position)).sum();
            let all = self.takers.iter().all(|position| within(self.asked(*position), asked));
            let over = match self.share(*cap) {
                None => sum > self.amount(*cap),
                Some(share) => all && self.least_taken() > 0 && share.cmp_whole(1).is_lt(),
            };
            if over {
                let numbers: Vec<String> = due.iter().map(|one| Self::number(*one).to_string()).collect();
                let by = if numbers.is_empty() { "what counts here".to_owned() } else { numbers.join(" and ") };
                reasons.push(format!("requirement {} allows less than {by} must take", Self::number(*cap)));
            }
        }
        reasons
    }

    /// Caps of origins that leave nothing for the rest.
    fn caps_under_the_whole(&self) -> Vec<String> {
        let origins = [Origin::Own, Origin::Transfer, Origin::Rpl, Origin::NonFormal, Origin::Exemption];
        let by_origin = |position: &&usize| {
            let asked = self.asked(**position);
            let alone = Match { origins: asked.origins.clone(), ..Default::default() };
            !asked.origins.is_empty() && *asked == alone && self.share(**position).is_some()
        };
        let caps: Vec<usize> = self.at_most.iter().filter(by_origin).copied().collect();
        let covers = |origin: &Origin| caps.iter().any(|cap| self.asked(*cap).origins.contains(&i32::from(*origin)));
        let mut parts = caps.iter().filter_map(|position| self.share(*position));
        let sum = parts.try_fold(Fraction::ZERO, Fraction::checked_add);
        let short = sum.is_some_and(|sum| sum.cmp_whole(1).is_lt());
        if self.least_taken() > 0 && origins.iter().all(covers) && short {
            let numbers: Vec<String> = caps.iter().map(|one| Self::number(*one).to_string()).collect();
            return vec![format!("requirements {} together allow less than the whole", numbers.join(" and "))];
        }
        Vec::new()
    }
}

/// Whether a share of an amount is more than a cap.
fn exceeds(share: Fraction, of_e4: u64, cap_e4: u64) -> bool {
    let left = share.numerator().checked_mul(u128::from(of_e4));
    let right = share.denominator().checked_mul(u128::from(cap_e4));
    left.zip(right).is_some_and(|(left, right)| left > right)
}

/// A course of one institution that two requirements must have, where only one pass of it counts.
fn courses_twice(definition: &QualificationDefinition, tree: &Tree<'_>, with: &[usize]) -> Vec<String> {
    if RetakePolicy::try_from(definition.retakes).unwrap_or_default() == RetakePolicy::Unspecified {
        return Vec::new();
    }
    let cores: Vec<usize> = with.iter().copied().filter(|position| tree.kind(*position) == Type::Courses).collect();
    let mut reasons = Vec::new();
    for (index, first) in cores.iter().enumerate() {
        for second in &cores[index + 1..] {
            let (one, other) = (asked(tree.node(*first)), asked(tree.node(*second)));
            let same = one.institutions.len() == 1 && one.institutions == other.institutions;
            let course =
                one.courses.iter().find(|code| other.courses.iter().any(|listed| exact(listed) == exact(code)));
            if let Some(code) = course.filter(|_| same) {
                let (first, second) = (Tree::number(*first), Tree::number(*second));
                reasons.push(format!(
                    "requirements {first} and {second} both take course {code}, of which one pass counts"
                ));
            }
        }
    }
    reasons
}

//! Requirements that have to hold together and cannot.

use creditbank_protocol::pb::{Match, Origin, QualificationDefinition, Ratio, Requirement, RequirementType as Type};

use super::super::fraction::Fraction;
use super::super::grades::{GradeOrder, order_of, point_of};
use super::super::measure::asked;
use super::super::tree::{Tree, takes};
use super::holds_whole;
use super::least::least_taken;
use super::sets::{Asked, apart, within};
use crate::Registry;
use crate::decimal::show_e4;

/// The scale of means, with the best that a mean can be.
pub(super) struct Means<'a> {
    registry: &'a Registry,
    definition: &'a QualificationDefinition,
    order: GradeOrder,
    best: Option<u64>,
}

impl<'a> Means<'a> {
    /// `None` where the definition names no scale of the registry.
    pub(super) fn of(registry: &'a Registry, definition: &'a QualificationDefinition) -> Option<Self> {
        let scale = registry.scale(&definition.average_scale)?;
        let order = order_of(scale, &definition.grade_points);
        let end = scale.numeric.as_ref().map(|numeric| match order {
            GradeOrder::HigherIsBetter => numeric.max_e4,
            GradeOrder::LowerIsBetter => numeric.min_e4,
        });
        let points = end.into_iter().chain(definition.grade_points.iter().map(|point| point.e4));
        let best = match order {
            GradeOrder::HigherIsBetter => points.max(),
            GradeOrder::LowerIsBetter => points.min(),
        };
        Some(Self { registry, definition, order, best })
    }

    /// Why no mean can be as good as a requirement asks.
    pub(super) fn beyond_best(&self, node: &Requirement) -> Option<String> {
        let Self { registry, definition, order, best } = self;
        let minimum = node.minimum.clone().unwrap_or_default();
        let Some(least) = point_of(registry, definition, &minimum) else {
            return Some(format!("{} is no number of {}", minimum.value, definition.average_scale));
        };
        let reached = best.is_some_and(|best| order.is_at_least(u128::from(best), u128::from(least)));
        (!reached).then(|| format!("no grade of {} is as good as {}", definition.average_scale, show_e4(least)))
    }
}

/// The nodes that hold whenever `top` does, itself included.
fn certain(tree: &Tree<'_>, top: usize, open: &[bool]) -> Vec<usize> {
    let (mut found, mut next) = (Vec::new(), vec![top]);
    while let Some(position) = next.pop() {
        found.push(position);
        if holds_whole(tree, position, open) {
            next.extend(tree.children(position).iter().copied().filter(|child| open[*child]));
        }
    }
    found.sort_unstable();
    found
}

/// Everything below a node that can be met with all between.
fn below(tree: &Tree<'_>, top: usize, open: &[bool]) -> Vec<usize> {
    let (mut found, mut next) = (Vec::new(), tree.children(top).to_vec());
    while let Some(position) = next.pop() {
        if open[position] {
            found.push(position);
            next.extend(tree.children(position));
        }
    }
    found
}

/// One node whose children all hold: its aggregates against each other and against what is taken below it.
struct Scope<'a> {
    tree: &'a Tree<'a>,
    asked: &'a [Asked],
    /// Takers below that can be met.
    takers: Vec<usize>,
    /// CREDITS below that hold whenever the node does.
    due: Vec<usize>,
    /// `AT_LEAST`, and AMONG with an amount.
    at_least: Vec<usize>,
    at_most: Vec<usize>,
    /// The least that is taken.
    least_taken: u64,
    /// Whether the registry has aliases.
    aliases: bool,
}

/// What contradicts something else among what holds whenever `top` does. Only contradictions at `top` itself: those
/// further down are found there.
pub(super) fn contradictions(
    (tree, asked): (&Tree<'_>, &[Asked]),
    top: usize,
    open: &[bool],
    aliases: bool,
) -> Vec<String> {
    let with = certain(tree, top, open);
    let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        tree.children(top).iter().copied().filter(|child| open[*child] && wanted(*child)).collect()
    };
    let due: Vec<usize> = with.iter().copied().filter(|position| tree.kind(*position) == Type::Credits).collect();
    let at_least = of(&|child| match tree.kind(child) {
        Type::AtLeast => true,
        Type::Among => tree.node(child).amount_e4 > 0 && tree.scope(child) == top,
        _ => false,
    });
    let at_most = of(&|child| tree.kind(child) == Type::AtMost);
    let least_taken = least_taken(tree, top, open);
    let takers = below(tree, top, open).into_iter().filter(|position| takes(tree.kind(*position))).collect();
    let scope = Scope { tree, asked, takers, due, at_least, at_most, least_taken, aliases };
    let mut reasons = scope.floors_over_caps();
    reasons.extend(scope.floors_over_the_whole());
    reasons.extend(scope.caps_under_takers());
    reasons.extend(scope.caps_under_the_whole());
    reasons
}

fn share_of(share: Ratio) -> Option<Fraction> {
    Fraction::new(u128::from(share.numerator), u128::from(share.denominator))
}

impl Scope<'_> {
    fn is_apart(&self, one: usize, other: usize) -> bool {
        apart(&self.asked[one], &self.asked[other], self.aliases)
    }

    fn is_within(&self, one: usize, other: usize) -> bool {
        within(&self.asked[one], &self.asked[other])
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

    /// A floor of what is capped below it.
    fn floors_over_caps(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for floor in &self.at_least {
            for cap in &self.at_most {
                if !self.is_within(*floor, *cap) {
                    continue;
                }
                let over = match (self.share(*floor), self.share(*cap)) {
                    (Some(floor), Some(cap)) => self.least_taken > 0 && floor.cmp_exact(cap).is_gt(),
                    (None, None) => self.amount(*floor) > self.amount(*cap),
                    // A share of the least that is taken is more than the cap.
                    (Some(share), None) => exceeds(share, self.least_taken, self.amount(*cap)),
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
        // Compared once; below they are looked at again and again.
        let row = |one: &usize| -> Vec<bool> { shares.iter().map(|other| self.is_apart(*one, *other)).collect() };
        let apart: Vec<Vec<bool>> = shares.iter().map(row).collect();
        for first in 0..shares.len() {
            let mut chosen = vec![first];
            for (next, is_apart) in apart.iter().enumerate().skip(first + 1) {
                if chosen.iter().all(|one| is_apart[*one]) {
                    chosen.push(next);
                }
            }
            let mut parts = chosen.iter().filter_map(|at| self.share(shares[*at]));
            let sum = parts.try_fold(Fraction::ZERO, Fraction::checked_add);
            if self.least_taken > 0 && sum.is_some_and(|sum| sum.cmp_whole(1).is_gt()) {
                let numbers: Vec<String> = chosen.iter().map(|at| Self::number(shares[*at]).to_string()).collect();
                return vec![format!("requirements {} ask for more than the whole", numbers.join(" and "))];
            }
        }
        Vec::new()
    }

    /// What has to be taken against what may be.
    fn caps_under_takers(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        for cap in &self.at_most {
            let inside = |position: &usize| self.is_within(*position, *cap);
            let due: Vec<usize> = self.due.iter().filter(|position| inside(position)).copied().collect();
            let sum = due.iter().map(|position| self.amount(*position)).fold(0, u64::saturating_add);
            let over = match self.share(*cap) {
                None => sum > self.amount(*cap),
                Some(share) => self.least_taken > 0 && share.cmp_whole(1).is_lt() && self.takers.iter().all(inside),
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
            let asked = asked(self.tree.node(**position));
            let alone = Match { origins: asked.origins.clone(), ..Default::default() };
            !asked.origins.is_empty() && *asked == alone && self.share(**position).is_some()
        };
        let caps: Vec<usize> = self.at_most.iter().filter(by_origin).copied().collect();
        let covers = |origin: &Origin| caps.iter().any(|cap| self.asked[*cap].origins.contains(&i32::from(*origin)));
        let mut parts = caps.iter().filter_map(|position| self.share(*position));
        let sum = parts.try_fold(Fraction::ZERO, Fraction::checked_add);
        let short = sum.is_some_and(|sum| sum.cmp_whole(1).is_lt());
        if self.least_taken > 0 && origins.iter().all(covers) && short {
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

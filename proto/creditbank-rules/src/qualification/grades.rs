//! Grades as numbers: for means, for minimum scores, for the best of several passes.

use creditbank_protocol::pb::{Grade, GradePoint, GradeScale, QualificationDefinition};

use crate::Registry;
use crate::decimal::parse_e4;

/// Which way a scale's numbers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradeOrder {
    /// A larger number is a better grade.
    HigherIsBetter,
    /// A smaller number is a better grade.
    LowerIsBetter,
}

impl GradeOrder {
    /// Whether the first is at least as good as the second.
    pub fn is_at_least(self, found: u128, least: u128) -> bool {
        match self {
            Self::HigherIsBetter => found >= least,
            Self::LowerIsBetter => found <= least,
        }
    }
}

/// A grade as a number: `sum_e4 / of`, in ten-thousandths. `of` is above 1 for the mean of several passes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The sum of the passes' numbers.
    pub sum_e4: u64,
    /// How many passes.
    pub of: u32,
}

/// Which way the numbers of a scale run: as its numeric grades say; without such, as the points of its listed grades do, which
/// stand best first. Higher is better where nothing tells.
pub fn order_of(scale: &GradeScale, points: &[GradePoint]) -> GradeOrder {
    if let Some(numeric) = &scale.numeric {
        return if numeric.lower_is_better { GradeOrder::LowerIsBetter } else { GradeOrder::HigherIsBetter };
    }
    let mut listed = scale.listed.iter().filter_map(|grade| point_in(scale, points, &grade.value));
    let (best, worst) = (listed.next(), listed.next_back());
    match best.zip(worst) {
        Some((best, worst)) if best < worst => GradeOrder::LowerIsBetter,
        _ => GradeOrder::HigherIsBetter,
    }
}

/// The number of a grade: its grade point where there is one, else itself where it is a number of the scale's numeric grades.
fn point_in(scale: &GradeScale, points: &[GradePoint], value: &str) -> Option<u64> {
    if let Some(point) = points.iter().find(|point| point.value == value) {
        return Some(point.e4);
    }
    let listed = scale.listed.iter().any(|grade| grade.value == value);
    let numeric = scale.numeric.as_ref().filter(|_| !listed)?;
    parse_e4(value).ok().filter(|e4| (numeric.min_e4..=numeric.max_e4).contains(e4))
}

/// The number of a grade in the definition's scale of means; `None` for a grade of another scale, or one without a number.
pub fn point_of(registry: &Registry, definition: &QualificationDefinition, grade: &Grade) -> Option<u64> {
    if grade.scale.is_empty() || grade.scale != definition.average_scale {
        return None;
    }
    point_in(registry.scale(&grade.scale)?, &definition.grade_points, &grade.value)
}

/// Whether a grade is at least as good as a minimum of the same scale. In a scale of the registry: two listed grades by their
/// order, two numbers by the scale's direction, nothing else. In any other scale: two decimals, and higher is better.
pub fn is_at_least(registry: &Registry, found: &Grade, minimum: &Grade) -> bool {
    if found.scale != minimum.scale {
        return false;
    }
    let numbers = |order: GradeOrder| {
        let found = parse_e4(&found.value).ok().zip(parse_e4(&minimum.value).ok());
        found.is_some_and(|(found, least)| order.is_at_least(u128::from(found), u128::from(least)))
    };
    let Some(scale) = registry.scale(&found.scale) else {
        return numbers(GradeOrder::HigherIsBetter);
    };
    let rank = |grade: &Grade| scale.listed.iter().position(|listed| listed.value == grade.value);
    match (rank(found), rank(minimum)) {
        (Some(found), Some(minimum)) => found <= minimum,
        (None, None) => registry.passes(found).is_some() && numbers(order_of(scale, &[])),
        _ => false,
    }
}

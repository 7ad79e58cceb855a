//! The order of the grades of a scale, and how a scale writes a number.

use creditbank_protocol::pb::{GradeScale, NumericGrades};

use super::scale::passes;
use crate::decimal::{parse_e4, show_e4};

/// Place of a grade in its scale: the smaller, the better. Listed grades that pass stand before numbers, and numbers before
/// listed grades that do not pass; two spellings of one number have one rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u8, u64);

pub(crate) fn rank(scale: &GradeScale, value: &str) -> Option<Rank> {
    if let Some(index) = scale.listed.iter().position(|grade| grade.value == value) {
        let class = if scale.listed[index].pass { 0 } else { 2 };
        return Some(Rank(class, u64::try_from(index).ok()?));
    }
    passes(scale, value)?;
    let range = scale.numeric.as_ref()?;
    let number = parse_e4(value).ok()?;
    let from_best = if range.lower_is_better { number - range.min_e4 } else { range.max_e4 - number };
    Some(Rank(1, from_best))
}

/// A number as the scale writes it: as a listed grade, or with at least the decimals of the scale's step. `None` when it is
/// none of its grades.
pub(crate) fn spell(scale: &GradeScale, e4: u64) -> Option<String> {
    if let Some(listed) = scale.listed.iter().find(|grade| parse_e4(&grade.value) == Ok(e4)) {
        return Some(listed.value.clone());
    }
    let range = scale.numeric.as_ref()?;
    let spelled = with_places(e4, places(range));
    passes(scale, &spelled).map(|_| spelled)
}

/// Decimals of the step.
fn places(range: &NumericGrades) -> usize {
    show_e4(range.step_e4).split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

fn with_places(e4: u64, places: usize) -> String {
    let shortest = show_e4(e4);
    let (whole, decimals) = shortest.split_once('.').unwrap_or((&shortest, ""));
    if places == 0 && decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals:0<places$}") }
}

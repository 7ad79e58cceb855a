//! Grade scales: which are well-formed, and which grade passes.

use creditbank_protocol::pb::{self, NumericGrades};

use super::Registry;
use super::admit::{names, present, require, sources};
use crate::decimal::{parse_e4, show_e4};
use crate::{Rejection, Rule};

pub(super) fn check(_: &Registry, entry: &pb::GradeScale) -> Result<(), Rejection> {
    present(!entry.code.is_empty(), "code", "a code")?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    sources(&entry.sources, "where the scale was published")?;
    let grades = !entry.listed.is_empty() || entry.numeric.is_some();
    present(grades, "listed", "listed grades or a range of numbers")?;
    let mut values: Vec<&str> = entry.listed.iter().map(|grade| grade.value.as_str()).collect();
    present(values.iter().all(|value| !value.is_empty()), "listed", "a value for each grade")?;
    values.sort_unstable();
    let twice = values.windows(2).find(|pair| pair[0] == pair[1]);
    require(twice.is_none(), Rule::Contradiction, "listed", "distinct values", twice.map_or("", |pair| pair[0]))?;
    let passing = entry.numeric.is_some() || entry.listed.iter().any(|grade| grade.pass);
    require(passing, Rule::Contradiction, "listed", "at least one grade that passes", "none")?;
    entry.numeric.as_ref().map_or(Ok(()), numeric)
}

fn numeric(range: &NumericGrades) -> Result<(), Rejection> {
    let NumericGrades { min_e4, max_e4, pass_e4, step_e4, lower_is_better: _ } = *range;
    require(min_e4 < max_e4, Rule::Contradiction, "numeric", "a minimum below the maximum", show_e4(min_e4))?;
    require(
        (min_e4..=max_e4).contains(&pass_e4),
        Rule::Contradiction,
        "numeric",
        "a pass within the range",
        show_e4(pass_e4),
    )?;
    let fits = step_e4 == 0 || (max_e4 - min_e4).is_multiple_of(step_e4);
    require(fits, Rule::Contradiction, "numeric", "a step that divides the range", show_e4(step_e4))
}

/// Whether `value` passes in the scale; `None` when it is not one of its grades.
pub fn passes(scale: &pb::GradeScale, value: &str) -> Option<bool> {
    if let Some(listed) = scale.listed.iter().find(|grade| grade.value == value) {
        return Some(listed.pass);
    }
    let range = scale.numeric.as_ref()?;
    let grade = parse_e4(value).ok().filter(|grade| (range.min_e4..=range.max_e4).contains(grade))?;
    if range.step_e4 > 0 && !(grade - range.min_e4).is_multiple_of(range.step_e4) {
        return None;
    }
    Some(if range.lower_is_better { grade <= range.pass_e4 } else { grade >= range.pass_e4 })
}

//! Grades by a table: the row of a listed grade, or the row in whose range, both ends included, a number lies.

use creditbank_protocol::pb::{GradeRow, GradeRule, GradeScale};

use crate::decimal::parse_e4;
use crate::{Rejection, Rule};

pub(super) fn suggest(rule: &GradeRule, scale: &GradeScale, value: &str) -> Result<String, Rejection> {
    let listed = scale.listed.iter().any(|grade| grade.value == value);
    let number = parse_e4(value).ok().filter(|_| !listed);
    let in_range = |row: &GradeRow| number.is_some_and(|number| (row.min_e4..=row.max_e4).contains(&number));
    let fits = |row: &&GradeRow| if row.value.is_empty() { in_range(row) } else { listed && row.value == value };
    let row = rule.rows.iter().find(fits);
    let expected = "a grade of the agreement's table";
    let missing = || Rejection::new(Rule::UnknownGrade, expected, format!("{value} in {}", scale.code)).field("grade");
    Ok(row.ok_or_else(missing)?.target.clone())
}

//! When the grade rule of an agreement is well-formed.

use creditbank_protocol::pb::{
    Cycle, Grade, GradeFormula, GradeMethod, GradeRow, GradeRule, GradeScale, OverlapChoice, StepChoice,
};

use crate::decimal::{MAX_E4, show_e4};
use crate::registry::Registry;
use crate::registry::admit::{present, require};
use crate::registry::rank::spell;
use crate::registry::scale::passes;
use crate::{Rejection, Rule};

type Checked = Result<(), Rejection>;

pub(super) fn check(registry: &Registry, rule: &GradeRule) -> Checked {
    let method = GradeMethod::try_from(rule.method).unwrap_or_default();
    present(method != GradeMethod::Unspecified, "grades", "a method: none, table, ECTS or formula")?;
    let only = |holds: bool, what: &str| {
        require(holds, Rule::Contradiction, "grades", format!("{what} with its own method only"), "another method")
    };
    only(rule.rows.is_empty() || method == GradeMethod::Table, "rows")?;
    let chosen = rule.overlap != 0 || rule.cycle != 0;
    only(!chosen || method == GradeMethod::Ects, "overlap and cycle")?;
    only(rule.formula.is_none() || method == GradeMethod::Formula, "a formula")?;
    if method == GradeMethod::None {
        return only(rule.source_scale.is_empty() && rule.target_scale.is_empty(), "scales");
    }
    let scale = |code: &str| {
        let expected = "grade scales of the registry";
        registry.scale(code).ok_or_else(|| Rejection::new(Rule::UnknownGrade, expected, code).field("grades"))
    };
    let (source, target) = (scale(&rule.source_scale)?, scale(&rule.target_scale)?);
    match method {
        GradeMethod::Table => table(registry, rule, source),
        GradeMethod::Ects => {
            let overlap = OverlapChoice::try_from(rule.overlap).unwrap_or_default();
            let expected = "minimum, average or maximum where ranges overlap, decided in advance";
            present(overlap != OverlapChoice::Unspecified, "grades", expected)?;
            let cycle = Cycle::try_from(rule.cycle).unwrap_or_default();
            present(cycle != Cycle::Unspecified, "grades", "the cycle of the distributions")
        }
        GradeMethod::Formula => {
            let missing = || Rejection::new(Rule::MissingField, "a formula", "nothing").field("grades");
            formula(rule.formula.as_ref().ok_or_else(missing)?, source, target)
        }
        GradeMethod::None | GradeMethod::Unspecified => Ok(()),
    }
}

/// Rows of listed grades, each once; rows of numbers, which do not overlap; targets that pass.
fn table(registry: &Registry, rule: &GradeRule, source: &GradeScale) -> Checked {
    present(!rule.rows.is_empty(), "grades", "rows of a table")?;
    for (index, row) in rule.rows.iter().enumerate() {
        let target = Grade { scale: rule.target_scale.clone(), value: row.target.clone() };
        let passing = registry.passes(&target) == Some(true);
        let expected = "targets that pass in the target scale";
        require(passing, Rule::GradeNotAPass, "grades", expected, &row.target)?;
        let before = &rule.rows[..index];
        if row.value.is_empty() {
            numbers(row, before, source)?;
            continue;
        }
        let listed = source.listed.iter().any(|grade| grade.value == row.value);
        require(listed, Rule::UnknownGrade, "grades", "grades that the source scale lists", &row.value)?;
        let bare = row.min_e4 == 0 && row.max_e4 == 0;
        require(bare, Rule::Contradiction, "grades", "a listed grade or a range of numbers", "both")?;
        let again = before.iter().any(|other| other.value == row.value);
        require(!again, Rule::Contradiction, "grades", "one row for each grade", &row.value)?;
    }
    Ok(())
}

fn numbers(row: &GradeRow, before: &[GradeRow], source: &GradeScale) -> Checked {
    let range = format!("{} to {}", show_e4(row.min_e4), show_e4(row.max_e4));
    let expected = "a source scale of numbers, and ranges from the smaller to the larger";
    let ordered = source.numeric.is_some() && row.min_e4 <= row.max_e4;
    require(ordered, Rule::Contradiction, "grades", expected, &range)?;
    let meets = |other: &GradeRow| other.value.is_empty() && other.min_e4 <= row.max_e4 && row.min_e4 <= other.max_e4;
    let overlaps = before.iter().any(meets);
    require(!overlaps, Rule::Contradiction, "grades", "ranges that do not overlap", range)
}

fn formula(formula: &GradeFormula, source: &GradeScale, target: &GradeScale) -> Checked {
    let (best, pass) = (formula.source_best_e4, formula.source_pass_e4);
    let expected = "a best grade other than the pass, in the source scale";
    require(best != pass, Rule::Contradiction, "grades", expected, show_e4(best))?;
    let (best, pass) = (formula.target_best_e4, formula.target_pass_e4);
    let expected = "a best grade other than the pass, in the target scale";
    require(best != pass, Rule::Contradiction, "grades", expected, show_e4(best))?;
    fits(formula)?;
    steps(formula, target)?;
    for (index, ordinal) in formula.ordinals.iter().enumerate() {
        let known = passes(source, &ordinal.value).is_some();
        require(known, Rule::UnknownGrade, "grades", "numbers for grades of the source scale", &ordinal.value)?;
        let again = formula.ordinals[..index].iter().any(|before| before.value == ordinal.value);
        require(!again, Rule::Contradiction, "grades", "one number for each grade", &ordinal.value)?;
    }
    let numbers = source.numeric.is_some() || !formula.ordinals.is_empty();
    present(numbers, "grades", "numbers for the grades of a scale that has none")
}

/// Every exact result can be written down: its denominator divides `|source_best - source_pass|` after the common factor with
/// `|target_pass - target_best|`, and it is at most the larger of the two targets.
fn fits(formula: &GradeFormula) -> Checked {
    let span = formula.source_best_e4.abs_diff(formula.source_pass_e4);
    let width = formula.target_best_e4.abs_diff(formula.target_pass_e4);
    let denominator = span / greatest_common_divisor(span, width).max(1);
    let most = u128::from(formula.target_best_e4.max(formula.target_pass_e4)) * u128::from(denominator);
    let expected = "figures whose exact results have parts of at most 10000000000";
    require(most <= u128::from(MAX_E4), Rule::Contradiction, "grades", expected, most)
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// Steps are grades of the target scale that pass, strictly from the best to the worst.
fn steps(formula: &GradeFormula, target: &GradeScale) -> Checked {
    let choice = StepChoice::try_from(formula.choice).unwrap_or_default();
    let chosen = choice != StepChoice::Unspecified;
    let none = formula.steps_e4.is_empty();
    require(
        chosen != none,
        Rule::Contradiction,
        "grades",
        "steps and how one of them is chosen, or none of both",
        "one",
    )?;
    require(
        !none || formula.truncate_places_plus_1 > 0,
        Rule::Contradiction,
        "grades",
        "steps, or decimal places that are kept",
        "none of both",
    )?;
    for step in &formula.steps_e4 {
        let spelled = spell(target, *step).filter(|value| passes(target, value) == Some(true));
        let expected = "steps that are passing grades of the target scale";
        require(spelled.is_some(), Rule::GradeNotAPass, "grades", expected, show_e4(*step))?;
    }
    let falling = formula.target_best_e4 > formula.target_pass_e4;
    let worse = |pair: &[u64]| if falling { pair[1] < pair[0] } else { pair[0] < pair[1] };
    let odd = formula.steps_e4.windows(2).find(|pair| !worse(pair));
    let found = odd.map_or(String::new(), |pair| show_e4(pair[1]));
    require(odd.is_none(), Rule::Contradiction, "grades", "steps strictly from the best to the worst", found)
}

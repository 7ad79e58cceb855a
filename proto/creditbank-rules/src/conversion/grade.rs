//! Grades under an agreement: what its rule suggests, and how it came about.

pub(super) mod ects;
mod formula;
mod table;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{Grade, GradeMethod, GradeRule, GradeSteps, PassBasis};

use super::{Source, Stated};
use crate::dates::Day;
use crate::registry::admit::{present, require};
use crate::{Registry, Rejection, Rule};

/// The grade of a result.
#[derive(Default)]
pub(super) struct Graded {
    pub(super) grade: Option<Grade>,
    pub(super) suggested: Option<Grade>,
    pub(super) override_reason: String,
    pub(super) steps: Option<GradeSteps>,
}

/// What a rule suggests for a source. The result is ungraded where the rule converts no grades, and where the source is
/// ungraded or its grade is of another scale than the rule speaks of. A mark that does not pass, of what was compensated
/// or condoned, has a target only where a table has a row for it; else the result is ungraded, and its basis says why.
pub(super) fn suggest(
    registry: &Registry,
    rule: Option<&GradeRule>,
    source: &Source,
    receiver: InstitutionId,
    decided: Day,
) -> Result<Option<(Grade, GradeSteps)>, Rejection> {
    let Some((rule, grade)) = rule.zip(source.grade.as_ref()) else {
        return Ok(None);
    };
    let method = GradeMethod::try_from(rule.method).unwrap_or_default();
    if method == GradeMethod::None || grade.scale != rule.source_scale {
        return Ok(None);
    }
    let scale = |code: &str| {
        let expected = "grade scales of the registry";
        registry.scale(code).ok_or_else(|| Rejection::new(Rule::UnknownGrade, expected, code).field("grade"))
    };
    let (from, to) = (scale(&rule.source_scale)?, scale(&rule.target_scale)?);
    let passing = registry.passes(grade);
    let lenient = matches!(source.basis, PassBasis::Compensated | PassBasis::Condoned);
    if lenient && passing == Some(false) {
        let row = if method == GradeMethod::Table { table::suggest(rule, from, &grade.value).ok() } else { None };
        let steps = GradeSteps { method: rule.method, ..GradeSteps::default() };
        return Ok(row.map(|value| (Grade { scale: rule.target_scale.clone(), value }, steps)));
    }
    let found = format!("{} in {}", grade.value, grade.scale);
    require(passing == Some(true), Rule::GradeNotAPass, "grade", "a grade that passes", found)?;
    let mut steps = GradeSteps { method: rule.method, ..GradeSteps::default() };
    let value = match method {
        GradeMethod::Table => table::suggest(rule, from, &grade.value)?,
        GradeMethod::Ects => {
            let compared = ects::Compared { registry, rule, source, receiver, decided };
            compared.suggest(&grade.value, &mut steps)?
        }
        GradeMethod::Formula => formula::suggest(rule, from, to, &grade.value, &mut steps)?,
        GradeMethod::None | GradeMethod::Unspecified => return Ok(None),
    };
    Ok(Some((Grade { scale: rule.target_scale.clone(), value }, steps)))
}

/// The suggestion, or the grade that the receiver states instead, with its reason.
pub(super) fn decide(
    registry: &Registry,
    suggestion: Option<(Grade, GradeSteps)>,
    stated: Option<&Stated>,
) -> Result<Graded, Rejection> {
    let over = stated.and_then(|stated| stated.grade.as_ref().map(|grade| (grade, &stated.override_reason)));
    let Some((suggested, steps)) = suggestion else {
        let expected = "no grade where none is suggested";
        let found = over.map_or("", |(grade, _)| &grade.value);
        require(over.is_none(), Rule::ConversionDiffers, "grade", expected, found)?;
        return Ok(Graded::default());
    };
    let steps = Some(steps);
    let Some((grade, reason)) = over.filter(|(grade, _)| **grade != suggested) else {
        return Ok(Graded { grade: Some(suggested), steps, ..Graded::default() });
    };
    present(!reason.is_empty(), "override_reason", "why the grade is not the suggested one")?;
    let found = format!("{} in {}", grade.value, grade.scale);
    let passing = grade.scale == suggested.scale && registry.passes(grade) == Some(true);
    let expected = format!("a grade that passes in {}", suggested.scale);
    require(passing, Rule::GradeNotAPass, "grade", &expected, found)?;
    Ok(Graded { grade: Some(grade.clone()), suggested: Some(suggested), override_reason: reason.clone(), steps })
}

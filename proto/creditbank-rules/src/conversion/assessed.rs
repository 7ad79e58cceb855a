//! Prior learning: an Outcome becomes credit as an assessor states.

use creditbank_protocol::pb::{Assessment, ConvertedCredit, Kind, Mode};

use super::equivalent::fixed;
use super::{Converted, Request, Source, Stated, plus_1, stated};
use crate::codes::is_field;
use crate::registry::admit::{names, present, require};
use crate::{Registry, Rejection, Rule};

pub(super) fn convert(request: &Request<'_>, assessment: &Assessment) -> Result<Converted, Rejection> {
    present(!assessment.assessor.is_empty(), "assessment", "the person who assessed")?;
    present(!assessment.method.is_empty(), "assessment", "how it was assessed")?;
    present(assessment.evidence_digest.len() == 32, "assessment", "the digest of the evidence")?;
    let mut results = Vec::with_capacity(request.sources.len());
    for (index, source) in request.sources.iter().enumerate() {
        let outcome = source.kind == Kind::Outcome;
        require(outcome, Rule::OutsideScope, "sources", "an Outcome, which has no credit yet", source.show())?;
        let missing =
            || Rejection::new(Rule::MissingField, "what each outcome becomes", source.show()).field("results");
        let stated = stated(request, index).ok_or_else(missing)?;
        check(request.registry, stated)?;
        let (amount, roots) = fixed(&source.roots, &stated.amount.clone().unwrap_or_default())?;
        results.push(ConvertedCredit {
            course: stated.course.clone(),
            amount: Some(amount),
            level: stated.level.clone(),
            field: stated.field.clone(),
            grade: stated.grade.clone(),
            mode: Mode::Rpl.into(),
            period: source.period,
            roots,
            source_plus_1: plus_1(index),
            ..ConvertedCredit::default()
        });
    }
    let sources = request.sources.iter().map(Source::to_record).collect();
    Ok(Converted { sources, results, amount_steps: None, exclusive: false })
}

/// What a receiver states freely is well-formed: course, amount, level, field, grade.
pub(super) fn check(registry: &Registry, stated: &Stated) -> Result<(), Rejection> {
    let course = stated.course.clone().unwrap_or_default();
    present(!course.code.is_empty() && !course.titles.is_empty(), "course", "code and title of the course")?;
    names(course.titles.iter())?;
    let missing = || Rejection::new(Rule::MissingField, "an amount and its unit", "nothing").field("amount");
    let amount = stated.amount.as_ref().ok_or_else(missing)?;
    let known = registry.credit_unit(&amount.unit).is_some();
    require(known, Rule::UnknownCreditUnit, "amount", "a credit unit of the registry", &amount.unit)?;
    if let Some(level) = &stated.level {
        let found = format_args!("{} {}", level.framework, level.level);
        let known = registry.has_level(level);
        require(known, Rule::UnknownLevel, "level", "a level of a framework of the registry", found)?;
    }
    let known = stated.field.is_empty() || is_field(&stated.field);
    require(known, Rule::InvalidCode, "field", "two to four digits (ISCED-F)", &stated.field)?;
    let Some(grade) = &stated.grade else {
        return Ok(());
    };
    let found = format_args!("{} in {}", grade.value, grade.scale);
    let passing = registry.passes(grade);
    require(passing.is_some(), Rule::UnknownGrade, "grade", "a grade of a scale of the registry", found)?;
    require(passing == Some(true), Rule::GradeNotAPass, "grade", "a grade that passes", found)
}

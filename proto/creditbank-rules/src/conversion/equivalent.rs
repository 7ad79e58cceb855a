//! Conversions under an equivalence: each source becomes the target course, as it was published.

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{
    Amount, ConvertedCredit, Course, Equivalence, EquivalenceType, Grade, Kind, OutcomeType, Root,
};
use creditbank_protocol::registry::RegistryKey;

use super::exact::Exact;
use super::roots::{most, settle};
use super::{Converted, Request, Source, age, plus_1};
use crate::agreement::show;
use crate::dates::{Day, date_of};
use crate::decimal::parse_e4;
use crate::registry::admit::require;
use crate::registry::equivalence::in_force;
use crate::{Registry, Rejection, Rule};

pub(super) fn convert(request: &Request<'_>, equivalence: &Equivalence) -> Result<Converted, Rejection> {
    let shown = show(&equivalence.code, equivalence.version);
    let own = InstitutionId(equivalence.institution) == request.receiver;
    require(own, Rule::NotThePublisher, "equivalence", "an equivalence of the receiver", &shown)?;
    let is_in_force = |day: Day| in_force(request.registry, equivalence, day);
    // As with agreements: what was promised in advance holds.
    let day = request.promised.filter(|_| !is_in_force(request.decided)).unwrap_or(request.decided);
    let on = crate::dates::show(&date_of(request.decided));
    require(is_in_force(day), Rule::NotInForce, "equivalence", format!("an equivalence in force on {on}"), &shown)?;
    let key = RegistryKey::Equivalence(request.receiver, equivalence.code.clone(), equivalence.version);
    request.recorded(&key, &shown, day)?;
    let mut results = Vec::with_capacity(request.sources.len());
    for (index, source) in request.sources.iter().enumerate() {
        accepts(request, equivalence, source)?;
        let amount = equivalence.amount.clone().unwrap_or_default();
        let (amount, roots) = fixed(&source.roots, &amount)?;
        results.push(ConvertedCredit {
            course: equivalence.target.clone(),
            amount: Some(amount),
            level: equivalence.level.clone(),
            field: equivalence.field.clone(),
            grade: equivalence.grade.clone(),
            mode: source.mode.into(),
            period: source.period,
            roots,
            source_plus_1: plus_1(index),
            basis: source.basis.into(),
            declared: source.declared,
            ..ConvertedCredit::default()
        });
    }
    let sources = request.sources.iter().map(Source::to_record).collect();
    Ok(Converted { sources, results, amount_steps: None, exclusive: false })
}

/// A fixed amount with the roots of its source: at most what these had in its unit; parts as in the source, or equal where
/// it has none.
pub(super) fn fixed(roots: &[Root], amount: &Amount) -> Result<(Amount, Vec<Root>), Rejection> {
    let parts = || roots.iter().map(|root| u128::from(root.part_e4));
    let weights: Vec<u128> =
        if parts().any(|part| part > 0) { parts().collect() } else { parts().map(|_| 1).collect() };
    let counted = roots.iter().zip(&weights).filter(|(_, weight)| **weight > 0);
    let bounds = counted.map(|(root, _)| most(root, &amount.unit));
    let bound = bounds.into_iter().try_fold(0u64, |sum, bound| sum.checked_add(bound?));
    let e4 = bound.map_or(amount.e4, |bound| bound.min(amount.e4));
    let amount = Amount { e4, unit: amount.unit.clone() };
    let roots = settle(roots, &weights, &amount, Exact::from_integer(1))?;
    Ok((amount, roots))
}

/// The source is what the equivalence speaks of, good enough and not too old.
fn accepts(request: &Request<'_>, equivalence: &Equivalence, source: &Source) -> Result<(), Rejection> {
    let issued = source.institution == InstitutionId(equivalence.source_institution);
    let expected = format!("a record of institution {}", equivalence.source_institution);
    require(issued, Rule::OutsideScope, "sources", &expected, source.institution)?;
    let outcome = OutcomeType::try_from(equivalence.source_outcome).unwrap_or_default();
    let is_outcome = source.kind == Kind::Outcome;
    let (fits, expected) = match equivalence.r#type() {
        EquivalenceType::Course | EquivalenceType::Unspecified => (!is_outcome, "a credit for the course"),
        EquivalenceType::Test => (is_outcome && source.outcome == OutcomeType::TestScore, "a test score"),
        EquivalenceType::NonFormal => {
            let asked = outcome == OutcomeType::Unspecified || source.outcome == outcome;
            (
                is_outcome && source.outcome != OutcomeType::TestScore && asked,
                "the kind of outcome of the standing rule",
            )
        }
    };
    require(fits, Rule::OutsideScope, "sources", expected, source.show())?;
    let course = source.course.as_ref().map_or("", |course: &Course| course.code.as_str());
    let named = || request.registry.course(source.institution, course).is(&equivalence.source_course);
    let same = equivalence.source_course.is_empty() || !course.is_empty() && named();
    let expected = format!("the course or test {}", equivalence.source_course);
    require(same, Rule::OutsideScope, "sources", &expected, course)?;
    if let Some(minimum) = &equivalence.minimum {
        let expected = format!("at least {} in {}", minimum.value, minimum.scale);
        let enough = source.grade.as_ref().is_some_and(|grade| reaches(request.registry, grade, minimum));
        let found = source.grade.as_ref();
        let found = found.map_or("no grade".to_owned(), |grade| format!("{} in {}", grade.value, grade.scale));
        require(enough, Rule::OutsideScope, "grade", &expected, found)?;
    }
    let failed = source.grade.as_ref().is_some_and(|grade| request.registry.passes(grade) == Some(false));
    require(!failed, Rule::GradeNotAPass, "grade", "a grade or score that passes", source.show())?;
    age::at_most(source, equivalence.age_months_max, request.decided)
}

/// Whether a grade is at least another one, in the order of their scale; in a scale that is not registered, as numbers.
fn reaches(registry: &Registry, grade: &Grade, minimum: &Grade) -> bool {
    if grade.scale != minimum.scale {
        return false;
    }
    if registry.scale(&minimum.scale).is_some() {
        return registry.rank(grade).zip(registry.rank(minimum)).is_some_and(|(found, least)| found <= least);
    }
    parse_e4(&grade.value).ok().zip(parse_e4(&minimum.value).ok()).is_some_and(|(found, least)| found >= least)
}

//! Conversions that the receiver decided before it was in the registry. Nothing is recomputed: what it states is
//! well-formed, and says that it was declared, however often it is converted again.

use creditbank_protocol::pb::{ConvertedCredit, DeclaredConversion};
use creditbank_protocol::registry::RegistryKey;

use super::assessed::check;
use super::equivalent::fixed;
use super::{Converted, Request, SOURCES_MAX, Source, Stated, plus_1, stated};
use crate::dates::{date_of, first_day, show};
use crate::registry::admit::{present, require};
use crate::{Rejection, Rule};

pub(super) fn convert(request: &Request<'_>, declared: &DeclaredConversion) -> Result<Converted, Rejection> {
    present(!declared.reference.is_empty(), "declared", "the reference of the decision: its file, or its number")?;
    present(!declared.legal_basis.is_empty(), "declared", "on what it rested: agreement, regulation or practice")?;
    let admitted = request.registry.recorded_on(&RegistryKey::Institution(request.receiver));
    let before = admitted.is_none_or(|admitted| request.decided < admitted);
    let expected = format_args!(
        "a day before {}, when the institution came into the registry (what is decided since then is converted by an \
         agreement, an equivalence or an assessment)",
        admitted.map_or(String::new(), |day| show(&date_of(day)))
    );
    require(before, Rule::InvalidDate, "decided", expected, show(&date_of(request.decided)))?;
    let results = if request.sources.is_empty() { of_itself(request)? } else { of_sources(request)? };
    let sources = request.sources.iter().map(Source::to_record).collect();
    Ok(Converted { sources, results, amount_steps: None, exclusive: false })
}

/// What became of each source. Its roots stay, with their bounds.
fn of_sources(request: &Request<'_>) -> Result<Vec<ConvertedCredit>, Rejection> {
    let each = request.sources.iter().enumerate().map(|(index, source)| {
        let missing = || Rejection::new(Rule::MissingField, "what each source became", source.show()).field("results");
        let stated = stated(request, index).ok_or_else(missing)?;
        check(request.registry, stated)?;
        let (amount, roots) = fixed(&source.roots, &stated.amount.clone().unwrap_or_default())?;
        Ok(ConvertedCredit {
            amount: Some(amount),
            mode: source.mode.into(),
            period: source.period,
            roots,
            source_plus_1: plus_1(index),
            basis: source.basis.into(),
            ..result(stated)
        })
    });
    each.collect()
}

/// What was recognised of something that is not in this ledger. It stands on the record itself.
fn of_itself(request: &Request<'_>) -> Result<Vec<ConvertedCredit>, Rejection> {
    let count = (1..=SOURCES_MAX).contains(&request.stated.len());
    require(count, Rule::MissingField, "results", "1 to 256 results", request.stated.len())?;
    let each = request.stated.iter().map(|stated| {
        check(request.registry, stated)?;
        let begun = stated.period.as_ref().and_then(|period| period.from.as_ref()).map(first_day);
        let expected = format_args!("a period that had begun on {}", show(&date_of(request.decided)));
        let found = begun.map_or(String::new(), |day| show(&date_of(day)));
        let there = begun.is_none_or(|begun| begun <= request.decided);
        require(there, Rule::InvalidDate, "decided", expected, found)?;
        let (mode, basis) = (stated.mode.into(), stated.basis.into());
        Ok(ConvertedCredit { mode, period: stated.period, basis, ..result(stated) })
    });
    each.collect()
}

/// What the receiver states of a result.
fn result(stated: &Stated) -> ConvertedCredit {
    ConvertedCredit {
        course: stated.course.clone(),
        amount: stated.amount.clone(),
        level: stated.level.clone(),
        field: stated.field.clone(),
        grade: stated.grade.clone(),
        declared: true,
        ..ConvertedCredit::default()
    }
}

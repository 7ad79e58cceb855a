//! What an agreement covers. What a credit does not state is in no scope of it.

use creditbank_protocol::pb::{AgreementTerms, Level, Mode, PassBasis};

use super::show;
use crate::{Rejection, Rule};

/// What scopes look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The unit of its amount; empty: it has none.
    pub unit: &'a str,
    /// Its level.
    pub level: Option<&'a Level>,
    /// ISCED-F; empty: not stated.
    pub field: &'a str,
    /// How it was learned.
    pub mode: Mode,
    /// On what the pass stands; unspecified: earned.
    pub basis: PassBasis,
}

impl Facts<'_> {
    /// The basis, as scopes name it.
    fn basis(&self) -> PassBasis {
        if self.basis == PassBasis::Unspecified { PassBasis::Earned } else { self.basis }
    }
}

/// Refuses what lies outside the scope of an agreement: another unit, a level, field, mode or basis that is not among its
/// own.
pub fn covers(terms: &AgreementTerms, facts: &Facts<'_>) -> Result<(), Rejection> {
    let Some(field) = outside(terms, facts) else {
        return Ok(());
    };
    let found = match field {
        "amount" => facts.unit.to_owned(),
        "level" => facts.level.map_or(String::new(), show_level),
        "mode" if facts.mode != Mode::Unspecified => facts.mode.as_str_name().to_owned(),
        "field" => facts.field.to_owned(),
        "basis" => creditbank_protocol::names::of(facts.basis()),
        _ => String::new(),
    };
    let found = if found.is_empty() { "not stated".to_owned() } else { found };
    let what = if field == "amount" { terms.source_unit.as_str() } else { field };
    let expected = format!("what {} covers: {what}", show(&terms.code, terms.version));
    Err(Rejection::new(Rule::OutsideScope, expected, found).field(field))
}

/// The first field that lies outside.
pub(super) fn outside(terms: &AgreementTerms, facts: &Facts<'_>) -> Option<&'static str> {
    if facts.unit != terms.source_unit {
        return Some("amount");
    }
    if !terms.levels.is_empty() && !facts.level.is_some_and(|level| terms.levels.contains(level)) {
        return Some("level");
    }
    let within = |prefix: &String| facts.field.starts_with(prefix.as_str());
    if !terms.fields.is_empty() && !terms.fields.iter().any(within) {
        return Some("field");
    }
    if !terms.modes.is_empty() && !terms.modes.contains(&facts.mode.into()) {
        return Some("mode");
    }
    let within = terms.bases.is_empty() || terms.bases.contains(&facts.basis().into());
    (!within).then_some("basis")
}

pub(crate) fn show_level(level: &Level) -> String {
    format!("{} {}", level.framework, level.level)
}

/// Whether there can be a credit that both cover; an empty scope covers everything.
pub fn intersect(one: &AgreementTerms, other: &AgreementTerms) -> bool {
    let shared = |a: &String, b: &String| a.starts_with(b.as_str()) || b.starts_with(a.as_str());
    one.source_unit == other.source_unit
        && any_pair(&one.levels, &other.levels, |a, b| a == b)
        && any_pair(&one.fields, &other.fields, shared)
        && any_pair(&one.modes, &other.modes, |a, b| a == b)
        && any_pair(&one.bases, &other.bases, |a, b| a == b)
}

fn any_pair<T>(one: &[T], other: &[T], meet: impl Fn(&T, &T) -> bool) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|a| other.iter().any(|b| meet(a, b)))
}

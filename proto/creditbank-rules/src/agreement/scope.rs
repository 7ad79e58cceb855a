//! What an agreement covers. What a credit does not state is in no scope of it.

use creditbank_protocol::pb::{AgreementTerms, Level, Mode};

use crate::registry::admit::require;
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
}

/// Refuses what lies outside the scope of an agreement: another unit, a level, field or mode that is not among its own.
pub fn covers(terms: &AgreementTerms, facts: &Facts<'_>) -> Result<(), Rejection> {
    let refuse = |holds, field, expected: &str, found: &str| {
        let found = if found.is_empty() { "not stated" } else { found };
        require(holds, Rule::OutsideScope, field, expected, found)
    };
    let expected = format!("credit in {} ({})", terms.source_unit, terms.code);
    refuse(facts.unit == terms.source_unit, "amount", &expected, facts.unit)?;
    let within = terms.levels.is_empty() || facts.level.is_some_and(|level| terms.levels.contains(level));
    let found = facts.level.map_or(String::new(), show_level);
    refuse(within, "level", "a level that the agreement covers", &found)?;
    let within = |prefix: &String| facts.field.starts_with(prefix.as_str());
    let within = terms.fields.is_empty() || terms.fields.iter().any(within);
    refuse(within, "field", "a field that the agreement covers", facts.field)?;
    let within = terms.modes.is_empty() || terms.modes.contains(&facts.mode.into());
    let found = if facts.mode == Mode::Unspecified { "" } else { facts.mode.as_str_name() };
    refuse(within, "mode", "a mode that the agreement covers", found)
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
}

fn any_pair<T>(one: &[T], other: &[T], meet: impl Fn(&T, &T) -> bool) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|a| other.iter().any(|b| meet(a, b)))
}

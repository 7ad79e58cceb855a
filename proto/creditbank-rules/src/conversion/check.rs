//! Whether a conversion is what the rules give, to the last digit. The first difference is named.

use std::fmt::Debug;

use creditbank_protocol::pb::{Conversion, ConvertedCredit};

use super::{Account, Basis, Converted, Request, Source, Stated, convert};
use crate::dates::{first_day, is_real};
use crate::{Registry, Rejection, Rule};

/// Computes the conversion that `receiver` has signed again, from its sources as the ledger holds them, and compares. What a
/// receiver may choose (one of several levels, another grade with a reason, all of an assessment) is taken from the record.
pub fn check(
    registry: &Registry,
    receiver: u64,
    conversion: &Conversion,
    sources: &[Source],
    account: &Account,
) -> Result<Converted, Rejection> {
    let basis = Basis::of(registry, conversion)?;
    let real = conversion.decided.as_ref().filter(|date| is_real(date) && date.day != 0);
    let missing = || Rejection::new(Rule::InvalidDate, "the day of the decision", "none").field("decided");
    let decided = first_day(real.ok_or_else(missing)?);
    let stated: Vec<Stated> = conversion.results.iter().map(|result| stated(basis, result)).collect();
    let request = Request { registry, basis, receiver, sources, account, decided, stated: &stated };
    let expected = convert(&request)?;
    same(&expected.sources.len(), &conversion.sources.len(), "sources")?;
    for (expected, found) in expected.sources.iter().zip(&conversion.sources) {
        same(expected, found, "sources")?;
    }
    same(&expected.results.len(), &conversion.results.len(), "results")?;
    for (expected, found) in expected.results.iter().zip(&conversion.results) {
        compare(expected, found)?;
    }
    same(&expected.amount_steps, &conversion.amount_steps, "amount_steps")?;
    Ok(expected)
}

/// What the receiver has chosen, as its result shows.
fn stated(basis: Basis<'_>, result: &ConvertedCredit) -> Stated {
    let free = matches!(basis, Basis::Assessment(_));
    let chosen = free || result.suggested.is_some();
    Stated {
        source: result.source_plus_1.saturating_sub(1),
        level: result.level.clone().filter(|_| !matches!(basis, Basis::Equivalence(_))),
        grade: result.grade.clone().filter(|_| chosen),
        override_reason: result.override_reason.clone(),
        course: result.course.clone().filter(|_| free),
        amount: result.amount.clone().filter(|_| free),
        field: if free { result.field.clone() } else { String::new() },
    }
}

fn compare(expected: &ConvertedCredit, found: &ConvertedCredit) -> Result<(), Rejection> {
    let ConvertedCredit {
        course,
        amount,
        level,
        field,
        grade,
        suggested,
        override_reason,
        mode,
        period,
        roots,
        source_plus_1,
        grade_steps,
        expires,
    } = expected;
    same(source_plus_1, &found.source_plus_1, "source_plus_1")?;
    same(course, &found.course, "course")?;
    same(amount, &found.amount, "amount")?;
    same(level, &found.level, "level")?;
    same(field, &found.field, "field")?;
    same(suggested, &found.suggested, "suggested")?;
    same(grade, &found.grade, "grade")?;
    same(override_reason, &found.override_reason, "override_reason")?;
    same(mode, &found.mode, "mode")?;
    same(period, &found.period, "period")?;
    same(roots, &found.roots, "roots")?;
    same(grade_steps, &found.grade_steps, "grade_steps")?;
    same(expires, &found.expires, "expires")
}

fn same<T: PartialEq + Debug>(expected: &T, found: &T, field: &'static str) -> Result<(), Rejection> {
    if expected == found {
        return Ok(());
    }
    Err(Rejection::new(Rule::ConversionDiffers, format!("{expected:?}"), format!("{found:?}")).field(field))
}

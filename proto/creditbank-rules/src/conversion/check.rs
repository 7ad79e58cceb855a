//! Whether a conversion is what the rules give, to the last digit. The first difference is named.

use std::fmt::Debug;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{Amount, Conversion, ConvertedCredit, Course, Grade, Level, Root};

use super::{Account, Basis, Converted, Request, Source, Stated, convert, roots};
use crate::agreement::show_level;
use crate::dates::Day;
use crate::decimal::show_e4;
use crate::{Registry, Rejection, Rule};

/// Who has signed a conversion, and by what it is judged.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The registry in force.
    pub registry: &'a Registry,
    /// The institution that converts.
    pub receiver: InstitutionId,
    /// The sources as the ledger holds them.
    pub sources: &'a [Source],
    /// What the learner has been given under the same code so far.
    pub account: &'a Account,
    /// The day by which everything is judged: that of the decision or, of what is late, also that of its recording.
    pub day: Day,
    /// The day of the advance decision that is carried out.
    pub promised: Option<Day>,
}

/// Computes a conversion again and compares. What a receiver may choose (one of several levels, another grade with a
/// reason, all of an assessment and of what is declared) is taken from the record.
pub fn check(conversion: &Conversion, asked: &Asked<'_>) -> Result<Converted, Rejection> {
    let Asked { registry, receiver, sources, account, day, promised } = *asked;
    let basis = Basis::of(registry, conversion)?;
    let stated: Vec<Stated> = conversion.results.iter().map(|result| stated(basis, result)).collect();
    let request = Request { registry, basis, receiver, sources, account, decided: day, promised, stated: &stated };
    let expected = convert(&request)?;
    same(&expected.sources.len(), &conversion.sources.len(), "sources")?;
    for ((source, expected), found) in sources.iter().zip(&expected.sources).zip(&conversion.sources) {
        let shown = || (format!("{} as it stands", source.show()), "another statement of it".to_owned());
        differs(expected == found, "sources", shown)?;
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
    let free = matches!(basis, Basis::Assessment(_) | Basis::Declared(_));
    let chosen = free || result.suggested.is_some();
    Stated {
        source: result.source_plus_1.saturating_sub(1),
        level: result.level.clone().filter(|_| !matches!(basis, Basis::Equivalence(_))),
        grade: result.grade.clone().filter(|_| chosen),
        override_reason: result.override_reason.clone(),
        course: result.course.clone().filter(|_| free),
        amount: result.amount.clone().filter(|_| free),
        field: if free { result.field.clone() } else { String::new() },
        mode: result.mode(),
        period: result.period,
        basis: result.basis(),
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
        basis,
        declared,
    } = expected;
    same(source_plus_1, &found.source_plus_1, "source_plus_1")?;
    let code = |course: &Option<Course>| course.as_ref().map_or("none".to_owned(), |course| course.code.clone());
    let shown = || {
        (
            format!("{} as in its source, or as stated", code(course)),
            format!("{}, or other titles", code(&found.course)),
        )
    };
    differs(course == &found.course, "course", shown)?;
    let shown = |amount: &Option<Amount>| {
        amount.as_ref().map_or("none".to_owned(), |amount| format!("{} {}", show_e4(amount.e4), amount.unit))
    };
    differs(amount == &found.amount, "amount", || (shown(amount), shown(&found.amount)))?;
    let shown = |level: &Option<Level>| level.as_ref().map_or("none".to_owned(), show_level);
    differs(level == &found.level, "level", || (shown(level), shown(&found.level)))?;
    same(field, &found.field, "field")?;
    let shown = |grade: &Option<Grade>| {
        grade.as_ref().map_or("none".to_owned(), |grade| format!("{} in {}", grade.value, grade.scale))
    };
    differs(suggested == &found.suggested, "suggested", || (shown(suggested), shown(&found.suggested)))?;
    differs(grade == &found.grade, "grade", || (shown(grade), shown(&found.grade)))?;
    // What people write is not repeated.
    let given = |text: &str| if text.is_empty() { "none".to_owned() } else { "a reason".to_owned() };
    let reasons = || (given(override_reason), given(&found.override_reason));
    differs(override_reason == &found.override_reason, "override_reason", reasons)?;
    same(mode, &found.mode, "mode")?;
    same(period, &found.period, "period")?;
    same(&roots.len(), &found.roots.len(), "roots")?;
    for (root, found) in roots.iter().zip(&found.roots) {
        differs(root == found, "roots", || (show_root(root), show_root(found)))?;
    }
    same(grade_steps, &found.grade_steps, "grade_steps")?;
    same(expires, &found.expires, "expires")?;
    same(basis, &found.basis, "basis")?;
    same(declared, &found.declared, "declared")
}

fn show_root(root: &Root) -> String {
    let place = roots::key(root);
    let fraction = root.fraction.unwrap_or_default();
    let had: Vec<String> = root.had.iter().map(|had| format!("{} {}", show_e4(had.e4), had.unit)).collect();
    let (by, over, part) = (fraction.numerator, fraction.denominator, show_e4(root.part_e4));
    format!("{by}/{over} of {place} with a part of {part}, which had {}", had.join(", "))
}

fn same<T: PartialEq + Debug>(expected: &T, found: &T, field: &'static str) -> Result<(), Rejection> {
    differs(expected == found, field, || (format!("{expected:?}"), format!("{found:?}")))
}

fn differs(same: bool, field: &'static str, shown: impl FnOnce() -> (String, String)) -> Result<(), Rejection> {
    if same {
        return Ok(());
    }
    let (expected, found) = shown();
    Err(Rejection::new(Rule::ConversionDiffers, expected, found).field(field))
}

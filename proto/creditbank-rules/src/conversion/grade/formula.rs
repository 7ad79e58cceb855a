//! Grades by a formula, exactly; then cut to decimal places; then a step of the rounding table.
//!
//! A grade better than the best one of the formula counts as the best; one worse than its pass is refused. Where no step is as
//! good (or as bad) as the choice asks for, the first (or the last) is taken.

use creditbank_protocol::pb::{GradeFormula, GradeRule, GradeScale, GradeSteps, Ratio, StepChoice};

use crate::conversion::exact::{Exact, parts, too_large};
use crate::decimal::{parse_e4, show_e4};
use crate::registry::admit::require;
use crate::registry::rank::spell;
use crate::{Rejection, Rule};

pub(super) fn suggest(
    rule: &GradeRule,
    source: &GradeScale,
    target: &GradeScale,
    value: &str,
    steps: &mut GradeSteps,
) -> Result<String, Rejection> {
    let missing = || Rejection::new(Rule::MissingField, "a formula", "nothing").field("grade");
    let formula = rule.formula.as_ref().ok_or_else(missing)?;
    let number = formula.ordinals.iter().find(|ordinal| ordinal.value == value).map(|ordinal| ordinal.e4);
    let number = number.or_else(|| parse_e4(value).ok());
    let expected = "a number, or a grade that the formula has a number for";
    let unknown = || Rejection::new(Rule::UnknownGrade, expected, format!("{value} in {}", source.code)).field("grade");
    let exact = exact(formula, number.ok_or_else(unknown)?)?;
    steps.exact_e4 = Some(ratio(&exact)?);
    let cut = truncate(&exact, formula.truncate_places_plus_1);
    let chosen = match formula.steps_e4.as_slice() {
        [] => whole(&cut),
        all => choose(&cut, all, formula),
    };
    let spelled = chosen.and_then(|e4| spell(target, e4));
    let found = chosen.map_or("a fraction that no decimal of four places is".to_owned(), show_e4);
    let expected = format!("a result that is a grade of {}", target.code);
    spelled.ok_or_else(|| Rejection::new(Rule::UnknownGrade, expected, found).field("grade"))
}

fn ratio(exact: &Exact) -> Result<Ratio, Rejection> {
    parts(exact).ok_or_else(|| too_large("grade"))
}

/// `target_best + (target_pass - target_best) x (source_best - g) / (source_best - source_pass)`, in ten-thousandths.
fn exact(formula: &GradeFormula, number: u64) -> Result<Exact, Rejection> {
    let (best, pass) = (formula.source_best_e4, formula.source_pass_e4);
    let between = |a: u64, b: u64| u128::from(a.abs_diff(b));
    let span = between(best, pass);
    // How far from the best towards the pass.
    let towards = if best > pass { best.saturating_sub(number) } else { number.saturating_sub(best) };
    let way = u128::from(towards);
    let expected = format!("a grade between {} and {}", show_e4(best), show_e4(pass));
    require(span > 0 && way <= span, Rule::GradeNotAPass, "grade", &expected, show_e4(number))?;
    let (best, pass) = (formula.target_best_e4, formula.target_pass_e4);
    // Below 10^10 each, so that products and their sum fit.
    let (start, moved) = (u128::from(best) * span, between(best, pass) * way);
    let end = if pass > best { start + moved } else { start - moved };
    Ok(Exact::new(end, span))
}

/// Cuts all but so many decimal places; 0 keeps everything, and the number of places comes plus 1.
fn truncate(exact: &Exact, places_plus_1: u32) -> Exact {
    let Some(places) = places_plus_1.checked_sub(1) else {
        return *exact;
    };
    let unit = 10u128.pow(4u32.saturating_sub(places));
    Exact::from_integer(exact.to_integer() / unit * unit)
}

fn whole(exact: &Exact) -> Option<u64> {
    exact.is_integer().then(|| u64::try_from(exact.to_integer()).ok())?
}

/// The step for a result; steps stand best first.
fn choose(exact: &Exact, steps: &[u64], formula: &GradeFormula) -> Option<u64> {
    let falling = formula.target_best_e4 > formula.target_pass_e4;
    let at = |step: &u64| Exact::from_integer((*step).into());
    let not_worse = |step: &&u64| if falling { at(step) >= *exact } else { at(step) <= *exact };
    let not_better = |step: &&u64| if falling { at(step) <= *exact } else { at(step) >= *exact };
    let favourable = steps.iter().rfind(not_worse);
    let unfavourable = steps.iter().find(not_better);
    match formula.choice() {
        StepChoice::Favourable => favourable.or(steps.first()).copied(),
        StepChoice::Unfavourable => unfavourable.or(steps.last()).copied(),
        StepChoice::Nearest | StepChoice::Unspecified => match (favourable, unfavourable) {
            (Some(better), Some(worse)) => {
                let distance = |step: &u64| if at(step) > *exact { at(step) - exact } else { exact - at(step) };
                Some(if distance(worse) < distance(better) { *worse } else { *better })
            }
            (better, worse) => better.or(worse).copied(),
        },
    }
}

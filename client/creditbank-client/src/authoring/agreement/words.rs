//! What an agreement says, in sentences that whoever signs it can check.

use creditbank_protocol::counted;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, GradeMethod, Tier};
use creditbank_rules::dates;
use creditbank_rules::decimal::show_e4;

fn fraction(ratio: Option<&pb::Ratio>) -> String {
    ratio.map_or_else(|| "nothing".to_owned(), |ratio| format!("{}/{}", ratio.numerator, ratio.denominator))
}

fn listed(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().collect::<Vec<_>>().join(", ")
}

/// The text of an agreement as sentences. Holds what was written by others: show it without control characters.
pub fn in_words(terms: &pb::AgreementTerms) -> Vec<String> {
    let mut lines = vec![format!("Agreement {}, version {}", terms.code, terms.version)];
    lines.extend(terms.titles.iter().map(|title| format!("{} ({})", title.value, title.language)));
    lines.push(match terms.tier() {
        Tier::Group => format!(
            "Credit of institution {} and the members of it becomes credit of institution {} and the members of it.",
            terms.sender, terms.receiver
        ),
        Tier::Country => format!(
            "Credit of every institution in the country of authority {} becomes credit in the country of authority {}, under {}.",
            terms.sender, terms.receiver, terms.legal_instrument
        ),
        _ => format!("Credit of institution {} becomes credit of institution {}.", terms.sender, terms.receiver),
    });
    let (unit, target) = (&terms.source_unit, &terms.target_unit);
    lines.push(format!(
        "One {unit} becomes {} {target}, rounded once, at the end, {} to a multiple of {}{}.",
        fraction(terms.ratio.as_ref()),
        names::of(terms.rounding()),
        show_e4(terms.step_e4),
        match terms.apportionment() {
            pb::Apportionment::Lump => "; the result is one lump",
            _ => " and spread over the modules by largest remainder",
        }
    ));
    lines.push(levels(terms));
    lines.push(grades(terms.grades.as_ref()));
    lines.extend(scope(terms));
    lines.extend(caps(terms));
    lines.push(if terms.exclusive {
        "The sources are redeemed by the conversion: they count nowhere else any more.".to_owned()
    } else {
        "The sources stay spendable at home; no root counts in two awards of this ledger.".to_owned()
    });
    let from = terms.from.as_ref().map_or_else(|| "any day".to_owned(), dates::show);
    let until = terms.until.as_ref().map_or_else(|| "further notice".to_owned(), dates::show);
    lines.push(format!(
        "For conversions from {from} until {until}; {} of notice end it.",
        counted(terms.notice_days, "day", "days")
    ));
    if !terms.replaces.is_empty() {
        let names = terms.replaces.iter().map(|name| format!("{}.{}", name.code, name.version));
        lines.push(format!("It replaces {}.", listed(names)));
    }
    lines
}

fn levels(terms: &pb::AgreementTerms) -> String {
    if terms.level_map.is_empty() && terms.level_rows.is_empty() {
        return "Levels are not converted.".to_owned();
    }
    let (from, to) = (&terms.level_from_framework, &terms.level_to_framework);
    let row = |row: &pb::LevelMapRow| match row.to.as_slice() {
        [] => format!("{from} {} has no comparable level", row.from),
        to_levels => format!("{from} {} is {to} {}", row.from, to_levels.join(" or ")),
    };
    let own = listed(terms.level_rows.iter().map(row));
    let map =
        if terms.level_map.is_empty() { String::new() } else { format!("by the registry's map {}", terms.level_map) };
    let between = if own.is_empty() || map.is_empty() { "" } else { "; otherwise " };
    format!("Levels: {own}{between}{map}.")
}

fn grades(rule: Option<&pb::GradeRule>) -> String {
    let Some(rule) = rule.filter(|rule| rule.method() != GradeMethod::None) else {
        return "Grades are not converted: the result is ungraded.".to_owned();
    };
    let scales = format!("Grades of {} are suggested in {}", rule.source_scale, rule.target_scale);
    match rule.method() {
        GradeMethod::Table => {
            let row = |row: &pb::GradeRow| match row.value.as_str() {
                "" => format!("{} to {} is {}", show_e4(row.min_e4), show_e4(row.max_e4), row.target),
                value => format!("{value} is {}", row.target),
            };
            format!("{scales} by this table: {}.", listed(rule.rows.iter().map(row)))
        }
        GradeMethod::Ects => format!(
            "{scales} by the overlap of the two published distributions of the {} cycle; of several, the {}.",
            names::of(rule.cycle()),
            names::of(rule.overlap()),
        ),
        _ => format!("{scales} by {}.", formula(&rule.formula.clone().unwrap_or_default())),
    }
}

fn formula(formula: &pb::GradeFormula) -> String {
    let [best, pass, target_best, target_pass] =
        [formula.source_best_e4, formula.source_pass_e4, formula.target_best_e4, formula.target_pass_e4].map(show_e4);
    let mut text = format!("x = {target_best} + ({target_pass} - {target_best}) ({best} - grade) / ({best} - {pass})");
    if let Some(places) = formula.truncate_places_plus_1.checked_sub(1) {
        text = format!("{text}, truncated to {places} decimal places");
    }
    if !formula.steps_e4.is_empty() {
        let steps = listed(formula.steps_e4.iter().map(|step| show_e4(*step)));
        text = format!("{text}, then the {} of {steps}", names::of(formula.choice()));
    }
    if !formula.ordinals.is_empty() {
        let ordinals = formula.ordinals.iter().map(|one| format!("{} for {}", show_e4(one.e4), one.value));
        text = format!("{text}, with {}", listed(ordinals));
    }
    text
}

fn scope(terms: &pb::AgreementTerms) -> Option<String> {
    let levels = terms.levels.iter().map(|level| format!("{} {}", level.framework, level.level));
    let modes = terms.modes.iter().map(|mode| names::of_number::<pb::Mode>(*mode));
    let bases = terms.bases.iter().map(|basis| names::of_number::<pb::PassBasis>(*basis));
    let parts = [
        ("levels", listed(levels)),
        ("fields", listed(terms.fields.iter().cloned())),
        ("modes", listed(modes)),
        ("passes", listed(bases)),
    ];
    let parts = parts.into_iter().filter(|(_, list)| !list.is_empty()).map(|(name, list)| format!("{name} {list}"));
    let all = parts.collect::<Vec<_>>().join("; ");
    (!all.is_empty()).then(|| format!("It covers only {all}; credit that does not state it is not covered."))
}

fn caps(terms: &pb::AgreementTerms) -> Vec<String> {
    let mut lines = Vec::new();
    if terms.learner_max_e4 > 0 {
        lines.push(format!("At most {} {} for one learner.", show_e4(terms.learner_max_e4), terms.target_unit));
    }
    if terms.award_share_max.is_some() {
        lines.push(format!(
            "At most {} of an award's credits may come by it.",
            fraction(terms.award_share_max.as_ref())
        ));
    }
    if terms.age_months_max > 0 {
        lines.push(format!("Credit may be at most {} old.", counted(terms.age_months_max, "month", "months")));
    }
    lines
}

//! When the text of an agreement is well-formed and fits what is in force.

use creditbank_protocol::pb::{self, AgreementTerms, Apportionment, InstitutionType, Ratio, Rounding, Tier};

use super::{Agreement, grades, same_parties, show};
use crate::codes::is_field;
use crate::dates::first_day;
use crate::decimal::show_e4;
use crate::registry::Registry;
use crate::registry::admit::{dates, names, present, require};
use crate::{Rejection, Rule};

type Checked = Result<(), Rejection>;

pub(super) fn check(registry: &Registry, terms: &AgreementTerms) -> Checked {
    present(!terms.code.is_empty(), "terms", "a code")?;
    present(terms.version > 0, "terms", "a version, from 1 on")?;
    present(!terms.titles.is_empty(), "terms", "at least one title")?;
    names(terms.titles.iter())?;
    parties(registry, terms)?;
    present(terms.from.is_some(), "terms", "the first day of conversions under it")?;
    dates(terms.from.as_ref(), terms.until.as_ref(), "terms")?;
    versions(registry, terms)?;
    units(registry, terms)?;
    amounts(terms)?;
    levels(registry, terms)?;
    terms.grades.as_ref().map_or(Ok(()), |rule| grades::check(registry, rule))?;
    scope(registry, terms)?;
    replaced(registry, terms)
}

/// Two active institutions that may speak for this tier.
fn parties(registry: &Registry, terms: &AgreementTerms) -> Checked {
    let tier = Tier::try_from(terms.tier).unwrap_or_default();
    present(tier != Tier::Unspecified, "terms", "a tier: institution, group or country")?;
    let two = terms.sender != terms.receiver;
    require(two, Rule::Contradiction, "terms", "two institutions", format_args!("{} twice", terms.sender))?;
    for party in [terms.sender, terms.receiver] {
        let known = registry.institution(party.into());
        require(known.is_some(), Rule::UnknownReference, "terms", "institutions of the registry", party)?;
        require(registry.is_active(party.into()), Rule::InstitutionNotActive, "terms", "active institutions", party)?;
        let authority = known.is_some_and(|found| {
            let may = [InstitutionType::RecognitionAuthority, InstitutionType::Operator];
            may.map(i32::from).contains(&found.r#type) && !found.country.is_empty()
        });
        let expected = "a recognition authority, or the operator, of a country for a country's tier";
        require(tier != Tier::Country || authority, Rule::Contradiction, "terms", expected, party)?;
    }
    let named = tier != Tier::Country || !terms.legal_instrument.is_empty();
    present(named, "terms", "the legal instrument of a country's tier")
}

/// Versions follow each other, each of an accepted one, and keep what the learner's account is kept by.
fn versions(registry: &Registry, terms: &AgreementTerms) -> Checked {
    let Some(before) = terms.version.checked_sub(1).filter(|before| *before > 0) else {
        return Ok(());
    };
    let accepted = registry.agreement(&terms.code, before).filter(|found| found.acceptance.is_some());
    let found = format!("{}, which was not", show(&terms.code, before));
    let expected = "a version whose predecessor was accepted";
    let missing = || Rejection::new(Rule::UnknownReference, expected, found).field("terms");
    let accepted = accepted.ok_or_else(missing)?;
    same_parties(accepted, terms, "the parties of the version before")?;
    let kept = |terms: &AgreementTerms| (terms.source_unit.clone(), terms.target_unit.clone());
    let same = kept(accepted.terms()) == kept(terms);
    let expected = "the units of the version before, for which the learners' accounts are kept";
    require(
        same,
        Rule::Contradiction,
        "terms",
        expected,
        format_args!("{} to {}", terms.source_unit, terms.target_unit),
    )?;
    let first = |terms: &AgreementTerms| terms.from.as_ref().map(first_day);
    let ordered = first(accepted.terms()) <= first(terms);
    require(ordered, Rule::InvalidDate, "terms", "a beginning not before the version before's", "an earlier one")
}

fn units(registry: &Registry, terms: &AgreementTerms) -> Checked {
    for code in [&terms.source_unit, &terms.target_unit] {
        let known = registry.credit_unit(code).is_some();
        require(known, Rule::UnknownCreditUnit, "terms", "credit units of the registry", code)?;
    }
    let ratio = positive(terms.ratio.as_ref(), "a ratio of two numbers above 0")?;
    let one = ratio.numerator == ratio.denominator;
    let fits = terms.source_unit != terms.target_unit || one;
    let found = format_args!("{} to itself at {}/{}", terms.source_unit, ratio.numerator, ratio.denominator);
    require(fits, Rule::Contradiction, "terms", "two units, or one unit at the ratio 1/1", found)
}

fn positive<'a>(ratio: Option<&'a Ratio>, expected: &str) -> Result<&'a Ratio, Rejection> {
    let missing = || Rejection::new(Rule::MissingField, expected, "nothing").field("terms");
    let ratio = ratio.ok_or_else(missing)?;
    let above = ratio.numerator > 0 && ratio.denominator > 0;
    let found = format_args!("{}/{}", ratio.numerator, ratio.denominator);
    require(above, Rule::Contradiction, "terms", expected, found)?;
    Ok(ratio)
}

/// Step, rounding, apportionment and caps.
fn amounts(terms: &AgreementTerms) -> Checked {
    present(terms.step_e4 > 0, "terms", "a step of which results are multiples")?;
    let rounding = Rounding::try_from(terms.rounding).unwrap_or_default();
    present(rounding != Rounding::Unspecified, "terms", "a rounding: down, half even or half up")?;
    let apportionment = Apportionment::try_from(terms.apportionment).unwrap_or_default();
    present(apportionment != Apportionment::Unspecified, "terms", "an apportionment: largest remainder or lump")?;
    let whole = terms.learner_max_e4.is_multiple_of(terms.step_e4);
    let expected = "a cap of the learner that is a multiple of the step";
    require(whole, Rule::Contradiction, "terms", expected, show_e4(terms.learner_max_e4))?;
    let Some(share) = &terms.award_share_max else {
        return Ok(());
    };
    let share = positive(Some(share), "a share of an award above 0")?;
    let most = share.numerator <= share.denominator;
    let found = format_args!("{}/{}", share.numerator, share.denominator);
    require(most, Rule::Contradiction, "terms", "a share of an award of at most 1", found)
}

/// A level map of the registry, rows of its own, both or none.
fn levels(registry: &Registry, terms: &AgreementTerms) -> Checked {
    let (from, to) = (&terms.level_from_framework, &terms.level_to_framework);
    let map = registry.level_map(&terms.level_map);
    let known = terms.level_map.is_empty() || map.is_some();
    require(known, Rule::UnknownReference, "terms", "a level map of the registry", &terms.level_map)?;
    let applied = map.is_none_or(|map| !map.withdrawn);
    let expected = "a level map that is applied";
    let found = format_args!("{}, which is withdrawn: no authority stands behind it", terms.level_map);
    require(applied, Rule::UnknownReference, "terms", expected, found)?;
    let named = !from.is_empty() && !to.is_empty();
    if let Some(map) = map {
        let same = from.is_empty() && to.is_empty() || (from, to) == (&map.from_framework, &map.to_framework);
        let expected = format!("the frameworks of the level map, {} and {}", map.from_framework, map.to_framework);
        require(same, Rule::Contradiction, "terms", &expected, format_args!("{from} and {to}"))?;
    } else {
        let none = terms.level_rows.is_empty() && from.is_empty() && to.is_empty();
        present(none || named && !terms.level_rows.is_empty(), "terms", "rows and both frameworks of a level map")?;
    }
    require(!named || from != to, Rule::Contradiction, "terms", "two frameworks", format_args!("{from} to itself"))?;
    let frameworks = map.map_or((from, to), |map| (&map.from_framework, &map.to_framework));
    let is_level = |framework: &str, level: &str| {
        let (framework, level) = (framework.to_owned(), level.to_owned());
        let level = pb::Level { framework, level };
        let found = format!("{} {}", level.framework, level.level);
        require(registry.has_level(&level), Rule::UnknownLevel, "terms", "levels of the frameworks", found)
    };
    for (index, row) in terms.level_rows.iter().enumerate() {
        is_level(frameworks.0, &row.from)?;
        row.to.iter().try_for_each(|level| is_level(frameworks.1, level))?;
        let again = terms.level_rows[..index].iter().any(|before| before.from == row.from);
        require(!again, Rule::Contradiction, "terms", "one row for each level", &row.from)?;
    }
    Ok(())
}

fn scope(registry: &Registry, terms: &AgreementTerms) -> Checked {
    for level in &terms.levels {
        let found = format_args!("{} {}", level.framework, level.level);
        require(
            registry.has_level(level),
            Rule::UnknownLevel,
            "terms",
            "levels of a framework of the registry",
            found,
        )?;
    }
    let odd = terms.fields.iter().find(|code| !is_field(code));
    let found = odd.map_or("", String::as_str);
    require(odd.is_none(), Rule::InvalidCode, "terms", "fields of two to four digits (ISCED-F)", found)?;
    present(!terms.modes.contains(&0), "terms", "modes that are specified")
}

/// What it replaces are accepted agreements of the same parties under other codes.
fn replaced(registry: &Registry, terms: &AgreementTerms) -> Checked {
    for name in &terms.replaces {
        let shown = show(&name.code, name.version);
        let other = name.code != terms.code;
        let expected = "agreements of other codes: a version replaces the ones before it anyway";
        require(other, Rule::Contradiction, "terms", expected, &shown)?;
        let found = registry.agreement(&name.code, name.version).filter(|found| found.acceptance.is_some());
        let missing =
            || Rejection::new(Rule::UnknownReference, "accepted agreements to replace", &shown).field("terms");
        let found: &Agreement = found.ok_or_else(missing)?;
        same_parties(found, terms, "agreements of the same parties to replace")?;
    }
    Ok(())
}

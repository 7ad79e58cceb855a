//! Levels under an agreement: its own rows first, then the registry's map. No row, or a row without a comparable level, is a
//! refusal; of several comparable levels the receiver states one. A withdrawn map has no rows.

use creditbank_protocol::pb::{AgreementTerms, Level, LevelMapRow};

use crate::agreement::show_level as show;
use crate::registry::admit::require;
use crate::{Registry, Rejection, Rule};

/// The levels that are comparable with one; itself, where the agreement does not convert levels or it is of the target
/// framework already.
pub(super) fn comparable(registry: &Registry, terms: &AgreementTerms, level: &Level) -> Result<Vec<Level>, Rejection> {
    let map = registry.level_map(&terms.level_map);
    if map.is_none() && terms.level_rows.is_empty() {
        return Ok(vec![level.clone()]);
    }
    let own = (terms.level_from_framework.as_str(), terms.level_to_framework.as_str());
    let (from, to) = match map {
        Some(map) if own.0.is_empty() => (map.from_framework.as_str(), map.to_framework.as_str()),
        _ => own,
    };
    if level.framework == to {
        return Ok(vec![level.clone()]);
    }
    let refuse = |found: String| {
        let expected = format!("a level that has a comparable one in {to} ({})", terms.code);
        Rejection::new(Rule::UndefinedLevel, expected, found).field("level")
    };
    let of_map = map.filter(|map| map.from_framework == from && map.to_framework == to);
    let withdrawn = of_map.is_some_and(|map| map.withdrawn);
    let of_map = of_map.filter(|map| !map.withdrawn);
    let rows = terms.level_rows.iter().chain(of_map.into_iter().flat_map(|map| &map.rows));
    let row: Option<&LevelMapRow> = rows.into_iter().find(|row| row.from == level.level && level.framework == from);
    let row = row.ok_or_else(|| {
        let why = if withdrawn { "the map is withdrawn: no authority stands behind it" } else { "which is undefined" };
        refuse(format!("{}, {why}", show(level)))
    })?;
    if row.to.is_empty() {
        return Err(refuse(format!("{}, which has none", show(level))));
    }
    Ok(row.to.iter().map(|to_level| Level { framework: to.to_owned(), level: to_level.clone() }).collect())
}

/// The level of a result: the one comparable level of each of its sources, or the stated one of several. A source without a level
/// gives none, and so do the sources of a lump that differ.
pub(super) fn choose(
    registry: &Registry,
    terms: &AgreementTerms,
    levels: &[Option<&Level>],
    stated: Option<&Level>,
) -> Result<Option<Level>, Rejection> {
    let mut sets = Vec::with_capacity(levels.len());
    for level in levels {
        sets.push(level.map(|level| comparable(registry, terms, level)).transpose()?);
    }
    let known: Option<Vec<Vec<Level>>> = sets.into_iter().collect();
    let (Some(known), [_, ..]) = (known, levels) else {
        return differs(stated, "none, as a source states none");
    };
    let single = known.iter().all(|set| set.len() == 1);
    if single {
        let first = &known[0][0];
        if known.iter().any(|set| set[0] != *first) {
            return differs(stated, "none, as the sources differ");
        }
        let same = stated.is_none_or(|stated| stated == first);
        let found = stated.map_or(String::new(), show);
        require(same, Rule::ConversionDiffers, "level", show(first), found)?;
        return Ok(Some(first.clone()));
    }
    let common: Vec<&Level> = known[0].iter().filter(|level| known.iter().all(|set| set.contains(level))).collect();
    if common.is_empty() {
        return differs(stated, "none, as the sources differ");
    }
    let expected = format!(
        "one of {}, as the receiver states",
        common.iter().map(|level| show(level)).collect::<Vec<_>>().join(", ")
    );
    let chosen = stated.filter(|stated| common.contains(stated));
    let found = stated.map_or("none stated".to_owned(), show);
    require(chosen.is_some(), Rule::UndefinedLevel, "level", &expected, found)?;
    Ok(chosen.cloned())
}

fn differs(stated: Option<&Level>, expected: &str) -> Result<Option<Level>, Rejection> {
    let found = stated.map_or(String::new(), show);
    require(stated.is_none(), Rule::ConversionDiffers, "level", expected, found)?;
    Ok(None)
}

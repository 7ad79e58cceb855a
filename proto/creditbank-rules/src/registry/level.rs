//! Level maps: which are well-formed, and what a level of one framework is in another.
//!
//! A map need not name every level. That there is no comparable level, that there are several, and that nothing is said
//! are results; only what needs a level where there is none has to refuse. A map that is withdrawn is not applied: no
//! authority stands behind it, as its sources say.

use creditbank_protocol::pb;

use super::Registry;
use super::admit::{Checked, names, present, require, sources};
use crate::Rule;

/// What a level map says about a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparable<'a> {
    /// The comparable levels, at least one, sorted as text. Of several, whoever decides has to choose.
    Levels(&'a [String]),
    /// It was looked at, and there is no comparable level.
    None,
    /// The map does not name the level, or its framework does not have it any more.
    Undefined,
    /// The map is withdrawn, whatever it says.
    Withdrawn,
}

impl Registry {
    /// What a level of the map's first framework is in its second.
    pub fn comparable<'a>(&self, map: &'a pb::LevelMap, level: &str) -> Comparable<'a> {
        if map.withdrawn {
            return Comparable::Withdrawn;
        }
        if !self.level_exists(&map.from_framework, level) {
            return Comparable::Undefined;
        }
        match map.rows.iter().find(|row| row.from == level) {
            Some(row) if row.to.is_empty() => Comparable::None,
            Some(row) => Comparable::Levels(&row.to),
            None => Comparable::Undefined,
        }
    }

    pub(super) fn level_exists(&self, framework: &str, level: &str) -> bool {
        self.framework(framework).is_some_and(|found| found.levels.iter().any(|one| one.code == level))
    }
}

pub(super) fn map(registry: &Registry, entry: &pb::LevelMap) -> Checked {
    present(!entry.code.is_empty(), "code", "a code")?;
    present(!entry.names.is_empty(), "names", "at least one name")?;
    names(entry.names.iter())?;
    framework(registry, &entry.from_framework, "from_framework")?;
    framework(registry, &entry.to_framework, "to_framework")?;
    let itself = entry.from_framework == entry.to_framework;
    require(!itself, Rule::Contradiction, "to_framework", "another framework than the first", &entry.to_framework)?;
    sources(&entry.sources, "where the levels were compared")?;
    present(!entry.rows.is_empty() || entry.withdrawn, "rows", "at least one level")?;
    let mut from: Vec<&str> = entry.rows.iter().map(|row| row.from.as_str()).collect();
    from.sort_unstable();
    let twice = from.windows(2).find(|pair| pair[0] == pair[1]);
    require(twice.is_none(), Rule::Contradiction, "rows", "one row for each level", twice.map_or("", |pair| pair[0]))?;
    for row in &entry.rows {
        level(registry, &entry.from_framework, &row.from)?;
        row.to.iter().try_for_each(|to| level(registry, &entry.to_framework, to))?;
    }
    Ok(())
}

fn framework(registry: &Registry, code: &str, field: &'static str) -> Checked {
    let exists = registry.framework(code).is_some();
    require(exists, Rule::UnknownReference, field, "a framework of the registry", shown(code))
}

fn level(registry: &Registry, framework: &str, level: &str) -> Checked {
    let expected = format!("levels of {framework} in the registry");
    require(registry.level_exists(framework, level), Rule::UnknownReference, "rows", &expected, shown(level))
}

fn shown(code: &str) -> &str {
    if code.is_empty() { "nothing" } else { code }
}

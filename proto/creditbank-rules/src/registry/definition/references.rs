//! Other definitions that a definition names.

use std::collections::BTreeSet;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{QualificationDefinition, QualificationName};

use super::super::admit::{present, require};
use super::{Checked, exists};
use crate::{Registry, Rule};

/// Most versions of definitions that a definition stands on, through all others.
const REACHED_MAX: usize = 1_024;

/// A definition in all of its versions.
type Line = (InstitutionId, String);

fn line(name: &QualificationName) -> Line {
    (name.institution.into(), name.code.clone())
}

/// What a definition stands on: what it absorbs, and the awards that it asks for.
fn stands_on(entry: &QualificationDefinition) -> impl Iterator<Item = &QualificationName> {
    entry.absorbs.iter().chain(entry.requirements.iter().flat_map(|node| &node.awards))
}

/// What is named is in the registry and is another definition, and no way leads back: versions do not matter for that.
pub(super) fn check(registry: &Registry, entry: &QualificationDefinition) -> Checked {
    let own = (InstitutionId(entry.institution), entry.code.clone());
    let overlaps = entry.overlaps.iter().filter_map(|overlap| overlap.other.as_ref());
    let named = [("absorbs", entry.absorbs.iter().collect::<Vec<_>>()), ("overlaps", overlaps.collect())];
    for (field, names) in named {
        for name in names {
            let shown = format!("{} {}", name.institution, name.code);
            require(line(name) != own, Rule::ReferenceCycle, field, "another definition", &shown)?;
            require(exists(registry, name), Rule::UnknownReference, field, "definitions of the registry", shown)?;
        }
    }
    for overlap in &entry.overlaps {
        present(overlap.other.is_some() && overlap.max_e4 > 0, "overlaps", "a definition and an amount above 0")?;
    }
    // Which lines it stands on does not depend on the order in which they are found, and neither do the refusals: first
    // that there are too many, then that one leads back.
    let mut seen: BTreeSet<Line> = BTreeSet::new();
    let mut open: Vec<Line> = Vec::new();
    let (mut found, mut back) = (0usize, None);
    let mut follow = |from: &QualificationDefinition, open: &mut Vec<Line>| {
        for next in stands_on(from).map(line) {
            if next == own {
                back = Some(format!("{} {}, which leads back to it", from.institution, from.code));
            } else if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    };
    follow(entry, &mut open);
    while let Some((institution, code)) = open.pop() {
        for version in registry.versions_of(institution, &code) {
            found += 1;
            let expected =
                format!("at most {REACHED_MAX} versions of definitions that it stands on, through others too");
            require(found <= REACHED_MAX, Rule::DefinitionTooLarge, "absorbs", expected, "more")?;
            follow(version, &mut open);
        }
    }
    let shown = back.unwrap_or_default();
    require(shown.is_empty(), Rule::ReferenceCycle, "absorbs", "no way back to the definition itself", shown)
}

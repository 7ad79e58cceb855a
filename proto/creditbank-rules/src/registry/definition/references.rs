//! Other definitions that a definition names.

use std::collections::BTreeSet;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::pb::{QualificationDefinition, QualificationName};

use super::super::admit::{present, require};
use super::{Checked, exists};
use crate::{Registry, Rule};

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
    let mut seen: BTreeSet<Line> = BTreeSet::new();
    let mut open: Vec<Line> = stands_on(entry).map(line).collect();
    while let Some(next) = open.pop() {
        let shown = format!("{} {}, which leads back to it", next.0, next.1);
        require(next != own, Rule::ReferenceCycle, "absorbs", "no way back to the definition itself", shown)?;
        if seen.insert(next.clone()) {
            let versions = registry.definitions(next.0).filter(|other| other.code == next.1);
            open.extend(versions.flat_map(|other| stands_on(other).map(line)));
        }
    }
    Ok(())
}

//! `qualification check`: a definition in words, and whether it can be met.

use std::path::Path;

use creditbank_allocation::Piece;
use creditbank_client::authoring::qualification::{Review, registry_alone, review};
use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::QualificationDefinition;
use creditbank_rules::Registry;
use creditbank_rules::dates::first_day;
use creditbank_rules::qualification::{Conflict, Line};
use serde_json::json;

use super::{example, file};
use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show};

pub(super) async fn run(global: &Global, path: &Path, institution: Option<InstitutionId>) -> Result<(), Failure> {
    let definition = file::read(path, institution)?;
    let wrong = |error: &dyn std::fmt::Display| Failure::NotValid(format!("{}: {error}", path.display()));
    let (registry, by) = if global.has_trust() {
        (global.connect().await?.rules_registry().await?, "the registry of the node")
    } else {
        let registry = registry_alone(&definition).map_err(|error| wrong(&error))?;
        (registry, "the registry that a new node begins with; no node was asked")
    };
    let reviewed = review(registry.clone(), &definition);
    let found = reviewed.map_err(|error| wrong(&error))?;
    let pieces = if found.is_good() { made_up(&registry, &definition) } else { None };
    let bytes = encode(&definition).map_err(|error| wrong(&error))?;
    let line = |line: &Line| json!({ "requirement": line.number, "depth": line.depth, "text": line.text });
    let conflict = |one: &Conflict| json!({ "requirement": one.requirement, "reason": one.reason });
    let value = json!({
        "qualification": name(&definition), "satisfiable": found.satisfiable, "refused": found.refused,
        "requirements": found.lines.iter().map(line).collect::<Vec<_>>(),
        "conflicts": found.conflicts.iter().map(conflict).collect::<Vec<_>>(),
        "example": pieces.as_ref().map(|pieces| pieces.iter().map(example::value).collect::<Vec<_>>()),
        "definition": show::body("QualificationDefinition", &bytes)?,
    });
    output::print(global, &value, || text(&definition, &found, pieces.as_deref(), by))?;
    match &found.refused {
        _ if found.is_good() => Ok(()),
        Some(reason) => {
            Err(Failure::Told(format!("{}: a node would refuse it: {}", path.display(), show::safe(reason))))
        }
        None => Err(Failure::Told(format!("{}: it can never be met", path.display()))),
    }
}

fn name(definition: &QualificationDefinition) -> String {
    show::safe(&format!("{}/{}.{}", definition.institution, definition.code, definition.version))
}

/// Records that make the award, conferred today or on the first day of the definition.
fn made_up(registry: &Registry, definition: &QualificationDefinition) -> Option<Vec<Piece>> {
    let today = first_day(&creditbank_client::today());
    let day = definition.from.as_ref().map_or(today, |from| first_day(from).max(today));
    creditbank_allocation::example(registry, definition, day)
}

fn text(definition: &QualificationDefinition, found: &Review, pieces: Option<&[Piece]>, by: &str) -> String {
    let titles = definition.titles.iter().map(|title| format!("{} ({})", show::safe(&title.value), title.language));
    let level = definition.level.as_ref().map(|level| format!("{} {}", level.framework, level.level));
    let absorbs = definition.absorbs.iter().map(|name| match name.version {
        0 => format!("{}/{}", name.institution, name.code),
        version => format!("{}/{}.{version}", name.institution, name.code),
    });
    let facts = [
        ("qualification", name(definition)),
        ("title", titles.collect::<Vec<_>>().join("; ")),
        ("level", show::safe(&level.unwrap_or_default())),
        ("counted in", show::safe(&definition.unit)),
        ("absorbs", show::safe(&absorbs.collect::<Vec<_>>().join(", "))),
        ("awarded", if definition.repeatable { "as often as it is earned" } else { "once" }.to_owned()),
        ("source", show::safe(&definition.source)),
        ("checked by", by.to_owned()),
    ];
    let mut lines = vec![output::facts(facts.into_iter().filter(|(_, value)| !value.is_empty()))];
    for line in &found.lines {
        let indent = "  ".repeat(line.depth.saturating_sub(1));
        lines.push(format!("{:>3}  {indent}{}\n", line.number, show::safe(&line.text)));
    }
    for conflict in &found.conflicts {
        lines.push(format!("NEVER: {}\n", show::safe(&conflict.to_string())));
    }
    let others = if found.conflicts.is_empty() { "" } else { ", another way than those" };
    match pieces {
        _ if !found.is_good() => {}
        Some(pieces) => {
            lines.push(format!("it can be met{others}, for example by these records:\n"));
            lines.extend(pieces.iter().map(example::line));
        }
        None => lines.push(
            "nothing was found that speaks against it, and no example of records that meet it either: try it with \
             records of your own before you publish it"
                .to_owned(),
        ),
    }
    lines.concat().trim_end().to_owned()
}

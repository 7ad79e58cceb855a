//! `qualification check`: a definition in words, and whether it can be met.

use std::path::Path;

use creditbank_client::authoring::qualification::{Review, review, review_alone};
use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::QualificationDefinition;
use creditbank_rules::qualification::{Conflict, Line};
use serde_json::json;

use super::file;
use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show};

pub(super) async fn run(global: &Global, path: &Path, institution: Option<InstitutionId>) -> Result<(), Failure> {
    let definition = file::read(path, institution)?;
    let wrong = |error: &dyn std::fmt::Display| Failure::NotValid(format!("{}: {error}", path.display()));
    let (reviewed, by) = if global.has_trust() {
        let registry = global.connect().await?.rules_registry().await?;
        (review(registry, &definition), "the registry of the node")
    } else {
        (review_alone(&definition), "the registry that a new node begins with; no node was asked")
    };
    let found = reviewed.map_err(|error| wrong(&error))?;
    let bytes = encode(&definition).map_err(|error| wrong(&error))?;
    let line = |line: &Line| json!({ "requirement": line.number, "depth": line.depth, "text": line.text });
    let conflict = |one: &Conflict| json!({ "requirement": one.requirement, "reason": one.reason });
    let value = json!({
        "qualification": name(&definition), "satisfiable": found.satisfiable, "refused": found.refused,
        "requirements": found.lines.iter().map(line).collect::<Vec<_>>(),
        "conflicts": found.conflicts.iter().map(conflict).collect::<Vec<_>>(),
        "definition": show::body("QualificationDefinition", &bytes)?,
    });
    output::print(global, &value, || text(&definition, &found, by))?;
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

fn text(definition: &QualificationDefinition, found: &Review, by: &str) -> String {
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
    if found.is_good() {
        let others = if found.conflicts.is_empty() { "" } else { ", another way than those" };
        lines.push(format!("it can be met{others}"));
    }
    lines.concat().trim_end().to_owned()
}

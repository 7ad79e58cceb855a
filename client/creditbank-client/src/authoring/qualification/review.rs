//! What a registry says of a definition, before it is published.

use std::collections::BTreeSet;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Kind, QualificationDefinition, QualificationName};
use creditbank_rules::qualification::{Conflict, Line, explain, satisfiability};
use creditbank_rules::{Registry, RegistryRecord, seed};

use crate::authoring::text_file::TextError;

/// A definition in words, and what is against it.
#[derive(Debug, Clone)]
pub struct Review {
    /// One line a requirement.
    pub lines: Vec<Line>,
    /// Requirements that can never be met.
    pub conflicts: Vec<Conflict>,
    /// Whether nothing was found against the whole.
    pub satisfiable: bool,
    /// Why the ledger would refuse it; `None`: it would not, or only because it can never be met.
    pub refused: Option<String>,
}

impl Review {
    /// Whether it may be published.
    pub fn is_good(&self) -> bool {
        self.satisfiable && self.refused.is_none()
    }
}

/// Reviews a definition by the registry of a node.
pub fn review(mut registry: Registry, definition: &QualificationDefinition) -> Result<Review, TextError> {
    let refusal = |error: &dyn std::fmt::Display| TextError::Record(error.to_string());
    let lines = explain(definition).map_err(|error| refusal(&error))?;
    let found = satisfiability(&registry, definition).map_err(|error| refusal(&error))?;
    let body = encode(definition).map_err(|error| refusal(&error))?;
    let institution = definition.institution.into();
    let record = RegistryRecord {
        kind: Kind::QualificationDefinition,
        body: &body,
        institution,
        created_at_minute: 0,
        sealed_at_ms: 0,
        entry: 0.into(),
    };
    let refused = registry.admit(record).err().filter(|_| found.satisfiable).map(|error| error.to_string());
    Ok(Review { lines, conflicts: found.conflicts, satisfiable: found.satisfiable, refused })
}

/// Reviews a definition by the registry that a new node begins with: institutions and other definitions that it names are
/// taken as they come, for nobody is asked.
pub fn review_alone(definition: &QualificationDefinition) -> Result<Review, TextError> {
    review(registry_alone(definition)?, definition)
}

/// The registry that a new node begins with, and what the definition names, made up.
pub fn registry_alone(definition: &QualificationDefinition) -> Result<Registry, TextError> {
    alone(definition).map_err(TextError::Record)
}

fn alone(definition: &QualificationDefinition) -> Result<Registry, String> {
    let mut registry = Registry::new("");
    let said = |error: &dyn std::fmt::Display| error.to_string();
    for (kind, body) in seed::entries().map_err(|error| said(&error))? {
        registry.admit(RegistryRecord::of_operator(kind, &body)).map_err(|error| said(&error))?;
    }
    let awards = definition.requirements.iter().flat_map(|node| &node.awards);
    let overlaps = definition.overlaps.iter().filter_map(|overlap| overlap.other.as_ref());
    let named: Vec<&QualificationName> = definition.absorbs.iter().chain(awards).chain(overlaps).collect();
    let matched = definition.requirements.iter().filter_map(|node| node.r#match.as_ref());
    let mut institutions: BTreeSet<u64> = matched.flat_map(|asked| asked.institutions.iter().copied()).collect();
    institutions.extend(definition.awarding.iter().chain([&definition.institution]));
    institutions.extend(named.iter().map(|name| name.institution));
    let name = || pb::Text { language: "und".to_owned(), value: "named by the file".to_owned() };
    for number in institutions {
        let institution = pb::Institution {
            number,
            state: pb::RegistryState::Active.into(),
            r#type: pb::InstitutionType::University.into(),
            country: "FR".to_owned(),
            names: vec![pb::DatedName { name: Some(name()), ..Default::default() }],
            ..Default::default()
        };
        let body = encode(&institution).map_err(|error| said(&error))?;
        registry.admit(RegistryRecord::of_operator(Kind::Institution, &body)).map_err(|error| said(&error))?;
    }
    // Every version from the first on, for none may be missing. Names that no entry can have are left to the review itself.
    let own = (definition.institution, definition.code.as_str());
    let earlier = (1..definition.version.min(VERSIONS_MAX)).map(|version| (own.0, own.1, version));
    let others = named.iter().filter(|name| (name.institution, name.code.as_str()) != own);
    let others = others.flat_map(|name| {
        (1..=name.version.clamp(1, VERSIONS_MAX)).map(|version| (name.institution, name.code.as_str(), version))
    });
    let wanted: BTreeSet<(u64, &str, u32)> = earlier.chain(others).collect();
    for (institution, code, version) in wanted {
        let stub = QualificationDefinition {
            institution,
            code: code.to_owned(),
            version,
            titles: vec![name()],
            unit: "ECTS".to_owned(),
            requirements: vec![pb::Requirement {
                r#type: pb::RequirementType::Attestation.into(),
                code: "NAMED".to_owned(),
                ..Default::default()
            }],
            source: "named by the file".to_owned(),
            ..Default::default()
        };
        let Ok(body) = encode(&stub) else { continue };
        let kind = Kind::QualificationDefinition;
        // What is no code of a definition is not admitted, and the review says so.
        let _ = registry.admit(RegistryRecord {
            kind,
            body: &body,
            institution: institution.into(),
            created_at_minute: 0,
            sealed_at_ms: 0,
            entry: 0.into(),
        });
    }
    Ok(registry)
}

/// As many versions as are made up: nobody has published more of one definition.
const VERSIONS_MAX: u32 = 1_000;

//! `[identity]`: who the learner of a line is, as a document says.

use serde::Deserialize;

use super::MappingError;
use super::field::Field;

/// Most names of one person, as the protocol has it.
const NAMES_MAX: usize = 16;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    #[serde(default)]
    names: Vec<Name>,
    birth_date: Field,
    document: Field,
    assurance: Field,
}

/// Where a name comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::import) struct Name {
    /// BCP 47, with the script where it matters.
    pub(in crate::import) language: String,
    full: Option<Field>,
    family: Option<Field>,
    given: Option<Field>,
}

impl Name {
    /// The parts that the mapping states, each with its key.
    pub(in crate::import) fn parts(&self) -> impl Iterator<Item = (String, &Field)> {
        let parts = [("full", &self.full), ("family", &self.family), ("given", &self.given)];
        parts.into_iter().filter_map(|(part, field)| {
            field.as_ref().map(|field| (format!("identity.names.{}.{part}", self.language), field))
        })
    }
}

/// Where an Identity comes from.
#[derive(Debug, Clone)]
pub(in crate::import) struct Identity {
    pub(in crate::import) names: Vec<Name>,
    /// Birth date, document and assurance, each with its key.
    pub(in crate::import) facts: [(&'static str, Field); 3],
}

/// The key of the birth date.
pub(in crate::import) const BIRTH_DATE: &str = "identity.birth_date";
/// The key of the document that was looked at.
pub(in crate::import) const DOCUMENT: &str = "identity.document";
/// The key of the assurance.
pub(in crate::import) const ASSURANCE: &str = "identity.assurance";

impl Identity {
    pub(super) fn of(text: Text) -> Result<Self, MappingError> {
        let Text { names, birth_date, document, assurance } = text;
        let wrong = |key: &str, expected: &'static str, found: String| {
            Err(MappingError::Value { key: format!("identity.{key}"), expected, found })
        };
        if names.is_empty() || names.len() > NAMES_MAX {
            let found = names.len().to_string();
            return wrong("names", "1 to 16 names, as { language = \"el\", family = { column = \"surname\" } }", found);
        }
        for (at, name) in names.iter().enumerate() {
            if name.parts().next().is_none() {
                return wrong("names", "full, or family and given, beside the language", name.language.clone());
            }
            if names[..at].iter().any(|other| other.language == name.language) {
                return wrong("names", "one name of each language", format!("{} twice", name.language));
            }
        }
        let facts = [(BIRTH_DATE, birth_date), (DOCUMENT, document), (ASSURANCE, assurance)];
        for (key, field) in
            names.iter().flat_map(Name::parts).chain(facts.iter().map(|(key, field)| ((*key).to_owned(), field)))
        {
            field.check(&key)?;
        }
        Ok(Self { names, facts })
    }

    /// Everything that it reads, each with its key.
    pub(in crate::import) fn fields(&self) -> impl Iterator<Item = (String, &Field)> {
        let facts = self.facts.iter().map(|(key, field)| ((*key).to_owned(), field));
        self.names.iter().flat_map(Name::parts).chain(facts)
    }
}

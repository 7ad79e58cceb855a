//! Mapping files: which column is what, constant values, and tables.

use std::collections::BTreeMap;

use creditbank_rpc::v1::IdentityType;
use serde::Deserialize;

use super::encoding::Encoding;
use super::file_options::File;

/// Names of everything that a record can be given.
pub(super) const FIELDS: [&str; 26] = [
    "assessment",
    "attempt",
    "attempt_offset",
    "country",
    "course_code",
    "credits",
    "expires",
    "field",
    "framework",
    "grade",
    "hours",
    "hours_kind",
    "identity_check",
    "kind",
    "language",
    "level",
    "mode",
    "outcome_type",
    "period_from",
    "period_until",
    "repeats_max",
    "scale",
    "site",
    "status",
    "title",
    "unit",
];
/// Fields that stand beside those above, for a second language and the embargo.
const MORE_FIELDS: [&str; 2] = ["title_language", "visible_from"];

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, or not these keys.
    #[error("{0}")]
    Toml(String),
    /// A key that is none.
    #[error("{place}: {key:?} is no field; the fields are {known}")]
    Field {
        /// In which table.
        place: String,
        /// The key.
        key: String,
        /// The known ones.
        known: String,
    },
    /// A value that is none.
    #[error("{key}: expected {expected}, found {found:?}")]
    Value {
        /// Which key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
}

/// Where a field's text comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Source {
    /// The same for every line.
    Value(String),
    /// A column of the line.
    Column { column: String },
}

/// Constants by field name.
pub(super) type Constants = BTreeMap<String, String>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    file: File,
    learner: Learner,
    #[serde(default)]
    reference: Vec<String>,
    record_id: Option<String>,
    #[serde(default)]
    fields: BTreeMap<String, Source>,
    #[serde(default)]
    modules: BTreeMap<String, Constants>,
    results: Option<Results>,
    period: Option<Period>,
}

/// How a learner is named.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Learner {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    pub(super) scope: String,
    pub(super) column: String,
}

/// What a value of a column makes of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Results {
    pub(super) column: String,
    pub(super) values: BTreeMap<String, Constants>,
}

/// Periods by the last letter or letters of a column: the leading digits are the year.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Period {
    pub(super) column: String,
    pub(super) suffixes: BTreeMap<String, Span>,
}

/// First and last month or day, with `{year}` and `{next_year}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) from: String,
    pub(super) until: String,
}

/// A mapping that is well-formed.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) file: File,
    pub(super) learner: Learner,
    pub(super) identity_type: IdentityType,
    /// Columns that together name a result: no two lines share them.
    pub(super) reference: Vec<String>,
    pub(super) fields: BTreeMap<String, Source>,
    pub(super) modules: BTreeMap<String, Constants>,
    pub(super) results: Option<Results>,
    pub(super) period: Option<Period>,
    /// Column that names the record that a line is about: of amendments.
    pub(super) place: Option<String>,
}

impl Mapping {
    /// The same mapping for a file whose column `place` names the record that a line amends, as 34/718.
    #[must_use]
    pub fn with_place(mut self, column: &str) -> Self {
        self.place = Some(column.to_owned());
        self
    }

    /// Reads a mapping. Amounts are strings: TOML's own decimals are binary floating point and are refused.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let text: Text = toml::from_str(text).map_err(|error| MappingError::Toml(error.to_string()))?;
        let Text { file, learner, reference, record_id, fields, modules, results, period } = text;
        let identity_type = match learner.kind.as_str() {
            "student_number" => IdentityType::StudentNumber,
            "national" => IdentityType::National,
            "passport" => IdentityType::Passport,
            "network" => IdentityType::Network,
            other => {
                let expected = "student_number, national, passport or network";
                return Err(MappingError::Value { key: "learner.type".to_owned(), expected, found: other.to_owned() });
            }
        };
        let reference = match record_id {
            Some(column) if reference.is_empty() => vec![column],
            Some(column) => {
                let expected = "either reference or record_id: one of them names a result";
                return Err(MappingError::Value { key: "record_id".to_owned(), expected, found: column });
            }
            None => reference,
        };
        if reference.is_empty() {
            let expected = "the columns that together name one result, or record_id";
            return Err(MappingError::Value { key: "reference".to_owned(), expected, found: "none".to_owned() });
        }
        known_fields("fields", fields.keys())?;
        for (code, constants) in &modules {
            known_fields(&format!("modules.{code}"), constants.keys())?;
        }
        for (value, constants) in results.iter().flat_map(|results| &results.values) {
            known_fields(&format!("results.values.{value}"), constants.keys())?;
        }
        for (suffix, span) in period.iter().flat_map(|period| &period.suffixes) {
            for text in [&span.from, &span.until] {
                let year = text.replace("{year}", "2000").replace("{next_year}", "2001");
                if creditbank_rules::dates::parse(&year).is_none() {
                    let key = format!("period.suffixes.{suffix}");
                    let expected = "a month or day such as {year}-02 or {next_year}-06-30";
                    return Err(MappingError::Value { key, expected, found: text.clone() });
                }
            }
        }
        Ok(Self { file, learner, identity_type, reference, fields, modules, results, period, place: None })
    }

    /// The same mapping for a file in this encoding, and of this sheet of a workbook, where they are given.
    #[must_use]
    pub fn for_file(mut self, encoding: Option<Encoding>, sheet: Option<String>) -> Self {
        self.file.encoding = encoding.unwrap_or(self.file.encoding);
        self.file.sheet = sheet.or(self.file.sheet);
        self
    }

    /// The column that a field's text comes from.
    pub(super) fn column_of(&self, field: &str) -> Option<&str> {
        match self.fields.get(field)? {
            Source::Column { column } => Some(column),
            Source::Value(_) => None,
        }
    }

    /// Every column that the mapping names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let of_fields = self.fields.values().filter_map(|source| match source {
            Source::Column { column } => Some(column.as_str()),
            Source::Value(_) => None,
        });
        of_fields
            .chain(self.reference.iter().map(String::as_str))
            .chain([self.learner.column.as_str()])
            .chain(self.results.iter().map(|results| results.column.as_str()))
            .chain(self.period.iter().map(|period| period.column.as_str()))
            .chain(self.place.as_deref())
    }
}

fn known_fields<'a>(place: &str, keys: impl Iterator<Item = &'a String>) -> Result<(), MappingError> {
    for key in keys {
        if !FIELDS.contains(&key.as_str()) && !MORE_FIELDS.contains(&key.as_str()) {
            let known = [&FIELDS[..], &MORE_FIELDS].concat().join(", ");
            return Err(MappingError::Field { place: place.to_owned(), key: key.clone(), known });
        }
    }
    Ok(())
}

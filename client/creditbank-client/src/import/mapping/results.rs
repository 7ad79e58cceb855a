//! `[results]`: what makes a line a Credit or a Result.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Constants, MappingError};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    by: Option<String>,
    column: Option<String>,
    #[serde(default)]
    values: BTreeMap<String, Constants>,
    #[serde(default)]
    words: BTreeMap<String, Constants>,
}

/// What makes a line what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) enum Results {
    /// The value of a column.
    Values { column: String, values: BTreeMap<String, Constants> },
    /// The scale: a grade that passes is a Credit, another one a failed Result, but for these words, which stand in the
    /// column, or where the grade does.
    Scale { column: Option<String>, words: BTreeMap<String, Constants> },
}

impl Results {
    pub(super) fn of(text: Text) -> Result<Self, MappingError> {
        let Text { by, column, values, words } = text;
        let wrong = |key: &str, expected: &'static str, found: String| MappingError::Value {
            key: format!("results.{key}"),
            expected,
            found,
        };
        match (by.as_deref(), column) {
            (Some("scale"), column) if values.is_empty() => Ok(Self::Scale { column, words }),
            (Some("scale"), _) => {
                let expected = "[results.words] beside by = \"scale\", for what is no grade";
                Err(wrong("values", expected, values.keys().cloned().collect::<Vec<_>>().join(", ")))
            }
            (Some(other), _) => Err(wrong("by", "scale, or column and [results.values] instead", other.to_owned())),
            (None, Some(column)) if words.is_empty() => Ok(Self::Values { column, values }),
            (None, Some(_)) => {
                let expected = "[results.values] beside a column; words belong to by = \"scale\"";
                Err(wrong("words", expected, words.keys().cloned().collect::<Vec<_>>().join(", ")))
            }
            (None, None) => {
                Err(wrong("column", "column with [results.values], or by = \"scale\"", "neither".to_owned()))
            }
        }
    }

    /// The tables of fields, each with its key in the file.
    pub(super) fn tables(&self) -> impl Iterator<Item = (String, &Constants)> {
        let (name, tables) = match self {
            Self::Values { values, .. } => ("values", values),
            Self::Scale { words, .. } => ("words", words),
        };
        tables.iter().map(move |(value, constants)| (format!("results.{name}.{value}"), constants))
    }

    pub(in crate::import) fn column(&self) -> Option<&str> {
        match self {
            Self::Values { column, .. } => Some(column),
            Self::Scale { column, .. } => column.as_deref(),
        }
    }
}

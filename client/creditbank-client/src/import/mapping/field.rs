//! Where a field's text comes from, and what is done to it before it is read.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::MappingError;
use crate::import::values::cells;

/// What a blank cell means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::import) enum Blank {
    /// The result has no grade. In a synchronisation a grade that was signed stays.
    Ungraded,
    /// The line is refused.
    Refuse,
    /// The field is absent. In a synchronisation what was signed stays.
    Keep,
    /// The field is absent, and a synchronisation takes away what was signed.
    Clear,
}

/// Which letters a text gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::import) enum Case {
    /// Those that it has.
    #[default]
    Keep,
    Upper,
    Lower,
}

impl Case {
    pub(in crate::import) fn of(self, text: String) -> String {
        match self {
            Self::Keep => text,
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
        }
    }
}

/// One entry of `[fields]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::import) struct Field {
    /// The same text for every line.
    pub(in crate::import) value: Option<String>,
    /// Columns: the first one counts that is not blank.
    pub(in crate::import) columns: Vec<String>,
    /// The grade scale of each column.
    pub(in crate::import) scales: Vec<String>,
    keeps_spaces: bool,
    case: Case,
    words: BTreeMap<String, String>,
    pub(in crate::import) blank: Option<Blank>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    value: Option<String>,
    column: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    scale: Option<String>,
    #[serde(default)]
    scales: Vec<String>,
    #[serde(default = "yes")]
    trim: bool,
    #[serde(default)]
    case: Case,
    #[serde(default)]
    words: BTreeMap<String, String>,
    blank: Option<Blank>,
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text in quotes, or a table such as { column = \"title\" }")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Field, E> {
        Ok(Field { value: Some(value.to_owned()), ..Field::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Field, A::Error> {
        let Table { value, column, columns, scale, scales, trim, case, words, blank } =
            Table::deserialize(MapAccessDeserializer::new(map))?;
        let columns = match column {
            Some(column) if columns.is_empty() => vec![column],
            Some(_) => return Err(A::Error::custom("either column or columns, not both")),
            None => columns,
        };
        if value.is_some() != columns.is_empty() {
            return Err(A::Error::custom("expected one of column, columns and value"));
        }
        let scales = match scale {
            Some(scale) if scales.is_empty() => vec![scale],
            Some(_) => return Err(A::Error::custom("either scale or scales, not both")),
            None => scales,
        };
        if !scales.is_empty() && scales.len() != columns.len() {
            return Err(A::Error::custom("expected one of scales for each of columns"));
        }
        Ok(Field { value, columns, scales, keeps_spaces: !trim, case, words, blank })
    }
}

/// A field's text in one line.
pub(in crate::import) struct Read<'a> {
    pub(in crate::import) text: String,
    /// The cell's text without blanks at its ends, before words and case.
    pub(in crate::import) cell: String,
    /// Where it comes from; nothing of a constant.
    pub(in crate::import) column: Option<&'a str>,
    /// The scale of the column.
    pub(in crate::import) scale: Option<&'a str>,
    /// All columns are blank.
    pub(in crate::import) is_blank: bool,
    /// Blanks at its ends were taken away.
    pub(in crate::import) is_trimmed: bool,
}

impl Read<'_> {
    /// Whether the mapping has put `text` in the cell's stead: a constant, or a word of its table.
    pub(in crate::import) fn is_word(&self, text: &str) -> bool {
        self.column.is_none() || (self.cell != text && !self.is_trimmed)
    }
}

impl Field {
    /// The text that a line gives the field.
    pub(in crate::import) fn read<'a>(&'a self, value: impl Fn(&str) -> &'a str) -> Read<'a> {
        if let Some(constant) = &self.value {
            let text = constant.clone();
            return Read { cell: text.clone(), text, column: None, scale: None, is_blank: false, is_trimmed: false };
        }
        let cells = self.columns.iter().enumerate().map(|(at, column)| (at, column, cells::text(value(column))));
        let found = cells.clone().find(|(_, _, cell)| !cells::trimmed(cell).is_empty());
        let Some((at, column, raw)) = found else {
            let column = self.columns.first().map(String::as_str);
            let nothing = String::new;
            return Read { text: nothing(), cell: nothing(), column, scale: None, is_blank: true, is_trimmed: false };
        };
        let bare = cells::trimmed(raw);
        let text = match self.words.get(bare) {
            Some(word) => word.clone(),
            None => self.case.of(if self.keeps_spaces { raw } else { bare }.to_owned()),
        };
        Read {
            text,
            cell: bare.to_owned(),
            column: Some(column),
            scale: self.scales.get(at).map(String::as_str),
            is_blank: false,
            is_trimmed: !self.keeps_spaces && bare.len() != raw.len(),
        }
    }

    /// What fits no field of this name.
    pub(super) fn check(&self, name: &str) -> Result<(), MappingError> {
        let is_grade = name == "grade";
        if !is_grade && name != "further" && !self.scales.is_empty() {
            let (expected, found) = ("a scale beside grades alone", self.scales.join(", "));
            return Err(MappingError::Value { key: format!("fields.{name}.scales"), expected, found });
        }
        if name == "further" && self.scales.is_empty() {
            let expected = "the scale of the column: { scale = \"ECTS-GRADE\", column = \"ects\" }";
            return Err(MappingError::Value { key: name.to_owned(), expected, found: self.columns.join(", ") });
        }
        if !is_grade && self.blank == Some(Blank::Ungraded) {
            let expected = "refuse, keep or clear: ungraded is for a grade";
            return Err(MappingError::Value {
                key: format!("fields.{name}.blank"),
                expected,
                found: "ungraded".into(),
            });
        }
        Ok(())
    }
}

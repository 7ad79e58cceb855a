//! Rows that are no results: totals, averages, test students, points possible.

use serde::Deserialize;

use super::cells;

/// One rule of `skip_where`: everything that it states holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::import) struct SkipRule {
    pub(in crate::import) column: String,
    equals: Option<Words>,
    starts_with: Option<Words>,
    contains: Option<Words>,
    blank: Option<bool>,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected text in quotes, or a list of such texts")]
enum Words {
    One(String),
    Several(Vec<String>),
}

impl Words {
    fn any(&self, holds: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::One(word) => holds(word),
            Self::Several(words) => words.iter().any(|word| holds(word)),
        }
    }
}

impl SkipRule {
    /// Whether it says anything.
    pub(in crate::import) fn says_something(&self) -> bool {
        self.equals.is_some() || self.starts_with.is_some() || self.contains.is_some() || self.blank.is_some()
    }

    /// Whether a row with this value in the column is skipped. Blanks at the ends of a value do not count.
    pub(in crate::import) fn matches(&self, value: &str) -> bool {
        let value = cells::trimmed(cells::text(value));
        self.equals.as_ref().is_none_or(|words| words.any(|word| value == cells::trimmed(word)))
            && self.starts_with.as_ref().is_none_or(|words| words.any(|word| value.starts_with(word.trim_start())))
            && self.contains.as_ref().is_none_or(|words| words.any(|word| value.contains(word)))
            && self.blank.is_none_or(|blank| blank == value.is_empty())
    }
}

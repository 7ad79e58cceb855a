//! Why a mapping cannot be used, in words that show the next step.

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Not TOML, or not these keys.
    #[error("{0}")]
    Toml(String),
    /// A key that is not known.
    #[error("{place}: {key:?} is no field{}; the fields are {known}", near(.nearest.as_deref()))]
    Field {
        /// In which table.
        place: String,
        /// The key.
        key: String,
        /// The known one that looks most like it.
        nearest: Option<String>,
        /// The known ones.
        known: String,
    },
    /// A value that does not fit.
    #[error("{key}: expected {expected}, found {found:?}")]
    Value {
        /// Which key.
        key: String,
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A scale that the registry does not have.
    #[error("the registry has no grade scale {code:?}{}: creditbank scale list has them all", near(.nearest.as_deref()))]
    Scale {
        /// Which one.
        code: String,
        /// Those that look like it.
        nearest: Option<String>,
    },
}

fn near(name: Option<&str>) -> String {
    name.map_or(String::new(), |name| format!(" (do you mean {name}?)"))
}

/// What the reader of TOML says; of a number without quotes the line as it should be.
pub(super) fn of_toml(text: &str, error: &toml::de::Error) -> MappingError {
    let unquoted = || {
        let span = error.span()?;
        let found = text.get(span.clone())?.trim();
        let is_bare = found.parse::<f64>().is_ok() || matches!(found, "true" | "false");
        if !is_bare || !error.message().contains("invalid type") {
            return None;
        }
        let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[span.start..].find('\n').map_or(text.len(), |at| span.start + at);
        let line = text[..start].lines().count() + 1;
        let fixed = format!("{}\"{found}\"{}", &text[start..span.start], &text[span.end..end]);
        Some(format!("line {line}: values stand in quotes here, so that amounts stay exact; write\n  {}", fixed.trim()))
    };
    MappingError::Toml(unquoted().unwrap_or_else(|| error.to_string()))
}

/// The name that looks most like one, where one does.
pub(in crate::import) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let own = folded(name);
    let rated = known.map(|one| (distance(&own, &folded(one)), one));
    let (distance, one) = rated.min_by_key(|(distance, _)| *distance)?;
    let most = (own.chars().count() / 3).max(1);
    (distance <= most).then_some(one)
}

/// How many letters must be put in, left out or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, c) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (position, d) in other.iter().enumerate() {
            let changed = before + usize::from(c != *d);
            before = row[position + 1];
            row[position + 1] = changed.min(before + 1).min(row[position] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike() {
        let scales = ["FR-20", "DE-5", "GB-100", "IT-30"];
        assert_eq!(nearest("FR20", scales.into_iter()), Some("FR-20"));
        assert_eq!(nearest("gb-10", scales.into_iter()), Some("GB-100"));
        assert_eq!(nearest("XYZ", scales.into_iter()), None);
        assert_eq!(nearest("crédits", ["credits", "grade"].into_iter()), Some("credits"));
    }
}

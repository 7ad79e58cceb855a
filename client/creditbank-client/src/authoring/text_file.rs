//! What the text files for people have in common: TOML with friendly names, decimals and dates as text, and errors that name
//! the key, say what was expected, and what was found.

use std::collections::BTreeMap;

use creditbank_protocol::names::{self, Named};
use creditbank_protocol::pb;
use creditbank_rules::dates;
use creditbank_rules::decimal::parse_e4;
use prost::Message;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a text file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not TOML, or not these keys: with the line.
    #[error("{0}")]
    Toml(String),
    /// A value that is none.
    #[error("{key}: expected {expected}, found {found:?}")]
    Value {
        /// The key, as `amount.ratio`.
        key: String,
        /// What it may be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// What the file says cannot be a record.
    #[error("{0}")]
    Record(String),
}

/// A value that is none.
pub(crate) fn wrong(key: &str, expected: impl Into<String>, found: impl Into<String>) -> TextError {
    TextError::Value { key: key.to_owned(), expected: expected.into(), found: found.into() }
}

/// Reads the keys of a file.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, TextError> {
    toml::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| TextError::Toml(error.to_string().trim_end().to_owned()))
}

/// An exact fraction: `"1/2"`, or its two parts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a fraction as \"1/2\", or { numerator = 1, denominator = 2 }")]
pub(crate) enum Fraction {
    /// `"1/2"`, or `"2"`.
    Text(String),
    /// Its parts.
    Parts {
        /// Above the line.
        numerator: u64,
        /// Below it.
        denominator: u64,
    },
}

/// The fraction, with both parts above 0.
pub(crate) fn ratio(key: &str, written: &Fraction) -> Result<pb::Ratio, TextError> {
    let (found, parts) = match written {
        Fraction::Parts { numerator, denominator } => {
            (format!("{numerator}/{denominator}"), Some((*numerator, *denominator)))
        }
        Fraction::Text(text) => {
            let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
            (text.clone(), whole(numerator.trim()).zip(whole(denominator.trim())))
        }
    };
    let (numerator, denominator) = parts
        .filter(|(numerator, denominator)| *numerator > 0 && *denominator > 0)
        .ok_or_else(|| wrong(key, "a fraction of two whole numbers above 0, as \"1/2\" or \"5/3\"", found))?;
    Ok(pb::Ratio { numerator, denominator })
}

fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// A decimal in ten-thousandths.
pub(crate) fn decimal(key: &str, text: &str) -> Result<u64, TextError> {
    parse_e4(text).map_err(|error| wrong(key, error.to_string().trim_start_matches("expected "), text))
}

/// A decimal, or 0 where there is none.
pub(crate) fn decimal_or_0(key: &str, text: Option<&String>) -> Result<u64, TextError> {
    text.map_or(Ok(0), |text| decimal(key, text))
}

/// A month or a day.
pub(crate) fn date(key: &str, text: &str) -> Result<pb::Date, TextError> {
    dates::parse(text).ok_or_else(|| wrong(key, "a day or a month, as \"2026-09-01\"", text))
}

/// A date, or none.
pub(crate) fn maybe_date(key: &str, text: Option<&String>) -> Result<Option<pb::Date>, TextError> {
    text.map(|text| date(key, text)).transpose()
}

/// A level and its framework: `FHEQ:6`.
pub(crate) fn level(key: &str, text: &str) -> Result<pb::Level, TextError> {
    let parts = text.split_once(':').filter(|(framework, level)| !framework.is_empty() && !level.is_empty());
    let (framework, level) =
        parts.ok_or_else(|| wrong(key, "a framework and one of its levels, as \"FHEQ:6\"", text))?;
    Ok(pb::Level { framework: framework.to_owned(), level: level.to_owned() })
}

/// A grade and its scale: `FR-20:12`, `JP-SABC:TOKAI:A`, `GB-CLASS:2:1`.
pub(crate) fn grade(key: &str, text: &str) -> Result<pb::Grade, TextError> {
    grade_of(text).ok_or_else(|| wrong(key, "a scale and one of its grades, as \"FR-20:12\"", text))
}

/// A grade behind its scale; `None` where no scale stands in front. The scale begins with a capital letter. An institution's
/// own has the institution behind a colon, in capitals, two or more: so `JP-SABC:TOKAI:A` is an A, and `GB-CLASS:2:1` is 2:1.
pub fn grade_of(text: &str) -> Option<pb::Grade> {
    let (scale, value) = text.split_once(':')?;
    let code = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
        part.len() > 1 && part.bytes().all(inner) && part.starts_with(|first: char| first.is_ascii_uppercase())
    };
    if !scale.starts_with(|first: char| first.is_ascii_alphabetic()) || value.is_empty() {
        return None;
    }
    let (scale, value) = match value.split_once(':') {
        Some((institution, value)) if code(institution) && !value.is_empty() => {
            (format!("{scale}:{institution}"), value)
        }
        _ => (scale.to_owned(), value),
    };
    Some(pb::Grade { scale, value: value.to_owned() })
}

/// A code and a version: `PARIS-LEEDS.1`.
pub(crate) fn versioned(key: &str, text: &str) -> Result<(String, u32), TextError> {
    let parts = text.rsplit_once('.').filter(|(code, _)| !code.is_empty());
    let read = parts.and_then(|(code, version)| Some((code.to_owned(), u32::try_from(whole(version)?).ok()?)));
    read.ok_or_else(|| wrong(key, "a code and a version, as \"PARIS-LEEDS.1\"", text))
}

/// Texts by language, as the set that they are.
pub(crate) fn texts(by_language: BTreeMap<String, String>) -> Vec<pb::Text> {
    set(by_language.into_iter().map(|(language, value)| pb::Text { language, value }).collect())
}

/// The members in the order of a set: ascending by their bytes, each once.
pub(crate) fn set<M: Message>(mut members: Vec<M>) -> Vec<M> {
    members.sort_by_cached_key(Message::encode_to_vec);
    members.dedup_by_key(|member| member.encode_to_vec());
    members
}

/// The members in order, each once.
pub(crate) fn ordered<T: Ord>(mut members: Vec<T>) -> Vec<T> {
    members.sort_unstable();
    members.dedup();
    members
}

/// The number of a value of an enum of the protocol, as `half-even` of `ROUNDING_HALF_EVEN`.
pub(crate) fn choice<E: Named + Into<i32>>(key: &str, text: &str) -> Result<i32, TextError> {
    let found = names::parse::<E>(text).map(Into::into);
    found.ok_or_else(|| wrong(key, format!("one of {}", names::listed::<E>()), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is no fraction, decimal or choice is refused with its key and what may stand there.
    #[test]
    fn odd_values_are_refused_by_name() {
        let text = |text: &str| Fraction::Text(text.to_owned());
        assert_eq!(ratio("r", &text("1/2")), Ok(pb::Ratio { numerator: 1, denominator: 2 }));
        assert_eq!(ratio("r", &text("2")), Ok(pb::Ratio { numerator: 2, denominator: 1 }));
        for odd in ["0/0", "1/0", "0", "-1/2", "1.6", "1/2/3", "", "a/b"] {
            let error = ratio("amount.ratio", &text(odd)).expect_err(odd).to_string();
            assert!(error.contains("amount.ratio") && error.contains("1/2"), "{error}");
        }
        let rounding = |text| choice::<pb::Rounding>("rounding", text);
        assert_eq!(rounding("half-even"), Ok(i32::from(pb::Rounding::HalfEven)));
        assert_eq!(rounding("half_even"), Ok(i32::from(pb::Rounding::HalfEven)));
        let error = rounding("up").expect_err("no rounding").to_string();
        assert!(error.contains("rounding") && error.contains("down, half-even, half-up"), "{error}");
        assert_eq!(versioned("v", "A.B.2"), Ok(("A.B".to_owned(), 2)));
        assert!(versioned("v", "A").is_err() && versioned("v", ".1").is_err() && versioned("v", "A.-1").is_err());
        assert!(decimal("d", "0.5").is_ok() && decimal("d", "1/2").is_err());
    }
}

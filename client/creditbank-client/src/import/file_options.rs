//! The table `[file]` of a mapping: how the file is read, before any value means anything.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::encoding::Encoding;
use super::values::skip::SkipRule;

/// Most rows that may stand above the header or be left out at the end.
const LINES_MAX: u32 = 1_000;

/// The shape of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// What stands between two values; what a line `sep=` says, else a comma, where it is left out.
    #[serde(default, deserialize_with = "delimiter")]
    pub(super) delimiter: Option<u8>,
    #[serde(default)]
    pub(super) encoding: Encoding,
    /// The sheet of a workbook; the first visible one where it is left out.
    pub(super) sheet: Option<String>,
    /// The line of the header, from 1, or its row; the first one that is not blank where it is left out.
    #[serde(default, deserialize_with = "lines")]
    pub(super) header_line: Option<u32>,
    /// Rows at the end that are no results: a sum, a signature.
    #[serde(default, deserialize_with = "lines")]
    pub(super) skip_last: Option<u32>,
    /// What happens to hidden rows, columns and sheets. They are refused where it is left out.
    pub(super) hidden: Option<Hidden>,
    /// Between whole and fraction of a number, between its thousands, and how days are written.
    pub(super) decimal: Option<char>,
    pub(super) thousands: Option<char>,
    pub(super) date: Option<String>,
    /// Columns with which the mapping would read the wrong ones: a file that has one is refused.
    #[serde(default)]
    pub(super) refuse_columns: Vec<String>,
    /// Rows that are no results.
    #[serde(default)]
    pub(super) skip_where: Vec<SkipRule>,
}

impl File {
    /// Rows at the end that are left out.
    pub(super) fn rows_skipped(&self) -> usize {
        self.skip_last.map_or(0, |rows| usize::try_from(rows).unwrap_or(0))
    }
}

/// What happens to what a workbook hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Hidden {
    /// It is read like everything else.
    Include,
    /// Hidden rows are left out.
    Skip,
}

/// One ASCII character, or the word `tab`.
fn delimiter<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u8>, D::Error> {
    let text = String::deserialize(input)?;
    let byte = match text.as_str() {
        "tab" | "\\t" => Some(b'\t'),
        other => <[u8; 1]>::try_from(other.as_bytes()).ok().map(|[byte]| byte),
    };
    let usable = byte.filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0));
    match usable {
        Some(byte) => Ok(Some(byte)),
        None => Err(D::Error::custom(format!("delimiter: expected one ASCII character or \"tab\", found {text:?}"))),
    }
}

/// A number of lines, also in quotes as everything else in a mapping.
fn lines<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Lines {
        Number(i64),
        Text(String),
    }
    let (found, shown) = match Lines::deserialize(input)? {
        Lines::Number(number) => (u32::try_from(number).ok(), number.to_string()),
        Lines::Text(text) => (text.parse().ok(), text),
    };
    match found.filter(|lines| *lines <= LINES_MAX) {
        Some(lines) => Ok((lines > 0).then_some(lines)),
        None => Err(D::Error::custom(format!("expected a number of lines, at most {LINES_MAX}, found {shown}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<File, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// Goal: each key takes what the template says, and says what it takes where it does not.
    #[test]
    fn keys() {
        for tab in ["\"\\t\"", "'\\t'", "\"tab\""] {
            assert_eq!(parse(&format!("delimiter = {tab}")).expect("a tab").delimiter, Some(b'\t'));
        }
        let file =
            parse("header_line = 3\nskip_last = \"2\"\nhidden = \"skip\"\nencoding = \"latin-1\"").expect("keys");
        assert_eq!((file.header_line, file.rows_skipped(), file.hidden), (Some(3), 2, Some(Hidden::Skip)));
        for (text, words) in [
            ("delimiter = \"\"", "one ASCII character"),
            ("delimiter = \";;\"", "one ASCII character"),
            ("delimiter = \"\\\"\"", "one ASCII character"),
            ("delimiter = \"\u{e9}\"", "one ASCII character"),
            ("header_line = -1", "a number of lines"),
            ("skip_last = 1001", "at most 1000"),
            ("hidden = \"show\"", "include"),
            ("encoding = \"utf8mb4\"", "windows-1252"),
            ("header = 3", "header_line"),
        ] {
            let refused = parse(text).expect_err(text);
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}

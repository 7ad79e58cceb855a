//! Aliases of course codes from a CSV.

use std::collections::BTreeSet;
use std::io::Read;

use creditbank_protocol::course_code::{self, CourseCodeError};
use creditbank_protocol::pb::CourseAlias;

use crate::authoring::text_file::{TextError, wrong};

/// Most lines of a file.
const LINES_MAX: usize = 100_000;

/// Checks the two codes of an alias; `at` says where they stand.
pub fn alias(institution: u64, code: &str, same_as: &str, at: &str) -> Result<CourseAlias, TextError> {
    for (name, text) in [("code", code), ("same_as", same_as)] {
        let place = format!("{at}{name}");
        if text.is_empty() {
            return Err(wrong(&place, CourseCodeError::EXPECTED, "nothing"));
        }
        course_code::check(text).map_err(|error| wrong(&place, CourseCodeError::EXPECTED, error.to_string()))?;
    }
    Ok(CourseAlias { institution, code: code.to_owned(), same_as: same_as.to_owned(), withdrawn: false })
}

/// Reads a CSV in UTF-8 with the columns `code` and `same_as`. Codes are taken as they stand there.
pub fn parse(input: impl Read, institution: u64) -> Result<Vec<CourseAlias>, TextError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(input);
    let unread = |error: csv::Error| TextError::Toml(error.to_string());
    let header = reader.headers().map_err(unread)?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|head| head.trim_start_matches('\u{feff}').trim() == name);
        found.ok_or_else(|| wrong(name, "the columns code and same_as", header.iter().collect::<Vec<_>>().join(", ")))
    };
    let (code, same_as) = (column("code")?, column("same_as")?);
    let (mut found, mut codes) = (Vec::<CourseAlias>::new(), BTreeSet::new());
    for (row, record) in (2u64..).zip(reader.records()) {
        let record = record.map_err(unread)?;
        let text = |column: usize| record.get(column).unwrap_or_default();
        let one = alias(institution, text(code), text(same_as), &format!("line {row}: "))?;
        if !codes.insert(one.code.clone()) {
            return Err(wrong(&format!("line {row}: code"), "each code once", one.code));
        }
        found.push(one);
        if found.len() > LINES_MAX {
            return Err(wrong("same_as", format!("at most {LINES_MAX} lines"), "more"));
        }
    }
    if found.is_empty() { Err(wrong("code", "a line for each alias", "none")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: aliases are read as they stand, and what cannot be a code is refused with its line.
    #[test]
    fn a_file_of_aliases() {
        let read = parse("\u{feff}code,same_as\nWS101,WS-101\nΠΛΗ 10,PLI10\n".as_bytes(), 7).expect("two aliases");
        assert_eq!(read.len(), 2);
        assert_eq!((read[1].code.as_str(), read[1].same_as.as_str(), read[1].institution), ("ΠΛΗ 10", "PLI10", 7));
        for (text, at) in [
            ("code,same_as\nWS101 ,WS-101\n", "line 2: code"),
            ("code,same_as\nWS101,\n", "line 2: same_as"),
            ("code,same_as\nA,B\nA,C\n", "line 3: code"),
            ("code,other\nA,B\n", "same_as"),
            ("code,same_as\n", "code"),
        ] {
            let error = parse(text.as_bytes(), 7).expect_err(text).to_string();
            assert!(error.contains(at), "{error}");
        }
    }
}

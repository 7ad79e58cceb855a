//! The header of a file: which of its columns the mapping means.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::file_options::File;
use super::rows::ImportError;
use super::table::Row;
use super::values::cells;

/// Most columns, and most characters of each, that a message names.
const SHOWN_MAX: usize = 40;
const NAME_LEN_MAX: usize = 60;

/// A column that the mapping names.
pub(super) struct Wanted<'a> {
    /// As the mapping writes it.
    pub(super) name: &'a str,
    pub(super) position: usize,
    /// It feeds nothing but fields that take a date.
    pub(super) takes_dates: bool,
    /// It feeds nothing but grades of scales from 0 to 100.
    pub(super) takes_percent: bool,
    /// It feeds nothing but a table of words.
    pub(super) takes_booleans: bool,
}

/// A name as it is compared: white space at the ends is nothing, and one letter is one letter however it is composed.
pub(super) fn key(name: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(cells::trimmed(name)).into_owned()
}

/// A name of which only letters and digits count: for what a message can point at, never to decide.
fn near_key(name: &str) -> String {
    let wide = ComposingNormalizerBorrowed::new_nfkc().normalize(name).to_lowercase();
    wide.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// The names of a header row.
pub(super) fn names(row: &Row) -> Result<Vec<String>, ImportError> {
    let name = |bytes: &[u8]| {
        if bytes.contains(&0) {
            let what = "it looks like UTF-16 without a byte order mark: pass --encoding utf-16le or utf-16be";
            return Err(ImportError::Header(what.to_owned()));
        }
        let name = std::str::from_utf8(bytes).map_err(|_| ImportError::Header("it is not UTF-8".to_owned()))?;
        Ok(cells::trimmed(name).to_owned())
    };
    row.values.iter().map(name).collect()
}

/// Where a column stands. Only one that is wanted may not be there twice.
fn find(names: &[String], wanted: &str) -> Result<Option<usize>, ImportError> {
    let wanted = key(wanted);
    let mut found = names.iter().enumerate().filter(|(_, name)| **name == wanted || key(name) == wanted);
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(ImportError::Twice(wanted)),
        (first, None) => Ok(first.map(|(position, _)| position)),
    }
}

/// The columns that were found, with their places; or those that are missing.
pub(super) type Places<'a> = Result<Vec<(&'a str, usize)>, Vec<&'a str>>;

/// Looks for columns in a header.
pub(super) fn places<'a>(names: &[String], wanted: impl Iterator<Item = &'a str>) -> Result<Places<'a>, ImportError> {
    let (mut places, mut missing) = (Vec::new(), Vec::new());
    for name in wanted {
        match find(names, name)? {
            Some(position) => places.push((name, position)),
            None => missing.push(name),
        }
    }
    missing.sort_unstable();
    missing.dedup();
    places.sort_unstable_by_key(|(name, position)| (*position, *name));
    places.dedup();
    Ok(if missing.is_empty() { Ok(places) } else { Err(missing) })
}

/// Everything that helps to find columns that are missing.
pub(super) struct Search<'a> {
    pub(super) line: u64,
    pub(super) names: &'a [String],
    /// Other rows near the beginning, with what stands in them.
    pub(super) others: &'a [(u64, Vec<String>)],
    /// What the first line has with another delimiter.
    pub(super) delimited: &'a [(u8, u64, Vec<String>)],
    pub(super) file: &'a File,
}

impl Search<'_> {
    /// What to say about columns that were not found.
    pub(super) fn explain(&self, wanted: &[&str], missing: &[&str]) -> ImportError {
        let mut text =
            vec![format!("line {} was taken as the header, and has the columns {}", self.line, list(self.names))];
        for name in missing {
            let near = self.names.iter().find(|other| near_key(other) == near_key(name));
            text.extend(near.map(|near| difference(name, near)));
        }
        let has_all = |names: &[String]| wanted.iter().all(|name| matches!(find(names, name), Ok(Some(_))));
        let is_one = self.names.iter().filter(|name| !name.is_empty()).count() == 1;
        if let Some((line, _)) = self.others.iter().find(|(_, names)| has_all(names)) {
            text.push(format!("All of them are on line {line}: set header_line = {line} in [file]"));
        } else if let Some((delimiter, line, _)) = self.delimited.iter().find(|(.., names)| has_all(names)) {
            let delimiter = char::from(*delimiter);
            let line = if *line == self.line { String::new() } else { format!(" and header_line = {line}") };
            let what = "All of them are there with another delimiter: set delimiter =";
            text.push(format!("{what} {delimiter:?} in [file]{line}"));
        } else if is_one && self.file.delimiter.is_none() {
            text.push("If the file has more than one column, look at delimiter and header_line in [file]".to_owned());
        }
        let missing: Vec<String> = missing.iter().map(|name| (*name).to_owned()).collect();
        ImportError::Columns { missing: list(&missing), found: text.join(". ") }
    }
}

/// Names for a message.
fn list(names: &[String]) -> String {
    let short = |name: &String| {
        let cut: String = name.chars().take(NAME_LEN_MAX).collect();
        if cut.len() < name.len() { format!("\"{cut}...\"") } else { format!("{cut:?}") }
    };
    let named = names.iter().filter(|name| !name.is_empty());
    let shown: Vec<String> = named.clone().take(SHOWN_MAX).map(short).collect();
    let more = named.count().saturating_sub(SHOWN_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if shown.is_empty() { "no names".to_owned() } else { shown.join(", ") + &more }
}

/// Where two names that look alike differ.
fn difference(mapping: &str, file: &str) -> String {
    let (wanted, found) = (key(mapping), key(file));
    let code =
        |letter: Option<char>| letter.map_or("nothing".to_owned(), |letter| format!("U+{:04X}", u32::from(letter)));
    let same = wanted.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let (one, other) = (code(wanted.chars().nth(same)), code(found.chars().nth(same)));
    format!("{mapping:?} in the mapping and {file:?} in the file differ at character {}: {one} and {other}", same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn explained(search: &Search<'_>, wanted: &[&str], missing: &[&str]) -> String {
        search.explain(wanted, missing).to_string()
    }

    /// Goal: names are equal after NFC and without white space at their ends; a column that nobody reads may be there twice.
    #[test]
    fn names_are_compared() {
        let names = header(&["nume\u{301}ro", " code ", "", "", "note", "note"]);
        let found = places(&names, ["num\u{e9}ro", "code", "code"].into_iter()).expect("no column twice");
        assert_eq!(found, Ok(vec![("num\u{e9}ro", 0), ("code", 1)]));
        assert!(matches!(places(&names, ["note"].into_iter()), Err(ImportError::Twice(name)) if name == "note"));
        let missing = places(&names, ["Code", "x", "a"].into_iter()).expect("no column twice");
        assert_eq!(missing, Err(vec!["Code", "a", "x"]));
    }

    /// Goal: the message names all that is missing, the line that was read, and the way out where there is one.
    #[test]
    fn what_is_missing_is_explained() {
        let file = File::default();
        let names = header(&["Code", "student\u{a0}id"]);
        let search = Search { line: 1, names: &names, others: &[], delimited: &[], file: &file };
        let text = explained(&search, &["code", "student id", "x"], &["code", "student id", "x"]);
        for words in
            ["\"code\", \"student id\", \"x\"", "line 1", "U+0063 and U+0043", "character 8: U+0020 and U+00A0"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        let others = [(2, header(&["a"])), (3, header(&["sid", "code"]))];
        let title = header(&["Registry report"]);
        let search = Search { line: 1, names: &title, others: &others, delimited: &[], file: &file };
        assert!(explained(&search, &["sid"], &["sid"]).contains("header_line = 3"));
        let delimited = [(b';', 1, header(&["sid", "code"]))];
        let search = Search { line: 1, names: &title, others: &[], delimited: &delimited, file: &file };
        assert!(explained(&search, &["sid"], &["sid"]).contains("delimiter = ';'"));
        assert!(list(&header(&["x"; 60])).ends_with("and 20 more"));
        assert!(list(&header(&[&"x".repeat(90)])).len() < 70);
    }
}

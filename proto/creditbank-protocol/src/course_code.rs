//! Course codes: what they may hold, and when two are the same (RULES.md, "Course codes").
//!
//! A code is stored as the institution writes it. For comparison alone there is a [`key`], which is kept in no record. Codes
//! with one [`near`] key are not the same, but whoever imports them is warned.

use std::borrow::Cow;
use std::fmt;

use crate::hash::sha256_of;
use crate::text::OddCharacter;
use crate::unicode::{category, fold, nfc as to_nfc, nfd, nfkc};

/// Most characters of a code.
pub const CHARACTERS_MAX: usize = 64;

/// Why a text is no course code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CourseCodeError {
    /// More characters than a code has.
    TooLong {
        /// The characters that came.
        found: usize,
    },
    /// A character that may not stand in it, or not there.
    Character(OddCharacter),
}

impl std::error::Error for CourseCodeError {}

impl fmt::Display for CourseCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found } => write!(f, "{found} characters"),
            Self::Character(odd) => odd.fmt(f),
        }
    }
}

impl CourseCodeError {
    /// What a code is, for messages: "expected ..., found ...".
    pub const EXPECTED: &'static str = "a course code: at most 64 visible characters, with single spaces inside";
}

/// Checks that a text can be a course code. An empty one is not looked at: whether there must be one is the field's rule.
pub fn check(code: &str) -> Result<(), CourseCodeError> {
    check_spaced(code, false)
}

/// Checks that codes can begin with a text: it may end with a space.
pub fn check_prefix(prefix: &str) -> Result<(), CourseCodeError> {
    check_spaced(prefix, true)
}

/// Checks that a text has only characters that a course code may have, however long it is.
pub fn check_characters(text: &str) -> Result<(), OddCharacter> {
    characters(text, false)
}

fn check_spaced(code: &str, prefix: bool) -> Result<(), CourseCodeError> {
    let found = code.chars().count();
    if found > CHARACTERS_MAX {
        return Err(CourseCodeError::TooLong { found });
    }
    characters(code, prefix).map_err(CourseCodeError::Character)
}

fn characters(code: &str, prefix: bool) -> Result<(), OddCharacter> {
    let count = code.chars().count();
    // So that a code cannot look like another one, or vanish in part.
    let mut before = ' ';
    for (position, character) in (1..).zip(code.chars()) {
        let last = position == count && !prefix;
        let what = match character {
            ' ' if position == 1 => Some("a space at the beginning"),
            ' ' if last => Some("a space at the end"),
            ' ' if before == ' ' => Some("a second space"),
            ' '..='~' => None,
            _ => odd(character),
        };
        if let Some(what) = what {
            return Err(OddCharacter { character, position, what });
        }
        before = character;
    }
    Ok(())
}

/// What a character is that stands in no code.
fn odd(character: char) -> Option<&'static str> {
    match character {
        '\u{fffd}' => Some("the replacement character: the file was read in a wrong encoding"),
        // Letters and marks that cannot be seen: the rest of Default_Ignorable_Code_Point that is neither Cf nor Cn.
        '\u{34f}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180d}'
        | '\u{180f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0100}'..='\u{e01ef}' => Some("a character that cannot be seen"),
        '\t' => Some("a tab"),
        '\n' | '\r' => Some("a line break"),
        _ => match category(character) {
            "Cc" => Some("a control character"),
            "Cf" => Some("a format character, which cannot be seen"),
            "Co" => Some("a private-use character"),
            "Cn" | "Cs" => Some("not assigned in this version of Unicode"),
            "Zs" => Some("a space other than U+0020"),
            "Zl" | "Zp" => Some("a line break"),
            _ => None,
        },
    }
}

/// What is compared: two codes with one key are the same course, unless their institution says that case matters.
pub fn key(code: &str) -> String {
    if code.is_ascii() {
        return code.to_ascii_lowercase();
    }
    to_nfc(&fold(&nfd(code))).into_owned()
}

/// What is compared where case matters: the same characters, however they are composed.
pub fn exact(code: &str) -> Cow<'_, str> {
    to_nfc(code)
}

/// What a ledger keeps of a code beside its key: the first bytes of SHA-256 of the code, composed. Where case matters it
/// tells the records of one key apart.
pub fn spelling(code: &str) -> [u8; 8] {
    let digest = sha256_of(&[exact(code).as_bytes()]);
    std::array::from_fn(|i| digest.0[i])
}

/// By what numbers of documents, references of papers and names of specialisations are compared: case and width, and
/// other forms that are compatible, make no other one.
pub fn wide_key(text: &str) -> String {
    // Compatibility forms fold to letters that may fold again.
    nfkc(&key(&nfkc(&key(text)))).into_owned()
}

/// What codes have in common that a person may have meant to be one: they differ in spaces, dashes, underscores, case or
/// width. For warnings alone; no rule compares it.
pub fn near(code: &str) -> String {
    let kept: String = wide_key(code).chars().filter(|character| !separates(*character)).collect();
    nfkc(&kept).into_owned()
}

/// Spaces, dashes of every kind, the soft hyphen, the minus sign and the underscore.
fn separates(character: char) -> bool {
    matches!(character, '_' | '\u{ad}' | '\u{2212}') || matches!(category(character), "Pd" | "Zs")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: codes as universities write them are codes.
    #[test]
    fn codes_of_all_scripts_are_codes() {
        let longest = "Ж".repeat(64);
        let codes = [
            "MATH 101",
            "ΠΛΗ10",
            "МАТ-101",
            "ÖKO.301",
            "E\u{301}C-1",
            "\u{c9}C-1",
            "ท.101",
            "กำ-๑๐๑",
            "हिन्दी-१०१",
            "微積分 (一)",
            "CS/101#a",
            "٣٠١ريض",
            "A – B",
            &longest,
        ];
        for code in codes {
            assert_eq!(check(code), Ok(()), "{code:?}");
        }
    }

    /// Goal: whatever cannot be seen in a code is refused, with its place.
    #[test]
    fn what_cannot_be_seen_is_refused() {
        let cases = [
            (" A", 1),
            ("A ", 2),
            ("A  B", 3),
            ("A\u{a0}B", 2),
            ("A\u{3000}B", 2),
            ("A\tB", 2),
            ("A\nB", 2),
            ("\u{feff}A", 1),
            ("A\u{200b}B", 2),
            ("A\u{200d}", 2),
            ("A\u{200e}B", 2),
            ("A\u{202e}B", 2),
            ("A\u{2066}B", 2),
            ("A\u{ad}B", 2),
            ("A\u{2028}B", 2),
            ("A\u{e000}", 2),
            ("\u{378}", 1),
            ("A\u{fffd}", 2),
            ("A\u{fe0f}", 2),
            ("A\u{34f}B", 2),
            ("A\u{3164}", 2),
            ("A\u{10ffff}", 2),
        ];
        for (code, place) in cases {
            let Err(CourseCodeError::Character(found)) = check(code) else { panic!("{code:?}") };
            assert_eq!(found.position, place, "{code:?}");
        }
        assert_eq!(check(&"é".repeat(65)), Err(CourseCodeError::TooLong { found: 65 }));
        assert_eq!(check_prefix("MATH "), Ok(()));
        assert!(check_prefix(" MATH").is_err() && check_prefix("MATH  ").is_err());
    }

    /// Goal: case and composition do not make another course; width, spaces and dashes do, and are near.
    #[test]
    fn keys_and_near_keys() {
        for (one, other) in [
            ("WS-101", "ws-101"),
            ("É", "E\u{301}"),
            ("STRASSE", "straße"),
            ("ΣΑΣ", "σας"),
            ("K", "\u{212a}"),
            ("ÖKO.301", "öko.301"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        for (one, other) in
            [("WS-101", "WS101"), ("WS 101", "WS_101"), ("ＷＳ１０１", "ws101"), ("WS–101", "WS-101"), ("ｶﾞ1", "ガ1")]
        {
            assert_ne!(key(one), key(other), "{one} {other}");
            assert_eq!(near(one), near(other), "{one} {other}");
        }
        for (one, other) in [("WS.101", "WS101"), ("A1", "A2"), ("İ", "i")] {
            assert_ne!(near(one), near(other), "{one} {other}");
        }
        assert_ne!(exact("ws-101"), exact("WS-101"));
        assert_eq!(exact("É"), exact("E\u{301}"));
    }
}

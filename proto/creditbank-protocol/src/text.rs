//! What a name, a title or any other text of a record may hold (RULES.md, "Text").
//!
//! Text is kept byte for byte. What is refused here is what no registrar can have meant: characters that cannot be seen and
//! change what others see, and traces of a file that was read in the wrong encoding.

use std::fmt;

use crate::unicode::category;

/// A character that may not stand where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddCharacter {
    /// The character.
    pub character: char,
    /// Its position in the text, in characters, from 1.
    pub position: usize,
    /// What it is.
    pub what: &'static str,
}

impl fmt::Display for OddCharacter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { character, position, what } = self;
        write!(f, "U+{:04X} ({what}) as character {position}", u32::from(*character))
    }
}

/// Checks a text of one line, or one that `may_break` into lines by U+000A.
pub fn check(text: &str, may_break: bool) -> Result<(), OddCharacter> {
    // Nearly every text is plain, and then there is nothing to look up.
    if text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        return Ok(());
    }
    let odd = (1..).zip(text.chars()).find_map(|(position, character)| {
        let what = odd(character).filter(|_| !(may_break && character == '\n'))?;
        Some(OddCharacter { character, position, what })
    });
    odd.map_or(Ok(()), Err)
}

/// What a character is that stands in no text.
fn odd(character: char) -> Option<&'static str> {
    match character {
        '\u{fffd}' => Some("the replacement character: the file was read in a wrong encoding"),
        '\u{202a}'..='\u{202e}' => Some("it changes the direction of what follows"),
        '\t' => Some("a tab"),
        '\n' | '\r' => Some("a line break"),
        _ => match category(character) {
            "Cc" => Some("a control character"),
            "Cn" => Some("not assigned in this version of Unicode"),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: names of all scripts pass, with the joiners and direction marks that belong to them.
    #[test]
    fn names_of_all_scripts_are_text() {
        let names = [
            "Ana-Maria O'Neill",
            "Ångström (é, e\u{301})",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "שלום\u{200f} עולם\u{200e}",
            "\u{61c}سلام",
            "\u{2067}متن\u{2069} and \u{2066}text\u{2069}",
            "李小龍",
            "ดนัย",
            "\u{e000}",
            "👩\u{200d}🔬",
        ];
        for name in names {
            assert_eq!(check(name, false), Ok(()), "{name:?}");
        }
        assert_eq!(check("one\ntwo", true), Ok(()));
    }

    /// Goal: what changes how others read a text, or shows that it was damaged, is refused with its place.
    #[test]
    fn odd_characters_are_found() {
        let cases = [
            ("a\u{0}", '\u{0}', 2),
            ("a\tb", '\t', 2),
            ("a\nb", '\n', 2),
            ("\u{7f}", '\u{7f}', 1),
            ("ab\u{85}", '\u{85}', 3),
            ("Ren\u{fffd}e", '\u{fffd}', 4),
            ("x\u{202e}y", '\u{202e}', 2),
            ("\u{202a}", '\u{202a}', 1),
            ("\u{378}", '\u{378}', 1),
            ("\u{fffe}", '\u{fffe}', 1),
        ];
        for (text, character, position) in cases {
            let found = check(text, false).expect_err(text);
            assert_eq!((found.character, found.position), (character, position));
        }
        assert!(check("one\r\ntwo", true).is_err(), "a line ends with U+000A alone");
        let shown = check("x\u{202e}y", false).expect_err("refused").to_string();
        assert_eq!(shown, "U+202E (it changes the direction of what follows) as character 2");
    }
}

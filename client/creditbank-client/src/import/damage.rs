//! Text that was damaged before it came here, whatever field it is for.

/// Names of errors that stand in a cell, where they do not end in `!` or `?`: "not available" in the languages of spreadsheet
/// programs.
const NOT_AVAILABLE: [&str; 16] = [
    "#N/A",
    "#NV",
    "#N/D",
    "#N/B",
    "#I/T",
    "#\u{41d}/\u{414}",
    "#YOK",
    "#SAKNAS",
    "#PUUTTUU",
    "#HI\u{c1}NYZIK",
    "#NEN\u{cd}_K_DISPOZICI",
    "#N/F",
    "#E/N",
    "#GETTING_DATA",
    "#\u{41d}\u{414}",
    "#NA",
];

/// What is wrong with a value, in words that do not repeat it.
pub(super) fn find(value: &str) -> Option<String> {
    // Most values are plain ASCII.
    let is_suspect = |byte: u8| !(0x20..0x7f).contains(&byte);
    let begins = value.trim_ascii_start().as_bytes().first();
    if !value.bytes().any(is_suspect) && !matches!(begins, Some(b'#' | b'E')) {
        return None;
    }
    let value = value.trim();
    if is_error(value) {
        return Some("an error of a spreadsheet program, expected a value".to_owned());
    }
    for letter in value.chars() {
        let what = match letter {
            '\n' | '\r' => "a line break: is a quote not closed?",
            '\t' => "a tab",
            '\u{fffd}' => "U+FFFD, which stands where a program lost a character: export the file again",
            '\u{feff}' => "a byte order mark (U+FEFF) within the text: were files put together?",
            _ if letter.is_control() => "a control character",
            _ => continue,
        };
        let code = if letter.is_control() { format!(" (U+{:04X})", u32::from(letter)) } else { String::new() };
        return Some(format!("it holds {what}{code}"));
    }
    None
}

/// Whether a text is the error that a formula has, in any language: `#REF!`, `#BEZUG!`, `#\u{a1}VALOR!`, `Err:502`, `####`.
fn is_error(text: &str) -> bool {
    if let Some(number) = text.strip_prefix("Err:") {
        return !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let Some(name) = text.strip_prefix('#') else { return false };
    let is_name = |letter: char| !letter.is_whitespace() && !letter.is_lowercase();
    let is_named = name.len() > 1 && name.ends_with(['!', '?']) && name.chars().all(is_name);
    let is_narrow = name.len() > 1 && name.bytes().all(|byte| byte == b'#');
    is_named || is_narrow || NOT_AVAILABLE.contains(&text.to_uppercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: errors of formulas are recognised in the languages of registrars; texts that look a little like them are not.
    #[test]
    fn errors_of_formulas() {
        for text in [
            "#REF!",
            "#N/A",
            "#VALUE!",
            "#NAME?",
            "#DIV/0!",
            "#NUM!",
            "#NULL!",
            "#SPILL!",
            "#BEZUG!",
            "#NV",
            "#WERT!",
            "#ZAHL!",
            "#VALEUR!",
            "#NOM?",
            "#NOMBRE!",
            "#NUL!",
            "#\u{a1}REF!",
            "#N/D",
            "#\u{a1}VALOR!",
            "#\u{bf}NOMBRE?",
            "#\u{a1}NUM!",
            "#\u{421}\u{421}\u{42b}\u{41b}\u{41a}\u{410}!",
            "#\u{41d}/\u{414}",
            "Err:502",
            "#####",
            " #REF! ",
            "#n/a",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
        for text in ["C# for beginners", "#1 in jazz", "E", "Err", "Err:", "#", "#MeToo!", "Law #2!", "E5", "##"] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    /// Goal: lost characters, line breaks and control characters are named; white space at the ends is the mapping's matter.
    #[test]
    fn lost_characters() {
        for (text, words) in [
            ("G\u{fffd}om\u{fffd}trie", "U+FFFD"),
            ("Law of\nthe sea", "a line break"),
            ("Law\rof", "a line break"),
            ("a\0b", "U+0000"),
            ("a\tb", "a tab"),
            ("a\u{85}b", "U+0085"),
            ("a\u{feff}b", "byte order mark"),
        ] {
            let found = find(text).unwrap_or_default();
            assert!(found.contains(words), "{text:?}: {found}");
        }
        for text in ["Law\n", "\tLaw ", "\u{6c9}\u{200c}\u{6c1}", "G\u{e9}om\u{e9}trie", "plain"] {
            assert_eq!(find(text), None, "{text:?}");
        }
    }
}

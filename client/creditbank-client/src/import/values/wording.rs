//! Text that was damaged on its way: made by a spreadsheet, turned around, of characters that nobody can read.

use crate::import::identity::damaged_code;

/// Why a text can stand in no record: nobody can have meant it. What is damaged in any column, the reader of rows refuses.
pub(in crate::import) fn refusal(text: &str) -> Option<String> {
    text.chars().enumerate().find_map(|(at, c)| {
        let what = match c {
            '\u{2028}' | '\u{2029}' => "a line break",
            '\u{202a}'..='\u{202e}' => "a mark that turns the direction of what follows",
            _ => return None,
        };
        Some(format!("character {} is {what}", at + 1))
    })
}

/// Why a code or a title is nothing that a person has written; `field` is the mapping's.
pub(in crate::import) fn damaged(field: &str, text: &str) -> Option<&'static str> {
    const NOTHING: [&str; 13] = [
        "n/a",
        "#n/a",
        "#n/a n/a",
        "null",
        "nan",
        "nat",
        "none",
        "nil",
        "undefined",
        "[object object]",
        "\\n",
        "#ref!",
        "(blank)",
    ];
    let is_nothing = || NOTHING.contains(&text.to_lowercase().as_str()) || text.chars().all(|c| !c.is_alphanumeric());
    match field {
        "course_code" | "programme" if is_nothing() => Some("is what a program writes for nothing"),
        "course_code" | "programme" => damaged_code(text),
        _ if super::super::mapping::is_words(field) && is_nothing() => Some("is what a program writes for nothing"),
        _ => None,
    }
}

/// Characters without a public meaning: each program shows another sign, or none.
pub(in crate::import) fn has_private_use(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}'))
}

/// HTML that was not decoded, as `&amp;`.
pub(in crate::import) fn has_entities(text: &str) -> bool {
    text.split('&').skip(1).any(|rest| {
        let Some((name, _)) = rest.split_once(';') else { return false };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        ["amp", "lt", "gt", "quot", "apos", "nbsp"].contains(&name)
            || name.strip_prefix("#x").or_else(|| name.strip_prefix('#')).is_some_and(digits)
            || (name.len() < 9
                && ["uml", "acute", "grave", "circ", "cedil", "tilde"].iter().any(|end| name.ends_with(end)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what programs leave in the place of text is found, and text that is well is left alone.
    #[test]
    fn damaged_and_well() {
        for (field, text) in [
            ("course_code", "1-May"),
            ("course_code", "1.2E+05"),
            ("course_code", "101.0"),
            ("course_code", "N/A"),
            ("course_code", "TRUE"),
            ("course_code", "-"),
            ("course_code", "'101"),
            ("course_code", "2024-05-01"),
            ("title", "NULL"),
            ("title", "[object Object]"),
            ("title", "-"),
        ] {
            assert!(damaged(field, text).is_some(), "{text}");
        }
        for (field, text) in [
            ("course_code", "MATH 101"),
            ("course_code", "101"),
            ("course_code", "6.006"),
            ("course_code", "WS-101"),
            ("course_code", "2024E15"),
            ("title", "None of the above"),
            ("title", "1984"),
            ("site", "N"),
            ("grade", "-"),
        ] {
            assert_eq!(damaged(field, text), None, "{text}");
        }
        assert!(has_private_use("\u{e000}") && !has_private_use("\u{5f20}"));
        assert!(has_entities("Law &amp; society") && has_entities("caf&eacute;") && has_entities("&#39;"));
        assert!(!has_entities("R&D; more") && !has_entities("Law & society"));
        for bad in ["Law of\u{2028}the sea", "Algebra \u{202e}x"] {
            assert!(refusal(bad).is_some(), "{bad:?}");
        }
        for good in ["\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}", "Law & society", "\u{2067}x\u{2069}"]
        {
            assert_eq!(refusal(good), None, "{good:?}");
        }
    }
}

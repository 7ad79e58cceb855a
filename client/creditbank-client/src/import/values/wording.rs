//! Text that was damaged on its way: read in a wrong encoding, cut by a spreadsheet, turned around.

use encoding_rs::{
    Encoding, MACINTOSH, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1257,
};

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

/// What a text may have been before it was read in a wrong encoding, once or several times.
pub(in crate::import) fn mojibake(text: &str) -> Option<String> {
    let mut found = undone(text)?;
    // Twice is common, three times has been seen.
    for _ in 0..3 {
        match undone(&found) {
            Some(again) => found = again,
            None => break,
        }
    }
    Some(found)
}

/// UTF-8 that was read as an encoding of single bytes.
fn undone(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let read_as: [&'static Encoding; 7] =
        [WINDOWS_1252, WINDOWS_1250, WINDOWS_1251, WINDOWS_1254, WINDOWS_1253, WINDOWS_1257, MACINTOSH];
    read_as.iter().find_map(|encoding| {
        let (bytes, _, has_others) = encoding.encode(text);
        if has_others {
            return None;
        }
        let meant = std::str::from_utf8(&bytes).ok()?;
        let is_text = meant.chars().all(|c| !c.is_control() && c != '\u{fffd}');
        (is_text && meant != text).then(|| meant.to_owned())
    })
}

/// A question mark between two letters: what an export writes for a letter that its encoding lacks.
pub(in crate::import) fn has_lost_letters(text: &str) -> bool {
    let all: Vec<char> = text.chars().collect();
    all.windows(3).any(|three| three[0].is_alphabetic() && three[1] == '?' && three[2].is_alphabetic())
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

    /// Goal: text in a wrong encoding is recognised with what it was, and text that is well is left alone.
    #[test]
    fn damaged_and_well() {
        for (seen, meant) in [
            ("G\u{c3}\u{a9}om\u{c3}\u{a9}trie", "G\u{e9}om\u{e9}trie"),
            ("G\u{c3}\u{192}\u{c2}\u{a9}o", "G\u{e9}o"),
            ("\u{420}\u{45a}\u{420}\u{452}\u{420}\u{45e}", "\u{41c}\u{410}\u{422}"),
            ("M\u{c3}\u{bc}ller", "M\u{fc}ller"),
            ("caf\u{221a}\u{a9}", "caf\u{e9}"),
        ] {
            assert_eq!(mojibake(seen).as_deref(), Some(meant), "{seen}");
        }
        for well in [
            "Geometry",
            "G\u{e9}om\u{e9}trie",
            "\u{10d}esk\u{fd}",
            "\u{41c}\u{430}\u{442}\u{435}\u{43c}\u{430}\u{442}\u{438}\u{43a}\u{430}",
            "\u{393}\u{3b5}\u{3c9}",
            "\u{9ad8}\u{7b49}\u{6570}\u{5b66}",
            "\u{c3}ngela",
            "\u{c2}ge d'or",
            "80 \u{b0}C",
        ] {
            assert_eq!(mojibake(well), None, "{well}");
        }
        assert!(has_lost_letters("G?om?trie") && !has_lost_letters("Why? Because"));
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

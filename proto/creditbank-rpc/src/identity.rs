//! What an identity value may look like. Its content is the caller's; it is never folded or normalised.

/// Whether a text is what people see: nobody should have two accounts because of a blank or an invisible character.
pub fn is_plain(text: &str) -> bool {
    text.trim() == text && !text.contains(is_invisible)
}

/// Control characters, and those that change how others are shown.
pub fn is_invisible(c: char) -> bool {
    let format = [
        '\u{ad}'..='\u{ad}',
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
    ];
    c.is_control() || format.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen() {
        for text in ["11391", "A 1", "\u{e9}t\u{e9}", "\u{5f20}\u{4e09}"] {
            assert!(is_plain(text), "{text:?}");
        }
        for text in [" 1", "1 ", "1\n", "1\u{0}2", "1\u{200b}2", "1\u{202e}2", "\u{feff}1", "1\u{a0}"] {
            assert!(!is_plain(text), "{text:?}");
        }
    }
}

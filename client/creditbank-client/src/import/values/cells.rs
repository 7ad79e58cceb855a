//! What a cell says, without what a spreadsheet puts around it.

/// The text in `="00123"`: how a spreadsheet is told to leave text alone. It has one meaning only.
pub(in crate::import) fn text(cell: &str) -> &str {
    let inner = trimmed(cell).strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(cell)
}

/// Without blanks at its ends, seen or not.
pub(in crate::import) fn trimmed(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// An error value of a spreadsheet, as `#REF!`.
pub(in crate::import) fn is_error(text: &str) -> bool {
    const ERRORS: [&str; 12] = [
        "#REF!", "#N/A", "#NV", "#NAME?", "#VALUE!", "#WERT!", "#VALEUR!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!",
        "#CALC!",
    ];
    let is_hashes = text.len() > 2 && text.bytes().all(|byte| byte == b'#');
    is_hashes || ERRORS.iter().any(|error| text.eq_ignore_ascii_case(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: text that was protected from a spreadsheet is read as it was meant, and nothing else is.
    #[test]
    fn protected_text() {
        for (cell, said) in [("=\"00123\"", "00123"), (" =\"00123\" ", "00123"), ("=\"\"", ""), ("00123", "00123")] {
            assert_eq!(text(cell), said);
        }
        for cell in ["=A1", "=\"a\"&\"b\"", "\"00123\"", "="] {
            assert_eq!(text(cell), cell);
        }
        assert_eq!(trimmed("\u{feff} a b\u{a0}\u{200b}"), "a b");
        assert!(is_error("#ref!") && is_error("#####") && !is_error("#1"));
    }
}

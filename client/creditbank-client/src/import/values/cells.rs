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
    }
}

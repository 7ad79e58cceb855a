//! What spreadsheets, databases and forms leave where an identity should stand.

/// Words that name nobody, in small letters.
const PLACEHOLDERS: &[&str] = &[
    "na",
    "n/a",
    "n.a",
    "n.a.",
    "#n/a",
    "null",
    "nil",
    "nan",
    "none",
    "undefined",
    "unknown",
    "unbekannt",
    "inconnu",
    "inconnue",
    "desconocido",
    "sconosciuto",
    "tba",
    "tbd",
    "tbc",
    "test",
    "test student",
    "student, test",
    "teststudent",
    "dummy",
    "anonymous",
    "anonym",
    "k.a",
    "k.a.",
    "keine",
    "keine angabe",
    "ohne",
    "sans",
    "aucun",
    "ninguno",
    "nessuno",
    "brak",
    "geen",
    "true",
    "false",
    "id",
    "\u{43d}\u{435}\u{442}",
    "\u{65e0}",
    "\u{7121}",
    "\u{306a}\u{3057}",
    "\u{4e0d}\u{660e}",
    "\u{672a}\u{77e5}",
    "\u{672a}\u{5b9a}",
    "\u{c5c6}\u{c74c}",
    "\u{6d4b}\u{8bd5}",
];
/// Words at the end of a list, which count or average those above them.
const TOTALS: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "summe",
    "gesamt",
    "totale",
    "totaal",
    "suma",
    "somme",
    "average",
    "mean",
    "median",
    "moyenne",
    "mittelwert",
    "durchschnitt",
    "media",
    "promedio",
    "\u{5408}\u{8ba1}",
    "\u{5408}\u{8a08}",
    "\u{603b}\u{8ba1}",
    "\u{7e3d}\u{8a08}",
    "\u{5c0f}\u{8ba1}",
    "\u{5c0f}\u{8a08}",
    "\u{5e73}\u{5747}",
    "\u{5408}\u{ac04}",
    "\u{438}\u{442}\u{43e}\u{433}\u{43e}",
    "points possible",
];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Digits that are not 0 to 9, and letters and digits of double width.
pub(super) fn has_foreign_digits(value: &str) -> bool {
    value.chars().any(|c| (c.is_numeric() && !c.is_ascii_digit()) || matches!(c, '\u{ff01}'..='\u{ff5e}'))
}

/// What stands for nothing: of an identity, or of a name.
pub(in crate::import) fn is_placeholder(value: &str) -> bool {
    let small = value.to_lowercase();
    let bare = bare(&small);
    PLACEHOLDERS.contains(&bare) || bare.chars().all(|c| c == 'x') || !value.chars().any(char::is_alphanumeric)
}

/// Without what placeholders are put between.
fn bare(small: &str) -> &str {
    small.trim_matches(|c| matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\''))
}

/// Why a value is no identity. Without a pattern of the mapping nothing else says what one looks like.
pub(in crate::import) fn of(value: &str, may_have_separators: bool) -> Option<&'static str> {
    let small = value.to_lowercase();
    let is_filling = |text: &str, of: &[char]| text.chars().all(|c| of.contains(&c));
    if is_placeholder(value) {
        return Some("is a placeholder");
    }
    if TOTALS.contains(&bare(&small).trim_end_matches(':')) {
        return Some("is the word of a total or a mean: skip such rows with [file] skip_where");
    }
    if is_filling(value, &['0', '.', ',', '-', '/', ' ']) {
        return Some("is zero, a placeholder");
    }
    if is_exponent(&small) {
        return Some("is a number that a spreadsheet has rounded (digits and an exponent): export the column as text");
    }
    if is_with_zero_fraction(value) {
        return Some("ends in .0, which a program has added that took it for a number: export the column as text");
    }
    if is_date(&small) {
        return Some("is a date, which a spreadsheet has made of it: export the column as text");
    }
    if value.starts_with('\'') || value.starts_with('=') {
        return Some("begins with a mark of a spreadsheet: export the column as text");
    }
    if may_have_separators {
        return None;
    }
    if is_grouped(value) {
        return Some("has separators of thousands, which a spreadsheet has put there: export the column as text");
    }
    value.contains(char::is_whitespace).then_some("has white space in it")
}

/// `2.02312E+11`. An exponent without sign and fraction, as `2024E15`, may well be an identity.
fn is_exponent(small: &str) -> bool {
    let Some((mantissa, exponent)) = small.split_once('e') else { return false };
    let number = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b','))
    };
    let signed = exponent.starts_with(['+', '-']);
    let digits = exponent.trim_start_matches(['+', '-']);
    let mantissa = mantissa.trim_start_matches('-');
    number(mantissa)
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (signed || mantissa.contains(['.', ',']))
}

fn is_with_zero_fraction(value: &str) -> bool {
    let split = value.rsplit_once(['.', ',']);
    split.is_some_and(|(whole, rest)| {
        !whole.is_empty()
            && whole.bytes().all(|byte| byte.is_ascii_digit())
            && (1..=2).contains(&rest.len())
            && rest.bytes().all(|byte| byte == b'0')
    })
}

fn is_date(small: &str) -> bool {
    let parts: Vec<&str> = small.split(['-', '/', '.', ' ']).collect();
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match parts.as_slice() {
        [year, month, day, ..] if digits(year, 4, 4) && digits(month, 2, 2) => {
            digits(day.split('t').next().unwrap_or_default(), 2, 2)
        }
        [day, month, year] if digits(day, 1, 2) && digits(month, 1, 2) => digits(year, 4, 4),
        [day, month] if digits(day, 1, 2) => MONTHS.contains(month),
        [month, year] => MONTHS.contains(month) && digits(year, 2, 2),
        _ => false,
    }
}

fn is_grouped(value: &str) -> bool {
    [',', '.', '\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}'].into_iter().any(|separator| {
        let mut groups = value.split(separator);
        let first = groups.next().unwrap_or_default();
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let mut rest = groups.peekable();
        (1..=3).contains(&first.len())
            && is_digits(first)
            && rest.peek().is_some()
            && rest.all(|group| group.len() == 3 && is_digits(group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what programs leave instead of an identity is recognised in every usual shape.
    #[test]
    fn damaged() {
        for value in [
            "N/A",
            "#N/A",
            "NULL",
            "nan",
            "None",
            "(none)",
            "-",
            "--",
            "?",
            "0",
            "0000000",
            "00-00",
            "TBA",
            "Test",
            "xxx",
            "k.A.",
            "\u{65e0}",
            "\u{306a}\u{3057}",
            "2.02312E+11",
            "2,02312E+11",
            "2E+11",
            "2.0e11",
            "10234567.0",
            "10234567,00",
            "Total",
            "Moyenne",
            "moyenne:",
            "2024-01-05",
            "05.01.2024",
            "5-Jan",
            "10,234,567",
            "10.234.567",
            "10 234 567",
            "12 34",
            "'00123",
            "=A1",
            "TRUE",
            "Student, Test",
        ] {
            assert!(of(value, false).is_some(), "{value}");
        }
        for value in ["\u{ff11}\u{ff12}3", "\u{661}\u{662}", "GE\u{ff14}2", "12\u{b2}"] {
            assert!(has_foreign_digits(value), "{value}");
        }
    }

    /// Goal: identities as institutions give them out are left alone.
    #[test]
    fn good() {
        for value in [
            "11391",
            "00123",
            "GE42ABC",
            "s1234567",
            "2024E15",
            "12E5",
            "03700001",
            "20230001",
            "MUSTER-01",
            "1.5",
            "A.1",
            "c1",
            "a3f0c1d2e4b5968778695a4b3c2d1e0f12345678",
            "\u{5f20}\u{4e09}7",
            "1234-5678",
            "2024/0017",
            "10.5072",
            "a@b.example",
        ] {
            assert_eq!(of(value, false), None, "{value}");
            assert!(!has_foreign_digits(value), "{value}");
        }
        assert_eq!(of("12 34 56", true), None, "a national number is written with blanks");
    }
}

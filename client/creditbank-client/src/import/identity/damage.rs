//! What spreadsheets, databases and forms leave where an identity should stand.

mod words;

use creditbank_protocol::unicode::{nfc, nfkc};

use words::{MONTHS, PLACEHOLDERS, TOTALS};

/// Digits that are not 0 to 9, and letters and digits of double width.
pub(super) fn has_foreign_digits(value: &str) -> bool {
    value.chars().any(|c| (c.is_numeric() && !c.is_ascii_digit()) || matches!(c, '\u{ff01}'..='\u{ff5e}'))
}

/// Whether a value stands for nothing.
fn is_placeholder(value: &str, small: &str) -> bool {
    let bare = bare(small);
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
    // No word has digits but what is not finite, as 1.#INF. Most identities have, and need no look at the words.
    let may_be_word = value.contains('#') || !value.bytes().any(|byte| byte.is_ascii_digit());
    if may_be_word && is_placeholder(value, &small) {
        return Some("is a placeholder");
    }
    if may_be_word && TOTALS.contains(&bare(&small).trim_end_matches(':')) {
        return Some("is the word of a total or a mean: skip such rows with [file] skip_where");
    }
    if is_negative(value) {
        return Some("is a placeholder");
    }
    if value.len() > 3 && is_filling(value, &['9']) {
        return Some("is a placeholder");
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
    if is_fraction(value) {
        return Some("is a number with a fraction: export the column as text");
    }
    if is_date(&small) {
        return Some("is a date, which a spreadsheet has made of it: export the column as text");
    }
    if value.starts_with(['\'', '=', '+']) {
        return Some("begins with a mark of a spreadsheet: export the column as text");
    }
    let quotes =
        ['"', '\'', '`', '\u{b4}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{201e}', '\u{ab}', '\u{bb}'];
    if value.starts_with(quotes) || value.ends_with(quotes) {
        return Some("has a quote at its beginning or end: export the file again");
    }
    if value.ends_with(['.', ',', ';', ':', '/', '\\', '|', '-', '%'])
        || value.starts_with(['.', ',', ';', ':', '/', '\\', '|'])
    {
        return Some("has a mark of punctuation at its beginning or end");
    }
    if value.chars().any(|c| matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' | '\u{d7}' | '^')) {
        return Some("is an amount or a sum, which a spreadsheet has made of it: export the column as text");
    }
    if may_have_separators {
        return None;
    }
    if is_grouped(value) {
        return Some("has separators of thousands, which a spreadsheet has put there: export the column as text");
    }
    value.contains(char::is_whitespace).then_some("has white space in it")
}

/// Why a code of a course is what a spreadsheet has made of it.
pub(super) fn of_code(code: &str) -> Option<&'static str> {
    let small = code.to_lowercase();
    if is_exponent(&small) {
        return Some("is a number with an exponent, which a spreadsheet has made of it");
    }
    if is_with_zero_fraction(code) {
        return Some("ends in .0, which a program has added that took it for a number");
    }
    if is_date(&small) {
        return Some("is a date, which a spreadsheet has made of it");
    }
    if matches!(small.as_str(), "true" | "false" | "wahr" | "falsch" | "vrai" | "faux") {
        return Some("is a truth value, which a spreadsheet has made of it");
    }
    code.starts_with(['\'', '=']).then_some("begins with a mark of a spreadsheet")
}

/// Why no identity is spelled so: what nobody sees makes two persons of one.
pub(super) fn unseen(value: &str) -> Option<&'static str> {
    let seen: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    let is_odd = seen.contains('\u{2800}') || creditbank_protocol::course_code::check(&seen).is_err();
    (!seen.is_empty() && is_odd && seen.chars().count() <= 64)
        .then_some("has a character that cannot be seen, or has no public meaning")
}

/// Why nobody would type an identity so.
pub(in crate::import) fn spelling(value: &str) -> Option<&'static str> {
    let is_dash = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}');
    if value.chars().any(is_dash) {
        return Some("has a dash that is not the one of the keyboard (-)");
    }
    // U+2026 and the like stay what they are; ligatures, long s and circled letters do not.
    (nfkc(value) != nfc(value)).then_some("has letters that are another letter's form for print")
}

/// `-1`, which programs write for "none".
fn is_negative(value: &str) -> bool {
    value
        .strip_prefix('-')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
}

/// `10234567.5`: more digits before the point than the parts of a name such as `10.5072` have.
fn is_fraction(value: &str) -> bool {
    value.rsplit_once(['.', ',']).is_some_and(|(whole, rest)| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_grouped(whole) && digits(rest) && rest.len() < 3
            || digits(whole)
                && digits(rest)
                && (whole.len() >= 5 && rest.len() != 3 || rest.bytes().all(|byte| byte == b'0'))
    })
}

/// `2.02312E+11`. An exponent without sign and fraction, as `2024E15`, may well be an identity.
fn is_exponent(small: &str) -> bool {
    let Some((mantissa, exponent)) = small.split_once(['e', 'd']) else { return false };
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
    let is_month = |text: &str| MONTHS.contains(&text);
    let parts: Vec<&str> = small.split(['-', '/', '.', ' ']).collect();
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    match parts.as_slice() {
        [year, month, day, ..] if digits(year, 4, 4) && digits(month, 2, 2) => {
            digits(day.split('t').next().unwrap_or_default(), 2, 2)
        }
        [day, month, year] if digits(day, 1, 2) && digits(month, 1, 2) && digits(year, 4, 4) => true,
        [year, month, day] if digits(year, 4, 4) && digits(month, 1, 1) => digits(day, 1, 2),
        [day, month, year] if digits(day, 1, 2) && digits(month, 1, 2) => {
            let number = |text: &str| text.parse::<u32>().unwrap_or(0);
            let (day, month) = (number(day), number(month));
            digits(year, 2, 2) && (1..=31).contains(&day.max(month)) && (1..=12).contains(&day.min(month))
        }
        [day, month] if digits(day, 1, 2) => is_month(month),
        [month, year] if is_month(month) => digits(year, 2, 2) || digits(year, 4, 4),
        [day, month, year] if digits(day, 1, 2) && is_month(month) => digits(year, 2, 2) || digits(year, 4, 4),
        [time] => time.split(':').count() > 1 && time.split(':').all(|part| digits(part, 1, 2)),
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
            "-1",
            "-999",
            "\\N",
            "(blank)",
            "(leer)",
            "\u{6682}\u{65e0}",
            "\u{43d}/\u{434}",
            "yok",
            "sid",
            "Matrikelnummer",
            "Celkem",
            "10234567.000000",
            "10234567.5",
            "10234567.",
            "+10234567",
            "\"QID1\"",
            "\u{2019}QID1",
            "00123;",
            "$101,234.00",
            "\u{20ac}101234",
            "101.234,00",
            "2.02\u{d7}10^11",
            "2.02D+11",
            "01/02/24",
            "5-Sept",
            "Sep-2024",
            "5-Mai",
            "Okt-24",
            "5-May-24",
            "2024/1/5",
            "12:30",
            "1:5",
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
        for value in [
            "IN\u{2010}V1",
            "IN\u{2212}1",
            "INV1\u{fe0f}",
            "\u{3164}",
            "1\u{61c}2",
            "\u{17f}1",
            "\u{fb01}1",
            "1\u{e0041}",
        ] {
            assert!(spelling(value).or_else(|| unseen(value)).is_some(), "{value:?}");
        }
        for value in ["GE42ABC", "\u{5f20}\u{4e09}7", "12 34", "\u{3a3}1", "\u{e9}1", "e\u{301}1", "s-1_2.3"] {
            assert_eq!(spelling(value).or_else(|| unseen(value)), None, "{value:?}");
        }
        assert_eq!(of("12 34 56", true), None, "a national number is written with blanks");
    }
}

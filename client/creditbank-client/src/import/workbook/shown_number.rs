//! A number beside the text that a cell shows for it, in whatever language the text was made.

use super::decimal::Decimal;

/// The text to read, where it says the same as the number: with a point for the decimal mark, and without marks between
/// thousands. `None` for what is shown means that the file does not say.
pub(super) fn shown_number(shown: Option<&str>, number: &Decimal, is_percent: bool) -> Result<String, String> {
    if let Some(problem) = number.untyped() {
        return Err(problem);
    }
    let meant = number.clone().percent(usize::from(is_percent));
    let Some(shown) = shown else { return Ok(meant.to_string()) };
    let plain = shown.trim().replace(['\u{a0}', '\u{202f}', '\u{2009}'], " ").replace('\u{2212}', "-");
    let refuse = || {
        let shown = if shown.trim().is_empty() { "nothing" } else { shown.trim() };
        Err(format!("the cell shows {shown} and holds {number}: format it so that it shows what it holds"))
    };
    let body = if is_percent {
        let body = plain.strip_suffix('%').or_else(|| plain.strip_prefix('%'));
        let Some(body) = body else { return refuse() };
        body.trim()
    } else {
        plain.as_str()
    };
    if let Some(text) = same_number(body, &meant) {
        return Ok(text);
    }
    // Text around the digits, as in S00123, 000-123 or 7.5 ECTS: it is read as it is shown.
    let is_digit = |letter: char| letter.is_ascii_digit();
    let (Some(first), Some(last)) = (body.find(is_digit), body.rfind(is_digit)) else { return refuse() };
    let inner = body[first..=last].to_owned();
    let digits: String = inner.chars().filter(char::is_ascii_digit).collect();
    let size = meant.size();
    // A point or comma that stands between no thousands would make another number of the same digits: 7.5 of 75.
    let has_mark = inner.contains(['.', ',', '\'', '\u{2019}']);
    let is_same =
        same_number(&inner, &size).is_some() || !has_mark && Decimal::parse(&digits).is_some_and(|found| found == size);
    if is_same && (!meant.is_negative || body.contains('-')) { Ok(body.to_owned()) } else { refuse() }
}

/// The text as a number with a point, where it is this number.
fn same_number(text: &str, number: &Decimal) -> Option<String> {
    let (sign, size) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let is_mark = |letter: char| matches!(letter, '.' | ',' | ' ' | '\'' | '\u{2019}' | '\u{66c}');
    let begins_and_ends = size.starts_with(|letter: char| letter.is_ascii_digit() || letter == '.' || letter == ',')
        && size.ends_with(|letter: char| letter.is_ascii_digit());
    if !begins_and_ends || !size.chars().all(|letter| letter.is_ascii_digit() || is_mark(letter)) {
        return None;
    }
    let is = |text: String| Decimal::parse(&text).is_some_and(|found| found == *number).then_some(text);
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    let with_point = size.rfind(['.', ',']).map(|at| {
        let whole = digits(&size[..at]);
        format!("{sign}{}.{}", if whole.is_empty() { "0" } else { &whole }, digits(&size[at..]))
    });
    let whole = is_grouped(size).then(|| format!("{sign}{}", digits(size)));
    with_point.and_then(is).or_else(|| whole.and_then(is))
}

/// Whether marks stand where thousands end, or lakhs: 1,234,567 and 12,34,567. Digits alone have no marks.
fn is_grouped(size: &str) -> bool {
    let groups: Vec<&str> = size.split(|letter: char| !letter.is_ascii_digit()).collect();
    let [first, middle @ .., last] = groups.as_slice() else { return true };
    let lens = |len: usize| middle.iter().all(|group| group.len() == len);
    (1..=3).contains(&first.len()) && last.len() == 3 && (lens(3) || lens(2) && first.len() < 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(shown: &str, number: &str, is_percent: bool) -> Result<String, String> {
        shown_number(Some(shown), &Decimal::stored(number).expect("a number"), is_percent)
    }

    /// Goal: displays of all languages are understood by their number; nothing that says another one is read.
    #[test]
    fn displays() {
        for (shown, number, is_percent, text) in [
            ("12.5", "12.5", false, "12.5"),
            ("12,50", "12.5", false, "12.50"),
            ("1,234", "1234", false, "1234"),
            ("1.234,5", "1234.5", false, "1234.5"),
            ("1\u{202f}234,5", "1234.5", false, "1234.5"),
            ("1.234", "1.234", false, "1.234"),
            ("00101234", "101234", false, "00101234"),
            ("-5", "-5", false, "-5"),
            ("\u{2212}5,5", "-5.5", false, "-5.5"),
            (",5", "0.5", false, "0.5"),
            ("85%", "0.85", true, "85"),
            ("85,5 %", "0.855", true, "85.5"),
            ("%85", "0.85", true, "85"),
            ("S00123", "123", false, "S00123"),
            ("000-123", "123", false, "000-123"),
            ("7.5 ECTS", "7.5", false, "7.5 ECTS"),
        ] {
            assert_eq!(show(shown, number, is_percent).as_deref(), Ok(text), "{shown}");
        }
        for (shown, number, is_percent) in [
            ("13", "12.5", false),
            ("86%", "0.855", true),
            ("0.85", "0.85", true),
            ("", "5", false),
            ("-", "0", false),
            ("(5)", "-5", false),
            ("5", "-5", false),
            ("2.02E+11", "202312345678", false),
            ("pass", "85", false),
            ("7.5", "75", false),
            ("1,2", "12", false),
            ("0,12", "12", false),
            ("7.5 ECTS", "75", false),
            ("\u{663}", "3", false),
        ] {
            let refused = show(shown, number, is_percent).expect_err(shown);
            assert!(refused.contains(&format!("holds {number}")), "{refused}");
        }
        assert_eq!(shown_number(None, &Decimal::stored("0.85").expect("a number"), true).as_deref(), Ok("85"));
    }
}

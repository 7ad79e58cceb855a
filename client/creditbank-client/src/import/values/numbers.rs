//! Decimal numbers as a file writes them.

/// How a file writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::import) struct Numbers {
    /// Between whole and fraction; a point where the mapping is silent.
    pub(in crate::import) decimal: Option<char>,
    /// Between groups of three digits.
    pub(in crate::import) thousands: Option<char>,
}

/// What a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) enum Number {
    /// A number, with a point.
    Plain(String),
    /// No number at all.
    Not,
    /// A number, but not one of this file's: why.
    Odd(String),
}

impl Numbers {
    /// A text as a number with a decimal point.
    pub(in crate::import) fn read(self, text: &str) -> Number {
        let decimal = self.decimal.unwrap_or('.');
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let (sign, bare) = match text.strip_prefix(['-', '\u{2212}']) {
            Some(bare) => ("-", bare),
            None => ("", text),
        };
        let separators = bare.chars().filter(|c| !c.is_ascii_digit());
        if !bare.starts_with(|c: char| c.is_ascii_digit())
            || !bare.ends_with(|c: char| c.is_ascii_digit())
            || !separators.clone().all(|c| matches!(c, '.' | ',' | '\'' | '\u{2019}' | ' ' | '\u{a0}' | '\u{202f}'))
        {
            return Number::Not;
        }
        let (whole, fraction) = bare.rsplit_once(decimal).map_or((bare, None), |(whole, rest)| (whole, Some(rest)));
        if fraction.is_none_or(is_digits) {
            if is_digits(whole) {
                // The point of a workbook's number may be this file's separator of groups.
                return Number::Plain(format!(
                    "{sign}{whole}{}",
                    fraction.map_or(String::new(), |rest| format!(".{rest}"))
                ));
            }
            if let Some(separator) = self.thousands
                && let Some(digits) = grouped(whole, separator)
            {
                let fraction = fraction.map_or(String::new(), |rest| format!(".{rest}"));
                return Number::Plain(format!("{sign}{digits}{fraction}"));
            }
        }
        // A point in a file with decimal commas, where it cannot stand between thousands.
        if self.decimal.is_some_and(|decimal| decimal != '.')
            && let Some((whole, fraction)) = bare.split_once('.')
            && is_digits(whole)
            && is_digits(fraction)
            && (fraction.len() != 3 || whole.len() > 3)
        {
            return Number::Plain(text.replace('\u{2212}', "-"));
        }
        let stated = match (self.decimal, self.thousands) {
            (None, None) => {
                "the mapping says nothing of them: set [file] decimal = \",\" and, if so, thousands = \".\"".to_owned()
            }
            (_, thousands) => {
                let thousands = thousands.map_or(String::new(), |c| format!(" and thousands {c:?}"));
                format!("the mapping says decimal {decimal:?}{thousands}")
            }
        };
        let found = separators.map(|c| format!("{c:?}")).collect::<Vec<_>>().join(", ");
        Number::Odd(format!("{text:?} has {found} between its digits, and {stated}"))
    }
}

/// The digits of `1.234.567`; nothing where the groups are not of three.
fn grouped(text: &str, separator: char) -> Option<String> {
    let alike = |c: char| c == separator || (separator == ' ' && matches!(c, '\u{a0}' | '\u{202f}'));
    let mut groups = text.split(alike);
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    let mut count = 0;
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        digits.push_str(group);
        count += 1;
    }
    (count > 0 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a number is read as the mapping says or refused, and never becomes another one.
    #[test]
    fn as_the_mapping_says() {
        let of = |decimal: Option<char>, thousands: Option<char>, text: &str| {
            let read = Numbers { decimal, thousands }.read(text);
            match read {
                Number::Plain(number) => number,
                Number::Not => "not".to_owned(),
                Number::Odd(_) => "odd".to_owned(),
            }
        };
        for (decimal, thousands, text, said) in [
            (None, None, "7.5", "7.5"),
            (None, None, "7,5", "odd"),
            (None, None, "1,125", "odd"),
            (None, None, "-15", "-15"),
            (Some(','), None, "7,5", "7.5"),
            (Some(','), None, "7.5", "7.5"),
            (Some(','), None, "60", "60"),
            (Some(','), None, "1.125", "odd"),
            (Some(','), None, "1.125,5", "odd"),
            (Some(','), Some('.'), "1.125,5", "1125.5"),
            (Some(','), Some('.'), "1.125", "1125"),
            (Some(','), Some('.'), "7.5", "7.5"),
            (Some(','), Some(' '), "1\u{202f}125,5", "1125.5"),
            (Some('.'), Some(','), "1,125.50", "1125.50"),
            (Some('.'), Some(','), "7,5", "odd"),
            (Some('.'), Some('\''), "1'125", "1125"),
            (None, None, "A+", "not"),
            (None, None, "30L", "not"),
            (None, None, ",5", "not"),
            (None, None, "", "not"),
        ] {
            assert_eq!(of(decimal, thousands, text), said, "{text:?} with {decimal:?} and {thousands:?}");
        }
    }
}

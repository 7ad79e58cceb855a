//! Terms as a column writes them: their patterns, and the suffixes whose months only a person knows.

use std::collections::BTreeSet;

use creditbank_protocol::dates::{first_day, last_day};

use crate::import::mapping::Period;

/// Between several patterns in one answer.
const OR: &str = " | ";
/// Patterns that are guessed of one column.
const PATTERNS_MAX: usize = 3;

/// The patterns that the values of a column are written in; nothing where some cannot be told.
pub(super) fn guess(values: &[String]) -> Option<String> {
    let mut found: Vec<String> = Vec::new();
    for value in values {
        let pattern = term_pattern(value)?;
        if !found.contains(&pattern) {
            found.push(pattern);
        }
    }
    (!found.is_empty() && found.len() <= PATTERNS_MAX).then(|| found.join(OR))
}

/// The patterns of an answer.
pub(super) fn patterns(answer: &str) -> Vec<&str> {
    answer.split('|').map(str::trim).filter(|pattern| !pattern.is_empty()).collect()
}

/// The suffixes of a column's values; the first value that fits no pattern, where there is one.
pub(super) fn suffixes(answer: &str, values: &[String]) -> Result<BTreeSet<String>, String> {
    let patterns = Period::patterns(&patterns(answer)).map_err(|error| error.to_string())?;
    let mut found = BTreeSet::new();
    for value in values {
        let suffix = patterns.iter().find_map(|pattern| pattern.suffix(value));
        found.insert(suffix.ok_or_else(|| format!("{value:?} is not written so"))?.to_owned());
    }
    Ok(found)
}

/// First and last month or day of a suffix, from an answer such as `{year}-10 {next_year}-02`.
pub(super) fn months(answer: &str) -> Option<(&str, &str)> {
    let (from, until) = answer.trim().split_once(char::is_whitespace)?;
    let (from, until) = (from.trim(), until.trim());
    let day = |text: &str| {
        let text = text.replace("{year}", "2000").replace("{next_year}", "2001");
        creditbank_rules::dates::parse(&text)
    };
    let is_in_order = first_day(&day(from)?) <= last_day(&day(until)?);
    (is_in_order && from.contains('{') && until.contains('{')).then_some((from, until))
}

/// How a term such as `2024A` or `2023-2024-1` is written; nothing where that cannot be seen.
fn term_pattern(value: &str) -> Option<String> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let year = digits(value);
    let rest = value.get(year..)?;
    if year == 4 {
        let next = value[..4].parse::<u32>().ok()?.saturating_add(1).to_string();
        let long = ["-", "/"].iter().find_map(|between| {
            let rest = rest.strip_prefix(between)?.strip_prefix(next.as_str())?;
            Some((between, rest.get(..1).unwrap_or_default(), rest.len() > 1))
        });
        return Some(match long {
            Some((between, sign, true)) if sign.chars().all(|c| !c.is_alphanumeric()) => {
                format!("{{yyyy}}{between}{{yyyy+1}}{sign}{{suffix}}")
            }
            Some((between, _, true)) => format!("{{yyyy}}{between}{{yyyy+1}}{{suffix}}"),
            Some((between, _, false)) => format!("{{yyyy}}{between}{{yyyy+1}}"),
            None if rest.is_empty() => "{yyyy}".to_owned(),
            None if rest.starts_with(['-', '/', ' ', '.']) => format!("{{yyyy}}{}{{suffix}}", &rest[..1]),
            None => "{yyyy}{suffix}".to_owned(),
        });
    }
    if year == 2 && !rest.is_empty() {
        return Some("{yy}{suffix}".to_owned());
    }
    let (words, year) = value.split_once(' ')?;
    let is_word = words.chars().all(char::is_alphabetic);
    (is_word && year.len() == 4 && digits(year) == 4).then(|| "{suffix} {yyyy}".to_owned()).or_else(|| {
        let (first, second) = year.split_once('/')?;
        (is_word && digits(first) == 4 && first.len() == 4 && second.len() == 2)
            .then(|| "{suffix} {yyyy}/{yy+1}".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the ways in which universities write terms are recognised.
    #[test]
    fn terms_as_they_are_written() {
        for (value, pattern) in [
            ("2024A", Some("{yyyy}{suffix}")),
            ("2024-1", Some("{yyyy}-{suffix}")),
            ("2023-2024-1", Some("{yyyy}-{yyyy+1}-{suffix}")),
            ("2023/2024", Some("{yyyy}/{yyyy+1}")),
            ("24W", Some("{yy}{suffix}")),
            ("WS 2024/25", Some("{suffix} {yyyy}/{yy+1}")),
            ("Fall 2024", Some("{suffix} {yyyy}")),
            ("2024 Fall", Some("{yyyy} {suffix}")),
            ("autumn", None),
        ] {
            assert_eq!(term_pattern(value).as_deref(), pattern, "{value}");
        }
    }
}

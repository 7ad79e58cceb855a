//! `[period]`: from a column such as `2024A`, `2023-2024-1` or `WS 2024/25` to first and last day.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

use super::MappingError;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    column: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    pattern: Option<Patterns>,
    century: Option<u32>,
    #[serde(default)]
    suffixes: BTreeMap<String, Span>,
    #[serde(default)]
    values: BTreeMap<String, Span>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected a pattern in quotes, or a list of patterns")]
enum Patterns {
    One(String),
    Several(Vec<String>),
}

/// First and last month or day, with `{year}` and `{next_year}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::import) struct Span {
    from: String,
    until: String,
}

/// How a column names a period.
#[derive(Debug, Clone)]
pub(in crate::import) struct Period {
    /// Columns whose values, with a space between them, name the period.
    pub(in crate::import) columns: Vec<String>,
    patterns: Vec<Pattern>,
    /// The first two digits of years that are written with two.
    century: u32,
    suffixes: BTreeMap<String, Span>,
    values: BTreeMap<String, Span>,
}

/// How years and suffixes stand in a value.
#[derive(Debug, Clone)]
pub(in crate::import) struct Pattern {
    text: String,
    regex: Regex,
    /// Named places: `y4`, `y2`, `next4`, `next2`, `suffix`.
    short: bool,
}

impl Period {
    /// Patterns as they stand in a mapping.
    pub(in crate::import) fn patterns(texts: &[&str]) -> Result<Vec<Pattern>, MappingError> {
        texts.iter().map(|text| Pattern::parse(text)).collect()
    }

    pub(super) fn of(text: Text) -> Result<Self, MappingError> {
        let Text { column, columns, pattern, century, suffixes, values } = text;
        let columns = match column {
            Some(column) if columns.is_empty() => vec![column],
            None if !columns.is_empty() => columns,
            _ => {
                let expected = "column, or columns whose values stand with a space between them";
                return Err(wrong("column", expected, "both or neither".to_owned()));
            }
        };
        let patterns = match pattern {
            None => vec!["{yyyy}{suffix}".to_owned()],
            Some(Patterns::One(one)) => vec![one],
            Some(Patterns::Several(several)) => several,
        };
        let patterns = patterns.iter().map(|text| Pattern::parse(text)).collect::<Result<Vec<_>, _>>()?;
        if let Some(short) = patterns.iter().find(|pattern| pattern.short && century.is_none()) {
            let expected = "the first two digits of years that have two in the file, as 20";
            return Err(wrong("century", expected, format!("nothing, with the pattern {}", short.text)));
        }
        if let Some(found) = century.filter(|found| !(19..=21).contains(found)) {
            return Err(wrong("century", "19, 20 or 21", found.to_string()));
        }
        if suffixes.is_empty() && values.is_empty() {
            let expected = "a table [period.suffixes] or [period.values]";
            return Err(wrong("suffixes", expected, "none".to_owned()));
        }
        for (table, spans) in [("suffixes", &suffixes), ("values", &values)] {
            for (name, span) in spans {
                for text in [&span.from, &span.until] {
                    if table == "values" && text.contains('{') {
                        let expected = "a month or day such as 2024-09: a whole value names its own year";
                        return Err(wrong(&format!("{table}.{name}"), expected, text.clone()));
                    }
                    let year = text.replace("{year}", "2000").replace("{next_year}", "2001");
                    if creditbank_rules::dates::parse(&year).is_none() {
                        let expected = "a month or day such as {year}-02 or {next_year}-06-30";
                        return Err(wrong(&format!("{table}.{name}"), expected, text.clone()));
                    }
                }
            }
        }
        Ok(Self { columns, patterns, century: century.unwrap_or(20), suffixes, values })
    }

    /// First and last day of a value, or why it names no period.
    pub(in crate::import) fn read(&self, value: &str) -> Result<(String, String), String> {
        if let Some(span) = self.values.get(value) {
            return Ok((span.from.clone(), span.until.clone()));
        }
        let found = self.patterns.iter().find_map(|pattern| pattern.read(value, self.century));
        let (Some((year, suffix)), false) = (found, self.suffixes.is_empty()) else {
            let forms: Vec<&str> = self.patterns.iter().map(|pattern| pattern.text.as_str()).collect();
            let forms = if self.suffixes.is_empty() { "[period.values]".to_owned() } else { forms.join(" or ") };
            return Err(format!("{value:?} is no period of the mapping: expected {forms}"));
        };
        let span = self.suffixes.get(suffix).ok_or_else(|| {
            let known: Vec<&str> = self.suffixes.keys().map(String::as_str).collect();
            format!("{value:?} has the suffix {suffix:?}; the mapping knows {}", known.join(", "))
        })?;
        let date =
            |text: &str| text.replace("{year}", &year.to_string()).replace("{next_year}", &(year + 1).to_string());
        Ok((date(&span.from), date(&span.until)))
    }
}

fn wrong(key: &str, expected: &'static str, found: String) -> MappingError {
    MappingError::Value { key: format!("period.{key}"), expected, found }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, MappingError> {
        const PLACES: [(&str, &str); 6] = [
            ("{yyyy}", "(?P<y4>[0-9]{4})"),
            ("{yy}", "(?P<y2>[0-9]{2})"),
            ("{yyyy+1}", "(?P<next4>[0-9]{4})"),
            ("{yy+1}", "(?P<next2>[0-9]{2})"),
            ("{suffix}", "(?P<suffix>.+)"),
            ("{*}", ".*"),
        ];
        let expected = "a year {yyyy} or {yy} and, each once at most, {yyyy+1}, {yy+1}, {suffix}";
        let refuse = || wrong("pattern", expected, text.to_owned());
        let mut regex = "^".to_owned();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some((place, part)) = PLACES.iter().find(|(place, _)| rest.starts_with(place)) {
                regex.push_str(part);
                rest = &rest[place.len()..];
            } else {
                let len = rest.chars().next().map_or(1, char::len_utf8);
                if rest.starts_with(['{', '}']) {
                    return Err(refuse());
                }
                regex.push_str(&regex::escape(&rest[..len]));
                rest = &rest[len..];
            }
        }
        regex.push('$');
        let regex = Regex::new(&regex).map_err(|_| refuse())?;
        let has = |name: &str| regex.capture_names().flatten().any(|own| own == name);
        if has("y4") == has("y2") {
            return Err(refuse());
        }
        Ok(Self { text: text.to_owned(), short: has("y2"), regex })
    }

    /// The suffix of a value; nothing where the value is written in another way.
    pub(in crate::import) fn suffix<'v>(&self, value: &'v str) -> Option<&'v str> {
        self.read(value, 20).map(|(_, suffix)| suffix)
    }

    /// Year and suffix; nothing where the value does not fit, or its second year is not the next one.
    fn read<'v>(&self, value: &'v str, century: u32) -> Option<(u32, &'v str)> {
        let found = self.regex.captures(value)?;
        let number = |name: &str| found.name(name).and_then(|part| part.as_str().parse::<u32>().ok());
        let year = number("y4").or_else(|| number("y2").map(|short| century * 100 + short))?;
        let follows = number("next4").is_none_or(|next| next == year + 1)
            && number("next2").is_none_or(|next| next == (year + 1) % 100);
        follows.then(|| (year, found.name("suffix").map_or("", |part| part.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &str, value: &str) -> Result<(String, String), String> {
        let text: Text = toml::from_str(table).expect("a table");
        Period::of(text).expect("a period").read(value)
    }

    /// Goal: the ways in which universities write terms, and none of them by accident.
    #[test]
    fn terms() {
        let half = "column = \"t\"\nsuffixes.A = { from = \"{year}-09\", until = \"{next_year}-01\" }\n";
        let with = |pattern: &str, suffix: &str| {
            format!(
                "column = \"t\"\n{pattern}\nsuffixes.\"{suffix}\" = {{ from = \"{{year}}-09\", until = \"{{next_year}}-01\" }}"
            )
        };
        let autumn = Ok(("2024-09".to_owned(), "2025-01".to_owned()));
        for (table, value) in [
            (half.to_owned(), "2024A"),
            (with("pattern = \"{yy}{suffix}\"\ncentury = 20", "W"), "24W"),
            (with("pattern = \"{yyyy}-{yyyy+1}-{suffix}\"", "1"), "2024-2025-1"),
            (with("pattern = \"{suffix} {yyyy}/{yy+1}\"", "WS"), "WS 2024/25"),
            (with("pattern = \"{yyyy}/{yy+1}\"", ""), "2024/25"),
            (with("pattern = [\"{suffix} {yyyy}/{yy+1}\", \"{suffix} {yyyy}\"]", "SS"), "SS 2024"),
            (with("pattern = \"{yyyy} {suffix}\"", "Fall"), "2024 Fall"),
            ("column = \"t\"\nvalues.\"Autumn\" = { from = \"2024-09\", until = \"2025-01\" }".to_owned(), "Autumn"),
        ] {
            assert_eq!(read(&table, value), autumn, "{value}");
        }
        for (table, value) in [
            (half.to_owned(), "2024B"),
            (half.to_owned(), "24A"),
            (half.to_owned(), ""),
            (with("pattern = \"{yyyy}-{yyyy+1}-{suffix}\"", "1"), "2024-2026-1"),
            (with("pattern = \"{suffix} {yyyy}/{yy+1}\"", "WS"), "WS 2024/26"),
        ] {
            assert!(read(&table, value).is_err(), "{value}");
        }
        for odd in
            ["pattern = \"{suffix}\"", "pattern = \"{yyyy}{yy}\"", "pattern = \"{year}\"", "pattern = \"{yy}{suffix}\""]
        {
            let text: Text = toml::from_str(&with(odd, "A")).expect("a table");
            assert!(Period::of(text).is_err(), "{odd}");
        }
    }
}

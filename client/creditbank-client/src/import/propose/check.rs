//! What is wrong with an answer, said when it is given.

use std::collections::HashMap;

use creditbank_protocol::dates::{first_day, last_day};
use creditbank_rules::decimal::parse_e4;

use super::columns::folded;
use super::{Look, terms};
use crate::import::values::dates::DateForm;

impl Look {
    /// Why an answer cannot stand in the mapping; nothing where it can, as far as the file says.
    pub fn wrong(&self, key: &str, answer: &str, period: Option<&str>) -> Option<String> {
        let one_of = |known: &[&str]| (!known.contains(&answer)).then(|| format!("expected {}", known.join(" or ")));
        match key {
            "learner" | "grade" => self.no_column(answer),
            "course_code" | "title" => match answer.strip_prefix('=') {
                Some(constant) if constant.trim().is_empty() => Some("expected text behind =".to_owned()),
                Some(_) => None,
                None => {
                    self.no_column(answer).map(|why| format!("{why}; for the same text on every line write ={answer}"))
                }
            },
            "credits" if parse_e4(answer).is_ok() => None,
            "credits" => self.no_column(answer).map(|why| format!("{why}, nor a number such as 6 or 7.5")),
            "level"
                if answer
                    .split_once(':')
                    .is_some_and(|(framework, level)| !framework.is_empty() && !level.is_empty()) =>
            {
                None
            }
            "level" => self.no_column(answer).map(|why| format!("{why}, nor a level such as EQF:6")),
            "title_language" => wrong_language(answer),
            "unit" | "scale" | "framework" => {
                let is_code = !answer.is_empty() && !answer.contains(char::is_whitespace);
                (!is_code).then(|| "expected a code of the registry".to_owned())
            }
            "results" => one_of(&["credit", "scale"]),
            "blank" => one_of(&["ungraded", "refuse"]),
            "decimal" => one_of(&[",", "."]),
            "learner_type" => one_of(&["student_number", "national", "passport", "network"]),
            "date" => {
                DateForm::parse(answer).is_none().then(|| "expected a form such as DD.MM.YYYY or MM/DD/YYYY".to_owned())
            }
            "period" => self.wrong_period(answer),
            "reference" => self.wrong_reference(answer),
            "period_pattern" => {
                terms::suffixes(answer, period.and_then(|name| self.column(name)).map_or(&[], |column| &column.values))
                    .err()
            }
            key if key.starts_with("months.") => terms::months(answer).is_none().then(|| {
                "expected first and last month with {year} or {next_year}, as {year}-10 {next_year}-02".to_owned()
            }),
            _ => None,
        }
    }

    fn no_column(&self, name: &str) -> Option<String> {
        if self.is_twice(name) {
            return Some(format!("the file has the column {name:?} twice: rename one of them"));
        }
        if self.column(name).is_some() {
            return None;
        }
        let near = self.columns.iter().find(|column| folded(&column.name) == folded(name));
        let near = near.map_or(String::new(), |near| format!(" (do you mean {:?}?)", near.name));
        Some(format!("{name:?} is no column of the file{near}"))
    }

    fn wrong_period(&self, answer: &str) -> Option<String> {
        if self.column(answer).is_some() {
            return self.no_column(answer);
        }
        if let Some((from, until)) = self.two_columns(answer) {
            return self.no_column(from).or_else(|| self.no_column(until));
        }
        let days = answer.split_once(' ').and_then(|(from, until)| {
            let day = creditbank_rules::dates::parse;
            Some((first_day(&day(from.trim())?), last_day(&day(until.trim())?)))
        });
        match days {
            Some((first, last)) if first <= last => None,
            Some(_) => Some("the last month is before the first".to_owned()),
            None => self.no_column(answer).map(|why| {
                format!("{why}, nor first and last month such as 2024-09 2025-01, nor two columns of days with a comma between them")
            }),
        }
    }

    /// The columns of first and last day.
    pub(super) fn two_columns<'t>(&self, answer: &'t str) -> Option<(&'t str, &'t str)> {
        let (from, until) = answer.split_once(',')?;
        let (from, until) = (from.trim(), until.trim());
        (self.column(from).is_some() && self.column(until).is_some()).then_some((from, until))
    }

    /// Columns that do not name one line each.
    fn wrong_reference(&self, answer: &str) -> Option<String> {
        let names: Vec<&str> = answer.split(',').map(str::trim).collect();
        let columns: Vec<&&str> = names.iter().filter(|name| !name.starts_with('=')).collect();
        if let Some(why) = columns.iter().find_map(|name| self.no_column(name)) {
            return Some(why);
        }
        let places: Vec<usize> =
            columns.iter().filter_map(|name| self.columns.iter().position(|column| column.name == **name)).collect();
        let mut seen: HashMap<Vec<&str>, u64> = HashMap::new();
        self.rows.iter().find_map(|(line, row)| {
            let own: Vec<&str> = places.iter().map(|at| row.get(*at).map_or("", String::as_str)).collect();
            let first = seen.insert(own, *line)?;
            Some(format!("lines {first} and {line} are the same in these columns: name those that tell them apart"))
        })
    }
}

/// BCP 47: a language of two or three letters, and what stands behind it.
fn wrong_language(answer: &str) -> Option<String> {
    let mut parts = answer.split('-');
    let is_language = parts
        .next()
        .is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    let is_rest =
        parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (!(is_language && is_rest)).then(|| "expected a language as in BCP 47, such as en, el or zh-Hans".to_owned())
}

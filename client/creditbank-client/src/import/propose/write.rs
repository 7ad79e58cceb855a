//! From answers to the text of a mapping.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Look, Question};

/// A mapping, and what is still to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// TOML.
    pub text: String,
    /// What the file suggested and nobody has confirmed.
    pub guessed: Vec<(&'static str, String)>,
}

/// The mapping by the answers, with the guesses where there is none; or the questions without which there is no mapping.
pub fn write(look: &Look, answers: &BTreeMap<String, String>) -> Result<Draft, Vec<Question>> {
    let questions = look.questions(answers);
    let open: Vec<Question> =
        questions.iter().filter(|question| question.needed && question.guess.is_none()).cloned().collect();
    if !open.is_empty() {
        return Err(open);
    }
    let guessed: Vec<(&'static str, String)> =
        questions.into_iter().filter_map(|question| Some((question.key, question.guess?))).collect();
    let mut all = answers.clone();
    all.extend(guessed.iter().map(|(key, guess)| ((*key).to_owned(), guess.clone())));
    let get = |key: &str| all.get(key).map(String::as_str).unwrap_or_default();
    let is_guess = |key: &str| guessed.iter().any(|(own, _)| *own == key);
    let mut text = String::new();
    let mut line = |key: &str, what: std::fmt::Arguments<'_>| {
        let note = if is_guess(key) { "   # guessed from the file: look at it" } else { "" };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{what}{note}");
    };
    let source = |key: &str| {
        let value = get(key);
        let more = if key == "grade" && get("blank") == "ungraded" { ", blank = \"ungraded\"" } else { "" };
        // A unit may be called as its column is.
        let may_be_column = ["course_code", "title", "credits", "grade"].contains(&key);
        match look.column(value).filter(|_| may_be_column) {
            Some(_) => format!("{{ column = {}{more} }}", quoted(value)),
            None => quoted(value),
        }
    };
    line("", format_args!("# Made by `creditbank mapping new`. Try it without writing anything:"));
    line("", format_args!("#   creditbank issue FILE --mapping THIS --dry-run ..."));
    line("", format_args!("# What each key means: creditbank mapping show template\n"));
    let columns: Vec<String> = get("reference").split(',').map(|name| quoted(name.trim())).collect();
    line("", format_args!("# No two lines share these columns."));
    line("reference", format_args!("reference = [{}]\n", columns.join(", ")));
    line("", format_args!("[file]"));
    line("", format_args!("delimiter = {}", quoted(&look.delimiter.to_string())));
    for key in ["decimal", "date", "encoding", "sheet"] {
        let is_usual = key == "decimal" && get(key) == ".";
        if !get(key).is_empty() && !is_usual {
            line(key, format_args!("{key} = {}", quoted(get(key))));
        }
    }
    line("", format_args!("\n[learner]"));
    line("learner_type", format_args!("type = {}", quoted(get("learner_type"))));
    if !get("learner_scope").is_empty() {
        line("learner_scope", format_args!("scope = {}", quoted(get("learner_scope"))));
    }
    line("learner", format_args!("column = {}", quoted(get("learner"))));
    line("", format_args!("\n[fields]"));
    for key in ["course_code", "title", "title_language", "credits", "unit", "grade", "scale"] {
        line(key, format_args!("{key} = {}", source(key)));
    }
    if let Some(attempt) = super::columns::guess(look, "attempt") {
        line("", format_args!("attempt = {{ column = {} }}   # guessed from the file: look at it", quoted(&attempt)));
    }
    if get("results") == "credit" {
        line("results", format_args!("kind = \"credit\""));
    }
    let period = get("period");
    if look.column(period).is_none() {
        let (from, until) = period.split_once(' ').unwrap_or((period, period));
        line("period", format_args!("period_from = {}", quoted(from)));
        line("period", format_args!("period_until = {}", quoted(until)));
    }
    if get("results") == "scale" {
        line("", format_args!("\n# What passes in the scale is a Credit, another grade a failed Result."));
        line("results", format_args!("[results]\nby = \"scale\""));
        line(
            "",
            format_args!(
                "\n# Words that are no grades: failed, withdrawn, absent, incomplete, deferred, misconduct, ..."
            ),
        );
        line("", format_args!("[results.words]\n# ABS = {{ status = \"absent\" }}"));
    }
    if let Some(column) = look.column(period) {
        let pattern = get("period_pattern");
        line("", format_args!("\n[period]"));
        line("period", format_args!("column = {}", quoted(period)));
        line("period_pattern", format_args!("pattern = {}", quoted(pattern)));
        if pattern.contains("{yy}") {
            line("", format_args!("century = 20"));
        }
        line("", format_args!("\n# Which months each of them is: look at every line."));
        line("", format_args!("[period.suffixes]"));
        for suffix in suffixes(pattern, &column.values) {
            let (from, until) = months(&suffix);
            line("", format_args!("{} = {{ from = \"{from}\", until = \"{until}\" }}", quoted(&suffix)));
        }
    }
    Ok(Draft { text, guessed })
}

/// A basic string of TOML, which escapes as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What stands in the place of the suffix.
fn suffixes(pattern: &str, values: &[String]) -> BTreeSet<String> {
    let mut regex = regex::escape(pattern);
    for (place, part) in [
        ("{yyyy\\+1}", "[0-9]{4}"),
        ("{yy\\+1}", "[0-9]{2}"),
        ("{yyyy}", "[0-9]{4}"),
        ("{yy}", "[0-9]{2}"),
        ("{suffix}", "(.+)"),
    ] {
        let escaped = place.replace('{', "\\{").replace('}', "\\}");
        regex = regex.replace(&escaped, part);
    }
    let Ok(regex) = regex::Regex::new(&format!("^{regex}$")) else { return BTreeSet::new() };
    let suffix =
        |value: &String| Some(regex.captures(value)?.get(1).map_or(String::new(), |part| part.as_str().to_owned()));
    values.iter().filter_map(suffix).collect()
}

/// Months of a term that is called so in many places: a start, which the comment asks to look at.
fn months(suffix: &str) -> (&'static str, &'static str) {
    let small = suffix.to_lowercase();
    let spring = ["s", "ss", "sose", "spring", "p", "b", "2", "02", "sommer", "summer", "vt"];
    if suffix.is_empty() {
        ("{year}-09", "{next_year}-08")
    } else if spring.contains(&small.as_str()) {
        ("{year}-02", "{year}-07")
    } else {
        ("{year}-09", "{next_year}-01")
    }
}

//! From answers to the text of a mapping.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::questions::has_days;
use super::{Look, Question, terms};

/// A mapping, and what is still to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// TOML.
    pub text: String,
    /// What the file suggested and nobody has confirmed.
    pub guessed: Vec<(String, String)>,
}

/// The mapping by the answers, with the guesses where there is none; or the questions without which there is no mapping.
pub fn write(look: &Look, answers: &BTreeMap<String, String>) -> Result<Draft, Vec<Question>> {
    let mut all = answers.clone();
    let mut guessed: Vec<(String, String)> = Vec::new();
    // A guess may raise further questions: a column of terms asks for their months.
    loop {
        let guesses: Vec<(String, String)> =
            look.questions(&all).into_iter().filter_map(|question| Some((question.key, question.guess?))).collect();
        if guesses.is_empty() {
            break;
        }
        all.extend(guesses.iter().cloned());
        guessed.extend(guesses);
    }
    let open: Vec<Question> = look.questions(&all).into_iter().filter(|question| question.needed).collect();
    if !open.is_empty() {
        return Err(open);
    }
    let get = |key: &str| all.get(key).map(String::as_str).unwrap_or_default();
    let is_guess = |key: &str| guessed.iter().any(|(own, _)| own == key);
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
            None => quoted(value.strip_prefix('=').filter(|_| matches!(key, "course_code" | "title")).unwrap_or(value)),
        }
    };
    line("", format_args!("# Made by `creditbank mapping new`. Try it without writing anything:"));
    line("", format_args!("#   creditbank issue FILE --mapping THIS --institution NUMBER --key unit.key --dry-run"));
    line("", format_args!("# What each key means: creditbank mapping show template\n"));
    let columns: Vec<String> = get("reference").split(',').map(|name| quoted(name.trim())).collect();
    line("", format_args!("# No two lines share these columns."));
    line("reference", format_args!("reference = [{}]\n", columns.join(", ")));
    line("", format_args!("[file]"));
    if let Some(delimiter) = look.delimiter {
        line("", format_args!("delimiter = {}", quoted(&delimiter.to_string())));
    }
    if let Some(header) = look.header_line {
        line("", format_args!("header_line = {header}   # guessed from the file: look at it"));
    }
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
    match get("level").split_once(':').filter(|_| look.column(get("level")).is_none()) {
        Some((framework, level)) => {
            line("level", format_args!("framework = {}\nlevel = {}", quoted(framework), quoted(level)));
        }
        None if !get("level").is_empty() => {
            line("framework", format_args!("framework = {}", quoted(get("framework"))));
            line("level", format_args!("level = {{ column = {} }}", quoted(get("level"))));
        }
        None => {}
    }
    if let Some(attempt) = super::columns::guess(look, "attempt") {
        line("", format_args!("attempt = {{ column = {} }}   # guessed from the file: look at it", quoted(&attempt)));
    }
    if get("results") == "credit" {
        line("results", format_args!("kind = \"credit\""));
    }
    let period = get("period");
    let days = look.two_columns(period).or_else(|| {
        let column = look.column(period)?;
        has_days(column).then_some((period, period))
    });
    let named = look.column(period).filter(|_| days.is_none());
    if let Some((from, until)) = days {
        line("period", format_args!("period_from = {{ column = {} }}", quoted(from)));
        line("period", format_args!("period_until = {{ column = {} }}", quoted(until)));
    } else if named.is_none() {
        let (from, until) = period.split_once(' ').unwrap_or((period, period));
        line("period", format_args!("period_from = {}", quoted(from)));
        line("period", format_args!("period_until = {}", quoted(until.trim())));
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
    if let Some(column) = named {
        let answer = get("period_pattern");
        let patterns: Vec<String> = terms::patterns(answer).into_iter().map(quoted).collect();
        line("", format_args!("\n[period]"));
        line("period", format_args!("column = {}", quoted(period)));
        line("period_pattern", format_args!("pattern = [{}]", patterns.join(", ")));
        if answer.contains("{yy}") {
            line("", format_args!("century = 20"));
        }
        line("", format_args!("\n[period.suffixes]"));
        for suffix in terms::suffixes(answer, &column.values).unwrap_or_default() {
            if let Some((from, until)) = terms::months(get(&format!("months.{suffix}"))) {
                line("", format_args!("{} = {{ from = \"{from}\", until = \"{until}\" }}", quoted(&suffix)));
            }
        }
    }
    Ok(Draft { text, guessed })
}

/// A basic string of TOML, which escapes as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

//! From answers to the text of a mapping.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::questions::has_days;
use super::{Look, Question, terms};

/// Behind what nobody has confirmed.
const GUESSED: &str = "   # guessed from the file: look at it";

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
    let mut toml = Toml { look, all, guessed, text: String::new() };
    toml.head();
    toml.file();
    toml.fields();
    toml.results();
    toml.terms();
    Ok(Draft { text: toml.text, guessed: toml.guessed })
}

/// The text of a mapping while it is written.
struct Toml<'a> {
    look: &'a Look,
    all: BTreeMap<String, String>,
    guessed: Vec<(String, String)>,
    text: String,
}

impl Toml<'_> {
    fn get(&self, key: &str) -> &str {
        self.all.get(key).map(String::as_str).unwrap_or_default()
    }

    fn note(&mut self, what: &str) {
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "{what}");
    }

    /// A line by the answer to `key`, marked where nobody has confirmed it.
    fn line(&mut self, key: &str, what: &str) {
        let is_guess = self.guessed.iter().any(|(own, _)| own == key);
        self.note(&format!("{what}{}", if is_guess { GUESSED } else { "" }));
    }

    fn head(&mut self) {
        self.note("# Made by `creditbank mapping new`. Try it without writing anything:");
        self.note("#   creditbank issue FILE --mapping THIS --institution NUMBER --key unit.key --dry-run");
        self.note("# What each key means: creditbank mapping show template\n");
        let columns: Vec<String> = self.get("reference").split(',').map(|name| quoted(name.trim())).collect();
        self.note("# No two lines share these columns.");
        self.line("reference", &format!("reference = [{}]\n", columns.join(", ")));
    }

    fn file(&mut self) {
        self.note("[file]");
        if let Some(delimiter) = self.look.delimiter {
            self.note(&format!("delimiter = {}", quoted(&delimiter.to_string())));
        }
        if let Some(header) = self.look.header_line {
            self.note(&format!("header_line = {header}{GUESSED}"));
        }
        for key in ["decimal", "date", "encoding", "sheet"] {
            let value = self.get(key);
            if !value.is_empty() && (key, value) != ("decimal", ".") {
                self.line(key, &format!("{key} = {}", quoted(value)));
            }
        }
        self.note("\n[learner]");
        self.line("learner_type", &format!("type = {}", quoted(self.get("learner_type"))));
        if !self.get("learner_scope").is_empty() {
            self.line("learner_scope", &format!("scope = {}", quoted(self.get("learner_scope"))));
        }
        self.line("learner", &format!("column = {}", quoted(self.get("learner"))));
    }

    /// Where a field comes from: a column, or the same text for every line.
    fn source(&self, key: &str) -> String {
        let value = self.get(key);
        let more = if key == "grade" && self.get("blank") == "ungraded" { ", blank = \"ungraded\"" } else { "" };
        // A unit may be called as its column is.
        let may_be_column = ["course_code", "title", "credits", "grade"].contains(&key);
        match self.look.column(value).filter(|_| may_be_column) {
            Some(_) => format!("{{ column = {}{more} }}", quoted(value)),
            None => quoted(value.strip_prefix('=').filter(|_| matches!(key, "course_code" | "title")).unwrap_or(value)),
        }
    }

    fn fields(&mut self) {
        self.note("\n[fields]");
        for key in ["course_code", "title", "title_language", "credits", "unit", "grade", "scale"] {
            self.line(key, &format!("{key} = {}", self.source(key)));
        }
        let level = self.get("level").to_owned();
        match level.split_once(':').filter(|_| self.look.column(&level).is_none()) {
            Some((framework, level)) => {
                self.note(&format!("framework = {}\nlevel = {}", quoted(framework), quoted(level)));
            }
            None if !level.is_empty() => {
                self.line("framework", &format!("framework = {}", quoted(self.get("framework"))));
                self.line("level", &format!("level = {{ column = {} }}", quoted(&level)));
            }
            None => {}
        }
        if let Some(attempt) = super::columns::guess(self.look, "attempt") {
            self.note(&format!("attempt = {{ column = {} }}{GUESSED}", quoted(&attempt)));
        }
        if self.get("results") == "credit" {
            self.line("results", "kind = \"credit\"");
        }
        let period = self.get("period").to_owned();
        if let Some((from, until)) = self.days() {
            self.line("period", &format!("period_from = {{ column = {} }}", quoted(&from)));
            self.line("period", &format!("period_until = {{ column = {} }}", quoted(&until)));
        } else if self.look.column(&period).is_none() {
            let (from, until) = period.split_once(' ').unwrap_or((&period, &period));
            self.line("period", &format!("period_from = {}", quoted(from)));
            self.line("period", &format!("period_until = {}", quoted(until.trim())));
        }
    }

    /// The columns of first and last day, where the file has days and no terms.
    fn days(&self) -> Option<(String, String)> {
        let period = self.get("period");
        let two = self.look.two_columns(period);
        let both = || self.look.column(period).filter(|column| has_days(column)).map(|_| (period, period));
        two.or_else(both).map(|(from, until)| (from.to_owned(), until.to_owned()))
    }

    fn results(&mut self) {
        if self.get("results") == "scale" {
            self.note("\n# What passes in the scale is a Credit, another grade a failed Result.");
            self.line("results", "[results]\nby = \"scale\"");
            self.note("\n# Words that are no grades: failed, withdrawn, absent, incomplete, deferred, misconduct, ...");
            self.note("[results.words]\n# ABS = { status = \"absent\" }");
        }
    }

    fn terms(&mut self) {
        let period = self.get("period").to_owned();
        let Some(column) = self.look.column(&period).filter(|_| self.days().is_none()) else { return };
        let answer = self.get("period_pattern").to_owned();
        let patterns: Vec<String> = terms::patterns(&answer).into_iter().map(quoted).collect();
        self.note("\n[period]");
        self.line("period", &format!("column = {}", quoted(&period)));
        self.line("period_pattern", &format!("pattern = [{}]", patterns.join(", ")));
        if answer.contains("{yy}") {
            self.note("century = 20");
        }
        self.note("\n[period.suffixes]");
        for suffix in terms::suffixes(&answer, &column.values).unwrap_or_default() {
            if let Some((from, until)) = terms::months(self.get(&format!("months.{suffix}"))) {
                let line = format!("{} = {{ from = \"{from}\", until = \"{until}\" }}", quoted(&suffix));
                self.note(&line);
            }
        }
    }
}

/// A basic string of TOML, which escapes as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

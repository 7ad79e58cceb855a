//! What a mapping says, with what the file suggests of it.

use std::collections::BTreeMap;

use super::{Column, Look, columns, terms};
use crate::import::values::dates::DateForm;

/// Something that a mapping says. Who makes one answers what cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// As in `--set KEY=VALUE`.
    pub key: String,
    /// In words.
    pub asks: String,
    /// What the file suggests; nothing where it suggests nothing.
    pub guess: Option<String>,
    /// Whether the mapping cannot do without.
    pub needed: bool,
}

fn question(key: impl Into<String>, asks: impl Into<String>, guess: Option<String>, needed: bool) -> Question {
    Question { key: key.into(), asks: asks.into(), guess, needed }
}

impl Look {
    /// What a mapping of this file says, with what the file suggests of it. Answers that were given are no questions.
    pub fn questions(&self, answers: &BTreeMap<String, String>) -> Vec<Question> {
        let answer = |key: &str| answers.get(key).cloned();
        let of = |key: &str| answer(key).or_else(|| columns::guess(self, key));
        let column = |key: &str, asks: &str| question(key, asks, columns::guess(self, key), true);
        let has_blanks = of("grade").and_then(|name| self.column(&name)).is_some_and(|column| column.blank > 0);
        let mut all = vec![
            column("learner", "which column names the student"),
            question(
                "learner_type",
                "what that is: student_number, national, passport or network",
                Some("student_number".to_owned()),
                false,
            ),
        ];
        if answer("learner_type").is_some_and(|kind| kind != "student_number") {
            all.push(question(
                "learner_scope",
                "the country, as FR, or the network, as esi or orcid, of that",
                None,
                true,
            ));
        }
        all.extend([
            column("course_code", "which column has the code of the course; or =CODE, the same on every line"),
            column("title", "which column has the title of the course; or =TITLE, the same on every line"),
            question("title_language", "the language of the titles, as en or zh", None, true),
            column("credits", "which column has the credits, or how many each result is worth, as 6"),
            question(
                "unit",
                "the credit unit, as ECTS, CATS or US-SEMESTER: creditbank registry list credit-unit",
                None,
                true,
            ),
            column("grade", "which column has the grade"),
            question("scale", "the grade scale, as FR-20, DE-5 or US-4: creditbank scale list", None, true),
            question(
                "results",
                "credit where every line is a pass; scale where the scale says which passes",
                None,
                true,
            ),
            question(
                "blank",
                "what a blank grade means: ungraded, or refuse",
                (!has_blanks).then(|| "refuse".to_owned()),
                has_blanks,
            ),
            question(
                "level",
                "which column has the level, or the level of all as EQF:6; your accreditation may ask for it",
                columns::guess(self, "level"),
                false,
            ),
        ]);
        if of("level").is_some_and(|level| self.column(&level).is_some()) {
            all.push(question("framework", "the framework of these levels, as EQF", None, true));
        }
        all.push(column(
            "period",
            "which column names the term, as 2024A, or the day; or two columns, of the first and the last day; or first and \
             last month of all, as 2024-09 2025-01",
        ));
        all.extend(self.of_period(answers, of("period")));
        let asks =
            "the columns that together name one result, with commas between them; or the one that numbers the results";
        all.push(question("reference", asks, None, true));
        let numbers =
            ["credits", "grade", "hours"].into_iter().filter_map(of).filter_map(|name| self.column(&name).cloned());
        let has_commas = numbers.into_iter().any(|column| column.values.iter().any(|value| is_decimal(value)));
        if has_commas || answer("decimal").is_some() {
            all.push(question(
                "decimal",
                "what stands between whole and fraction: , or .",
                Some(",".to_owned()),
                false,
            ));
        }
        if let Some((form, is_sure)) = self.columns.iter().find_map(date_form) {
            let guess = is_sure.then(|| form.to_owned());
            all.push(question("date", "how days are written, as DD.MM.YYYY or MM/DD/YYYY", guess, !is_sure));
        }
        all.retain(|question| !answers.contains_key(&question.key));
        all
    }

    /// How terms are written, and the months of each.
    fn of_period(&self, answers: &BTreeMap<String, String>, period: Option<String>) -> Vec<Question> {
        let Some(column) = period.and_then(|name| self.column(&name).cloned()).filter(|column| !has_days(column))
        else {
            return Vec::new();
        };
        let guess = terms::guess(&column.values);
        let asks = "how terms are written, as {yyyy}{suffix} or {yyyy}-{yyyy+1}-{suffix}; several with | between them";
        let mut all = vec![question("period_pattern", asks, guess.clone(), true)];
        let Some(pattern) = answers.get("period_pattern").cloned().or(guess) else { return all };
        for suffix in terms::suffixes(&pattern, &column.values).unwrap_or_default() {
            let name = if suffix.is_empty() { "a year".to_owned() } else { format!("the term {suffix:?}") };
            let asks = format!(
                "first and last month of {name}, as {{year}}-10 {{next_year}}-02; {{year}} is the one that is written"
            );
            all.push(question(format!("months.{suffix}"), asks, None, true));
        }
        all
    }
}

/// Whether a column holds days, and no names of terms.
pub(super) fn has_days(column: &Column) -> bool {
    let is_iso = |value: &String| creditbank_rules::dates::parse(value).is_some_and(|date| date.day > 0);
    !column.values.is_empty() && (column.values.iter().all(is_iso) || date_form(column).is_some())
}

/// `7,5`.
fn is_decimal(value: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    value.split_once(',').is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction))
}

/// How a column writes days, where it does; and whether no other form fits.
fn date_form(column: &Column) -> Option<(&'static str, bool)> {
    const FORMS: [&str; 7] =
        ["DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "YYYY/MM/DD", "YYYY.MM.DD", "YYYYMMDD"];
    if column.values.is_empty() || column.values.iter().all(|value| creditbank_rules::dates::parse(value).is_some()) {
        return None;
    }
    let fits = |form: &&&str| {
        DateForm::parse(form).is_some_and(|read| column.values.iter().all(|value| read.read(value).is_ok()))
    };
    let mut fitting = FORMS.iter().filter(fits);
    let first = fitting.next()?;
    Some((first, fitting.next().is_none()))
}

//! A first mapping for a file: what its header and first lines say, what only a person knows, and the mapping that follows.

mod columns;
mod write;

use std::collections::BTreeMap;

use super::file_options::File;
use super::table::{self, Row, Source};
use super::values::cells;
use super::{Encoding, ImportError};

pub use write::{Draft, write};

/// Rows that are looked at.
const ROWS_MAX: usize = 1_000;
/// Values of a column that are shown.
const SAMPLES_MAX: usize = 5;

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Rows in which it is blank.
    pub blank: usize,
    values: Vec<String>,
}

/// What a file looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Between the columns.
    pub delimiter: char,
    /// In their order.
    pub columns: Vec<Column>,
    /// Rows that were looked at.
    pub rows: usize,
}

/// Something that a mapping says. Who makes one answers what cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// As in `--set KEY=VALUE`.
    pub key: &'static str,
    /// In words.
    pub asks: &'static str,
    /// What the file suggests; nothing where it suggests nothing.
    pub guess: Option<String>,
    /// Whether the mapping cannot do without.
    pub needed: bool,
}

/// Reads the header and the first rows of a file.
pub fn look<R: Source>(
    encoding: Option<Encoding>,
    sheet: Option<String>,
    open: impl Fn() -> std::io::Result<R>,
) -> Result<Look, ImportError> {
    let mut best: Option<Look> = None;
    for delimiter in [',', ';', '\t', '|'] {
        let mut file = File::default();
        (file.encoding, file.sheet) = (encoding.unwrap_or_default(), sheet.clone());
        file.delimiter = u8::try_from(delimiter).ok();
        let input = open().map_err(|error| ImportError::Read { line: 1, error: error.to_string() })?;
        let found = read(&file, input)?;
        if best.as_ref().is_none_or(|best| found.columns.len() > best.columns.len()) {
            best = Some(found);
        }
    }
    best.ok_or(ImportError::Empty)
}

fn read<R: Source>(file: &File, input: R) -> Result<Look, ImportError> {
    let mut table = table::open(file, input)?;
    let mut row = Row::default();
    if !table.read(&mut row)? {
        return Err(ImportError::Empty);
    }
    let text = |value: &[u8]| {
        let text = String::from_utf8_lossy(value);
        cells::trimmed(cells::text(text.trim_start_matches('\u{feff}').trim_matches('"'))).to_owned()
    };
    let mut columns: Vec<Column> =
        row.values.iter().map(|name| Column { name: text(name), ..Column::default() }).collect();
    let mut rows = 0;
    while rows < ROWS_MAX {
        if !table.read(&mut row)? {
            break;
        }
        rows += 1;
        for (column, value) in columns.iter_mut().zip(row.values.iter()) {
            let value = text(value);
            if value.is_empty() {
                column.blank += 1;
                continue;
            }
            if column.samples.len() < SAMPLES_MAX && !column.samples.contains(&value) {
                column.samples.push(value.clone());
            }
            column.values.push(value);
        }
    }
    columns.retain(|column| !column.name.is_empty());
    Ok(Look { delimiter: file.delimiter.map_or(',', char::from), columns, rows })
}

impl Look {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// What a mapping of this file says, with what the file suggests of it. Answers that were given are no questions.
    pub fn questions(&self, answers: &BTreeMap<String, String>) -> Vec<Question> {
        let answer = |key: &str| answers.get(key).cloned();
        let of = |key: &str| answer(key).or_else(|| columns::guess(self, key));
        let grade = of("grade");
        let grades = grade.as_deref().and_then(|name| self.column(name));
        let numbers =
            ["credits", "grade", "hours"].into_iter().filter_map(of).filter_map(|name| self.column(&name).cloned());
        let has_commas = numbers.into_iter().any(|column| column.values.iter().any(|value| is_decimal(value, ',')));
        let dates = self.columns.iter().find_map(date_form);
        let has_blanks = grades.is_some_and(|column| column.blank > 0);
        let question = |key, asks, guess: Option<String>, needed| Question { key, asks, guess, needed };
        let column = |key, asks, needed| question(key, asks, columns::guess(self, key), needed);
        let mut all = vec![
            column("learner", "which column names the student", true),
            question(
                "learner_type",
                "what that is: student_number, national, passport or network",
                Some("student_number".to_owned()),
                false,
            ),
            question(
                "learner_scope",
                "of which country or network that is; nothing for a student number",
                None,
                answer("learner_type").is_some_and(|kind| kind != "student_number"),
            ),
            column("course_code", "which column has the code of the course, or the code itself", true),
            column("title", "which column has the title of the course, or the title itself", true),
            question("title_language", "the language of the titles, as en or zh", None, true),
            column("credits", "which column has the credits, or how many each result is worth, as 6", true),
            question(
                "unit",
                "the credit unit, as ECTS, CATS or US-SEMESTER: creditbank registry list credit-unit",
                None,
                true,
            ),
            column("grade", "which column has the grade", true),
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
            column(
                "period",
                "which column names the term, as 2024A; or first and last month, as 2024-09 2025-01",
                true,
            ),
            question("reference", "the columns that together name one result, with commas between them", None, true),
        ];
        if has_commas || answer("decimal").is_some() {
            all.push(question(
                "decimal",
                "what stands between whole and fraction: , or .",
                Some(",".to_owned()),
                false,
            ));
        }
        if let Some((form, is_sure)) = dates {
            let guess = is_sure.then(|| form.to_owned());
            all.push(question("date", "how days are written, as DD.MM.YYYY or MM/DD/YYYY", guess, !is_sure));
        }
        if let Some(period) = of("period").filter(|period| self.column(period).is_some()) {
            let values: &[String] = self.column(&period).map_or(&[], |column| &column.values);
            let guess = values.first().and_then(|value| columns::term_pattern(value));
            all.push(question(
                "period_pattern",
                "how terms are written, as {yyyy}{suffix} or {yyyy}-{yyyy+1}-{suffix}",
                guess,
                true,
            ));
        }
        all.retain(|question| !answers.contains_key(question.key));
        all
    }
}

/// `7,5` for a comma.
fn is_decimal(value: &str, between: char) -> bool {
    let parts = value.split_once(between);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|(whole, fraction)| is_digits(whole) && is_digits(fraction))
}

/// How a column writes days, where it does; and whether no other form fits.
fn date_form(column: &Column) -> Option<(&'static str, bool)> {
    use super::values::dates::DateForm;
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

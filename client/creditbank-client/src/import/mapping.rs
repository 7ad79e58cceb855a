//! Mapping files: which column is what, constant values, and tables.

mod field;
mod fields;
mod identity;
mod learner;
mod period;
mod results;
mod wrong;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use creditbank_protocol::pb::GradeScale;
use creditbank_rules::decimal::parse_e4;
use serde::Deserialize;

use super::encoding::Encoding;
use super::file_options::File;
use super::survey::Warning;
use super::values::dates::DateForm;
use super::values::numbers::Numbers;

pub(super) use field::{Blank, Field, Read};
pub(super) use fields::{FIELDS, is_day, is_number, is_words};
pub(super) use identity::{ASSURANCE, BIRTH_DATE, DOCUMENT, Identity};
pub(super) use learner::Learner;
pub(super) use period::Period;
pub(super) use results::Results;
pub use wrong::MappingError;
pub(super) use wrong::nearest;

/// Begins what a mapping that comes with the program cannot know.
const TO_DO: &str = "TODO";
/// Most grades of one result in further scales, as the protocol has it.
const FURTHER_MAX: usize = 8;

/// Constants by field name.
pub(super) type Constants = BTreeMap<String, String>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    file: File,
    learner: learner::Text,
    #[serde(default)]
    reference: Vec<String>,
    record_id: Option<String>,
    #[serde(default)]
    accept: Vec<String>,
    #[serde(default)]
    fields: BTreeMap<String, Field>,
    #[serde(default)]
    further: Vec<Field>,
    #[serde(default)]
    modules: BTreeMap<String, Constants>,
    results: Option<results::Text>,
    identity: Option<identity::Text>,
    period: Option<period::Text>,
}

/// What a mapping has no key for: it stays as it was signed.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    pub(super) fields: Vec<&'static str>,
    /// Further grades in other scales than these.
    pub(super) said_scales: Vec<String>,
    /// Names in other languages than these.
    pub(super) said_languages: Vec<String>,
}

/// A mapping that is well-formed.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(super) file: File,
    pub(super) numbers: Numbers,
    pub(super) dates: DateForm,
    pub(super) learner: Learner,
    /// Columns that together name a result: no two lines share them. One that begins with = is the text behind it, for what
    /// a file does not say of itself.
    pub(super) reference: Vec<String>,
    pub(super) fields: BTreeMap<String, Field>,
    /// What nothing in it says.
    pub(super) unsaid: Arc<Unsaid>,
    /// Grades in further scales.
    pub(super) further: Vec<Field>,
    pub(super) modules: BTreeMap<String, Constants>,
    pub(super) results: Option<Results>,
    pub(super) period: Option<Period>,
    /// Who the learner of a line is.
    pub(super) identity: Option<Identity>,
    /// Column that names the record that a line is about: of amendments.
    pub(super) place: Option<String>,
    /// Warnings that do not stop a run.
    accept: BTreeSet<Warning>,
    /// Grade scales of the registry, once they were read.
    scales: BTreeMap<String, GradeScale>,
}

impl Mapping {
    /// The same mapping for a file whose column `place` names the record that a line amends, as 34/718.
    #[must_use]
    pub fn with_place(mut self, column: &str) -> Self {
        self.place = Some(column.to_owned());
        self
    }

    /// Reads a mapping. Amounts are strings: TOML's own decimals are binary floating point and are refused.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let read: Text = toml::from_str(text).map_err(|error| wrong::of_toml(text, &error))?;
        let Text { file, learner, reference, record_id, accept, fields, further, modules, results, identity, period } =
            read;
        let has_records = !fields.is_empty() || !modules.is_empty() || results.is_some();
        let wrong = |key: &str, expected: &'static str, found: &str| {
            Err(MappingError::Value { key: key.to_owned(), expected, found: found.to_owned() })
        };
        let numbers = Numbers { decimal: file.decimal, thousands: file.thousands };
        if numbers.decimal.is_some_and(|decimal| !matches!(decimal, ',' | '.')) {
            return wrong("file.decimal", "\",\" or \".\"", &file.decimal.map(String::from).unwrap_or_default());
        }
        if numbers.thousands.is_some_and(|one| one == numbers.decimal.unwrap_or('.') || one.is_ascii_alphanumeric()) {
            let found = file.thousands.map(String::from).unwrap_or_default();
            return wrong(
                "file.thousands",
                "another character than decimal, which is \".\" where it is left out",
                &found,
            );
        }
        let expected = "a form such as DD.MM.YYYY; years of two digits with their century, as DD.MM.20YY";
        let dates = match file.date.as_deref().map(|form| DateForm::parse(form).ok_or(form)).transpose() {
            Ok(form) => form.unwrap_or_default(),
            Err(form) => return wrong("file.date", expected, form),
        };
        if let Some(rule) = file.skip_where.iter().find(|rule| !rule.says_something()) {
            return wrong("file.skip_where", "equals, starts_with, contains or blank", &rule.column);
        }
        let reference = match record_id {
            Some(column) if reference.is_empty() => vec![column],
            Some(column) => {
                return wrong("record_id", "either reference or record_id: one of them names a result", &column);
            }
            None => reference,
        };
        if reference.is_empty() && (has_records || identity.is_none()) {
            return wrong("reference", "the columns that together name one result, or record_id", "none");
        }
        let accept = accept.iter().map(|name| Warning::by_name(name).ok_or(name)).collect::<Result<_, _>>();
        let accept = match accept {
            Ok(accept) => accept,
            Err(name) => return wrong("accept", Warning::NAMES, name),
        };
        let results = results.map(Results::of).transpose()?;
        known_fields("fields", fields.keys())?;
        fields.iter().try_for_each(|(name, field)| field.check(name))?;
        further.iter().try_for_each(|field| field.check("further"))?;
        if further.len() > FURTHER_MAX {
            return wrong("further", "at most 8 grades in further scales", &further.len().to_string());
        }
        let identity = identity.map(Identity::of).transpose()?;
        for (code, constants) in &modules {
            known_fields(&format!("modules.{code}"), constants.keys())?;
        }
        for (place, constants) in results.iter().flat_map(Results::tables) {
            known_fields(&place, constants.keys())?;
        }
        if let Some((key, found)) = to_do(&fields, &modules, results.as_ref(), &reference) {
            return wrong(&key, "what your file is about", &found);
        }
        let (learner, period) = (Learner::of(learner)?, period.map(Period::of).transpose()?);
        let (place, scales) = (None, BTreeMap::new());
        let tables = modules.values().chain(results.iter().flat_map(Results::tables).map(|(_, table)| table));
        let said: BTreeSet<&String> = fields.keys().chain(tables.flat_map(Constants::keys)).collect();
        let is_said = |name: &&str| match *name {
            "period_from" | "period_until" => period.is_some() || said.iter().any(|own| own.as_str() == *name),
            name => said.iter().any(|own| own.as_str() == name),
        };
        let unsaid = Arc::new(Unsaid {
            fields: FIELDS.into_iter().filter(|name| !is_said(name)).collect(),
            said_scales: further.iter().flat_map(|field| field.scales.iter().cloned()).collect(),
            said_languages: identity
                .iter()
                .flat_map(|identity| &identity.names)
                .map(|name| name.language.clone())
                .collect(),
        });
        Ok(Self {
            file,
            numbers,
            dates,
            learner,
            reference,
            fields,
            unsaid,
            further,
            modules,
            results,
            period,
            identity,
            place,
            accept,
            scales,
        })
    }

    /// The same mapping for a file in this encoding, and of this sheet of a workbook, where they are given.
    #[must_use]
    pub fn for_file(mut self, encoding: Option<Encoding>, sheet: Option<String>) -> Self {
        self.file.encoding = encoding.unwrap_or(self.file.encoding);
        self.file.sheet = sheet.or(self.file.sheet);
        self
    }

    /// The same mapping for a run that these warnings do not stop.
    #[must_use]
    pub fn accepting(mut self, warnings: impl IntoIterator<Item = Warning>) -> Self {
        self.accept.extend(warnings);
        self
    }

    /// Whether a warning stops a run.
    pub(crate) fn stops_at(&self, warning: Warning) -> bool {
        warning.stops() && !self.accept.contains(&warning)
    }

    /// The same mapping with the registry's scales: what passes is theirs to say.
    #[must_use]
    pub fn with_scales(mut self, scales: impl IntoIterator<Item = GradeScale>) -> Self {
        self.scales.extend(scales.into_iter().map(|scale| (scale.code.clone(), scale)));
        self
    }

    /// The scales that it names; nothing where a column says which.
    pub(crate) fn named_scales(&self) -> Option<BTreeSet<&str>> {
        let field = self.fields.get("scale");
        if field.is_some_and(|field| field.value.is_none()) {
            return None;
        }
        let graded = self.fields.get("grade").into_iter().chain(&self.further);
        let of_columns = graded.flat_map(|grade| &grade.scales);
        let tables = self.modules.values().chain(self.results.iter().flat_map(Results::tables).map(|(_, table)| table));
        let of_tables = tables.filter_map(|table| table.get("scale"));
        let own = field.and_then(|field| field.value.as_ref());
        Some(
            own.into_iter()
                .chain(of_columns)
                .chain(of_tables)
                .map(String::as_str)
                .filter(|code| !code.is_empty())
                .collect(),
        )
    }

    /// Whether a grade passes; nothing where the registry's scales were not read or have no such grade.
    pub(super) fn passes(&self, scale: &str, grade: &str) -> Option<bool> {
        creditbank_rules::grade_passes(self.scales.get(scale)?, grade)
    }

    /// The grade that a scale lists and that is the same number, as 2.0 for 2; nothing where there are two.
    pub(super) fn listed_as(&self, scale: &str, number: &str) -> Option<&str> {
        let e4 = parse_e4(number).ok()?;
        let listed = self.scales.get(scale)?.listed.iter().map(|grade| grade.value.as_str());
        let mut same = listed.filter(|value| parse_e4(value).is_ok_and(|own| own == e4));
        same.next().filter(|_| same.next().is_none())
    }

    pub(super) fn knows_scale(&self, code: &str) -> bool {
        self.scales.contains_key(code)
    }

    /// Whether it makes records of courses or programmes, or Identities alone.
    pub(super) fn makes_records(&self) -> bool {
        self.identity.is_none() || !self.fields.is_empty() || !self.modules.is_empty() || self.results.is_some()
    }

    /// Whether every line is an Enrolment.
    pub(super) fn is_of_enrolments(&self) -> bool {
        self.fields.get("kind").is_some_and(|kind| kind.value.as_deref() == Some("enrolment"))
    }

    /// Whether it makes Identities.
    pub(crate) fn makes_identities(&self) -> bool {
        self.identity.is_some()
    }

    /// The column that a field's text comes from.
    pub(super) fn column_of(&self, field: &str) -> Option<&str> {
        if matches!(field, "status" | "kind") {
            return self.results.as_ref()?.column();
        }
        let (_, found) = self.all_fields().find(|(key, _)| key == field)?;
        found.columns.first().map(String::as_str)
    }

    /// The fields whose text may come from a column, by their keys.
    pub(super) fn fed_by(&self, column: &str) -> impl Iterator<Item = String> {
        let feeds = move |field: &&Field| field.columns.iter().any(|own| own == column);
        self.all_fields().filter(move |(_, field)| feeds(field)).map(|(key, _)| key)
    }

    /// Whether a column feeds nothing but grades of scales from 0 to 100.
    pub(super) fn takes_percent(&self, column: &str) -> bool {
        let is_grade = |key: &String| key == "grade" || key.starts_with("further.");
        let mut fed = self.fed_by(column).peekable();
        if fed.peek().is_none() || self.learner.column == column || !fed.all(|key| is_grade(&key)) {
            return false;
        }
        let graded = self.fields.get("grade").into_iter().chain(&self.further);
        let of_column = graded.filter(|field| field.columns.iter().any(|own| own == column));
        let own = self.fields.get("scale").and_then(|scale| scale.value.clone());
        let scales = of_column.filter_map(|field| {
            let at = field.columns.iter().position(|own| own == column).unwrap_or_default();
            field.scales.get(at).cloned().or_else(|| own.clone())
        });
        let is_percent = |code: &String| {
            self.scales
                .get(code)
                .and_then(|scale| scale.numeric.as_ref())
                .is_some_and(|range| (range.min_e4, range.max_e4) == (0, 1_000_000))
        };
        let all: Vec<String> = scales.collect();
        !all.is_empty() && all.iter().all(is_percent)
    }

    /// Every field, with its key.
    fn all_fields(&self) -> impl Iterator<Item = (String, &Field)> {
        let further = self.further.iter().map(|field| (further_key(field), field));
        let of_identity = self.identity.iter().flat_map(Identity::fields);
        self.fields.iter().map(|(name, field)| (name.clone(), field)).chain(further).chain(of_identity)
    }

    /// Every column that the mapping names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let of_fields = self.all_fields().flat_map(|(_, field)| &field.columns).map(String::as_str);
        of_fields
            .chain(self.reference.iter().map(String::as_str).filter(|column| !column.starts_with('=')))
            .chain([self.learner.column.as_str()])
            .chain(self.results.iter().filter_map(Results::column))
            .chain(self.period.iter().flat_map(|period| &period.columns).map(String::as_str))
            .chain(self.file.skip_where.iter().map(|rule| rule.column.as_str()))
            .chain(self.place.as_deref())
    }
}

/// The key of a grade in a further scale: as `further.ECTS-GRADE`.
pub(super) fn further_key(field: &Field) -> String {
    format!("further.{}", field.scales.first().map_or("", String::as_str))
}

/// What a mapping that comes with the program leaves to who uses it: its key and the text that stands there.
fn to_do(
    fields: &BTreeMap<String, Field>,
    modules: &BTreeMap<String, Constants>,
    results: Option<&Results>,
    reference: &[String],
) -> Option<(String, String)> {
    let of_fields = fields.iter().filter_map(|(name, field)| Some((format!("fields.{name}"), field.value.as_ref()?)));
    let tables = modules.iter().map(|(code, table)| (format!("modules.{code}"), table));
    let tables = tables.chain(results.into_iter().flat_map(Results::tables));
    let of_tables =
        tables.flat_map(|(place, table)| table.iter().map(move |(name, value)| (format!("{place}.{name}"), value)));
    let of_reference = reference.iter().map(|column| ("reference".to_owned(), column));
    let mut all = of_fields.chain(of_tables).chain(of_reference);
    let found = all.find(|(_, text)| text.trim_start_matches('=').starts_with(TO_DO));
    found.map(|(key, text)| (key, text.clone()))
}

fn known_fields<'a>(place: &str, keys: impl Iterator<Item = &'a String>) -> Result<(), MappingError> {
    for key in keys {
        if !FIELDS.contains(&key.as_str()) {
            let nearest = nearest(key, FIELDS.into_iter()).map(str::to_owned);
            return Err(MappingError::Field {
                place: place.to_owned(),
                key: key.clone(),
                nearest,
                known: FIELDS.join(", "),
            });
        }
    }
    Ok(())
}

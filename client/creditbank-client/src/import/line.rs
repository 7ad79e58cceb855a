//! A line of the file and what the mapping makes of it.

mod grade;
mod identity;

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_protocol::dates;
use creditbank_protocol::pb::{self, Kind};
use creditbank_rpc::v1::TypedIdentity;

use super::draft::{Body, DraftRecord};
use super::identity as who;
use super::mapping::{Blank, Constants, Field, Mapping, Read, is_day, is_number, is_words};
use super::rows::RefusedLine;
use super::survey::{Seen, Warning};
use super::texts::Texts;
use super::values::numbers::{Number, Numbers};
use super::values::{cells, mojibake, wording};

/// Longest period of a course that nobody wonders at, in days; of an Outcome, which may be years of experience.
const COURSE_DAYS_MAX: i64 = 3 * 366;
const OUTCOME_DAYS_MAX: i64 = 15 * 366;

/// A line with its values by column.
pub(super) struct Line<'a> {
    pub(super) number: u64,
    pub(super) values: &'a BTreeMap<&'a str, &'a str>,
    /// Columns whose cells are numbers of a workbook: they come with a point, whatever its texts have.
    pub(super) numbers: &'a [&'a str],
}

/// The texts of a line's fields while they come together.
#[derive(Default)]
struct Gathered<'a> {
    texts: BTreeMap<&'a str, String>,
    kept: Vec<String>,
    cleared: Vec<String>,
    seen: Vec<Seen>,
    /// The cell of the grade as it is in the file.
    grade_cell: String,
    grade_column: Option<&'a str>,
    /// It is blank, and the mapping does not say what that means.
    lacks_grade: bool,
    /// The grade is a word of the mapping's, not the file's number.
    grade_is_word: bool,
    /// The same result in further scales.
    further: Vec<pb::Grade>,
}

/// What a line makes: a record of a course or programme, an Identity of its learner, or both.
pub(super) struct Made {
    pub(super) record: Option<DraftRecord>,
    pub(super) identity: Option<DraftRecord>,
}

impl<'a> Line<'a> {
    fn refuse(&self, field: &str, reason: impl Into<String>) -> RefusedLine {
        RefusedLine { line: self.number, field: field.to_owned(), reason: reason.into() }
    }

    fn value(&self, column: &str) -> &'a str {
        self.values.get(column).copied().unwrap_or_default()
    }

    /// What names the result: the columns of the reference, each behind its length. Blanks at their ends do not count, nor
    /// does the spelling of the learner's identity.
    fn reference(&self, mapping: &Mapping, person: &TypedIdentity) -> Vec<u8> {
        let part = |column: &String| {
            let value = if let Some(constant) = column.strip_prefix('=') {
                constant
            } else if *column == mapping.learner.column {
                person.value.as_str()
            } else {
                cells::trimmed(cells::text(self.value(column)))
            };
            [&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes()[..], value.as_bytes()].concat()
        };
        mapping.reference.iter().flat_map(part).collect()
    }

    /// What names the result of the line and the Identity of its learner, where that can be read.
    pub(super) fn names(&self, mapping: &Mapping) -> Vec<Vec<u8>> {
        let Ok(named) = who::read(&mapping.learner, self.value(&mapping.learner.column)) else { return Vec::new() };
        let of_identity = mapping.identity.is_some().then(|| identity::reference(&named.identity));
        std::iter::once(self.reference(mapping, &named.identity)).chain(of_identity).collect()
    }

    /// The records of the line.
    pub(super) fn made(&self, mapping: &Mapping) -> Result<Made, RefusedLine> {
        let named = who::read(&mapping.learner, self.value(&mapping.learner.column))
            .map_err(|why| self.refuse(&mapping.learner.column, why))?;
        self.no_test_student()?;
        let doubt = named.doubt.map(|what| {
            let what = format!("{} ({what})", named.identity.value);
            Seen { warning: Warning::CheckDigit, field: mapping.learner.column.clone(), what }
        });
        let mut record = None;
        if mapping.makes_records() {
            record = Some(self.draft(mapping, &named.identity, doubt.clone())?);
        }
        let mut identity = self.identity(mapping, &named.identity)?;
        match (&record, &mut identity) {
            (Some(_), Some(second)) => second.shares_line = true,
            (None, Some(only)) => only.seen.extend(doubt),
            _ => {}
        }
        Ok(Made { record, identity })
    }

    /// The record of a course or programme.
    fn draft(
        &self,
        mapping: &Mapping,
        person: &TypedIdentity,
        doubt: Option<Seen>,
    ) -> Result<DraftRecord, RefusedLine> {
        let mut gathered = Gathered { seen: doubt.into_iter().collect(), ..Gathered::default() };
        self.fields(mapping, &mut gathered)?;
        if !mapping.modules.is_empty() {
            let code = gathered.texts.get("course_code").cloned().unwrap_or_default();
            let module = mapping.modules.get(&code);
            let module =
                module.ok_or_else(|| self.refuse("course_code", format!("{code:?} is not in the catalogue")))?;
            gathered.set(module);
        }
        self.result(mapping, &mut gathered)?;
        if let Some(period) = &mapping.period {
            let values: Vec<&str> =
                period.columns.iter().map(|column| cells::trimmed(cells::text(self.value(column)))).collect();
            let column = period.columns.first().map_or("period", String::as_str);
            let (from, until) = period.read(&values.join(" ")).map_err(|why| self.refuse(column, why))?;
            gathered.texts.extend([("period_from", from), ("period_until", until)]);
        }
        let texts = Texts { line: self.number, texts: &gathered.texts, further: &gathered.further };
        let body = texts.body()?;
        let wanting = gathered.lacks_grade && grade::wants_grade(&body);
        let wanting = wanting.then(|| {
            let what = "the grade is blank: say what that means, as grade = { column = \"...\", blank = \"ungraded\" }";
            self.refuse("grade", what)
        });
        let reference = self.reference(mapping, person);
        let draft = self.drafted(mapping, person, (reference, body), gathered, wanting)?;
        Ok(Self::with_long_period(draft))
    }

    /// What was gathered as a record that can be spelled.
    fn drafted(
        &self,
        mapping: &Mapping,
        person: &TypedIdentity,
        (reference, body): (Vec<u8>, Body),
        gathered: Gathered<'_>,
        wanting: Option<RefusedLine>,
    ) -> Result<DraftRecord, RefusedLine> {
        let draft = DraftRecord {
            line: self.number,
            reference,
            person: vec![person.clone()],
            kind: body.kind(),
            after: None,
            body,
            place: mapping.place.as_ref().map(|column| cells::trimmed(self.value(column)).to_owned()),
            kept: gathered.kept,
            cleared: gathered.cleared,
            unsaid: Arc::clone(&mapping.unsaid),
            wanting,
            seen: gathered.seen,
            shares_line: false,
        };
        draft.spelled()?;
        Ok(draft)
    }

    /// Learning platforms add a student of their own to every course.
    fn no_test_student(&self) -> Result<(), RefusedLine> {
        let is_one = |value: &str| matches!(cells::trimmed(value), "Student, Test" | "Test Student");
        match self.values.iter().find(|(_, value)| is_one(value)) {
            Some((column, _)) => {
                Err(self.refuse(column, "it is a learning platform's test student: skip it with [file] skip_where"))
            }
            None => Ok(()),
        }
    }

    /// The texts of `[fields]`, and the grades in further scales.
    fn fields(&self, mapping: &'a Mapping, gathered: &mut Gathered<'a>) -> Result<(), RefusedLine> {
        for (name, field) in &mapping.fields {
            let (text, read) = self.text(mapping, name, field, gathered)?;
            if name == "grade" {
                gathered.grade_column = read.column;
                gathered.grade_is_word = read.is_word(&text);
                gathered.grade_cell = read.cell;
                if let Some(scale) = read.scale {
                    gathered.texts.insert("scale", scale.to_owned());
                }
            }
            if name != "scale" || !gathered.texts.contains_key("scale") {
                gathered.texts.insert(name, text);
            }
        }
        self.grade(mapping, gathered)?;
        self.further(mapping, gathered)
    }

    /// The text of one field, once it is known to be undamaged: numbers with a point, days as 2024-06-30.
    fn text(
        &self,
        mapping: &Mapping,
        name: &str,
        field: &'a Field,
        gathered: &mut Gathered<'a>,
    ) -> Result<(String, Read<'a>), RefusedLine> {
        let mut read = field.read(|column| self.value(column));
        if read.is_blank {
            match field.blank {
                Some(Blank::Refuse) => {
                    return Err(self.refuse(name, "the cell is blank, which the mapping refuses"));
                }
                Some(Blank::Clear) => gathered.cleared.push(name.to_owned()),
                Some(Blank::Keep | Blank::Ungraded) => gathered.kept.push(name.to_owned()),
                // No basis means earned, and no last day that an enrolment goes on: the blank says it.
                None if name == "basis" || name == "period_until" && mapping.is_of_enrolments() => {}
                None => {
                    gathered.kept.push(name.to_owned());
                    gathered.lacks_grade |= name == "grade";
                }
            }
        }
        let mut text = std::mem::take(&mut read.text);
        if !read.is_blank && text.is_empty() {
            // A word of the mapping's that means "none".
            gathered.cleared.push(name.to_owned());
        }
        if read.column.is_none() || text.is_empty() {
            return Ok((text, read));
        }
        if let Some(why) = wording::refusal(&text) {
            return Err(self.refuse(name, why));
        }
        if read.is_trimmed {
            gathered.see(Warning::Trimmed, name, format!("{:?}", read.cell));
        }
        if is_words(name) || matches!(name, "course_code" | "programme") {
            gathered.look_at(name, &text);
        }
        if let Some(what) = wording::damaged(name, &text) {
            gathered.see(Warning::Damaged, name, format!("{text:?} {what}"));
        }
        if is_number(name) && name != "grade" {
            text = match self.numbers(mapping, read.column).read(&text) {
                Number::Plain(number) => number,
                Number::Not => text,
                Number::Odd(why) => return Err(self.refuse(name, why)),
            };
        }
        if is_day(name) {
            let date = mapping.dates.read(&text).map_err(|why| self.refuse(name, why))?;
            text = dates::show(&date);
        }
        Ok((text, read))
    }

    /// How the numbers of a column are written.
    fn numbers(&self, mapping: &Mapping, column: Option<&str>) -> Numbers {
        if column.is_some_and(|column| self.numbers.contains(&column)) { Numbers::default() } else { mapping.numbers }
    }

    /// Warns of a period that is longer than those of its kind.
    fn with_long_period(mut draft: DraftRecord) -> DraftRecord {
        let most = if draft.kind == Kind::Outcome { OUTCOME_DAYS_MAX } else { COURSE_DAYS_MAX };
        let days = draft.period().and_then(dates::period_days).map(|(first, last)| last - first);
        if let Some(days) = days.filter(|days| *days > most) {
            let what = format!("{days} days");
            draft.seen.push(Seen { warning: Warning::LongPeriod, field: "period".to_owned(), what });
        }
        draft
    }
}

impl<'a> Gathered<'a> {
    fn text(&self, field: &str) -> &str {
        self.texts.get(field).map_or("", String::as_str)
    }

    /// What a table of the mapping says goes before what the line says.
    fn set(&mut self, constants: &'a Constants) {
        for (name, value) in constants {
            self.kept.retain(|kept| kept != name);
            self.cleared.retain(|cleared| cleared != name);
            if name == "grade" {
                self.lacks_grade = false;
            }
            self.texts.insert(name, value.clone());
        }
    }

    fn see(&mut self, warning: Warning, field: &str, what: String) {
        self.seen.push(Seen { warning, field: field.to_owned(), what });
    }

    /// Text that people read.
    fn look_at(&mut self, name: &str, text: &str) {
        if let Some(what) = mojibake::lost_letters(text).or_else(|| mojibake::undecoded(text)) {
            self.see(Warning::Mojibake, name, format!("{text:?}: {what}"));
        } else if let Some(meant) = mojibake::mojibake(text) {
            let what = "set [file] encoding, or, where the file itself holds it so, export it again";
            self.see(Warning::Mojibake, name, format!("{text:?}: is {meant:?} meant? Then {what}"));
        }
        // Of a code the node refuses them: nobody can accept that.
        if !matches!(name, "course_code" | "programme") && wording::has_private_use(text) {
            self.see(Warning::PrivateUse, name, format!("{text:?}"));
        }
        if wording::has_entities(text) {
            self.see(Warning::Entities, name, format!("{text:?}"));
        }
    }
}

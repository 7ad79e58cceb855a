//! One source of a conversion: what its record states.

use creditbank_protocol::pb::{
    Amount, ConversionSource, ConvertedCredit, Course, Credit, Date, Grade, Kind, Level, Mode, Outcome, OutcomeType,
    PassBasis, Period, RecordReference, Root,
};
use creditbank_protocol::{InstitutionId, Part, Place, Portion};

use super::exact::of_parts;
use super::roots;
use crate::agreement::Facts;
use crate::dates::{Day, last_day, show};
use crate::registry::admit::require;
use crate::{Rejection, Rule};

/// A Credit, an Outcome, or one result of a Conversion or a recognition.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The record.
    pub record: RecordReference,
    /// What of it: of a Conversion or a recognition one result.
    pub part: Part,
    /// What the record is.
    pub kind: Kind,
    /// Of an Outcome: what kind of learning.
    pub outcome: OutcomeType,
    /// Who issued it, or converted it.
    pub institution: InstitutionId,
    /// Its course.
    pub course: Option<Course>,
    /// Its amount; an Outcome has none.
    pub amount: Option<Amount>,
    /// Its level, where it states one.
    pub level: Option<Level>,
    /// ISCED-F; empty: not stated.
    pub field: String,
    /// Its grade, or the score of an Outcome.
    pub grade: Option<Grade>,
    /// How it was learned.
    pub mode: Mode,
    /// When.
    pub period: Option<Period>,
    /// The last day on which it can be used.
    pub expires: Option<Date>,
    /// On what the pass stands, as it states it; unspecified: earned.
    pub basis: PassBasis,
    /// What was earned, strictly ascending by place. Of a Credit or an Outcome: itself.
    pub roots: Vec<Root>,
    /// Whether it stands on a declared conversion.
    pub declared: bool,
}

impl Source {
    /// A Credit of an institution.
    pub fn of_credit(record: RecordReference, institution: InstitutionId, credit: &Credit) -> Self {
        let root = roots::itself(&record, credit.amount.as_ref(), 1);
        Self {
            record,
            part: Part::Whole,
            kind: Kind::Credit,
            outcome: OutcomeType::Unspecified,
            institution,
            course: credit.course.clone(),
            amount: credit.amount.clone(),
            level: credit.level.clone(),
            field: credit.field.clone(),
            grade: credit.grade.clone(),
            mode: credit.mode(),
            period: credit.period,
            expires: credit.expires,
            basis: credit.basis(),
            roots: vec![root],
            declared: false,
        }
    }

    /// An Outcome of an institution.
    pub fn of_outcome(record: RecordReference, institution: InstitutionId, outcome: &Outcome) -> Self {
        let root = roots::itself(&record, None, 1);
        let score = outcome.score.as_ref();
        Self {
            record,
            part: Part::Whole,
            kind: Kind::Outcome,
            outcome: outcome.r#type(),
            institution,
            course: outcome.course.clone(),
            amount: None,
            level: outcome.level.clone(),
            field: outcome.field.clone(),
            grade: score.map(|score| Grade { scale: score.scale.clone(), value: score.value.clone() }),
            mode: outcome.mode(),
            period: outcome.period,
            expires: outcome.expires,
            basis: PassBasis::Unspecified,
            roots: vec![root],
            declared: false,
        }
    }

    /// A result, by its position from 0, of a Conversion or a recognition (`kind`) that an institution made.
    pub fn of_result(
        record: RecordReference,
        kind: Kind,
        index: u32,
        institution: InstitutionId,
        result: &ConvertedCredit,
    ) -> Self {
        Self {
            record,
            part: Part::Result(index),
            kind,
            outcome: OutcomeType::Unspecified,
            institution,
            course: result.course.clone(),
            amount: result.amount.clone(),
            level: result.level.clone(),
            field: result.field.clone(),
            grade: result.grade.clone(),
            mode: result.mode(),
            period: result.period,
            expires: result.expires,
            basis: result.basis(),
            roots: result.roots.clone(),
            declared: result.declared,
        }
    }

    /// As a Conversion has it.
    pub fn to_record(&self) -> ConversionSource {
        ConversionSource {
            record: Some(self.record.clone()),
            result_plus_1: self.part.written(),
            institution: self.institution.0,
            course: self.course.clone(),
            amount: self.amount.clone(),
            level: self.level.clone(),
            field: self.field.clone(),
            grade: self.grade.clone(),
            mode: self.mode.into(),
            period: self.period,
            basis: self.basis.into(),
        }
    }

    /// What scopes look at.
    pub fn facts(&self) -> Facts<'_> {
        let unit = self.amount.as_ref().map_or("", |amount| amount.unit.as_str());
        Facts { unit, level: self.level.as_ref(), field: &self.field, mode: self.mode, basis: self.basis }
    }

    /// Which portion of the learner's records it is.
    pub fn portion(&self) -> Portion {
        Portion { place: Place::read(self.record.place), part: self.part }
    }

    /// The portion in words.
    pub fn show(&self) -> String {
        self.portion().to_string()
    }

    /// Refuses what has expired, and what does not say from which roots it comes.
    pub(super) fn usable(&self, decided: Day) -> Result<(), Rejection> {
        let stands = self.expires.as_ref().is_none_or(|expires| decided <= last_day(expires));
        let found =
            self.expires.as_ref().map_or(String::new(), |date| format!("{}, until {}", self.show(), show(date)));
        require(stands, Rule::SourceNotUsable, "sources", "a source that has not expired", found)?;
        let ordered = self.roots.windows(2).all(|pair| roots::key(&pair[0]) < roots::key(&pair[1]));
        let whole = |root: &Root| {
            let fraction = root.fraction.as_ref().filter(|fraction| fraction.numerator <= fraction.denominator);
            fraction.and_then(of_parts).is_some_and(|fraction| *fraction.numer() > 0)
        };
        let known = ordered && !self.roots.is_empty() && self.roots.iter().all(whole);
        require(known, Rule::SourceNotUsable, "sources", "a source with its roots and their fractions", self.show())?;
        let parts = self.roots.iter().try_fold(0u64, |sum, root| sum.checked_add(root.part_e4));
        let same = parts == Some(self.amount.as_ref().map_or(0, |amount| amount.e4));
        require(same, Rule::SourceNotUsable, "sources", "a source whose roots make up its amount", self.show())
    }
}

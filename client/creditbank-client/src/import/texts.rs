//! From the text of each field to a typed body.

mod enrolment;

use std::collections::BTreeMap;

use creditbank_protocol::names::{self, Named};
use creditbank_protocol::pb::{self, PassBasis};
use creditbank_rules::decimal::parse_e4;

use super::draft::Body;
use super::rows::RefusedLine;
use super::values::dates::DateForm;

/// The text of each field of a line, with where it came from for messages.
#[expect(clippy::struct_field_names, reason = "the texts of the fields are what it is about")]
pub(super) struct Texts<'a> {
    pub(super) line: u64,
    pub(super) texts: &'a BTreeMap<&'a str, String>,
    /// The same result in further scales.
    pub(super) further: &'a [pb::Grade],
}

impl<'a> Texts<'a> {
    fn refuse(&self, field: &str, reason: impl Into<String>) -> RefusedLine {
        RefusedLine { line: self.line, field: field.to_owned(), reason: reason.into() }
    }

    /// The text of a field; empty where the mapping is silent.
    pub(super) fn get(&self, field: &str) -> &'a str {
        self.texts.get(field).map_or("", String::as_str)
    }

    pub(super) fn body(&self) -> Result<Body, RefusedLine> {
        match self.get("kind") {
            "credit" => Ok(Body::Credit(Box::new(self.credit()?))),
            "result" => Ok(Body::Result(Box::new(self.result()?))),
            "outcome" => Ok(Body::Outcome(Box::new(self.outcome()?))),
            "enrolment" => Ok(Body::Enrolment(Box::new(self.enrolment()?))),
            other => Err(self.refuse("kind", format!("{other:?} is not credit, result, outcome or enrolment"))),
        }
    }

    fn credit(&self) -> Result<pb::Credit, RefusedLine> {
        Ok(pb::Credit {
            course: self.course(),
            amount: Some(
                self.amount()?
                    .ok_or_else(|| self.refuse("credits", "a Credit needs an amount, 0 where it carries none"))?,
            ),
            level: self.level(),
            field: self.get("field").to_owned(),
            grade: self.grade(),
            attempt: self.attempt()?,
            hours: self.hours()?,
            language: self.get("language").to_owned(),
            place: self.site(),
            mode: self.code::<pb::Mode>("mode")?.map_or(0, i32::from),
            identity_check: self.code::<pb::IdentityCheck>("identity_check")?.map_or(0, i32::from),
            assessment: self.code::<pb::AssessmentType>("assessment")?.map_or(0, i32::from),
            period: self.period()?,
            repeats_max: self.number("repeats_max")?,
            expires: self.date("expires")?,
            visible_from: self.date("visible_from")?,
            basis: self.basis()?,
            further: self.further.to_vec(),
            completed: self.date("completed")?,
            term: self.get("term").to_owned(),
            session: self.get("session").to_owned(),
            ..Default::default()
        })
    }

    /// Nothing where it was earned: a Credit does not state that.
    fn basis(&self) -> Result<i32, RefusedLine> {
        let basis = self.code::<PassBasis>("basis")?.unwrap_or_default();
        Ok(if basis == PassBasis::Earned { 0 } else { basis.into() })
    }

    fn result(&self) -> Result<pb::Result, RefusedLine> {
        if self.basis()? != 0 {
            let what = format!("{:?} is the basis of a pass, and the line is a Result", self.get("basis"));
            return Err(self.refuse("basis", what));
        }
        let status = self.code::<pb::ResultStatus>("status")?;
        let status = status.ok_or_else(|| self.refuse("status", "a Result needs a status, as failed or withdrawn"))?;
        Ok(pb::Result {
            course: self.course(),
            status: status.into(),
            attempted: self.amount()?,
            level: self.level(),
            field: self.get("field").to_owned(),
            grade: self.grade(),
            attempt: self.attempt()?,
            hours: self.hours()?,
            language: self.get("language").to_owned(),
            place: self.site(),
            mode: self.code::<pb::Mode>("mode")?.map_or(0, i32::from),
            identity_check: self.code::<pb::IdentityCheck>("identity_check")?.map_or(0, i32::from),
            assessment: self.code::<pb::AssessmentType>("assessment")?.map_or(0, i32::from),
            period: self.period()?,
            visible_from: self.date("visible_from")?,
            further: self.further.to_vec(),
            completed: self.date("completed")?,
            term: self.get("term").to_owned(),
            session: self.get("session").to_owned(),
            ..Default::default()
        })
    }

    fn outcome(&self) -> Result<pb::Outcome, RefusedLine> {
        let kind = self.code::<pb::OutcomeType>("outcome_type")?;
        let kind = kind.ok_or_else(|| self.refuse("outcome_type", "an Outcome needs a type, as mooc_certificate"))?;
        let score =
            self.grade().map(|grade| pb::Score { scale: grade.scale, value: grade.value, sections: Vec::new() });
        Ok(pb::Outcome {
            r#type: kind.into(),
            course: self.course(),
            score,
            workload: self.hours()?,
            level: self.level(),
            field: self.get("field").to_owned(),
            language: self.get("language").to_owned(),
            place: self.site(),
            mode: self.code::<pb::Mode>("mode")?.map_or(0, i32::from),
            identity_check: self.code::<pb::IdentityCheck>("identity_check")?.map_or(0, i32::from),
            assessment: self.code::<pb::AssessmentType>("assessment")?.map_or(0, i32::from),
            period: self.period()?,
            expires: self.date("expires")?,
            visible_from: self.date("visible_from")?,
            ..Default::default()
        })
    }

    fn course(&self) -> Option<pb::Course> {
        self.course_of("course_code")
    }

    /// A course or programme whose code is in this field.
    fn course_of(&self, field: &str) -> Option<pb::Course> {
        let language = match self.get("title_language") {
            "" => "und",
            language => language,
        };
        let title = pb::Text { language: language.to_owned(), value: self.get("title").to_owned() };
        let titles = if title.value.is_empty() { Vec::new() } else { vec![title] };
        let course = pb::Course { code: self.get(field).to_owned(), titles };
        (course != pb::Course::default()).then_some(course)
    }

    fn decimal(&self, field: &str) -> Result<Option<u64>, RefusedLine> {
        match self.get(field) {
            "" => Ok(None),
            text => parse_e4(text).map(Some).map_err(|error| self.refuse(field, format!("{text:?}: {error}"))),
        }
    }

    fn amount(&self) -> Result<Option<pb::Amount>, RefusedLine> {
        let unit = self.get("unit").to_owned();
        Ok(self.decimal("credits")?.map(|e4| pb::Amount { e4, unit }))
    }

    fn hours(&self) -> Result<Option<pb::Hours>, RefusedLine> {
        let Some(e4) = self.decimal("hours")? else {
            return Ok(None);
        };
        let kind = self.code::<pb::HoursKind>("hours_kind")?;
        let kind = kind.ok_or_else(|| self.refuse("hours_kind", "hours need a kind: contact or workload"))?;
        Ok(Some(pb::Hours { kind: kind.into(), e4 }))
    }

    fn level(&self) -> Option<pb::Level> {
        let level = pb::Level { framework: self.get("framework").to_owned(), level: self.get("level").to_owned() };
        (!level.level.is_empty()).then_some(level)
    }

    fn grade(&self) -> Option<pb::Grade> {
        let grade = pb::Grade { scale: self.get("scale").to_owned(), value: self.get("grade").to_owned() };
        (!grade.value.is_empty()).then_some(grade)
    }

    fn site(&self) -> Option<pb::Site> {
        let site = pb::Site { country: self.get("country").to_owned(), name: self.get("site").to_owned() };
        (site != pb::Site::default()).then_some(site)
    }

    fn number(&self, field: &str) -> Result<u32, RefusedLine> {
        match self.get(field) {
            "" => Ok(0),
            text => {
                // 2.0 is two: programs that know only decimals write it so.
                let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|byte| byte == b'0'));
                let whole = whole.map_or(text, |(whole, _)| whole);
                let digits = whole.bytes().all(|byte| byte.is_ascii_digit());
                let number = whole.parse().ok().filter(|_| digits);
                number.ok_or_else(|| self.refuse(field, format!("{text:?} is no whole number")))
            }
        }
    }

    /// The attempt, counted from 1; `attempt_offset` is added to what the file counts.
    fn attempt(&self) -> Result<u32, RefusedLine> {
        let (counted, offset) = (self.number("attempt")?, self.number("attempt_offset")?);
        let sum = counted.checked_add(offset).ok_or_else(|| self.refuse("attempt", "the number is too large"))?;
        if sum == 0 && !self.get("attempt").is_empty() {
            let what = "attempts count from 1, found 0: where the file counts from 0, set attempt_offset = \"1\"";
            return Err(self.refuse("attempt", what));
        }
        Ok(if self.get("attempt").is_empty() { 0 } else { sum })
    }

    pub(super) fn date(&self, field: &str) -> Result<Option<pb::Date>, RefusedLine> {
        match self.get(field) {
            "" => Ok(None),
            text => DateForm::default().read(text).map(Some).map_err(|why| self.refuse(field, why)),
        }
    }

    fn period(&self) -> Result<Option<pb::Period>, RefusedLine> {
        let (from, until) = (self.date("period_from")?, self.date("period_until")?);
        Ok((from.is_some() || until.is_some()).then_some(pb::Period { from, until }))
    }

    /// A value of an enum, written as in `on_site` or `failed`.
    pub(super) fn code<E: Named>(&self, field: &str) -> Result<Option<E>, RefusedLine> {
        let text = self.get(field);
        if text.is_empty() {
            return Ok(None);
        }
        let found = names::parse(text).map(Some);
        found.ok_or_else(|| self.refuse(field, format!("{text:?} is not one of {}", names::listed::<E>())))
    }
}

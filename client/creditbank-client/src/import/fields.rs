//! From the text of a line to a typed record.

use std::collections::BTreeMap;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_rpc::v1::TypedIdentity;
use creditbank_rules::decimal::parse_e4;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::mapping::{Constants, Mapping, Source};
use super::rows::RefusedLine;
use crate::ClientError;

/// A record that lacks the learner's alias and its seed.
#[derive(Clone)]
pub struct DraftRecord {
    /// Line of the file on which it begins.
    pub line: u64,
    /// Who it is about.
    pub person: Vec<TypedIdentity>,
    /// What it is.
    pub kind: Kind,
    pub(crate) reference: Vec<u8>,
    body: Body,
}

#[derive(Clone)]
enum Body {
    Outcome(Box<pb::Outcome>),
    Credit(Box<pb::Credit>),
    Result(Box<pb::Result>),
}

impl DraftRecord {
    /// The record for a learner's alias. The seed is HMAC-SHA256(unit secret, reference), so that a repeat after a crash is
    /// the same record.
    pub fn finish(&self, alias: [u8; 16], unit_secret: &[u8; 32]) -> Result<Record, ClientError> {
        let learner = alias.to_vec();
        let body = match self.body.clone() {
            Body::Outcome(body) => encode(&pb::Outcome { learner, ..*body }),
            Body::Credit(body) => encode(&pb::Credit { learner, ..*body }),
            Body::Result(body) => encode(&pb::Result { learner, ..*body }),
        };
        let body = body.map_err(|error| ClientError::Local(format!("line {}: {error}", self.line)))?;
        let mut mac = Hmac::<Sha256>::new_from_slice(unit_secret).expect("HMAC takes a key of any length");
        mac.update(&self.reference);
        let seed: [u8; 32] = mac.finalize().into_bytes().into();
        let kind = u32::try_from(i32::from(self.kind)).unwrap_or(0);
        Record::new(kind, 1, &seed, body).map_err(|error| ClientError::Local(format!("line {}: {error}", self.line)))
    }

    /// Bytes of the body, without the alias.
    pub(crate) fn len(&self) -> usize {
        use prost::Message as _;
        match &self.body {
            Body::Outcome(body) => body.encoded_len(),
            Body::Credit(body) => body.encoded_len(),
            Body::Result(body) => body.encoded_len(),
        }
    }

    /// What names the result, and what the line says; for digests.
    pub(crate) fn mark_input(&self) -> (Vec<u8>, Vec<u8>) {
        use prost::Message as _;
        let mut content = vec![u8::try_from(i32::from(self.kind)).unwrap_or(0)];
        for identity in &self.person {
            content.extend(identity.encode_length_delimited_to_vec());
        }
        content.extend(match &self.body {
            Body::Outcome(body) => body.encode_to_vec(),
            Body::Credit(body) => body.encode_to_vec(),
            Body::Result(body) => body.encode_to_vec(),
        });
        (self.reference.clone(), content)
    }

    /// The amount of a Credit in ten-thousandths, and its unit.
    pub fn credits(&self) -> Option<(u64, &str)> {
        match &self.body {
            Body::Credit(credit) => credit.amount.as_ref().map(|amount| (amount.e4, amount.unit.as_str())),
            Body::Outcome(_) | Body::Result(_) => None,
        }
    }
}

/// A line with its values by column.
pub(super) struct Line<'a> {
    pub(super) line: u64,
    pub(super) values: &'a BTreeMap<&'a str, &'a str>,
}

/// The text of each field of a line, with where it came from for messages.
struct Texts<'a> {
    line: u64,
    texts: BTreeMap<&'a str, &'a str>,
}

impl Line<'_> {
    fn refuse(&self, field: &str, reason: impl Into<String>) -> RefusedLine {
        RefusedLine { line: self.line, field: field.to_owned(), reason: reason.into() }
    }

    fn value(&self, column: &str) -> &str {
        self.values.get(column).copied().unwrap_or_default()
    }

    /// What names the result: the columns of the reference, each behind its length.
    pub(super) fn reference(&self, mapping: &Mapping) -> Vec<u8> {
        let part = |column: &String| {
            let value = self.value(column).as_bytes();
            [&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes()[..], value].concat()
        };
        mapping.reference.iter().flat_map(part).collect()
    }

    /// The record of the line.
    pub(super) fn draft(&self, mapping: &Mapping) -> Result<DraftRecord, RefusedLine> {
        let number = self.value(&mapping.learner.column);
        if number.is_empty() {
            return Err(self.refuse(&mapping.learner.column, "the learner's identity is empty"));
        }
        let person = vec![TypedIdentity {
            r#type: mapping.identity_type.into(),
            scope: mapping.learner.scope.clone(),
            value: number.to_owned(),
        }];
        let result = self.result(mapping)?;
        let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, source) in &mapping.fields {
            let text = match source {
                Source::Value(value) => value.as_str(),
                Source::Column { column } => self.value(column),
            };
            texts.insert(name, text);
        }
        if !mapping.modules.is_empty() {
            let code = texts.get("course_code").copied().unwrap_or_default();
            let module = mapping.modules.get(code);
            let module =
                module.ok_or_else(|| self.refuse("course_code", format!("{code:?} is not in the catalogue")))?;
            texts.extend(module.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        }
        texts.extend(result.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str())));
        let span = self.span(mapping)?;
        if let Some((from, until)) = &span {
            texts.extend([("period_from", from.as_str()), ("period_until", until.as_str())]);
        }
        let texts = Texts { line: self.line, texts };
        let (kind, body) = texts.body()?;
        Ok(DraftRecord { line: self.line, person, kind, reference: self.reference(mapping), body })
    }

    fn result<'m>(&self, mapping: &'m Mapping) -> Result<Option<&'m Constants>, RefusedLine> {
        let Some(results) = &mapping.results else {
            return Ok(None);
        };
        let value = self.value(&results.column);
        let known = results.values.get(value);
        let reason = || format!("{value:?} is not among the mapping's results");
        known.map(Some).ok_or_else(|| self.refuse(&results.column, reason()))
    }

    /// The period that the year and the suffix of a column stand for.
    fn span(&self, mapping: &Mapping) -> Result<Option<(String, String)>, RefusedLine> {
        let Some(period) = &mapping.period else {
            return Ok(None);
        };
        let value = self.value(&period.column);
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let (year, suffix) = value.split_at(digits);
        let year: Option<u32> = year.parse().ok().filter(|_| digits == 4);
        let span = period.suffixes.get(suffix);
        let (Some(year), Some(span)) = (year, span) else {
            let reason = format!("{value:?} is no year with one of the mapping's suffixes");
            return Err(self.refuse(&period.column, reason));
        };
        let date =
            |text: &str| text.replace("{year}", &year.to_string()).replace("{next_year}", &(year + 1).to_string());
        Ok(Some((date(&span.from), date(&span.until))))
    }
}

impl<'a> Texts<'a> {
    fn refuse(&self, field: &str, reason: impl Into<String>) -> RefusedLine {
        RefusedLine { line: self.line, field: field.to_owned(), reason: reason.into() }
    }

    /// The text of a field; empty where the mapping is silent.
    fn get(&self, field: &str) -> &'a str {
        self.texts.get(field).copied().unwrap_or_default()
    }

    fn body(&self) -> Result<(Kind, Body), RefusedLine> {
        match self.get("kind") {
            "credit" => Ok((Kind::Credit, Body::Credit(Box::new(self.credit()?)))),
            "result" => Ok((Kind::Result, Body::Result(Box::new(self.result()?)))),
            "outcome" => Ok((Kind::Outcome, Body::Outcome(Box::new(self.outcome()?)))),
            other => Err(self.refuse("kind", format!("{other:?} is not credit, result or outcome"))),
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
            mode: self.code("mode", pb::Mode::from_str_name)?.map_or(0, i32::from),
            identity_check: self.code("identity_check", pb::IdentityCheck::from_str_name)?.map_or(0, i32::from),
            assessment: self.code("assessment", pb::AssessmentType::from_str_name)?.map_or(0, i32::from),
            period: self.period()?,
            repeats_max: self.number("repeats_max")?,
            expires: self.date("expires")?,
            visible_from: self.date("visible_from")?,
            ..Default::default()
        })
    }

    fn result(&self) -> Result<pb::Result, RefusedLine> {
        let status = self.code("status", pb::ResultStatus::from_str_name)?;
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
            mode: self.code("mode", pb::Mode::from_str_name)?.map_or(0, i32::from),
            identity_check: self.code("identity_check", pb::IdentityCheck::from_str_name)?.map_or(0, i32::from),
            assessment: self.code("assessment", pb::AssessmentType::from_str_name)?.map_or(0, i32::from),
            period: self.period()?,
            visible_from: self.date("visible_from")?,
            ..Default::default()
        })
    }

    fn outcome(&self) -> Result<pb::Outcome, RefusedLine> {
        let kind = self.code("outcome_type", pb::OutcomeType::from_str_name)?;
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
            mode: self.code("mode", pb::Mode::from_str_name)?.map_or(0, i32::from),
            identity_check: self.code("identity_check", pb::IdentityCheck::from_str_name)?.map_or(0, i32::from),
            assessment: self.code("assessment", pb::AssessmentType::from_str_name)?.map_or(0, i32::from),
            period: self.period()?,
            expires: self.date("expires")?,
            visible_from: self.date("visible_from")?,
            ..Default::default()
        })
    }

    fn course(&self) -> Option<pb::Course> {
        let language = match self.get("title_language") {
            "" => "und",
            language => language,
        };
        let title = pb::Text { language: language.to_owned(), value: self.get("title").to_owned() };
        let titles = if title.value.is_empty() { Vec::new() } else { vec![title] };
        let course = pb::Course { code: self.get("course_code").to_owned(), titles };
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
        let kind = self.code("hours_kind", pb::HoursKind::from_str_name)?;
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
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let number = text.parse().ok().filter(|_| digits);
                number.ok_or_else(|| self.refuse(field, format!("{text:?} is no whole number")))
            }
        }
    }

    /// The attempt, counted from 1; `attempt_offset` is added to what the file counts.
    fn attempt(&self) -> Result<u32, RefusedLine> {
        let (counted, offset) = (self.number("attempt")?, self.number("attempt_offset")?);
        counted.checked_add(offset).ok_or_else(|| self.refuse("attempt", "the number is too large"))
    }

    fn date(&self, field: &str) -> Result<Option<pb::Date>, RefusedLine> {
        match self.get(field) {
            "" => Ok(None),
            text => {
                let date = creditbank_rules::dates::parse(text);
                date.map(Some)
                    .ok_or_else(|| self.refuse(field, format!("{text:?} is no date such as 2014-06 or 2014-06-30")))
            }
        }
    }

    fn period(&self) -> Result<Option<pb::Period>, RefusedLine> {
        let (from, until) = (self.date("period_from")?, self.date("period_until")?);
        Ok((from.is_some() || until.is_some()).then_some(pb::Period { from, until }))
    }

    /// A value of an enum, written as in `on_site` or `failed`.
    fn code<T>(&self, field: &'static str, read: fn(&str) -> Option<T>) -> Result<Option<T>, RefusedLine> {
        let text = self.get(field);
        if text.is_empty() {
            return Ok(None);
        }
        let prefix = match field {
            "status" => "RESULT_STATUS",
            "assessment" => "ASSESSMENT_TYPE",
            other => &other.to_ascii_uppercase(),
        };
        let full = format!("{prefix}_{}", text.to_ascii_uppercase());
        read(&full).map(Some).ok_or_else(|| self.refuse(field, format!("{text:?} is not one of its values")))
    }
}

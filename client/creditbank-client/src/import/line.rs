//! A line of the file and what the mapping makes of it.

use std::collections::BTreeMap;

use creditbank_rpc::identity::is_plain;
use creditbank_rpc::v1::TypedIdentity;

use super::draft::DraftRecord;
use super::mapping::{Constants, Mapping, Source};
use super::rows::RefusedLine;
use super::texts::Texts;

/// Most bytes of an identity value, as the protocol has it.
const IDENTITY_LEN_MAX: usize = 256;

/// A line with its values by column.
pub(super) struct Line<'a> {
    pub(super) line: u64,
    pub(super) values: &'a BTreeMap<&'a str, &'a str>,
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
        if !is_plain(number) {
            let reason = "the learner's identity has white space at its ends or holds invisible characters";
            return Err(self.refuse(&mapping.learner.column, reason));
        }
        if number.len() > IDENTITY_LEN_MAX {
            let reason =
                format!("the learner's identity has {} bytes, at most {IDENTITY_LEN_MAX} are taken", number.len());
            return Err(self.refuse(&mapping.learner.column, reason));
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
        let place = mapping.place.as_ref().map(|column| self.value(column).to_owned());
        Ok(DraftRecord { line: self.line, person, kind, reference: self.reference(mapping), after: None, body, place })
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

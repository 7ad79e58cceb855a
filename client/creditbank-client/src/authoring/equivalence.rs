//! Equivalences as people write them: that a course, a test score or a piece of non-formal learning counts as a course here.

use std::collections::BTreeMap;

use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb;
use serde::Deserialize;

use crate::authoring::text_file::{self, TextError, choice, date, decimal, grade, level, maybe_date, texts, wrong};

/// A commented equivalence to start from.
pub const TEMPLATE: &str = include_str!("../../../agreements/equivalence.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    code: String,
    version: u32,
    #[serde(rename = "type")]
    kind: String,
    source: SourcePart,
    target: TargetPart,
    validity: ValidityPart,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcePart {
    institution: u64,
    #[serde(default)]
    course: String,
    outcome: Option<String>,
    minimum: Option<String>,
    #[serde(default)]
    age_months: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetPart {
    course: String,
    titles: BTreeMap<String, String>,
    amount: String,
    unit: String,
    level: Option<String>,
    #[serde(default)]
    field: String,
    grade: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidityPart {
    from: String,
    until: Option<String>,
}

/// Reads the text of an equivalence of an institution, which publishes it.
pub fn parse(text: &str, institution: u64) -> Result<pb::Equivalence, TextError> {
    let File { code, version, kind, source, target, validity } = text_file::read(text)?;
    let r#type = choice::<pb::EquivalenceType>("type", &kind)?;
    let outcome = |text: &String| choice::<pb::OutcomeType>("source.outcome", text);
    if target.titles.is_empty() {
        return Err(wrong("target.titles", "at least one title, as en = \"Calculus\"", "nothing"));
    }
    let equivalence = pb::Equivalence {
        institution,
        code,
        version,
        r#type,
        source_institution: source.institution,
        source_course: source.course,
        source_outcome: source.outcome.as_ref().map(outcome).transpose()?.unwrap_or(0),
        minimum: source.minimum.as_ref().map(|text| grade("source.minimum", text)).transpose()?,
        target: Some(pb::Course { code: target.course, titles: texts(target.titles) }),
        amount: Some(pb::Amount { e4: decimal("target.amount", &target.amount)?, unit: target.unit }),
        level: target.level.as_ref().map(|text| level("target.level", text)).transpose()?,
        field: target.field,
        grade: target.grade.as_ref().map(|text| grade("target.grade", text)).transpose()?,
        age_months_max: source.age_months,
        from: Some(date("validity.from", &validity.from)?),
        until: maybe_date("validity.until", validity.until.as_ref())?,
    };
    encode(&equivalence).map_err(|error| TextError::Record(error.to_string()))?;
    Ok(equivalence)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the template is an equivalence, and an error names the key.
    #[test]
    fn the_template_is_an_equivalence() {
        let read = parse(TEMPLATE, 2).expect("the template");
        assert_eq!((read.institution, read.source_institution, read.version), (2, 7, 1));
        assert_eq!(read.amount.map(|amount| amount.e4), Some(60_000));
        for (from, to, part) in [
            ("type = \"course\"", "type = \"book\"", "non-formal"),
            ("amount = \"6\"", "amount = \"six\"", "target.amount"),
            ("minimum = \"US-4:C\"", "minimum = \"C\"", "source.minimum"),
        ] {
            let error = parse(&TEMPLATE.replace(from, to), 2).expect_err(to).to_string();
            assert!(error.contains(part), "{to}: {error}");
        }
    }
}

//! What a receiver states freely of one result, as text files write it: of an assessment, and of what it declares.

use std::collections::BTreeMap;

use creditbank_protocol::pb;
use creditbank_rpc::v1::StatedResult;
use serde::Deserialize;

use crate::authoring::text_file::{TextError, choice, decimal, grade, level, maybe_date, texts};

/// One `[[result]]`. Which of the keys about its source it may have is for whoever reads the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResultPart {
    /// The place of an Outcome that was assessed.
    pub(super) outcome: Option<String>,
    /// The place of a record from which it was converted; with `#2` the second result of it.
    pub(super) source: Option<String>,
    course: String,
    titles: BTreeMap<String, String>,
    amount: String,
    unit: String,
    level: Option<String>,
    #[serde(default)]
    field: String,
    grade: Option<String>,
    pub(super) mode: Option<String>,
    pub(super) from: Option<String>,
    pub(super) until: Option<String>,
    pub(super) basis: Option<String>,
}

impl ResultPart {
    /// Whether it says how, when or on what basis it was learned.
    pub(super) fn says_how(&self) -> bool {
        [&self.mode, &self.from, &self.until, &self.basis].into_iter().any(Option::is_some)
    }

    /// As the node is told; the position of its source is for whoever knows it.
    pub(super) fn stated(self) -> Result<StatedResult, TextError> {
        let named = |key: &str, text: Option<&String>, of: fn(&str, &str) -> Result<i32, TextError>| {
            text.map_or(Ok(0), |text| of(key, text))
        };
        let from = maybe_date("result.from", self.from.as_ref())?;
        let until = maybe_date("result.until", self.until.as_ref())?;
        Ok(StatedResult {
            source: 0,
            level: self.level.as_ref().map(|text| level("result.level", text)).transpose()?,
            grade: self.grade.as_ref().map(|text| grade("result.grade", text)).transpose()?,
            override_reason: String::new(),
            course: Some(pb::Course { code: self.course, titles: texts(self.titles) }),
            amount: Some(pb::Amount { e4: decimal("result.amount", &self.amount)?, unit: self.unit }),
            field: self.field,
            mode: named("result.mode", self.mode.as_ref(), choice::<pb::Mode>)?,
            period: (from.is_some() || until.is_some()).then_some(pb::Period { from, until }),
            basis: named("result.basis", self.basis.as_ref(), choice::<pb::PassBasis>)?,
        })
    }
}

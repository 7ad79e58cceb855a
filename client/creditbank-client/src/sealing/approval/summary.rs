//! What a request for an approval holds, in numbers and words.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::canonical::decode;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::{amends_of, info_of};
use serde::Serialize;

use super::{ApprovalRequest, wrong};
use crate::ClientError;
use crate::authoring::wording;
use crate::sealing::body::learner as learner_of;

/// What a request holds, for whoever is to approve it. Made from the records themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Records by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Credits in ten-thousandths, by unit.
    pub credits_e4: BTreeMap<String, u64>,
    /// Records by course.
    pub courses: BTreeMap<String, u64>,
    /// Records by scale and grade.
    pub grades: BTreeMap<String, u64>,
    /// Learners of the records.
    pub learners: u64,
    /// Records that replace another.
    pub amendments: u64,
    /// Effects by action.
    pub effects: BTreeMap<String, u64>,
    /// Places of the records that are changed.
    pub places: Vec<String>,
    /// What is agreed, published, converted, decided or awarded, in words: written by others, so show it without control
    /// characters.
    pub said: Vec<String>,
}

impl ApprovalRequest {
    /// What it holds, by its records and effects: refused where these are not the ones that would be approved.
    pub fn summary(&self) -> Result<Summary, ClientError> {
        let operation = self.operation()?;
        let mut summary = Summary::default();
        let mut learners = BTreeSet::new();
        for record in &operation.records {
            let body = record.body();
            *summary.kinds.entry(names::of(record.kind())).or_default() += 1;
            summary.said.extend(wording::of(record));
            if info_of(record.kind()).is_some_and(|info| info.public) {
                continue;
            }
            learners.insert(learner_of(record.kind(), body).map_err(wrong)?);
            let (course, grade, amends) = match record.kind() {
                Kind::Credit => {
                    let credit: pb::Credit = decode(body).map_err(wrong)?;
                    if let Some(amount) = &credit.amount {
                        let sum = summary.credits_e4.entry(amount.unit.clone()).or_default();
                        *sum = sum.saturating_add(amount.e4);
                    }
                    (credit.course, credit.grade, credit.amends)
                }
                Kind::Result => {
                    let result: pb::Result = decode(body).map_err(wrong)?;
                    (result.course, result.grade, result.amends)
                }
                Kind::Outcome => {
                    let outcome: pb::Outcome = decode(body).map_err(wrong)?;
                    let grade = outcome.score.map(|score| pb::Grade { scale: score.scale, value: score.value });
                    (outcome.course, grade, outcome.amends)
                }
                other => (None, None, amends_of(other, body).map_err(wrong)?),
            };
            if let Some(course) = course {
                *summary.courses.entry(course.code).or_default() += 1;
            }
            if let Some(grade) = grade {
                *summary.grades.entry(format!("{} {}", grade.scale, grade.value)).or_default() += 1;
            }
            summary.amendments += u64::from(amends.is_some());
        }
        summary.learners = learners.len() as u64;
        for effect in operation.groups.iter().flat_map(|group| &group.effects) {
            let action = pb::Action::try_from(effect.action).unwrap_or_default();
            *summary.effects.entry(names::of(action)).or_default() += 1;
            let place = effect.place.unwrap_or_default();
            summary.places.push(format!("{}/{}", place.entry, place.index));
        }
        Ok(summary)
    }
}

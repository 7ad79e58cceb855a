//! Which records a caller may see: its own, those that it keeps for a closed institution, and those that it was shown whole.

use std::collections::BTreeSet;

use creditbank_protocol::dates::Day;
use creditbank_protocol::pb::DisclosedRecord;
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Digest, InstitutionId, Place};
use creditbank_rules::View;
use creditbank_rules::admission::Used;

use super::QuestionError;

/// Whole records, by place and hash: who has the bytes and the seed has been shown the record.
#[derive(Debug, Default)]
pub struct Shown(BTreeSet<(Place, Digest)>);

impl Shown {
    /// Reads what a caller shows; what does not read, or is not whole, shows nothing.
    pub fn new(records: Vec<DisclosedRecord>) -> Self {
        let read = |shown: DisclosedRecord| {
            let DisclosedRecord { place, kind, version, seed, body, .. } = shown;
            let record = Record::new(u32::try_from(kind).ok()?, version, &seed, body).ok()?;
            Some((Place::read(place), record.hash()))
        };
        Self(records.into_iter().filter_map(read).collect())
    }

    fn has(&self, used: &Used) -> bool {
        self.0.contains(&(used.place, used.record.hash()))
    }
}

/// Who asks: everything (the operator), or an institution with what it was shown.
#[derive(Debug)]
pub struct ReadScope {
    /// The institution; `None` sees all.
    pub institution: Option<InstitutionId>,
    /// What it was shown.
    pub shown: Shown,
}

impl ReadScope {
    /// Whether a record of the learner may be used in an answer.
    pub fn sees(&self, view: &impl View, used: &Used, today: Day) -> bool {
        let Some(own) = self.institution else { return true };
        let issuer = used.facts.institution;
        own == issuer || self.shown.has(used) || view.registry().is_custodian(own, issuer, today)
    }

    /// The learner's record at a place, as far as the caller sees it. What is not seen is not there.
    pub fn find(&self, view: &impl View, account: &AccountId, place: Place, today: Day) -> Result<Used, QuestionError> {
        let found = view.content_at(place)?.filter(|(facts, _)| facts.account == *account);
        let used = found.map(|(facts, record)| Used { place, facts, record });
        used.filter(|used| self.sees(view, used, today)).ok_or(QuestionError::Missing(place))
    }
}

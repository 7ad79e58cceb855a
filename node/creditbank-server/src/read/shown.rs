//! Which records a caller may see: its own, those that it keeps for a closed institution, and those that it was shown whole.

use std::collections::BTreeSet;

use creditbank_protocol::InstitutionId;
use creditbank_protocol::dates::day_of_ms;
use creditbank_protocol::pb::{DisclosedRecord, Place};
use creditbank_protocol::record::Record;
use creditbank_rules::View as _;
use creditbank_rules::admission::Used;

use super::ReadError;
use crate::append::round::StoreView;
use crate::ledger::Ledger;
use crate::private::Account;

/// Most records that a call may show.
pub(crate) const SHOWN_MAX: usize = 1_024;

/// Whole records, by place and hash: who has the bytes and the seed has been shown the record.
#[derive(Debug, Default)]
pub struct Shown(BTreeSet<(u64, u32, [u8; 32])>);

impl Shown {
    /// Reads what a caller shows; a record that is none, or not whole, shows nothing.
    pub fn new(records: Vec<DisclosedRecord>) -> Self {
        let read = |shown: DisclosedRecord| {
            let DisclosedRecord { place, kind, version, seed, body, .. } = shown;
            let record = Record::new(u32::try_from(kind).ok()?, version, &seed, body).ok()?;
            let place = place.unwrap_or_default();
            Some((place.entry, place.index, record.hash().0))
        };
        Self(records.into_iter().filter_map(read).collect())
    }

    fn has(&self, used: &Used) -> bool {
        self.0.contains(&(used.place.entry.0, used.place.index, used.record.hash().0))
    }

    /// The places.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.0.iter().map(|(entry, index, _)| Place { entry: *entry, index: *index })
    }
}

/// Who asks: everything (the operator), or an institution with what it was shown.
#[derive(Debug)]
pub struct ReadScope {
    /// The institution; `None` sees all.
    pub institution: Option<u64>,
    /// What it was shown.
    pub shown: Shown,
}

impl ReadScope {
    /// Whether a record of the learner may be used in an answer.
    pub(super) fn sees(&self, ledger: &Ledger, view: &StoreView<'_>, used: &Used) -> bool {
        let Some(own) = self.institution else { return true };
        let issuer = used.facts.institution;
        InstitutionId(own) == issuer
            || self.shown.has(used)
            || view.registry().is_custodian(own.into(), issuer, day_of_ms(ledger.now_ms()))
    }
}

impl Ledger {
    /// The learner's record at a place, as far as the caller sees it. What is not seen is not there.
    pub(super) fn seen(
        &self,
        view: &StoreView<'_>,
        account: &Account,
        place: Place,
        scope: &ReadScope,
    ) -> Result<Used, ReadError> {
        let stored = view.stored(place)?.filter(|stored| stored.facts.account == *account);
        let used = stored.map(|stored| Used { place: place.into(), facts: stored.facts, record: stored.record });
        used.filter(|used| scope.sees(self, view, used)).ok_or(ReadError::Missing(place))
    }
}

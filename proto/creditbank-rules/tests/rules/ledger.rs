//! A ledger in memory, as the rules see it.

use std::collections::BTreeMap;

use creditbank_protocol::pb::{Award, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Alias, InstitutionId, LogIndex, Place};
use creditbank_rules::{
    CourseKey, DocumentKey, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, RegistryRecord, Said, Sealing,
    View, ViewError,
};

use crate::fixtures::ORIGIN;

/// A record that the ledger holds.
pub(crate) struct Held {
    pub(crate) facts: RecordFacts,
    /// With which of the learner's records it is counted.
    pub(crate) key: CourseKey,
    /// Of a Credit: how often its course may count again.
    pub(crate) repeats_max: Option<u32>,
    pub(crate) hash_prefix: [u8; 8],
    pub(crate) spelling: [u8; 8],
    /// What it says, where somebody asks.
    pub(crate) record: Option<Record>,
    /// What it stands on.
    pub(crate) depends_on: Vec<Place>,
}

pub(crate) struct Ledger {
    pub(crate) registry: Registry,
    pub(crate) aliases: BTreeMap<(InstitutionId, Alias), LearnerState>,
    pub(crate) held: BTreeMap<Place, Held>,
    /// Who sealed the entries of the log.
    pub(crate) sealings: BTreeMap<LogIndex, Sealing>,
    /// What they say, where somebody asks.
    pub(crate) said: BTreeMap<LogIndex, Said>,
}

impl Ledger {
    /// A ledger without any entry.
    pub(crate) fn new() -> Self {
        let (aliases, held, sealings, said) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { registry: Registry::new(ORIGIN), aliases, held, sealings, said }
    }

    /// Puts an entry into the registry that must be admitted.
    pub(crate) fn admit(&mut self, record: RegistryRecord<'_>) {
        let kind = record.kind;
        self.registry.admit(record).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}

impl View for Ledger {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        self.aliases.get(&(institution, *alias)).copied()
    }

    fn held(
        &self,
        account: &AccountId,
        institution: InstitutionId,
        key: &CourseKey,
    ) -> Result<Vec<HeldRecord>, ViewError> {
        let of = |held: &Held| {
            let kept_at = [held.facts.institution, institution].map(|at| key.kept_at(at));
            (&held.facts.account, &held.key) == (account, key) && kept_at[0] == kept_at[1]
        };
        let shown = |(place, held): (&Place, &Held)| HeldRecord {
            place: *place,
            kind: held.facts.kind,
            repeats_max: held.repeats_max,
            hash_prefix: held.hash_prefix,
            spelling: held.spelling,
            marks: held.facts.marks,
        };
        Ok(self.held.iter().filter(|(_, held)| of(held)).map(shown).collect())
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        Ok(self.held.get(&place).map(|held| held.facts.clone()))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        Ok(self.held.get(&place).and_then(|held| Some((held.facts.clone(), held.record.clone()?))))
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        let on = |held: &Held| held.depends_on.contains(&place);
        Ok(self.held.iter().filter(|(_, held)| on(held)).map(|(place, _)| *place).collect())
    }

    fn documents(&self, number: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        let has = |held: &Held| {
            let award = held.record.as_ref().filter(|record| record.kind() == Kind::Award);
            let award = award.and_then(|record| record.read::<Award>().ok());
            award.is_some_and(|award| DocumentKey::of_award(&award, held.facts.institution).contains(number))
        };
        Ok(self.held.iter().filter(|(_, held)| has(held)).map(|(place, _)| *place).collect())
    }

    fn papers(&self, paper: &PaperKey) -> Result<Vec<Place>, ViewError> {
        let stands_on = |held: &Held| {
            let read = held.record.as_ref().map(|record| PaperKey::of_record(record, held.facts.institution));
            read.and_then(Result::ok).flatten().as_ref() == Some(paper)
        };
        Ok(self.held.iter().filter(|(_, held)| stands_on(held)).map(|(place, _)| *place).collect())
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        Ok(self.sealings.get(&entry).cloned())
    }

    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError> {
        Ok(self.said.get(&entry).cloned())
    }
}

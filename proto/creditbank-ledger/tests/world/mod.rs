//! A small ledger in memory, as the read models look at it.
#![allow(dead_code)] // Each of the tests uses a part of it.

use std::collections::BTreeMap;

use creditbank_ledger::read::{MarkedRecord, ProofView, ReadView};
use creditbank_ledger::state::LastSeal;
use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::dates::{Day, first_day};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Action, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::{Mark, Marks, Named};
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::{
    CourseKey, DocumentKey, HeldRecord, LearnerState, PaperKey, RecordFacts, Registry, RegistryRecord, Said, Sealing,
    View, ViewError, seed,
};

pub(crate) const ACCOUNT: AccountId = AccountId([9; 16]);
pub(crate) const OWN: InstitutionId = InstitutionId(1);
pub(crate) const OTHER: InstitutionId = InstitutionId(2);
const DAY_MS: u64 = 86_400_000;

pub(crate) fn day(month: u32, day: u32) -> Day {
    first_day(&pb::Date { year: 2026, month, day })
}

/// A ledger of one learner's records. `broken` places cannot be read.
pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) records: BTreeMap<Place, (RecordFacts, Record)>,
    pub(crate) broken: Vec<Place>,
    pub(crate) blocks: BTreeMap<LogIndex, SignedBlock>,
    /// Log indices of the seals: the first one, those of the rounds, the last one.
    pub(crate) seals: Vec<u64>,
    /// Blocks with which another registry key has taken over.
    pub(crate) successions: Vec<LogIndex>,
    pub(crate) log_keys: Vec<(Place, LogIndex)>,
    /// Where registry entries were published.
    pub(crate) published: BTreeMap<RegistryKey, Place>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::new("test.example/log");
        let mut admit = |kind, body: &[u8]| {
            registry.admit(RegistryRecord::of_operator(kind, body)).unwrap();
        };
        let name = pb::Text { language: "en".to_owned(), value: "An institution".to_owned() };
        let institution = |number: u64, kind: pb::InstitutionType, country: &str| pb::Institution {
            number,
            state: pb::RegistryState::Active.into(),
            r#type: kind.into(),
            country: country.to_owned(),
            names: vec![pb::DatedName { name: Some(name.clone()), ..Default::default() }],
            ..Default::default()
        };
        admit(Kind::Institution, &encode(&institution(0, pb::InstitutionType::Operator, "")).unwrap());
        seed::entries().unwrap().iter().for_each(|(kind, body)| admit(*kind, body));
        for number in [1, 2] {
            admit(Kind::Institution, &encode(&institution(number, pb::InstitutionType::University, "GB")).unwrap());
        }
        Self {
            registry,
            records: BTreeMap::new(),
            broken: Vec::new(),
            blocks: BTreeMap::new(),
            seals: Vec::new(),
            successions: Vec::new(),
            log_keys: Vec::new(),
            published: BTreeMap::new(),
        }
    }

    pub(crate) fn hold<M: Canonical>(
        &mut self,
        entry: u64,
        institution: InstitutionId,
        kind: Kind,
        body: &M,
        marks: Marks,
    ) -> Place {
        let place = Place::new(entry, 0);
        let record = Record::of(kind, &[u8::try_from(entry).unwrap(); 32], encode(body).unwrap()).unwrap();
        let status_id = Digest([u8::try_from(entry).unwrap(); 32]);
        let facts = RecordFacts { kind, institution, account: ACCOUNT, status_id, marks };
        self.records.insert(place, (facts, record));
        place
    }

    fn find(&self, place: Place) -> Result<Option<&(RecordFacts, Record)>, ViewError> {
        if self.broken.contains(&place) {
            return Err(ViewError::Damaged(place.to_string()));
        }
        Ok(self.records.get(&place))
    }
}

impl View for World {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn learner(&self, _: InstitutionId, _: &Alias) -> Option<LearnerState> {
        Some(LearnerState { account: ACCOUNT, open: true })
    }

    fn held(&self, _: &AccountId, _: InstitutionId, _: &CourseKey) -> Result<Vec<HeldRecord>, ViewError> {
        Ok(Vec::new())
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        Ok(self.find(place)?.map(|(facts, _)| facts.clone()))
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        Ok(self.find(place)?.cloned())
    }

    fn dependants(&self, _: Place) -> Result<Vec<Place>, ViewError> {
        Ok(Vec::new())
    }

    fn documents(&self, _: &DocumentKey) -> Result<Vec<Place>, ViewError> {
        Ok(Vec::new())
    }

    fn papers(&self, _: &PaperKey) -> Result<Vec<Place>, ViewError> {
        Ok(Vec::new())
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        let days = u64::try_from(day(6, 1)).unwrap() + entry.0;
        Ok(Some(Sealing { key_id: KeyId([0; 16]), approvers: Vec::new(), sealed_at_ms: days * DAY_MS }))
    }

    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError> {
        let said = |block: &SignedBlock| Said { records: block.header().count, groups: block.public().groups.clone() };
        Ok(self.blocks.get(&entry).map(said))
    }
}

impl ReadView for World {
    fn learner_places(&self, account: &AccountId) -> Result<Vec<Place>, ViewError> {
        Ok(self.records.iter().filter(|(_, (facts, _))| facts.account == *account).map(|(place, _)| *place).collect())
    }

    fn application_places(&self, institution: InstitutionId) -> Result<Vec<Place>, ViewError> {
        let received = |facts: &RecordFacts| facts.kind == Kind::Application && facts.institution == institution;
        Ok(self.records.iter().filter(|(_, (facts, _))| received(facts)).map(|(place, _)| *place).collect())
    }

    fn marked(&self, mark: Mark) -> Result<Vec<MarkedRecord>, ViewError> {
        let marked = |(place, (facts, _)): (&Place, &(RecordFacts, Record))| {
            let since = facts.marks.get(mark)?;
            Some(MarkedRecord { place: *place, status_id: facts.status_id, since })
        };
        Ok(self.records.iter().filter_map(marked).collect())
    }

    fn issuer(&self, place: Place) -> Result<Option<InstitutionId>, ViewError> {
        Ok(self.records.get(&place).map(|(facts, _)| facts.institution))
    }

    fn alias(&self, institution: InstitutionId, _: &AccountId) -> Alias {
        Alias([u8::try_from(institution.0).unwrap(); 16])
    }
}

impl ProofView for World {
    fn last_seal(&self) -> Option<LastSeal> {
        let index = LogIndex(*self.seals.last()?);
        let time_ms = u64::try_from(day(6, 1)).unwrap() * DAY_MS;
        Some(LastSeal { id: Digest::ZERO, index, time_ms, records_total: 0 })
    }

    fn seal_of(&self, entry: LogIndex) -> Result<LogIndex, ViewError> {
        let seal = self.seals.iter().find(|seal| **seal >= entry.0);
        seal.map(|seal| LogIndex(*seal)).ok_or_else(|| ViewError::Missing(entry.to_string()))
    }

    fn block(&self, entry: LogIndex) -> Result<SignedBlock, ViewError> {
        self.blocks.get(&entry).cloned().ok_or_else(|| ViewError::Damaged(entry.to_string()))
    }

    fn marks_of(&self, status_id: &Digest) -> Marks {
        let facts = self.records.values().map(|(facts, _)| facts);
        facts.into_iter().find(|facts| facts.status_id == *status_id).map_or_else(Marks::default, |facts| facts.marks)
    }

    fn registry_at(&self, _: LogIndex) -> &Registry {
        &self.registry
    }

    fn published_at(&self, _: LogIndex, key: &RegistryKey) -> Option<Place> {
        self.published.get(key).copied()
    }

    fn successions(&self) -> Vec<LogIndex> {
        self.successions.clone()
    }

    fn log_keys(&self) -> Vec<(Place, LogIndex)> {
        self.log_keys.clone()
    }
}

/// The key under which an institution signs blocks.
pub(crate) fn key_of(institution: InstitutionId) -> KeyId {
    KeyId([u8::try_from(institution.0).unwrap(); 16])
}

/// A block of the operator with `count` institutions, under a key.
pub(crate) fn registering(height: u64, key_id: KeyId, count: u8) -> SignedBlock {
    let record = |number: u8| {
        let entry = pb::Institution { number: u64::from(number) + 1, ..Default::default() };
        Record::of(Kind::Institution, &[0; 32], encode(&entry).unwrap()).unwrap()
    };
    let draft = BlockDraft {
        origin: "test.example/log".to_owned(),
        unit: UnitId::OPERATOR,
        height,
        previous: Digest([1; 32]),
        operation_id: [1; 16],
        created_at_minute: 1,
        key_id,
    };
    let records: Vec<Record> = (0..count).map(record).collect();
    SignedBlock::parse(&draft.sign(&records, Vec::new(), None, |_| [1; 64]).unwrap()).unwrap()
}

/// A block of an institution that confirms, by some right, the records with these status ids; by a custodian's, for the
/// first institution.
pub(crate) fn block(institution: InstitutionId, basis: pb::Basis, status_ids: &[Digest]) -> SignedBlock {
    block_doing(Action::Confirm, institution, basis, status_ids)
}

/// A block of an institution that does something, by some right, to the records with these status ids.
pub(crate) fn block_doing(
    action: Action,
    institution: InstitutionId,
    basis: pb::Basis,
    status_ids: &[Digest],
) -> SignedBlock {
    let draft = BlockDraft {
        origin: "test.example/log".to_owned(),
        unit: UnitId { institution, number: 1 },
        height: 0,
        previous: Digest([1; 32]),
        operation_id: [1; 16],
        created_at_minute: 1,
        key_id: key_of(institution),
    };
    let place = Some(pb::Place { entry: 1, index: 0 });
    let effect =
        |id: &Digest| pb::Effect { status_id: id.0.to_vec(), place, action: action.into(), ..Default::default() };
    let closed = if basis == pb::Basis::Custodian { OWN.0 } else { 0 };
    let group = |id: &Digest| {
        let authority = Some(pb::Authority { basis: basis.into(), institution: closed, ..Default::default() });
        pb::EffectGroup { authority, effects: vec![effect(id)] }
    };
    let bytes = draft.sign(&[], status_ids.iter().map(group).collect(), None, |_| [1; 64]).unwrap();
    SignedBlock::parse(&bytes).unwrap()
}

pub(crate) fn credit(e4: u64) -> pb::Credit {
    pb::Credit {
        learner: vec![1; 16],
        amount: Some(pb::Amount { e4, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        ..Default::default()
    }
}

pub(crate) fn marked(action: Action, entry: u64) -> Marks {
    Marks::default().after(action, entry, Named::default()).unwrap()
}

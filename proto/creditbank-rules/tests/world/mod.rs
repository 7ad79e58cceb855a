//! A small ledger in memory: one university with everything that it needs, and a learner.

use std::collections::BTreeMap;

use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key::{KeyId, possession_message, sign};
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_protocol::record::{Record, SUITE};
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place, UnitId};
use creditbank_rules::admission::{AdmissionError, Admitted, BlockFacts, admit_block};
use creditbank_rules::{
    CourseKey, HeldRecord, LearnerState, RecordFacts, Registry, RegistryRecord, Rejection, Sealing, View, ViewError,
    seed,
};
use ed25519_dalek::SigningKey;

/// 2026-11-23 in milliseconds since 1970.
pub(crate) const NOW_MS: u64 = 20_780 * 86_400_000;
pub(crate) const ALIAS: Alias = Alias([1; 16]);
/// The same learner at institution 2.
pub(crate) const OTHER_ALIAS: Alias = Alias([3; 16]);
pub(crate) const CLOSED_ALIAS: Alias = Alias([2; 16]);
pub(crate) const ACCOUNT: AccountId = AccountId([9; 16]);

pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) key: SigningKey,
    /// Records that the ledger holds, with their courses.
    pub(crate) records: BTreeMap<Place, RecordFacts>,
    pub(crate) hashes: BTreeMap<Place, [u8; 8]>,
    /// What the records say, and what stands on them.
    pub(crate) contents: BTreeMap<Place, Record>,
    pub(crate) dependants: BTreeMap<Place, Vec<Place>>,
    /// With which of the learner's records each is counted.
    pub(crate) keys: BTreeMap<Place, CourseKey>,
    /// How often the course of a record may count again.
    pub(crate) repeats: BTreeMap<Place, u32>,
    /// Who sealed the entries of the log.
    pub(crate) sealings: BTreeMap<LogIndex, Sealing>,
}

impl View for World {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState> {
        let state = |open| LearnerState { account: ACCOUNT, open };
        match *alias {
            ALIAS if institution == InstitutionId(1) => Some(state(true)),
            OTHER_ALIAS if institution == InstitutionId(2) => Some(state(true)),
            CLOSED_ALIAS => Some(state(false)),
            _ => None,
        }
    }

    fn held(
        &self,
        account: &AccountId,
        institution: InstitutionId,
        key: &CourseKey,
    ) -> Result<Vec<HeldRecord>, ViewError> {
        let of = |place: &Place, facts: &RecordFacts| {
            (&facts.account, facts.institution, self.keys.get(place)) == (account, institution, Some(key))
        };
        let found = self.records.iter().filter(|(place, facts)| of(place, facts));
        Ok(found
            .map(|(place, facts)| HeldRecord {
                place: *place,
                kind: facts.kind,
                repeats_max: (facts.kind == Kind::Credit).then(|| self.repeats.get(place).copied().unwrap_or(0)),
                hash_prefix: self.hashes.get(place).copied().unwrap_or_default(),
                marks: facts.marks,
            })
            .collect())
    }

    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError> {
        Ok(self.records.get(&place).cloned())
    }

    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError> {
        Ok(self.records.get(&place).cloned().zip(self.contents.get(&place).cloned()))
    }

    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError> {
        Ok(self.dependants.get(&place).cloned().unwrap_or_default())
    }

    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError> {
        Ok(self.sealings.get(&entry).copied())
    }
}

pub(crate) fn text(value: &str) -> pb::Text {
    pb::Text { language: "en".to_owned(), value: value.to_owned() }
}

pub(crate) fn date(year: u32, month: u32, day: u32) -> pb::Date {
    pb::Date { year, month, day }
}

pub(crate) fn institution(number: u64) -> pb::Institution {
    pb::Institution {
        number,
        state: pb::RegistryState::Active.into(),
        r#type: pb::InstitutionType::University.into(),
        country: "GB".to_owned(),
        names: vec![pb::DatedName { name: Some(text("A university")), ..Default::default() }],
        ..Default::default()
    }
}

pub(crate) fn unit(institution: u64) -> pb::Unit {
    let state = pb::RegistryState::Active.into();
    pb::Unit { institution, unit: 1, state, names: vec![text("Registry")], ..Default::default() }
}

pub(crate) fn key(institution: u64, unit: u32, key: &SigningKey, kinds: &[Kind]) -> pb::Key {
    key_for(Purpose::Unit, institution, unit, key, kinds)
}

pub(crate) fn key_for(purpose: Purpose, institution: u64, unit: u32, key: &SigningKey, kinds: &[Kind]) -> pb::Key {
    let public_key = key.verifying_key().to_bytes();
    let message = possession_message(
        "test.example/log",
        creditbank_protocol::UnitId::new(institution, unit),
        purpose,
        &public_key,
    );
    pb::Key {
        public_key: public_key.to_vec(),
        suite: u32::from(SUITE),
        purpose: purpose.into(),
        institution,
        unit,
        kinds: kinds.iter().map(|kind| i32::from(*kind)).collect(),
        possession: sign(key, message.as_bytes()).to_vec(),
        ..Default::default()
    }
}

pub(crate) fn accreditation() -> pb::Accreditation {
    pb::Accreditation {
        institution: 1,
        number: 1,
        body: "Royal Charter".to_owned(),
        from: Some(date(1969, 1, 0)),
        until: Some(date(2030, 12, 31)),
        ..Default::default()
    }
}

pub(crate) fn credit() -> pb::Credit {
    pb::Credit {
        learner: ALIAS.0.to_vec(),
        course: Some(pb::Course { code: "AAA".to_owned(), titles: vec![text("A course")] }),
        amount: Some(pb::Amount { e4: 60_0000, unit: "CATS".to_owned() }),
        level: Some(pb::Level { framework: "FHEQ".to_owned(), level: "6".to_owned() }),
        period: Some(pb::Period { from: Some(date(2026, 2, 0)), until: Some(date(2026, 9, 0)) }),
        ..Default::default()
    }
}

pub(crate) fn result() -> pb::Result {
    pb::Result {
        learner: ALIAS.0.to_vec(),
        course: Some(pb::Course { code: "AAA".to_owned(), titles: vec![text("A course")] }),
        status: pb::ResultStatus::Failed.into(),
        ..Default::default()
    }
}

pub(crate) fn identity() -> pb::Identity {
    pb::Identity {
        learner: ALIAS.0.to_vec(),
        names: vec![pb::PersonName { language: "en".to_owned(), full: "A B".to_owned(), ..Default::default() }],
        birth_date: Some(date(1990, 1, 1)),
        document: pb::DocumentType::Passport.into(),
        assurance: pb::Assurance::High.into(),
        amends: None,
    }
}

pub(crate) fn outcome(kind: pb::OutcomeType) -> pb::Outcome {
    pb::Outcome {
        learner: ALIAS.0.to_vec(),
        r#type: kind.into(),
        course: Some(pb::Course { code: String::new(), titles: vec![text("A test")] }),
        ..Default::default()
    }
}

/// A record with the body of a kind; `salt` tells records of the same content apart.
pub(crate) fn record<M: Canonical>(kind: Kind, body: &M, salt: u8) -> Record {
    let body = encode(body).expect("the body is canonical");
    Record::of(kind, &[salt; 32], body).expect("a record")
}

impl World {
    pub(crate) fn new() -> Self {
        let key = SigningKey::from_bytes(&[5; 32]);
        let mut world = Self {
            registry: Registry::new("test.example/log"),
            key,
            records: BTreeMap::new(),
            hashes: BTreeMap::new(),
            contents: BTreeMap::new(),
            dependants: BTreeMap::new(),
            keys: BTreeMap::new(),
            repeats: BTreeMap::new(),
            sealings: BTreeMap::new(),
        };
        let operator =
            pb::Institution { r#type: pb::InstitutionType::Operator.into(), country: String::new(), ..institution(0) };
        world.set(Kind::Institution, &operator);
        for (kind, body) in seed::entries().expect("the seed is canonical") {
            world.registry.admit(RegistryRecord::of_operator(kind, &body)).expect("the seed is admitted");
        }
        world.set(Kind::Institution, &institution(1));
        world.set(Kind::Institution, &institution(2));
        world.set(Kind::Unit, &unit(1));
        let kinds = [Kind::Identity, Kind::Outcome, Kind::Credit, Kind::Result];
        let entry = self::key(1, 1, &world.key, &kinds);
        world.set(Kind::Key, &entry);
        world.set(Kind::Accreditation, &accreditation());
        world
    }

    /// Sets a registry entry that must be admitted.
    pub(crate) fn set<M: Canonical>(&mut self, kind: Kind, entry: &M) {
        self.try_set(kind, entry).expect("the entry is admitted");
    }

    pub(crate) fn try_set<M: Canonical>(&mut self, kind: Kind, entry: &M) -> Result<(), Rejection> {
        let body = encode(entry).expect("the entry is canonical");
        self.registry.admit(RegistryRecord::of_operator(kind, &body)).map(|_| ())
    }

    pub(crate) fn key_id(&self) -> KeyId {
        KeyId::of(&self.key.verifying_key().to_bytes())
    }

    /// Puts a record into the ledger, with a status id of its place.
    pub(crate) fn hold(
        &mut self,
        place: Place,
        record: &Record,
        institution: impl Into<InstitutionId>,
        course: &str,
        marks: Marks,
    ) {
        let facts = RecordFacts {
            kind: record.kind(),
            institution: institution.into(),
            account: ACCOUNT,
            status_id: Digest([7; 32]),
            marks,
        };
        self.keys.insert(place, CourseKey::Course(course.to_owned()));
        self.records.insert(place, facts);
        self.contents.insert(place, record.clone());
        self.hashes.insert(place, std::array::from_fn(|i| record.hash().0[i]));
    }

    pub(crate) fn facts<'a>(&self, records: &'a [Record], groups: &'a [pb::EffectGroup]) -> BlockFacts<'a> {
        BlockFacts {
            unit: UnitId::new(1, 1),
            key_id: self.key_id(),
            approver: None,
            sealed_at_ms: NOW_MS,
            records,
            groups,
        }
    }

    pub(crate) fn admit(&self, records: &[Record]) -> Result<Vec<Admitted>, AdmissionError> {
        Ok(admit_block(self, &self.facts(records, &[]))?.into_iter().flatten().collect())
    }
}

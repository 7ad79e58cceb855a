//! A ledger with one university that has everything it needs, and a learner.

use creditbank_protocol::Digest;
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{InstitutionId, Place, UnitId};
use creditbank_rules::admission::{AdmissionError, Admitted, BlockFacts, admit_block};
use creditbank_rules::once::Once;
use creditbank_rules::{CourseKey, LearnerState, RecordFacts, RegistryRecord, Rejection, course_code};
use ed25519_dalek::SigningKey;

use crate::fixtures::*;
use crate::ledger::{Held, Ledger};

/// 2026-11-23 in milliseconds since 1970.
pub(crate) const NOW_MS: u64 = 20_780 * 86_400_000;

pub(crate) struct World {
    pub(crate) ledger: Ledger,
    /// The key of unit 1 of institution 1.
    pub(crate) key: SigningKey,
    /// What earlier blocks have used up.
    pub(crate) once: Once,
}

impl World {
    pub(crate) fn new() -> Self {
        let key = SigningKey::from_bytes(&[5; 32]);
        let mut world = Self { ledger: Ledger::new(), key, once: Once::default() };
        let aliases = [(1, ALIAS, true), (2, OTHER_ALIAS, true), (1, CLOSED_ALIAS, false)];
        let known =
            |(institution, alias, open)| ((InstitutionId(institution), alias), LearnerState { account: ACCOUNT, open });
        world.ledger.aliases.extend(aliases.map(known));
        world.set(Kind::Institution, &operator());
        admit_seed(&mut world.ledger.registry);
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
        self.ledger.registry.admit(RegistryRecord::of_operator(kind, &body)).map(|_| ())
    }

    pub(crate) fn key_id(&self) -> KeyId {
        KeyId::of(&self.key.verifying_key().to_bytes())
    }

    /// Puts a record of a course into the ledger; of a Credit the course counts once.
    pub(crate) fn hold(
        &mut self,
        place: Place,
        record: &Record,
        institution: impl Into<InstitutionId>,
        course: &str,
        marks: Marks,
    ) {
        let (kind, institution) = (record.kind(), institution.into());
        let held = Held {
            facts: RecordFacts { kind, institution, account: ACCOUNT, status_id: Digest([7; 32]), marks },
            key: CourseKey::course(course),
            repeats_max: (kind == Kind::Credit).then_some(0),
            hash_prefix: std::array::from_fn(|i| record.hash().0[i]),
            spelling: course_code::spelling(course),
            record: Some(record.clone()),
            depends_on: Vec::new(),
        };
        self.ledger.held.insert(place, held);
    }

    pub(crate) fn facts<'a>(&'a self, records: &'a [Record], groups: &'a [pb::EffectGroup]) -> BlockFacts<'a> {
        BlockFacts {
            unit: UnitId::new(1, 1),
            key_id: self.key_id(),
            approvals: &[],
            created_at_minute: NOW_MS / 60_000,
            sealed_at_ms: NOW_MS,
            records,
            groups,
            once: &self.once,
        }
    }

    pub(crate) fn admit(&self, records: &[Record]) -> Result<Vec<Admitted>, AdmissionError> {
        Ok(admit_block(&self.ledger, &self.facts(records, &[]))?.into_iter().flatten().collect())
    }
}

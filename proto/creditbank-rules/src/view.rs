//! What the rules may look at.

use creditbank_protocol::block::SignedHead;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{Effect, EffectGroup, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::status::Marks;
use creditbank_protocol::{AccountId, Alias, Digest, InstitutionId, LogIndex, Place};

use crate::{CourseKey, DocumentKey, PaperKey, Registry};

/// The ledger could not be read. Says nothing about the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// What is stored is not what was stored. It stays so until whoever keeps the ledger mends it.
    #[error("what the ledger has stored is damaged: {0}")]
    Damaged(String),
    /// What must be there is not. It stays so until whoever keeps the ledger mends it.
    #[error("the ledger lacks what it must have stored: {0}")]
    Missing(String),
    /// Not now. The same question may be answered later.
    #[error("the ledger cannot be read now: {0}")]
    Unavailable(String),
}

/// Most records of one learner at one institution under one key.
pub const HELD_MAX: usize = 10_000;

/// A learner's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LearnerState {
    /// The account number.
    pub account: AccountId,
    /// Whether records may be added.
    pub open: bool,
}

/// A record that the ledger holds for a learner under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
    /// How often the course may count again, as the record says; `None` where it is no Credit.
    pub repeats_max: Option<u32>,
    /// First bytes of its hash.
    pub hash_prefix: [u8; 8],
    /// Of a record of a course: how its code is [spelled](crate::course_code::spelling). Else zero.
    pub spelling: [u8; 8],
    /// The marks against it.
    pub marks: Marks,
}

/// What an amendment or an effect must know of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFacts {
    /// What it is.
    pub kind: Kind,
    /// Whose record it is: who issued it, or the closed institution whose record it amends.
    pub institution: InstitutionId,
    /// The learner's account.
    pub account: AccountId,
    /// Its identity in the status tree.
    pub status_id: Digest,
    /// The marks against it.
    pub marks: Marks,
}

/// Who sealed a block, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealing {
    /// The key that signed it.
    pub key_id: KeyId,
    /// The keys that approved it.
    pub approvers: Vec<KeyId>,
    /// Time of the seal of its round, milliseconds since 1970.
    pub sealed_at_ms: u64,
}

impl Sealing {
    /// Who sealed the block with this head, at a time.
    pub fn of(head: &SignedHead, sealed_at_ms: u64) -> Self {
        Self { key_id: head.header().key_id, approvers: head.key_ids().skip(1).collect(), sealed_at_ms }
    }

    /// The keys of all who stand by the block: the one that signed it, then those that approved it.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        std::iter::once(&self.key_id).chain(&self.approvers)
    }
}

/// What a block says in public of its records and of those of others.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Said {
    /// How many records it has.
    pub records: u32,
    /// Its effects, as the log shows them: not each with the place of its record.
    pub groups: Vec<EffectGroup>,
}

impl Said {
    /// The effects, whatever their right.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.groups.iter().flat_map(|group| &group.effects)
    }
}

/// The ledger as the rules see it: the registry in force, and the records up to and with those of the round so far.
pub trait View {
    /// The registry in force during the round.
    fn registry(&self) -> &Registry;
    /// The account that an institution's alias stands for.
    fn learner(&self, institution: InstitutionId, alias: &Alias) -> Option<LearnerState>;
    /// The records of a learner at one institution under one key, by place; of a key that counts once for all institutions,
    /// those of all ([`CourseKey::kept_at`]). Of more than [`HELD_MAX`] at least one more than that.
    fn held(
        &self,
        account: &AccountId,
        institution: InstitutionId,
        key: &CourseKey,
    ) -> Result<Vec<HeldRecord>, ViewError>;
    /// The learner's record at a place.
    fn record_at(&self, place: Place) -> Result<Option<RecordFacts>, ViewError>;
    /// The learner's record at a place, with what it says; also of a block that is sealed in the same round.
    fn content_at(&self, place: Place) -> Result<Option<(RecordFacts, Record)>, ViewError>;
    /// Places of the records that stand on the one at a place, whatever their marks.
    fn dependants(&self, place: Place) -> Result<Vec<Place>, ViewError>;
    /// Places of the awards that have a document with this number, whatever their marks.
    fn documents(&self, number: &DocumentKey) -> Result<Vec<Place>, ViewError>;
    /// Places of the records that stand on this paper, whatever their marks, by place.
    fn papers(&self, paper: &PaperKey) -> Result<Vec<Place>, ViewError>;
    /// Who sealed the block at a log index.
    fn sealing(&self, entry: LogIndex) -> Result<Option<Sealing>, ViewError>;
    /// What the block at a log index says; `None` where no block stands there.
    fn said(&self, entry: LogIndex) -> Result<Option<Said>, ViewError>;
}

//! A log in memory: an operator, two institutions with a unit each, and the entries that they make.

use creditbank_ledger::replay::{Contradiction, Prepared, Replay, SignatureCheck};
use creditbank_ledger::state::{Applied, Closed, LogKeys, LogState, OpenRound, ReadBlock, Refusal};
use creditbank_protocol::block::{BlockDraft, SignedBlock};
use creditbank_protocol::canonical::{Canonical, encode};
use creditbank_protocol::entry::{BlockEntries, Entry};
use creditbank_protocol::key::{KeyId, commitment, possession_message, sign};
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, Action, Authority, Basis, Effect, EffectGroup, EffectReason, Kind, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record, SUITE};
use creditbank_protocol::seal::Seal;
use creditbank_protocol::status::status_id;
use creditbank_protocol::{Digest, Place, UnitId};
use ed25519_dalek::SigningKey;

pub(crate) const ORIGIN: &str = "test.example/log";
/// 2026-11-23 in milliseconds since 1970.
pub(crate) const NOW_MS: u64 = 20_780 * 86_400_000;
pub(crate) const ONE: UnitId = UnitId { institution: creditbank_protocol::InstitutionId(1), number: 1 };
pub(crate) const TWO: UnitId = UnitId { institution: creditbank_protocol::InstitutionId(2), number: 1 };

pub(crate) fn signing_key(number: u64) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(number).expect("a small number") + 1; 32])
}

/// Who signs blocks of an institution; 0 is the operator.
pub(crate) fn key_of(institution: u64) -> SigningKey {
    signing_key(institution)
}

pub(crate) fn log_key() -> SigningKey {
    signing_key(100)
}

/// A log key that follows.
pub(crate) fn next_log_key() -> SigningKey {
    signing_key(101)
}

pub(crate) fn keys() -> LogKeys {
    LogKeys {
        origin: ORIGIN.to_owned(),
        log_key: log_key().verifying_key().to_bytes(),
        registry_key: key_of(0).verifying_key().to_bytes(),
        next_registry_key: commitment(&signing_key(200).verifying_key().to_bytes()),
    }
}

/// A log that grows, and its entries.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) state: LogState,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) time_ms: u64,
}

/// A block as it is signed, of which anything may be wrong.
pub(crate) struct Draft {
    pub(crate) header: BlockDraft,
    pub(crate) records: Vec<Record>,
    pub(crate) groups: Vec<EffectGroup>,
    pub(crate) approvals: Vec<pb::Approval>,
    pub(crate) key: SigningKey,
}

impl Draft {
    fn block(&self) -> SignedBlock {
        let (groups, approvals) = (self.groups.clone(), self.approvals.clone());
        let signed = self.header.sign(&self.records, groups, approvals, |message| sign(&self.key, message));
        SignedBlock::parse(&signed.expect("a block")).expect("a block")
    }

    pub(crate) fn entries(&self) -> BlockEntries {
        BlockEntries::of(&self.block())
    }

    pub(crate) fn read(&self) -> ReadBlock {
        let entries = self.entries();
        ReadBlock::public(self.block(), leaf_hash(&entries.head), entries.public.as_deref().map(leaf_hash))
    }
}

/// Applies a block that must follow.
pub(crate) fn apply(round: &mut OpenRound, block: &ReadBlock) -> Result<Applied, Refusal> {
    let checked = round.check(block)?;
    round.apply(checked)
}

impl Log {
    /// A log with a registry of two institutions.
    pub(crate) fn new() -> Self {
        let mut log = Self { state: LogState::new(keys()), entries: Vec::new(), time_ms: NOW_MS };
        let first = log.draft(UnitId::OPERATOR, founding(), Vec::new());
        log.round(&[first]);
        log
    }

    /// The next block of a unit.
    pub(crate) fn draft(&self, unit: UnitId, records: Vec<Record>, groups: Vec<EffectGroup>) -> Draft {
        let head = self.state.chain(unit).expect("an admitted unit");
        let key = key_of(unit.institution.0);
        let header = BlockDraft {
            origin: self.state.origin().to_owned(),
            unit,
            height: head.next_height,
            previous: head.previous,
            operation_id: [7; 16],
            created_at_minute: self.time_ms / 60_000,
            key_id: KeyId::of(&key.verifying_key().to_bytes()),
        };
        Draft { header, records, groups, approvals: Vec::new(), key }
    }

    /// Seals blocks as the next round.
    pub(crate) fn round(&mut self, blocks: &[Draft]) -> (Vec<Applied>, Closed) {
        let mut round = self.state.open(self.time_ms);
        let mut applied = Vec::new();
        for block in blocks {
            self.entries.extend(block.entries().into_vec());
            applied.push(apply(&mut round, &block.read()).expect("the block follows"));
        }
        let draft = round.draft_seal();
        let mut signers = [log_key(), next_log_key()].into_iter();
        let signer = signers.find(|key| key.verifying_key().to_bytes() == round.log_key(draft.index));
        let seal = seal_by(&draft, &signer.expect("one of the two log keys"));
        let Ok(Entry::Seal(signed)) = Entry::parse(&seal) else { panic!("a seal") };
        let closed = round.close(&signed, leaf_hash(&seal)).expect("the seal closes the round");
        self.entries.push(seal);
        self.state = closed.state.clone();
        self.time_ms += 1_000;
        (applied, closed)
    }

    /// A block with hidden records of a unit as a round of its own; the place of the first of them.
    pub(crate) fn issue(&mut self, unit: UnitId, salts: &[u8]) -> Place {
        let place = Place::new(self.state.size(), 0);
        let block = self.draft(unit, salts.iter().map(|salt| credit(*salt)).collect(), Vec::new());
        self.round(&[block]);
        place
    }

    /// An effect on the record with a salt, by the right of its issuer.
    pub(crate) fn effect(&self, place: Place, salt: u8, action: Action) -> EffectGroup {
        let entry = &self.entries[usize::try_from(place.entry.0).expect("small")];
        let id = status_id(&leaf_hash(entry), place.index, &credit(salt).hash());
        effect(place, id, action)
    }
}

pub(crate) fn effect(place: Place, id: Digest, action: Action) -> EffectGroup {
    let reason = if action == Action::Revoke { EffectReason::Error } else { EffectReason::Unspecified };
    let effect = Effect {
        status_id: id.0.to_vec(),
        place: place.written(),
        action: action.into(),
        reason: reason.into(),
        redemption_plus_1: 0,
        contested_plus_1: 0,
    };
    let basis = if action == Action::Review { Basis::Dependency } else { Basis::Issuer };
    let authority = Authority { basis: basis.into(), ..Default::default() };
    EffectGroup { authority: Some(authority), effects: vec![effect] }
}

/// The entry of a seal, signed by the log key.
pub(crate) fn seal(seal: &Seal) -> Vec<u8> {
    seal_by(seal, &log_key())
}

/// The same, by any key.
pub(crate) fn seal_by(seal: &Seal, key: &SigningKey) -> Vec<u8> {
    seal.sign(|message| sign(key, message)).expect("a seal")
}

/// Replays entries and verifies every signature that the replay names.
pub(crate) fn replay(entries: &[Vec<u8>]) -> Result<Replay, Contradiction> {
    let mut replay = Replay::new(keys());
    let mut checks = Vec::new();
    let ended = entries.iter().try_for_each(|entry| replay.apply(Prepared::new(entry), &mut checks).map(|_| ()));
    checks.iter().try_for_each(SignatureCheck::verify)?;
    ended.map(|()| replay)
}

fn text(value: &str) -> pb::Text {
    pb::Text { language: "en".to_owned(), value: value.to_owned() }
}

pub(crate) fn registry_record<M: Canonical>(kind: Kind, body: &M) -> Record {
    Record::of(kind, &PUBLIC_SEED, encode(body).expect("canonical")).expect("a record")
}

pub(crate) fn institution(number: u64) -> pb::Institution {
    let operator = number == 0;
    pb::Institution {
        number,
        state: pb::RegistryState::Active.into(),
        r#type: if operator { pb::InstitutionType::Operator } else { pb::InstitutionType::University }.into(),
        country: if operator { String::new() } else { "GB".to_owned() },
        names: vec![pb::DatedName { name: Some(text("A name")), ..Default::default() }],
        ..Default::default()
    }
}

pub(crate) fn unit(institution: u64, number: u32) -> pb::Unit {
    let state = pb::RegistryState::Active.into();
    pb::Unit { institution, unit: number, state, names: vec![text("Registry")], ..Default::default() }
}

pub(crate) fn key(institution: u64) -> pb::Key {
    let signing = key_of(institution);
    let (purpose, unit) = if institution == 0 { (Purpose::Registry, 0) } else { (Purpose::Unit, 1) };
    let public_key = signing.verifying_key().to_bytes();
    let message = possession_message(ORIGIN, UnitId::new(institution, unit), purpose, &public_key);
    let kinds = if institution == 0 { Vec::new() } else { vec![Kind::Credit.into()] };
    pb::Key {
        public_key: public_key.to_vec(),
        suite: u32::from(SUITE),
        purpose: purpose.into(),
        institution,
        unit,
        kinds,
        possession: sign(&signing, message.as_bytes()).to_vec(),
        ..Default::default()
    }
}

/// What the operator's first block admits.
fn founding() -> Vec<Record> {
    let mut records = vec![registry_record(Kind::Institution, &institution(0)), registry_record(Kind::Key, &key(0))];
    for number in [1, 2] {
        records.push(registry_record(Kind::Institution, &institution(number)));
        records.push(registry_record(Kind::Unit, &unit(number, 1)));
        records.push(registry_record(Kind::Key, &key(number)));
    }
    records
}

/// A hidden record; whether the rules would admit it no replay can see.
pub(crate) fn credit(salt: u8) -> Record {
    let body = pb::Credit { learner: vec![1; 16], ..Default::default() };
    Record::of(Kind::Credit, &[salt; 32], encode(&body).expect("canonical")).expect("a record")
}

//! Making scenes: a university, its key, its learner, and a block that is right until a case bends it.

use creditbank_protocol::approval::{approval_digest, approval_message};
use creditbank_protocol::block::{BlockDraft, Header, SignedBlock, places_beside};
use creditbank_protocol::canonical::{Canonical, decode, encode};
use creditbank_protocol::key::{KeyId, LogKeys, commitment, sign};
use creditbank_protocol::mandate::consents;
use creditbank_protocol::pb::{self, Action, Basis, Kind, Place};
use creditbank_protocol::record::{PUBLIC_SEED, Record, info_of};
use creditbank_protocol::status::Marks;
use creditbank_protocol::{Digest, UnitId};
use creditbank_rules::CourseKey;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

use crate::fixtures::{
    ACCOUNT, ALIAS, CLOSED_ALIAS, ORIGIN, OTHER_ALIAS, accreditation, credit, institution, key_for, operator, record,
    seed_of, unit,
};
use crate::world::NOW_MS;

pub(crate) const PLACE: Place = Place { entry: 5, index: 3 };
/// Seeds of keys.
pub(crate) const UNIT_KEY: u8 = 5;
pub(crate) const REGISTRY_KEY: u8 = 2;
const APPROVER: u8 = 9;
/// What the seed of a real node has of credit units, frameworks and scales is large; these are enough.
const SEEDED: [&str; 5] = ["CATS", "ECTS", "FHEQ", "JP-SABC:TOKAI", "US-SEMESTER"];

pub(crate) fn signing(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn id_of(seed: u8) -> KeyId {
    KeyId::of(&signing(seed).verifying_key().to_bytes())
}

pub(crate) fn body<M: Canonical>(entry: &M) -> Vec<u8> {
    encode(entry).expect("a canonical entry")
}

/// What the log was begun with. The next registry key is that of seed 31.
pub(crate) fn beginning() -> LogKeys {
    let public = |seed| signing(seed).verifying_key().to_bytes();
    let (log_key, registry_key, next_registry_key) = (public(1), public(REGISTRY_KEY), commitment(&public(31)));
    LogKeys { origin: crate::fixtures::ORIGIN.to_owned(), log_key, registry_key, next_registry_key }
}

/// The registry to which every case adds its own.
pub(crate) fn registry() -> Vec<(Kind, Vec<u8>)> {
    let kinds = [Kind::Identity, Kind::Outcome, Kind::Credit, Kind::Result];
    let mut entries = vec![
        (Kind::Institution, body(&operator())),
        (Kind::Key, body(&key_for(pb::Purpose::Registry, 0, 0, &signing(REGISTRY_KEY), &[]))),
    ];
    entries.extend(seed_of(&SEEDED));
    entries.extend([
        (Kind::Institution, body(&institution(1))),
        (Kind::Institution, body(&institution(2))),
        (Kind::Unit, body(&unit(1))),
        (Kind::Key, body(&key_for(pb::Purpose::Unit, 1, 1, &signing(UNIT_KEY), &kinds))),
        (Kind::Accreditation, body(&accreditation())),
    ]);
    entries
}

/// Who has published an entry; nobody but the operator where its kind is the operator's.
pub(crate) fn publisher(kind: Kind, body: &[u8]) -> Option<u64> {
    fn read<M: Canonical>(body: &[u8]) -> M {
        decode(body).expect("a canonical entry")
    }
    Some(match kind {
        Kind::AgreementProposal => read::<pb::AgreementProposal>(body).institution,
        Kind::AgreementAcceptance => read::<pb::AgreementAcceptance>(body).institution,
        Kind::AgreementEnding => read::<pb::AgreementEnding>(body).institution,
        Kind::Equivalence => read::<pb::Equivalence>(body).institution,
        Kind::QualificationDefinition => read::<pb::QualificationDefinition>(body).institution,
        Kind::GradeDistribution => read::<pb::GradeDistribution>(body).institution,
        Kind::CourseAlias => read::<pb::CourseAlias>(body).institution,
        Kind::CourseCodes => read::<pb::CourseCodes>(body).institution,
        _ => return None,
    })
}

/// When institutions came into the registry: the 1st of January 2020, at noon.
pub(crate) const FOUNDED_MS: u64 = 18_262 * 86_400_000 + 43_200_000;
/// When institutions have published what a case does not say otherwise: ten days before the block, at noon.
const PUBLISHED_MS: u64 = NOW_MS - 10 * 86_400_000 + 43_200_000;

pub(crate) fn entries(entries: &[(Kind, Vec<u8>)], published_at: u64) -> Vec<Value> {
    let shown = |(kind, body): &(Kind, Vec<u8>)| match publisher(*kind, body) {
        None if *kind == Kind::Institution => {
            json!({ "kind": i32::from(*kind), "body": hex::encode(body), "sealed_at_ms": FOUNDED_MS })
        }
        None => json!({ "kind": i32::from(*kind), "body": hex::encode(body) }),
        Some(institution) => json!({
            "kind": i32::from(*kind), "body": hex::encode(body), "institution": institution, "sealed_at_ms": published_at,
        }),
    };
    entries.iter().map(shown).collect()
}

pub(crate) fn aliases() -> Value {
    json!([
        { "institution": 1, "alias": hex::encode(ALIAS.0), "account": hex::encode(ACCOUNT.0), "open": true },
        { "institution": 2, "alias": hex::encode(OTHER_ALIAS.0), "account": hex::encode(ACCOUNT.0), "open": true },
        { "institution": 1, "alias": hex::encode(CLOSED_ALIAS.0), "account": hex::encode([8; 16]), "open": false },
    ])
}

/// A block and what it comes to; by default an admitted Credit.
pub(crate) struct Case {
    /// The refusal, or nothing where the block is admitted.
    pub(crate) name: Option<&'static str>,
    pub(crate) about: &'static str,
    pub(crate) registry: Vec<(Kind, Vec<u8>)>,
    pub(crate) held: Vec<Value>,
    pub(crate) sealings: Vec<Value>,
    /// What earlier blocks say, where a reinstatement names them.
    pub(crate) said: Vec<Value>,
    pub(crate) draft: BlockDraft,
    pub(crate) signer: u8,
    pub(crate) approver: Option<u8>,
    /// Last minute of the approval.
    pub(crate) approved_until: u64,
    /// When institutions have published what is in the registry.
    pub(crate) published_at: u64,
    /// What earlier blocks have used up.
    pub(crate) used: Vec<Digest>,
    pub(crate) records: Vec<Record>,
    pub(crate) groups: Vec<pb::EffectGroup>,
}

impl Case {
    pub(crate) fn new(name: Option<&'static str>, about: &'static str) -> Self {
        let draft = BlockDraft {
            origin: ORIGIN.to_owned(),
            unit: UnitId::new(1, 1),
            height: 0,
            previous: Digest([4; 32]),
            operation_id: [8; 16],
            created_at_minute: NOW_MS / 60_000,
            key_id: id_of(UNIT_KEY),
        };
        let (registry, held, sealings, groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let said = Vec::new();
        let records = vec![record(Kind::Credit, &credit(), 1)];
        Self {
            name,
            about,
            registry,
            held,
            sealings,
            said,
            draft,
            signer: UNIT_KEY,
            approver: None,
            approved_until: NOW_MS / 60_000 + 7 * 1_440,
            published_at: PUBLISHED_MS,
            used: Vec::new(),
            records,
            groups,
        }
    }

    /// A block of the operator with one registry record.
    pub(crate) fn operator<M: Canonical>(
        name: Option<&'static str>,
        about: &'static str,
        kind: Kind,
        entry: &M,
    ) -> Self {
        let mut case = Self::new(name, about);
        case.draft.unit = UnitId::OPERATOR;
        (case.draft.key_id, case.signer) = (id_of(REGISTRY_KEY), REGISTRY_KEY);
        case.records = vec![Record::of(kind, &PUBLIC_SEED, body(entry)).expect("a registry record")];
        case
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn set<M: Canonical>(&mut self, kind: Kind, entry: &M) {
        self.registry.push((kind, body(entry)));
    }

    /// The learner holds a credit for course AAA of `institution` at [`PLACE`].
    pub(crate) fn hold(&mut self, institution: u64, marks: Marks, repeats_max: u32) {
        let held = record(Kind::Credit, &credit(), 1);
        self.sealed(PLACE.entry, UNIT_KEY, NOW_MS - 3_600_000);
        self.held.push(json!({
            "entry": PLACE.entry, "index": PLACE.index, "kind": 3, "institution": institution,
            "account": hex::encode(ACCOUNT.0), "key": ["course", "AAA"], "repeats_max": repeats_max,
            "record_hash": held.hash().to_string(), "status_id": hex::encode([7; 32]), "marks": hex::encode(marks.to_bytes()),
        }));
    }

    /// A key sealed an entry at a time.
    pub(crate) fn sealed(&mut self, entry: u64, key: u8, sealed_at_ms: u64) {
        self.sealings.retain(|known| known["entry"] != entry);
        let key_id = id_of(key).to_string();
        self.sealings.push(json!({ "entry": entry, "key_id": key_id, "approvers": [], "sealed_at_ms": sealed_at_ms }));
    }

    /// A key has approved an entry too.
    pub(crate) fn approved_by(&mut self, entry: u64, key: u8) {
        let sealing = self.sealings.iter_mut().find(|known| known["entry"] == entry);
        let approvers = sealing.and_then(|known| known["approvers"].as_array_mut()).expect("a sealed entry");
        approvers.push(id_of(key).to_string().into());
    }

    /// The groups in the order of a set, and so the effects of each.
    fn ordered(&self) -> Vec<pb::EffectGroup> {
        let mut groups = self.groups.clone();
        groups.iter_mut().for_each(|group| group.effects.sort_by_key(prost::Message::encode_to_vec));
        groups.sort_by_key(prost::Message::encode_to_vec);
        groups
    }

    /// Another person of the unit approves the block.
    pub(crate) fn approved(&mut self) {
        self.set(Kind::Key, &key_for(pb::Purpose::Approver, 1, 1, &signing(APPROVER), &[]));
        self.approver = Some(APPROVER);
    }

    /// The block's bytes.
    pub(crate) fn block(&self) -> Vec<u8> {
        let signed = |approval| {
            let signer = signing(self.signer);
            self.draft.sign(&self.records, self.ordered(), approval, |message| sign(&signer, message))
        };
        let block = signed(None).expect("a block");
        let Some(approver) = self.approver else { return block };
        let header = SignedBlock::parse(&block).expect("a block");
        signed(Some(approval(header.header(), approver, self.approved_until))).expect("a block")
    }

    /// An earlier block has used one of what others have signed in the first record.
    pub(crate) fn use_up(&mut self, number: usize) {
        let all = consents(ORIGIN, self.draft.unit.institution, &self.records[0]).expect("canonical");
        self.used.push(all[number]);
    }

    /// An earlier block has used the approval.
    pub(crate) fn use_up_approval(&mut self) {
        let block = SignedBlock::parse(&self.block()).expect("a block");
        self.used.extend(block.approvals().iter().map(|approval| approval_digest(block.header(), approval)));
    }

    /// The places that travel beside the block.
    fn places(&self) -> Vec<Value> {
        let block = SignedBlock::parse(&self.block()).expect("a block");
        shown_places(&places_beside(block.public(), &self.groups))
    }

    /// The records that travel beside the block.
    pub(crate) fn hidden(&self) -> Vec<Value> {
        let hidden = |record: &&Record| info_of(record.kind()).is_some_and(|info| !info.public);
        self.records.iter().filter(hidden).map(beside).collect()
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name, "about": self.about, "registry": entries(&self.registry, self.published_at), "held": self.held,
            "sealings": self.sealings, "said": self.said, "used": self.used.iter().map(Digest::to_string).collect::<Vec<_>>(),
            "block": hex::encode(self.block()), "records": self.hidden(), "places": self.places(),
        })
    }
}

/// Places as they travel.
pub(crate) fn shown_places(places: &[Place]) -> Vec<Value> {
    places.iter().map(|place| json!({ "entry": place.entry, "index": place.index })).collect()
}

/// An approval of a block by the key of a seed.
pub(crate) fn approval(header: &Header, approver: u8, until_minute: u64) -> pb::Approval {
    let bare = pb::Approval {
        key_id: id_of(approver).0.to_vec(),
        signature: Vec::new(),
        until_minute,
        salt: vec![approver; 16],
    };
    let signature = sign(&signing(approver), approval_message(header, &bare).as_bytes()).to_vec();
    pb::Approval { signature, ..bare }
}

/// With which of the learner's records one is counted: the name of the variant, then what it holds.
pub(crate) fn key_json(key: &CourseKey) -> Value {
    match key {
        CourseKey::Course(code) => json!(["course", code]),
        CourseKey::Identity => json!(["identity"]),
        CourseKey::UncodedOutcome => json!(["uncoded outcome"]),
        CourseKey::Application(purpose) => json!(["application", i32::from(*purpose)]),
        CourseKey::Case(place) => json!(["case", place.entry.0, place.index]),
        CourseKey::Conversion => json!(["conversion"]),
        CourseKey::Award => json!(["award"]),
        CourseKey::Recognition => json!(["recognition"]),
        CourseKey::Enrolment => json!(["enrolment"]),
        CourseKey::ForeignAward => json!(["foreign award"]),
    }
}

/// A record as it travels.
pub(crate) fn beside(record: &Record) -> Value {
    json!({
        "kind": record.kind_number(), "version": record.version(), "seed": hex::encode(record.seed()),
        "body": hex::encode(record.body()),
    })
}

pub(crate) fn effect(action: Action, basis: Basis) -> pb::EffectGroup {
    let authority = pb::Authority { basis: basis.into(), ..Default::default() };
    let reason = if action == Action::Revoke { pb::EffectReason::Error.into() } else { 0 };
    let effect = pb::Effect {
        status_id: vec![7; 32],
        place: Some(PLACE),
        action: action.into(),
        reason,
        redemption_plus_1: 0,
        contested_plus_1: 0,
    };
    let authority = Some(authority).filter(|_| basis != Basis::Unspecified);
    pb::EffectGroup { authority, effects: vec![effect] }
}

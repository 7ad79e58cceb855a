//! A log made by hand, every key in hand: real blocks and seals, registry records that act from the next round, and
//! transcripts of it. What is bent in [`Bend`] is bent before it is signed.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::approval::approval_message;
use creditbank_protocol::block::{BlockDraft, Piece, SignedBlock, Slice, slices};
use creditbank_protocol::canonical::{decode, encode};
use creditbank_protocol::entry::{BlockEntries, PUBLIC};
use creditbank_protocol::hash::{Preimage, tag};
use creditbank_protocol::key::{KeyId, commitment, log_handover_message, log_succession_message, sign};
use creditbank_protocol::map::{MapTags, SparseMap};
use creditbank_protocol::merkle::{Levels, consistency_proof, leaf_hash, record_path, root};
use creditbank_protocol::note::{Checkpoint, KeyType, Policy, VerifierKey, sign_checkpoint_by};
use creditbank_protocol::pb::{self, Kind, Place, Purpose};
use creditbank_protocol::record::{PUBLIC_SEED, Record, amends_of, disclose};
use creditbank_protocol::registry::{RegistryKey, registry_value};
use creditbank_protocol::seal::{Seal, SignedSeal};
use creditbank_protocol::status::{Marks, Named, status_id};
use creditbank_protocol::transcript::{commitments, sign_statement};
use creditbank_protocol::{Digest, LogIndex, Trust, UnitId};

use super::blocks::ORIGIN;
use super::key;

/// Minute of the first seal; each round is sealed an hour after the one before.
pub(super) const MINUTE: u64 = 29_000_000;
/// A verifier's time, a day after the first seal: transcripts are current.
pub(super) const NOW_MS: u64 = (MINUTE + 1_440) * 60_000;
pub(super) const LOG: u8 = 1;
pub(super) const REGISTRY: u8 = 2;
/// The registry key that the log is begun with a commitment to.
pub(super) const NEXT_REGISTRY: u8 = 31;
pub(super) const STATEMENT: u8 = 4;
/// A log key that follows the first one.
pub(super) const NEXT_LOG: u8 = 41;

pub(super) fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

/// The seed of an institution's key.
pub(super) fn unit_key(institution: u64) -> u8 {
    10 + u8::try_from(institution).expect("small")
}

/// What an operator or a unit who lies changes before signing. By default nothing.
#[derive(Clone, Copy)]
pub(super) struct Bend {
    pub(super) key: fn(&mut pb::Key),
    pub(super) statement_key: fn(&mut pb::Key),
    pub(super) institution: fn(&mut pb::Institution),
    pub(super) unit: fn(&mut pb::Unit),
    pub(super) approval: fn(&mut pb::Approval),
    pub(super) entry: fn(&mut pb::RegistryEntry),
    pub(super) draft: fn(&mut BlockDraft),
    /// The bytes of a head, without the type byte.
    pub(super) block: fn(&mut Vec<u8>),
    /// The only group of an institution's block, before it is signed.
    pub(super) group: fn(&mut pb::EffectGroup),
    /// With the position of the seal among the seals.
    pub(super) seal: fn(usize, &mut Seal),
    pub(super) checkpoint: fn(&mut Checkpoint),
    pub(super) statement: fn(&mut pb::SubjectStatement),
    /// Seeds of the keys that sign blocks, seals and the statement, where they are others.
    pub(super) signer: Option<u8>,
    pub(super) publisher: Option<u8>,
    pub(super) seal_signer: Option<u8>,
    pub(super) statement_signer: Option<u8>,
}

pub(super) const HONEST: Bend = Bend {
    key: |_| (),
    statement_key: |_| (),
    institution: |_| (),
    unit: |_| (),
    approval: |_| (),
    entry: |_| (),
    draft: |_| (),
    block: |_| (),
    group: |_| (),
    seal: |_, _| (),
    checkpoint: |_| (),
    statement: |_| (),
    signer: None,
    publisher: None,
    seal_signer: None,
    statement_signer: None,
};

type Registry = BTreeMap<Digest, pb::RegistryEntry>;

/// A seal, as it was before it was bent, with the registry of its round and the marks after it.
struct Sealed {
    seal: Seal,
    registry: Registry,
    marks: BTreeMap<Digest, Marks>,
}

pub(super) struct Log {
    bend: Bend,
    entries: Vec<Vec<u8>>,
    /// The blocks by the log index of their heads, as they were before they were bent.
    blocks: BTreeMap<u64, SignedBlock>,
    /// The records of each block.
    records: BTreeMap<u64, Vec<Record>>,
    heads: BTreeMap<(u64, u32), (u64, Digest)>,
    registry: Registry,
    /// Changes of the round, which act from the next one.
    pending: Registry,
    seals: Vec<Sealed>,
    /// The marks of records, whether or not an effect has a right to set them.
    marks: BTreeMap<Digest, Marks>,
    /// Marks that the seals name, whatever the effects say.
    pub(super) lies: BTreeMap<Digest, Marks>,
    previous: Digest,
    /// The seed of the key that signs units' blocks from now on, where it is another.
    pub(super) signer: Option<u8>,
    /// The seed of the registry key that signs the operator's blocks from now on.
    pub(super) registrar: u8,
    /// The seed of the key that approves units' blocks from now on.
    pub(super) approver: Option<u8>,
    /// The seed of the key that approves the operator's blocks from now on.
    pub(super) operators_approver: Option<u8>,
    /// The seed of the key that signs statements from now on.
    pub(super) stater: u8,
    /// Accreditations that a transcript shows of an institution's records: institution and number.
    pub(super) accreditations: Vec<(u64, u32)>,
    /// Further registry entries that a transcript names under the last seal.
    pub(super) also: Vec<RegistryKey>,
    /// Log keys that follow: log index of the block, first index whose seal it signs, seed.
    pub(super) sealers: Vec<(u64, u64, u8)>,
    /// The seeds of the log keys that sign checkpoints.
    pub(super) note_signers: Vec<u8>,
    /// The names of the log, each with the log index from which on it holds.
    origins: Vec<(u64, String)>,
    /// The name that entries bear, where it is another than the one in force.
    pub(super) borne: Option<&'static str>,
}

impl Log {
    /// An empty log.
    pub(super) fn new(bend: Bend) -> Self {
        let previous = trust().beginning(ORIGIN).genesis();
        let heads = BTreeMap::from([((0, 0), (0, previous))]);
        let (registry, pending) = (Registry::new(), Registry::new());
        let (entries, blocks, records, seals) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), Vec::new());
        let (marks, lies) = (BTreeMap::new(), BTreeMap::new());
        Self {
            bend,
            entries,
            blocks,
            records,
            heads,
            registry,
            pending,
            seals,
            marks,
            lies,
            previous,
            signer: None,
            registrar: REGISTRY,
            approver: None,
            operators_approver: None,
            stater: STATEMENT,
            accreditations: Vec::new(),
            also: Vec::new(),
            sealers: Vec::new(),
            note_signers: vec![LOG],
            origins: vec![(0, ORIGIN.to_owned())],
            borne: None,
        }
    }

    /// The log goes on under another origin, with the log key of a seed. What is said is bent before it is signed,
    /// unless it is signed then.
    pub(super) fn succeed(&mut self, seed: u8, origin: &str, bend: impl FnOnce(&mut pb::LogSuccession)) {
        let size = self.entries.len() as u64;
        let mut said = pb::LogSuccession {
            origin: self.origin_of(size),
            size,
            root: root(&self.leaves(size)).0.to_vec(),
            new_origin: origin.to_owned(),
            log_key: public(seed).to_vec(),
            case_reference: "2026/2".to_owned(),
            ..Default::default()
        };
        bend(&mut said);
        let message = log_succession_message(&said);
        if said.signature.is_empty() {
            said.signature = sign(&key(seed), message.as_bytes()).to_vec();
        }
        if said.former_signature.is_empty() {
            said.former_signature = sign(&key(self.sealer(size - 1)), message.as_bytes()).to_vec();
        }
        self.origins.push((size, origin.to_owned()));
        let block = self.operator(&[public_record(Kind::LogSuccession, encode(&said).expect("canonical"))]);
        self.sealers.retain(|(_, from, _)| *from < size);
        self.sealers.push((block, size, seed));
        self.note_signers = vec![seed];
    }

    /// The name in force at a log index.
    fn origin_at(&self, index: u64) -> String {
        let begun = self.origins.iter().rev().find(|(begins, _)| *begins <= index);
        begun.map_or_else(|| ORIGIN.to_owned(), |(_, origin)| origin.clone())
    }

    /// The name of a checkpoint.
    fn origin_of(&self, size: u64) -> String {
        self.origin_at(size.saturating_sub(1))
    }

    fn origin_of_next(&self) -> String {
        self.borne.map_or_else(|| self.origin_at(self.entries.len() as u64), str::to_owned)
    }

    /// A block of the operator that names another log key, which seals from a log index on.
    pub(super) fn rotate(&mut self, seed: u8, from_index: u64) {
        let by = self.sealer(self.entries.len() as u64);
        self.rotate_by(seed, from_index, by);
    }

    /// The same, handed over by the key of a seed.
    pub(super) fn rotate_by(&mut self, seed: u8, from_index: u64, by: u8) {
        let message = log_handover_message(&self.origin_of_next(), &public(seed), from_index);
        let handover = sign(&key(by), message.as_bytes()).to_vec();
        let entry = pb::Key { from_index, handover, ..key_entry(seed, Purpose::Log, 0, 0) };
        let block = self.operator(&[public_record(Kind::Key, encode(&entry).expect("canonical"))]);
        self.sealers.push((block, from_index, seed));
    }

    /// A block of the operator that names something as a log key that can sign nothing, handed over all the same. Seals
    /// go on as before; proofs name it.
    pub(super) fn rotate_to_nothing(&mut self, public_key: [u8; 32], from_index: u64) {
        let by = self.sealer(self.entries.len() as u64);
        let message = log_handover_message(&self.origin_of_next(), &public_key, from_index);
        let handover = sign(&key(by), message.as_bytes()).to_vec();
        let (public_key, bare) = (public_key.to_vec(), key_entry(by, Purpose::Log, 0, 0));
        let entry = pb::Key { from_index, handover, public_key, ..bare };
        let block = self.operator(&[public_record(Kind::Key, encode(&entry).expect("canonical"))]);
        self.sealers.push((block, block + 1, by));
    }

    /// Who signs the next seal, if it is a few entries ahead.
    pub(super) fn next_sealer(&self) -> u8 {
        self.sealer(self.entries.len() as u64 + 2)
    }

    /// The newest block.
    pub(super) fn newest_block(&self) -> u64 {
        self.blocks.keys().next_back().copied().expect("a block")
    }

    /// Who signs the seal at a log index.
    fn sealer(&self, index: u64) -> u8 {
        let followed = self.sealers.iter().rev().find(|(_, from, _)| *from <= index);
        followed.map_or(LOG, |(_, _, seed)| *seed)
    }

    /// A log whose first round admits the statement key and institutions with one unit each.
    pub(super) fn admitting(bend: Bend, institutions: &[u64]) -> Self {
        let mut log = Self::new(bend);
        log.admit(institutions);
        log
    }

    /// A round that admits the statement key and institutions.
    pub(super) fn admit(&mut self, institutions: &[u64]) {
        let bend = self.bend;
        let mut statement = key_entry(STATEMENT, Purpose::Statement, 0, 0);
        (bend.statement_key)(&mut statement);
        let mut records = vec![public_record(Kind::Key, encode(&statement).expect("canonical"))];
        for number in institutions {
            let number = *number;
            let name = pb::Text { language: "en".to_owned(), value: format!("University {number}") };
            let names = vec![pb::DatedName { name: Some(name), ..Default::default() }];
            let mut institution = pb::Institution { number, state: 1, names, ..Default::default() };
            let mut unit = pb::Unit { institution: number, unit: 1, state: 1, ..Default::default() };
            (bend.institution)(&mut institution);
            (bend.unit)(&mut unit);
            let mut key = Log::unit_entry(number);
            (bend.key)(&mut key);
            records.push(public_record(Kind::Institution, encode(&institution).expect("canonical")));
            records.push(public_record(Kind::Unit, encode(&unit).expect("canonical")));
            records.push(public_record(Kind::Key, encode(&key).expect("canonical")));
        }
        let admitting = self.operator(&records);
        for number in institutions {
            let admitted = leaf_hash(&self.entries[usize::try_from(admitting).expect("small")]);
            self.heads.insert((*number, 1), (0, admitted));
        }
        self.seal();
    }

    /// The registry entry of an institution's key.
    pub(super) fn unit_entry(institution: u64) -> pb::Key {
        let kinds = [Kind::Identity, Kind::Outcome, Kind::Credit, Kind::Result].map(i32::from).to_vec();
        pb::Key { kinds, ..key_entry(unit_key(institution), Purpose::Unit, institution, 1) }
    }

    fn minute(&self) -> u64 {
        MINUTE + 60 * self.seals.len() as u64
    }

    fn append(&mut self, institution: u64, records: &[Record], groups: Vec<pb::EffectGroup>) -> u64 {
        let unit = u32::from(institution > 0);
        let (height, previous) = self.heads[&(institution, unit)];
        let seed = if institution == 0 { self.registrar } else { self.signer.unwrap_or(unit_key(institution)) };
        let mut draft = BlockDraft {
            origin: self.origin_of_next(),
            unit: UnitId::new(institution, unit),
            height,
            previous,
            operation_id: [u8::try_from(self.entries.len()).expect("small") + 1; 16],
            created_at_minute: self.minute(),
            key_id: KeyId::of(&public(seed)),
        };
        let mut signer = self.bend.publisher.unwrap_or(seed);
        if institution > 0 {
            (self.bend.draft)(&mut draft);
            signer = self.bend.signer.unwrap_or(seed);
        }
        let signed = |approval| {
            let block = draft.sign(records, groups.clone(), approval, |message| sign(&key(signer), message));
            SignedBlock::parse(&block.expect("a block")).expect("a block")
        };
        let mut block = signed(None);
        if let Some(approver) = if institution > 0 { self.approver } else { self.operators_approver } {
            let mut approval = pb::Approval {
                key_id: KeyId::of(&public(approver)).0.to_vec(),
                until_minute: self.minute(),
                salt: vec![5; 16],
                ..Default::default()
            };
            (self.bend.approval)(&mut approval);
            let message = approval_message(block.header(), &approval);
            approval.signature = sign(&key(approver), message.as_bytes()).to_vec();
            block = signed(Some(approval));
        }
        self.heads.insert((institution, unit), (height + 1, block.header().id()));
        let mut entries = BlockEntries::of(&block);
        if institution > 0 {
            let mut head = entries.head.split_off(1);
            (self.bend.block)(&mut head);
            entries.head.extend(head);
            self.bend_group(&block, signer, &mut entries);
        }
        let index = self.entries.len() as u64;
        for effect in block.public().groups.iter().flat_map(|group| &group.effects) {
            let marks = self.marks.entry(Digest::from_slice(&effect.status_id).expect("32 bytes")).or_default();
            let action = pb::Action::try_from(effect.action).expect("an action");
            *marks = marks.after(action, index, Named::by(effect)).unwrap_or(*marks);
        }
        self.records.insert(index, records.to_vec());
        self.blocks.insert(index, block);
        self.entries.extend(entries.into_vec());
        index
    }

    /// Puts another group into a block that has one and nothing else, and signs it so.
    fn bend_group(&self, block: &SignedBlock, signer: u8, entries: &mut BlockEntries) {
        let [group] = &block.public().groups[..] else { return };
        let mut bent = group.clone();
        (self.bend.group)(&mut bent);
        if bent == *group {
            return;
        }
        let mut head: pb::BlockHead = decode(&entries.head[1..]).expect("a head");
        let mut header: pb::BlockHeader = decode(&head.header).expect("a header");
        let slice = Slice { authority: bent.authority.as_ref(), effects: &bent.effects };
        header.public_root = Piece::Slice(slice).leaf().0.to_vec();
        head.header = encode(&header).expect("canonical");
        let message = Preimage::new(tag::BLOCK_SIGNATURE).variable(&head.header);
        head.signature = sign(&key(signer), message.as_bytes()).to_vec();
        let public = pb::PublicPart { records: Vec::new(), groups: vec![bent] };
        entries.head = [&entries.head[..1], &encode(&head).expect("canonical")].concat();
        entries.public = Some([&[PUBLIC][..], &encode(&public).expect("canonical")].concat());
    }

    /// A block of the operator with registry records.
    pub(super) fn operator(&mut self, records: &[Record]) -> u64 {
        self.publishes(0, records)
    }

    /// A block with registry records; of the operator (0) they should be.
    pub(super) fn publishes(&mut self, institution: u64, records: &[Record]) -> u64 {
        let entry = self.append(institution, records, Vec::new());
        for (index, record) in (0..).zip(records) {
            let (kind, body) = (record.kind(), record.body().to_vec());
            // A key of another suite has no registry key: it goes where its namesake of suite 1 would be.
            let key = RegistryKey::of(kind, &body).unwrap_or(RegistryKey::Key(KeyId::of(&public(unit_key(1)))));
            // The place of all zeros is left out, as every default.
            let place = Some(Place { entry, index }).filter(|place| *place != Place::default());
            let mut of_map = pb::RegistryEntry { kind: kind.into(), version: 1, body, place };
            (self.bend.entry)(&mut of_map);
            self.pending.insert(key.digest(), of_map);
        }
        entry
    }

    /// A block of the operator with effects alone, under a case.
    pub(super) fn by_case(&mut self, mut group: pb::EffectGroup) -> u64 {
        let basis = pb::Basis::Operator.into();
        group.authority = Some(pb::Authority { basis, case_reference: "CASE-1".to_owned(), ..Default::default() });
        self.by_operator(group)
    }

    /// A block of the operator with effects alone.
    pub(super) fn by_operator(&mut self, group: pb::EffectGroup) -> u64 {
        self.append(0, &[], vec![group])
    }

    /// A block of an institution's unit.
    pub(super) fn issue(&mut self, institution: u64, records: &[Record], groups: Vec<pb::EffectGroup>) -> u64 {
        self.append(institution, records, groups)
    }

    /// The same entry once more.
    pub(super) fn repeat(&mut self, entry: u64) -> u64 {
        let index = self.entries.len() as u64;
        self.records.insert(index, self.records[&entry].clone());
        self.blocks.insert(index, self.blocks[&entry].clone());
        self.entries.push(self.entries[usize::try_from(entry).expect("small")].clone());
        index
    }

    /// Closes the round.
    pub(super) fn seal(&mut self) {
        let first_index = self.seals.last().map_or(LogIndex(0), |sealed| sealed.seal.index.next());
        let marks: BTreeMap<Digest, Marks> = self.marks.iter().chain(&self.lies).map(|(id, one)| (*id, *one)).collect();
        let mut seal = Seal {
            origin: self.origin_of_next(),
            first_index,
            index: LogIndex(self.entries.len() as u64),
            status_root: status_of(&marks).root(),
            registry_root: map_of(&self.registry).root(),
            rules_version: 1,
            time_ms: self.minute() * 60_000,
            records_total: self.records.values().map(|records| records.len() as u64).sum(),
            previous: self.previous,
        };
        let registry = self.registry.clone();
        self.registry.append(&mut self.pending);
        let honest = seal.clone();
        (self.bend.seal)(self.seals.len(), &mut seal);
        let signer = self.bend.seal_signer.unwrap_or(self.sealer(honest.index.0));
        let entry = seal.sign(|message| sign(&key(signer), message)).expect("a seal");
        self.previous = SignedSeal::parse(&entry[1..]).map_or(Digest::ZERO, |seal| seal.id());
        self.entries.push(entry);
        self.seals.push(Sealed { seal: honest, registry, marks });
    }

    /// The status id of a record.
    pub(super) fn id(&self, entry: u64, index: u32) -> Digest {
        let at = usize::try_from(index).expect("small");
        let leaf = leaf_hash(&self.entries[usize::try_from(entry).expect("small")]);
        status_id(&leaf, index, &self.records[&entry][at].hash())
    }

    /// An effect on a record, by its issuer.
    pub(super) fn effect(&self, entry: u64, index: u32, action: pb::Action) -> pb::EffectGroup {
        let authority = pb::Authority { basis: pb::Basis::Issuer.into(), ..Default::default() };
        let effect = pb::Effect {
            status_id: self.id(entry, index).0.to_vec(),
            place: Some(Place { entry, index }),
            action: action.into(),
            reason: if action == pb::Action::Revoke { pb::EffectReason::Error.into() } else { 0 },
            redemption_plus_1: 0,
            contested_plus_1: 0,
        };
        pb::EffectGroup { authority: Some(authority), effects: vec![effect] }
    }

    fn seal_of(&self, entry: u64) -> u64 {
        let sealed = self.seals.iter().find(|sealed| entry <= sealed.seal.index.0);
        sealed.expect("a sealed round").seal.index.0
    }

    fn sealed(&self, seal: u64) -> &Sealed {
        self.seals.iter().find(|sealed| sealed.seal.index.0 == seal).expect("a seal")
    }

    fn leaves(&self, size: u64) -> Vec<Digest> {
        self.entries[..usize::try_from(size).expect("small")].iter().map(|entry| leaf_hash(entry)).collect()
    }

    /// The transcript of some records, each whole or with some fields opened.
    pub(super) fn transcript(&self, shown: Shown<'_>, withheld: &[Digest]) -> pb::Transcript {
        self.transcript_as_of(self.entries.len() as u64, shown, withheld)
    }

    /// The same, whose statement is of an earlier time, when the log had `size` entries.
    pub(super) fn transcript_as_of(&self, size: u64, shown: Shown<'_>, withheld: &[Digest]) -> pb::Transcript {
        let shown_ids = shown.iter().map(|(entry, index, _)| self.id(*entry, *index));
        let mut records: Vec<([u8; 16], Digest)> =
            shown_ids.clone().chain(withheld.iter().copied()).map(|id| (salt(&id), id)).collect();
        records.dedup();
        let commitments = commitments(&records, &PADDING_SEED);
        let mut statement = pb::SubjectStatement {
            origin: self.origin_of(size),
            size,
            root: root(&self.leaves(size)).0.to_vec(),
            commitments: commitments.iter().map(|one| one.0.to_vec()).collect(),
            selection: pb::Selection::Some.into(),
            no_holder_key: Some(pb::Marker {}),
            no_identity: Some(pb::Marker {}),
            key_id: self.stater_id().0.to_vec(),
            visible_on: Some(pb::Date { year: 2025, month: 2, day: 19 }),
            ..Default::default()
        };
        (self.bend.statement)(&mut statement);
        let signer = key(self.bend.statement_signer.unwrap_or(self.stater));
        let (statement, signature) = sign_statement(statement, |message| sign(&signer, message)).expect("a statement");
        pb::Transcript {
            suite: 1,
            version: 1,
            origin: self.origin_of(size),
            statement,
            statement_signature: signature.to_vec(),
            base: Some(self.base(size, shown)),
            records: shown.iter().map(|(entry, index, open)| self.disclosed(*entry, *index, *open)).collect(),
            status: Some(self.status(size, shown)),
            salts: shown_ids.map(|id| salt(&id).to_vec()).collect(),
            padding_seed: if withheld.is_empty() { PADDING_SEED.to_vec() } else { Vec::new() },
        }
    }

    fn stater_id(&self) -> KeyId {
        KeyId::of(&public(self.stater))
    }

    /// How the records came into the log.
    fn base(&self, size: u64, shown: Shown<'_>) -> pb::TreeProofs {
        let mut part = Part { size, seals: vec![self.seals[0].seal.index.0, size - 1], ..Part::default() };
        part.registry.push((size - 1, RegistryKey::Key(self.stater_id()).digest()));
        for (entry, ..) in shown {
            let accreditations = self.accreditations.iter();
            let of = self.blocks[entry].header().unit.institution;
            let own = accreditations.filter(|(institution, _)| *institution == of.0);
            let keys = own.map(|(_, number)| RegistryKey::Accreditation(of, *number).digest());
            part.registry.extend(keys.map(|key| (self.seal_of(*entry), key)));
        }
        for (entry, index, _) in shown {
            self.show(&mut part, *entry, |effect| {
                let record = &self.records[entry][usize::try_from(*index).expect("small")];
                let amends = amends_of(record.kind(), record.body()).ok().flatten();
                let amended = amends.and_then(|amends| amends.place);
                effect.action == i32::from(pb::Action::Supersede) && amended.is_some() && effect.place == amended
            });
        }
        self.proofs(part)
    }

    /// What has become of the records.
    fn status(&self, base_size: u64, shown: Shown<'_>) -> pb::StatusPart {
        let size = self.entries.len() as u64;
        let Sealed { seal, marks, .. } = self.seals.last().expect("a seal");
        let last = seal.index.0;
        let mut part = Part { size, seals: vec![last], ..Part::default() };
        let mut wanted: Vec<RegistryKey> = vec![RegistryKey::Key(self.stater_id())];
        let mut statuses = BTreeMap::new();
        let tree = status_of(marks);
        for (entry, index, _) in shown {
            let header = self.blocks[entry].header();
            wanted.extend(self.sealers_of(*entry));
            wanted.push(RegistryKey::Institution(header.unit.institution));
            let authorities = self.blocks[entry].public().groups.iter().filter_map(|group| group.authority.as_ref());
            let others = authorities.filter(|by| by.basis == i32::from(pb::Basis::Custodian));
            wanted.extend(others.map(|by| RegistryKey::Institution(by.institution.into())));
            let id = self.id(*entry, *index);
            let marks = marks.get(&id).copied().unwrap_or_default();
            for (_, at) in marks.iter().filter(|(_, at)| self.blocks.contains_key(&at.0)) {
                self.show(&mut part, at.0, |effect| effect.status_id == id.0);
                wanted.extend(self.sealers_of(at.0));
            }
            statuses.insert(id, status_proof(&tree, id, &marks));
        }
        part.registry.extend(wanted.iter().chain(&self.also).map(|key| (last, key.digest())));
        let leaves = self.leaves(size);
        let mut checkpoint = Checkpoint { origin: self.origin_of(size), size, root: root(&leaves) };
        (self.bend.checkpoint)(&mut checkpoint);
        pb::StatusPart {
            checkpoint: self.note(&checkpoint),
            consistency: self.consistency(base_size, size),
            proofs: Some(self.proofs(part)),
            statuses: statuses.into_values().collect(),
        }
    }

    /// The keys that have signed and approved a block.
    fn sealers_of(&self, entry: u64) -> Vec<RegistryKey> {
        self.blocks[&entry].head().key_ids().map(RegistryKey::Key).collect()
    }

    /// That a tree begins with a smaller one.
    fn consistency(&self, old: u64, size: u64) -> Vec<Vec<u8>> {
        let leaves = self.leaves(size);
        let mut node = |level: u8, at: u64| {
            let from = usize::try_from(at << level).expect("small");
            Ok::<_, creditbank_protocol::merkle::RangeError>(root(&leaves[from..from + (1 << level)]))
        };
        let path = consistency_proof(old, size, &mut node).expect("a smaller tree");
        path.iter().map(|hash| hash.0.to_vec()).collect()
    }

    fn note(&self, checkpoint: &Checkpoint) -> Vec<u8> {
        let keys: Vec<_> = self.note_signers.iter().map(|seed| key(*seed)).collect();
        sign_checkpoint_by(checkpoint, &keys.iter().collect::<Vec<_>>()).expect("a note")
    }

    /// A block, the seal of its round, its key in that round, and the group with such an effect; of a custodian's, that
    /// it was one.
    fn show(&self, part: &mut Part, entry: u64, is_wanted: impl Fn(&pb::Effect) -> bool) {
        let (block, seal) = (&self.blocks[&entry], self.seal_of(entry));
        let header = block.header();
        part.seals.push(seal);
        part.blocks.insert(entry);
        part.registry.extend(self.signers(entry).into_iter().map(|key| (seal, key)));
        for (piece, slice) in (block.public().records.len()..).zip(slices(block.public())) {
            if slice.effects.iter().any(&is_wanted) {
                part.groups.insert((entry, piece));
                let by = slice.authority.cloned().unwrap_or_default();
                if by.basis == i32::from(pb::Basis::Custodian) {
                    let of = [header.unit.institution, by.institution.into()];
                    part.registry.extend(of.map(|number| (seal, RegistryKey::Institution(number).digest())));
                }
            }
        }
    }

    /// What the registry must say of a block's signer.
    fn signers(&self, entry: u64) -> Vec<Digest> {
        let block = &self.blocks[&entry];
        let header = block.header();
        let mut keys = vec![RegistryKey::Key(header.key_id)];
        if !header.unit.institution.is_operator() {
            keys.extend([RegistryKey::Institution(header.unit.institution), RegistryKey::Unit(header.unit)]);
            let approvers = block.approvals().iter().filter_map(|approval| KeyId::from_slice(&approval.key_id));
            keys.extend(approvers.map(RegistryKey::Key));
        }
        keys.iter().map(RegistryKey::digest).collect()
    }

    /// Under which seal an entry of a round is proved: under the newest of the part where it is still the same.
    fn settled(&self, seal: u64, key: Digest, newest: u64) -> u64 {
        let same = self.sealed(seal).registry.get(&key) == self.sealed(newest).registry.get(&key);
        if same { newest } else { seal }
    }

    /// The proofs of a part.
    fn proofs(&self, part: Part) -> pb::TreeProofs {
        let Part { size, mut seals, mut blocks, groups, mut registry } = part;
        let newest = seals.iter().copied().max().expect("a seal");
        registry.iter_mut().for_each(|(seal, key)| *seal = self.settled(*seal, *key, newest));
        registry.sort();
        registry.dedup();
        let mut registry = registry.into_iter().filter_map(|(seal, key)| self.prove(seal, key)).collect();
        let (publications, published) = self.publications(&mut registry, &mut seals, newest);
        blocks.extend(published);
        let log_keys: Vec<_> = self
            .sealers
            .iter()
            .filter(|(_, from, _)| *from <= newest)
            .filter_map(|(at, ..)| self.log_key(*at, size))
            .collect();
        blocks.extend(log_keys.iter().map(|one| one.block));
        let successions = self.successions(&blocks.iter().copied().collect::<Vec<_>>());
        blocks.extend(successions.iter().map(|one| one.block));
        seals.sort_unstable();
        seals.dedup();
        pb::TreeProofs {
            seals: seals.into_iter().map(|index| self.proved_in(index, size)).collect(),
            blocks: blocks.into_iter().map(|index| self.proved_in(index, size)).collect(),
            groups: groups.into_iter().map(|(entry, piece)| self.proved_group(entry, piece)).collect(),
            registry,
            publications,
            successions,
            log_keys,
        }
    }

    /// The log key that a block names.
    fn log_key(&self, block: u64, size: u64) -> Option<pb::ProvedLogKey> {
        let signed = &self.blocks[&block];
        let path = Levels::new(signed.shown().leaves().to_vec()).path(0)?.iter().map(|hash| hash.0.to_vec()).collect();
        let record = signed.public().records.first().cloned();
        let goes_on = record.as_ref().is_some_and(|record| record.kind == i32::from(Kind::LogSuccession));
        let consistency = if goes_on { self.consistency(block, size) } else { Vec::new() };
        Some(pb::ProvedLogKey { block, record, path, consistency })
    }

    /// How the registry keys have followed one another, up to the newest block of the operator among these.
    fn successions(&self, blocks: &[u64]) -> Vec<pb::ProvedSuccession> {
        let of_operator = |index: &&u64| self.blocks[index].header().unit.institution.is_operator();
        let Some(newest) = blocks.iter().filter(of_operator).max() else { return Vec::new() };
        let succession = |(index, block): (&u64, &SignedBlock)| {
            let first = block.public().records.first()?;
            let said = creditbank_protocol::canonical::decode::<pb::RegistrySuccession>(&first.body).ok()?;
            let levels = Levels::new(block.shown().leaves().to_vec());
            let path = levels.path(0)?.iter().map(|hash| hash.0.to_vec()).collect();
            let is_one = first.kind == i32::from(Kind::RegistrySuccession);
            is_one.then_some(pb::ProvedSuccession { block: *index, succession: Some(said), path })
        };
        self.blocks.range(..=newest).filter_map(succession).collect()
    }

    /// A group of effects with its path.
    pub(super) fn proved_group(&self, entry: u64, piece: usize) -> pb::ProvedGroup {
        let block = &self.blocks[&entry];
        let levels = Levels::new(block.shown().leaves().to_vec());
        pb::ProvedGroup {
            block: entry,
            piece: u32::try_from(piece).expect("small"),
            group: slices(block.public()).nth(piece - block.public().records.len()).map(Slice::to_group),
            path: levels.path(piece).expect("a piece").iter().map(|hash| hash.0.to_vec()).collect(),
        }
    }

    /// That the registry's entries were published, and the blocks that have. Adds what a verifier needs to believe the
    /// key of an institution that has published one.
    fn publications(
        &self,
        registry: &mut Vec<pb::ProvedRegistryEntry>,
        seals: &mut Vec<u64>,
        newest: u64,
    ) -> (Vec<pb::Publication>, Vec<u64>) {
        let (mut publications, mut blocks) = (BTreeMap::new(), Vec::new());
        let mut at = 0;
        while let Some(place) = registry.get(at).and_then(|proved| proved.entry.as_ref()).map(|entry| entry.place) {
            at += 1;
            let place = place.unwrap_or_default();
            let Some(publication) = self.publication(place) else { continue };
            publications.insert((place.entry, place.index), publication);
            blocks.push(place.entry);
            if self.blocks[&place.entry].header().unit.institution.is_operator() {
                continue;
            }
            let seal = self.seal_of(place.entry);
            seals.push(seal);
            for key in self.signers(place.entry) {
                let at = self.settled(seal, key, newest);
                let is_known = |proved: &pb::ProvedRegistryEntry| {
                    let entry = proved.entry.as_ref().expect("an entry");
                    let kind = Kind::try_from(entry.kind).unwrap_or_default();
                    proved.seal == at && RegistryKey::of(kind, &entry.body).is_ok_and(|known| known.digest() == key)
                };
                if !registry.iter().any(is_known) {
                    registry.extend(self.prove(at, key));
                }
            }
        }
        registry.sort_by_key(|proved| {
            let entry = proved.entry.as_ref().expect("an entry");
            let kind = Kind::try_from(entry.kind).unwrap_or_default();
            let of_namesake = RegistryKey::Key(KeyId::of(&public(unit_key(1))));
            (proved.seal, RegistryKey::of(kind, &entry.body).unwrap_or(of_namesake).digest())
        });
        (publications.into_values().collect(), blocks)
    }

    /// The publication of the registry entry of a place, if there is a public record.
    pub(super) fn publication(&self, place: Place) -> Option<pb::Publication> {
        let block = self.blocks.get(&place.entry)?;
        let piece = block.public().records.iter().position(|record| record.index == place.index)?;
        let levels = Levels::new(block.shown().leaves().to_vec());
        Some(pb::Publication {
            place: Some(place).filter(|place| *place != Place::default()),
            piece_plus_1: u32::try_from(piece + 1).expect("small"),
            path: levels.path(piece)?.iter().map(|hash| hash.0.to_vec()).collect(),
        })
    }

    /// An entry of the log with its path to the newest tree.
    pub(super) fn proved_at(&self, index: u64) -> pb::ProvedEntry {
        self.proved_in(index, self.entries.len() as u64)
    }

    fn proved_in(&self, index: u64, size: u64) -> pb::ProvedEntry {
        let at = usize::try_from(index).expect("small");
        pb::ProvedEntry { index, entry: self.entries[at].clone(), inclusion: path(&self.leaves(size), at) }
    }

    /// The proof of a status id under the last seal.
    pub(super) fn proved_status(&self, id: Digest) -> pb::StatusProof {
        let marks = &self.seals.last().expect("a seal").marks;
        status_proof(&status_of(marks), id, &marks.get(&id).copied().unwrap_or_default())
    }

    /// A registry entry under a seal.
    pub(super) fn proved_entry(&self, seal: u64, key: &RegistryKey) -> pb::ProvedRegistryEntry {
        self.prove(seal, key.digest()).expect("an entry of the registry")
    }

    fn prove(&self, seal: u64, key: Digest) -> Option<pb::ProvedRegistryEntry> {
        let registry = &self.sealed(seal).registry;
        let siblings: Vec<_> = map_of(registry).prove(&key).siblings.iter().map(|hash| hash.0.to_vec()).collect();
        let entry = Some(registry.get(&key)?.clone());
        let proof = (!siblings.is_empty()).then_some(pb::MapProof { siblings, other_leaf: Vec::new() });
        Some(pb::ProvedRegistryEntry { seal, entry, proof })
    }

    fn disclosed(&self, entry: u64, index: u32, open: Option<&[u16]>) -> pb::DisclosedRecord {
        let records = &self.records[&entry];
        let at = usize::try_from(index).expect("small");
        let record = &records[at];
        let hashes: Vec<Digest> = records.iter().map(Record::hash).collect();
        let path = record_path(&hashes, at).expect("a record").iter().map(|hash| hash.0.to_vec()).collect();
        let (seed, body, claims) = match open {
            None => (record.seed().to_vec(), record.body().to_vec(), Vec::new()),
            Some(open) => (Vec::new(), Vec::new(), disclose(record, open).expect("claims")),
        };
        let place = Some(Place { entry, index });
        pb::DisclosedRecord { place, kind: record.kind().into(), version: 1, seed, body, claims, path }
    }
}

/// From which statements make their commitments to nothing.
pub(super) const PADDING_SEED: [u8; 32] = [6; 32];

/// The salt under which a statement commits to a record.
pub(super) fn salt(status_id: &Digest) -> [u8; 16] {
    std::array::from_fn(|at| status_id.0[at] ^ 0x55)
}

/// Records of a transcript: log index, position, and the fields that are opened; `None`: whole.
pub(super) type Shown<'a> = &'a [(u64, u32, Option<&'a [u16]>)];

/// What is proved in one tree.
#[derive(Default)]
struct Part {
    size: u64,
    seals: Vec<u64>,
    blocks: BTreeSet<u64>,
    groups: BTreeSet<(u64, usize)>,
    registry: Vec<(u64, Digest)>,
}

fn status_of(marks: &BTreeMap<Digest, Marks>) -> SparseMap {
    let leaves = marks.iter().map(|(id, marks)| (*id, (!marks.is_empty()).then(|| marks.value())));
    SparseMap::new(MapTags::STATUS).update(leaves)
}

fn status_proof(tree: &SparseMap, id: Digest, marks: &Marks) -> pb::StatusProof {
    let proof = tree.prove(&id);
    let other = proof.terminal.filter(|(found, _)| *found != id);
    let other_leaf = other.map(|(key, value)| [key.0, value.0].concat()).unwrap_or_default();
    let siblings: Vec<Vec<u8>> = proof.siblings.iter().map(|hash| hash.0.to_vec()).collect();
    let proof = (!siblings.is_empty() || !other_leaf.is_empty()).then_some(pb::MapProof { siblings, other_leaf });
    pb::StatusProof { status_id: id.0.to_vec(), marks: marks.to_bytes(), proof }
}

pub(super) fn key_entry(seed: u8, purpose: Purpose, institution: u64, unit: u32) -> pb::Key {
    let public_key = public(seed).to_vec();
    pb::Key { public_key, suite: 1, purpose: purpose.into(), institution, unit, ..Default::default() }
}

pub(super) fn public_record(kind: Kind, body: Vec<u8>) -> Record {
    Record::of(kind, &PUBLIC_SEED, body).expect("a registry record")
}

fn map_of(registry: &Registry) -> SparseMap {
    let values = registry.iter().map(|(key, entry)| (*key, Some(registry_value(&encode(entry).expect("canonical")))));
    SparseMap::new(MapTags::REGISTRY).update(values)
}

/// The policy that trusts the log, as text.
pub(super) fn policy() -> String {
    format!("log {}\nquorum none\n", VerifierKey::new(ORIGIN, KeyType::Log, public(LOG)).expect("a key"))
}

/// Trust in the log.
pub(super) fn trust() -> Trust {
    let policy = Policy::parse(&policy()).expect("a policy");
    let next_registry_key = commitment(&public(NEXT_REGISTRY));
    Trust::new(policy, public(LOG), public(REGISTRY), next_registry_key)
}

/// The inclusion path of a leaf, lowest sibling first.
pub(super) fn path(leaves: &[Digest], index: usize) -> Vec<Vec<u8>> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) =
        if index < left.len() { (path(left, index), right) } else { (path(right, index - left.len()), left) };
    path.push(root(sibling).0.to_vec());
    path
}

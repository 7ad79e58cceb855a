//! Transcripts: a learner's records with every proof that exists.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;

use creditbank_protocol::block::SignedBlock;
use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::dates::day_of_ms;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::pb::{self, Marker, Place, Selection};
use creditbank_protocol::record::SUITE;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::status::Mark;
use creditbank_protocol::transcript::{FileError, TRANSCRIPT_VERSION, sign_statement, write_file};
use creditbank_protocol::{AccountId, Digest, InstitutionId};

use super::ReadError;
use super::registry::prove;
use crate::append::round::StoredRecord;
use crate::ledger::{Ledger, Shared};
use crate::publish::ReceiptError;
use crate::tables;

/// Most records of one transcript.
pub(crate) const RECORDS_MAX: usize = 10_000;

/// Most undone effects on one record of which a transcript tells.
const CLEARED_MAX: usize = 1_000;

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The learner has no records that the caller may read.
    #[error("there are no records for a transcript")]
    Empty,
    /// More than one file holds.
    #[error("more than {RECORDS_MAX} records")]
    TooMany,
    /// A record.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A proof.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The statement cannot be spelled.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An entry that should be a block is none, or has no key in the registry.
    #[error("log entry {0} is not the block of a registered key")]
    Block(u64),
}

/// The tree that all proofs of a transcript lead to.
struct Checkpoint {
    size: u64,
    root: Digest,
    note: Vec<u8>,
}

impl Ledger {
    /// A transcript of the learner's records, with full disclosure: all of one institution, or all. The subject statement
    /// says that no holder key and no Identity are bound.
    pub fn transcript(&self, account: &AccountId, institution: Option<u64>) -> Result<Vec<u8>, TranscriptError> {
        let shared = &self.shared;
        let state = shared.state();
        let checkpoint = Checkpoint { size: state.head.size, root: state.head.root, note: state.checkpoint.clone() };
        drop(state);
        let (places, more) = self.places(account, institution.map(InstitutionId), None, RECORDS_MAX)?;
        if more {
            return Err(TranscriptError::TooMany);
        }
        // Records of rounds after the checkpoint wait for the next one.
        let places: Vec<Place> =
            places.into_iter().map(Place::from).filter(|place| place.entry < checkpoint.size).collect();
        if places.is_empty() {
            return Err(TranscriptError::Empty);
        }
        let records = places.into_iter().map(|place| shared.disclosed(place)).collect::<Result<Vec<_>, _>>()?;
        Ok(write_file(&shared.assemble(&checkpoint, records, institution)?)?)
    }
}

/// What the proofs of a transcript rest on.
#[derive(Default)]
struct Needed {
    /// Log index of the checkpoint's seal.
    last: u64,
    seals: BTreeSet<u64>,
    registry: BTreeSet<(u64, RegistryKey)>,
    blocks: BTreeMap<u64, (pb::ProvedEntry, Arc<SignedBlock>)>,
}

impl Needed {
    /// That `signer` was the custodian of `subject` during a round.
    fn custody(&mut self, seal: u64, signer: u64, subject: u64) {
        self.registry.extend([signer, subject].map(|number| (seal, RegistryKey::Institution(number.into()))));
    }
}

impl Shared {
    /// Needs a block, the seal of its round and its key; returns who signed it, and the block.
    fn need(
        &self,
        checkpoint: &Checkpoint,
        need: &mut Needed,
        entry: u64,
    ) -> Result<(u64, Arc<SignedBlock>), TranscriptError> {
        let vacant = match need.blocks.entry(entry) {
            btree_map::Entry::Occupied(known) => {
                let block = &known.get().1;
                return Ok((block.header().unit.institution.0, Arc::clone(block)));
            }
            btree_map::Entry::Vacant(vacant) => vacant,
        };
        let proved = self.proved(entry, checkpoint.size, &checkpoint.root)?;
        let Ok(Entry::Block(block)) = Entry::parse(&proved.entry) else {
            return Err(TranscriptError::Block(entry));
        };
        let block = Arc::new(block);
        vacant.insert((proved, Arc::clone(&block)));
        let seal = self.seal_of(entry)?.0;
        need.seals.insert(seal);
        let key = RegistryKey::Key(block.header().key_id);
        need.registry.extend([(seal, key.clone()), (need.last, key)]);
        Ok((block.header().unit.institution.0, block))
    }

    /// Needs the blocks that supersede, revoke, confirm or redeem a record or put it under review, and those that have undone such a
    /// thing since: another record's blocks may tell of it. With the right of a custodian who signed them.
    fn need_effects(
        &self,
        checkpoint: &Checkpoint,
        need: &mut Needed,
        stored: &StoredRecord,
        place: Place,
    ) -> Result<(), TranscriptError> {
        let shown = |mark| mark != Mark::Disputed;
        let marks = stored.facts.marks.iter().filter(|(mark, _)| shown(*mark)).map(|(_, index)| index.0);
        let mut blocks: BTreeSet<u64> = marks.collect();
        let cleared = self.store.scan(tables::CLEARED, &tables::place_key(place.into()), None, CLEARED_MAX);
        let cleared = cleared.map_err(ReadError::from)?;
        blocks.extend(cleared.iter().filter_map(|(key, _)| tables::cleared_at(key)).map(|index| index.0));
        for index in blocks.into_iter().filter(|index| *index < checkpoint.size) {
            let (signer, block) = self.need(checkpoint, need, index)?;
            let on_record = |group: &&pb::EffectGroup| {
                group.effects.iter().any(|effect| effect.status_id == stored.facts.status_id.0)
            };
            let group = block.public().groups.iter().find(on_record);
            let basis = group.and_then(|group| group.authority.as_ref()).map_or(0, |authority| authority.basis);
            if basis == i32::from(pb::Basis::Custodian) {
                need.custody(self.seal_of(index)?.0, signer, stored.facts.institution.0);
            }
        }
        Ok(())
    }

    /// Time of the seal at a log index.
    fn seal_at(&self, index: u64) -> Result<u64, TranscriptError> {
        match Entry::parse(&self.store.entry(index.into()).map_err(ReadError::from)?) {
            Ok(Entry::Seal(signed)) => Ok(signed.seal().time_ms),
            _ => Err(TranscriptError::Block(index)),
        }
    }

    fn assemble(
        &self,
        checkpoint: &Checkpoint,
        records: Vec<(StoredRecord, pb::DisclosedRecord)>,
        institution: Option<u64>,
    ) -> Result<pb::Transcript, TranscriptError> {
        let last = checkpoint.size - 1;
        let mut need = Needed { last, seals: BTreeSet::from([self.seal_of(0)?.0, last]), ..Needed::default() };
        let statement_key = KeyId::of(&self.statement_key.verifying_key().to_bytes());
        need.registry.insert((last, RegistryKey::Key(statement_key)));
        let under_last = |number: u64| (last, RegistryKey::Institution(number.into()));
        let day = day_of_ms(self.seal_at(last)?);
        let registry = Arc::clone(&self.state().registry_at(last).registry);
        let mut subjects = BTreeSet::new();
        for (stored, record) in &records {
            let signer = self.need(checkpoint, &mut need, record.place.unwrap_or_default().entry)?.0;
            let subject = stored.facts.institution.0;
            need.registry.extend([under_last(signer), under_last(subject)]);
            if subject != signer {
                let seal = self.seal_of(record.place.unwrap_or_default().entry)?.0;
                need.custody(seal, signer, subject);
            }
            self.need_effects(checkpoint, &mut need, stored, record.place.unwrap_or_default())?;
            if subjects.insert(subject) {
                need.registry.extend(registry.custodians(subject.into(), day).map(|number| under_last(number.0)));
            }
        }
        let Needed { seals, registry: wanted, blocks, .. } = need;
        let status_ids = records.iter().map(|(stored, _)| stored.facts.status_id.0.to_vec()).collect();
        let (statement, signature) = self.statement(checkpoint, status_ids, institution)?;
        Ok(pb::Transcript {
            suite: u32::from(SUITE),
            version: TRANSCRIPT_VERSION,
            origin: self.origin.clone(),
            checkpoint: checkpoint.note.clone(),
            seals: seals
                .iter()
                .map(|seal| self.proved(*seal, checkpoint.size, &checkpoint.root))
                .collect::<Result<_, _>>()?,
            blocks: blocks.into_values().map(|(proved, _)| proved).collect(),
            registry: self.registry_proofs(wanted)?,
            records: records.into_iter().map(|(_, disclosed)| disclosed).collect(),
            statement,
            statement_signature: signature.to_vec(),
        })
    }

    fn registry_proofs(
        &self,
        wanted: BTreeSet<(u64, RegistryKey)>,
    ) -> Result<Vec<pb::ProvedRegistryEntry>, TranscriptError> {
        let sorted: BTreeSet<(u64, Digest)> = wanted.iter().map(|(seal, key)| (*seal, key.digest())).collect();
        let state = self.state();
        let proved = |(seal, key): (u64, Digest)| {
            let found = prove(state.registry_at(seal), &key);
            let entry = Some(found.entry.ok_or(TranscriptError::Block(seal))?);
            // An empty proof (a map of one entry) is left out, as canonical messages leave out empty ones.
            let proof = (!found.proof.siblings.is_empty()).then_some(found.proof);
            Ok(pb::ProvedRegistryEntry { seal, entry, proof })
        };
        sorted.into_iter().map(proved).collect()
    }

    fn statement(
        &self,
        checkpoint: &Checkpoint,
        status_ids: Vec<Vec<u8>>,
        institution: Option<u64>,
    ) -> Result<(Vec<u8>, [u8; 64]), CanonicalError> {
        let selection = if institution.is_some() { Selection::Complete } else { Selection::Some };
        let statement = pb::SubjectStatement {
            origin: self.origin.clone(),
            size: checkpoint.size,
            root: checkpoint.root.0.to_vec(),
            status_ids,
            selection: selection.into(),
            institution: institution.unwrap_or(0),
            no_holder_key: Some(Marker {}),
            no_identity: Some(Marker {}),
            key_id: KeyId::of(&self.statement_key.verifying_key().to_bytes()).0.to_vec(),
            ..Default::default()
        };
        sign_statement(statement, |message| sign(&self.statement_key, message))
    }
}

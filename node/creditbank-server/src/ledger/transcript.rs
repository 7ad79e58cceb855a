//! Transcripts: a learner's records with every proof that exists.

use std::collections::{BTreeMap, BTreeSet, btree_map};

use creditbank_protocol::Digest;
use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::pb::{self, Marker, Place, Selection};
use creditbank_protocol::record::SUITE;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::{FileError, TRANSCRIPT_VERSION, sign_statement, write_file};

use super::registry::prove;
use super::{Ledger, ReadError, ReceiptError, Shared};
use crate::private::Account;
use crate::round::StoredRecord;

/// Most records of one transcript.
pub(super) const RECORDS_MAX: usize = 10_000;

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
    pub fn transcript(&self, account: &Account, institution: Option<u64>) -> Result<Vec<u8>, TranscriptError> {
        let shared = &self.shared;
        let state = shared.state();
        let checkpoint = Checkpoint { size: state.head.size, root: state.head.root, note: state.checkpoint.clone() };
        drop(state);
        let (places, more) = self.places(account, institution, None, RECORDS_MAX)?;
        if more {
            return Err(TranscriptError::TooMany);
        }
        // Records of rounds after the checkpoint wait for the next one.
        let places: Vec<Place> = places.into_iter().filter(|place| place.entry < checkpoint.size).collect();
        if places.is_empty() {
            return Err(TranscriptError::Empty);
        }
        let records = places.into_iter().map(|place| shared.disclosed(place)).collect::<Result<Vec<_>, _>>()?;
        Ok(write_file(&shared.assemble(&checkpoint, records, institution)?)?)
    }
}

impl Shared {
    fn assemble(
        &self,
        checkpoint: &Checkpoint,
        records: Vec<(StoredRecord, pb::DisclosedRecord)>,
        institution: Option<u64>,
    ) -> Result<pb::Transcript, TranscriptError> {
        let last = checkpoint.size - 1;
        let mut seals = BTreeSet::from([self.seal_of(0)?, last]);
        let mut wanted: BTreeSet<(u64, RegistryKey)> = BTreeSet::new();
        let statement_key = KeyId::of(&self.statement_key.verifying_key().to_bytes());
        wanted.insert((last, RegistryKey::Key(statement_key)));
        // What a block needs is the same for all its records.
        let mut blocks = BTreeMap::new();
        for (_, record) in &records {
            let entry = record.place.unwrap_or_default().entry;
            let btree_map::Entry::Vacant(vacant) = blocks.entry(entry) else { continue };
            let proved = vacant.insert(self.proved(entry, checkpoint.size, &checkpoint.root)?);
            let Ok(Entry::Block(block)) = Entry::parse(&proved.entry) else {
                return Err(TranscriptError::Block(entry));
            };
            let header = block.header();
            let seal = self.seal_of(entry)?;
            seals.insert(seal);
            let key = RegistryKey::Key(header.key_id);
            wanted.extend([(seal, key.clone()), (last, key), (last, RegistryKey::Institution(header.institution))]);
        }
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
            blocks: blocks.into_values().collect(),
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

//! Transcripts: a learner's records with every proof that they need. The read model decides what that is
//! (`creditbank_ledger::read::transcript`); this module proves it.

use creditbank_ledger::read::{self, PartPlan, PlanError, ProofView as _, TranscriptPlan};
use creditbank_protocol::block::Slice;
use creditbank_protocol::canonical::{CanonicalError, decode};
use creditbank_protocol::dates::{Day, date_of, day_of_ms};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::merkle::Levels;
use creditbank_protocol::pb::{self, Kind, Marker, Selection};
use creditbank_protocol::record::SUITE;
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::transcript::{FileError, TRANSCRIPT_VERSION, commitments, sign_statement, write_file};
use creditbank_protocol::{AccountId, Digest, InstitutionId, LogIndex, Place};

use creditbank_rules::admission::Used;
use ed25519_dalek::SigningKey;

use super::ReadError;
use super::registry::prove;
use crate::append::round::StoreView;
use crate::append::state::State;
use crate::ledger::{Ledger, Shared};
use crate::private::StatementSecret;
use crate::publish::ReceiptError;

/// What the node states in a subject statement on its own word.
struct Said {
    /// All records of this institution, or some of all.
    institution: Option<InstitutionId>,
    /// Records that may be shown only from a later day on are left out.
    today: Day,
    /// The person's Identity.
    identity: Option<Place>,
}

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// It is not possible to say what must be proved.
    #[error(transparent)]
    Plan(#[from] PlanError),
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
    /// No file holds the statement key in force.
    #[error(
        "the node does not have the statement key that the registry has in force: its operator must put the file \
         beside the old one, as keys/statement-2.key (chmod 600)"
    )]
    NoStatementKey,
    /// Something that must be proved is not in the registry.
    #[error("the registry of the round that ends with log entry {seal} lacks {key:?}")]
    Registry {
        /// Under which seal.
        seal: LogIndex,
        /// What it lacks.
        key: RegistryKey,
    },
}

impl Ledger {
    /// A transcript of the learner's records that may be shown today, with full disclosure: all of one institution, or
    /// all; and how many more there are. The subject statement says that no holder key is bound, and which Identity is
    /// the person's: the newest of these records that stands.
    pub fn transcript(
        &self,
        account: &AccountId,
        institution: Option<InstitutionId>,
    ) -> Result<(Vec<u8>, usize), TranscriptError> {
        let shared = &self.shared;
        let today = day_of_ms(self.now_ms());
        // All of it is of one moment: the plan, the checkpoint, and the tree to which the proofs lead.
        let (context, state) = (self.context(), shared.state());
        let view = StoreView::new(&context, &state);
        let key = shared.statement_key(&state)?;
        let plan = read::transcript(&view, account, institution, id_of(&key), today)?;
        let secret = shared.private.statement(account, institution, state.head.size, today);
        let stands = |used: &&Used| view.marks_of(&used.facts.status_id).ended().is_none();
        let mut identities = plan.records.iter().rev().filter(|used| used.record.kind() == Kind::Identity);
        let said = Said { institution, today, identity: identities.find(stands).map(|used| used.place) };
        let transcript = shared.transcript(&view, &plan, &said, (&secret, &key))?;
        Ok((write_file(&transcript)?, plan.embargoed))
    }
}

impl Shared {
    /// The statement key in force at the last seal.
    fn statement_key(&self, state: &State) -> Result<SigningKey, TranscriptError> {
        let last = state.log.last_seal().ok_or(PlanError::Empty)?;
        let registry = &state.registry_at(last.index).registry;
        self.ring.statement(registry, last.time_ms / 60_000).ok_or(TranscriptError::NoStatementKey)
    }

    fn transcript(
        &self,
        view: &StoreView<'_>,
        plan: &TranscriptPlan,
        said: &Said,
        (secret, key): (&StatementSecret, &SigningKey),
    ) -> Result<pb::Transcript, TranscriptError> {
        let state = view.state;
        let salted = |used: &Used| (secret.salt(&used.facts.status_id), used.facts.status_id);
        let records: Vec<([u8; 16], Digest)> = plan.records.iter().map(salted).collect();
        let commitments = commitments(&records, &secret.padding_seed());
        let (statement, signature) = Self::statement(state, &commitments, said, key)?;
        let disclosed = plan.records.iter().map(|used| {
            view.go_on()?;
            self.disclose(used.place, &used.record)
        });
        Ok(pb::Transcript {
            suite: u32::from(SUITE),
            version: TRANSCRIPT_VERSION,
            origin: state.log.origin_of_size(state.head.size).to_owned(),
            statement,
            statement_signature: signature.to_vec(),
            base: Some(self.tree_proofs(state, &plan.base)?),
            records: disclosed.collect::<Result<_, _>>()?,
            // Both parts are proved in one tree.
            status: Some(self.status_part(state, &plan.status, Vec::new())?),
            salts: records.iter().map(|(salt, _)| salt.to_vec()).collect(),
            padding_seed: secret.padding_seed().to_vec(),
        })
    }

    /// The proofs of a part, in the tree of a state.
    pub(super) fn tree_proofs(&self, state: &State, plan: &PartPlan) -> Result<pb::TreeProofs, TranscriptError> {
        let mut node = self.node_once();
        let mut proved = |entry: &LogIndex| self.proved_by(*entry, state.head.size, &state.head.root, &mut node);
        let pieces = Pieces::of(plan);
        Ok(pb::TreeProofs {
            seals: plan.seals.iter().map(&mut proved).collect::<Result<_, _>>()?,
            blocks: plan.blocks.keys().map(proved).collect::<Result<_, _>>()?,
            groups: pieces.groups,
            registry: registry_proofs(state, plan)?,
            publications: pieces.publications,
            successions: pieces.successions,
            log_keys: self.with_trees(state, pieces.log_keys)?,
        })
    }

    /// Adds to each succession of the log that the tree continues the one that it names.
    fn with_trees(
        &self,
        state: &State,
        log_keys: Vec<pb::ProvedLogKey>,
    ) -> Result<Vec<pb::ProvedLogKey>, TranscriptError> {
        let with_tree = |proved: pb::ProvedLogKey| {
            let kind = proved.record.as_ref().map(|record| record.kind);
            if kind != Some(pb::Kind::LogSuccession.into()) {
                return Ok(proved);
            }
            // Its block is at the size of the tree that continues.
            let path = self.consistency(proved.block, state.head.size)?;
            Ok(pb::ProvedLogKey { consistency: path.iter().map(|hash| hash.0.to_vec()).collect(), ..proved })
        };
        log_keys.into_iter().map(with_tree).collect()
    }

    fn statement(
        state: &State,
        commitments: &[Digest],
        said: &Said,
        key: &SigningKey,
    ) -> Result<(Vec<u8>, [u8; 64]), CanonicalError> {
        let Said { institution, today, identity } = *said;
        let selection = if institution.is_some() { Selection::Complete } else { Selection::Some };
        let statement = pb::SubjectStatement {
            origin: state.log.origin_of_size(state.head.size).to_owned(),
            size: state.head.size,
            root: state.head.root.0.to_vec(),
            commitments: commitments.iter().map(|commitment| commitment.0.to_vec()).collect(),
            selection: selection.into(),
            institution: institution.map_or(0, |institution| institution.0),
            no_holder_key: Some(Marker {}),
            identity: identity.map(Into::into),
            no_identity: identity.is_none().then_some(Marker {}),
            key_id: id_of(key).0.to_vec(),
            visible_on: Some(date_of(today)),
            ..Default::default()
        };
        sign_statement(statement, |message| sign(key, message))
    }
}

fn id_of(key: &SigningKey) -> KeyId {
    KeyId::of(&key.verifying_key().to_bytes())
}

/// The pieces that a transcript shows, each with its path.
#[derive(Default)]
struct Pieces {
    groups: Vec<pb::ProvedGroup>,
    publications: Vec<pb::Publication>,
    successions: Vec<pb::ProvedSuccession>,
    log_keys: Vec<pb::ProvedLogKey>,
}

impl Pieces {
    fn of(plan: &PartPlan) -> Self {
        let mut pieces = Self::default();
        for (entry, planned) in &plan.blocks {
            let own = Place { entry: *entry, index: 0 }..Place { entry: entry.next(), index: 0 };
            let mut published = plan.publications.range(own).peekable();
            let follows = plan.successions.contains(entry);
            let log_key = plan.log_keys.iter().find(|place| place.entry == *entry);
            if planned.slices.is_empty() && published.peek().is_none() && !follows && log_key.is_none() {
                continue;
            }
            // Hashed once for all pieces of the block.
            let levels = Levels::new(planned.block.shown().leaves().to_vec());
            let path = |piece: usize| Some(levels.path(piece)?.iter().map(|hash| hash.0.to_vec()).collect());
            let number = |piece: usize| u32::try_from(piece).ok();
            let group = |(piece, slice): (usize, Slice<'_>)| {
                let group = Some(slice.to_group());
                Some(pb::ProvedGroup { block: entry.0, piece: number(piece)?, group, path: path(piece)? })
            };
            let publication = |(place, piece): (&Place, &usize)| {
                let (place, piece_plus_1) = (place.written(), number(piece + 1)?);
                Some(pb::Publication { place, piece_plus_1, path: path(*piece)? })
            };
            let succession = follows.then(|| planned.block.public().records.first()).flatten();
            let succession = succession.and_then(|record| decode(&record.body).ok());
            if let (Some(succession), Some(path)) = (succession, path(0)) {
                pieces.successions.push(pb::ProvedSuccession { block: entry.0, succession: Some(succession), path });
            }
            let record = log_key.and_then(|place| {
                let at = usize::try_from(place.index).ok()?;
                Some((planned.block.public().records.get(at)?.clone(), path(at)?))
            });
            pieces.log_keys.extend(record.map(|(record, path)| pb::ProvedLogKey {
                block: entry.0,
                record: Some(record),
                path,
                consistency: Vec::new(),
            }));
            pieces.groups.extend(planned.shown().filter_map(group));
            pieces.publications.extend(published.filter_map(publication));
        }
        pieces
    }
}

/// By seal, then by the digest of the key, as a transcript lists them.
fn registry_proofs(state: &State, plan: &PartPlan) -> Result<Vec<pb::ProvedRegistryEntry>, TranscriptError> {
    let mut wanted: Vec<(LogIndex, Digest, &RegistryKey)> =
        plan.registry.iter().map(|(seal, key)| (*seal, key.digest(), key)).collect();
    wanted.sort_unstable();
    let proved = |(seal, digest, key): (LogIndex, Digest, &RegistryKey)| {
        let found = prove(state.registry_at(seal), &digest);
        let entry = found.entry.ok_or_else(|| TranscriptError::Registry { seal, key: key.clone() })?;
        // An empty proof (a map of one entry) is left out, as canonical messages leave out empty ones.
        let proof = (!found.proof.siblings.is_empty()).then_some(found.proof);
        Ok(pb::ProvedRegistryEntry { seal: seal.0, entry: Some(entry), proof })
    };
    wanted.into_iter().map(proved).collect()
}

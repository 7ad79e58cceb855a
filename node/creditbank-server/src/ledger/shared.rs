//! What the append path and the readers share.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use creditbank_protocol::InstitutionId;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::pb::{self, Kind, Purpose};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::{KeyStore, Round, Row, Store, StoreError};

use super::{Limits, OpenError, sign_by};
use crate::append::courses::Courses;
use crate::append::round::Context;
use crate::append::state::State;
use crate::append::{Signed, SubmitError, VerifiedBlock};
use crate::clock::{Clock, Entropy};
use crate::directory::KeyRing;
use crate::health::{Condition, Health};
use crate::log_measures::LogMeasures;
use crate::metrics::Metrics;
use crate::operate::scrub::ScrubOptions;
use crate::private::PrivateKeys;
use crate::tables::{self, Counts, Note};
use crate::work::{Asked, OverQuota, Work};

/// What the append path and the readers share.
pub(crate) struct Shared {
    /// The name with which the log began. Bodies are always encrypted for it. Checkpoints bear the name in the state.
    pub(crate) first_origin: String,
    pub(crate) store: Box<dyn Store>,
    pub(crate) keys: KeyStore,
    pub(crate) private: PrivateKeys,
    pub(crate) ring: KeyRing,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limits: Limits,
    pub(crate) courses: Courses,
    pub(crate) work: Work,
    pub(crate) metrics: Arc<Metrics>,
    pub(super) log_measures: LogMeasures,
    pub(crate) health: Arc<Health>,
    /// As of the last durable round.
    pub(super) counts: Mutex<Counts>,
    pub(crate) scrub: Option<ScrubOptions>,
    pub(crate) state: RwLock<Arc<State>>,
    /// Whether the log may continue under another origin.
    pub(crate) succeeds: bool,
}

impl Shared {
    /// The state as of the last durable round.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Publishes the state after a round to readers.
    pub(crate) fn show(&self, state: State) {
        self.log_measures.show(&state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Checks everything of a block, and of what is beside it, that does not depend on order. `signed` is called as
    /// soon as its signature is found good.
    pub(crate) fn verify(
        &self,
        request: SubmitBlockRequest,
        signed: impl FnOnce(),
    ) -> Result<VerifiedBlock, SubmitError> {
        let state = self.state();
        let registry = &state.registry().registry;
        let block = Signed::read(registry, request)?;
        signed();
        // Not before the signature is good, so that nobody uses another's quota.
        self.take_quota(block.institution(), Asked::Blocks, 1)?;
        let verified = block.check(registry)?;
        // Nobody could seal what follows once the key is in force.
        for key in log_keys(&verified) {
            let is_known = registry.log_keys().is_some_and(|known| known.contains(&key));
            if !is_known && self.ring.find(&key).is_none() {
                return Err(SubmitError::LogKeyMissing(KeyId::of(&key)));
            }
        }
        Ok(verified)
    }

    /// Takes from an institution's quota of a minute.
    pub(crate) fn take_quota(&self, institution: InstitutionId, asked: Asked, count: usize) -> Result<(), OverQuota> {
        self.work.quotas.take(institution, asked, count, self.clock.monotonic_ms())
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The counts of rows and keys as of the last durable round.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the counts after a durable round.
    pub(crate) fn count(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    pub(crate) fn courses(&self) -> &Courses {
        &self.courses
    }

    pub(crate) fn context(&self) -> Context<'_> {
        let Self { store, keys, private, entropy, courses, health, .. } = self;
        Context { store: &**store, keys, private, entropy: &**entropy, courses, health, pending: None, token: None }
    }

    /// Signs a checkpoint with these log keys. They are known, because the round was sealed with them.
    pub(crate) fn sign_checkpoint(&self, checkpoint: &Checkpoint, signers: &[[u8; 32]]) -> Result<Vec<u8>, OpenError> {
        sign_by(&self.ring, checkpoint, signers)
    }

    /// The signatures of the newest checkpoint, to be stored behind its round.
    pub(crate) fn newest_note(&self) -> Option<Row> {
        let state = self.state();
        let text = std::str::from_utf8(&state.checkpoint).ok()?;
        let (_, lines) = text.split_once("\n\n")?;
        let note = Note { signers: state.signers.clone(), lines: lines.to_owned() };
        Some(tables::note(state.head.size, &note))
    }

    /// Stores the signatures of the newest checkpoint in a separate round, before the node stops.
    pub(crate) fn keep_note(&self) -> Result<(), StoreError> {
        let head = self.store.head();
        let is_kept = tables::note_of(&*self.store, head.size)?.is_none_or(|note| !note.lines.is_empty());
        let Some(row) = self.newest_note().filter(|_| !is_kept && self.store.failure().is_none()) else {
            return Ok(());
        };
        if self.state().head.size != head.size {
            return Ok(());
        }
        let round = Round { base: head, next: head, entries: Vec::new(), nodes: Vec::new(), rows: vec![row] };
        match self.store.append(&round) {
            // The next start signs it once more, with the same keys.
            Err(StoreError::Full { .. } | StoreError::Displaced { .. }) => Ok(()),
            other => other,
        }
    }

    /// New data was written, or would be accepted.
    pub(crate) fn takes_writes(&self) {
        for condition in [Condition::ReadOnly, Condition::Displaced] {
            if self.health.clear(condition) {
                tracing::info!("new data is accepted again");
            }
        }
    }

    /// New data is not accepted. The log has a line the first time.
    pub(crate) fn takes_no_writes(&self, error: &StoreError) {
        let is_new = match error {
            StoreError::Full { .. } => self.health.set(Condition::ReadOnly, format!("read-only: {error}")),
            StoreError::Displaced { .. } => self.health.set(Condition::Displaced, format!("read-only: {error}")),
            _ => false,
        };
        if is_new {
            tracing::error!(why = %error, "READ-ONLY: what is stored is served, and nothing new is accepted");
        }
    }

    /// Checks whether the node could accept new data, and shows the result. A caller who waits for this does not write.
    pub(super) fn look(&self) {
        match self.keys.look().and_then(|()| self.store.look()) {
            Ok(()) if self.store.failure().is_none() => self.takes_writes(),
            Ok(()) => {}
            Err(error) => self.takes_no_writes(&error),
        }
    }
}

/// The log keys that a block names.
fn log_keys(verified: &VerifiedBlock) -> Vec<[u8; 32]> {
    let keys = verified.records.records().iter().filter(|record| record.kind() == Kind::Key);
    let keys = keys.filter_map(|record| decode::<pb::Key>(record.body()).ok());
    let of_log = keys.filter(|key| key.purpose == i32::from(Purpose::Log));
    of_log.filter_map(|key| key.public_key.try_into().ok()).collect()
}

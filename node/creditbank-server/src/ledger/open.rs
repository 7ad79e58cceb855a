//! The parts of a log, and how it is opened: what is held in memory is rebuilt, and compared with what was written.

use std::sync::{Arc, Mutex, RwLock};

use creditbank_ledger::state::LogKeys;
use creditbank_protocol::LogIndex;
use creditbank_protocol::dates::show_duration_ms;
use creditbank_protocol::key::{KeyId, LogKeyHistory};
use creditbank_protocol::note::{Checkpoint, sign_checkpoint_by};
use creditbank_store::{KeyStore, Store};

use super::{Limits, NoLogKey, OpenError, Said, Shared};
use crate::append::courses::Courses;
use crate::append::seal_time::BEHIND_MS_MAX;
use crate::append::state::{LoadError, State, load};
use crate::clock::{Clock, Entropy};
use crate::directory::key_files::{self, Against};
use crate::directory::{KeyFileFound, KeyRing};
use crate::health::{Condition, Health};
use crate::log_measures::LogMeasures;
use crate::metrics::Metrics;
use crate::operate::scrub::ScrubOptions;
use crate::private::PrivateKeys;
use crate::tables::{self, Counts};
use crate::watched::Watched;
use crate::work::Work;

/// The parts of a log.
pub struct Parts {
    /// The log, and how it was begun.
    pub begun: LogKeys,
    /// Its durable state.
    pub store: Box<dyn Store>,
    /// The learners' keys.
    pub keys: KeyStore,
    /// The node's secrets.
    pub private: PrivateKeys,
    /// The keys that sign checkpoints, seals and subject statements.
    pub ring: KeyRing,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Limits.
    pub limits: Limits,
    /// The files of keys/, to be compared with the registry.
    pub key_files: Vec<KeyFileFound>,
    /// How the log is scrubbed; `None` if it is not on a disk.
    pub scrub: Option<ScrubOptions>,
    /// Whether the log is about to continue under another origin: the old log key is not needed.
    pub succeeds: bool,
}

impl Shared {
    /// Opens the log: rebuilds what is held in memory.
    pub(super) fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let Parts { begun, store, keys, private, ring, clock, entropy, limits, key_files, scrub, succeeds } = parts;
        let (first_origin, first) = (begun.origin.clone(), begun.log_key);
        let metrics = Arc::new(Metrics::default());
        let health = Arc::new(Health::new(&metrics));
        let store: Box<dyn Store> = Box::new(Watched::new(store, Arc::clone(&health)));
        let counts = Counts::stored(&*store).map_err(LoadError::from)?;
        counts.check(&*store).map_err(LoadError::from)?;
        let mut state = load(&*store, begun)?;
        check_learners(&keys, counts)?;
        let is_sealed = state.log.last_seal().is_some();
        if is_sealed {
            check_clock(&state, clock.now_ms(), limits.said)?;
            if !succeeds {
                // Before a key is missed: this error names the file that is damaged.
                let registry = &state.log.in_force().registry;
                let signs = registry.log_keys().map_or(first, |keys| keys.at(LogIndex(state.head.size)));
                let minute = clock.now_ms() / 60_000;
                key_files::check(&key_files, &Against { registry, first: &first, signs, minute })?;
            }
            sign_newest(&mut state, &*store, &ring)?;
        }
        if !succeeds {
            check_log_keys(&ring, &state, (&first_origin, first))?;
        }
        if let Some(why) = store.read_only() {
            tracing::error!(
                why,
                "READ-ONLY: the disk has no room. What is stored is served, and nothing new is accepted"
            );
            health.set(Condition::ReadOnly, format!("read-only: {why}"));
        }
        let log_measures = LogMeasures::new(&metrics);
        log_measures.show(&state);
        Ok(Arc::new(Self {
            first_origin,
            store,
            keys,
            private,
            ring,
            clock,
            entropy,
            limits,
            courses: Courses::new(),
            health,
            work: Work::new(&metrics, limits.quotas),
            metrics,
            log_measures,
            counts: Mutex::new(counts),
            scrub,
            state: RwLock::new(Arc::new(state)),
            succeeds,
        }))
    }
}

/// Checks that the learners' keys are as new as the log.
fn check_learners(keys: &KeyStore, needed: Counts) -> Result<(), OpenError> {
    let found = keys.len() as u64;
    if found < needed.keys {
        return Err(OpenError::Keys { expected: needed.keys, found });
    }
    if keys.erased() < needed.erased {
        return Err(OpenError::Erased { expected: needed.erased, found: keys.erased() });
    }
    Ok(())
}

/// Checks that the clock is not behind the log, unless the operator says that the log is wrong.
fn check_clock(state: &State, now_ms: u64, said: Said) -> Result<(), OpenError> {
    let behind_ms = state.log.earliest_ms().saturating_sub(now_ms);
    match (behind_ms > BEHIND_MS_MAX, said.correct_time) {
        (false, false) => {}
        (true, false) => return Err(OpenError::Clock { behind_ms }),
        (true, true) => {
            let ahead = show_duration_ms(behind_ms);
            tracing::warn!(
                ahead,
                "--correct-time: the log is ahead of the clock; only a correction of the time is sealed"
            );
        }
        (false, true) => {
            tracing::warn!(
                "--correct-time: the log is not ahead of the clock; everything is sealed. Leave the option out"
            );
        }
    }
    Ok(())
}

/// Publishes the newest checkpoint, with the stored signatures or with new ones.
fn sign_newest(state: &mut State, store: &dyn Store, ring: &KeyRing) -> Result<(), OpenError> {
    let origin = state.log.origin_of_size(state.head.size).to_owned();
    let checkpoint = Checkpoint { origin, size: state.head.size, root: state.head.root };
    let missing = || LoadError::from(store.distrust_index("the signers of the last checkpoint are missing"));
    let note = tables::note_of(store, state.head.size).map_err(LoadError::from)?.ok_or_else(missing)?;
    state.checkpoint =
        if note.lines.is_empty() { sign_by(ring, &checkpoint, &note.signers)? } else { note.signed(&checkpoint) };
    state.signers = note.signers;
    Ok(())
}

/// The note of a checkpoint by log keys whose files exist.
pub(crate) fn sign_by(ring: &KeyRing, checkpoint: &Checkpoint, signers: &[[u8; 32]]) -> Result<Vec<u8>, OpenError> {
    let key = |key: &[u8; 32]| ring.find(key).ok_or_else(|| OpenError::LastNote { key: KeyId::of(key) });
    let keys = signers.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Ok(sign_checkpoint_by(checkpoint, &keys.iter().collect::<Vec<_>>())?)
}

/// Checks that the key that signs the next seal exists, and warns if the key that signs after it does not.
fn check_log_keys(ring: &KeyRing, state: &State, (origin, first): (&str, [u8; 32])) -> Result<(), OpenError> {
    let next = LogIndex(state.head.size);
    let history =
        state.log.in_force().registry.log_keys().cloned().unwrap_or_else(|| LogKeyHistory::new(origin, first));
    let in_force = history.at(next);
    if ring.find(&in_force).is_none() {
        return Err(NoLogKey::new(&in_force, next).into());
    }
    for (from, key) in history.all().filter(|(from, key)| *from > next && ring.find(key).is_none()) {
        let missing = NoLogKey::new(&key, from);
        tracing::warn!(key = %missing.key, from = from.0, file = missing.file, "the next log key's file is not there yet");
    }
    Ok(())
}

//! A log and everything that reads and extends it.

use std::sync::{Arc, PoisonError, RwLock};

use creditbank_ledger::state::LogKeys;
use creditbank_protocol::Digest;
use creditbank_protocol::note::{Checkpoint, NoteError, sign_checkpoint};
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::{KeyStore, Store, StoreError};
use ed25519_dalek::SigningKey;
use tokio::sync::watch;

use crate::append::courses::Courses;
use crate::append::round::Context;
use crate::append::state::{LoadError, State, load};
use crate::append::threads::Threads;
use crate::append::{Steps, Submission, SubmitError, VerifiedBlock, verify};
use crate::clock::{Clock, Entropy};
use crate::private::PrivateKeys;
use crate::tables;

/// Bounds of the append path.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Blocks that may wait for the sequencer.
    pub queue_blocks_max: usize,
    /// KiB of blocks and records that may be under way at once.
    pub queue_kib_max: usize,
    /// Blocks of one round.
    pub round_blocks_max: usize,
    /// Bytes of one round.
    pub round_bytes_max: usize,
    /// An empty round is sealed when nothing was for so long.
    pub seal_interval_ms: u64,
    /// Opens also where the clock is behind the log, which was sealed under a wrong one. Until it has caught up, nothing
    /// is sealed but a correction of the time.
    pub correct_time: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_blocks_max: 1_024,
            queue_kib_max: 256 << 10,
            round_blocks_max: 512,
            round_bytes_max: 8 << 20,
            seal_interval_ms: 3_600_000,
            correct_time: false,
        }
    }
}

/// What a log is made of.
pub struct Parts {
    /// The log, and what it was begun with.
    pub begun: LogKeys,
    /// Its durable state.
    pub store: Box<dyn Store>,
    /// The learners' keys.
    pub keys: KeyStore,
    /// The node's secrets.
    pub private: PrivateKeys,
    /// Signs checkpoints and seals.
    pub log_key: SigningKey,
    /// Signs subject statements.
    pub statement_key: SigningKey,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Bounds.
    pub limits: Limits,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state cannot be rebuilt from the store.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The wall clock is before the last seal.
    #[error(
        "the wall clock is {behind_ms} ms before the last seal: set the clock, then start again; where it is right, the log \
         was sealed under a wrong one (docs/operate/clock.md, `serve --correct-time`)"
    )]
    Clock {
        /// By how much.
        behind_ms: u64,
    },
    /// Another log key than the one in force.
    #[error("keys/log.key is {found}, the log key in force is {expected}: put that one there")]
    LogKey {
        /// In force, in hexadecimal.
        expected: String,
        /// In the file.
        found: String,
    },
    /// The learners' keys are not the ones of this log.
    #[error("learners.keys holds {found} keys, the log needs {expected}: restore it from a backup as new as the log")]
    Keys {
        /// What the log needs.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The origin cannot stand in a checkpoint.
    #[error("the checkpoint cannot be signed: {0}")]
    Note(#[from] NoteError),
}

/// An open log.
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    /// `None` for a log that its owner extends step by step.
    pub(crate) threads: Option<Threads>,
    pub(crate) failed: watch::Sender<Option<String>>,
}

/// What the append path and the readers share.
pub(crate) struct Shared {
    pub(crate) origin: String,
    pub(crate) store: Box<dyn Store>,
    pub(crate) keys: KeyStore,
    pub(crate) private: PrivateKeys,
    pub(crate) log_key: SigningKey,
    pub(crate) statement_key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limits: Limits,
    pub(crate) courses: Courses,
    pub(crate) state: RwLock<Arc<State>>,
}

impl Shared {
    /// The state as of the last durable round.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows the state after a round to readers.
    pub(crate) fn show(&self, state: State) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Checks what needs no order of a block and what is beside it.
    pub(crate) fn verify(&self, request: SubmitBlockRequest) -> Result<VerifiedBlock, SubmitError> {
        let state = self.state();
        verify(&state.registry().registry, request)
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn courses(&self) -> &Courses {
        &self.courses
    }

    pub(crate) fn context(&self) -> Context<'_> {
        let Self { store, keys, private, entropy, courses, .. } = self;
        Context { store: &**store, keys, private, entropy: &**entropy, courses, pending: None }
    }

    pub(crate) fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Result<Vec<u8>, NoteError> {
        sign_checkpoint(checkpoint, &self.log_key)
    }

    /// Opens the log: rebuilds what is held in memory.
    fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let Parts { begun, store, keys, private, log_key, statement_key, clock, entropy, limits } = parts;
        let origin = begun.origin.clone();
        let public_key = log_key.verifying_key().to_bytes();
        if public_key != begun.log_key {
            return Err(OpenError::LogKey { expected: hex::encode(begun.log_key), found: hex::encode(public_key) });
        }
        let mut state = load(&*store, begun)?;
        let expected = tables::needed_keys(&*store).map_err(LoadError::from)?;
        let found = keys.len() as u64;
        if found < expected {
            return Err(OpenError::Keys { expected, found });
        }
        if state.log.last_seal().is_some() {
            let behind_ms = state.log.earliest_ms().saturating_sub(clock.now_ms());
            if behind_ms > 0 && !limits.correct_time {
                return Err(OpenError::Clock { behind_ms });
            }
            let checkpoint = Checkpoint { origin: origin.clone(), size: state.head.size, root: state.head.root };
            state.checkpoint = sign_checkpoint(&checkpoint, &log_key)?;
        }
        if state.log.last_seal().is_some() {
            let days = clock.now_ms().saturating_sub(state.log.earliest_ms()) / 86_400_000;
            if days > 0 {
                tracing::warn!(days, "the last seal is days old: is the clock right? What it says will be sealed");
            }
        }
        Ok(Arc::new(Self {
            origin,
            store,
            keys,
            private,
            log_key,
            statement_key,
            clock,
            entropy,
            limits,
            courses: Courses::new(),
            state: RwLock::new(Arc::new(state)),
        }))
    }
}

impl Ledger {
    /// Opens the log: rebuilds what is held in memory and starts the threads.
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let shared = Shared::open(parts)?;
        let failed = watch::Sender::new(None);
        let threads = Some(Threads::start(&shared, failed.clone()));
        Ok(Self { shared, threads, failed })
    }

    /// Opens the log without any thread. It is extended by the steps alone; the ledger serves what reads it.
    pub fn stepped<B, A>(parts: Parts) -> Result<(Self, Steps<B, A>), OpenError> {
        let shared = Shared::open(parts)?;
        let steps = Steps::new(Arc::clone(&shared));
        Ok((Self { shared, threads: None, failed: watch::Sender::new(None) }, steps))
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// What the log was begun with: its genesis value.
    pub fn genesis(&self) -> Digest {
        self.shared.state().log.genesis()
    }

    /// The node's wall clock, milliseconds since 1970-01-01T00:00Z.
    pub fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }

    /// Becomes `Some` when the log can no longer be written; the process should stop then.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    /// Looks whether the store has found itself damaged. To be called when a read has failed.
    pub(crate) fn check_health(&self) {
        if let Some(why) = self.shared.store.failure() {
            self.failed.send_if_modified(|failed| {
                let is_new = failed.is_none();
                failed.get_or_insert(why);
                is_new
            });
        }
    }

    /// Checks a block, hands it to the sequencer, and waits until it is durable.
    pub async fn submit(&self, request: SubmitBlockRequest) -> Result<Receipt, SubmitError> {
        self.begin(request).finish().await
    }

    /// Begins to check a block. What is begun first is sequenced first when it is finished by the same caller in order;
    /// blocks of one chain that are begun together wait for one another.
    pub fn begin(&self, request: SubmitBlockRequest) -> Submission {
        match &self.threads {
            Some(threads) => threads.begin(request),
            None => Submission::refused(SubmitError::Stopped("this log takes no blocks by itself".to_owned())),
        }
    }

    /// Seals an empty round if none was sealed for the configured time. To be called now and then.
    pub async fn tick(&self) {
        if let Some(threads) = &self.threads {
            threads.tick().await;
        }
    }

    /// Finishes the round that is under way, takes no new work, and marks the stop as clean.
    pub async fn close(&self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let stopped = match &self.threads {
            Some(threads) => Some(threads.stop().await),
            None => None,
        };
        let closed = tokio::task::spawn_blocking(move || {
            stopped.map_or(Ok(()), |stopped| stopped())?;
            shared.store.close()
        });
        closed.await.unwrap_or_else(|error| Err(StoreError::Stopped(error.to_string())))
    }
}

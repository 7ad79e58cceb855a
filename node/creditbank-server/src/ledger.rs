//! A log and everything that reads and extends it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use creditbank_protocol::Digest;
use creditbank_protocol::key::genesis;
use creditbank_protocol::note::{Checkpoint, NoteError, sign_checkpoint};
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::RecordBody;
use creditbank_store::{KeyStore, Store, StoreError};
use ed25519_dalek::SigningKey;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::append::SubmitError;
use crate::append::courses::{self, Courses};
use crate::append::round::Context;
use crate::append::sequencer::{BlockReply, Job, Sequencer};
use crate::append::state::{LoadError, State, load};
use crate::append::verifiers::Verifiers;
use crate::clock::{Clock, Entropy};
use crate::private::PrivateKeys;
use crate::tables::{self, ChainHead};

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_blocks_max: 1_024,
            queue_kib_max: 256 << 10,
            round_blocks_max: 512,
            round_bytes_max: 8 << 20,
            seal_interval_ms: 3_600_000,
        }
    }
}

/// What a log is made of.
pub struct Parts {
    /// The name of the log.
    pub origin: String,
    /// Its durable state.
    pub store: Box<dyn Store>,
    /// The learners' keys.
    pub keys: KeyStore,
    /// The node's secrets.
    pub private: PrivateKeys,
    /// Signs checkpoints and seals.
    pub log_key: SigningKey,
    /// The public registry key that the log was begun with.
    pub registry_key: [u8; 32],
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
    #[error("the wall clock is {behind_ms} ms before the last seal: set the clock, then start again")]
    Clock {
        /// By how much.
        behind_ms: u64,
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
    pub(crate) jobs: mpsc::Sender<Job>,
    /// Bounds the bytes under way, in KiB.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) verifiers: Verifiers,
    pub(crate) thread: Mutex<Option<JoinHandle<()>>>,
    pub(crate) failed: watch::Sender<Option<String>>,
}

/// What the sequencer and the readers share.
pub(crate) struct Shared {
    pub(crate) origin: String,
    pub(crate) store: Box<dyn Store>,
    pub(crate) keys: KeyStore,
    pub(crate) private: PrivateKeys,
    pub(crate) log_key: SigningKey,
    pub(crate) registry_key: [u8; 32],
    pub(crate) statement_key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) limits: Limits,
    pub(crate) genesis: Digest,
    pub(crate) courses: Courses,
    pub(crate) state: RwLock<Arc<State>>,
}

impl Shared {
    /// The state as of the last durable round.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
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
}

impl Ledger {
    /// Opens the log: rebuilds what is held in memory and starts the threads.
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let Parts { origin, store, keys, private, log_key, registry_key, statement_key, clock, entropy, limits } =
            parts;
        let mut state = load(&*store, &origin)?;
        let expected = tables::needed_keys(&*store).map_err(LoadError::from)?;
        let found = keys.len() as u64;
        if found < expected {
            return Err(OpenError::Keys { expected, found });
        }
        if let Some(seal) = state.last_seal {
            let behind_ms = seal.time_ms.saturating_sub(clock.now_ms());
            if behind_ms > 0 {
                return Err(OpenError::Clock { behind_ms });
            }
            let checkpoint = Checkpoint { origin: origin.clone(), size: state.head.size, root: state.head.root };
            state.checkpoint = sign_checkpoint(&checkpoint, &log_key)?;
        }
        let genesis = genesis(&origin, &log_key.verifying_key().to_bytes(), &registry_key);
        // The operator's own chain needs nobody's admission: it begins with the genesis value.
        if !state.chains.contains_key(&(0, 0)) {
            let head = ChainHead { next_height: 0, previous: genesis, entry: 0, created_at_minute: 0 };
            state.chains.insert_mut((0, 0), head);
        }
        let shared = Arc::new(Shared {
            origin,
            store,
            keys,
            private,
            log_key,
            registry_key,
            statement_key,
            clock,
            entropy,
            limits,
            genesis,
            courses: Courses::new(),
            state: RwLock::new(Arc::new(state)),
        });
        courses::fill(&shared);
        let (jobs, queue) = mpsc::channel(limits.queue_blocks_max);
        let failed = watch::Sender::new(None);
        if let Some(seal) = shared.state().last_seal {
            let days = shared.clock.now_ms().saturating_sub(seal.time_ms) / 86_400_000;
            if days > 0 {
                tracing::warn!(days, "the last seal is days old: is the clock right? What it says will be sealed");
            }
        }
        let verifiers = Verifiers::start(&shared);
        let sequencer = Sequencer::new(Arc::clone(&shared), failed.clone());
        let thread = std::thread::Builder::new().name("sequencer".to_owned()).spawn(move || sequencer.run(queue));
        let thread = Mutex::new(Some(thread.expect("the system can start a thread at start-up")));
        Ok(Self { shared, jobs, room: Arc::new(Semaphore::new(limits.queue_kib_max)), verifiers, thread, failed })
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.shared.origin
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
    pub async fn submit(&self, block: Vec<u8>, records: Vec<RecordBody>) -> Result<Receipt, SubmitError> {
        self.begin(block, records).finish().await
    }

    /// Begins to check a block on the threads for blocking work. What is begun first is sequenced first when it is
    /// finished by the same caller in order; blocks of one chain that are begun together wait for one another.
    pub fn begin(&self, block: Vec<u8>, records: Vec<RecordBody>) -> Submission {
        let bytes = block.len() + records.iter().map(|record| record.body.len() + 64).sum::<usize>();
        let kib = u32::try_from(bytes / 1_024 + 1).unwrap_or(u32::MAX);
        let (reply, answer) = oneshot::channel();
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(kib) else {
            return Submission { answer, refused: Some(busy()) };
        };
        // The place in the queue before any work: what is refused for want of one must not pile up elsewhere.
        let slot = match self.jobs.try_reserve() {
            Ok(slot) => slot,
            Err(mpsc::error::TrySendError::Full(())) => return Submission { answer, refused: Some(busy()) },
            Err(mpsc::error::TrySendError::Closed(())) => {
                let refused = SubmitError::Stopped("no new work is taken".to_owned());
                return Submission { answer, refused: Some(refused) };
            }
        };
        let verified = self.verifiers.check(block, records);
        slot.send(Job::Block { verified, reply: BlockReply::new(reply, room) });
        Submission { answer, refused: None }
    }

    /// Seals an empty round if none was sealed for the configured time. To be called now and then.
    pub async fn tick(&self) {
        // When the queue is full or closed there is no need for it.
        let _ = self.jobs.send(Job::Tick).await;
    }

    /// Finishes the round that is under way, takes no new work, and marks the stop as clean.
    pub async fn close(&self) -> Result<(), StoreError> {
        let _ = self.jobs.send(Job::Stop).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let shared = Arc::clone(&self.shared);
        let closed = tokio::task::spawn_blocking(move || {
            if let Some(thread) = thread {
                thread.join().map_err(|_| StoreError::Stopped("the sequencer panicked".to_owned()))?;
            }
            shared.store.close()
        });
        closed.await.unwrap_or_else(|error| Err(StoreError::Stopped(error.to_string())))
    }
}

/// A block that is under way. Dropping it does not take the block back.
pub struct Submission {
    answer: oneshot::Receiver<Result<Receipt, SubmitError>>,
    refused: Option<SubmitError>,
}

impl Submission {
    /// Waits until the block is durable, or refused.
    pub async fn finish(self) -> Result<Receipt, SubmitError> {
        match self.refused {
            Some(error) => Err(error),
            None => {
                self.answer.await.unwrap_or_else(|_| Err(SubmitError::Stopped("the round was not finished".to_owned())))
            }
        }
    }
}

fn busy() -> SubmitError {
    SubmitError::Busy { retry_after_ms: 250 }
}

//! A log and everything that reads and extends it.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use creditbank_ledger::state::{ChainHead, LogKeys};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::dates::show_duration_ms;
use creditbank_protocol::key::{KeyId, LogKeyHistory};
use creditbank_protocol::note::{Checkpoint, NoteError, sign_checkpoint_by};
use creditbank_protocol::pb::{self, Kind, Purpose, Receipt};
use creditbank_protocol::{Digest, InstitutionId, LogIndex, UnitId};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::{Head, KeyStore, Round, Row, Store, StoreError};
use tokio::sync::watch;

use crate::append::courses::Courses;
use crate::append::round::Context;
use crate::append::seal_time::BEHIND_MS_MAX;
use crate::append::state::{LoadError, State, load};
use crate::append::threads::Threads;
use crate::append::{Claim, Signed, Steps, Submission, SubmitError, VerifiedBlock};
use crate::clock::{Clock, Entropy};
use crate::directory::{KeyFileFound, KeyFilesError, KeyRing, Quotas, file_name, key_files};
use crate::health::{Condition, Health};
use crate::log_measures::LogMeasures;
use crate::metrics::Metrics;
use crate::operate::scrub::{ScrubOptions, ScrubThread, Scrubber};
use crate::private::PrivateKeys;
use crate::serve::Peer;
use crate::tables::{self, Counts, Note};
use crate::watched::Watched;
use crate::work::{Asked, BUSY_RETRY_MS, OverQuota, Refused, Token, Who, Work};

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
    /// What the operator has said at the start.
    pub said: Said,
    /// What one institution may ask for.
    pub quotas: Quotas,
}

/// What the operator says at a start, and what holds for this start alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// Opens also where the clock is behind the log, which was sealed under a wrong one. Until it has caught up,
    /// nothing is sealed but a correction of the time.
    pub correct_time: bool,
    /// The wall clock is right: the first seal may be as long after the last one as it says.
    pub confirmed_time: bool,
    /// The directory was copied or moved, and this is the node that goes on.
    pub takes_over: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_blocks_max: 1_024,
            queue_kib_max: 256 << 10,
            round_blocks_max: 512,
            round_bytes_max: 8 << 20,
            seal_interval_ms: 3_600_000,
            said: Said::default(),
            quotas: Quotas::default(),
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
    /// Sign checkpoints, seals and subject statements.
    pub ring: KeyRing,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Bounds.
    pub limits: Limits,
    /// The files of keys/, to be compared with the registry.
    pub key_files: Vec<KeyFileFound>,
    /// How the log is read through in the background; `None` where it is not on a disk.
    pub scrub: Option<ScrubOptions>,
    /// Whether the log is about to go on under another origin: the old log key is not asked for.
    pub succeeds: bool,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state cannot be rebuilt from the store.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The wall clock is before the last seal.
    #[error(
        "the wall clock is {} before the last seal: set the clock, then start again; where it is right, the log \
         was sealed under a wrong one: start with `serve --correct-time`, and correct it with `creditbank registry \
         correct-time` (docs/operate/clock.md)",
        show_duration_ms(*.behind_ms)
    )]
    Clock {
        /// By how much.
        behind_ms: u64,
    },
    /// The log key in force is not there.
    #[error(transparent)]
    LogKey(#[from] NoLogKey),
    /// A log key that signs the last round's checkpoint is not there.
    #[error(
        "log key {key} signs the checkpoint of the last round too, and no file of keys/ holds it: put it back, start the \
         node and stop it once; its signature is kept then, and the file can go"
    )]
    LastNote {
        /// Which key.
        key: KeyId,
    },
    /// The learners' keys are not the ones of this log.
    #[error("learners.keys holds {found} keys, the log needs {expected}: restore it from a backup as new as the log")]
    Keys {
        /// What the log needs.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// The learners' keys are older than an erasure.
    #[error(
        "learners.keys has {found} erased learners, the log was written with {expected}: it is an older file, in which keys that \
         were destroyed live on. Restore one that is as new as the log, or erase again what was erased since"
    )]
    Erased {
        /// Tombstones that the log knows of.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// A file of keys/ does not hold what the registry knows.
    #[error(transparent)]
    KeyFiles(#[from] KeyFilesError),
    /// The origin cannot stand in a checkpoint.
    #[error("the checkpoint cannot be signed: {0}")]
    Note(#[from] NoteError),
}

/// The log key that must sign the next seal is not there.
#[derive(Debug, thiserror::Error)]
#[error(
    "log key {key} signs the seals from log index {from} on, and no file of keys/ holds it: put it there, as {file} \
     (chmod 600), and start the node again; nothing is lost"
)]
pub struct NoLogKey {
    /// Which key.
    pub key: KeyId,
    /// The next entry that it has to sign.
    pub from: LogIndex,
    /// What the file may be called.
    pub file: String,
}

impl NoLogKey {
    pub(crate) fn new(key: &[u8; 32], from: LogIndex) -> Self {
        Self { key: KeyId::of(key), from, file: file_name(Purpose::Log, key) }
    }
}

/// An open log.
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    /// `None` for a log that its owner extends step by step.
    pub(crate) threads: Option<Arc<Threads>>,
    pub(crate) failed: watch::Sender<Option<String>>,
    /// Says stop to whoever reads through this.
    token: Option<Token>,
    /// Reads the log in the background. Ends with the ledger.
    _scrub: Option<ScrubThread>,
}

/// What the append path and the readers share.
pub(crate) struct Shared {
    /// The name with which the log was begun: bodies are encrypted for it for ever. Checkpoints bear the one of the
    /// state.
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
    log_measures: LogMeasures,
    pub(crate) health: Arc<Health>,
    /// As of the last durable round.
    counts: Mutex<Counts>,
    pub(crate) scrub: Option<ScrubOptions>,
    pub(crate) state: RwLock<Arc<State>>,
    /// Whether the log may go on under another origin.
    pub(crate) succeeds: bool,
}

impl Shared {
    /// The state as of the last durable round.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows the state after a round to readers.
    pub(crate) fn show(&self, state: State) {
        self.log_measures.show(&state);
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Checks what needs no order of a block and what is beside it. `signed` is called as soon as its signature is
    /// known to be good.
    pub(crate) fn verify(
        &self,
        request: SubmitBlockRequest,
        signed: impl FnOnce(),
    ) -> Result<VerifiedBlock, SubmitError> {
        let state = self.state();
        let registry = &state.registry().registry;
        let block = Signed::read(registry, request)?;
        signed();
        // Not before the signature is good: nobody uses up another's quota.
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

    /// Takes from what an institution may ask for in a minute.
    pub(crate) fn take_quota(&self, institution: InstitutionId, asked: Asked, count: usize) -> Result<(), OverQuota> {
        self.work.quotas.take(institution, asked, count, self.clock.monotonic_ms())
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// How many rows and keys there are as of the last durable round.
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same after a round that is durable.
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

    /// Signs a checkpoint by these log keys, which are known: the round was sealed with them.
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

    /// Stores the signatures of the newest checkpoint in a round of their own, before the node stops.
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

    /// Something new was written, or would be.
    pub(crate) fn takes_writes(&self) {
        for condition in [Condition::ReadOnly, Condition::Displaced] {
            if self.health.clear(condition) {
                tracing::info!("what is new is taken again");
            }
        }
    }

    /// Nothing new is written, or would be. The log has a line for the first time.
    pub(crate) fn takes_no_writes(&self, error: &StoreError) {
        let is_new = match error {
            StoreError::Full { .. } => self.health.set(Condition::ReadOnly, format!("read-only: {error}")),
            StoreError::Displaced { .. } => self.health.set(Condition::Displaced, format!("read-only: {error}")),
            _ => false,
        };
        if is_new {
            tracing::error!(why = %error, "READ-ONLY: what is stored is served, and nothing new is taken");
        }
    }

    /// Looks whether something new would be taken, and shows it. Whoever waits for that does not write.
    fn look(&self) {
        match self.keys.look().and_then(|()| self.store.look()) {
            Ok(()) if self.store.failure().is_none() => self.takes_writes(),
            Ok(()) => {}
            Err(error) => self.takes_no_writes(&error),
        }
    }

    /// Opens the log: rebuilds what is held in memory.
    fn open(parts: Parts) -> Result<Arc<Self>, OpenError> {
        let Parts { begun, store, keys, private, ring, clock, entropy, limits, key_files, scrub, succeeds } = parts;
        let (first_origin, first) = (begun.origin.clone(), begun.log_key);
        let metrics = Arc::new(Metrics::default());
        let health = Arc::new(Health::new(&metrics));
        let store: Box<dyn Store> = Box::new(Watched::new(store, Arc::clone(&health)));
        let counts = Counts::stored(&*store).map_err(LoadError::from)?;
        counts.check(&*store).map_err(LoadError::from)?;
        let mut state = load(&*store, begun)?;
        let expected = counts.keys;
        let found = keys.len() as u64;
        if found < expected {
            return Err(OpenError::Keys { expected, found });
        }
        if keys.erased() < counts.erased {
            return Err(OpenError::Erased { expected: counts.erased, found: keys.erased() });
        }
        if state.log.last_seal().is_some() {
            let behind_ms = state.log.earliest_ms().saturating_sub(clock.now_ms());
            if behind_ms > BEHIND_MS_MAX && !limits.said.correct_time {
                return Err(OpenError::Clock { behind_ms });
            }
            if limits.said.correct_time && behind_ms > BEHIND_MS_MAX {
                let ahead = show_duration_ms(behind_ms);
                tracing::warn!(
                    ahead,
                    "--correct-time: the log is ahead of the clock; nothing is sealed but a correction of the time"
                );
            } else if limits.said.correct_time {
                tracing::warn!(
                    "--correct-time: the log is not ahead of the clock; everything is sealed. Leave the option out"
                );
            }
            let origin = state.log.origin_of_size(state.head.size).to_owned();
            let checkpoint = Checkpoint { origin, size: state.head.size, root: state.head.root };
            let missing = || LoadError::from(store.distrust_index("the signers of the last checkpoint are missing"));
            let note = tables::note_of(&*store, state.head.size).map_err(LoadError::from)?.ok_or_else(missing)?;
            state.checkpoint = if note.lines.is_empty() {
                sign_by(&ring, &checkpoint, &note.signers)?
            } else {
                note.signed(&checkpoint)
            };
            state.signers = note.signers;
        }
        if !succeeds {
            check_log_keys(&ring, &state, (&first_origin, first))?;
        }
        if !succeeds && state.log.last_seal().is_some() {
            let registry = &state.log.in_force().registry;
            key_files::check(&key_files, registry, &first, clock.now_ms() / 60_000)?;
        }
        if let Some(why) = store.read_only() {
            tracing::error!(why, "READ-ONLY: the disk has no room. What is stored is served, and nothing new is taken");
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

/// The log keys that a block names.
fn log_keys(verified: &VerifiedBlock) -> Vec<[u8; 32]> {
    let keys = verified.records.records().iter().filter(|record| record.kind() == Kind::Key);
    let keys = keys.filter_map(|record| decode::<pb::Key>(record.body()).ok());
    let of_log = keys.filter(|key| key.purpose == i32::from(Purpose::Log));
    of_log.filter_map(|key| key.public_key.try_into().ok()).collect()
}

/// The note of a checkpoint by log keys whose files are there.
pub(crate) fn sign_by(ring: &KeyRing, checkpoint: &Checkpoint, signers: &[[u8; 32]]) -> Result<Vec<u8>, OpenError> {
    let key = |key: &[u8; 32]| ring.find(key).ok_or_else(|| OpenError::LastNote { key: KeyId::of(key) });
    let keys = signers.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Ok(sign_checkpoint_by(checkpoint, &keys.iter().collect::<Vec<_>>())?)
}

/// Checks that the key is there that signs the next seal; warns where it is not that signs after it.
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

impl Ledger {
    /// Opens the log: rebuilds what is held in memory and starts the threads.
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let shared = Shared::open(parts)?;
        let failed = watch::Sender::new(None);
        let threads = Some(Arc::new(Threads::start(&shared, failed.clone())));
        let scrub = ScrubThread::start(&shared);
        Ok(Self { shared, threads, failed, token: None, _scrub: scrub })
    }

    /// Opens the log without any thread. It is extended by the steps alone; the ledger serves what reads it.
    pub fn stepped<B, A>(parts: Parts) -> Result<(Self, Steps<B, A>), OpenError> {
        let shared = Shared::open(parts)?;
        let steps = Steps::new(Arc::clone(&shared));
        Ok((Self { shared, threads: None, failed: watch::Sender::new(None), token: None, _scrub: None }, steps))
    }

    /// The same log, read by one piece of work, which stops when its token says so.
    pub(crate) fn read_by(&self, token: Token) -> Self {
        let Self { shared, threads, failed, token: _, _scrub: _ } = self;
        Self {
            shared: Arc::clone(shared),
            threads: threads.clone(),
            failed: failed.clone(),
            token: Some(token),
            _scrub: None,
        }
    }

    /// What reads the store with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context { token: self.token.as_ref(), ..self.shared.context() }
    }

    /// Whether nobody waits any more for what is being done, or the node stops.
    pub(crate) fn is_stopped(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.stop().is_some())
    }

    /// Takes from what an institution may ask for in a minute.
    pub(crate) fn take_quota(&self, institution: InstitutionId, asked: Asked, count: usize) -> Result<(), OverQuota> {
        self.shared.take_quota(institution, asked, count)
    }

    /// The pools in which calls are worked on, and the quotas.
    pub(crate) fn work(&self) -> &Work {
        &self.shared.work
    }

    /// Ends what is being done for calls that read, and takes no more of them: the first step of a stop. What is on its
    /// way into the log goes on until [`close`](Self::close).
    pub fn stop_work(&self) {
        self.shared.work.stop();
    }

    /// The name that the log has now.
    pub fn origin(&self) -> String {
        self.shared.state().log.origin().to_owned()
    }

    /// The names and log keys that the log has had.
    pub fn log_keys(&self) -> LogKeyHistory {
        let state = self.shared.state();
        let begun = state.log.keys();
        let known = state.log.in_force().registry.log_keys().cloned();
        known.unwrap_or_else(|| LogKeyHistory::new(&begun.origin, begun.log_key))
    }

    /// Where the operator's chain goes on, in which log, and how many approvals its blocks need.
    pub(crate) fn operators_chain(&self) -> (Head, ChainHead, usize) {
        let state = self.shared.state();
        let chain = state.log.chain(UnitId::OPERATOR).expect("a log has the operator's chain from its beginning on");
        (state.head, chain, state.log.in_force().registry.approvals_required(UnitId::OPERATOR))
    }

    /// What the log was begun with: its genesis value.
    pub fn genesis(&self) -> Digest {
        self.shared.state().log.genesis()
    }

    /// The node's wall clock, milliseconds since 1970-01-01T00:00Z.
    pub fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }

    /// What the node measures of itself.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// What is wrong with the node.
    pub fn health(&self) -> &Health {
        &self.shared.health
    }

    /// What reads the log through in the background, for whoever does it step by step; `None` of a log that is not on a disk.
    /// A ledger that was opened with threads does it itself.
    pub fn scrubber(&self) -> Option<Scrubber> {
        Scrubber::new(&self.shared)
    }

    /// Whether the store does no more work: the process should stop, and its next start mends what is derived.
    pub fn has_failed(&self) -> bool {
        self.shared.store.failure().is_some()
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
    pub async fn submit(&self, request: SubmitBlockRequest, peer: Peer) -> Result<Receipt, SubmitError> {
        self.begin(request, peer).await.finish().await
    }

    /// Begins to check a block; of one that is sealed already the answer is read here. What a caller begins first, waiting
    /// for each before the next, is sequenced first; blocks of one chain that are begun so wait for one another.
    pub async fn begin(&self, request: SubmitBlockRequest, peer: Peer) -> Submission {
        let Some(threads) = &self.threads else {
            return Submission::answered(Err(SubmitError::Stopped("this log takes no blocks by itself".to_owned())));
        };
        let claim = Claim::of(&request.block);
        if claim.is_some_and(|claim| self.shared.is_taken(&claim))
            && let Some(answer) = self.repeated(&request, peer).await
        {
            return Submission::answered(answer);
        }
        threads.begin(request, claim, peer)
    }

    /// The answer to a block that is sealed already, when it is the caller's turn to read; `None` of another one.
    async fn repeated(&self, request: &SubmitBlockRequest, peer: Peer) -> Option<Result<Receipt, SubmitError>> {
        let work = &self.shared.work;
        if let Err(held_up) = work.suspicion.repeat(peer) {
            return Some(Err(held_up.into()));
        }
        let (shared, block) = (Arc::clone(&self.shared), request.block.clone());
        let found = work.cheap.run(Who::Address(peer), work.token(), move || shared.sealed(&block)).await;
        let answer = found.unwrap_or_else(|refused| {
            Some(Err(match refused {
                Refused::Busy => SubmitError::Busy { retry_after_ms: BUSY_RETRY_MS },
                Refused::Stopping | Refused::Panicked => SubmitError::Stopped("the block was not looked up".to_owned()),
            }))
        });
        let answer = answer?;
        if let Err(SubmitError::Unreadable(_)) = &answer {
            self.check_health();
        }
        Some(answer.map_err(|error| self.shared.of_unreadable(error)))
    }

    /// Looks whether something new would be taken, and shows it in the health; takes a moment of the disk. To be called each
    /// second or so: a full disk, and a file that is gone, are told before somebody writes, and until they are mended.
    pub fn look(&self) {
        self.shared.look();
        self.check_health();
    }

    /// Seals an empty round if none was sealed for the configured time. To be called now and then.
    pub fn tick(&self) {
        if let Some(threads) = &self.threads {
            threads.tick();
        }
    }

    /// Finishes the round that is under way, takes no new work, and marks the stop as clean.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.stop_work();
        let shared = Arc::clone(&self.shared);
        let stopped = self.threads.as_ref().map(|threads| threads.stop());
        let closed = tokio::task::spawn_blocking(move || {
            stopped.map_or(Ok(()), |stopped| stopped())?;
            shared.keep_note()?;
            shared.store.close()
        });
        closed.await.unwrap_or_else(|error| Err(StoreError::Stopped(error.to_string())))
    }
}

//! A log and everything that reads and extends it.

mod error;
mod limits;
mod open;
mod shared;

use std::sync::Arc;

use creditbank_ledger::state::ChainHead;
use creditbank_protocol::key::LogKeyHistory;
use creditbank_protocol::pb::Receipt;
use creditbank_protocol::{Digest, InstitutionId, UnitId};
use creditbank_rpc::v1::SubmitBlockRequest;
use creditbank_store::{Head, StoreError};
use tokio::sync::watch;

use crate::append::round::Context;
use crate::append::threads::Threads;
use crate::append::{Claim, Steps, Submission, SubmitError};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::operate::scrub::{ScrubThread, Scrubber};
use crate::serve::Peer;
use crate::work::{Asked, BUSY_RETRY_MS, OverQuota, Refused, Token, Who, Work};

pub use error::{NoLogKey, OpenError};
pub use limits::{Limits, Said};
pub use open::Parts;
pub(crate) use open::sign_by;
pub(crate) use shared::Shared;

/// An open log.
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    /// `None` for a log that its owner extends step by step.
    pub(crate) threads: Option<Arc<Threads>>,
    pub(crate) failed: watch::Sender<Option<String>>,
    /// Tells readers through this ledger to stop.
    token: Option<Token>,
    /// Reads the log in the background. Ends with the ledger.
    _scrub: Option<ScrubThread>,
}

/// What the operator's next block builds on.
pub(crate) struct OperatorsChain {
    /// The log so far.
    pub(crate) head: Head,
    /// The end of the operator's chain.
    pub(crate) chain: ChainHead,
    /// How many approvals the block needs.
    pub(crate) approvals: usize,
    /// The registry key in force.
    pub(crate) registry_key: [u8; 32],
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

    /// Opens the log without threads. Only the steps extend it; the ledger serves reads.
    pub fn stepped<B, A>(parts: Parts) -> Result<(Self, Steps<B, A>), OpenError> {
        let shared = Shared::open(parts)?;
        let steps = Steps::new(Arc::clone(&shared));
        Ok((Self { shared, threads: None, failed: watch::Sender::new(None), token: None, _scrub: None }, steps))
    }

    /// The same log for one piece of work, which stops when its token says so.
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

    /// The context for reading the store.
    pub(crate) fn context(&self) -> Context<'_> {
        Context { token: self.token.as_ref(), ..self.shared.context() }
    }

    /// Whether nobody waits any more for the present work, or the node stops.
    pub(crate) fn is_stopped(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.stop().is_some())
    }

    /// Takes from an institution's quota of a minute.
    pub(crate) fn take_quota(&self, institution: InstitutionId, asked: Asked, count: usize) -> Result<(), OverQuota> {
        self.shared.take_quota(institution, asked, count)
    }

    /// The pools that do the work of calls, and the quotas.
    pub(crate) fn work(&self) -> &Work {
        &self.shared.work
    }

    /// Ends the work for calls that read, and accepts no more of it: the first step of a stop. What is on its way into
    /// the log continues until [`close`](Self::close).
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

    /// What the operator's next block builds on.
    pub(crate) fn operators_chain(&self) -> OperatorsChain {
        let state = self.shared.state();
        let chain = state.log.chain(UnitId::OPERATOR).expect("a log has the operator's chain from its beginning on");
        let registry = &state.log.in_force().registry;
        let registry_key = registry.authority().map_or(state.log.keys().registry_key, |authority| authority.key);
        let approvals = registry.approvals_required(UnitId::OPERATOR);
        OperatorsChain { head: state.head, chain, approvals, registry_key }
    }

    /// The genesis value with which the log began.
    pub fn genesis(&self) -> Digest {
        self.shared.state().log.genesis()
    }

    /// The node's wall clock, milliseconds since 1970-01-01T00:00Z.
    pub fn now_ms(&self) -> u64 {
        self.shared.clock.now_ms()
    }

    /// The node's metrics.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// What is wrong with the node.
    pub fn health(&self) -> &Health {
        &self.shared.health
    }

    /// The scrubber of the log, for a caller who runs it step by step; `None` for a log that is not on a disk. A ledger
    /// that was opened with threads runs it itself.
    pub fn scrubber(&self) -> Option<Scrubber> {
        Scrubber::new(&self.shared)
    }

    /// Whether the store does no more work: the process should stop, and its next start repairs what is derived.
    pub fn has_failed(&self) -> bool {
        self.shared.store.failure().is_some()
    }

    /// Becomes `Some` when the log can no longer be written; the process should stop then.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failed.subscribe()
    }

    /// Checks whether the store has found itself damaged. Call it when a read has failed.
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

    /// Begins to check a block. If the block is sealed already, its answer is read here. Blocks that a caller begins
    /// one after the other, waiting for each, are sequenced in that order; blocks of one chain that are begun together
    /// wait for one another.
    pub async fn begin(&self, request: SubmitBlockRequest, peer: Peer) -> Submission {
        let Some(threads) = &self.threads else {
            return Submission::answered(Err(SubmitError::Stopped("this log accepts no blocks by itself".to_owned())));
        };
        let claim = Claim::of(&request.block);
        if claim.is_some_and(|claim| self.shared.is_taken(&claim))
            && let Some(answer) = self.repeated(&request, peer).await
        {
            return Submission::answered(answer);
        }
        threads.begin(request, claim, peer)
    }

    /// The answer to a block that is sealed already, when it is the caller's turn to read; `None` for another block.
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

    /// Checks whether the node could accept new work, and shows the result in the health; this takes a moment of disk
    /// time. Call it about once a second, so that a full disk or a missing file is reported before somebody writes, and
    /// until it is corrected.
    pub fn look(&self) {
        self.shared.look();
        self.check_health();
    }

    /// Seals an empty round if none was sealed for the configured time. Call it from time to time.
    pub fn tick(&self) {
        if let Some(threads) = &self.threads {
            threads.tick();
        }
    }

    /// Finishes the round that is under way, accepts no new work, and marks the stop as clean.
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

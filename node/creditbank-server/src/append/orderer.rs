//! Puts blocks in order: what has been taken becomes a round, by the rules, on top of the round before.
//!
//! Nothing here waits. A step that needs the round before on the disk returns [`Step::Wait`]; [`Orderer::written`] says what
//! became of that round, and the next step goes on. So one round is built while one is written.

use std::collections::VecDeque;
use std::sync::Arc;

use creditbank_protocol::Alias;
use creditbank_protocol::InstitutionId;
use creditbank_protocol::key::sign;
use creditbank_store::{KeyStoreError, StoreError};

use super::accounts::{AccountError, OpenAccounts, Person};
use super::commit::{Answers, Commit};
use super::round::{Pending, Placed, RoundBuilder, Sealed};
use super::state::State;
use super::{NO_ROOM_RETRY_MS, SubmitError, VerifiedBlock};
use crate::ledger::Shared;

/// The wall clock may move so far against running time before sealing stops.
const CLOCK_JUMP_MS: u64 = 5 * 60 * 1_000;

/// What waits for its turn, in the order in which it came. `B` and `A` say where an answer goes.
enum Work<B, A> {
    Block(Box<VerifiedBlock>, B),
    Accounts {
        institution: InstitutionId,
        persons: Vec<Person>,
        reply: A,
    },
    /// A round without blocks.
    Seal,
}

/// What a step came to.
pub(crate) enum Step<B, A> {
    /// Everything that was taken has its answer, or is in a round that was handed over.
    Idle,
    /// It goes on after [`Orderer::written`].
    Wait,
    /// A round to be written. No other is handed over before [`Orderer::written`].
    Write(Commit<B>),
    /// Blocks that have their answer without a round of their own.
    Answer(Answers<B>),
    /// Accounts were opened, or not.
    Opened(A, Result<Vec<Alias>, AccountError>),
}

/// A round that is being built.
struct Building<B> {
    builder: RoundBuilder,
    answers: Answers<B>,
    /// It is sealed although nothing new is in it.
    empty: bool,
}

/// What is ready, and follows the round that is on its way.
enum Ready<B> {
    Round(Box<Sealed>, Answers<B>),
    /// Nothing was new. Receipts of blocks that are known may lead to the round on its way.
    Known(Answers<B>),
}

/// The order of a log.
pub(crate) struct Orderer<B, A> {
    shared: Arc<Shared>,
    /// Wall clock and running time at the last seal of this process, or at its start.
    seen: (u64, u64),
    /// The state after the last round that was handed over, durable or not.
    tip: Arc<State>,
    waiting: VecDeque<Work<B, A>>,
    building: Option<Building<B>>,
    ready: Option<Ready<B>>,
    /// The round that is on its way to the disk.
    pending: Option<Arc<Pending>>,
    /// Blocks that have changed the registry: they are answered with the round that is the first to show the change.
    changing: Option<Answers<B>>,
    failed: Option<String>,
}

impl<B, A> Orderer<B, A> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let seen = (shared.clock.now_ms(), shared.clock.monotonic_ms());
        let tip = shared.state();
        Self {
            shared,
            seen,
            tip,
            waiting: VecDeque::new(),
            building: None,
            ready: None,
            pending: None,
            changing: None,
            failed: None,
        }
    }

    /// Takes a block.
    pub(crate) fn block(&mut self, verified: Box<VerifiedBlock>, reply: B) {
        self.waiting.push_back(Work::Block(verified, reply));
    }

    /// Takes persons whose accounts are to be opened.
    pub(crate) fn accounts(&mut self, institution: InstitutionId, persons: Vec<Person>, reply: A) {
        self.waiting.push_back(Work::Accounts { institution, persons, reply });
    }

    /// Takes an empty round if none was sealed for the configured time and nothing waits.
    pub(crate) fn tick(&mut self) {
        let sealed = self.tip.log.last_seal().map(|seal| seal.time_ms);
        let interval_ms = self.shared.limits.seal_interval_ms;
        if self.waiting.is_empty() && sealed.is_some_and(|sealed| self.shared.clock.now_ms() >= sealed + interval_ms) {
            self.waiting.push_back(Work::Seal);
        }
    }

    /// Whether a round is on its way.
    pub(crate) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether everything that was taken has its answer.
    pub(crate) fn is_idle(&self) -> bool {
        let is_empty = self.waiting.is_empty() && self.building.is_none() && self.ready.is_none();
        is_empty && self.pending.is_none() && self.changing.is_none()
    }

    /// Why the log can no longer be written.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Says what became of the round that was handed over last. Where it was not written, what was built on it never was: those
    /// answers are returned, each with the same error.
    pub(crate) fn written(&mut self, outcome: Result<(), SubmitError>) -> Answers<B> {
        self.pending = None;
        let Err(error) = outcome else {
            self.building.iter_mut().for_each(|building| building.builder.settled());
            return Vec::new();
        };
        if let SubmitError::Stopped(why) = &error {
            self.failed.get_or_insert_with(|| why.clone());
        }
        self.tip = self.shared.state();
        let mut answers = self.changing.take().unwrap_or_default();
        match self.ready.take() {
            Some(Ready::Round(_, ready) | Ready::Known(ready)) => answers.extend(ready),
            None => {}
        }
        answers.extend(self.building.take().into_iter().flat_map(|building| building.answers));
        self.refuse(answers, &error)
    }

    /// Builds, seals and hands over as much as goes into one step.
    pub(crate) fn step(&mut self) -> Step<B, A> {
        if self.ready.is_some() {
            return self.hand_over();
        }
        if self.building.is_none() {
            match self.waiting.front() {
                _ if self.changing.is_some() => {}
                None => return Step::Idle,
                Some(Work::Accounts { .. }) if self.pending.is_some() => return Step::Wait,
                Some(Work::Accounts { .. }) => return self.open_accounts(),
                Some(Work::Block(..) | Work::Seal) => {}
            }
            match self.begin() {
                Ok(building) => self.building = Some(building),
                Err(answers) => return Step::Answer(answers),
            }
        }
        let Some(mut building) = self.building.take() else { return Step::Idle };
        while !building.empty && building.builder.bytes() < self.shared.limits.round_bytes_max {
            match self.waiting.pop_front() {
                Some(Work::Block(verified, reply)) => match building.builder.place(verified) {
                    Ok(outcome) => building.answers.push((outcome, reply)),
                    Err(verified) => {
                        self.waiting.push_front(Work::Block(verified, reply));
                        self.building = Some(building);
                        return Step::Wait;
                    }
                },
                Some(other) => {
                    self.waiting.push_front(other);
                    break;
                }
                None => break,
            }
        }
        self.close(building)
    }

    /// A round on top of the last one, or refusals when none may be sealed.
    fn begin(&mut self) -> Result<Building<B>, Answers<B>> {
        if let Some(why) = self.shared.store.failure() {
            self.fail(why);
        }
        let now = self.failed.clone().map_or_else(|| self.now(), |why| Err(SubmitError::Stopped(why)));
        // The next seal is the first to show a change of the registry: it follows at once, not at the next block. Who made
        // the change is answered then, and reads what was written.
        let changing = self.changing.take();
        let seal = matches!(self.waiting.front(), Some(Work::Seal));
        if seal {
            self.waiting.pop_front();
        }
        match now {
            Ok(now_ms) => {
                let (shared, tip, pending) = (Arc::clone(&self.shared), Arc::clone(&self.tip), self.pending.clone());
                let builder = RoundBuilder::new(shared, tip, pending, now_ms);
                let empty = seal || changing.is_some();
                Ok(Building { builder, answers: changing.unwrap_or_default(), empty })
            }
            Err(error) => Err(self.refuse(changing.unwrap_or_default(), &error)),
        }
    }

    /// Seals the round, where it has anything new.
    fn close(&mut self, building: Building<B>) -> Step<B, A> {
        let Building { builder, answers, empty } = building;
        let is_new = answers.iter().any(|(outcome, _)| matches!(outcome, Ok(Placed::New(_))));
        if !is_new && !empty {
            self.ready = Some(Ready::Known(answers));
            return self.hand_over();
        }
        match builder.seal(|message| sign(&self.shared.log_key, message)) {
            Ok(sealed) => {
                self.ready = Some(Ready::Round(Box::new(sealed), answers));
                self.hand_over()
            }
            Err(error) => {
                let why = error.to_string();
                self.fail(why.clone());
                Step::Answer(self.refuse(answers, &SubmitError::Stopped(why)))
            }
        }
    }

    /// Hands over what is ready, once what it was built on is on the disk.
    fn hand_over(&mut self) -> Step<B, A> {
        if self.pending.is_some() {
            return Step::Wait;
        }
        let (sealed, mut answers) = match self.ready.take() {
            Some(Ready::Round(sealed, answers)) => (*sealed, answers),
            Some(Ready::Known(answers)) => return Step::Answer(answers),
            None => return Step::Idle,
        };
        let Sealed { ready, change, pending } = sealed;
        let changes = change.changes_registry();
        // Before the next round asks.
        self.shared.courses.add(pending.courses());
        self.seen = (self.shared.clock.now_ms(), self.shared.clock.monotonic_ms());
        self.tip = Arc::new(self.tip.after(change));
        self.pending = Some(Arc::new(pending));
        if changes {
            // They are of an older round then.
            let known = std::mem::take(&mut answers).into_iter();
            self.changing = Some(known.map(|(outcome, reply)| (outcome.map(Placed::into_known), reply)).collect());
        }
        Step::Write(Commit { sealed: ready, state: Arc::clone(&self.tip), answers })
    }

    /// Opens the accounts that are next. Everything before them is on the disk, as they write by themselves.
    fn open_accounts(&mut self) -> Step<B, A> {
        let Some(Work::Accounts { institution, persons, reply }) = self.waiting.pop_front() else { return Step::Idle };
        if self.failed.is_some() {
            return Step::Opened(reply, Err(AccountError::Stopped));
        }
        let mut opened = OpenAccounts::new(&self.shared).open(institution, &persons);
        if let Err(
            AccountError::Store(StoreError::Full { .. })
            | AccountError::Keys(KeyStoreError::File(StoreError::Full { .. })),
        ) = &opened
        {
            tracing::error!("no room on the disk: nothing is stored until there is some");
            opened = Err(AccountError::NoRoom { retry_after_ms: NO_ROOM_RETRY_MS });
        }
        if let Err(error @ (AccountError::Store(_) | AccountError::Keys(_))) = &opened {
            self.fail(error.to_string());
        }
        Step::Opened(reply, opened)
    }

    /// The time of the next seal: never before the last one. Refused when the wall clock has jumped.
    fn now(&self) -> Result<u64, SubmitError> {
        let (wall, running) = (self.shared.clock.now_ms(), self.shared.clock.monotonic_ms());
        let (seen_wall, seen_running) = self.seen;
        let expected = seen_wall + running.saturating_sub(seen_running);
        if wall.abs_diff(expected) > CLOCK_JUMP_MS {
            let moved = i64::try_from(wall).unwrap_or(i64::MAX) - i64::try_from(expected).unwrap_or(i64::MAX);
            return Err(SubmitError::Clock(moved));
        }
        Ok(self.tip.log.last_seal().map_or(wall, |seal| wall.max(seal.time_ms)))
    }

    fn fail(&mut self, why: String) {
        if self.failed.is_none() {
            tracing::error!(why, "the log can no longer be written");
            self.failed = Some(why);
        }
    }

    /// The same error for these answers, and for the blocks that wait in front of anything else.
    fn refuse(&mut self, answers: Answers<B>, error: &SubmitError) -> Answers<B> {
        let mut refused: Vec<B> = answers.into_iter().map(|(_, reply)| reply).collect();
        while let Some(work) = self.waiting.pop_front() {
            match work {
                Work::Block(_, reply) => refused.push(reply),
                Work::Seal => {}
                accounts @ Work::Accounts { .. } => {
                    self.waiting.push_front(accounts);
                    break;
                }
            }
        }
        refused.into_iter().map(|reply| (Err(error.clone()), reply)).collect()
    }
}

//! Puts blocks in order: blocks become a round, by the rules, on top of the round before.
//!
//! Nothing here waits. A step that needs the round before on the disk returns [`Step::Wait`]. [`Orderer::written`]
//! reports what became of that round, and the next step continues. So one round is built while one is written.

use std::collections::VecDeque;
use std::sync::Arc;

use creditbank_protocol::{Alias, InstitutionId};

use super::accounts::{AccountError, Identified};
use super::commit::{Commit, Outcomes};
use super::round::{Pending, Placed, RoundBuilder, Sealed};
use super::seal_time::SealTime;
use super::state::State;
use super::{ClockDoubt, SubmitError, VerifiedBlock};
use crate::health::Condition;
use crate::ledger::Shared;
use crate::work::turns::{Bounds, Turns};

/// Most persons whose accounts one round opens. Their work comes between two rounds of blocks, so it limits how long a
/// block waits for them, however many are requested.
const PERSONS_OF_ROUND: usize = 512;

/// Waiting calls of `OpenAccounts`, of all institutions and of one. Institutions take turns.
const OPENINGS: Bounds = Bounds { all: 2_048, of_caller: 1_024, at_once: 1 };

/// Waiting work, in the order of arrival. `B` identifies the destination of an answer.
enum Work<B> {
    Block(Box<VerifiedBlock>, B),
    /// A round without blocks or persons.
    Seal,
}

/// A call that opens accounts, over as many rounds as it needs.
struct Opening<A> {
    institution: InstitutionId,
    persons: Vec<Identified>,
    /// Aliases of the persons whose accounts are in rounds already.
    aliases: Vec<Alias>,
    reply: A,
}

/// The result of a step.
pub(crate) enum Step<B, A> {
    /// All accepted work has its answer, or is in a round that was handed over.
    Idle,
    /// Continues after [`Orderer::written`].
    Wait,
    /// A round to be written. No other round is handed over before [`Orderer::written`].
    Write(Box<Commit<B, A>>),
    /// Outcomes that need no round of their own.
    Answer(Outcomes<B, A>),
}

/// A round that is being built.
struct Building<B, A> {
    builder: RoundBuilder,
    outcomes: Outcomes<B, A>,
    takes: Takes,
    /// Whether accounts were opened in it, no matter whether it answers their calls.
    has_accounts: bool,
}

/// What a round accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Blocks and persons.
    All,
    /// Only persons: no block may be sealed at this time.
    Persons,
    /// Nothing: the round is sealed although it is empty.
    Nothing,
    /// One block, which corrects the time.
    Correction,
    /// Nothing more.
    NoMore,
}

impl Takes {
    /// Whether the round accepts a block.
    fn takes(self, verified: &VerifiedBlock) -> bool {
        match self {
            Self::All => verified.block.correction().is_none(),
            Self::Correction => verified.block.correction().is_some(),
            Self::Persons | Self::Nothing | Self::NoMore => false,
        }
    }
}

/// What is ready to follow the round that is being written.
enum Ready<B, A> {
    Round(Box<Sealed>, Outcomes<B, A>),
    /// Nothing was new. Receipts of known blocks may refer to the round that is being written.
    Known(Outcomes<B, A>),
}

/// Orders the blocks of a log.
pub(crate) struct Orderer<B, A> {
    shared: Arc<Shared>,
    time: SealTime,
    /// The state after the last round that was handed over, durable or not.
    tip: Arc<State>,
    waiting: VecDeque<Work<B>>,
    /// Persons wait apart from blocks, so that no block waits behind them.
    openings: Turns<InstitutionId, Opening<A>>,
    /// The call whose accounts are being opened.
    opening: Option<Opening<A>>,
    building: Option<Building<B, A>>,
    ready: Option<Ready<B, A>>,
    /// The round that is being written.
    pending: Option<Arc<Pending>>,
    /// Blocks that changed the registry. They are answered with the round that is the first to show the change.
    changing: Option<Outcomes<B, A>>,
    failed: Option<String>,
}

impl<B, A> Orderer<B, A> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let time = SealTime::new(&*shared.clock, shared.limits.said.confirmed_time);
        let tip = shared.state();
        let orderer = Self {
            shared,
            time,
            tip,
            waiting: VecDeque::new(),
            openings: Turns::new(OPENINGS),
            opening: None,
            building: None,
            ready: None,
            pending: None,
            changing: None,
            failed: None,
        };
        // Report it at once, and not only to the first sender of a block.
        if let Err(doubt) = orderer.now() {
            tracing::warn!(%doubt, "nothing is sealed");
        }
        orderer
    }

    /// Accepts a block.
    pub(crate) fn block(&mut self, verified: Box<VerifiedBlock>, reply: B) {
        self.waiting.push_back(Work::Block(verified, reply));
    }

    /// Accepts persons whose accounts are to be opened; returns the reply if too many calls wait.
    pub(crate) fn accounts(&mut self, institution: InstitutionId, persons: Vec<Identified>, reply: A) -> Result<(), A> {
        let opening = Opening { institution, persons, aliases: Vec::new(), reply };
        self.openings.push(institution, opening).map_err(|(_, opening)| opening.reply)?;
        Ok(())
    }

    /// Refuses everything that waits and is in no round yet, because the node stops.
    pub(crate) fn stop(&mut self) -> Outcomes<B, A> {
        self.refuse(Outcomes::default(), &SubmitError::Stopped("it takes no new work".to_owned()))
    }

    fn has_openings(&self) -> bool {
        self.opening.is_some() || !self.openings.is_empty()
    }

    /// Adds an empty round if none was sealed for the configured time and nothing waits.
    pub(crate) fn tick(&mut self) {
        let sealed = self.tip.log.last_seal().map(|_| self.tip.log.earliest_ms());
        let interval_ms = self.shared.limits.seal_interval_ms;
        if self.waiting.is_empty()
            && self.now().is_ok()
            && sealed.is_some_and(|sealed| self.shared.clock.now_ms() >= sealed + interval_ms)
        {
            self.waiting.push_back(Work::Seal);
        }
    }

    /// Whether a round is being written.
    pub(crate) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether blocks wait for their round.
    pub(crate) fn has_blocks(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether there is anything to do except wait for the round that is being written.
    pub(crate) fn has_work(&self) -> bool {
        let has_round = self.building.is_some() || self.ready.is_some() || self.changing.is_some();
        self.has_blocks() || self.has_openings() || has_round
    }

    /// Whether all accepted work has its answer.
    pub(crate) fn is_idle(&self) -> bool {
        !self.has_work() && self.pending.is_none()
    }

    /// Why the log can no longer be written.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Reports what became of the round that was handed over last. If it was not written, everything built on it is
    /// discarded: those outcomes are returned, each with the same error.
    pub(crate) fn written(&mut self, outcome: Result<(), SubmitError>) -> Outcomes<B, A> {
        self.pending = None;
        let Err(error) = outcome else {
            self.building.iter_mut().for_each(|building| building.builder.settled());
            self.changing.iter_mut().for_each(|changing| changing.are_durable = true);
            return Outcomes::default();
        };
        if let SubmitError::Stopped(why) = &error {
            self.failed.get_or_insert_with(|| why.clone());
        }
        self.tip = self.shared.state();
        // Everything built on that round is refused with it, so no remaining round uses them.
        self.shared.keys.discard(None);
        let mut outcomes = self.changing.take().unwrap_or_default();
        if let Some(Ready::Round(_, ready) | Ready::Known(ready)) = self.ready.take() {
            outcomes.extend(ready);
        }
        outcomes.extend(self.building.take().map(|building| building.outcomes).unwrap_or_default());
        // Some of its accounts may be in the round that was not written. Those that are durable are found again.
        outcomes
            .accounts
            .extend(self.opening.take().map(|opening| (Err(AccountError::of_round(&error)), opening.reply)));
        self.refuse(outcomes, &error)
    }

    /// Builds, seals and hands over as much as fits into one step.
    pub(crate) fn step(&mut self) -> Step<B, A> {
        if self.ready.is_some() {
            return self.hand_over();
        }
        if self.changing.is_some() && self.pending.is_some() {
            // Once its blocks are on the disk, they are answered whatever happens to the next round.
            return Step::Wait;
        }
        let mut building = match self.building.take() {
            Some(building) => building,
            None if self.waiting.is_empty() && !self.has_openings() && self.changing.is_none() => return Step::Idle,
            None => match self.begin() {
                Ok(building) => building,
                Err(outcomes) => return Step::Answer(outcomes),
            },
        };
        while ![Takes::Nothing, Takes::NoMore].contains(&building.takes)
            && building.builder.bytes() < self.shared.limits.round_bytes_max
        {
            match self.waiting.pop_front() {
                Some(Work::Block(verified, reply)) if building.takes.takes(&verified) => {
                    if building.takes == Takes::Correction {
                        building.takes = Takes::NoMore;
                    }
                    match building.builder.place(verified) {
                        Ok(outcome) => building.outcomes.blocks.push((outcome, reply)),
                        Err(verified) => {
                            if verified.block.correction().is_some() {
                                building.takes = Takes::Correction;
                            }
                            self.waiting.push_front(Work::Block(verified, reply));
                            self.building = Some(building);
                            return Step::Wait;
                        }
                    }
                }
                Some(other) => {
                    self.waiting.push_front(other);
                    break;
                }
                None => break,
            }
        }
        if [Takes::All, Takes::Persons].contains(&building.takes) {
            self.open_accounts(&mut building);
        }
        self.close(building)
    }

    /// Opens accounts for as many persons as a round takes. A call is answered with the round that has its last one.
    fn open_accounts(&mut self, building: &mut Building<B, A>) {
        let mut left = PERSONS_OF_ROUND;
        while left > 0 {
            let next = || {
                let (institution, opening) = self.openings.pop()?;
                self.openings.done(institution);
                Some(opening)
            };
            let Some(mut opening) = self.opening.take().or_else(next) else { return };
            let from = opening.aliases.len();
            let until = opening.persons.len().min(from.saturating_add(left));
            let opened = match &self.failed {
                Some(_) => Err(AccountError::Stopped),
                None => building.builder.open_accounts(opening.institution, &opening.persons[from..until]),
            };
            left -= until - from;
            match opened {
                Ok(aliases) => {
                    building.has_accounts = true;
                    opening.aliases.extend(aliases);
                    if until < opening.persons.len() {
                        self.opening = Some(opening);
                        return;
                    }
                    building.outcomes.accounts.push((Ok(opening.aliases), opening.reply));
                }
                Err(error) => building.outcomes.accounts.push((Err(error), opening.reply)),
            }
        }
    }

    /// A round on top of the last one, or refusals if none may be sealed.
    fn begin(&mut self) -> Result<Building<B, A>, Outcomes<B, A>> {
        if let Some(why) = self.shared.store.failure() {
            self.fail(why);
        }
        let now = self.failed.clone().map_or_else(|| Ok(self.now()?), |why| Err(SubmitError::Stopped(why)));
        // The next seal is the first to show a change of the registry. It follows at once, not with the next block. The
        // author of the change is answered then, and can read back what was written.
        let changing = self.changing.take();
        let seal = matches!(self.waiting.front(), Some(Work::Seal));
        if seal {
            self.waiting.pop_front();
        }
        let persons = self.waiting.is_empty() && self.has_openings();
        let corrects =
            matches!(self.waiting.front(), Some(Work::Block(verified, _)) if verified.block.correction().is_some());
        let last_ms = self.tip.log.last_seal().map(|seal| seal.time_ms);
        let (now_ms, takes) = match now {
            // The round that corrects the time is sealed at the time of the last wrong seal, whatever the clock says.
            Ok(_) | Err(SubmitError::Clock(_)) if corrects && !seal && changing.is_none() => {
                (last_ms.unwrap_or(0), Takes::Correction)
            }
            Ok(now_ms) if seal || changing.is_some() => (now_ms, Takes::Nothing),
            Ok(now_ms) => (now_ms, Takes::All),
            // Accounts need no time.
            Err(SubmitError::Clock(_)) if persons && changing.is_none() => (0, Takes::Persons),
            Err(error) => return Err(self.refuse(changing.unwrap_or_default(), &error)),
        };
        let (shared, tip, pending) = (Arc::clone(&self.shared), Arc::clone(&self.tip), self.pending.clone());
        let builder = RoundBuilder::new(shared, tip, pending, now_ms);
        Ok(Building { builder, outcomes: changing.unwrap_or_default(), takes, has_accounts: false })
    }

    /// Seals the round if it contains anything new.
    fn close(&mut self, building: Building<B, A>) -> Step<B, A> {
        let Building { builder, outcomes, takes, has_accounts } = building;
        let is_new = outcomes.blocks.iter().any(|(outcome, _)| matches!(outcome, Ok(Placed::New(_))));
        self.ready = Some(if is_new || takes == Takes::Nothing {
            match builder.seal(&self.shared.ring) {
                Ok(sealed) => Ready::Round(Box::new(sealed), outcomes),
                Err(error) => {
                    let why = error.to_string();
                    self.fail(why.clone());
                    return Step::Answer(self.refuse(outcomes, &SubmitError::Stopped(why)));
                }
            }
        } else if has_accounts {
            Ready::Round(Box::new(builder.accounts_alone()), outcomes)
        } else {
            Ready::Known(outcomes)
        });
        self.hand_over()
    }

    /// Hands over what is ready, once what it builds on is on the disk.
    fn hand_over(&mut self) -> Step<B, A> {
        if self.pending.is_some() {
            return Step::Wait;
        }
        let (sealed, mut outcomes) = match self.ready.take() {
            Some(Ready::Round(sealed, outcomes)) => (*sealed, outcomes),
            Some(Ready::Known(outcomes)) => return Step::Answer(outcomes),
            None => return Step::Idle,
        };
        let Sealed { ready, change, pending } = sealed;
        // Before the next round asks for it.
        self.shared.courses.add(pending.courses());
        self.pending = Some(Arc::new(pending));
        if let Some(change) = change {
            let changes = change.changes_registry();
            self.tip = Arc::new(self.tip.after(change));
            self.time.sealed(&*self.shared.clock, &self.tip.log);
            if changes {
                // They are answered with the next round, where they are blocks of an older round.
                let blocks = std::mem::take(&mut outcomes.blocks).into_iter();
                let blocks = blocks.map(|(outcome, reply)| (outcome.map(Placed::into_known), reply)).collect();
                self.changing = Some(Outcomes { blocks, accounts: Vec::new(), are_durable: false });
            }
        }
        Step::Write(Box::new(Commit { sealed: ready, state: Arc::clone(&self.tip), outcomes }))
    }

    /// The time of the next seal. If there is none, `/readyz` shows it.
    fn now(&self) -> Result<u64, ClockDoubt> {
        let now = self.time.next_ms(&*self.shared.clock, &self.tip.log);
        match &now {
            Ok(_) => self.shared.health.clear(Condition::Clock),
            Err(doubt) => self.shared.health.set(Condition::Clock, doubt.to_string()),
        };
        now
    }

    fn fail(&mut self, why: String) {
        if self.failed.is_none() {
            tracing::error!(why, "the log can no longer be written");
            self.failed = Some(why);
        }
    }

    /// Gives the same error to these outcomes, unless they are durable, and to the blocks that wait. Persons that wait
    /// get it only if the node stops, because accounts can be opened at any time.
    fn refuse(&mut self, outcomes: Outcomes<B, A>, error: &SubmitError) -> Outcomes<B, A> {
        let mut refused = outcomes.refused(error);
        for work in self.waiting.drain(..) {
            match work {
                Work::Block(_, reply) => refused.blocks.push((Err(error.clone()), reply)),
                Work::Seal => {}
            }
        }
        if matches!(error, SubmitError::Stopped(_)) {
            let left = self.openings.clear().into_iter().chain(self.opening.take());
            refused.accounts.extend(left.map(|opening| (Err(AccountError::of_round(error)), opening.reply)));
        }
        refused
    }
}

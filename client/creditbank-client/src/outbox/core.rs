//! What became of a block, worked out without network, disk, clock or randomness: events go in, actions come out.
//!
//! Whoever drives a [`Core`] tells it what has happened ([`Core::handle`]) and does what it asks for
//! ([`Core::next_action`]), in the order in which it asks. It can be driven by hand, one step at a time:
//!
//! ```text
//! let mut core = Core::new(Settings::default());
//! core.restore(blocks on the disk, in the order of their heights);     // after a restart, before anything else
//! let ticket = core.enqueue();                                         // something is to be sealed
//! while let Some(action) = core.next_action() {
//!     match action {
//!         AskHead            => later: Event::Head(..) or Event::Unread(..)
//!         Sign { .. }        => later: Event::Signed { .. }: any block for this ticket on this head
//!         Persist { .. }     => when it would survive a crash: Event::Persisted { .. }
//!         Send { .. }        => later: Event::Answered { .. }, at most once; late and doubled ones are ignored
//!         AskBlock { .. }    => later: Event::Stands { .. } or Event::Unread(..)
//!         Wait { .. }        => after so long: Event::Woken
//!         Forget { .. }      => take these blocks off the disk, durably before the next Persist
//!         Sealed { .. }      => note it, then take the block off the disk
//!         Refused { .. }     => decide: Core::revise or Core::withdraw; nothing behind it is signed until then
//!         Dropped { .. }     => a block of an earlier run is not sealed and never will be; it is off the disk
//!         Halt(..)           => the core is at its end; what is on the disk stays for the next run
//!     }
//! }
//! ```
//!
//! # What it keeps to
//!
//! - A block is on the disk before it is sent, and stays there until it is known what became of it.
//! - While that is not known, the same bytes are sent again: after a refusal that leaves it open, a lost connection, an
//!   answer that does not verify, and any refusal of a block whose predecessor had not settled yet.
//! - A refusal that is a decision counts once the head of the chain was read behind it: where the chain has passed the
//!   block's height, the block that stands there is compared with ours, byte for byte.
//! - So nothing else is signed for a height before the first block was refused by a decision that left the head
//!   unchanged, or another one stands there, or what it builds on met that fate. Blocks behind it are then rebuilt, in
//!   their order.
//!
//! A core has one chain. Several blocks are in flight ([`Settings::in_flight_max`]): each is signed on the one before
//! it, and they are sent in the order of their heights.

mod event;
mod judge;
mod question;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::pb::Receipt;

use super::Prepared;
use crate::ChainHead;
pub use event::{Action, Answer, Attempt, Event, Halt, Open, Settings, Ticket};
use judge::Doubt;
use question::Questions;

/// How far a ticket is.
#[derive(Debug)]
enum State {
    /// It has no block.
    Queued,
    /// Its block is being signed.
    Signing,
    /// Its block is on its way to the disk.
    Writing,
    /// Its block may be sent.
    Ready,
    /// Its block was sent.
    Sent(Attempt),
    /// A decision against its block is being checked against the log.
    Judged,
    /// Its block is sealed.
    Sealed(Box<Receipt>),
    /// It was refused, and its maker has not said what is to become of it.
    Undecided,
}

#[derive(Debug)]
struct Item {
    ticket: Ticket,
    state: State,
    /// From `Writing` to `Sealed`.
    block: Option<Arc<Prepared>>,
    /// Its block is an earlier run's: nobody here can make another one.
    restored: bool,
    /// It was sent and nothing is known: it goes again once what is before it has settled.
    held: bool,
    /// Sendings without an answer that settles anything, since the item is the first.
    tries: u32,
    wait_ms: u64,
}

impl Item {
    fn new(ticket: Ticket) -> Self {
        let (state, block) = (State::Queued, None);
        Self { ticket, state, block, restored: false, held: false, tries: 0, wait_ms: 0 }
    }

    /// Without its block.
    fn requeue(&mut self) {
        *self = Self::new(self.ticket);
    }
}

/// The outbox of one chain.
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    /// What is not settled, in the order of the chain.
    items: VecDeque<Item>,
    /// What the next block to be signed builds on; nothing where the chain must be asked.
    tip: Option<ChainHead>,
    /// A decision against the first item.
    doubt: Option<Doubt>,
    questions: Questions,
    is_waiting: bool,
    is_halted: bool,
    /// How often in a row others were faster.
    moved: u32,
    tickets: u64,
    attempts: u64,
    actions: VecDeque<Action>,
}

impl Core {
    /// A core with nothing in it.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            items: VecDeque::new(),
            tip: None,
            doubt: None,
            questions: Questions::default(),
            is_waiting: false,
            is_halted: false,
            moved: 0,
            tickets: 0,
            attempts: 0,
            actions: VecDeque::new(),
        }
    }

    /// Takes up the blocks that an earlier run has left on the disk, in the order of their heights. Before anything
    /// else.
    pub fn restore(&mut self, blocks: Vec<Arc<Prepared>>) -> Vec<Ticket> {
        self.tip = blocks.last().map(|block| block.head());
        let mut tickets = Vec::with_capacity(blocks.len());
        for block in blocks {
            let mut item = Item::new(self.new_ticket());
            (item.state, item.block, item.restored) = (State::Ready, Some(block), true);
            tickets.push(item.ticket);
            self.items.push_back(item);
        }
        self.advance();
        tickets
    }

    /// Queues something to be sealed, behind everything else.
    pub fn enqueue(&mut self) -> Ticket {
        let ticket = self.new_ticket();
        self.items.push_back(Item::new(ticket));
        self.advance();
        ticket
    }

    /// What was refused has become something else, and keeps its place.
    pub fn revise(&mut self, ticket: Ticket) {
        if let Some(item) = self.undecided(ticket) {
            item.requeue();
        }
        self.advance();
    }

    /// What was refused is given up.
    pub fn withdraw(&mut self, ticket: Ticket) {
        if self.undecided(ticket).is_some() {
            self.items.retain(|item| item.ticket != ticket);
        }
        self.advance();
    }

    /// What has no block is given up.
    pub fn withdraw_unsigned(&mut self) {
        self.items.retain(|item| item.block.is_some());
        self.advance();
    }

    /// Whether another ticket would be signed without waiting for one to settle.
    pub fn has_room(&self) -> bool {
        self.items.len() < self.settings.in_flight_max
    }

    /// The blocks that are not settled, in the order of the chain.
    pub fn blocks(&self) -> impl Iterator<Item = &Prepared> {
        self.items.iter().filter_map(|item| item.block.as_deref())
    }

    /// Whether everything is settled.
    pub fn is_idle(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes in what has happened. What comes late or twice changes nothing.
    pub fn handle(&mut self, event: Event) {
        match event {
            Event::Head(head) => self.on_head(head),
            Event::Stands { height, leaf, receipt } => self.on_stands(height, leaf, receipt),
            Event::Unread(open) => self.on_unread(open),
            Event::Signed { ticket, block } => self.on_signed(ticket, block),
            Event::Persisted { id } => self.on_persisted(id),
            Event::Answered { attempt, answer } => self.on_answer(attempt, answer),
            Event::Woken => self.on_woken(),
        }
        self.advance();
    }

    /// What is to be done next.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn new_ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn undecided(&mut self, ticket: Ticket) -> Option<&mut Item> {
        self.items.iter_mut().find(|item| item.ticket == ticket && matches!(item.state, State::Undecided))
    }

    fn halt(&mut self, why: Halt) {
        self.is_halted = true;
        self.actions.push_back(Action::Halt(why));
    }

    /// Goes as far as it can.
    fn advance(&mut self) {
        self.settle();
        let must_wait = self.is_halted || self.is_waiting || self.doubt.is_some() || self.questions.is_open();
        if !must_wait {
            self.send();
        }
        if !must_wait && !self.is_waiting {
            self.sign();
        }
    }

    /// Hands on what is sealed, in the order of the chain.
    fn settle(&mut self) {
        while let Some(Item { state: State::Sealed(_), .. }) = self.items.front() {
            let Some(Item { ticket, state: State::Sealed(receipt), block: Some(block), .. }) = self.items.pop_front()
            else {
                return;
            };
            self.moved = 0;
            self.actions.push_back(Action::Sealed { ticket, block, receipt });
        }
    }

    /// Sends what is on the disk, in the order of the chain. Where it is not known what became of the first one, that
    /// one alone.
    fn send(&mut self) {
        let mut is_first = true;
        for item in &mut self.items {
            match (&item.state, &item.block) {
                (State::Sent(_) | State::Sealed(_), _) => {}
                (State::Ready, Some(_)) if is_first && item.wait_ms > 0 => {
                    let ms = std::mem::take(&mut item.wait_ms);
                    self.is_waiting = true;
                    return self.actions.push_back(Action::Wait { ms });
                }
                (State::Ready, Some(block)) if is_first || !item.held => {
                    self.attempts += 1;
                    let attempt = Attempt(self.attempts);
                    self.actions.push_back(Action::Send { attempt, block: Arc::clone(block) });
                    item.state = State::Sent(attempt);
                }
                _ => return,
            }
            if item.held {
                return;
            }
            is_first = false;
        }
    }

    /// Has the next block signed, on the one before it.
    fn sign(&mut self) {
        // Nothing is built on a block that may have to be rebuilt.
        if self.items.front().is_some_and(|first| first.held) {
            return;
        }
        for (at, item) in self.items.iter_mut().enumerate().take(self.settings.in_flight_max) {
            match item.state {
                State::Writing | State::Ready | State::Sent(_) | State::Sealed(_) => {}
                State::Queued => {
                    let Some(head) = self.tip else {
                        // What was signed before is known to be the head.
                        debug_assert_eq!(at, 0, "a block without a predecessor");
                        return self.ask_head();
                    };
                    item.state = State::Signing;
                    return self.actions.push_back(Action::Sign { ticket: item.ticket, head });
                }
                State::Signing | State::Judged | State::Undecided => return,
            }
        }
    }

    fn on_signed(&mut self, ticket: Ticket, block: Arc<Prepared>) {
        let Some(head) = self.tip else { return };
        let Some(item) = self.items.iter_mut().find(|item| item.ticket == ticket) else { return };
        if !matches!(item.state, State::Signing) {
            return;
        }
        if (block.height, block.previous) != (head.next_height, head.previous) {
            // It was made for a head that has moved since.
            return self.actions.push_back(Action::Sign { ticket, head });
        }
        self.tip = Some(block.head());
        (item.state, item.block) = (State::Writing, Some(Arc::clone(&block)));
        self.actions.push_back(Action::Persist { block });
    }

    fn on_persisted(&mut self, id: Digest) {
        let written = |item: &&mut Item| {
            matches!(item.state, State::Writing) && item.block.as_ref().is_some_and(|block| block.id == id)
        };
        if let Some(item) = self.items.iter_mut().find(written) {
            item.state = State::Ready;
        }
    }

    fn on_answer(&mut self, attempt: Attempt, answer: Answer) {
        let sent = |item: &Item| matches!(item.state, State::Sent(sent) if sent == attempt);
        let Some(at) = self.items.iter().position(sent) else { return };
        match answer {
            Answer::Sealed(receipt) => self.items[at].state = State::Sealed(receipt),
            Answer::Refused(refusal) if refusal.leaves_outcome_open() => self.left_open(at, Open::Refused(refusal)),
            // Behind a block that has not settled it says nothing: the node judged it without that one.
            Answer::Refused(_) if at > 0 => (self.items[at].state, self.items[at].held) = (State::Ready, true),
            Answer::Refused(refusal) => self.judge(refusal),
            Answer::Open(open) => self.left_open(at, open),
        }
    }

    /// It is not known what became of a block: the same bytes go again, after a pause.
    fn left_open(&mut self, at: usize, open: Open) {
        let (tries_max, first_wait_ms) = (self.settings.tries_max, self.settings.first_wait_ms);
        let item = &mut self.items[at];
        (item.state, item.held) = (State::Ready, true);
        item.tries += u32::from(at == 0);
        item.wait_ms = pause_ms(first_wait_ms, item.tries.max(1), &open);
        if item.tries >= tries_for(tries_max, &open) {
            self.halt(Halt::Unsettled(open));
        }
    }
}

/// Most that a node's word makes anybody wait.
const WAIT_MAX_MS: u64 = 60_000;

pub(super) fn pause_ms(first_wait_ms: u64, tries: u32, open: &Open) -> u64 {
    let own = first_wait_ms.saturating_mul(1 << (tries - 1).min(16));
    match open {
        Open::Refused(refusal) => own.max(refusal.retry_after_ms).min(WAIT_MAX_MS),
        Open::Lost(_) | Open::Unverified(_) => own.min(WAIT_MAX_MS),
    }
}

/// What cannot be waited for is tried once more only: a lie, and a fault of the node. What the operator must mend first
/// is not tried again: whoever waits is told at once.
fn tries_for(tries_max: u32, open: &Open) -> u32 {
    match open {
        Open::Refused(refusal) if refusal.needs_operator() => 1,
        Open::Refused(refusal) if refusal.why().is_transient() => tries_max,
        Open::Lost(_) => tries_max,
        Open::Refused(_) | Open::Unverified(_) => tries_max.min(2),
    }
}

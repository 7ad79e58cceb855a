//! A node, a network, a disk, another registrar and a caller, driven by a list of choices.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::UnitId;
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::test_runner::TestCaseError;

use super::*;

/// What the first block of the chain builds on.
const ROOT: Digest = Digest([1; 32]);
/// Most blocks of others.
const OTHERS_MAX: usize = 40;

/// A block that says nothing but a number.
pub(super) fn block(number: u8, head: ChainHead) -> Arc<Prepared> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let draft = BlockDraft {
        origin: "model".to_owned(),
        unit: UnitId::new(1, 1),
        height: head.next_height,
        previous: head.previous,
        operation_id: [number; 16],
        created_at_minute: 1,
        key_id: KeyId::of(&key.verifying_key().to_bytes()),
    };
    let (place, action) = (Some(pb::Place { entry: 1, index: 0 }), pb::Action::Revoke.into());
    let effect = pb::Effect { status_id: vec![number; 32], place, action, ..Default::default() };
    let authority = Some(pb::Authority { basis: pb::Basis::Issuer.into(), ..Default::default() });
    let groups = vec![pb::EffectGroup { authority, effects: vec![effect] }];
    let block = draft.sign(&[], groups, None, |message| key.sign(message).to_bytes()).expect("a block");
    Arc::new(Prepared::new(creditbank_rpc::block_request(block, &[], &[]), vec![number]).expect("a block"))
}

pub(super) fn refusal(reason: Reason) -> Refusal {
    let code = if reason.is_transient() { Code::Unavailable } else { Code::FailedPrecondition };
    Refusal { code: code as u32, reason: reason.into(), ..Default::default() }
}

type Check = Result<(), TestCaseError>;

/// What has become of a number, by the caller's notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sealed,
    Refused,
}

/// A block of the node's chain.
struct Accepted {
    leaf: Digest,
    id: Digest,
    /// Nothing where another registrar has made it.
    number: Option<u8>,
}

/// Everything outside of a core.
pub(super) struct World {
    core: Core,
    /// What the tickets of this run are about.
    numbers: BTreeMap<Ticket, u8>,
    /// What is settled: durable notes of the caller.
    fates: BTreeMap<u8, Fate>,
    /// Blocks on the caller's disk, by height.
    disk: BTreeMap<u64, Arc<Prepared>>,
    writes: Vec<Arc<Prepared>>,
    chain: Vec<Accepted>,
    /// On their way to the node.
    requests: Vec<(Attempt, Arc<Prepared>)>,
    /// Whatever was under way once: a copy may arrive at any time.
    copies: Vec<Arc<Prepared>>,
    /// On their way back.
    answers: Vec<(Attempt, Answer)>,
    questions: Vec<Action>,
    is_waiting: bool,
    is_halted: bool,
    /// All headers that were sent, by height.
    sent: BTreeMap<u64, BTreeMap<Digest, Arc<Prepared>>>,
    /// Headers that the node has refused by a rule.
    decided: BTreeSet<Digest>,
    /// Nothing fails any more.
    is_fair: bool,
    all: u8,
}

impl World {
    /// The numbers from 1 to `all` are to be sealed. Each fourth breaks a rule.
    pub(super) fn new(all: u8) -> Self {
        let mut world = Self {
            core: Core::new(Settings { in_flight_max: 4, ..Settings::default() }),
            numbers: BTreeMap::new(),
            fates: BTreeMap::new(),
            disk: BTreeMap::new(),
            writes: Vec::new(),
            chain: Vec::new(),
            requests: Vec::new(),
            copies: Vec::new(),
            answers: Vec::new(),
            questions: Vec::new(),
            is_waiting: false,
            is_halted: false,
            sent: BTreeMap::new(),
            decided: BTreeSet::new(),
            is_fair: false,
            all,
        };
        world.start();
        world
    }

    /// Lets everything go wrong as the choices say, then nothing, and looks at the end.
    pub(super) fn run(mut self, choices: &[u16]) -> Check {
        for choice in choices {
            self.obey()?;
            self.step(*choice);
        }
        self.is_fair = true;
        for _ in 0..20_000 {
            self.obey()?;
            if self.is_halted {
                self.crash();
            } else if self.core.is_idle() {
                return self.check_end();
            } else {
                self.go_on();
            }
        }
        Err(TestCaseError::fail("it does not end"))
    }

    fn breaks_a_rule(number: u8) -> bool {
        number.is_multiple_of(4)
    }

    /// A run of the caller: what is on the disk first, then all that is not settled.
    fn start(&mut self) {
        self.core = Core::new(self.core.settings);
        let blocks: Vec<_> = self.disk.values().cloned().collect();
        let mut left: BTreeSet<u8> = (1..=self.all).filter(|number| !self.fates.contains_key(number)).collect();
        let tickets = self.core.restore(blocks.clone());
        self.numbers = BTreeMap::new();
        for (ticket, block) in tickets.into_iter().zip(blocks) {
            left.remove(&block.note[0]);
            self.numbers.insert(ticket, block.note[0]);
        }
        for number in left {
            let ticket = self.core.enqueue();
            self.numbers.insert(ticket, number);
        }
    }

    /// The process ends and starts again. What it has sent may arrive yet.
    fn crash(&mut self) {
        self.copies.extend(self.requests.drain(..).map(|(_, block)| block));
        (self.writes, self.answers, self.questions) = (Vec::new(), Vec::new(), Vec::new());
        (self.is_waiting, self.is_halted) = (false, false);
        self.start();
    }

    /// Does what the core asks for.
    fn obey(&mut self) -> Check {
        while let Some(action) = self.core.next_action() {
            match action {
                Action::AskHead | Action::AskBlock { .. } => self.questions.push(action),
                Action::Sign { ticket, head } => {
                    let block = block(self.numbers[&ticket], head);
                    self.core.handle(Event::Signed { ticket, block });
                }
                Action::Persist { block } => self.writes.push(block),
                Action::Send { attempt, block } => {
                    self.check_sending(&block)?;
                    self.requests.push((attempt, block));
                }
                Action::Wait { .. } => self.is_waiting = true,
                Action::Forget { blocks } => {
                    prop_assert!(blocks.windows(2).all(|pair| pair[0].height > pair[1].height));
                    for block in blocks {
                        self.writes.retain(|other| other.id != block.id);
                        if self.disk.get(&block.height).is_some_and(|other| other.id == block.id) {
                            self.disk.remove(&block.height);
                        }
                    }
                }
                Action::Sealed { block, .. } => {
                    prop_assert_eq!(self.at(block.height).map(|it| it.leaf), Some(block.leaf));
                    self.fates.insert(block.note[0], Fate::Sealed);
                    self.disk.remove(&block.height);
                }
                Action::Refused { ticket, refusal } => {
                    let fate = if refusal.why().is_done_already() { Fate::Sealed } else { Fate::Refused };
                    self.fates.insert(self.numbers[&ticket], fate);
                    self.core.withdraw(ticket);
                }
                Action::Dropped { ticket, block, .. } => {
                    prop_assert!(!self.disk.contains_key(&block.height));
                    // The caller looks at it again.
                    let number = self.numbers[&ticket];
                    let ticket = self.core.enqueue();
                    self.numbers.insert(ticket, number);
                }
                Action::Halt(Halt::Contradiction { .. }) => {
                    return Err(TestCaseError::fail("an honest log does not contradict itself"));
                }
                Action::Halt(_) => self.is_halted = true,
            }
        }
        Ok(())
    }

    /// One thing happens, or nothing.
    fn step(&mut self, choice: u16) {
        let (what, which) = (choice % 16, usize::from(choice / 16));
        match what {
            0..=2 if !self.writes.is_empty() => self.write(),
            3..=6 if !self.requests.is_empty() => {
                // Mostly in the order of the sendings.
                let at = if which.is_multiple_of(4) { which % self.requests.len() } else { 0 };
                let (attempt, block) = self.requests.remove(at);
                self.deliver(attempt, &block, which);
            }
            7..=9 if !self.answers.is_empty() => self.hand_over(which),
            10 | 11 if !self.questions.is_empty() => self.reply(which),
            12 => self.wake(),
            13 if !self.copies.is_empty() => {
                let block = Arc::clone(&self.copies[which % self.copies.len()]);
                self.accept(&block);
            }
            14 if self.chain.len() < OTHERS_MAX && which.is_multiple_of(3) => self.another(which),
            15 if self.is_halted || which.is_multiple_of(5) => self.crash(),
            _ => {}
        }
    }

    /// Whatever can happen, happens.
    fn go_on(&mut self) {
        if !self.writes.is_empty() {
            self.write();
        } else if !self.requests.is_empty() {
            let (attempt, block) = self.requests.remove(0);
            let answer = self.accept(&block);
            self.answers.push((attempt, answer));
        } else if !self.answers.is_empty() {
            self.hand_over(0);
        } else if !self.questions.is_empty() {
            self.reply(1);
        } else {
            self.wake();
        }
    }

    fn write(&mut self) {
        let block = self.writes.remove(0);
        let id = block.id;
        self.disk.insert(block.height, block);
        self.core.handle(Event::Persisted { id });
    }

    fn wake(&mut self) {
        if std::mem::take(&mut self.is_waiting) {
            self.core.handle(Event::Woken);
        }
    }

    /// A request arrives, or does not; what the node says comes back, once or twice, or does not.
    fn deliver(&mut self, attempt: Attempt, block: &Arc<Prepared>, which: usize) {
        self.copies.push(Arc::clone(block));
        let open = |open: fn(String) -> Open| Answer::Open(open(String::new()));
        let said = |reason| Answer::Refused(Box::new(refusal(reason)));
        let is_heard = which.is_multiple_of(2) || which % 13 >= 7;
        let decision = is_heard.then(|| self.accept(block));
        let answer = match (which % 13, decision) {
            (0 | 1, _) => open(Open::Lost),
            (2 | 3, _) => said(Reason::Stopped),
            (4, _) => said(Reason::Busy),
            (5, _) => open(Open::Unverified),
            (6, _) => said(Reason::Internal),
            (_, Some(decision)) => decision,
            (_, None) => open(Open::Lost),
        };
        if which.is_multiple_of(7) {
            self.answers.push((attempt, answer.clone()));
        }
        self.answers.push((attempt, answer));
    }

    fn at(&self, height: u64) -> Option<&Accepted> {
        usize::try_from(height).ok().and_then(|at| self.chain.get(at))
    }

    /// The node's decision: the same bytes first, then the place, then the rules.
    fn accept(&mut self, block: &Prepared) -> Answer {
        let number = block.note[0];
        let next = self.chain.len() as u64;
        let reason = match self.at(block.height) {
            Some(it) if it.leaf == block.leaf => return Answer::Sealed(receipt()),
            Some(_) => Reason::StaleHead,
            None if block.height > next => Reason::WrongHeight,
            None if block.previous != self.tip() => Reason::WrongPrevious,
            None if Self::breaks_a_rule(number) => Reason::InvalidDate,
            None if self.chain.iter().any(|it| it.number == Some(number)) => Reason::DuplicateRecord,
            None => {
                self.chain.push(Accepted { leaf: block.leaf, id: block.id, number: Some(number) });
                return Answer::Sealed(receipt());
            }
        };
        if !reason.chain_moved() {
            self.decided.insert(block.id);
        }
        Answer::Refused(Box::new(refusal(reason)))
    }

    fn tip(&self) -> Digest {
        self.chain.last().map_or(ROOT, |it| it.id)
    }

    /// Another registrar of the unit seals a block.
    fn another(&mut self, which: usize) {
        let name = |tag: u8| {
            let mut bytes = [tag; 32];
            bytes[..8].copy_from_slice(&(self.chain.len() as u64).to_be_bytes());
            bytes[8..16].copy_from_slice(&(which as u64).to_be_bytes());
            Digest(bytes)
        };
        self.chain.push(Accepted { leaf: name(0xaa), id: name(0xbb), number: None });
    }

    fn hand_over(&mut self, which: usize) {
        let (attempt, answer) = self.answers.remove(which % self.answers.len());
        self.core.handle(Event::Answered { attempt, answer });
    }

    fn reply(&mut self, which: usize) {
        let question = self.questions.remove(0);
        let event = match question {
            _ if which.is_multiple_of(3) => Event::Unread(Open::Lost(String::new())),
            Action::AskBlock { height } => {
                let leaf = self.at(height).expect("it was passed").leaf;
                Event::Stands { height, leaf, receipt: receipt() }
            }
            _ => {
                let (next_height, previous) = (self.chain.len() as u64, self.tip());
                Event::Head(ChainHead { next_height, previous, created_at_minute: 0 })
            }
        };
        self.core.handle(event);
    }

    /// A header is sent: none that was sent for its height before may still be accepted.
    fn check_sending(&mut self, block: &Arc<Prepared>) -> Check {
        prop_assert_eq!(self.disk.get(&block.height).map(|it| it.id), Some(block.id), "it is on the disk");
        for other in self.sent.get(&block.height).into_iter().flat_map(BTreeMap::values) {
            prop_assert!(other.id == block.id || self.is_out(other), "two headers at height {}", block.height);
        }
        self.sent.entry(block.height).or_default().insert(block.id, Arc::clone(block));
        Ok(())
    }

    /// Whether the node has refused a header by a rule, another stands at its height, or that holds of what it builds on.
    fn is_out(&self, block: &Prepared) -> bool {
        if self.decided.contains(&block.id) || self.at(block.height).is_some_and(|it| it.leaf != block.leaf) {
            return true;
        }
        let Some(below) = block.height.checked_sub(1) else { return false };
        match self.sent.get(&below).and_then(|sent| sent.get(&block.previous)) {
            Some(before) => self.is_out(before),
            None => self.at(below).is_some_and(|it| it.id != block.previous),
        }
    }

    fn check_end(&self) -> Check {
        for number in 1..=self.all {
            let times = self.chain.iter().filter(|it| it.number == Some(number)).count();
            let expected = if Self::breaks_a_rule(number) { (0, Fate::Refused) } else { (1, Fate::Sealed) };
            let fate = self.fates.get(&number).copied();
            prop_assert_eq!((times, fate), (expected.0, Some(expected.1)), "number {}", number);
        }
        prop_assert!(self.disk.is_empty(), "{:?}", self.disk.keys());
        Ok(())
    }
}

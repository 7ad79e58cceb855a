//! The node's side of a run: calls come in, steps are taken, answers go out.

use creditbank_ledger::read::Consequences;
use creditbank_protocol::block::Header;
use creditbank_protocol::entry::Entry;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::Receipt;
use creditbank_protocol::{Digest, LogIndex, UnitId};
use creditbank_rpc::v1::{HeldRedemption, IdentityType, SubmitBlockRequest, TypedIdentity};
use creditbank_server::append::{AccountError, Answer, Person, SubmitError};
use creditbank_server::grpc::refusal_of;
use creditbank_server::ledger::Ledger;
use creditbank_server::read::ReadError;
use creditbank_store::Crash;

use super::{Health, LIAR, World};
use crate::node::{behind_ms, is_injected};
use crate::post::{Ask, Call, Event, Say};
use crate::signing::{leaf_of, short};
use crate::trace::note;
use crate::truth::{Broken, broken};

impl World {
    /// Answers a call.
    fn say(&mut self, call: Call, say: Say) {
        if call.client != LIAR {
            let now_ms = self.now();
            self.post.send(now_ms, &mut self.chance, Event::ToClient(call, say));
        }
    }

    /// The node goes on soon.
    pub(super) fn wake(&mut self) {
        if !self.is_awake {
            self.is_awake = true;
            let when = self.now() + self.chance.below(8);
            self.post.at(when, Event::Node);
        }
    }

    pub(super) fn to_node(&mut self, call: Call, ask: Ask) -> Result<(), Broken> {
        if !self.machine.is_up() {
            self.say(call, Say::Lost);
            return Ok(());
        }
        match ask {
            Ask::Submit(request) => self.submitted(call, &request),
            Ask::Accounts(institution, citizens) => {
                let persons = citizens.iter().enumerate().map(|(position, citizen)| person(position, *citizen));
                let persons = persons.collect::<Result<Vec<_>, _>>().map_err(|error| Broken(error.to_string()))?;
                self.asked.insert(call, (institution, citizens));
                if let Some(process) = &mut self.machine.process {
                    process.steps.accounts(institution.into(), persons, call);
                }
                self.wake();
                Ok(())
            }
            Ask::Head(unit) => self.read(call, |ledger| {
                let head = ledger.chain_head(unit)?;
                Ok(Say::Head(head.0, Box::new(head.1)))
            }),
            Ask::Block(unit, height) => {
                self.read(call, |ledger| Ok(Say::Receipt(Box::new(ledger.block(unit, height)?))))
            }
            Ask::Consequences(places, revoke) => self.read(call, |ledger| {
                let Consequences { reviews, releases, .. } = ledger.consequences(&places, revoke)?;
                let held = |(record, redemption): (_, LogIndex)| HeldRedemption {
                    record: Some(record),
                    redemption: redemption.0,
                    contested: 0,
                };
                Ok(Say::Consequences(reviews, releases.into_iter().map(held).collect()))
            }),
        }
    }

    /// Answers a read. It may fail while the disk does; what it says must be true.
    fn read(&mut self, call: Call, read: impl FnOnce(&Ledger) -> Result<Say, ReadError>) -> Result<(), Broken> {
        let Some(process) = &self.machine.process else { return Ok(()) };
        let say = match read(&process.ledger) {
            Ok(say) => say,
            Err(ReadError::Missing(_) | ReadError::NoBlock { .. }) => Say::Failed("there is none".to_owned()),
            Err(error) if self.may_fail() => Say::Failed(error.to_string()),
            Err(error) => broken!("a read fails, and nothing is wrong: {error}"),
        };
        if let Say::Head(_, receipt) | Say::Receipt(receipt) = &say {
            self.truth.receipt(receipt, &self.policy)?;
        }
        self.say(call, say);
        self.look_after()
    }

    /// Whether errors of the disk are to be expected.
    pub(super) fn may_fail(&self) -> bool {
        self.is_failing || self.health != Health::Sound || self.machine.disk.is_down()
    }

    fn submitted(&mut self, call: Call, request: &SubmitBlockRequest) -> Result<(), Broken> {
        if call.client != LIAR {
            self.liar.sees(request);
        }
        let leaf = leaf_of(&request.block);
        if self.refused.contains(&leaf) {
            self.replayed.insert(leaf);
        }
        if self.chance.often(10) {
            return self.answered(call, leaf, Err(SubmitError::Busy { retry_after_ms: 250 }));
        }
        let Some(process) = &mut self.machine.process else { return Ok(()) };
        match process.steps.verify(request.clone()) {
            Ok(verified) => {
                self.submitting.insert(call, leaf);
                process.steps.block(verified, call);
                self.wake();
                Ok(())
            }
            Err(error) => self.answered(call, leaf, Err(error)),
        }
    }

    /// The node has an answer to a block: from here on it counts, whether or not it arrives.
    fn answered(&mut self, call: Call, leaf: Digest, answer: Result<Receipt, SubmitError>) -> Result<(), Broken> {
        let is_false = self.judge_lie(call, &answer)?;
        match answer {
            Ok(receipt) => {
                let found = self.truth.receipt(&receipt, &self.policy)?;
                if found != leaf {
                    broken!("the receipt at {} is for another block", receipt.index);
                }
                let Some(signed) = self.truth.signed.get(&leaf) else {
                    broken!("a block that nobody has signed is sealed at {}", receipt.index);
                };
                self.durable.insert((signed.unit, signed.height), signed.id);
                self.truth.acknowledged.insert(receipt.index);
                note!(self.trace, "sealed {} at {}", short(&leaf), receipt.index);
                self.say(call, Say::Receipt(Box::new(receipt)));
            }
            Err(error) => {
                note!(self.trace, "refused {}: {error}", short(&leaf));
                match &error {
                    SubmitError::NoRoom { .. } => self.counts.no_room += 1,
                    SubmitError::Clock(_) => self.counts.clock_moved += 1,
                    SubmitError::Unreadable(why) if !self.may_fail() => {
                        broken!("a block cannot be judged, and nothing is wrong: {why}");
                    }
                    SubmitError::Stale { accepted, .. } => _ = self.truth.receipt(accepted, &self.policy)?,
                    _ => {}
                }
                // What is refused of a lie is what was changed, and not the block that it was made from.
                if is_decision(&error) && !is_false {
                    self.decided_against(leaf);
                }
                self.say(call, Say::Refused(Box::new(refusal_of(&error))));
            }
        }
        Ok(())
    }

    /// A rule has refused a block. Where it builds on the head, it can be accepted no more, unless it is sent again
    /// later.
    fn decided_against(&mut self, leaf: Digest) {
        self.refused.insert(leaf);
        let Some(block) = self.truth.signed.get(&leaf) else { return };
        let (unit, height, id, previous) = (block.unit, block.height, block.id, block.previous);
        let head = height.checked_sub(1).and_then(|before| self.durable.get(&(unit, before)));
        let is_on_head = head.map_or(height == 0, |head| *head == previous);
        if is_on_head && !self.durable.contains_key(&(unit, height)) {
            self.truth.refused(id);
        }
    }

    /// Some steps of the node, in any order.
    pub(super) fn step_node(&mut self) -> Result<(), Broken> {
        self.is_awake = false;
        let mut is_busy = false;
        for _ in 0..self.chance.between(1, 6) {
            let choice = self.chance.below(8);
            let Some(process) = &mut self.machine.process else { return Ok(()) };
            let steps = &mut process.steps;
            is_busy |= match choice {
                0 | 1 => steps.order(),
                2 | 3 => steps.write(),
                4 => steps.publish(),
                5 => steps.answer(),
                6 => steps.index(),
                _ => steps.fill(),
            };
            self.look_after()?;
        }
        let is_idle = self.machine.process.as_ref().is_none_or(|process| process.steps.is_idle());
        if is_busy || !is_idle {
            self.wake();
        }
        Ok(())
    }

    /// After each step: what has happened, and does the process still run?
    pub(super) fn look_after(&mut self) -> Result<(), Broken> {
        self.latest_wall_ms = self.latest_wall_ms.max(self.wall_ms());
        while let Some(answer) = self.machine.process.as_mut().and_then(|process| process.steps.take_answer()) {
            match answer {
                Answer::Block(call, answer) => {
                    let leaf = self.submitting.get(&call).copied().unwrap_or(Digest::ZERO);
                    self.answered(call, leaf, answer)?;
                }
                Answer::Accounts(call, answer) => self.opened(call, answer)?,
            }
        }
        self.look_at_log()?;
        if self.machine.disk.is_down() {
            self.counts.crashes_in_operations += 1;
            let crash = if self.chance.often(500) { Crash::Kill } else { Crash::PowerCut };
            return self.node_ends("the machine goes down within an operation", crash);
        }
        if let Some(why) = self.machine.process.as_ref().and_then(|process| process.steps.failure()) {
            if !self.may_fail() && !is_injected(&why) {
                broken!("the node stops, and nothing is wrong: {why}");
            }
            self.counts.failures += 1;
            // The process ends; the machine goes on, or its owner turns it off and on again.
            let crash = if self.chance.often(700) { Crash::Kill } else { Crash::PowerCut };
            note!(self.trace, "the node fails: {why}");
            return self.node_ends("the node fails", crash);
        }
        Ok(())
    }

    fn opened(
        &mut self,
        call: Call,
        answer: Result<Vec<creditbank_protocol::Alias>, AccountError>,
    ) -> Result<(), Broken> {
        let Some((institution, citizens)) = self.asked.get(&call).cloned() else { return Ok(()) };
        match answer {
            Ok(aliases) => {
                for (citizen, alias) in citizens.into_iter().zip(&aliases) {
                    self.truth.alias(institution, citizen, *alias)?;
                }
                self.say(call, Say::Aliases(aliases));
            }
            Err(error) => {
                self.counts.no_room += u64::from(matches!(error, AccountError::NoRoom { .. }));
                self.say(call, Say::Failed(error.to_string()));
            }
        }
        Ok(())
    }

    /// What the node shows: its newest checkpoint, and the entries below it.
    fn look_at_log(&mut self) -> Result<(), Broken> {
        let Some(process) = &self.machine.process else { return Ok(()) };
        if process.ledger.size() == self.durable_size {
            return Ok(());
        }
        let note = process.ledger.checkpoint();
        self.truth.note(&note, &self.policy)?;
        for index in self.durable_size..process.ledger.size() {
            let entry = match process.ledger.entry(index) {
                Ok(entry) => entry,
                // What was destroyed stays so; what comes behind it counts.
                Err(_) if self.health == Health::Destroyed && !self.is_failing && !self.machine.disk.is_down() => {
                    self.durable_size = index + 1;
                    continue;
                }
                Err(_) => return Ok(()),
            };
            self.truth.shown(index, leaf_hash(&entry))?;
            match Entry::parse(&entry) {
                Ok(Entry::Head(block)) => {
                    let (unit, height, id) = chain_of(block.header());
                    self.durable.insert((unit, height), id);
                }
                Ok(Entry::Public(_) | Entry::Seal(_)) => {}
                Err(error) => broken!("log entry {index}: {error}"),
            }
            self.durable_size = index + 1;
        }
        Ok(())
    }

    /// The process is gone; it is started again after a while.
    pub(super) fn node_ends(&mut self, why: &str, crash: Crash) -> Result<(), Broken> {
        note!(self.trace, "{why}: {crash:?}");
        match crash {
            Crash::Kill => self.counts.kills += 1,
            Crash::PowerCut => self.counts.power_cuts += 1,
        }
        self.machine.crash(crash);
        self.is_failing = false;
        self.node_is_down();
        Ok(())
    }

    /// What was under way has no answer, and the process is started again.
    pub(super) fn node_is_down(&mut self) {
        self.submitting.clear();
        self.asked.clear();
        self.is_awake = false;
        let when = self.now() + self.chance.between(10, 5_000);
        self.post.at(when, Event::Start);
    }

    /// Starts the node. It must start, and with all that was promised, unless something has been destroyed.
    pub(super) fn start(&mut self) -> Result<(), Broken> {
        if self.machine.is_up() || self.health == Health::Gone {
            return Ok(());
        }
        if self.plan_faults_at_start() {
            self.disturb();
        }
        let started = self.machine.start();
        match started {
            Ok(()) if self.machine.disk.is_down() => {
                self.node_ends("the machine goes down in the start", Crash::PowerCut)
            }
            Ok(()) => {
                note!(self.trace, "the node starts with {} entries", self.size());
                self.machine.calm();
                self.is_failing = false;
                self.look_through()?;
                self.wake();
                Ok(())
            }
            Err(error) => {
                note!(self.trace, "the start fails: {error}");
                self.counts.failed_starts += 1;
                if self.is_failing || self.machine.disk.is_down() || is_injected(&error) {
                    return self.node_ends("the start has failed", Crash::Kill);
                }
                if behind_ms(&error).is_some_and(|ms| self.wall_ms() + ms <= self.latest_wall_ms) {
                    let when = self.now() + self.chance.between(10_000, 600_000);
                    self.post.at(when, Event::Start);
                    return Ok(());
                }
                if self.health == Health::Destroyed {
                    self.counts.refused_starts += 1;
                    self.health = Health::Gone;
                    return Ok(());
                }
                if error.to_string().contains("it read differently a second time") {
                    return self.node_ends("the start is tried again", Crash::Kill);
                }
                broken!("the start refuses what it should recover: {error}")
            }
        }
    }

    fn size(&self) -> u64 {
        self.machine.process.as_ref().map_or(0, |process| process.ledger.size())
    }

    /// After a start: everything that was ever shown or acknowledged is there, and the same.
    fn look_through(&mut self) -> Result<(), Broken> {
        self.look_at_log()?;
        let Some(process) = &self.machine.process else { return Ok(()) };
        let size = process.ledger.size();
        for (index, leaf) in &self.truth.log {
            if *index >= size {
                broken!("log entry {index} was shown, and after a start the log has {size} entries");
            }
            match process.ledger.entry(*index) {
                Ok(entry) if leaf_hash(&entry) == *leaf => {}
                Ok(_) => broken!("log entry {index} is another one after a start"),
                Err(_) if self.may_fail() => {}
                Err(error) => broken!("log entry {index} cannot be read after a start: {error}"),
            }
        }
        Ok(())
    }
}

/// Whether a refusal is a decision against the block, which no later try changes by itself.
fn is_decision(error: &SubmitError) -> bool {
    match error {
        SubmitError::Block(_) | SubmitError::Record { .. } | SubmitError::Origin { .. } | SubmitError::Rule(_) => true,
        SubmitError::CreatedAt { min, found, .. } => found < min,
        SubmitError::Stale { .. }
        | SubmitError::Height { .. }
        | SubmitError::Previous { .. }
        | SubmitError::Busy { .. }
        | SubmitError::HeldUp(_)
        | SubmitError::Quota(_)
        | SubmitError::NoRoom { .. }
        | SubmitError::Clock(_)
        | SubmitError::Displaced
        | SubmitError::LogKeyMissing(_)
        | SubmitError::Unreadable(_)
        | SubmitError::Stopped(_) => false,
    }
}

fn chain_of(header: &Header) -> (UnitId, u64, Digest) {
    (header.unit, header.height, header.id())
}

/// A citizen, by national number.
fn person(position: usize, citizen: u64) -> Result<Person, AccountError> {
    let (r#type, scope) = (IdentityType::National.into(), "GB".to_owned());
    Person::new(position, vec![TypedIdentity { r#type, scope, value: format!("c{citizen}") }])
}

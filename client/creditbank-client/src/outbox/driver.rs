//! An outbox over a connection: a [`Core`] whose actions are carried out, on the disk, over the network, with a key.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::{self, EffectGroup, Receipt};
use creditbank_protocol::record::Record;
use creditbank_rpc::v1::Refusal;
use creditbank_rpc::{Reason, block_request};
use tokio::time::Instant;

use super::core::{Action, Answer, Core, Event, Halt, Open, Settings, Ticket};
use super::disk::{Disk, Done, Job, Settled};
use super::line::Line;
use super::mark::Mark;
use super::notes::{Held, Notes};
use super::patience::Trouble;
use super::{Prepared, open_of};
use crate::sealing::approval::Waiting;
use crate::{ChainHead, Client, ClientError, IssuingUnit, Notice};

/// What a block will hold, but not where in the chain.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names)] // As the header calls it.
pub(crate) struct Operation {
    pub(crate) operation_id: [u8; 16],
    pub(crate) records: Vec<Record>,
    pub(crate) groups: Vec<EffectGroup>,
    /// By a second person.
    pub(crate) approvals: Vec<pb::Approval>,
}

/// What became of something that was to be sealed.
pub(crate) enum Outcome {
    /// It is sealed, and noted.
    Sealed { ticket: Ticket, marks: Vec<Mark>, receipt: Box<Receipt> },
    /// It was refused for what it says or who signs it: [`Outbox::revise`] it or [`Outbox::withdraw`] it.
    Refused { ticket: Ticket, refusal: Box<Refusal> },
    /// What an earlier run has left under way is not sealed and never will be.
    Dropped { refusal: Option<Box<Refusal>> },
}

/// The blocks of one chain on their way into the log.
pub(crate) struct Outbox<'a> {
    client: &'a Client,
    unit: &'a IssuingUnit,
    core: Core,
    disk: Disk,
    line: Line<'a>,
    /// What is queued, until it is settled.
    operations: HashMap<Ticket, (Operation, Vec<Mark>)>,
    question: Option<Pin<Box<dyn Future<Output = Event> + Send + 'a>>>,
    pause: Option<Instant>,
    outcomes: VecDeque<Outcome>,
    halted: Option<ClientError>,
    trouble: Trouble,
    notes: Option<Notes>,
}

impl<'a> Outbox<'a> {
    /// Takes up what an earlier run has left under way in the directory of its notes.
    pub(crate) fn open(client: &'a Client, unit: &'a IssuingUnit, work: &Path) -> Result<Self, ClientError> {
        let notes = Notes::open(work, client.origin(), unit)?;
        Self::start(client, unit, Some(notes))
    }

    /// An outbox that a crash empties.
    pub(crate) fn in_memory(client: &'a Client, unit: &'a IssuingUnit) -> Result<Self, ClientError> {
        Self::start(client, unit, None)
    }

    fn start(client: &'a Client, unit: &'a IssuingUnit, notes: Option<Notes>) -> Result<Self, ClientError> {
        let (disk, blocks) = Disk::start(notes.as_ref().map(Notes::dir))?;
        let mut core = Core::new(Settings::default());
        if let (Some(notes), false) = (&notes, blocks.is_empty()) {
            let blocks = blocks.iter().map(|block| block.what()).collect();
            client.notice(&Notice::Resends { blocks, dir: notes.dir().to_owned() });
        }
        core.restore(blocks);
        let (operations, outcomes) = (HashMap::new(), VecDeque::new());
        let line = Line::new(client);
        let (question, pause, halted, trouble) = (None, None, None, Trouble::default());
        Ok(Self { client, unit, core, disk, line, operations, question, pause, outcomes, halted, trouble, notes })
    }

    /// What the notes know of something.
    pub(crate) fn held(&self, mark: &Mark) -> Held {
        self.notes.as_ref().map_or(Held::No, |notes| notes.held(mark))
    }

    /// Whether exactly this was noted as sealed.
    pub(crate) fn is_noted(&self, mark: &Mark) -> bool {
        self.held(mark) == Held::Same
    }

    /// How many other persons must approve a block of this unit.
    pub(crate) async fn approvals_required(&self) -> Result<usize, ClientError> {
        self.client.approvals_required(self.unit.id).await
    }

    /// Checks the approvals of a request.
    pub(crate) async fn check_approvers(&self, waiting: &Waiting) -> Result<(), ClientError> {
        waiting.check_approvers(self.client, self.unit.id).await
    }

    /// Notes what the ledger holds already.
    pub(crate) fn known(&mut self, marks: &[Mark]) -> Result<(), ClientError> {
        self.notes.as_mut().map_or(Ok(()), |notes| notes.known(marks))
    }

    /// Queues something to be sealed. `marks` is what the notes will say of it.
    pub(crate) fn push(&mut self, operation: Operation, marks: Vec<Mark>) -> Ticket {
        let ticket = self.core.enqueue();
        self.operations.insert(ticket, (operation, marks));
        ticket
    }

    /// What was refused has become something else, and keeps its place.
    pub(crate) fn revise(&mut self, ticket: Ticket, operation: Operation, marks: Vec<Mark>) {
        self.operations.insert(ticket, (operation, marks));
        self.core.revise(ticket);
    }

    /// What was refused is given up.
    pub(crate) fn withdraw(&mut self, ticket: Ticket) {
        self.operations.remove(&ticket);
        self.core.withdraw(ticket);
    }

    /// Gives up what is not signed.
    pub(crate) fn withdraw_unsigned(&mut self) {
        self.core.withdraw_unsigned();
    }

    /// Whether another block would be signed without waiting for one to settle.
    pub(crate) fn has_room(&self) -> bool {
        self.core.has_room()
    }

    /// What became of something; nothing when all is settled. Can be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Option<Outcome>, ClientError> {
        loop {
            self.carry_out()?;
            if let Some(outcome) = self.outcomes.pop_front() {
                return Ok(Some(outcome));
            }
            if self.disk.is_busy() || self.halted.is_none() && !self.core.is_idle() {
                self.wait().await?;
            } else if let Some(error) = self.halted.take() {
                self.tell_kept();
                return Err(error);
            } else {
                return Ok(None);
            }
        }
    }

    /// Says what stays on the disk, and that the next run goes on with it.
    fn tell_kept(&self) {
        let blocks: Vec<String> = self.core.blocks().map(Prepared::what).collect();
        if let (Some(notes), false) = (&self.notes, blocks.is_empty()) {
            self.client.notice(&Notice::Keeps { blocks, dir: notes.dir().to_owned() });
        }
    }

    /// Goes on until something has happened.
    async fn wait(&mut self) -> Result<(), ClientError> {
        let event = tokio::select! {
            done = self.disk.next(), if self.disk.is_busy() => match done {
                Done::Written(id) => Event::Persisted { id },
                Done::Noted(settled) => {
                    self.noted(settled);
                    return Ok(());
                }
                Done::Failed(error) => return Err(error),
            },
            (attempt, answer) = self.line.next(), if self.line.is_busy() => Event::Answered { attempt, answer },
            event = async { self.question.as_mut().expect("there is one").await }, if self.question.is_some() => {
                self.question = None;
                event
            }
            () = async { tokio::time::sleep_until(self.pause.expect("there is one")).await }, if self.pause.is_some() => {
                self.pause = None;
                Event::Woken
            }
            // Something was refused, and its maker has not said what is to become of it.
            else => return Err(ClientError::Local("the outbox has nothing to wait for".to_owned())),
        };
        match why_open(&event) {
            Some(why) => self.trouble.met(Instant::now(), why),
            None if is_progress(&event) => self.trouble.over(),
            None => {}
        }
        self.core.handle(event);
        Ok(())
    }

    fn noted(&mut self, Settled { ticket, block, receipt }: Settled) {
        // Read once already: when the block was made, or from a file whose checksum held.
        let marks = Mark::read(&block.note).unwrap_or_default();
        if let Some(notes) = &mut self.notes {
            notes.noted(&marks);
        }
        self.operations.remove(&ticket);
        self.outcomes.push_back(Outcome::Sealed { ticket, marks, receipt });
    }

    /// Does what the core asks for, or begins it.
    fn carry_out(&mut self) -> Result<(), ClientError> {
        while let Some(action) = self.core.next_action() {
            let client = self.client;
            let unit = self.unit.id;
            match action {
                Action::AskHead => {
                    let head = client.chain_head(unit);
                    self.question = Some(Box::pin(async {
                        head.await.map_or_else(|error| Event::Unread(open_of(error)), Event::Head)
                    }));
                }
                Action::AskBlock { height } => {
                    let block = client.block(unit, height);
                    self.question = Some(Box::pin(async move {
                        let stands = |receipt: Receipt| {
                            let leaf = leaf_hash(&receipt.entry);
                            Event::Stands { height, leaf, receipt: Box::new(receipt) }
                        };
                        block.await.map_or_else(|error| Event::Unread(open_of(error)), stands)
                    }));
                }
                Action::Sign { ticket, head } => {
                    let block = Arc::new(self.sign(ticket, &head)?);
                    self.core.handle(Event::Signed { ticket, block });
                }
                Action::Persist { block } => self.disk.ask(Job::Write(block)),
                Action::Send { attempt, block } => self.line.send(attempt, block),
                Action::Wait { ms } => {
                    let now = Instant::now();
                    self.trouble.before(now, ms).into_iter().for_each(|notice| client.notice(&notice));
                    self.pause = Some(now + Duration::from_millis(ms));
                }
                Action::Forget { blocks } => self.disk.ask(Job::Forget(blocks)),
                Action::Sealed { ticket, block, receipt } => {
                    self.disk.ask(Job::Note(Settled { ticket, block, receipt }));
                }
                Action::Refused { ticket, refusal } => self.outcomes.push_back(Outcome::Refused { ticket, refusal }),
                Action::Dropped { refusal, .. } => self.outcomes.push_back(Outcome::Dropped { refusal }),
                Action::Halt(why) => self.halted = Some(why.into()),
            }
        }
        Ok(())
    }

    fn sign(&self, ticket: Ticket, head: &ChainHead) -> Result<Prepared, ClientError> {
        let lost = || ClientError::Local("a block without an operation".to_owned());
        let (operation, marks) = self.operations.get(&ticket).ok_or_else(lost)?;
        let Operation { operation_id, records, groups, approvals } = operation;
        // After a crash the same line must become the same record again.
        self.unit.seeds.keep()?;
        let block = self.client.sign_content(
            self.unit.id,
            head,
            &*self.unit.key,
            (records, groups.clone()),
            (*operation_id, approvals.clone()),
        )?;
        let prepared = Prepared::new(block_request(block, records, groups), Mark::write(marks));
        prepared.map_err(|error| ClientError::Local(error.to_string()))
    }
}

/// What came instead of an answer that settles something.
fn why_open(event: &Event) -> Option<String> {
    let open = match event {
        Event::Unread(open) | Event::Answered { answer: Answer::Open(open), .. } => open.clone(),
        // Also a decision: the log may still have to agree.
        Event::Answered { answer: Answer::Refused(refusal), .. } => Open::Refused(refusal.clone()),
        _ => return None,
    };
    Some(ClientError::from(Halt::Unsettled(open)).to_string())
}

/// Whether a block is settled, or a new one under way.
fn is_progress(event: &Event) -> bool {
    matches!(event, Event::Answered { answer: Answer::Sealed(_), .. } | Event::Persisted { .. })
}

impl From<Halt> for ClientError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Unsettled(Open::Refused(refusal)) => Self::Refused(refusal),
            Halt::Unsettled(Open::Lost(why)) => Self::Unreachable(why),
            Halt::Unsettled(Open::Unverified(why)) => Self::Lie(why),
            // Nobody was faster: the clocks differ, and the node says by how much.
            Halt::ChainMoved { refusal, .. } if refusal.why() == Reason::WrongTime => Self::Refused(refusal),
            Halt::ChainMoved { times, refusal } => Self::Local(format!(
                "the unit's chain has moved {times} times in a row: run the command again when nobody else seals for this \
                 unit. The node said last: {}",
                refusal.message
            )),
            Halt::Contradiction { height } => {
                Self::Lie(format!("it has sealed a block that builds on another than the one at height {height}"))
            }
        }
    }
}

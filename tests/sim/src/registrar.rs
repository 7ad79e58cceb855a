//! A registrar: a list of wants, an outbox with what is under way on a disk, and a process that may be killed at any time.

use std::collections::BTreeMap;
use std::sync::Arc;

use creditbank_client::ChainHead;
use creditbank_client::outbox::{Action, Answer, Attempt, Core, Event as Happened, Open, Prepared, Settings, Ticket};
use creditbank_protocol::block::BlockDraft;
use creditbank_protocol::entry::{Entry, block_entry};
use creditbank_protocol::key::{KeyId, sign};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::note::Policy;
use creditbank_protocol::pb::{Receipt, RecordReference};
use creditbank_protocol::receipt::verify_receipt;
use creditbank_protocol::record::{Record, info_of};
use creditbank_protocol::status::status_id;
use creditbank_protocol::{Alias, Digest, Place, UnitId};
use creditbank_rpc::v1::{RecordBody, Refusal};

use crate::chance::Chance;
use crate::post::{Alarm, Ask, Call, Event, Post, Say};
use crate::prelude::ORIGIN;
use crate::report::Counts;
use crate::trace::{Trace, note};
use crate::truth::{Broken, Signed, Truth, broken};
use crate::want::{Consequences, Content, Known, Want};

/// A call without an answer counts as lost after so long.
const TIMEOUT_MS: u64 = 10_000;
/// How often a refused want is made anew.
const REVISIONS_MAX: u32 = 2;

/// What a registrar acts in.
pub(crate) struct Around<'a> {
    pub(crate) now_ms: u64,
    pub(crate) chance: &'a mut Chance,
    pub(crate) trace: &'a mut Trace,
    pub(crate) post: &'a mut Post,
    pub(crate) truth: &'a mut Truth,
    pub(crate) counts: &'a mut Counts,
    pub(crate) policy: &'a Policy,
    /// Headers of the durable chains.
    pub(crate) durable: &'a BTreeMap<(UnitId, u64), Digest>,
    /// The outbox gives up what is under way when the node stops: a fault that the simulation must find.
    pub(crate) is_forgetful: bool,
}

/// How far a want is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Not sealed, and nothing says that it never will be.
    Open,
    /// Sealed, at this log index.
    Sealed(u64),
    /// Refused for this reason, and given up.
    Refused(String),
}

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) want: Want,
    pub(crate) stand: Stand,
    revisions: u32,
}

/// What survives the process.
#[derive(Debug, Default)]
struct Desk {
    wants: BTreeMap<u64, Item>,
    outbox: Vec<Arc<Prepared>>,
    aliases: BTreeMap<u64, Alias>,
}

/// What a call is for.
#[derive(Debug, Clone)]
enum Purpose {
    Send(Attempt, Arc<Prepared>),
    Head,
    Block(u64),
    Alias(u64),
    Consequences(u64),
}

/// A run of the process.
#[derive(Debug)]
struct Process {
    core: Core,
    calls: BTreeMap<u64, Purpose>,
    calls_made: u64,
    tickets: BTreeMap<Ticket, u64>,
    contents: BTreeMap<u64, Content>,
    /// Wants that are looked into before they go into the outbox; a ticket is of one that was refused.
    preparing: BTreeMap<u64, Option<Ticket>>,
    halted: bool,
}

/// A registrar.
pub(crate) struct Registrar {
    pub(crate) id: usize,
    pub(crate) unit: UnitId,
    key: KeyFile,
    /// How far its clock is off, in minutes.
    off_minutes: u64,
    in_flight_max: usize,
    desk: Desk,
    life: u32,
    process: Option<Process>,
}

impl Registrar {
    pub(crate) fn new(id: usize, unit: UnitId, key: KeyFile, chance: &mut Chance) -> Self {
        let in_flight_max = usize::try_from(chance.between(1, 6)).unwrap_or(1);
        let (desk, off_minutes) = (Desk::default(), chance.below(3));
        Self { id, unit, key, off_minutes, in_flight_max, desk, life: 0, process: None }
    }

    /// Its wants, and how far each is.
    pub(crate) fn wants(&self) -> impl Iterator<Item = (u64, &Item)> {
        self.desk.wants.iter().map(|(id, item)| (*id, item))
    }

    /// Whether it has nothing left to do.
    pub(crate) fn is_done(&self) -> bool {
        self.desk.wants.values().all(|item| item.stand != Stand::Open) && self.desk.outbox.is_empty()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(|process| !process.halted)
    }

    /// The process is killed: what is not on the disk is gone.
    pub(crate) fn kill(&mut self) {
        self.process = None;
    }

    /// The process is started, and goes on with what the disk holds.
    pub(crate) fn start(&mut self, around: &mut Around<'_>) -> Result<(), Broken> {
        self.life += 1;
        let settings = Settings { in_flight_max: self.in_flight_max, ..Settings::default() };
        let mut process = Process {
            core: Core::new(settings),
            calls: BTreeMap::new(),
            calls_made: 0,
            tickets: BTreeMap::new(),
            contents: BTreeMap::new(),
            preparing: BTreeMap::new(),
            halted: false,
        };
        self.desk.outbox.sort_by_key(|block| block.height);
        let blocks = self.desk.outbox.clone();
        note!(around.trace, "client {} starts with {} blocks under way", self.id, blocks.len());
        let restored: Vec<u64> = blocks.iter().map(|block| want_of(block)).collect();
        let tickets = process.core.restore(blocks);
        process.tickets.extend(tickets.into_iter().zip(restored.iter().copied()));
        self.process = Some(process);
        let open = |(id, item): (&u64, &Item)| (item.stand == Stand::Open && !restored.contains(id)).then_some(*id);
        let open: Vec<u64> = self.desk.wants.iter().filter_map(open).collect();
        for id in open {
            self.prepare(id, None, around);
        }
        self.go_on(around)
    }

    /// Something more is wanted.
    pub(crate) fn want(&mut self, id: u64, want: Want, around: &mut Around<'_>) -> Result<(), Broken> {
        note!(around.trace, "client {} wants {id}: {}", self.id, shown(&want));
        self.desk.wants.insert(id, Item { want, stand: Stand::Open, revisions: 0 });
        if self.is_running() {
            self.prepare(id, None, around);
            self.go_on(around)?;
        }
        Ok(())
    }

    /// Asks what must be known before the want can be written down, or puts it into the outbox.
    fn prepare(&mut self, id: u64, ticket: Option<Ticket>, around: &mut Around<'_>) {
        let Some(item) = self.desk.wants.get(&id) else { return };
        let (citizen, correction) = (item.want.citizen(), item.want.correction());
        if let Some(process) = &mut self.process {
            process.preparing.insert(id, ticket);
        }
        match (citizen, correction) {
            (Some(citizen), _) if !self.desk.aliases.contains_key(&citizen) => {
                self.ask(Purpose::Alias(id), Ask::Accounts(self.unit.institution.0, vec![citizen]), around);
            }
            (_, Some((place, revoke))) => {
                self.ask(Purpose::Consequences(id), Ask::Consequences(vec![place], revoke), around);
            }
            _ => self.ready(id, &Consequences::default()),
        }
    }

    /// The want can be written down.
    fn ready(&mut self, id: u64, consequences: &Consequences) {
        let (Some(process), Some(item)) = (&mut self.process, self.desk.wants.get(&id)) else { return };
        let Some(ticket) = process.preparing.remove(&id) else { return };
        let alias = item.want.citizen().and_then(|citizen| self.desk.aliases.get(&citizen)).copied();
        let content = item.want.content(self.unit.institution.0, alias, consequences, id);
        process.contents.insert(id, content);
        if let Some(ticket) = ticket {
            process.core.revise(ticket);
        } else {
            let ticket = process.core.enqueue();
            process.tickets.insert(ticket, id);
        }
    }

    fn ask(&mut self, purpose: Purpose, ask: Ask, around: &mut Around<'_>) {
        let Some(process) = &mut self.process else { return };
        process.calls_made += 1;
        let number = process.calls_made;
        process.calls.insert(number, purpose);
        let call = Call { client: self.id, life: self.life, number };
        around.post.send(around.now_ms, around.chance, Event::ToNode(call, ask));
        around.post.at(around.now_ms + TIMEOUT_MS, Event::Alarm(self.id, self.life, Alarm::Timeout(number)));
    }

    /// An alarm of this run, or of an earlier one.
    pub(crate) fn alarm(&mut self, life: u32, alarm: Alarm, around: &mut Around<'_>) -> Result<(), Broken> {
        if life != self.life {
            return Ok(());
        }
        let Some(process) = &mut self.process else { return Ok(()) };
        match alarm {
            Alarm::Woken => process.core.handle(Happened::Woken),
            Alarm::Persisted(id) => process.core.handle(Happened::Persisted { id }),
            Alarm::Timeout(number) => return self.hear(Call { client: self.id, life, number }, Say::Lost, around),
            Alarm::Prepare(want) => {
                let ticket = process.preparing.remove(&want).flatten();
                self.prepare(want, ticket, around);
            }
            Alarm::Work | Alarm::Start => {}
        }
        self.go_on(around)
    }

    /// The answer to a call. It may come twice, or after it was given up.
    pub(crate) fn hear(&mut self, call: Call, say: Say, around: &mut Around<'_>) -> Result<(), Broken> {
        let Some(process) = self.process.as_mut().filter(|_| call.life == self.life) else { return Ok(()) };
        let purpose = match process.calls.get(&call.number) {
            // Answers to a block are the outbox's to ignore.
            Some(Purpose::Send(attempt, block)) => Purpose::Send(*attempt, Arc::clone(block)),
            Some(_) => match process.calls.remove(&call.number) {
                Some(purpose) => purpose,
                None => return Ok(()),
            },
            None => return Ok(()),
        };
        match purpose {
            Purpose::Send(attempt, block) => {
                let answer = answer_of(&block, say, around.policy);
                if around.is_forgetful && gives_up(&answer) {
                    note!(around.trace, "client {} gives up what is under way", self.id);
                    self.desk.outbox.clear();
                    self.kill();
                    return self.start(around);
                }
                process.core.handle(Happened::Answered { attempt, answer });
            }
            Purpose::Head => {
                let head = match say {
                    Say::Head(next_height, receipt) => head_of(self.unit, next_height, &receipt, around.policy),
                    other => Err(open_of(other)),
                };
                process.core.handle(head.map_or_else(Happened::Unread, Happened::Head));
            }
            Purpose::Block(height) => {
                let event = match say {
                    Say::Receipt(receipt) => Happened::Stands { height, leaf: leaf_hash(&receipt.entry), receipt },
                    other => Happened::Unread(open_of(other)),
                };
                process.core.handle(event);
            }
            Purpose::Alias(id) => match (say, self.desk.wants.get(&id).and_then(|item| item.want.citizen())) {
                (Say::Aliases(aliases), Some(citizen)) => {
                    self.desk.aliases.extend(aliases.first().map(|alias| (citizen, *alias)));
                    let ticket = process.preparing.remove(&id).flatten();
                    self.prepare(id, ticket, around);
                }
                _ => self.later(id, around),
            },
            Purpose::Consequences(id) => match say {
                Say::Consequences(reviews, releases) => self.ready(id, &Consequences { reviews, releases }),
                _ => self.later(id, around),
            },
        }
        self.go_on(around)
    }

    /// What could not be asked is asked again.
    fn later(&mut self, id: u64, around: &mut Around<'_>) {
        let when = around.now_ms + around.chance.between(200, 5_000);
        around.post.at(when, Event::Alarm(self.id, self.life, Alarm::Prepare(id)));
    }

    /// Does what the outbox asks for.
    fn go_on(&mut self, around: &mut Around<'_>) -> Result<(), Broken> {
        while let Some(action) = self.process.as_mut().and_then(|process| process.core.next_action()) {
            self.act(action, around)?;
        }
        Ok(())
    }

    fn act(&mut self, action: Action, around: &mut Around<'_>) -> Result<(), Broken> {
        match action {
            Action::AskHead => self.ask(Purpose::Head, Ask::Head(self.unit), around),
            Action::AskBlock { height } => self.ask(Purpose::Block(height), Ask::Block(self.unit, height), around),
            Action::Sign { ticket, head } => {
                let block = self.sign(ticket, &head, around)?;
                self.handle(Happened::Signed { ticket, block: Arc::new(block) });
            }
            Action::Persist { block } => {
                let id = block.id;
                self.desk.outbox.push(block);
                let when = around.now_ms + around.chance.between(1, 5);
                around.post.at(when, Event::Alarm(self.id, self.life, Alarm::Persisted(id)));
            }
            Action::Send { attempt, block } => {
                around.truth.sends(self.id, block.leaf, around.durable)?;
                note!(around.trace, "client {} sends {} at height {}", self.id, short(&block.leaf), block.height);
                let request = block.request().clone();
                self.ask(Purpose::Send(attempt, block), Ask::Submit(request), around);
            }
            Action::Wait { ms } => {
                around.post.at(around.now_ms + ms, Event::Alarm(self.id, self.life, Alarm::Woken));
            }
            Action::Forget { blocks } => {
                let gone: Vec<Digest> = blocks.iter().map(|block| block.id).collect();
                self.desk.outbox.retain(|block| !gone.contains(&block.id));
            }
            Action::Sealed { ticket, block, receipt } => self.sealed(ticket, &block, &receipt, around)?,
            Action::Refused { ticket, refusal } => self.refused(ticket, &refusal, around),
            Action::Dropped { ticket, block, refusal } => self.dropped(ticket, &block, refusal.as_deref(), around),
            Action::Halt(why) => {
                note!(around.trace, "client {} halts: {why:?}", self.id);
                around.counts.halts += 1;
                if let Some(process) = &mut self.process {
                    process.halted = true;
                }
                let when = around.now_ms + around.chance.between(1_000, 60_000);
                around.post.at(when, Event::Alarm(self.id, self.life, Alarm::Start));
            }
        }
        Ok(())
    }

    fn handle(&mut self, happened: Happened) {
        if let Some(process) = &mut self.process {
            process.core.handle(happened);
        }
    }

    fn sign(&self, ticket: Ticket, head: &ChainHead, around: &mut Around<'_>) -> Result<Prepared, Broken> {
        let process = self.process.as_ref();
        let id = process.and_then(|process| process.tickets.get(&ticket)).copied();
        let content = id.and_then(|id| process.and_then(|process| process.contents.get(&id)));
        let (Some(id), Some(content)) = (id, content) else { broken!("the outbox signs what nobody wants") };
        let created_at_minute = (around.now_ms / 60_000 + self.off_minutes).max(head.created_at_minute);
        let (block, signed) = signed_block(self.unit, &self.key, head, created_at_minute, Some(id), content);
        let want = self.desk.wants.get(&id).map(|item| &item.want);
        let about = want.map(About::of).unwrap_or_default();
        let prepared = Prepared::new(block, bodies(&content.records), id.to_be_bytes().to_vec());
        let prepared = prepared.map_err(|error| Broken(format!("what was signed is no block: {error}")))?;
        around.truth.signed.insert(prepared.leaf, about.on(signed));
        Ok(prepared)
    }

    fn sealed(
        &mut self,
        ticket: Ticket,
        block: &Prepared,
        receipt: &Receipt,
        around: &mut Around<'_>,
    ) -> Result<(), Broken> {
        let id = want_of(block);
        note!(around.trace, "client {}: {id} is sealed at {}", self.id, receipt.index);
        around.counts.sealed += 1;
        self.desk.outbox.retain(|other| other.id != block.id);
        if let Some(process) = &mut self.process {
            process.tickets.remove(&ticket);
        }
        around.truth.sealed(&block.leaf, receipt.index, |position, record| reference(receipt, position, record));
        match self.desk.wants.get_mut(&id) {
            Some(item) if item.stand == Stand::Open => item.stand = Stand::Sealed(receipt.index),
            Some(item) => broken!("want {id} of client {} is sealed, and was {:?}", self.id, item.stand),
            None => broken!("client {} has sealed what it does not want", self.id),
        }
        Ok(())
    }

    fn refused(&mut self, ticket: Ticket, refusal: &Refusal, around: &mut Around<'_>) {
        let Some(process) = &mut self.process else { return };
        let Some(id) = process.tickets.get(&ticket).copied() else { return };
        note!(around.trace, "client {}: {id} is refused: {}", self.id, refusal.reason);
        around.counts.refused += 1;
        let Some(item) = self.desk.wants.get_mut(&id) else { return };
        if item.revisions < REVISIONS_MAX && around.chance.often(500) {
            item.revisions += 1;
            self.prepare(id, Some(ticket), around);
        } else {
            item.stand = Stand::Refused(refusal.reason.clone());
            process.tickets.remove(&ticket);
            process.core.withdraw(ticket);
        }
    }

    /// A block of an earlier run is not sealed: its want is made anew.
    fn dropped(&mut self, ticket: Ticket, block: &Prepared, refusal: Option<&Refusal>, around: &mut Around<'_>) {
        let id = want_of(block);
        let why = refusal.map_or("its predecessor", |refusal| &refusal.reason);
        note!(around.trace, "client {}: the block of {id} is dropped: {why}", self.id);
        self.desk.outbox.retain(|other| other.id != block.id);
        if let Some(process) = &mut self.process {
            process.tickets.remove(&ticket);
        }
        self.prepare(id, None, around);
    }
}

/// The want that a block is for.
fn want_of(block: &Prepared) -> u64 {
    block.note.as_slice().try_into().map_or(u64::MAX, u64::from_be_bytes)
}

/// What the simulation notes of a want's records.
#[derive(Default)]
struct About {
    citizen: Option<u64>,
    courses: Vec<String>,
    redeems: Vec<Place>,
    amends: Option<Place>,
}

impl About {
    fn of(want: &Want) -> Self {
        let citizen = want.citizen();
        match want {
            Want::Issue { courses, .. } => Self { citizen, courses: courses.clone(), ..Self::default() },
            Want::Amend { target, .. } => {
                let courses = vec![target.course.clone()];
                Self { citizen, courses, amends: Some(target.place), ..Self::default() }
            }
            Want::Award { counted, .. } => {
                Self { citizen, redeems: counted.iter().map(|one| one.place).collect(), ..Self::default() }
            }
            Want::Revoke { .. } | Want::StandBy { .. } | Want::Publish { .. } | Want::Register { .. } => {
                Self { citizen, ..Self::default() }
            }
        }
    }

    fn on(self, signed: Signed) -> Signed {
        let Self { citizen, courses, redeems, amends } = self;
        Signed { citizen, courses, redeems, amends, ..signed }
    }
}

/// A block over what a unit wants, signed with its key.
pub(crate) fn signed_block(
    unit: UnitId,
    key: &KeyFile,
    head: &ChainHead,
    created_at_minute: u64,
    want: Option<u64>,
    content: &Content,
) -> (Vec<u8>, Signed) {
    let mut operation_id = [0xff; 16];
    if let Some(want) = want {
        operation_id[..8].copy_from_slice(&want.to_be_bytes());
    }
    let draft = BlockDraft {
        origin: ORIGIN.to_owned(),
        unit,
        height: head.next_height,
        previous: head.previous,
        operation_id,
        created_at_minute,
        key_id: KeyId::of(&key.public_key()),
    };
    let block = draft.sign(&content.records, content.groups.clone(), None, |message| sign(&key.key, message));
    let block = block.expect("what is wanted fits into a block");
    let id = match Entry::parse(&block_entry(&block)) {
        Ok(Entry::Block(parsed)) => parsed.header().id(),
        _ => Digest::ZERO,
    };
    let signed = Signed {
        want,
        unit,
        height: head.next_height,
        previous: head.previous,
        id,
        records: content.records.clone(),
        citizen: None,
        courses: Vec::new(),
        redeems: Vec::new(),
        amends: None,
    };
    (block, signed)
}

/// The records that travel beside a block.
pub(crate) fn bodies(records: &[Record]) -> Vec<RecordBody> {
    let hidden = |record: &&Record| info_of(record.kind()).is_some_and(|info| !info.public);
    records.iter().filter(hidden).map(RecordBody::from).collect()
}

fn reference(receipt: &Receipt, index: u32, record: &Record) -> RecordReference {
    let id = status_id(&leaf_hash(&receipt.entry), index, &record.hash());
    RecordReference { place: Place::new(receipt.index, index).written(), status_id: id.0.to_vec() }
}

fn open_of(say: Say) -> Open {
    match say {
        Say::Refused(refusal) => Open::Refused(refusal),
        Say::Failed(why) => Open::Unverified(why),
        Say::Lost => Open::Lost("nothing came".to_owned()),
        _ => Open::Unverified("another answer".to_owned()),
    }
}

fn answer_of(block: &Prepared, say: Say, policy: &Policy) -> Answer {
    match say {
        Say::Receipt(receipt) if receipt.entry != block_entry(&block.request().block) => {
            Answer::Open(Open::Unverified("the receipt is for another block".to_owned()))
        }
        Say::Receipt(receipt) => match verify_receipt(&receipt, policy) {
            Ok(_) => Answer::Sealed(receipt),
            Err(error) => Answer::Open(Open::Unverified(error.to_string())),
        },
        Say::Refused(refusal) => Answer::Refused(refusal),
        other => Answer::Open(open_of(other)),
    }
}

/// Whether an outbox that gives up too early gives up at this.
fn gives_up(answer: &Answer) -> bool {
    match answer {
        Answer::Refused(refusal) => refusal.reason == "STOPPED",
        Answer::Open(Open::Lost(_)) => true,
        _ => false,
    }
}

/// The head of a unit's chain, as a client works it out.
pub(crate) fn head_of(unit: UnitId, next_height: u64, receipt: &Receipt, policy: &Policy) -> Result<ChainHead, Open> {
    let verified = verify_receipt(receipt, policy).map_err(|error| Open::Unverified(error.to_string()))?;
    ChainHead::read(unit, next_height, &verified).map_err(|error| Open::Unverified(error.to_string()))
}

/// The first digits of a digest.
pub(crate) fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(8).collect()
}

fn shown(want: &Want) -> String {
    let one = |known: &Known| format!("{} of {}", known.place, known.citizen);
    match want {
        Want::Issue { citizen, courses } => format!("credits {courses:?} for {citizen}"),
        Want::Amend { target, amount_e4 } => format!("{} is {amount_e4}", one(target)),
        Want::Revoke { target } => format!("{} {:?} is revoked", one(target), target.kind),
        Want::Award { citizen, counted, certificate } => {
            let counted: Vec<String> = counted.iter().map(one).collect();
            format!("degree {certificate} for {citizen}, counting {counted:?}")
        }
        Want::StandBy { target } => format!("{} stands", one(target)),
        Want::Publish { version } => format!("version {version} of the definition"),
        Want::Register { records } => format!("{} entries of the registry", records.len()),
    }
}

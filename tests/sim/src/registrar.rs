//! A registrar: a list of wants, an outbox with what is under way on a disk, and a process that may be killed at any
//! time.
//!
//! `desk` is what survives the process. `calls` asks the node and reads its answers, `acts` does what the outbox asks
//! for.

mod acts;
mod calls;
mod desk;

use std::collections::BTreeMap;

use creditbank_client::outbox::{Core, Event as Happened, Settings, Ticket};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::note::Policy;
use creditbank_protocol::{Digest, UnitId};

use crate::chance::Chance;
use crate::post::{Alarm, Ask, Call, Post, Say};
use crate::report::Counts;
use crate::trace::{Trace, note};
use crate::truth::{Broken, Truth};
use crate::want::{Consequences, Content, Want};
use calls::Purpose;
use desk::{Desk, want_of};
pub(crate) use desk::{Item, Stand};

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
        note!(around.trace, "client {} wants {id}: {}", self.id, want);
        self.desk.wants.insert(id, Item { want, stand: Stand::Open, revisions: 0 });
        if self.is_running() {
            self.prepare(id, None, around);
            self.go_on(around)?;
        }
        Ok(())
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
}

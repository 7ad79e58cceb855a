//! One run: a node, its registrars, one who lies and an auditor, in the order of time, until everything has settled.
// Every event is handled by a function of one shape, and `to_client` and `to_node` say where a message goes.
#![allow(clippy::unnecessary_wraps, clippy::wrong_self_convention)]

mod founding;
mod lied;
mod restore;
mod serve;
mod settle;
mod troubles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use creditbank_ledger::state::LogKeys;
use creditbank_protocol::note::Policy;
use creditbank_protocol::pb::Kind;
use creditbank_protocol::{Digest, UnitId};

use crate::auditor::Auditor;
use crate::cast::{DIR, INSTITUTIONS, unit_key};
use crate::chance::Chance;
use crate::clock::{START_MS, SimClock};
use crate::courses;
use crate::liar::{Liar, Outcome};
use crate::node::{Machine, environment};
use crate::plan::Plan;
use crate::post::{Alarm, Call, Event, Post, Say};
use crate::prelude::{Beginning, accreditation, public};
use crate::registrar::{Around, Registrar};
use crate::report::Counts;
use crate::trace::{Trace, note};
use crate::truth::{Broken, Truth};
use crate::want::{Known, Want};
use crate::{Mutation, Settings};

/// Events of a run before nothing goes wrong any more.
const EVENTS_MAX: u64 = 1_200;
/// Events until everything must have settled then.
const SETTLING_MAX: u64 = 20_000;
/// The one who lies, among the clients.
const LIAR: usize = 99;
const CITIZENS: u64 = 5;

/// How healthy what the node has synced is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Everything that was synced is there.
    Sound,
    /// A fault has destroyed synced data, or may have.
    Destroyed,
    /// The node has refused to start since.
    Gone,
}

#[allow(clippy::struct_excessive_bools)] // Each says one thing of the world.
pub(crate) struct World {
    pub(crate) trace: Trace,
    pub(crate) counts: Counts,
    chance: Chance,
    plan: Plan,
    post: Post,
    truth: Truth,
    policy: Policy,
    keys: LogKeys,
    machine: Machine,
    registrars: Vec<Registrar>,
    liar: Liar,
    auditor: Auditor,
    health: Health,
    /// Faults of the disk are on.
    is_failing: bool,
    /// The latest time that the wall clock has shown while the node worked: a seal may say it, and be in the future
    /// once the
    /// clock is right, also where nobody has seen it yet.
    latest_wall_ms: u64,
    /// Ids of the blocks of the durable log, by unit and height, up to `durable_size`.
    durable: BTreeMap<(UnitId, u64), Digest>,
    durable_size: u64,
    /// Leaves of blocks that were refused, and of those that came again afterwards.
    refused: BTreeSet<Digest>,
    replayed: BTreeSet<Digest>,
    wants: u64,
    courses: u64,
    registered: u32,
    backups: u64,
    /// Size of the newest backup.
    backup: Option<PathBuf>,
    /// Blocks that the node has taken and not answered.
    submitting: BTreeMap<Call, Digest>,
    /// The node's next steps are on the way.
    is_awake: bool,
    /// The disk has little room.
    is_squeezed: bool,
    lies: u64,
    /// What the one who lies has sent, and what must become of it.
    lied: BTreeMap<Call, (&'static str, Outcome)>,
    /// Whose aliases were asked for.
    asked: BTreeMap<Call, (u64, Vec<u64>)>,
    is_settling: bool,
    mutation: Option<Mutation>,
}

fn now(clock: &SimClock) -> u64 {
    clock.true_ms()
}

impl World {
    pub(crate) fn new(beginning: &Beginning, settings: &Settings) -> Self {
        let seed = settings.seed;
        let mut chance = Chance::new(seed, 7);
        let plan = Plan::new(&mut chance);
        let disk = beginning.disk.copy(chance.seed());
        if settings.mutation == Some(Mutation::EarlyAnswers) {
            disk.lie_about(Some(""));
        }
        let clock = SimClock::new(START_MS + 60_000);
        let environment = environment(&disk, &clock, &mut chance);
        let config = beginning.config.clone();
        let machine = Machine::new(disk, clock, environment, PathBuf::from(DIR), config, &mut chance);
        let unit = |institution| UnitId::new(institution, 1);
        let mut registrars: Vec<Registrar> = [1, 1, 2]
            .into_iter()
            .enumerate()
            .map(|(id, institution)| Registrar::new(id, unit(institution), unit_key(institution), &mut chance))
            .collect();
        let operator = Registrar::new(registrars.len(), UnitId::OPERATOR, beginning.registry_key.clone(), &mut chance);
        registrars.push(operator);
        let keys = beginning.keys.clone();
        Self {
            trace: Trace::new(settings.trace, START_MS),
            counts: Counts::default(),
            plan,
            post: Post::default(),
            truth: beginning.truth.clone(),
            policy: beginning.policy.clone(),
            auditor: Auditor::new(keys.clone()),
            keys,
            machine,
            registrars,
            liar: Liar::new(unit(INSTITUTIONS), unit_key(INSTITUTIONS)),
            health: Health::Sound,
            is_failing: false,
            latest_wall_ms: START_MS,
            durable: BTreeMap::new(),
            durable_size: 0,
            refused: BTreeSet::new(),
            replayed: BTreeSet::new(),
            wants: 0,
            courses: 0,
            registered: 1,
            backups: 0,
            backup: None,
            submitting: BTreeMap::new(),
            is_awake: false,
            is_squeezed: false,
            lies: 0,
            lied: BTreeMap::new(),
            asked: BTreeMap::new(),
            is_settling: false,
            mutation: settings.mutation,
            chance,
        }
    }

    /// Runs until everything has settled, and judges the log.
    pub(crate) fn run(&mut self) -> Result<(), Broken> {
        note!(self.trace, "{:?}", self.plan);
        if self.plan.disturbed_inits > 0 {
            founding::disturbed(self.plan.disturbed_inits, &mut self.chance, &mut self.trace, &mut self.counts)?;
        }
        self.post.weather = self.plan.weather;
        self.start()?;
        for id in 0..self.registrars.len() {
            self.with(id, super::registrar::Registrar::start)?;
            let pause = self.plan.pause(&mut self.chance);
            self.post.at(self.now() + pause, Event::Alarm(id, 0, Alarm::Work));
        }
        let first =
            [(Event::Trouble, true), (Event::Lie, self.plan.has_liar), (Event::Audit, true), (Event::Tick, true)];
        for (event, _) in first.into_iter().filter(|(_, wanted)| *wanted) {
            let pause = self.plan.pause(&mut self.chance);
            self.post.at(self.now() + pause, event);
        }
        for _ in 0..EVENTS_MAX {
            if self.health == Health::Gone {
                break;
            }
            self.next()?;
        }
        self.settle()?;
        self.counts.simulated_ms = self.now() - START_MS;
        (self.counts.lost, self.counts.doubled) = (self.post.lost, self.post.doubled);
        Ok(())
    }

    /// What the disk lies about in every run: nothing, unless that is the fault to be found.
    fn lies_anyway(&self) -> Option<&'static str> {
        (self.mutation == Some(Mutation::EarlyAnswers)).then_some("")
    }

    fn now(&self) -> u64 {
        now(&self.machine.clock)
    }

    /// The next event; `false` when there is none.
    fn next(&mut self) -> Result<bool, Broken> {
        let Some((ms, event)) = self.post.next() else { return Ok(false) };
        self.machine.clock.advance_to(ms.max(self.now()));
        self.trace.at(self.now());
        self.happen(event)?;
        Ok(true)
    }

    fn happen(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::ToNode(call, ask) => self.to_node(call, ask),
            Event::ToClient(call, say) => self.to_client(call, say),
            Event::Alarm(id, _, Alarm::Work) => self.work(id),
            Event::Alarm(id, life, Alarm::Start) => self.start_client(id, life),
            Event::Alarm(id, life, alarm) => self.with(id, |registrar, around| registrar.alarm(life, alarm, around)),
            Event::Node => self.step_node(),
            Event::Tick => self.tick(),
            Event::Start => self.start(),
            Event::ClockRight if self.is_settling => Ok(()),
            Event::ClockRight => {
                self.machine.clock.set_off(0);
                note!(self.trace, "the clock is right");
                Ok(())
            }
            Event::Room => {
                self.machine.disk.set_room(crate::node::ROOM);
                self.is_squeezed = false;
                Ok(())
            }
            Event::PowerCut => self.cut_power(),
            Event::Trouble => self.trouble(),
            Event::Lie => self.lie(),
            Event::Audit => self.audit(),
        }
    }

    /// Lets a registrar act.
    fn with(
        &mut self,
        id: usize,
        act: impl FnOnce(&mut Registrar, &mut Around<'_>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let Some(registrar) = self.registrars.get_mut(id) else { return Ok(()) };
        let mut around = Around {
            now_ms: now(&self.machine.clock),
            chance: &mut self.chance,
            trace: &mut self.trace,
            post: &mut self.post,
            truth: &mut self.truth,
            counts: &mut self.counts,
            policy: &self.policy,
            durable: &self.durable,
            is_forgetful: self.mutation == Some(Mutation::ForgetfulOutbox),
        };
        act(registrar, &mut around)
    }

    fn start_client(&mut self, id: usize, _: u32) -> Result<(), Broken> {
        if self.registrars.get(id).is_some_and(Registrar::is_running) {
            return Ok(());
        }
        self.with(id, super::registrar::Registrar::start)
    }

    /// A registrar wants something new, now and then.
    fn work(&mut self, id: usize) -> Result<(), Broken> {
        let Some(registrar) = self.registrars.get(id) else { return Ok(()) };
        if self.is_settling || registrar.wants().count() as u64 >= self.plan.wants {
            return Ok(());
        }
        let pause = self.plan.pause(&mut self.chance);
        self.post.at(self.now() + pause, Event::Alarm(id, 0, Alarm::Work));
        let unit = registrar.unit;
        for _ in 0..self.chance.between(1, 3) {
            let Some(want) = self.choose(unit) else { continue };
            self.wants += 1;
            let number = self.wants;
            self.with(id, |registrar, around| registrar.want(number, want, around))?;
        }
        Ok(())
    }

    fn choose(&mut self, unit: UnitId) -> Option<Want> {
        if unit == UnitId::OPERATOR {
            self.registered += 1;
            let entry = accreditation(self.chance.between(1, INSTITUTIONS), self.registered);
            return Some(Want::Register { records: vec![public(Kind::Accreditation, &entry)] });
        }
        let own = |known: &&Known| known.issuer.institution == unit.institution;
        let own: Vec<Known> = self.truth.known.iter().filter(own).cloned().collect();
        match self.chance.below(100) {
            0..50 => {
                let mut issued = Vec::new();
                for _ in 0..self.chance.between(1, 3) {
                    self.courses += 1;
                    let number =
                        if self.chance.often(800) { self.courses } else { self.chance.between(1, self.courses) };
                    let is_other = self.chance.often(300);
                    issued.push(courses::spelled(number, is_other, &mut self.chance));
                }
                Some(Want::Issue { citizen: self.chance.below(CITIZENS), courses: issued })
            }
            50..63 => {
                let target = self.chance.pick(&own)?.clone();
                let amount_e4 = 600_000 + 10_000 * self.chance.below(5);
                let course = courses::respelled(&target.course, &mut self.chance);
                (target.kind == Kind::Credit).then_some(Want::Amend { target, course, amount_e4 })
            }
            63..73 => Some(Want::Revoke { target: self.chance.pick(&own)?.clone() }),
            73..76 => Some(Want::StandBy { target: self.chance.pick(&own)?.clone() }),
            80..85 if self.courses > 0 => {
                let (number, withdrawn) = (self.chance.between(1, self.courses), self.chance.often(200));
                Some(Want::Alias { number, withdrawn })
            }
            76..80 => Some(Want::Publish { version: u32::try_from(self.chance.between(2, 9)).ok()? }),
            _ => {
                let credits: Vec<&Known> = self.truth.known.iter().filter(|known| known.kind == Kind::Credit).collect();
                let first = (*self.chance.pick(&credits)?).clone();
                let others: Vec<&Known> = credits
                    .into_iter()
                    .filter(|known| known.citizen == first.citizen && known.place != first.place)
                    .collect();
                let second = (*self.chance.pick(&others)?).clone();
                let citizen = first.citizen;
                let mut counted = vec![first, second];
                counted.sort_by_key(|known| known.place);
                Some(Want::Award { citizen, counted, certificate: format!("D-{}", self.wants) })
            }
        }
    }

    fn to_client(&mut self, call: Call, say: Say) -> Result<(), Broken> {
        self.with(call.client, |registrar, around| registrar.hear(call, say, around))
    }
}

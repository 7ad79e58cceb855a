//! What goes wrong.

use std::path::PathBuf;

use creditbank_protocol::UnitId;
use creditbank_store::{Crash, FaultRates};

use super::{Health, LIAR, World};
use crate::cast::INSTITUTIONS;
use crate::liar::{Lie, Scene};
use crate::node::{RESERVE, is_injected};
use crate::plan::Trouble;
use crate::post::{Alarm, Ask, Call, Event};
use crate::signing::head_of;
use crate::trace::note;
use crate::truth::{Broken, broken};

/// Files whose syncs a disk may lie about, one at a time: each is vouched for by another one, or can be made anew.
const LIED_ABOUT: [&str; 4] = [".seg", "guard", "learners.keys", "position"];

/// The clock is set wrong by less than this, milliseconds.
pub(super) const CLOCK_STEP_MAX_MS: i64 = 3_600_000;

impl World {
    /// The wall clock.
    pub(super) fn wall_ms(&self) -> u64 {
        use creditbank_server::clock::Clock as _;
        self.machine.clock.now_ms()
    }

    /// Whether this start takes place on a disk that fails.
    pub(super) fn plan_faults_at_start(&mut self) -> bool {
        !self.is_settling && self.plan.has(Trouble::Errors) && self.chance.often(250)
    }

    /// Operations of the disk begin to fail, and perhaps the machine goes down in one.
    pub(super) fn disturb(&mut self) {
        let chance = &mut self.chance;
        let mut rate = |often, most| if chance.often(often) { chance.below(most) } else { 0 };
        let rates = FaultRates {
            write: rate(300, 40),
            full: rate(200, 40),
            sync: rate(400, 60),
            name: rate(200, 60),
            read: rate(150, 20),
        };
        note!(self.trace, "the disk fails: {rates:?}");
        self.machine.disk.set_rates(rates);
        self.is_failing = true;
        if self.chance.often(300) {
            let operations = self.chance.below(80);
            self.machine.disk.crash_in(Some(operations));
        }
    }

    pub(super) fn trouble(&mut self) -> Result<(), Broken> {
        if self.is_settling {
            return Ok(());
        }
        let pause = self.plan.pause(&mut self.chance);
        self.post.at(self.now() + pause, Event::Trouble);
        let Some(trouble) = self.plan.trouble(&mut self.chance) else { return Ok(()) };
        let is_up = self.machine.is_up();
        match trouble {
            Trouble::Crash if is_up => {
                let crash = if self.chance.often(500) { Crash::Kill } else { Crash::PowerCut };
                self.node_ends("a crash", crash)
            }
            Trouble::CrashWithin if is_up => {
                let operations = self.chance.below(40);
                self.machine.disk.crash_in(Some(operations));
                Ok(())
            }
            Trouble::Stop if is_up => self.stop(),
            Trouble::Errors if is_up => {
                self.disturb();
                Ok(())
            }
            Trouble::Full => {
                self.counts.full_disks += 1;
                self.is_squeezed = true;
                let room = self.chance.below(3 * RESERVE);
                note!(self.trace, "the disk has room for {room} bytes");
                self.machine.disk.set_room(room);
                let when = self.now() + self.chance.between(100, 20_000);
                self.post.at(when, Event::Room);
                Ok(())
            }
            Trouble::Lie if is_up && self.health == Health::Sound => self.disk_lies(),
            Trouble::Rot if self.health == Health::Sound => self.rot(),
            Trouble::Clock => self.clock_steps(),
            Trouble::Backup if is_up && !self.is_failing => self.make_backup(),
            Trouble::Restore | Trouble::BlindRestore => self.restore(trouble == Trouble::BlindRestore),
            Trouble::KillClient => self.kill_client(),
            _ => Ok(()),
        }
    }

    /// The node is asked to stop, finishes its round, and is started again.
    fn stop(&mut self) -> Result<(), Broken> {
        if let Some(process) = &mut self.machine.process {
            process.steps.run();
        }
        self.look_after()?;
        if !self.machine.is_up() {
            return Ok(());
        }
        let may_fail = self.may_fail();
        let stopped = self.machine.stop();
        note!(self.trace, "the node stops: {stopped:?}");
        match stopped {
            Ok(()) => self.counts.stops += 1,
            Err(error) if may_fail || is_injected(&error) => {}
            Err(error) => broken!("the node does not stop cleanly, and nothing is wrong: {error}"),
        }
        self.machine.crash(if self.chance.often(500) { Crash::Kill } else { Crash::PowerCut });
        self.is_failing = false;
        self.node_is_down();
        Ok(())
    }

    /// The disk acknowledges syncs of some file, and after the next power cut they were none.
    fn disk_lies(&mut self) -> Result<(), Broken> {
        let about = self.chance.pick(&LIED_ABOUT).copied().unwrap_or("guard");
        note!(self.trace, "the disk lies about {about}");
        self.counts.lies += 1;
        self.health = Health::Destroyed;
        self.machine.disk.lie_about(Some(about));
        let when = self.now() + self.chance.between(100, 20_000);
        self.post.at(when, Event::PowerCut);
        Ok(())
    }

    /// The power is cut, and the disk lies no more.
    pub(super) fn cut_power(&mut self) -> Result<(), Broken> {
        let ended = self.node_ends("a power cut", Crash::PowerCut);
        self.machine.disk.lie_about(self.lies_anyway());
        ended
    }

    /// A bit of some file of the node flips.
    fn rot(&mut self) -> Result<(), Broken> {
        let files: Vec<PathBuf> =
            self.machine.disk.files().into_iter().filter(|path| path.starts_with(&self.machine.dir)).collect();
        let Some(path) = self.chance.pick(&files).cloned() else { return Ok(()) };
        let (place, bit) = (self.chance.seed(), self.chance.below(8));
        self.machine.disk.damage(&path, |bytes| {
            if let Some(place) = place.checked_rem(bytes.len() as u64).and_then(|place| usize::try_from(place).ok()) {
                bytes[place] ^= 1 << bit;
            }
        });
        note!(self.trace, "{} rots", path.display());
        self.counts.rot += 1;
        self.health = Health::Destroyed;
        Ok(())
    }

    fn clock_steps(&mut self) -> Result<(), Broken> {
        let most = if self.chance.often(500) { CLOCK_STEP_MAX_MS.unsigned_abs() } else { 240_000 };
        let by = i64::try_from(self.chance.below(most)).unwrap_or(0);
        let by = if self.chance.often(500) { by } else { -by };
        note!(self.trace, "the clock is off by {by} ms");
        self.counts.clock_steps += 1;
        self.machine.clock.set_off(by);
        let when = self.now() + self.chance.between(1_000, 900_000);
        self.post.at(when, Event::ClockRight);
        Ok(())
    }

    fn kill_client(&mut self) -> Result<(), Broken> {
        let id = usize::try_from(self.chance.below(self.registrars.len() as u64)).unwrap_or(0);
        if let Some(registrar) = self.registrars.get_mut(id) {
            note!(self.trace, "client {id} is killed");
            self.counts.client_kills += 1;
            registrar.kill();
            let when = self.now() + self.chance.between(10, 20_000);
            self.post.at(when, Event::Alarm(id, 0, Alarm::Start));
        }
        Ok(())
    }

    /// The one who lies tries something.
    pub(super) fn lie(&mut self) -> Result<(), Broken> {
        if self.is_settling {
            return Ok(());
        }
        let pause = self.plan.pause(&mut self.chance);
        self.post.at(self.now() + pause, Event::Lie);
        let Some(process) = &self.machine.process else { return Ok(()) };
        let unit = self.liar.unit;
        let head = |unit: UnitId| {
            let (next_height, receipt) = process.ledger.chain_head(unit).ok()?;
            head_of(unit, next_height, &receipt, &self.policy).ok()
        };
        let Some(own) = head(unit) else { return Ok(()) };
        let others = (1..INSTITUTIONS).map(|institution| UnitId::new(institution, 1)).chain([UnitId::OPERATOR]);
        let others: Vec<_> = others.filter_map(|unit| Some((unit, head(unit)?))).collect();
        let aliases = self.truth.aliases.iter().filter(|((institution, _), _)| *institution == INSTITUTIONS);
        let aliases: Vec<_> = aliases.map(|((_, citizen), alias)| (*citizen, *alias)).collect();
        let now_ms = self.now();
        let scene = Scene { head: own, others: &others, aliases: &aliases, now_ms };
        let lie = self.liar.lie(&scene, &mut self.chance, &mut self.truth);
        self.lies += 1;
        let call = Call { client: LIAR, life: 0, number: self.lies };
        let ask = match lie {
            Some(Lie { what, request, outcome }) => {
                note!(self.trace, "a lie: {what}");
                self.counts.forgeries += 1;
                self.lied.insert(call, (what, outcome));
                Ask::Submit(request)
            }
            None => Ask::Accounts(INSTITUTIONS, vec![self.chance.below(super::CITIZENS)]),
        };
        self.post.at(now_ms + 1, Event::ToNode(call, ask));
        Ok(())
    }

    /// The auditor reads on.
    pub(super) fn audit(&mut self) -> Result<(), Broken> {
        if !self.is_settling {
            let pause = self.plan.pause(&mut self.chance);
            self.post.at(self.now() + pause, Event::Audit);
        }
        let (is_failing, disk) = (self.may_fail(), self.machine.disk.clone());
        if let Some(process) = &self.machine.process {
            let may_fail = || is_failing || disk.is_down();
            self.counts.audited += self.auditor.read_on(&process.ledger, &mut self.truth, may_fail)?;
        }
        self.look_after()
    }

    /// An empty round, if it is time for one.
    pub(super) fn tick(&mut self) -> Result<(), Broken> {
        if !self.is_settling {
            let when = self.now() + self.chance.between(60_000, 1_200_000);
            self.post.at(when, Event::Tick);
        }
        if let Some(process) = &mut self.machine.process {
            process.steps.tick();
            self.wake();
        }
        Ok(())
    }
}

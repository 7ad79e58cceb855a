//! The end of a run: nothing goes wrong any more, everything settles, and the log is judged as a whole.

use creditbank_server::environment::Environment;
use creditbank_server::operate::check;
use creditbank_store::Crash;

use super::troubles::CLOCK_STEP_MAX_MS;
use super::{Health, SETTLING_MAX, World};
use crate::auditor::Auditor;
use crate::judge::{judge, judge_wants};
use crate::node::Process;
use crate::post::{Alarm, Event, Weather};
use crate::registrar::{Registrar, Stand};
use crate::trace::note;
use crate::truth::{Broken, broken};

impl World {
    pub(super) fn settle(&mut self) -> Result<(), Broken> {
        note!(self.trace, "from here on nothing goes wrong");
        self.is_settling = true;
        self.post.weather = Weather::default();
        self.set_the_clock()?;
        self.machine.disk.lie_about(self.lies_anyway());
        if self.is_failing || self.machine.disk.is_down() {
            self.node_ends("the faults end", Crash::Kill)?;
        }
        self.machine.calm();
        self.is_squeezed = false;
        if !self.machine.is_up() && self.health != Health::Gone {
            self.post.at(self.now(), Event::Start);
        }
        let mut events = 0;
        while self.health != Health::Gone {
            // The process may be down between two runs.
            for id in 0..self.registrars.len() {
                if !self.registrars[id].is_running() && !self.registrars[id].is_done() {
                    self.post.at(self.now() + 1, Event::Alarm(id, 0, Alarm::Start));
                }
            }
            let is_done = self.machine.is_up() && !self.is_awake && self.registrars.iter().all(Registrar::is_done);
            if is_done || !self.next()? {
                break;
            }
            events += 1;
            if events > SETTLING_MAX {
                break;
            }
        }
        self.verdict()
    }

    /// The operator sees to the clock. Where it was ahead, there may be seals in the future, and the log goes on only
    /// once that
    /// time has come: it is let come.
    fn set_the_clock(&mut self) -> Result<(), Broken> {
        if self.machine.is_up() {
            self.node_ends("the clock is set", Crash::Kill)?;
        }
        self.machine.clock.set_off(CLOCK_STEP_MAX_MS);
        Ok(())
    }

    fn verdict(&mut self) -> Result<(), Broken> {
        let wants = self.registrars.iter().flat_map(super::super::registrar::Registrar::wants);
        self.counts.left_open = wants.filter(|(_, item)| item.stand == Stand::Open).count() as u64;
        if self.health == Health::Gone {
            return Ok(());
        }
        let is_sound = self.health == Health::Sound;
        if is_sound && self.counts.left_open > 0 {
            let open: Vec<String> = self
                .registrars
                .iter()
                .flat_map(|one| one.wants().filter(|(_, item)| item.stand == Stand::Open).map(|(id, _)| id.to_string()))
                .collect();
            broken!("nothing is wrong any more, and these wants are not settled: {}", open.join(", "));
        }
        let may_fail = self.may_fail();
        let Some(Process { ledger, .. }) = &self.machine.process else {
            if is_sound {
                broken!("nothing is wrong any more, and the node is down");
            }
            return Ok(());
        };
        self.counts.entries = ledger.size();
        // An auditor who begins at the end must see what the one has seen who has watched.
        let mut newcomer = Auditor::new(self.keys.clone());
        self.counts.audited += newcomer.read_on(ledger, &mut self.truth, || may_fail)?;
        self.counts.audited += self.auditor.read_on(ledger, &mut self.truth, || may_fail)?;
        let judged = match judge(ledger, &self.truth) {
            Ok(judged) => judged,
            // What was destroyed cannot be read.
            Err(_) if !is_sound && newcomer.replay().size() < ledger.size() => return Ok(()),
            Err(broken) => return Err(broken),
        };
        for registrar in &self.registrars {
            judge_wants(&judged, registrar, &self.replayed, &self.truth)?;
        }
        self.judge_state(&newcomer)
    }

    /// What the node holds is what follows from its log, also after a start.
    fn judge_state(&mut self, auditor: &Auditor) -> Result<(), Broken> {
        let is_sound = self.health == Health::Sound;
        for is_restarted in [false, true] {
            let Some(Process { ledger, .. }) = &self.machine.process else { return Ok(()) };
            let state = auditor.replay().state();
            for (unit, head) in state.chains() {
                if head.next_height == 0 {
                    continue;
                }
                match ledger.chain_head(*unit) {
                    Ok((next_height, _)) if next_height == head.next_height => {}
                    Err(_) if !is_sound => {}
                    other => broken!("the chain of {unit}: {other:?}, and the auditor has {head:?}"),
                }
            }
            for known in &self.truth.known {
                let read = match ledger.record(known.place) {
                    Ok(read) => read,
                    Err(_) if !is_sound => continue,
                    Err(error) => broken!("the record at {} cannot be read: {error}", known.place),
                };
                let id = creditbank_protocol::Digest::from_slice(&known.reference.status_id);
                if id.is_none_or(|id| read.marks != state.marks_of(&id)) {
                    broken!("the record at {} has other marks than the auditor finds", known.place);
                }
                let signed = self.truth.log.get(&known.place.entry.0).and_then(|leaf| self.truth.signed.get(leaf));
                let position = usize::try_from(known.place.index).unwrap_or(usize::MAX);
                let body = signed
                    .and_then(|signed| signed.records.get(position))
                    .map(creditbank_protocol::record::Record::body);
                if body != Some(&read.disclosed.body[..]) {
                    broken!("the record at {} is not the one that was signed", known.place);
                }
            }
            if is_restarted {
                return Ok(());
            }
            if self.chance.often(250) {
                self.check("as a power cut would leave it", true)?;
            }
            match self.machine.stop() {
                Err(error) if is_sound => broken!("the node does not stop cleanly at the end: {error}"),
                _ => {}
            }
            self.check("stopped", false)?;
            self.machine.crash(Crash::PowerCut);
            if let Err(error) = self.machine.start() {
                if is_sound {
                    broken!("the node does not start again at the end: {error}");
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// The operator's check over the directory finds nothing where nothing was destroyed. It reads with several
    /// threads, whose
    /// order no seed decides: so it gets a disk of its own, on which no fault can happen.
    fn check(&mut self, when: &str, is_cut: bool) -> Result<(), Broken> {
        let machine = &self.machine;
        let disk = machine.disk.copy(self.chance.seed());
        if is_cut {
            disk.restart(Crash::PowerCut);
        }
        let environment = Environment { disk: disk.shared(), ..machine.environment.clone() };
        let report = check::check(&environment, &machine.dir, &machine.config, &mut |_, _| ());
        if self.health != Health::Sound {
            return Ok(());
        }
        match report {
            Ok(report) if report.findings.count() == 0 => self.counts.checks += 1,
            Ok(report) => {
                let found: Vec<String> = report.findings.listed().iter().map(ToString::to_string).collect();
                broken!("the check of the directory, {when}: {}", found.join("; "));
            }
            Err(error) => broken!("the directory, {when}, cannot be checked: {error}"),
        }
        Ok(())
    }
}

//! Scrubbing: reads the log and the keys in the background, so that damage is found before somebody needs the damaged
//! data.
//!
//! Once a day it reads the learners' keys, the secrets and the key files that a start would need.
//!
//! A pass reads the whole journal within the configured days, and compares the flat files and some rows of the index
//! with it. It reads little at a time: as much as the pass needs to be where it should be by now. So it does not have
//! to remember its speed, and continues after a restart.

mod progress;

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use creditbank_protocol::LogIndex;
use creditbank_store::{ScrubPosition, StoreError};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use crate::directory::Scrub;
use crate::directory::key_files::{self, Against};
use crate::environment::Environment;
use crate::ledger::Shared;
use crate::unreadable::is_damage;
use progress::{Progress, is_ahead};

/// In a log's directory: the progress of a pass. If it is missing or damaged, a pass begins anew.
pub const SCRUB_FILE: &str = "scrub";

/// How often the thread checks whether something is due.
const WAKE: Duration = Duration::from_secs(1);
/// Bytes of one step: about a millisecond of disk time.
const STEP_LEN: u64 = 1 << 20;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;

/// How a log is scrubbed.
#[derive(Clone)]
pub struct ScrubOptions {
    /// How often, and when.
    pub settings: Scrub,
    /// Where the files are.
    pub environment: Environment,
    /// The node's directory.
    pub dir: PathBuf,
    /// The file with the progress of a pass.
    pub path: PathBuf,
}

/// The metrics of scrubbing.
#[derive(Debug, Clone, Default)]
struct Measures {
    pass_bytes: Gauge,
    unread_bytes: Gauge,
    log_bytes: Gauge,
    finished_seconds: Gauge,
    findings: Counter,
}

/// Reads the log step by step.
pub struct Scrubber {
    shared: Weak<Shared>,
    options: ScrubOptions,
    progress: Progress,
    /// When the keys were last read, in milliseconds since 1970; `None`: not since the start.
    keys_read_ms: Option<u64>,
    /// Where an earlier process has found damage, to be read again.
    again: Option<ScrubPosition>,
    measures: Measures,
}

fn gauge(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

/// Whether scrubbing works at this hour of the day.
fn is_within(settings: &Scrub, now_ms: u64) -> bool {
    let hour = now_ms / HOUR_MS % 24;
    let (from, until) = (u64::from(settings.from_hour), u64::from(settings.until_hour));
    if from <= until { (from..until).contains(&hour) } else { hour >= from || hour < until }
}

impl Scrubber {
    pub(crate) fn new(shared: &Arc<Shared>) -> Option<Self> {
        let options = shared.scrub.clone().filter(|options| options.settings.days > 0)?;
        let measures = Measures::default();
        shared.metrics.register(|registry| {
            let help = "Bytes of the journal that the present pass has read and checked";
            registry.register("scrub_pass_bytes", help, measures.pass_bytes.clone());
            let help = "Of these, bytes that could not be read because of damage";
            registry.register("scrub_unread_bytes", help, measures.unread_bytes.clone());
            let help = "Bytes of the journal that a pass reads";
            registry.register("scrub_log_bytes", help, measures.log_bytes.clone());
            let help = "When the last whole pass ended, seconds since 1970; 0 before the first";
            registry.register("scrub_finished_timestamp_seconds", help, measures.finished_seconds.clone());
            let help = "Findings of all passes since the start";
            registry.register("scrub_findings", help, measures.findings.clone());
        });
        let progress = Progress::read(&*options.environment.disk, &options.path).unwrap_or_default();
        let again = progress.fault;
        let scrubber = Self { shared: Arc::downgrade(shared), options, progress, keys_read_ms: None, again, measures };
        scrubber.measure();
        Some(scrubber)
    }

    fn measure(&self) {
        gauge(&self.measures.pass_bytes, self.progress.done);
        gauge(&self.measures.unread_bytes, self.progress.unread);
        gauge(&self.measures.finished_seconds, self.progress.finished_ms / 1_000);
    }

    /// Does one step if one is due at `now_ms`, the wall clock's milliseconds since 1970. Returns `false` if nothing is
    /// due. An error means that something could not be read this time; the next step tries again.
    pub fn step(&mut self, now_ms: u64) -> Result<bool, StoreError> {
        let Some(shared) = self.shared.upgrade() else { return Ok(false) };
        let total = shared.store.scrub_len()?;
        gauge(&self.measures.log_bytes, total);
        let period_ms = u64::from(self.options.settings.days) * DAY_MS;
        self.progress.begin(now_ms, period_ms);
        if let Some(position) = self.again {
            let scrubbed = shared.store.scrub(position, STEP_LEN)?;
            self.again = None;
            scrubbed.faults.iter().for_each(|fault| self.found(&shared, fault));
            if scrubbed.faults.is_empty() {
                // It was repaired.
                self.progress.fault = None;
            }
            return Ok(true);
        }
        if !is_within(&self.options.settings, now_ms) {
            return Ok(false);
        }
        let is_due = |read_ms| now_ms >= read_ms + DAY_MS || is_ahead(read_ms, now_ms);
        if self.keys_read_ms.is_none_or(is_due) {
            self.keys_read_ms = Some(now_ms);
            self.read_keys(&shared, now_ms);
        }
        if !self.progress.is_due(now_ms, period_ms, total) {
            return Ok(false);
        }
        let Some(position) = self.progress.position else { return Ok(false) };
        let scrubbed = shared.store.scrub(position, STEP_LEN)?;
        for fault in &scrubbed.faults {
            self.found(&shared, fault);
            self.progress.fault.get_or_insert(position);
        }
        self.progress.unread = self.progress.unread.saturating_add(scrubbed.unread);
        self.progress.findings = self.progress.findings.saturating_add(scrubbed.faults.len() as u64);
        self.progress.done = self.progress.done.saturating_add(scrubbed.bytes);
        self.progress.position = scrubbed.next;
        if scrubbed.next.is_none() {
            self.progress.finished_ms = now_ms;
            let Progress { done: bytes, unread, findings, .. } = self.progress;
            if unread > 0 {
                tracing::error!(
                    bytes,
                    unread,
                    findings,
                    "the log was read and checked, except for parts after damage: restore a backup"
                );
            } else if findings > 0 {
                tracing::error!(bytes, findings, "the whole log was read and checked, and damage was found");
            } else {
                tracing::info!(bytes, "the whole log was read and checked");
            }
        }
        self.measure();
        if let Err(error) = self.progress.write(&*self.options.environment.disk, &self.options.path) {
            tracing::debug!(%error, "the progress of scrubbing could not be written: after a restart it begins anew");
        }
        Ok(true)
    }
}

impl Scrubber {
    fn found(&self, shared: &Shared, fault: &str) {
        self.measures.findings.inc();
        shared.health.damage(fault);
    }

    /// Reads the learners' keys, the secrets and the key files, as the next start would.
    fn read_keys(&self, shared: &Shared, now_ms: u64) {
        match shared.keys.fault() {
            Ok(fault) => fault.iter().for_each(|fault| self.found(shared, &fault.to_string())),
            Err(error) if is_damage(&error) => self.found(shared, &error.to_string()),
            Err(error) => tracing::warn!(%error, "the learners' keys could not be read in the background"),
        }
        let state = shared.state();
        if state.log.last_seal().is_none() {
            return;
        }
        let registry = &state.log.in_force().registry;
        let begun = state.log.keys();
        let signs = registry.log_keys().map_or(begun.log_key, |keys| keys.at(LogIndex(state.head.size)));
        let against = Against { registry, first: &begun.log_key, signs, minute: now_ms / 60_000 };
        let ScrubOptions { environment, dir, .. } = &self.options;
        for fault in key_files::faults(environment, dir, Some(&against)) {
            self.found(shared, &fault);
        }
    }
}

/// The thread that scrubs while a node serves. It ends when this is dropped.
pub(crate) struct ScrubThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ScrubThread {
    pub(crate) fn start(shared: &Arc<Shared>) -> Option<Self> {
        let mut scrubber = Scrubber::new(shared)?;
        let clock = Arc::clone(&shared.clock);
        let (stop, stopped) = channel();
        let run = move || {
            while stopped.recv_timeout(WAKE) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = scrubber.step(clock.now_ms()) {
                    tracing::warn!(%error, "the log could not be read in the background");
                }
            }
        };
        let thread = std::thread::Builder::new().name("scrub".to_owned()).spawn(run);
        let thread = thread.expect("the system can start a thread at start-up");
        Some(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for ScrubThread {
    /// Waits for the present step: nothing may hold the log once its ledger is gone.
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that reads the log in the background has panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: the hours are those of the settings, across midnight too.
    #[test]
    fn hours_are_kept() {
        let within = |from_hour, until_hour, hour: u64| {
            is_within(&Scrub { days: 7, from_hour, until_hour }, 3 * DAY_MS + hour * HOUR_MS + 1)
        };
        assert!((0..24).all(|hour| within(0, 24, hour)));
        assert!((0..24).all(|hour| within(2, 5, hour) == (2..5).contains(&hour)));
        assert!((0..24).all(|hour| within(22, 3, hour) != (3..22).contains(&hour)));
    }
}

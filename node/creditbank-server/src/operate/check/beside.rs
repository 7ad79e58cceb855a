//! Compares the files beside the journal with what the journal says about them: guard, learners' keys, secrets and key
//! files.

use std::path::Path;

use creditbank_ledger::replay::Replay;
use creditbank_protocol::LogIndex;

use super::Finding;
use super::run::Run;
use crate::directory::key_files::{self, Against};
use crate::environment::Environment;
use creditbank_protocol::counted;

impl Run<'_> {
    pub(super) fn guard(&mut self, log_dir: &Path) {
        let path = log_dir.join("guard").display().to_string();
        match self.inspection.guard {
            // Damage at the end of the journal is reported already.
            Some((sequence, _)) if self.end.is_some_and(|end| sequence > end) => {
                let end = self.end.unwrap_or_default();
                let what = format!("round {sequence} was acknowledged, the journal ends with round {end}");
                self.report.findings.add(Finding::of(&path, what));
            }
            None if self.last > 1 => {
                let what =
                    format!("it is missing or empty, but the journal has {}", counted(self.last, "round", "rounds"));
                self.report.findings.add(Finding::of(&path, what));
            }
            _ => {}
        }
        if !self.inspection.has_flat_files() && self.last > 0 {
            let what = "not there; reindex rebuilds it".to_owned();
            self.report.findings.add(Finding::of(&log_dir.join("flat").display().to_string(), what));
        }
    }

    pub(super) fn key_store(&mut self, path: &Path, records: u64, faults: &[(u64, u64)]) {
        let needed = self.key_count;
        let path = path.display().to_string();
        for (number, offset) in faults.iter().rev() {
            if *number < needed {
                let what = format!("record {number} cannot be read, and the log needs the first {needed}");
                self.report.findings.add_first(Finding { offset: Some(*offset), ..Finding::of(&path, what) });
            } else {
                self.report.notes.push(format!("{path} at {offset}: a torn key that was never used"));
            }
        }
        if records < needed {
            let what = format!("{}, the log needs {needed}", counted(records, "key", "keys"));
            self.report.findings.add_first(Finding::of(&path, what));
        }
    }

    pub(super) fn erased(&mut self, path: &Path, found: u64) {
        let needed = self.erased_count;
        if found < needed {
            let what = format!(
                "{}, the log was written with {needed}: it is an older file",
                counted(found, "erased learner", "erased learners")
            );
            self.report.findings.add(Finding::of(&path.display().to_string(), what));
        }
    }

    /// The secrets and the key files that a start needs.
    pub(super) fn key_files(&mut self, environment: &Environment, dir: &Path) {
        let minute = environment.clock.now_ms() / 60_000;
        let against =
            self.replay.as_ref().map(Replay::state).filter(|state| state.last_seal().is_some()).map(|state| {
                let registry = &state.in_force().registry;
                let first = &state.keys().log_key;
                let signs = registry.log_keys().map_or(*first, |keys| keys.at(LogIndex(self.head.size)));
                Against { registry, first, signs, minute }
            });
        let is_whole = against.is_some();
        for fault in key_files::faults(environment, dir, against.as_ref()) {
            self.report.findings.add(Finding::about(fault));
        }
        if !is_whole && self.last > 0 {
            self.report
                .notes
                .push("the key files were not compared with the registry, which could not be read".to_owned());
        }
    }
}

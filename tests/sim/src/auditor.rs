//! The auditor: replays the log from its first entry with nothing but its keys, and compares every seal and checkpoint.

use creditbank_ledger::replay::{Prepared, Replay};
use creditbank_ledger::state::LogKeys;
use creditbank_protocol::merkle::leaf_hash;
use creditbank_server::ledger::Ledger;

use crate::truth::{Broken, Truth, broken};

/// A replay that goes on as the log grows.
pub(crate) struct Auditor {
    replay: Replay,
}

impl Auditor {
    pub(crate) fn new(keys: LogKeys) -> Self {
        Self { replay: Replay::new(keys) }
    }

    pub(crate) fn replay(&self) -> &Replay {
        &self.replay
    }

    /// Reads on to the end of the log. A read may fail, where `may_fail` says so then; what is read must be right.
    pub(crate) fn read_on(
        &mut self,
        ledger: &Ledger,
        truth: &mut Truth,
        may_fail: impl Fn() -> bool,
    ) -> Result<u64, Broken> {
        let size = ledger.size();
        if size < self.replay.size() {
            broken!("the log has {size} entries, and the auditor has seen {}", self.replay.size());
        }
        let (before, mut checks) = (self.replay.size(), Vec::new());
        for index in before..size {
            let entry = match ledger.entry(index) {
                Ok(entry) => entry,
                Err(_) if may_fail() => break,
                Err(error) => broken!("log entry {index} cannot be read: {error}"),
            };
            truth.shown(index, leaf_hash(&entry))?;
            if let Err(contradiction) = self.replay.apply(Prepared::new(&entry), &mut checks) {
                broken!("the auditor: {contradiction}");
            }
            if self.replay.is_sealed() {
                truth.checkpoint(self.replay.size(), self.replay.root())?;
            }
        }
        for check in checks {
            if let Err(contradiction) = check.verify() {
                broken!("the auditor: {contradiction}");
            }
        }
        Ok(self.replay.size() - before)
    }
}

//! Corrections of the time, as far as they stand in the registry: from when on the log goes on.

use creditbank_protocol::LogIndex;
use creditbank_protocol::correction::Correction;

use super::Registry;
use super::admit::require;
use crate::{Rejection, Rule};

/// An interval ends behind its beginning, and begins behind the one before. That it ends with the log, and is bounded
/// by the seal before it, whoever has the log checks.
pub(super) fn check(registry: &Registry, entry: &Correction) -> Result<(), Rejection> {
    let found = format!("{} to {}", entry.first, entry.last);
    require(
        entry.first <= entry.last,
        Rule::Contradiction,
        "last",
        "the log index of a seal from the first on",
        &found,
    )?;
    let end = registry.corrections().map(Correction::end).max();
    let free = end.is_none_or(|end| entry.first > end);
    require(free, Rule::Contradiction, "first", "a seal that no correction holds yet", found)
}

impl Registry {
    /// The corrections of the time, by the log index of the first wrong seal.
    pub fn corrections(&self) -> impl Iterator<Item = &Correction> {
        self.corrections.values().map(AsRef::as_ref)
    }

    /// As which minute the creation of the block at a log index counts, where another one follows on it.
    pub fn counted_minute(&self, entry: LogIndex, created_at_minute: u64) -> u64 {
        let later = self.corrections().filter(|one| entry <= one.end());
        later.map(Correction::bound_minute).fold(created_at_minute, u64::min)
    }

    /// The bound from which on seals go on behind the one at a log index, where that ends an interval.
    pub fn resumes_at(&self, seal: LogIndex) -> Option<u64> {
        self.corrections().find(|one| one.end() == seal).map(|one| one.bound_ms)
    }
}

//! Corrections of the time, as far as they stand in the registry: from when on the log goes on, and which consents are
//! left.

use creditbank_protocol::LogIndex;
use creditbank_protocol::correction::Correction;
use creditbank_protocol::dates::show_minute;
use creditbank_protocol::once::VALID_MINUTES_MAX;

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

    /// In a round that is sealed at a minute, a consent counts only where it lasts longer than this. Uses may have been
    /// forgotten under a wrong clock; what lasts so long was signed behind the bound, and cannot have been used before.
    pub fn consents_until_after(&self, sealed_at_minute: u64) -> Option<u64> {
        let last = |one: &Correction| one.bound_minute().saturating_add(VALID_MINUTES_MAX);
        self.corrections().map(last).filter(|last| sealed_at_minute <= *last).max()
    }

    /// Whether a consent until a minute counts for a block that was created at one minute and is sealed at another;
    /// else what is expected of it.
    pub(crate) fn consent_lasts(&self, until: u64, created: u64, sealed: u64) -> Result<(), String> {
        let last = created.saturating_add(VALID_MINUTES_MAX);
        let after = self.consents_until_after(sealed).filter(|after| *after >= sealed);
        let first = after.map_or(sealed, |after| after.saturating_add(1));
        if creditbank_protocol::once::is_in_time(until, created, sealed) && until >= first {
            return Ok(());
        }
        let why = if after.is_some() { " (the time was corrected: shorter ones could be used twice)" } else { "" };
        let [first, last] = [first, last].map(show_minute);
        Err(format!("a last minute from {first} to {last}{why}; ask for another one"))
    }
}

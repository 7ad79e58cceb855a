//! The time of the next seal, and why the clock is not believed. Times in a log never go back, so a wrong one is refused
//! before it is sealed.

use creditbank_ledger::state::LogState;
use creditbank_protocol::dates::{show_duration_ms, show_minute};

use crate::clock::Clock;

/// The wall clock may move so far against running time before sealing stops.
const JUMP_MS_MAX: u64 = 5 * 60 * 1_000;

/// The wall clock may be so far behind the last seal. Until it has caught up, seals bear the time of the last one.
pub(crate) const BEHIND_MS_MAX: u64 = 60 * 1_000;

/// So long after the last seal a start may seal first without being told the time: a day of idleness, as a node that
/// serves seals every hour, and the two hours by which a clock in local time may be off.
pub(crate) const AHEAD_MS_MAX: u64 = 26 * 60 * 60 * 1_000;

/// Why nothing is sealed under this clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockDoubt {
    /// It has jumped while the node ran.
    #[error(
        "the node's clock has moved by {} ({}) against its own running time; sealing waits for the operator, who sets the \
         clock and starts the node anew (docs/operate/clock.md; `creditbank registry correct-time` where it has sealed \
         under a wrong one)",
        show_duration_ms(.by_ms.unsigned_abs()), if *.by_ms < 0 { "back" } else { "ahead" }
    )]
    Moved {
        /// By how much; negative: back.
        by_ms: i64,
    },
    /// It is before the last seal.
    #[error(
        "the node's clock is {} before the last seal; sealing waits until it has caught up, or for the operator, who \
         sets the clock; where it is right, the log was sealed under a wrong one (docs/operate/clock.md, \
         `serve --correct-time` and `creditbank registry correct-time`)",
        show_duration_ms(*.by_ms)
    )]
    Behind {
        /// By how much.
        by_ms: u64,
    },
    /// It is far beyond the last seal, and nobody has confirmed the time since the start.
    #[error(
        "the node's clock says {}, the last seal {}: more than 26 hours lie between them, and nobody has confirmed the time. \
         Sealing waits for the operator, who looks at a clock that he trusts and starts anew with the time that it shows, as \
         --confirm-time 2026-11-26T09:30Z (docs/operate/clock.md)",
        show_minute(*.clock_minute), show_minute(*.sealed_minute)
    )]
    Ahead {
        /// The last seal's minute since 1970.
        sealed_minute: u64,
        /// The clock's.
        clock_minute: u64,
    },
}

/// Refuses a time that is far beyond the last seal's; both in milliseconds since 1970.
pub(crate) fn check_ahead(sealed_ms: u64, now_ms: u64) -> Result<(), ClockDoubt> {
    if now_ms <= sealed_ms.saturating_add(AHEAD_MS_MAX) {
        return Ok(());
    }
    Err(ClockDoubt::Ahead { sealed_minute: sealed_ms / 60_000, clock_minute: now_ms / 60_000 })
}

/// Says at what time the next round is sealed.
pub(crate) struct SealTime {
    /// Wall clock and running time at the last seal of this process, or at its start.
    seen: (u64, u64),
    /// Whether the operator has confirmed the time, or this process has sealed by its clock.
    is_believed: bool,
}

impl SealTime {
    /// At a start.
    pub(crate) fn new(clock: &dyn Clock, is_confirmed: bool) -> Self {
        Self { seen: (clock.now_ms(), clock.monotonic_ms()), is_believed: is_confirmed }
    }

    /// The time of the next seal, milliseconds since 1970: never before the last one.
    pub(crate) fn next_ms(&self, clock: &dyn Clock, log: &LogState) -> Result<u64, ClockDoubt> {
        let (wall, running) = (clock.now_ms(), clock.monotonic_ms());
        let (seen_wall, seen_running) = self.seen;
        let expected = seen_wall + running.saturating_sub(seen_running);
        if wall.abs_diff(expected) > JUMP_MS_MAX {
            let by_ms = i64::try_from(wall).unwrap_or(i64::MAX) - i64::try_from(expected).unwrap_or(i64::MAX);
            return Err(ClockDoubt::Moved { by_ms });
        }
        let earliest = log.earliest_ms();
        if let Some(by_ms) = earliest.checked_sub(wall).filter(|by_ms| *by_ms > BEHIND_MS_MAX) {
            return Err(ClockDoubt::Behind { by_ms });
        }
        if log.last_seal().is_some() && !self.is_believed {
            check_ahead(earliest, wall)?;
        }
        Ok(wall.max(earliest))
    }

    /// A round was sealed, and this is the log behind it.
    pub(crate) fn sealed(&mut self, clock: &dyn Clock, log: &LogState) {
        self.seen = (clock.now_ms(), clock.monotonic_ms());
        // The round that corrects the time is sealed without the clock: it says nothing for it.
        self.is_believed |= log.last_seal().is_some_and(|seal| seal.time_ms == log.earliest_ms());
    }
}

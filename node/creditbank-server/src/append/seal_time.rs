//! The time of the next seal, and why the node does not believe its clock. Times in a log never go back, so a wrong
//! time is refused before it is sealed.

use creditbank_ledger::state::LogState;
use creditbank_protocol::dates::{show_duration_ms, show_minute};

use crate::clock::Clock;

/// If the wall clock moves by more than this against running time, sealing stops.
const JUMP_MS_MAX: u64 = 5 * 60 * 1_000;

/// The wall clock may be this far behind the last seal. Until it has caught up, seals bear the time of the last one.
pub(crate) const BEHIND_MS_MAX: u64 = 60 * 1_000;

/// A caller is asked to come back if the clock catches up within this time. In any other doubt the operator has to act,
/// or would rather act than wait.
const CATCHES_UP_MS_MAX: u64 = 60 * 1_000;

/// After a start, the first seal may be this long after the last one without confirmation of the time. This is a day in
/// which the node was off (a serving node seals every hour), and two hours by which a clock set to local time may be
/// wrong.
pub(crate) const AHEAD_MS_MAX: u64 = 26 * 60 * 60 * 1_000;

/// Why the node seals nothing under this clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockDoubt {
    /// The clock jumped while the node ran.
    #[error(
        "the node's clock has moved by {} ({}) against its own running time; sealing waits until the operator has set \
         the clock and started the node again (docs/operate/clock.md; `creditbank registry correct-time` if the node \
         has sealed under a wrong clock)",
        show_duration_ms(.by_ms.unsigned_abs()), if *.by_ms < 0 { "back" } else { "ahead" }
    )]
    Moved {
        /// By how much; negative: backwards.
        by_ms: i64,
    },
    /// The clock is before the last seal.
    #[error(
        "the node's clock is {} before the last seal; sealing waits until the clock has caught up, or until the \
         operator has set it; if the clock is right, the log was sealed under a wrong one (docs/operate/clock.md, \
         `serve --correct-time` and `creditbank registry correct-time`)",
        show_duration_ms(*.by_ms)
    )]
    Behind {
        /// By how much.
        by_ms: u64,
    },
    /// The clock is far after the last seal, and nobody has confirmed the time since the start.
    #[error(
        "the node's clock says {}, the last seal {}: more than 26 hours lie between them, and nobody has confirmed \
         the time. Sealing waits until the operator starts the node again with the time of a trusted clock, as \
         --confirm-time 2026-11-26T09:30Z (docs/operate/clock.md)",
        show_minute(*.clock_minute), show_minute(*.sealed_minute)
    )]
    Ahead {
        /// The last seal's minute since 1970.
        sealed_minute: u64,
        /// The clock's minute since 1970.
        clock_minute: u64,
    },
}

impl ClockDoubt {
    /// In how many milliseconds the node seals again by itself; 0 where it does not, or takes long.
    pub(crate) fn retry_after_ms(self) -> u64 {
        match self {
            Self::Behind { by_ms } => match by_ms.saturating_sub(BEHIND_MS_MAX) {
                wait_ms if wait_ms <= CATCHES_UP_MS_MAX => wait_ms,
                _ => 0,
            },
            Self::Moved { .. } | Self::Ahead { .. } => 0,
        }
    }
}

/// Refuses a time that is too far after the last seal's; both in milliseconds since 1970.
pub(crate) fn check_ahead(sealed_ms: u64, now_ms: u64) -> Result<(), ClockDoubt> {
    if now_ms <= sealed_ms.saturating_add(AHEAD_MS_MAX) {
        return Ok(());
    }
    Err(ClockDoubt::Ahead { sealed_minute: sealed_ms / 60_000, clock_minute: now_ms / 60_000 })
}

/// Refuses a time that is too far before the last seal's; both in milliseconds since 1970.
pub(crate) fn check_behind(sealed_ms: u64, now_ms: u64) -> Result<(), ClockDoubt> {
    match sealed_ms.checked_sub(now_ms).filter(|by_ms| *by_ms > BEHIND_MS_MAX) {
        Some(by_ms) => Err(ClockDoubt::Behind { by_ms }),
        None => Ok(()),
    }
}

/// Decides at which time the next round is sealed.
pub(crate) struct SealTime {
    /// Wall clock and running time at the last seal of this process, or at its start.
    seen: (u64, u64),
    /// Whether the operator has confirmed the time, or this process has sealed by its clock.
    is_believed: bool,
}

impl SealTime {
    /// The state at a start.
    pub(crate) fn new(clock: &dyn Clock, is_confirmed: bool) -> Self {
        Self { seen: (clock.now_ms(), clock.monotonic_ms()), is_believed: is_confirmed }
    }

    /// The time of the next seal, in milliseconds since 1970: never before the last one.
    pub(crate) fn next_ms(&self, clock: &dyn Clock, log: &LogState) -> Result<u64, ClockDoubt> {
        let (wall, running) = (clock.now_ms(), clock.monotonic_ms());
        let (seen_wall, seen_running) = self.seen;
        let expected = seen_wall + running.saturating_sub(seen_running);
        if wall.abs_diff(expected) > JUMP_MS_MAX {
            let by_ms = i64::try_from(wall).unwrap_or(i64::MAX) - i64::try_from(expected).unwrap_or(i64::MAX);
            return Err(ClockDoubt::Moved { by_ms });
        }
        let earliest = log.earliest_ms();
        check_behind(earliest, wall)?;
        if log.last_seal().is_some() && !self.is_believed {
            check_ahead(earliest, wall)?;
        }
        Ok(wall.max(earliest))
    }

    /// A round was sealed; `log` is the log after it.
    pub(crate) fn sealed(&mut self, clock: &dyn Clock, log: &LogState) {
        self.seen = (clock.now_ms(), clock.monotonic_ms());
        // The round that corrects the time is sealed without the clock, so it does not confirm the clock.
        self.is_believed |= log.last_seal().is_some_and(|seal| seal.time_ms == log.earliest_ms());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a caller is asked to come back just when the clock will be close enough, and never for a long wait, nor
    /// where the operator has to act.
    #[test]
    fn a_short_wait_for_the_clock_is_told() {
        for (behind_ms, retry_after_ms) in [(60_001, 1), (66_000, 6_000), (120_000, 60_000), (120_001, 0)] {
            let doubt = check_behind(1_000_000, 1_000_000 - behind_ms).expect_err("it is too far behind");
            assert_eq!(doubt.retry_after_ms(), retry_after_ms, "{behind_ms}");
            assert_eq!(check_behind(1_000_000, 1_000_000 - behind_ms + retry_after_ms).is_ok(), retry_after_ms > 0);
        }
        assert_eq!(ClockDoubt::Moved { by_ms: -1 }.retry_after_ms(), 0);
        assert_eq!(ClockDoubt::Ahead { sealed_minute: 0, clock_minute: 1 }.retry_after_ms(), 0);
    }
}

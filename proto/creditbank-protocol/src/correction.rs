//! Corrections of the time (PROTOCOL.md, section 10, "Time correction"): the seals of an interval were made under a
//! clock that was ahead, and the log goes on from a bound.
//!
//! Seals keep the time that they say: it is later than the true one, so that whatever is suspect by the true time is
//! suspect by theirs. If they counted as sealed at the bound, whoever has the registry key could take the suspicion
//! from what a stolen key has sealed.

use crate::LogIndex;
use crate::pb;

/// Entries of the round that corrects the time: the head of its one block, its public part, and the seal.
const ROUND_ENTRIES: u64 = 3;

/// A correction, as the registry has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// Log index of the first wrong seal.
    pub first: LogIndex,
    /// Log index of the last wrong seal, directly behind which the correcting round stands.
    pub last: LogIndex,
    /// What was sealed in the interval was sealed at this time or before, milliseconds since 1970. The next seal is not
    /// before it.
    pub bound_ms: u64,
}

impl From<pb::TimeCorrection> for Correction {
    fn from(said: pb::TimeCorrection) -> Self {
        let pb::TimeCorrection { first, last, bound_ms } = said;
        Self { first: LogIndex(first), last: LogIndex(last), bound_ms }
    }
}

impl Correction {
    /// Log index of the seal of the correcting round: the last one of the interval.
    pub fn end(&self) -> LogIndex {
        LogIndex(self.last.0.saturating_add(ROUND_ENTRIES))
    }

    /// Whether the interval holds the seal at a log index.
    pub fn holds(&self, seal: LogIndex) -> bool {
        (self.first..=self.end()).contains(&seal)
    }

    /// Minute of the bound, since 1970.
    pub fn bound_minute(&self) -> u64 {
        self.bound_ms / 60_000
    }
}

/// By when a seal was made: at the time that it says, or, where a correction holds it, at its bound or before.
pub fn sealed_by_ms<'a>(corrections: impl IntoIterator<Item = &'a Correction>, seal: LogIndex, time_ms: u64) -> u64 {
    let bounds = corrections.into_iter().filter(|one| one.holds(seal)).map(|one| one.bound_ms);
    bounds.fold(time_ms, u64::min)
}

/// Whether a seal may have an earlier time than one before it: that one is in an interval, this one is behind it and
/// not before the bound.
pub fn may_go_back<'a>(
    corrections: impl IntoIterator<Item = &'a Correction>,
    before: LogIndex,
    (seal, time_ms): (LogIndex, u64),
) -> bool {
    corrections.into_iter().any(|one| one.holds(before) && seal > one.end() && time_ms >= one.bound_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: an interval reaches from its first wrong seal to the seal of the correcting round, and no further; only
    /// from within it to behind it a time goes back, and not below the bound.
    #[test]
    fn an_interval_ends_with_its_own_seal() {
        let one = Correction { first: LogIndex(10), last: LogIndex(12), bound_ms: 500 };
        assert_eq!([9, 10, 12, 15, 16].map(|index| one.holds(LogIndex(index))), [false, true, true, true, false]);
        let back = |before: u64, seal: u64, time_ms| may_go_back(&[one], LogIndex(before), (LogIndex(seal), time_ms));
        assert!(back(10, 16, 500) && back(15, 16, 501) && back(15, 900, 500));
        assert!(!back(9, 16, 500), "before the interval");
        assert!(!back(16, 18, 500), "behind it");
        assert!(!back(10, 15, 500), "within it");
        assert!(!back(15, 16, 499), "below the bound");
    }
}

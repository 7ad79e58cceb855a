//! How old is what a transcript says (PROTOCOL.md, section 13, "Age").

use crate::trust::Freshness;

/// A time may be so far ahead of the verifier's: clocks differ a little.
pub const AHEAD_MAX_MS: u64 = 5 * 60_000;

/// How old the status is, as of a verifier's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    /// The time as of which it holds, milliseconds since 1970.
    pub as_of_ms: u64,
    /// How long ago that was; 0 where it is ahead.
    pub age_ms: u64,
    /// Whether witnesses vouch for the time. If not, it is the operator's word.
    pub by_witnesses: bool,
    /// What the verifier makes of it.
    pub state: Current,
}

/// What a verifier makes of an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Current {
    /// Young enough.
    Current,
    /// Older than that, and not yet stale: shown, and no reason not to rely on it.
    NotCurrent,
    /// Too old to rely on, or of an origin that the log has no longer.
    Stale,
    /// Of a time that has not come yet by the verifier's clock: one of the clocks is wrong.
    Clock,
}

impl Current {
    /// Its name, for people and programs alike.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::NotCurrent => "not current",
            Self::Stale => "stale",
            Self::Clock => "clock",
        }
    }
}

impl std::fmt::Display for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Currency {
    /// The age of a status under a seal of one time, whose checkpoint a quorum had cosigned at another: the earlier
    /// counts. Of a former origin it is stale whatever the times say: whoever has stolen the log key can still seal
    /// there.
    pub(super) fn of(
        sealed_at_ms: u64,
        cosigned_s: Option<u64>,
        now_ms: u64,
        freshness: &Freshness,
        is_former: bool,
    ) -> Self {
        let cosigned_ms = cosigned_s.map(|seconds| seconds.saturating_mul(1_000));
        let as_of_ms = cosigned_ms.map_or(sealed_at_ms, |cosigned| cosigned.min(sealed_at_ms));
        let newest_ms = cosigned_ms.map_or(sealed_at_ms, |cosigned| cosigned.max(sealed_at_ms));
        let age_ms = now_ms.saturating_sub(as_of_ms);
        let state = if newest_ms > now_ms.saturating_add(AHEAD_MAX_MS) {
            Current::Clock
        } else if is_former || age_ms > freshness.stale_after_ms {
            Current::Stale
        } else if age_ms > freshness.current_within_ms {
            Current::NotCurrent
        } else {
            Current::Current
        };
        Self { as_of_ms, age_ms, by_witnesses: cosigned_s.is_some(), state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    const SEALED: u64 = 1_000 * HOUR;

    fn state(cosigned_s: Option<u64>, now_ms: u64) -> Current {
        Currency::of(SEALED, cosigned_s, now_ms, &Freshness::default(), false).state
    }

    /// Goal: the bounds of the age are where they are said to be, to the millisecond.
    #[test]
    fn ages_have_exact_bounds() {
        let ages = [(0, Current::Current), (24 * HOUR, Current::Current), (24 * HOUR + 1, Current::NotCurrent)];
        let more = [(720 * HOUR, Current::NotCurrent), (720 * HOUR + 1, Current::Stale)];
        for (age, expected) in ages.into_iter().chain(more) {
            assert_eq!(state(None, SEALED + age), expected, "{age}");
        }
        assert_eq!(state(None, SEALED - AHEAD_MAX_MS), Current::Current, "five minutes ahead");
        assert_eq!(state(None, SEALED - AHEAD_MAX_MS - 1), Current::Clock);
    }

    /// Goal: what is said under a former origin is stale from the first day on.
    #[test]
    fn a_former_origin_is_never_current() {
        let of = |now_ms| Currency::of(SEALED, None, now_ms, &Freshness::default(), true).state;
        assert_eq!([SEALED, SEALED + 100 * HOUR].map(of), [Current::Stale; 2]);
        assert_eq!(of(SEALED - HOUR), Current::Clock);
    }

    /// Goal: of seal and quorum the earlier one is the age, and the later one must not be ahead.
    #[test]
    fn an_old_cosignature_makes_old() {
        let seconds = |ms: u64| Some(ms / 1_000);
        let now = SEALED + HOUR;
        assert_eq!(state(seconds(SEALED - 30 * HOUR), now), Current::NotCurrent);
        assert_eq!(state(seconds(SEALED + HOUR), now), Current::Current);
        assert_eq!(state(seconds(now + AHEAD_MAX_MS + 1_000), now), Current::Clock);
        let found = Currency::of(SEALED, seconds(SEALED - HOUR), now, &Freshness::default(), false);
        assert_eq!((found.as_of_ms, found.age_ms, found.by_witnesses), (SEALED - HOUR, 2 * HOUR, true));
        assert!(!Currency::of(SEALED, None, now, &Freshness::default(), false).by_witnesses);
    }
}

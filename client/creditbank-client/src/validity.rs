//! How long a person's consent holds: an approval, a mandate, a signature under a joint award.

pub use creditbank_protocol::dates::show_minute as shown;
use creditbank_protocol::once::VALID_MINUTES_MAX;

use crate::connection::now_s;

/// Days that a consent holds where nothing else is said.
pub const DAYS_STANDARD: u32 = 7;
/// Most days, today counted.
pub const DAYS_MAX: u32 = 30;
const DAY_MINUTES: u64 = 1_440;
const _: () = assert!(DAYS_MAX as u64 * DAY_MINUTES == VALID_MINUTES_MAX);

/// The last minute of the last of so many days by this side's clock, today counted, in UTC. The end of a day: whoever
/// asks again
/// on the same day gets the same.
pub fn last_minute(days: u32) -> u64 {
    (now_s() / 60 / DAY_MINUTES + u64::from(days.clamp(1, DAYS_MAX))) * DAY_MINUTES - 1
}

/// Whether a last minute is over by this side's clock.
pub fn is_over(until_minute: u64) -> bool {
    until_minute < now_s() / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a consent holds through a day, at least today's and at most the thirtieth, and is shown as people write
    /// times.
    #[test]
    fn a_consent_ends_with_a_day() {
        let now = now_s() / 60;
        for (days, most) in [(0, 1), (1, 1), (7, 7), (30, 30), (31, 30)] {
            let left = last_minute(days) - now;
            assert!(left < most * DAY_MINUTES && left + DAY_MINUTES >= most * DAY_MINUTES - 1, "{days}: {left}");
            assert!(!is_over(last_minute(days)));
        }
        assert!(is_over(now - 1));
        assert_eq!(shown(20_780 * DAY_MINUTES + 8 * 60 + 5), "2026-11-23T08:05Z");
    }
}

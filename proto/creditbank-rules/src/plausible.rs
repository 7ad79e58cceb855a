//! Which days can be meant (RULES.md, section 15, "Plausible dates"). The rules have no clock: now is the latest day on
//! earth at the minute that the block itself states, which is bound to its seal and which nobody can change.
//!
//! A date of another calendar lies far outside: 2567 of the Buddhist era, 1403 of the Iranian one, 113 of the Republic of
//! China. That it may be one is a hint which whoever reads the file can give; the ledger only refuses it.

use crate::dates::{Day, date_of, day_of_ms, first_day, last_day, show};
use crate::qualification::add_months;
use crate::{Rejection, Rule};
use creditbank_protocol::pb::Date;

/// 1900-01-01: nothing that a record states has happened before it.
pub const EARLIEST: Day = -25_567;
/// Most months that a period lasts which has not ended.
pub const OPEN_PERIOD_MONTHS_MAX: u32 = 240;
/// Most months from now to an expiry.
pub const EXPIRY_MONTHS_MAX: u32 = 1_200;
/// The earliest time zone, UTC+14, in minutes.
const EARLIEST_ZONE_MINUTES: u64 = 840;

/// The latest time zone, UTC-12, in minutes.
const LATEST_ZONE_MINUTES: u64 = 720;

/// The latest day on earth at a minute since 1970, UTC.
pub fn latest_day(minute: u64) -> Day {
    day_of_ms(minute.saturating_add(EARLIEST_ZONE_MINUTES).saturating_mul(60_000))
}

/// The earliest day on earth at a minute since 1970, UTC.
pub fn earliest_day(minute: u64) -> Day {
    day_of_ms(minute.saturating_sub(LATEST_ZONE_MINUTES).saturating_mul(60_000))
}

fn refuse(field: &'static str, expected: String, found: String) -> Rejection {
    Rejection::new(Rule::ImplausibleDate, expected, found).field(field)
}

/// Checks a date of what has happened; a whole month has happened once it has begun.
pub fn happened(date: &Date, latest: Day, field: &'static str) -> Result<(), Rejection> {
    if (EARLIEST..=latest).contains(&first_day(date)) {
        return Ok(());
    }
    let expected = format!("a date from 1900-01-01 to {}, the latest day on earth", show(&date_of(latest)));
    Err(refuse(field, expected, show(date)))
}

/// Checks the first day of what may begin up to so many months from now.
pub fn begins(date: &Date, latest: Day, ahead_months_max: u32, field: &'static str) -> Result<(), Rejection> {
    let bound = add_months(latest, ahead_months_max);
    if (EARLIEST..=bound).contains(&first_day(date)) {
        return Ok(());
    }
    let bound = show(&date_of(bound));
    let expected = format!("a date from 1900-01-01 to {bound}, which is {ahead_months_max} months ahead");
    Err(refuse(field, expected, show(date)))
}

/// Checks the last day of what may not have ended yet: then it lasts for at most 20 years from its first day on.
pub fn planned_end(date: &Date, first: Day, latest: Day, field: &'static str) -> Result<(), Rejection> {
    let bound = add_months(first, OPEN_PERIOD_MONTHS_MAX);
    if last_day(date) <= latest.max(bound) {
        return Ok(());
    }
    let (first, bound) = (show(&date_of(first)), show(&date_of(bound)));
    let expected = format!("a date until {bound}, which is 20 years after the first day, {first}");
    Err(refuse(field, expected, show(date)))
}

/// Checks the first and the last day of a period. It has begun, unless it is `planned`; where it has not ended, it does not
/// last for longer than 20 years.
pub fn period(first: Day, last: Day, latest: Day, planned: bool) -> Result<(), Rejection> {
    let now = show(&date_of(latest));
    let begun = first <= latest || planned && first <= add_months(latest, OPEN_PERIOD_MONTHS_MAX);
    if first < EARLIEST || !begun {
        let expected = format!("a period that begins from 1900-01-01 to {now}, the latest day on earth");
        return Err(refuse("period", expected, format!("one from {}", show(&date_of(first)))));
    }
    if last > latest && last > add_months(first, OPEN_PERIOD_MONTHS_MAX) {
        let expected = format!("a period that has ended by {now}, or lasts for at most 20 years");
        let (first, last) = (show(&date_of(first)), show(&date_of(last)));
        return Err(refuse("period", expected, format!("one from {first} to {last}")));
    }
    Ok(())
}

/// Checks the day on which something expires: it may have expired long ago, but not before anything that is recorded.
pub fn expires(date: Option<&Date>, latest: Day) -> Result<(), Rejection> {
    let bound = add_months(latest, EXPIRY_MONTHS_MAX);
    let fits = |date: &&Date| first_day(date) >= EARLIEST && last_day(date) <= bound;
    let Some(date) = date.filter(|date| !fits(date)) else { return Ok(()) };
    let expected = format!("a date from 1900-01-01 to {}, which is in 100 years", show(&date_of(bound)));
    Err(refuse("expires", expected, show(date)))
}

/// Checks the day from which on a record is visible. How late it may be is a rule of its own, which looks at the period.
pub fn visible_from(date: Option<&Date>) -> Result<(), Rejection> {
    let Some(date) = date.filter(|date| first_day(date) < EARLIEST) else { return Ok(()) };
    Err(refuse("visible_from", "a date from 1900-01-01 on".to_owned(), show(date)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::parse;

    fn day(text: &str) -> Day {
        first_day(&parse(text).expect("a date"))
    }

    /// Goal: now is the latest day on earth: at 10:00 UTC a new day begins at UTC+14.
    #[test]
    fn a_day_begins_fourteen_hours_before_it_does_in_utc() {
        let midnight = u64::try_from(day("2026-11-27")).expect("after 1970") * 1_440;
        assert_eq!(latest_day(midnight + 599), day("2026-11-27"));
        assert_eq!(latest_day(midnight + 600), day("2026-11-28"));
        assert_eq!(latest_day(0), 0);
        assert_eq!(earliest_day(midnight + 719), day("2026-11-26"));
        assert_eq!(earliest_day(midnight + 720), day("2026-11-27"));
        assert_eq!(earliest_day(0), 0);
        assert_eq!(EARLIEST, day("1900-01-01"));
    }

    /// Goal: dates of other calendars and slips of a digit are refused, both bounds count, and a month has happened once it
    /// has begun.
    #[test]
    fn what_has_happened_lies_from_1900_to_now() {
        let latest = day("2026-11-27");
        for good in ["1900-01-01", "1900-01", "2026-11-27", "2026-11"] {
            assert_eq!(happened(&parse(good).expect(good), latest, "x"), Ok(()), "{good}");
        }
        for odd in ["1899-12-31", "2026-11-28", "2026-12", "2567-06", "1403-07", "0113-09", "0024-09"] {
            let refused = happened(&parse(odd).expect(odd), latest, "x").expect_err(odd);
            assert_eq!((refused.rule, refused.found.as_str()), (Rule::ImplausibleDate, odd));
        }
    }

    /// Goal: a period may end later than now, but not centuries later; an old one may be as long as it was.
    #[test]
    fn periods_end_in_reach() {
        let latest = day("2026-11-27");
        let of = |first: &str, last: &str, planned| period(day(first), day(last), latest, planned).is_ok();
        assert!(of("2026-09-01", "2027-02-28", false) && of("1970-01-01", "2010-12-31", false));
        assert!(of("2026-11-27", "2046-11-27", false) && !of("2026-11-27", "2046-11-28", false));
        assert!(!of("2025-09-01", "2205-01-31", false));
        assert!(!of("2026-11-28", "2027-01-01", false) && of("2026-11-28", "2027-01-01", true));
        assert!(!of("2567-06-01", "2567-10-31", true) && !of("1403-07-01", "1403-11-30", true));
    }

    /// Goal: what is visible at once by a date of another calendar was meant to be held back.
    #[test]
    fn an_embargo_ends_after_1900() {
        let of = |text: &str| visible_from(parse(text).as_ref()).map_err(|refused| refused.rule);
        for good in ["1900-01-01", "1900-01", "2026-11-27", "2027-06-01"] {
            assert_eq!(of(good), Ok(()), "{good}");
        }
        for odd in ["1899-12-31", "1899-12", "1403-11-01", "0114-02-15"] {
            assert_eq!(of(odd), Err(Rule::ImplausibleDate), "{odd}");
        }
        assert_eq!(visible_from(None), Ok(()));
    }

    /// Goal: what is planned begins soon and ends in reach; what has ended may have lasted for longer.
    #[test]
    fn what_is_planned_lies_near() {
        let (latest, parsed) = (day("2026-11-27"), |text: &str| parse(text).expect(text));
        let begins = |text: &str| begins(&parsed(text), latest, 12, "from").is_ok();
        assert!(begins("1900-01-01") && begins("2027-11-27") && begins("2027-11"));
        assert!(!begins("1899-12-31") && !begins("2027-11-28") && !begins("2567-09") && !begins("1403-07-01"));
        let ends = |first: &str, text: &str| planned_end(&parsed(text), day(first), latest, "until").is_ok();
        assert!(
            ends("2026-09-01", "2046-09-01") && !ends("2026-09-01", "2046-09-02") && !ends("2026-09-01", "2046-09")
        );
        assert!(
            ends("1970-01-01", "2026-11-27") && !ends("1970-01-01", "2026-11-28") && !ends("2026-09-01", "2570-10")
        );
    }

    /// Goal: an expiry may be far, and not in another calendar.
    #[test]
    fn an_expiry_lies_within_a_hundred_years() {
        let latest = day("2026-11-27");
        let of = |text: &str| expires(parse(text).as_ref(), latest).is_ok();
        assert!(
            of("2031-12-31")
                && of("2126-11-27")
                && !of("2126-11-28")
                && !of("2570-10")
                && of("1900-01-01")
                && of("1900-01")
                && !of("1899-12-31")
                && !of("1403-07")
                && expires(None, latest).is_ok()
        );
    }
}

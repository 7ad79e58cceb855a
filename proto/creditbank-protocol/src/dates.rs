//! Civil dates as integers. Gregorian calendar, no time zones: a date is what a certificate says.

use crate::pb::{Date, Period};

/// Days since 1970-01-01, which is day 0.
pub type Day = i64;

const MONTH_DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

/// Days of a month; `None` when there is no such month.
pub fn month_days(year: u32, month: u32) -> Option<u32> {
    let days = MONTH_DAYS.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    Some(days + u32::from(month == 2 && is_leap(year)))
}

/// Whether the date exists: year 1 to 9999, a month, a day of it or 0 for the whole month.
pub fn is_real(date: &Date) -> bool {
    date.year >= 1 && month_days(date.year, date.month).is_some_and(|days| date.day <= days)
}

/// Day number of a civil date (proleptic Gregorian).
fn day_number(year: u32, month: u32, day: u32) -> Day {
    // Years begin in March, so that the leap day is the last of its year.
    let year = i64::from(year) - i64::from(month <= 2);
    let month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The civil date of a day of the years 1 to 9999; the inverse of counting.
pub fn date_of(day: Day) -> Date {
    // Eras of 400 years that begin on the first of March: the same calendar each time.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let part = |value: i64| u32::try_from(value).unwrap_or(0);
    Date { year: part(year), month: part(month), day: part(of_year - (153 * from_march + 2) / 5 + 1) }
}

/// The first day that a real date stands for.
pub fn first_day(date: &Date) -> Day {
    day_number(date.year, date.month, date.day.max(1))
}

/// The last day that a real date stands for: of a whole month, its last.
pub fn last_day(date: &Date) -> Day {
    let day = if date.day == 0 { month_days(date.year, date.month).unwrap_or(1) } else { date.day };
    day_number(date.year, date.month, day)
}

/// The day in which a time lies, milliseconds since 1970-01-01T00:00Z.
pub fn day_of_ms(ms: u64) -> Day {
    i64::try_from(ms / 86_400_000).unwrap_or(Day::MAX)
}

/// First and last day of a period that has both dates, in order.
pub fn period_days(period: &Period) -> Option<(Day, Day)> {
    let (from, until) = (period.from.as_ref()?, period.until.as_ref()?);
    let days = (first_day(from), last_day(until));
    (days.0 <= days.1).then_some(days)
}

/// Whether `day` lies between two dates, both included; an absent one is open.
pub fn within(day: Day, from: Option<&Date>, until: Option<&Date>) -> bool {
    from.is_none_or(|from| first_day(from) <= day) && until.is_none_or(|until| day <= last_day(until))
}

/// A minute since 1970 as people read it: `2026-12-03T23:59Z`, in UTC.
pub fn show_minute(minute: u64) -> String {
    let (date, of_day) = (date_of(day_of_ms(minute.saturating_mul(60_000))), minute % 1_440);
    format!("{}T{:02}:{:02}Z", show(&date), of_day / 60, of_day % 60)
}

/// A length of time as people say it, rounded up: `250 ms`, `85 s`, `17 min`, `3 h 20 min`, `4 days 2 h`.
pub fn show_duration_ms(ms: u64) -> String {
    let (seconds, minutes, hours) = (ms.div_ceil(1_000), ms.div_ceil(60_000), ms.div_ceil(3_600_000));
    let pair = |of: u64, one: &str, number: u64, another: &str| match number % of {
        0 => format!("{}{one}", number / of),
        rest => format!("{}{one} {rest}{another}", number / of),
    };
    match () {
        () if ms < 1_000 => format!("{ms} ms"),
        () if seconds < 120 => format!("{seconds} s"),
        () if minutes < 120 => format!("{minutes} min"),
        () if hours < 48 => pair(60, " h", minutes, " min"),
        () => pair(24, " days", hours, " h"),
    }
}

/// Reads a minute of UTC, as [`show_minute`] writes it; minutes since 1970.
pub fn parse_minute(text: &str) -> Option<u64> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let date = parse(day).filter(|date| date.day > 0)?;
    let days = u64::try_from(first_day(&date)).ok()?;
    let number = |text: &str, below: u64| {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|number| is_plain && *number < below)
    };
    let (hours, minutes) = time.split_once(':')?;
    Some(days * 1_440 + number(hours, 24)? * 60 + number(minutes, 60)?)
}

/// A moment of UTC, from milliseconds since 1970: `2026-11-26T09:30:05.250Z`.
pub fn show_moment(ms: u64) -> String {
    let minute = show_minute(ms / 60_000);
    format!("{}:{:02}.{:03}Z", minute.trim_end_matches('Z'), ms / 1_000 % 60, ms % 1_000)
}

/// Reads a moment of UTC, as [`show_moment`] writes it, or with the seconds or their thousandths left out, which are zero then;
/// milliseconds since 1970.
pub fn parse_moment(text: &str) -> Option<u64> {
    let (minute, seconds) = text.strip_suffix('Z')?.split_at_checked("2026-11-26T09:30".len())?;
    let number = |text: &str, len: usize| {
        let is_plain = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_plain)
    };
    let ms = match seconds.strip_prefix(':').map(|seconds| seconds.split_once('.').unwrap_or((seconds, "000"))) {
        Some((seconds, thousandths)) => {
            number(seconds, 2).filter(|seconds| *seconds < 60)? * 1_000 + number(thousandths, 3)?
        }
        None if seconds.is_empty() => 0,
        None => return None,
    };
    Some(parse_minute(&format!("{minute}Z"))? * 60_000 + ms)
}

/// `2014-06` or `2014-06-30`.
pub fn show(date: &Date) -> String {
    if date.day == 0 {
        format!("{:04}-{:02}", date.year, date.month)
    } else {
        format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
    }
}

/// Reads `2014-06` or `2014-06-30`; `None` unless it is a real date.
pub fn parse(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut number = |len: usize| {
        let part = parts.next()?;
        (part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u32>().ok())?
    };
    let (year, month) = (number(4)?, number(2)?);
    let day = if text.len() > 7 { number(2)? } else { 0 };
    let date = Date { year, month, day };
    let surplus = parts.next().is_some() || (text.len() > 7 && day == 0);
    (is_real(&date) && !surplus).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_shown() {
        let begun = parse_minute("2026-11-27T18:41Z").map(|minute| minute * 60_000);
        for (text, ms) in [("", 0), (":30", 30_000), (":58.844", 58_844)] {
            let found = parse_moment(&format!("2026-11-27T18:41{text}Z"));
            assert_eq!(found, begun.map(|begun| begun + ms), "{text}");
        }
        assert_eq!(show_moment(parse_moment("2026-11-27T18:41:58.844Z").unwrap()), "2026-11-27T18:41:58.844Z");
        for wrong in [
            "2026-11-27T18:41",
            "2026-11-27T18:41:60Z",
            "2026-11-27T18:41:5Z",
            "2026-11-27T18:41:05.8Z",
            "2026-11-27Z",
            "é",
        ] {
            assert_eq!(parse_moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_are_counted_from_1970() {
        let day = |year, month, day| first_day(&Date { year, month, day });
        assert_eq!(day(1970, 1, 1), 0);
        assert_eq!(day(2000, 2, 29), 11_016);
        assert_eq!(day(2026, 11, 23), 20_780);
        assert_eq!(day_of_ms(86_400_000 * 5 + 1), 5);
        // Every day is one after the day before, over four centuries.
        let mut last = day(1599, 12, 31);
        for year in 1600..2000 {
            for month in 1..=12 {
                for of_month in 1..=month_days(year, month).expect("a month") {
                    assert_eq!(day(year, month, of_month), last + 1);
                    assert_eq!(date_of(last + 1), Date { year, month, day: of_month });
                    last += 1;
                }
            }
        }
    }

    #[test]
    fn lengths_of_time_are_for_people() {
        for (ms, shown) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_001, "2 s"),
            (84_996, "85 s"),
            (120_001, "3 min"),
            (7_200_000, "2 h"),
            (86_390_946, "24 h"),
            (12_000_000, "3 h 20 min"),
            (50 * 3_600_000, "2 days 2 h"),
            (u64::MAX, "213503982334 days 15 h"),
        ] {
            assert_eq!(show_duration_ms(ms), shown, "{ms}");
        }
    }

    #[test]
    fn only_real_dates_are_read() {
        for text in ["2014-06", "2014-06-30", "2012-02-29"] {
            assert_eq!(parse(text).map(|date| show(&date)).as_deref(), Some(text));
        }
        for text in [
            "",
            "2014",
            "2014-13",
            "2014-00",
            "2013-02-29",
            "2014-6",
            "2014-06-00",
            "2014-06-1",
            "2014-06-01-",
            "+014-06",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}

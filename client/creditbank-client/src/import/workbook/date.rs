//! The days of a workbook: numbers that count them from 1900 or from 1904.

use super::decimal::Decimal;

/// Seconds of a day.
const DAY_SECONDS: u128 = 86_400;
/// The last day of 9999, from 1900 and from 1904.
const LAST: i64 = 2_958_465;

/// A stored number as ISO 8601; with the time where it has one.
pub(super) fn iso(number: &Decimal, is_1904: bool) -> Result<String, String> {
    let without_day = || "a time without a date, expected text, a number or a date".to_owned();
    let mut days: i64 = match number.whole().as_str() {
        "" => 0,
        whole => whole.parse().map_err(|_| without_day())?,
    };
    let fraction = number.fraction();
    // More digits than that are beyond a microsecond.
    let fraction: String = fraction.chars().take(18).collect();
    let scale = 10u128.pow(u32::try_from(fraction.len()).unwrap_or(18));
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| without_day())? };
    let mut seconds = (part * DAY_SECONDS + scale / 2) / scale;
    if seconds == DAY_SECONDS {
        (days, seconds) = (days + 1, 0);
    }
    // Day 0 of 1900 is a time alone; 1904 begins with a day that nobody means.
    if number.is_negative || days < 1 {
        return Err(without_day());
    }
    let from_1900 = if is_1904 { days + 1_462 } else { days };
    if from_1900 > LAST {
        return Err("a date beyond the year 9999".to_owned());
    }
    let since_1970 = match from_1900 {
        60 => return Err("29 February 1900, a day that workbooks have and the calendar has not".to_owned()),
        day if day < 60 => day - 25_568,
        day => day - 25_569,
    };
    let (year, month, day) = civil(since_1970);
    let time = match seconds {
        0 => String::new(),
        all => format!("T{:02}:{:02}:{:02}", all / 3_600, all / 60 % 60, all % 60),
    };
    Ok(format!("{year:04}-{month:02}-{day:02}{time}"))
}

/// A day as far as its cell shows it: a month where the day is hidden, nothing where the year is, or the month.
pub(super) fn as_shown(day: String, shows: [bool; 3]) -> Result<String, String> {
    match (shows, day.get(..7)) {
        ([true, true, true], _) => Ok(day),
        ([true, true, false], Some(month)) => Ok(month.to_owned()),
        _ => Err(format!(
            "the cell holds the day {day} and hides a part of it: format it as a day or a month with its year"
        )),
    }
}

/// Year, month and day of a day since 1970-01-01, in the calendar of Gregory (H. Hinnant, "chrono-compatible low-level date
/// algorithms").
fn civil(since_1970: i64) -> (i64, i64, i64) {
    let shifted = since_1970 + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(number: &str, is_1904: bool) -> Result<String, String> {
        iso(&Decimal::parse(number).expect("a number"), is_1904)
    }

    /// Goal: the same day in both date systems; times alone and days beyond the calendar are refused.
    #[test]
    fn dates_are_iso() {
        assert_eq!(date("45536", false).as_deref(), Ok("2024-09-01"));
        assert_eq!(date("44074", true).as_deref(), Ok("2024-09-01"));
        assert_eq!(date("45536.5", false).as_deref(), Ok("2024-09-01T12:00:00"));
        assert_eq!(date("45536.999999999", false).as_deref(), Ok("2024-09-02"));
        assert_eq!(date("1", false).as_deref(), Ok("1900-01-01"));
        assert_eq!(date("59", false).as_deref(), Ok("1900-02-28"));
        assert_eq!(date("61", false).as_deref(), Ok("1900-03-01"));
        assert_eq!(date("2958465", false).as_deref(), Ok("9999-12-31"));
        assert_eq!(date("36585", false).as_deref(), Ok("2000-02-29"));
        for number in ["0.5", "-1", "9000000000", "60", "2958466"] {
            assert!(date(number, false).is_err(), "{number}");
        }
    }
}

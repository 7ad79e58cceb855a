//! Months of the calendar.

use crate::dates::{Day, date_of, first_day, month_days};
use creditbank_protocol::pb::Date;

/// The same day of the month so many months later; where that month is shorter, its last day.
pub fn add_months(day: Day, months: u32) -> Day {
    let date = date_of(day);
    let from_zero = u64::from(date.year) * 12 + u64::from(date.month.max(1)) - 1 + u64::from(months);
    let year = u32::try_from(from_zero / 12).unwrap_or(u32::MAX);
    let month = u32::try_from(from_zero % 12).unwrap_or(0) + 1;
    let last = month_days(year, month).unwrap_or(28);
    first_day(&Date { year, month, day: date.day.min(last) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::parse;

    /// Goal: months are counted by the calendar, and a day that a month does not have is its last.
    #[test]
    fn months_end_with_their_last_day() {
        let cases = [
            ("2020-01-31", 1, "2020-02-29"),
            ("2021-01-31", 1, "2021-02-28"),
            ("2020-02-29", 12, "2021-02-28"),
            ("2019-09-30", 36, "2022-09-30"),
            ("2019-11-30", 3, "2020-02-29"),
            ("2019-12-01", 0, "2019-12-01"),
        ];
        let day = |text: &str| first_day(&parse(text).expect("a date"));
        for (from, months, until) in cases {
            assert_eq!(add_months(day(from), months), day(until), "{from} + {months}");
        }
    }
}

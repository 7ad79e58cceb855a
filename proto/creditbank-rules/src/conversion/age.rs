//! How old a source may be.

use creditbank_protocol::pb::Date;

use super::Source;
use crate::dates::{Day, last_day, month_days, show};
use crate::{Rejection, Rule};

/// Refuses a source whose period ended too long ago: the conversion is at most `months` after its last day, on the same day of
/// the month, or on the month's last where it has no such day. 0 asks nothing.
pub(super) fn at_most(source: &Source, months: u32, decided: Day) -> Result<(), Rejection> {
    if months == 0 {
        return Ok(());
    }
    let expected = format!("a period that ended at most {months} months before the conversion");
    let until = source.period.as_ref().and_then(|period| period.until.as_ref());
    let refuse = |found: String| Rejection::new(Rule::OutsideScope, expected.as_str(), found).field("sources");
    let until = until.ok_or_else(|| refuse(format!("{} states none", source.show())))?;
    if decided <= months_after(until, months) {
        return Ok(());
    }
    Err(refuse(format!("{}, which ended {}", source.show(), show(until))))
}

/// The last day that is at most so many months after the end of a date.
fn months_after(date: &Date, months: u32) -> Day {
    let count = date.year * 12 + (date.month - 1) + months;
    let (year, month) = (count / 12, count % 12 + 1);
    let last = month_days(year, month).unwrap_or(28);
    let whole = date.day == 0 || month_days(date.year, date.month) == Some(date.day);
    let day = if whole { last } else { date.day.min(last) };
    last_day(&Date { year, month, day })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: months are counted by the calendar, and a month's last day stays a month's last day.
    #[test]
    fn months_keep_the_day_or_the_end_of_the_month() {
        let date = |year, month, day| Date { year, month, day };
        for (from, months, to) in [
            (date(2024, 1, 31), 1, date(2024, 2, 29)),
            (date(2024, 1, 30), 13, date(2025, 2, 28)),
            (date(2024, 2, 0), 1, date(2024, 3, 31)),
            (date(2023, 2, 28), 12, date(2024, 2, 29)),
            (date(2020, 6, 15), 84, date(2027, 6, 15)),
            (date(2020, 12, 1), 1, date(2021, 1, 1)),
        ] {
            assert_eq!(months_after(&from, months), last_day(&to), "{} + {months}", show(&from));
        }
    }
}

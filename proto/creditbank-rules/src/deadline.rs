//! Terms of laws: how long they are, when they end, and when a notice counts as received.
//!
//! The day of the event does not count. A month ends on the same date, or on the last day of a shorter month. Where the law
//! moves the end, it goes on to the next day that is no Saturday, Sunday or listed holiday.

use creditbank_protocol::names;
use creditbank_protocol::pb::{DeemedNotice, LegalDeadline, NoticeChannel, Term, TermUnit};

use crate::dates::{Day, date_of, first_day, month_days, within};

/// Days of a week, from Monday on.
const WEEK: Day = 7;
const SATURDAY: Day = 5;
/// The first day of 1970 was a Thursday.
const FIRST_WEEKDAY: Day = 3;

/// The last day of a term of a law that runs from an event on a day.
pub fn end_of(term: &Term, start: Day, law: &LegalDeadline) -> Day {
    rolled(bare_end(*term, start, law), law)
}

/// The same, before it is moved to a working day: what a stop of the clock is added to.
pub(crate) fn bare_end(term: Term, start: Day, law: &LegalDeadline) -> Day {
    counted(term, start, law) + Day::from(law.full_days)
}

fn counted(term: Term, start: Day, law: &LegalDeadline) -> Day {
    let amount = Day::from(term.amount);
    match term.unit() {
        TermUnit::Days | TermUnit::Unspecified => start + amount,
        TermUnit::WorkingDays => (0..term.amount).fold(start, |day, _| rolled_always(day + 1, law)),
        TermUnit::Weeks => start + amount * WEEK,
        TermUnit::Months => months_later(start, term.amount),
    }
}

/// The same date some months later, or the last day of a shorter month.
fn months_later(start: Day, months: u32) -> Day {
    let date = date_of(start);
    let count = date.year * 12 + date.month - 1 + months;
    let (year, month) = (count / 12, count % 12 + 1);
    let day = date.day.min(month_days(year, month).unwrap_or(date.day));
    first_day(&creditbank_protocol::pb::Date { year, month, day })
}

/// Whether people work on a day, as far as the law's entry knows.
pub fn is_working_day(day: Day, law: &LegalDeadline) -> bool {
    // The registry admits holidays in order only.
    let weekday = (day + FIRST_WEEKDAY).rem_euclid(WEEK);
    weekday < SATURDAY && law.holidays.binary_search_by_key(&day, first_day).is_err()
}

/// The day itself or, where the law moves the ends of terms, the next working day.
pub(crate) fn rolled(day: Day, law: &LegalDeadline) -> Day {
    if law.rolls { rolled_always(day, law) } else { day }
}

fn rolled_always(mut day: Day, law: &LegalDeadline) -> Day {
    // A law lists at most some hundred holidays, so this ends.
    while !is_working_day(day, law) {
        day += 1;
    }
    day
}

/// How long the clock stood still, in the days that the term counts: working days, or all.
pub(crate) fn stopped_days(term: Term, from: Day, until: Day, law: &LegalDeadline) -> Day {
    if term.unit() == TermUnit::WorkingDays {
        let days = (from + 1..=until).filter(|day| is_working_day(*day, law)).count();
        return Day::try_from(days).unwrap_or(0);
    }
    (until - from).max(0)
}

/// What was added to an end, in the days that the term counts.
pub(crate) fn later(term: Term, end: Day, days: Day, law: &LegalDeadline) -> Day {
    if term.unit() == TermUnit::WorkingDays {
        return (0..days).fold(end, |day, _| rolled_always(day + 1, law));
    }
    end + days
}

/// The day on which a notice counts as received: what the law says of the channel, or the day of its arrival where that is
/// known and later.
pub fn counts_as_notified(law: &LegalDeadline, channel: NoticeChannel, notified: Day, arrived: Option<Day>) -> Day {
    let says =
        |one: &&DeemedNotice| one.channel() == channel && within(notified, one.from.as_ref(), one.until.as_ref());
    let after = law.notices.iter().find(says).and_then(|one| one.after);
    // What the law says of full days and of weekends is about terms in which somebody acts.
    let deemed = after.map_or(notified, |after| counted(after, notified, law));
    arrived.map_or(deemed, |arrived| arrived.max(deemed))
}

/// `3 months`, `10 working days`, `1 week`.
pub fn show(term: &Term) -> String {
    let unit = names::of(term.unit()).replace('-', " ");
    let unit = if term.amount == 1 { unit.trim_end_matches('s') } else { unit.as_str() };
    format!("{} {unit}", term.amount)
}

/// The reverse of [`show`]; `None` where the text is no term.
pub fn parse(text: &str) -> Option<Term> {
    let (amount, unit) = text.trim().split_once(' ')?;
    let unit = unit.trim().trim_end_matches('s').replace(' ', "-") + "s";
    let digits = amount.bytes().all(|byte| byte.is_ascii_digit());
    let amount = amount.parse().ok().filter(|_| digits)?;
    Some(Term { amount, unit: names::parse::<TermUnit>(&unit)?.into() })
}

//! What comes late says so (RULES.md, section 15, "Late"): it is there exactly where it has to be, and says what the rules
//! give on the day of recording.

use creditbank_protocol::dates::{Day, date_of, first_day, show};
use creditbank_protocol::pb::Late;
use creditbank_protocol::record::{Dated, Record, dated_of};
use creditbank_protocol::{AccountId, Place};

use super::AdmissionError;
use super::derived::Issuing;
use super::fields::{present, require};
use super::kinds::malformed;
use super::used::at;
use crate::{Rejection, Rule, View};

/// Most days from a decision or a conversion to its block.
pub const DECISION_DAYS: Day = 60;
/// Most days from a conferral to the block of its award.
pub const AWARD_DAYS: Day = 400;

const FIELD: &str = "late";

/// Checks what a record says of being late, whose day may lie at most `days` before its block; whether it is late.
/// `now_refuses` finds the rule that refuses the same on another day.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    (record, amends): (&Record, Option<Place>),
    account: &AccountId,
    days: Day,
    now_refuses: impl FnOnce(Day) -> Result<Option<Rule>, AdmissionError>,
) -> Result<bool, AdmissionError> {
    let said = |of: &Record| dated_of(of.kind(), of.body()).map_err(malformed);
    let Some(Dated { day: Some(date), late }) = said(record)? else { return Ok(false) };
    let says = |late: &Option<Late>| late.as_ref().map(|late| late.on_recording.clone());
    let former = amends.map(|place| at(view, place, account, "amends")).transpose()?;
    let former = former.map(|former| said(&former.record)).transpose()?.flatten();
    if let Some(Dated { late: before, .. }) = former.filter(|before| before.day == Some(date)) {
        let shown =
            |late: &Option<Late>| says(late).map_or("no `late`".to_owned(), |rule| format!("late, {rule:?} now"));
        let expected = format_args!("{}, as of the amended record, whose day it keeps", shown(&before));
        require(says(&before) == says(&late), Rule::Late, FIELD, expected, shown(&late))?;
        return Ok(reasons(late.as_ref())?);
    }
    let (day, now) = (first_day(&date), issuing.day());
    let (shown, today) = (show(&date), show(&date_of(now)));
    let is_late = now - day > days;
    let expected = format_args!("nothing, as {shown} lies at most {days} days before {today}");
    require(is_late || late.is_none(), Rule::Late, FIELD, expected, "what is said of a late record")?;
    if !is_late {
        return Ok(false);
    }
    let expected = format_args!("a reason and a case reference, as {shown} lies more than {days} days before {today}");
    require(late.is_some(), Rule::Late, FIELD, expected, "nothing")?;
    let named = now_refuses(now)?.map_or("", Rule::name);
    let found = late.as_ref().map_or("", |late| late.on_recording.as_str());
    let expected = format_args!("{named:?} as the rule that refuses the same on {today} (\"\": none does)");
    require(named == found, Rule::Late, FIELD, expected, format_args!("{found:?}"))?;
    Ok(reasons(late.as_ref())?)
}

/// Whether something is late, with its reasons.
fn reasons(late: Option<&Late>) -> Result<bool, Rejection> {
    let Some(late) = late else { return Ok(false) };
    present(!late.reason.is_empty(), FIELD, "the reason why it comes late")?;
    present(!late.case_reference.is_empty(), FIELD, "the reference of the case")?;
    Ok(true)
}

/// What a late record says of the rule that refuses the same on the day of recording. Its reason is still to come.
pub fn refused_now(rule: Rule) -> Late {
    Late { on_recording: rule.name().to_owned(), ..Late::default() }
}

/// Checks what an appeal says of being late: that it is, where its last day is over, and why. Nothing is recomputed, and
/// nobody has to approve what a learner asks for.
pub(super) fn appeal(late: Option<&Late>, received: Day, until: Option<Day>) -> Result<(), Rejection> {
    let last = until.filter(|until| received > *until).map(|until| show(&date_of(until)));
    match (last, late) {
        (None, None) => Ok(()),
        (None, Some(_)) => {
            require(false, Rule::Late, FIELD, "nothing, as it is in time", "what is said of a late appeal")
        }
        (Some(last), late) => {
            let expected = format_args!("the reason why it comes after its last day, {last}");
            require(late.is_some_and(|late| !late.reason.is_empty()), Rule::Late, FIELD, expected, "nothing")?;
            let silent = late.is_none_or(|late| late.on_recording.is_empty());
            require(silent, Rule::Late, FIELD, "no rule, as nothing of an appeal is recomputed", "one")
        }
    }
}

/// The rule that refuses something, if one does.
pub(super) fn refused<T>(judged: Result<T, AdmissionError>) -> Result<Option<Rule>, AdmissionError> {
    match judged {
        Ok(_) => Ok(None),
        Err(AdmissionError::Rejected(rejection)) => Ok(Some(rejection.rule)),
        Err(error @ AdmissionError::View(_)) => Err(error),
    }
}

//! Declared awards: nothing is recomputed, but each says which Credits of this ledger it consumes, so that these pay for
//! nothing else; or why it consumes none.

use creditbank_protocol::dates::{Day, date_of, first_day, last_day, show};
use creditbank_protocol::names;
use creditbank_protocol::pb::{Award, Credit, Kind, QualificationDefinition, RecordReference};
use creditbank_protocol::{AccountId, Part, Place};

use super::award::same_redeems;
use super::fields::{present, require};
use super::spend::Spending;
use super::used::{Used, named, visible};
use super::{AdmissionError, kinds::malformed};
use crate::{Rejection, Rule, View};

/// The Credits that a declared award under a definition, conferred by `among`, consumes, and what it depends on. An amendment
/// consumes what the amended award (`before`) consumed, and redeems nothing.
pub(super) fn consumed(
    view: &impl View,
    award: &Award,
    (definition, among): (&QualificationDefinition, &[u64]),
    before: Option<&Award>,
    account: &AccountId,
    (conferred, today): (Day, Day),
) -> Result<(Vec<Place>, Vec<Place>), AdmissionError> {
    let none = award.redeems.is_empty();
    let expected = "the Credits that it consumes (redeems), or the reason why it consumes none";
    present(!none || !award.consumes_none.is_empty(), "consumes_none", expected)?;
    let one_of_two = none || award.consumes_none.is_empty();
    require(one_of_two, Rule::Contradiction, "consumes_none", "no reason beside Credits that it consumes", "one")?;
    let places = |of: &[RecordReference]| of.iter().filter_map(|one| one.place).map(Place::from).collect();
    if let Some(before) = before {
        let same = award.redeems == before.redeems
            && (none || (&award.definition, &award.conferred) == (&before.definition, &before.conferred));
        let expected =
            "what the amended award consumes, for the same award (for another one, revoke it and award anew)";
        require(same, Rule::Contradiction, "redeems", expected, "something else")?;
        return Ok((Vec::new(), places(&award.redeems)));
    }
    let mut spending = Spending::new(view, account, definition, today);
    for reference in &award.redeems {
        let used = named(view, Some(reference), account, "redeems")?;
        visible(&used, today, "redeems")?;
        let credit = of_institutions(&used, among)?;
        ended(&used, &credit, conferred)?;
        let amount = credit.amount.unwrap_or_default();
        // An overlap is counted in the unit of the definition: what is in another one fits into none.
        let amount_e4 = if amount.unit == definition.unit { amount.e4 } else { u64::MAX };
        spending.count(&used, Part::Whole, amount_e4).map_err(of_redeems)?;
    }
    let (redeems, depends_on) = spending.finish();
    same_redeems(&redeems, award)?;
    Ok((places(&redeems), depends_on))
}

/// A Credit of one of the awarding institutions.
fn of_institutions(used: &Used, among: &[u64]) -> Result<Credit, Rejection> {
    let is_credit = used.record.kind() == Kind::Credit && among.contains(&used.facts.institution.0);
    let found =
        || format!("{}, a {} of institution {}", used.place, names::of(used.record.kind()), used.facts.institution);
    let expected = "a Credit that one of the awarding institutions issued";
    require(is_credit, Rule::SourceNotUsable, "redeems", expected, found())?;
    used.record.read().map_err(malformed)
}

/// Its period and its assessment had ended by the day of conferral.
fn ended(used: &Used, credit: &Credit, conferred: Day) -> Result<(), Rejection> {
    let until = credit.period.as_ref().and_then(|period| period.until.as_ref()).map(last_day);
    let last = until.max(credit.completed.as_ref().map(first_day));
    let shown = |day: Day| show(&date_of(day));
    let expected = format!("Credits whose period had ended on {}", shown(conferred));
    let found = || last.map_or(String::new(), |last| format!("{}, which ended on {}", used.place, shown(last)));
    require(last.is_none_or(|last| last <= conferred), Rule::InvalidDate, "redeems", expected, found())
}

fn of_redeems(error: AdmissionError) -> AdmissionError {
    match error {
        AdmissionError::Rejected(rejection) => rejection.field("redeems").into(),
        other @ AdmissionError::View(_) => other,
    }
}

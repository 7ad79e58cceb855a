//! One standing award of a learner under one definition and specialisation, over all versions and all institutions that
//! confer it.

use creditbank_protocol::course_code::{check_characters, wide_key};
use creditbank_protocol::pb::Award;
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, Place};

use super::derived::{Derived, Issuing};
use super::fields::require;
use super::kinds::malformed;
use super::{AdmissionError, award};
use crate::{CourseKey, HeldRecord, Rejection, Rule, View};

/// Checks an award of an institution, and that it is not there already.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    record: &Record,
    amends: Option<Place>,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let award: Award = record.read().map_err(malformed)?;
    specialised(&award)?;
    let derived = award::check(view, issuing, record, amends, account)?;
    once(view, &award, amends, account)?;
    Ok(derived)
}

/// Checks how the specialisation of an award is written, and that it is one of a definition.
fn specialised(award: &Award) -> Result<(), Rejection> {
    let name = &award.specialisation;
    check_characters(name).map_err(|odd| {
        let expected = "a specialisation of visible characters, with single spaces inside";
        let found = format!("{} as character {}", odd.what, odd.position);
        Rejection::new(Rule::InvalidCode, expected, found).field("specialisation")
    })?;
    let of_definition = award.definition.is_some() || name.is_empty();
    let expected = "nothing without a definition: the titles say it";
    require(of_definition, Rule::Contradiction, "specialisation", expected, "a specialisation")
}

/// Checks that the learner holds no other award of the same definition and specialisation that stands. `amends` is the one
/// that it amends.
fn once(view: &impl View, award: &Award, amends: Option<Place>, account: &AccountId) -> Result<(), AdmissionError> {
    let other = first_other(view, award, account, |held| !held.marks.have_ended() && Some(held.place) != amends)?;
    let expected = "no standing award of this definition and specialisation: amend or revoke it, name another \
                    specialisation, or publish a version that is repeatable";
    let found = other.map_or(String::new(), |place| format!("the one at {place}"));
    Ok(require(other.is_none(), Rule::AwardedAlready, "definition", expected, found)?)
}

/// The first of a learner's awards that `counts`, of the same definition and specialisation as this one; `None` where this
/// one's definition is repeatable.
pub(super) fn first_other(
    view: &impl View,
    award: &Award,
    account: &AccountId,
    counts: impl Fn(&HeldRecord) -> bool,
) -> Result<Option<Place>, AdmissionError> {
    let Some(name) = &award.definition else { return Ok(None) };
    let (registry, institution) = (view.registry(), name.institution.into());
    if registry.definition(institution, &name.code, name.version).is_some_and(|definition| definition.repeatable) {
        return Ok(None);
    }
    for conferring in registry.conferring(institution, &name.code) {
        for held in view.held(account, conferring, &CourseKey::Award)?.into_iter().filter(|held| counts(held)) {
            let Some((_, record)) = view.content_at(held.place)? else { continue };
            if is_same(award, &record.read().map_err(malformed)?) {
                return Ok(Some(held.place));
            }
        }
    }
    Ok(None)
}

/// Whether two awards are of one definition, in whatever version, and one specialisation.
pub fn is_same(one: &Award, other: &Award) -> bool {
    let of = |award: &Award| award.definition.as_ref().map(|name| (name.institution, name.code.clone()));
    of(one).is_some() && of(one) == of(other) && wide_key(&one.specialisation) == wide_key(&other.specialisation)
}

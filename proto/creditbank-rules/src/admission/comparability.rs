//! Recognition of qualifications of elsewhere: comparability, or credit from which they exempt.

use creditbank_protocol::pb::RecognitionForm;
use creditbank_protocol::pb::{self, ConvertedCredit, Decision, Kind, QualificationRecognition};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::conversion::{pick, sources_of};
use super::derived::{Derived, Issuing};
use super::fields::{self, present, require};
use super::recognition::past_day;
use super::used::{Used, at, named, own, standing};
use super::{AdmissionError, case, mandate};
use crate::codes::is_country;
use crate::conversion::{award_roots, counted_by, exempted};
use crate::dates::{first_day, last_day};
use crate::{CourseKey, Registry, Rejection, Rule, View, plausible};

/// Checks a recognition by an institution.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    record: &Record,
    account: &AccountId,
) -> Result<Derived, AdmissionError> {
    let read: QualificationRecognition = record.read().map_err(super::kinds::malformed)?;
    let registry = view.registry();
    let digest = mandate::check(registry, issuing, record, read.mandate.as_ref())?;
    let decided = past_day(read.decided.as_ref(), "decided", issuing.latest_day())?;
    present(!read.decider.is_empty(), "decider", "the person who answers for it")?;
    let later = read.expires.as_ref().is_none_or(|expires| last_day(expires) > decided);
    require(later, Rule::InvalidDate, "expires", "a date after the decision", "an earlier one")?;
    plausible::expires(read.expires.as_ref(), issuing.latest_day())?;
    if let Some(conferred) = read.qualification.as_ref().and_then(|found| found.conferred.as_ref()) {
        plausible::happened(conferred, issuing.latest_day(), "qualification")?;
    }
    let mut depends_on = Vec::new();
    let (award, conferred) = qualification(view, read.qualification.as_ref(), account)?;
    let expected = "no day before the qualification was conferred";
    let later = conferred.is_none_or(|conferred| first_day(&conferred) <= decided);
    require(later, Rule::InvalidDate, "decided", expected, "an earlier one")?;
    depends_on.extend(award.as_ref().map(|award| award.place));
    let form = RecognitionForm::try_from(read.form).unwrap_or_default();
    present(form != RecognitionForm::Unspecified, "form", "a statement or a decision")?;
    if form == RecognitionForm::Decision {
        present(!read.legal_basis.is_empty(), "legal_basis", "the legal basis")?;
        let place = read.decision.map(Place::from);
        depends_on.push(decision(view, issuing.institution, place, account)?.0);
    } else {
        let none = read.decision.is_none();
        require(none, Rule::Contradiction, "decision", "none with a statement", "one")?;
    }
    let says = !read.comparable_to.is_empty() || read.level.is_some() || !read.exemptions.is_empty();
    present(says, "comparable_to", "what it is comparable to, or exemptions")?;
    fields::level(registry, read.level.as_ref())?;
    let roots = match &award {
        Some(award) if !read.exemptions.is_empty() => Some(roots(view, award, account)?),
        _ => None,
    };
    let declared = roots.as_ref().is_some_and(|(_, declared)| *declared);
    let roots = roots.map(|(roots, _)| roots);
    for exemption in &read.exemptions {
        let same = exemption.declared == declared;
        let expected = if declared { "declared, as the award counts declared credit" } else { "nothing declared" };
        require(same, Rule::Contradiction, "exemptions", expected, "another statement")?;
        credit(registry, exemption, roots.as_deref(), read.exemptions.len())?;
    }
    depends_on.extend(roots.iter().flatten().map(|root| Place::read(root.place)));
    depends_on.sort_unstable();
    depends_on.dedup();
    Ok(Derived { key: Some(CourseKey::Recognition), depends_on, consents: vec![digest], ..Derived::default() })
}

/// The qualification is named; where it is an Award of this ledger, it stands. The award, and when it was conferred.
fn qualification(
    view: &impl View,
    found: Option<&pb::ForeignQualification>,
    account: &AccountId,
) -> Result<(Option<Used>, Option<pb::Date>), AdmissionError> {
    let missing = || Rejection::new(Rule::MissingField, "the qualification", "nothing").field("qualification");
    let found = found.ok_or_else(missing)?;
    if let Some(award) = &found.award {
        let used = named(view, Some(award), account, "qualification")?;
        let is_award = used.record.kind() == Kind::Award;
        require(is_award, Rule::SourceNotUsable, "qualification", "the place of an award", used.place)?;
        standing(view, &used, "qualification")?;
        let read: pb::Award = used.record.read().map_err(super::kinds::malformed)?;
        return Ok((Some(used), read.conferred));
    }
    let named = !found.titles.is_empty() && !found.institution.is_empty();
    present(named, "qualification", "its title and the institution that conferred it")?;
    let known = is_country(&found.country);
    require(known, Rule::InvalidCode, "qualification", "the country, two capital letters", &found.country)?;
    present(!found.evidence.is_empty(), "qualification", "the digest of a document")?;
    Ok((None, found.conferred))
}

/// The decision that a recognition carries out: final, and not a refusal.
pub(super) fn decision(
    view: &impl View,
    institution: InstitutionId,
    place: Option<Place>,
    account: &AccountId,
) -> Result<(Place, Decision), AdmissionError> {
    let place = place.unwrap_or_default();
    let found = own(view, place, account, institution, Kind::Decision)?;
    let read = |found: Used| Some((found.record.read::<Decision>().ok()?, found));
    let found = found.and_then(read).filter(|(decision, _)| case::grants(decision.r#type()));
    let expected = "the place of a decision of this institution that recognises something of this learner's";
    let (decision, used) =
        found.ok_or_else(|| Rejection::new(Rule::SourceNotUsable, expected, place.to_string()).field("decision"))?;
    standing(view, &used, "decision")?;
    Ok((used.place, decision))
}

/// The roots of an Award of this ledger: what it counts, with the bounds that this has; and whether any of it was declared.
fn roots(view: &impl View, award: &Used, account: &AccountId) -> Result<(Vec<pb::Root>, bool), AdmissionError> {
    let read: pb::Award = award.record.read().map_err(super::kinds::malformed)?;
    let mut counted = Vec::new();
    for of_record in counted_by(&read).chunk_by(|(one, _), (other, _)| one == other) {
        let used = at(view, Place::of_reference(Some(&of_record[0].0)), account, "qualification")?;
        let all = sources_of(&used)?;
        for (_, part) in of_record {
            counted.push(pick(&all, &used, *part)?);
        }
    }
    Ok((award_roots(&counted)?, counted.iter().any(|source| source.declared)))
}

/// Credit from which the qualification exempts. Its roots are those of the award, where that is in this ledger; else the
/// recognition itself.
fn credit(
    registry: &Registry,
    credit: &ConvertedCredit,
    roots: Option<&[pb::Root]>,
    count: usize,
) -> Result<(), Rejection> {
    fields::course(credit.course.as_ref(), false)?;
    let amount = credit.amount.clone().unwrap_or_default();
    let known = registry.credit_unit(&amount.unit).is_some();
    require(known, Rule::UnknownCreditUnit, "exemptions", "a credit unit of the registry", &amount.unit)?;
    present(amount.e4 > 0, "exemptions", "an amount")?;
    fields::level(registry, credit.level.as_ref())?;
    fields::codes(&credit.field, None)?;
    if let Some(grade) = &credit.grade {
        let passes = registry.passes(grade) == Some(true);
        require(passes, Rule::UnknownGrade, "exemptions", "a grade of the registry that passes", &grade.value)?;
    }
    let plain = credit.suggested.is_none()
        && credit.override_reason.is_empty()
        && credit.grade_steps.is_none()
        && credit.source_plus_1 == 0
        && credit.basis == 0;
    require(plain, Rule::Contradiction, "exemptions", "no steps and no basis of a conversion", "some")?;
    let expected = roots.map(|roots| exempted(roots, &amount, count)).transpose()?.unwrap_or_default();
    let same = credit.roots == expected;
    let what = format_args!("the {} roots of the award, each with its share of the amount", expected.len());
    let found = format_args!("{} roots, or other shares", credit.roots.len());
    require(same, Rule::ConversionDiffers, "exemptions", what, found)
}

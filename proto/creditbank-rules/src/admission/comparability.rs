//! Recognition of qualifications: comparability, or credit from which they exempt.

use creditbank_protocol::pb::RecognitionForm;
use creditbank_protocol::pb::{self, AwardBasis, ConvertedCredit, Decision, Kind, QualificationRecognition};
use creditbank_protocol::record::Record;
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::conversion::{pick, sources_of};
use super::derived::{Derived, Issuing};
use super::fields::{self, present, require};
use super::recognition::past_day;
use super::used::{Used, at, named, own, standing};
use super::{AdmissionError, case, mandate};
use crate::conversion::{Source, award_roots, counted_by, drawn, exempted};
use crate::dates::{first_day, last_day};
use crate::decimal::show_e4;
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
    let of = qualification(view, read.qualification.as_ref(), account)?;
    let mut depends_on = vec![of.used.place];
    let expected = "no day before the qualification was conferred";
    let later = of.conferred.is_none_or(|conferred| first_day(&conferred) <= decided);
    require(later, Rule::InvalidDate, "decided", expected, "an earlier one")?;
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
    read.exemptions.iter().try_for_each(|exemption| credit(registry, exemption))?;
    let (roots, declared) = roots(view, &read, &of, account)?;
    for (exemption, roots) in read.exemptions.iter().zip(roots) {
        let same = exemption.declared == declared;
        let expected = if declared { "declared, as the award counts declared credit" } else { "nothing declared" };
        require(same, Rule::Contradiction, "exemptions", expected, "another statement")?;
        let expected = format_args!("its {} roots, each with its share of the amount", roots.len());
        let found = format_args!("{} roots, or other shares", exemption.roots.len());
        require(exemption.roots == roots, Rule::ConversionDiffers, "exemptions", expected, found)?;
        depends_on.extend(roots.iter().map(|root| Place::read(root.place)));
    }
    depends_on.sort_unstable();
    depends_on.dedup();
    Ok(Derived { key: Some(CourseKey::Recognition), depends_on, consents: vec![digest], ..Derived::default() })
}

/// What is recognised.
struct Recognised {
    used: Used,
    conferred: Option<pb::Date>,
    /// Where it is an Award of this ledger.
    award: Option<pb::Award>,
}

/// The qualification is a diploma of elsewhere or an Award of this ledger that stands.
fn qualification(
    view: &impl View,
    reference: Option<&pb::RecordReference>,
    account: &AccountId,
) -> Result<Recognised, AdmissionError> {
    let missing = || Rejection::new(Rule::MissingField, "the qualification", "nothing").field("qualification");
    let used = named(view, Some(reference.ok_or_else(missing)?), account, "qualification")?;
    let expected = "the place of a diploma of elsewhere or of an award";
    let is_one = matches!(used.record.kind(), Kind::Award | Kind::ForeignAward);
    require(is_one, Rule::SourceNotUsable, "qualification", expected, used.place)?;
    standing(view, &used, "qualification")?;
    let malformed = super::kinds::malformed;
    if used.record.kind() == Kind::ForeignAward {
        let conferred = used.record.read::<pb::ForeignAward>().map_err(malformed)?.conferred;
        return Ok(Recognised { used, conferred, award: None });
    }
    let award: pb::Award = used.record.read().map_err(malformed)?;
    Ok(Recognised { used, conferred: award.conferred, award: Some(award) })
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

/// The roots of each exemption. For an Award those of what it counts, with the bounds that these have; for what counts no credit
/// of this ledger, itself, of the size that is stated. And whether anything of it was declared.
fn roots(
    view: &impl View,
    read: &QualificationRecognition,
    of: &Recognised,
    account: &AccountId,
) -> Result<(Vec<Vec<pb::Root>>, bool), AdmissionError> {
    let amounts = || read.exemptions.iter().map(|one| one.amount.clone().unwrap_or_default());
    let honorary = of.award.as_ref().is_some_and(|award| award.basis() == AwardBasis::Honorary);
    let usable = !honorary || read.exemptions.is_empty();
    require(
        usable,
        Rule::SourceNotUsable,
        "qualification",
        "an award for which something was learned",
        "an honorary one",
    )?;
    let counted = of.award.as_ref().filter(|award| award.basis() != AwardBasis::Declared || !award.redeems.is_empty());
    if counted.is_some() || read.exemptions.is_empty() {
        let bare = read.size.is_none() && read.method.is_empty();
        let expected = "no size and method: they stand with exemptions for what counts no credit of this ledger";
        require(bare, Rule::Contradiction, "size", expected, "some")?;
    }
    if read.exemptions.is_empty() {
        return Ok((Vec::new(), false));
    }
    if let Some(award) = counted {
        let counted = sources(view, award, account)?;
        let roots = award_roots(&counted)?;
        let each = amounts().map(|amount| exempted(&roots, &amount, read.exemptions.len()));
        let declared = counted.iter().any(|source| source.declared);
        return Ok((each.collect::<Result<_, Rejection>>()?, declared));
    }
    let size = read.size.clone().unwrap_or_default();
    present(size.e4 > 0, "size", "how much credit the whole of it is")?;
    present(!read.method.is_empty(), "method", "how the size was found")?;
    let known = view.registry().credit_unit(&size.unit).is_some();
    require(known, Rule::UnknownCreditUnit, "size", "a credit unit of the registry", &size.unit)?;
    let on = of.used.reference();
    let each = amounts().map(|amount| Ok(vec![drawn(&on, &size, &amount)?])).collect::<Result<_, Rejection>>()?;
    let sum = amounts().fold(0, |sum: u64, amount| sum.saturating_add(amount.e4));
    let expected = format_args!("at most {} {}, the size of the whole", show_e4(size.e4), size.unit);
    require(sum <= size.e4, Rule::ConversionDiffers, "exemptions", expected, show_e4(sum))?;
    Ok((each, false))
}

/// What an Award counts, as sources.
fn sources(view: &impl View, award: &pb::Award, account: &AccountId) -> Result<Vec<Source>, AdmissionError> {
    let mut counted = Vec::new();
    for of_record in counted_by(award).chunk_by(|(one, _), (other, _)| one == other) {
        let used = at(view, Place::of_reference(Some(&of_record[0].0)), account, "qualification")?;
        let all = sources_of(&used)?;
        for (_, part) in of_record {
            counted.push(pick(&all, &used, *part)?);
        }
    }
    Ok(counted)
}

/// Credit from which the qualification exempts, its roots aside.
fn credit(registry: &Registry, credit: &ConvertedCredit) -> Result<(), Rejection> {
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
    require(plain, Rule::Contradiction, "exemptions", "no steps and no basis of a conversion", "some")
}

//! What a learner's records are to a qualification.

use std::collections::{BTreeMap, BTreeSet};

use creditbank_protocol::pb::{self, EquivalenceType, Kind, QualificationDefinition, QualificationName, RetakePolicy};
use creditbank_protocol::record::is_embargoed;
use creditbank_protocol::{AccountId, InstitutionId, Place};

use super::AdmissionError;
use super::spend::has;
use super::used::{Used, at};
use crate::dates::{Day, first_day};
use crate::qualification::{Candidate, HeldAward};
use crate::{CourseKey, CourseName, Registry, View};

/// What a record is to a definition: of a credit or an outcome one candidate, of a conversion or a recognition its results, of
/// other kinds nothing.
pub fn candidates(registry: &Registry, definition: &QualificationDefinition, used: &Used) -> Vec<Candidate> {
    let institution = used.facts.institution;
    let reference = used.reference();
    match used.record.kind() {
        Kind::Credit => {
            let read = used.record.read::<pb::Credit>().ok();
            read.map(|read| Candidate::credit(registry, definition, reference, institution, &read))
                .into_iter()
                .collect()
        }
        Kind::Outcome => {
            let read = used.record.read::<pb::Outcome>().ok();
            read.map(|read| Candidate::outcome(registry, reference, institution, &read)).into_iter().collect()
        }
        Kind::Conversion => used.record.read::<pb::Conversion>().map_or_else(
            |_| Vec::new(),
            |read| {
                let by = equivalence(registry, &read);
                Candidate::conversion(registry, definition, &reference, institution, &read, by)
            },
        ),
        Kind::QualificationRecognition => used
            .record
            .read::<pb::QualificationRecognition>()
            .map_or_else(|_| Vec::new(), |read| Candidate::recognition(registry, &reference, institution, &read)),
        _ => Vec::new(),
    }
}

/// The type of the equivalence that a conversion names.
fn equivalence(registry: &Registry, conversion: &pb::Conversion) -> Option<EquivalenceType> {
    let name = conversion.equivalence.as_ref()?;
    let found = registry.equivalence(name.institution.into(), &name.code, name.version)?;
    EquivalenceType::try_from(found.r#type).ok()
}

/// Every standing pass of the courses of `counted` that may be shown today, beside those themselves: the retake policy
/// has to see them all. Passes are Credits of the course, and results that the institution of the course holds, those who
/// confer the qualification, and whoever holds a result that is counted.
pub(super) fn passes(
    view: &impl View,
    definition: &QualificationDefinition,
    counted: &[Candidate],
    account: &AccountId,
    today: Day,
) -> Result<Vec<Candidate>, AdmissionError> {
    if definition.retakes == i32::from(RetakePolicy::Unspecified) {
        return Ok(Vec::new());
    }
    let known: BTreeSet<_> = counted.iter().map(Candidate::portion).collect();
    let credit = counted.iter().filter(|one| one.counted_course().is_some());
    let mut courses: BTreeMap<(InstitutionId, &str), &CourseName> = BTreeMap::new();
    courses.extend(credit.clone().filter_map(Candidate::counted_course).map(|of| ((of.institution(), of.id()), of)));
    let mut held = Vec::new();
    for course in courses.values() {
        held.extend(course.held(view, account)?);
    }
    let confer = definition.awarding.iter().copied().chain([definition.institution]).map(InstitutionId);
    let of_courses = courses.keys().map(|(institution, _)| *institution);
    let institutions: BTreeSet<InstitutionId> =
        credit.map(|one| one.institution).chain(of_courses).chain(confer).collect();
    for institution in institutions {
        for key in [CourseKey::Conversion, CourseKey::Recognition] {
            held.extend(view.held(account, institution, &key)?);
        }
    }
    let is_pass = |one: &Candidate| {
        one.counted_course().is_some_and(|course| courses.contains_key(&(course.institution(), course.id())))
    };
    let mut found = Vec::new();
    let mut places = BTreeSet::new();
    for one in held.iter().filter(|one| !one.marks.have_ended()) {
        if !places.insert(one.place) {
            continue;
        }
        let used = at(view, one.place, account, "allocations")?;
        if is_embargoed(used.visible_from().as_ref(), today) {
            continue;
        }
        let of = candidates(view.registry(), definition, &used).into_iter();
        found.extend(of.filter(|one| is_pass(one) && !known.contains(&one.portion())));
    }
    Ok(found)
}

/// The learner's standing awards that a definition's requirements name.
pub(super) fn held_awards(
    view: &impl View,
    definition: &QualificationDefinition,
    account: &AccountId,
) -> Result<Vec<(Place, HeldAward)>, AdmissionError> {
    let asked: Vec<QualificationName> = definition.requirements.iter().flat_map(|one| one.awards.clone()).collect();
    let institutions: BTreeSet<InstitutionId> = asked.iter().map(|name| name.institution.into()).collect();
    let mut found = Vec::new();
    for institution in institutions {
        for held in view.held(account, institution, &CourseKey::Award)? {
            let used = at(view, held.place, account, "allocations")?;
            let award = award_of(view, &used)?.filter(|award| has(&asked, &award.definition));
            found.extend(award.map(|award| (used.place, award)));
        }
    }
    Ok(found)
}

/// A record as an award that the learner holds, where it is one that stands.
pub fn award_of(view: &impl View, used: &Used) -> Result<Option<HeldAward>, AdmissionError> {
    if used.record.kind() != Kind::Award {
        return Ok(None);
    }
    match super::used::standing(view, used, "allocations") {
        Ok(()) => {}
        Err(AdmissionError::Rejected(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    let read = used.record.read::<pb::Award>().ok();
    let conferred = read.as_ref().and_then(|award| award.conferred.as_ref()).map_or(0, first_day);
    Ok(read.and_then(|award| award.definition).map(|definition| HeldAward { definition, conferred }))
}

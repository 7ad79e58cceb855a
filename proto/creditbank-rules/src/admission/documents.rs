//! Documents of an award: what each says, and that an institution gives a number once.

use creditbank_protocol::course_code::{self, CourseCodeError};
use creditbank_protocol::pb::{
    AmendReason, Award, AwardDocument, AwardDocumentState as State, AwardDocumentType, DocumentNumber,
};
use creditbank_protocol::{InstitutionId, Place};

use super::AdmissionError;
use super::derived::Issuing;
use super::fields::{present, require};
use super::recognition::past_day;
use crate::{DocumentKey, Rejection, Rule, View};

const FIELD: &str = "documents";

/// Checks the documents of an award that the institutions `among` confer. `former` is the award that it amends.
pub(super) fn check(
    view: &impl View,
    issuing: Issuing,
    award: &Award,
    among: &[u64],
    former: Option<(Place, &Award)>,
) -> Result<(), AdmissionError> {
    let latest = issuing.latest_day();
    for document in &award.documents {
        present(document.r#type() != AwardDocumentType::Unspecified, FIELD, "a type of each")?;
        present(document.state() != State::Unspecified, FIELD, "a state of each")?;
        past_day(document.issued.as_ref(), FIELD, latest)?;
        let by = document.institution;
        let fits = by == 0 || by != issuing.institution.0 && among.contains(&by);
        let expected = "no institution, or another one that confers the award";
        require(fits, Rule::Contradiction, FIELD, expected, by)?;
        document.number.iter().chain(&document.replaces).try_for_each(number)?;
    }
    replaced(&award.documents)?;
    let keys = DocumentKey::of_award(award, issuing.institution);
    let twice = (1..keys.len()).find(|at| keys[..*at].contains(&keys[*at]));
    twice.map_or(Ok(()), |at| Err(used(award, at, "another document of this award")))?;
    kept(issuing.institution, award, former, &keys)?;
    for (at, key) in keys.iter().enumerate() {
        for place in view.documents(key)? {
            // Of a learner who was erased nobody knows any more whether the award stood.
            let ended = view.record_at(place)?.is_some_and(|facts| facts.marks.have_ended());
            if !ended && former.is_none_or(|(own, _)| own != place) {
                return Err(used(award, at, &format!("the award at {place}")).into());
            }
        }
    }
    Ok(())
}

fn number(given: &DocumentNumber) -> Result<(), Rejection> {
    present(!given.number.is_empty(), FIELD, "a number beside a series")?;
    // So that no number looks like another one. It is not repeated: it is the learner's.
    for (text, name) in [(&given.series, "series"), (&given.number, "number")] {
        let found = match course_code::check(text) {
            Ok(()) => continue,
            Err(CourseCodeError::TooLong { found }) => format!("a {name} of {found} characters"),
            Err(CourseCodeError::Character(odd)) => format!("a {name} with {} at character {}", odd.what, odd.position),
        };
        let expected = "series and number of at most 64 visible characters, with single spaces inside";
        return Err(Rejection::new(Rule::InvalidCode, expected, found).field(FIELD));
    }
    Ok(())
}

/// What a document stands in the place of is no longer valid, where the award lists it.
fn replaced(documents: &[AwardDocument]) -> Result<(), Rejection> {
    for document in documents {
        let Some(original) = &document.replaces else { continue };
        let is_original = |number: &DocumentNumber| DocumentKey::is_same(number, original);
        let same = |one: &&AwardDocument| {
            one.institution == document.institution && one.number.as_ref().is_some_and(is_original)
        };
        let stands = documents.iter().find(same).is_some_and(|one| one.state() == State::Issued);
        let own = document.number.as_ref().is_some_and(is_original);
        let expected = "an original that is another document, and no longer issued";
        require(!stands && !own, Rule::Contradiction, FIELD, expected, "one that is")?;
    }
    Ok(())
}

/// An amendment lists every number that the amended award had. One that was listed in error may be left out.
fn kept(
    institution: InstitutionId,
    award: &Award,
    former: Option<(Place, &Award)>,
    keys: &[DocumentKey],
) -> Result<(), Rejection> {
    let error = award.amends.as_ref().is_some_and(|amends| amends.reason() == AmendReason::Error);
    let Some((_, before)) = former.filter(|_| !error) else { return Ok(()) };
    let gone = DocumentKey::of_award(before, institution).into_iter().filter(|key| !keys.contains(key)).count();
    let expected = "every number of the amended award (unless it was an error)";
    require(gone == 0, Rule::Contradiction, FIELD, expected, format_args!("{gone} fewer"))
}

/// The refusal of the document whose number is the award's, counted from 0.
fn used(award: &Award, at: usize, by: &str) -> Rejection {
    let expected = "a number that no other award or document of the institution has in this series";
    let numbered = award.documents.iter().zip(1..).filter(|(one, _)| one.number.is_some());
    let position: usize = numbered.map(|(_, position)| position).nth(at).unwrap_or(0);
    // The number is not repeated: it is the learner's.
    let found = format!("document {position} with one that {by} has");
    Rejection::new(Rule::DocumentNumberUsed, expected, found).field(FIELD)
}

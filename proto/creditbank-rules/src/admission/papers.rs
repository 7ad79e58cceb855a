//! Papers of mandates: an institution uses each once for each kind of record. The digest in the log cannot tell, as its
//! salt is the institution's own.

use creditbank_protocol::course_code;
use creditbank_protocol::record::Record;
use creditbank_protocol::{InstitutionId, Place};

use super::AdmissionError;
use super::fields::require;
use super::kinds::malformed;
use crate::{PaperKey, Rejection, Rule, View};

/// Checks that the reference of a paper is written so that it looks like no other one.
pub(super) fn written(reference: &str) -> Result<(), Rejection> {
    course_code::check_characters(reference).map_err(|odd| {
        let expected = "a reference of visible characters, with single spaces inside";
        // The reference is not repeated: it may name the learner.
        let found = format!("{} as character {}", odd.what, odd.position);
        Rejection::new(Rule::InvalidCode, expected, found).field("mandate")
    })
}

/// The paper of a record of an institution, if it stands on one: no other record of the kind does. An amendment may stand on
/// the paper of what it amends.
pub(super) fn check(
    view: &impl View,
    institution: InstitutionId,
    record: &Record,
    amends: Option<Place>,
) -> Result<Option<PaperKey>, AdmissionError> {
    let Some(paper) = PaperKey::of_record(record, institution).map_err(malformed)? else { return Ok(None) };
    let used = view.papers(&paper)?;
    let own = amends.is_some_and(|target| used.contains(&target));
    let other = used.first().filter(|_| !own).map_or(String::new(), ToString::to_string);
    let expected = "a paper that no other record of this kind stands on: ask the learner for another one";
    let found = format_args!("one on which the record at {other} stands");
    require(other.is_empty(), Rule::MandateUsed, "mandate", expected, found)?;
    Ok(Some(paper))
}

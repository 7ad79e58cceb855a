//! What is converted: the records that were named, or those of a transcript that fit.

use creditbank_client::authoring::grade_of;
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, AgreementTerms, DisclosedRecord, Kind, Tier};
use creditbank_protocol::transcript::TranscriptRecord;
use creditbank_protocol::{InstitutionId, Place, names};
use creditbank_rpc::v1::{PreviewConversionRequest, PreviewSource, StatedResult};

use super::What;
use crate::evaluator::shown::{Shown, against};
use crate::failure::Failure;
use crate::values;

/// A record of the transcript that is not converted.
pub(super) struct Skipped {
    pub(super) place: String,
    pub(super) reason: String,
}

/// What is converted, and what is not.
pub(super) struct Chosen {
    pub(super) sources: Vec<PreviewSource>,
    pub(super) left_out: Vec<Skipped>,
}

fn order(source: &PreviewSource) -> (Place, u32) {
    (Place::read(source.place), source.result_plus_1)
}

/// A source as the command line names it: `34/718`, `34/718#2`.
pub(super) fn shown_place(source: &PreviewSource) -> String {
    let (place, result) = order(source);
    if result == 0 { place.to_string() } else { format!("{place}#{result}") }
}

/// The records that the command line names, in order.
pub(super) fn named(what: &What) -> Result<Vec<PreviewSource>, Failure> {
    if what.places.is_empty() {
        return Err(Failure::Usage("name the record that is to be converted: --place 34/718".to_owned()));
    }
    let source =
        |(place, result): &(Place, u32)| PreviewSource { place: Some((*place).into()), result_plus_1: *result };
    let mut sources: Vec<PreviewSource> = what.places.iter().map(source).collect();
    sources.sort_by_key(order);
    match sources.windows(2).find(|two| order(&two[0]) == order(&two[1])) {
        Some(twice) => {
            let (place, _) = order(&twice[0]);
            Err(Failure::Usage(format!("{place} is named twice")))
        }
        None => Ok(sources),
    }
}

/// What is converted under an agreement: what was named, or all of the transcript that fits.
pub(super) fn under_agreement(
    what: &What,
    shown: Option<&Shown>,
    terms: &AgreementTerms,
    receiver: InstitutionId,
) -> Result<Chosen, Failure> {
    let Some(shown) = shown.filter(|_| what.places.is_empty()) else {
        return Ok(Chosen { sources: named(what)?, left_out: Vec::new() });
    };
    let mut chosen = Chosen { sources: Vec::new(), left_out: Vec::new() };
    for record in &shown.report.records {
        match fitting(shown, record, terms, receiver) {
            Ok(results) => {
                let place = record.place.written();
                let source = |result_plus_1| PreviewSource { place, result_plus_1 };
                chosen.sources.extend(results.into_iter().map(source));
            }
            Err(reason) => {
                chosen.left_out.push(Skipped { place: record.place.to_string(), reason });
            }
        }
    }
    chosen.sources.sort_by_key(order);
    if chosen.sources.is_empty() {
        let reasons: Vec<String> =
            chosen.left_out.iter().map(|one| format!("\n{}: {}", one.place, one.reason)).collect();
        let what = format!("nothing in the transcript fits the agreement{}", reasons.concat());
        return Err(Failure::NotValid(what));
    }
    Ok(chosen)
}

/// Which parts of a record fit: 0 for the record itself, or its results from 1; else why none does.
fn fitting(
    shown: &Shown,
    record: &TranscriptRecord,
    terms: &AgreementTerms,
    receiver: InstitutionId,
) -> Result<Vec<u32>, String> {
    let of_unit = |amount: Option<&pb::Amount>| amount.is_some_and(|amount| amount.unit == terms.source_unit);
    let body = &record.disclosed.body;
    let parts: Vec<u32> = match record.disclosed.info.kind {
        Kind::Credit => {
            let credit: pb::Credit = decode(body).unwrap_or_default();
            if of_unit(credit.amount.as_ref()) { vec![0] } else { Vec::new() }
        }
        Kind::Conversion => {
            let conversion: pb::Conversion = decode(body).unwrap_or_default();
            let fits = |(at, result): (u32, &pb::ConvertedCredit)| of_unit(result.amount.as_ref()).then_some(at);
            (1u32..).zip(&conversion.results).filter_map(fits).collect()
        }
        Kind::QualificationRecognition => {
            return Err("it is a recognition: its exemptions count at the institution that gave them alone".to_owned());
        }
        other => return Err(format!("it carries no credit ({})", names::of(other))),
    };
    let subject = record.owner().0;
    if subject == receiver.0 {
        return Err("it is the receiver's own".to_owned());
    }
    if let Some(mark) = against(record) {
        return Err(mark.to_owned());
    }
    if terms.tier() == Tier::Institution && subject != terms.sender {
        return Err(format!("it is of institution {subject}, the agreement is about {}", terms.sender));
    }
    if parts.is_empty() {
        return Err(format!("it is in another unit than {}", terms.source_unit));
    }
    if shown.whole(record.place).is_none() {
        return Err("it is shown in part only".to_owned());
    }
    Ok(parts)
}

/// The records of the transcript among the sources, as they were shown.
pub(super) fn shown(shown: Option<&Shown>, sources: &[PreviewSource]) -> Vec<DisclosedRecord> {
    let mut records: Vec<DisclosedRecord> = Vec::new();
    for place in sources.iter().filter_map(|source| source.place) {
        if records.last().and_then(|last| last.place) != Some(place)
            && let Some(whole) = shown.and_then(|shown| shown.whole(place.into()))
        {
            records.push(whole.clone());
        }
    }
    records
}

/// What the command line states of single results: levels, and grades with their reason.
pub(super) fn state(request: &mut PreviewConversionRequest, what: &What, scale: &str) -> Result<(), Failure> {
    let split = |text: &str| -> Result<(u32, String), Failure> {
        let usage = |why: String| Failure::Usage(format!("{text:?}: {why}"));
        let (place, value) =
            text.split_once('=').ok_or_else(|| usage("expected PLACE=VALUE, as 34/718=14".to_owned()))?;
        let wanted = values::source(place).map_err(usage)?;
        let at = request.sources.iter().position(|source| order(source) == wanted);
        let at = at.ok_or_else(|| usage("that record is not among those that are converted".to_owned()))?;
        Ok((u32::try_from(at).unwrap_or(u32::MAX), value.to_owned()))
    };
    let mut said: Vec<StatedResult> = Vec::new();
    for text in &what.levels {
        let (source, value) = split(text)?;
        let level = Some(values::level(&value).map_err(Failure::Usage)?);
        said.push(StatedResult { source, level, ..Default::default() });
    }
    for text in &what.grades {
        let (source, value) = split(text)?;
        let grade = match grade_of(&value) {
            Some(grade) => grade,
            None if scale.is_empty() => {
                return Err(Failure::Usage(format!("{text:?}: name the scale too, as 34/718=FR-20:14")));
            }
            None => pb::Grade { scale: scale.to_owned(), value },
        };
        let override_reason = what.reason.clone().unwrap_or_default();
        said.push(StatedResult { source, grade: Some(grade), override_reason, ..Default::default() });
    }
    for one in said {
        let Some(known) = request.stated.iter_mut().find(|known| known.source == one.source) else {
            request.stated.push(one);
            continue;
        };
        known.level = one.level.or(known.level.take());
        if one.grade.is_some() {
            (known.grade, known.override_reason) = (one.grade, one.override_reason);
        }
    }
    request.stated.sort_by_key(|stated| stated.source);
    Ok(())
}

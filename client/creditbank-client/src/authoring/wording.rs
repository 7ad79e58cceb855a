//! What a record says that is more than a result, in lines: so that nobody approves it blind.

use creditbank_protocol::canonical::Canonical;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::decimal::show_e4;

use crate::authoring::agreement::in_words;

/// A document of an award in words: `diploma A 123, issued 2026-06-30, replaced`.
pub fn document(document: &pb::AwardDocument) -> String {
    let number = |number: &pb::DocumentNumber| {
        let parts = [number.series.as_str(), number.number.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let mut text = names::of(document.r#type());
    match &document.number {
        Some(given) => text = format!("{text} {}", number(given)),
        None => text.push_str(" without a number"),
    }
    if document.institution != 0 {
        text = format!("{text} of institution {}", document.institution);
    }
    if let Some(issued) = &document.issued {
        text = format!("{text}, {}", creditbank_rules::dates::show(issued));
    }
    if document.state() != pb::AwardDocumentState::Issued {
        text = format!("{text}, {}", names::of(document.state()));
    }
    if let Some(original) = &document.replaces {
        text = format!("{text}, in the place of {}", number(original));
    }
    text
}

/// The lines; none of an Identity, Outcome, Credit or Result, which are counted.
pub(crate) fn of(record: &Record) -> Vec<String> {
    fn read<M: Canonical>(record: &Record) -> M {
        record.read().unwrap_or_default()
    }
    let place = |place: Option<pb::Place>| {
        let place = place.unwrap_or_default();
        format!("{}/{}", place.entry, place.index)
    };
    match record.kind() {
        Kind::AgreementProposal => in_words(&read::<pb::AgreementProposal>(record).terms.unwrap_or_default()),
        Kind::Application => vec![format!("application: {}", read::<pb::Application>(record).asked)],
        Kind::Appeal => {
            let appeal: pb::Appeal = read(record);
            vec![format!("appeal against {}: {}", place(appeal.decision), appeal.grounds)]
        }
        Kind::Decision => {
            let decision: pb::Decision = read(record);
            let kind = names::of(decision.r#type());
            let about = place(decision.application.or(decision.appeal));
            vec![format!("decision on {about}: {kind}, by {}", decision.decider)]
        }
        Kind::Conversion => {
            let conversion: pb::Conversion = read(record);
            let amount = |amount: &pb::Amount| format!("{} {}", show_e4(amount.e4), amount.unit);
            let amounts = conversion.results.iter().filter_map(|result| result.amount.as_ref()).map(amount);
            let amounts: Vec<String> = amounts.collect();
            vec![format!("conversion into {}, by {}", amounts.join(" + "), conversion.decider)]
        }
        Kind::Award => {
            let award: pb::Award = read(record);
            let basis = names::of(award.basis());
            let name = award.definition.map(|name| format!("{}/{}.{}", name.institution, name.code, name.version));
            let title = award.titles.first().map(|title| title.value.clone());
            let what = name.or(title).unwrap_or_default();
            let mut lines = vec![format!("award of {what}, {basis}, by {}", award.decider)];
            lines.extend(award.documents.iter().map(document));
            if !award.consumes_none.is_empty() {
                lines.push(format!("consumes none of the ledger's credits: {}", award.consumes_none));
            }
            lines
        }
        Kind::QualificationRecognition => {
            let recognition: pb::QualificationRecognition = read(record);
            let of = place(recognition.qualification.and_then(|of| of.place));
            vec![format!("recognition of {of}, by {}", recognition.decider)]
        }
        Kind::ForeignAward => {
            let diploma: pb::ForeignAward = read(record);
            let title = diploma.titles.first().map(|title| title.value.clone()).unwrap_or_default();
            let mut lines =
                vec![format!("diploma of elsewhere: {title}, {}, {}", diploma.institution, diploma.country)];
            let distinct = |one: pb::DistinctAward| {
                format!("not the same as {}: {}", place(one.award.and_then(|award| award.place)), one.reason)
            };
            lines.extend(diploma.distinct_from.into_iter().map(distinct));
            lines
        }
        kind => {
            let name = RegistryKey::of(kind, record.body()).map(|key| key.to_string());
            name.map(|name| format!("{} {name}", names::of(kind))).into_iter().collect()
        }
    }
}

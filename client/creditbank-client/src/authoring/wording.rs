//! What a record says that is more than a result, in lines: so that nobody approves it blind.

use creditbank_protocol::canonical::Canonical;
use creditbank_protocol::names;
use creditbank_protocol::pb::{self, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::decimal::show_e4;

use crate::authoring::agreement::in_words;

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
            vec![format!("award of {what}, {basis}, certificate {}, by {}", award.certificate_number, award.decider)]
        }
        Kind::QualificationRecognition => {
            let recognition: pb::QualificationRecognition = read(record);
            let title = recognition.qualification.and_then(|found| found.titles.into_iter().next());
            vec![format!("recognition of {}", title.map(|title| title.value).unwrap_or_default())]
        }
        kind => {
            let name = RegistryKey::of(kind, record.body()).map(|key| key.to_string());
            name.map(|name| format!("{} {name}", names::of(kind))).into_iter().collect()
        }
    }
}

//! `decide`: a decision on an application or an appeal, or a step towards one. The last day of an appeal is the law's.

use creditbank_client::sealing::{Contents, record};
use creditbank_client::{Client, ReadRecord};
use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, ConditionType, DecisionType, DifferenceType, Kind};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{Place, names};
use creditbank_rules::admission::case::is_final;
use creditbank_rules::dates;
use prost_reflect::prost::Message as _;
use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{entries, output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The application or the appeal: entry and index, as 34/718
    place: Place,
    /// full, partial, alternative, conditional, refused, cannot-be-verified, documents-missing (the clock stops),
    /// documents-received (it goes on), withdrawn
    #[arg(long = "type", value_parser = values::named::<DecisionType>)]
    kind: DecisionType,
    /// The person who answers for it
    #[arg(long)]
    decider: String,
    /// The law or statute on which it rests
    #[arg(long, default_value = "")]
    legal_basis: String,
    /// With partial: a record that is recognised
    #[arg(long = "recognised", value_name = "PLACE")]
    recognised: Vec<Place>,
    /// With alternative: what is recognised instead
    #[arg(long, default_value = "")]
    alternative: String,
    /// With conditional: aptitude-test, bridging-course, adaptation-period or other, and the text, as other:TEXT
    #[arg(long = "condition", value_name = "TYPE:TEXT", value_parser = condition)]
    conditions: Vec<pb::Condition>,
    /// With refused: level, workload, quality, profile or outcomes, and why the difference is substantial, as level:TEXT
    #[arg(long = "difference", value_name = "TYPE:REASON", value_parser = difference)]
    differences: Vec<pb::SubstantialDifference>,
    /// With documents-missing: which
    #[arg(long, default_value = "")]
    missing: String,
    /// The day of the decision [default: today]
    #[arg(long, value_parser = values::date)]
    decided: Option<pb::Date>,
    #[command(flatten)]
    signing: Signing,
}

fn typed(text: &str) -> Result<(&str, String), String> {
    let parts = text.split_once(':').filter(|(_, words)| !words.trim().is_empty());
    parts.map(|(kind, words)| (kind, words.trim().to_owned())).ok_or_else(|| "expected TYPE:TEXT".to_owned())
}

fn condition(text: &str) -> Result<pb::Condition, String> {
    let (kind, text) = typed(text)?;
    let kind: ConditionType = values::named(kind)?;
    Ok(pb::Condition { r#type: kind.into(), text })
}

fn difference(text: &str) -> Result<pb::SubstantialDifference, String> {
    let (kind, reason) = typed(text)?;
    let kind: DifferenceType = values::named(kind)?;
    Ok(pb::SubstantialDifference { r#type: kind.into(), reason })
}

/// The message of a record that was read.
pub(super) fn read_as<M: creditbank_protocol::canonical::Canonical>(read: &ReadRecord) -> Result<M, Failure> {
    decode(&read.disclosed.body).map_err(|error| Failure::NotValid(error.to_string()))
}

/// The application of an open step, and the appeal where it is one.
async fn case(client: &Client, place: Place) -> Result<(pb::Application, Option<Place>), Failure> {
    let read = client.record(place).await?;
    match read.disclosed.info.kind {
        Kind::Application => Ok((read_as(&read)?, None)),
        Kind::Appeal => {
            let appeal: pb::Appeal = read_as(&read)?;
            let decision = client.record(appeal.decision.unwrap_or_default()).await?;
            let decision: pb::Decision = read_as(&decision)?;
            let application = client.record(decision.application.unwrap_or_default()).await?;
            Ok((read_as(&application)?, Some(place)))
        }
        other => {
            let found = names::of(other);
            Err(Failure::NotValid(format!("{place}: expected an application or an appeal, found a {found}")))
        }
    }
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { place, kind, decider, legal_basis, recognised, alternative, conditions, differences, .. } =
        arguments;
    let (missing, signing) = (arguments.missing, arguments.signing);
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let (application, appeal) = case(&client, place).await?;
    let law = RegistryKey::LegalDeadline(application.deadline.clone());
    let unknown = || format!("the registry has no legal deadline {}", application.deadline);
    let law: pb::LegalDeadline = entries::read(&client, &law, unknown).await?;
    let decided = arguments.decided.unwrap_or_else(creditbank_client::today);
    let open = appeal.is_none() && is_final(kind) && kind != DecisionType::Withdrawn && law.appeal_days > 0;
    let until = open.then(|| dates::date_of(dates::first_day(&decided) + i64::from(law.appeal_days)));
    let mut recognised: Vec<pb::Place> = recognised.into_iter().map(pb::Place::from).collect();
    recognised.sort_by_cached_key(pb::Place::encode_to_vec);
    recognised.dedup();
    let decision = pb::Decision {
        learner: application.learner,
        application: if appeal.is_none() { place.written() } else { None },
        appeal: appeal.and_then(Place::written),
        r#type: kind.into(),
        decided: Some(decided),
        decider,
        legal_basis,
        recognised,
        alternative,
        conditions,
        differences,
        missing_documents: missing,
        appeal_until: until,
        appeal_instance: if open { law.appeal_instance } else { String::new() },
        amends: None,
    };
    let contents = Contents::of([record(&unit, Kind::Decision, &decision, &signing.reference)?]);
    let name = names::of(kind);
    let until = until.as_ref().map(dates::show);
    let value = json!({
        "type": name, "decided": dates::show(&decided), "appeal_until": until,
        "appeal_instance": decision.appeal_instance,
    });
    let no_appeal = || "none".to_owned();
    let text = output::facts([
        ("decision", name),
        ("decided", dates::show(&decided)),
        ("by", show::safe(&decision.decider)),
        (
            "appeal until",
            until.map_or_else(no_appeal, |day| format!("{day}, {}", show::safe(&decision.appeal_instance))),
        ),
    ]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}

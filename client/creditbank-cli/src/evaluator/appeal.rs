//! `appeal`: an objection to a decision, as the institution that decided records it.

use std::path::PathBuf;

use creditbank_client::recognition::consent::mandate;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::dates;
use serde_json::json;

use super::apply::digests;
use super::decide::read_as;
use super::mandated::Mandated;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The decision: entry and index, as 34/718
    #[arg(value_parser = values::place)]
    decision: pb::Place,
    /// Why the decision is wrong, in the applicant's words
    #[arg(long)]
    grounds: String,
    /// A document that stays with you: its SHA-256 stands in the record
    #[arg(long, value_name = "FILE")]
    evidence: Vec<PathBuf>,
    /// The day on which it was received [default: today]
    #[arg(long, value_parser = values::date)]
    received: Option<pb::Date>,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { decision, grounds, evidence, received, mandated, signing } = arguments;
    let consent = mandated.consent()?;
    let evidence = digests(&evidence)?;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let read = client.record(decision).await?;
    if read.disclosed.info.kind != Kind::Decision {
        let (place, kind) = (values::show_place(&decision), show::kind_names(read.disclosed.info.kind).1);
        return Err(Failure::NotValid(format!("{place}: expected a decision, found a {kind}")));
    }
    let decided: pb::Decision = read_as(&read)?;
    let received = received.unwrap_or_else(creditbank_client::today);
    let draft = pb::Appeal {
        learner: decided.learner,
        decision: Some(decision),
        grounds,
        evidence,
        received: Some(received),
        mandate: None,
        amends: None,
    };
    let given = mandate(client.origin(), &unit, Kind::Appeal, &draft, &consent)?;
    let appeal = pb::Appeal { mandate: Some(given), ..draft };
    let contents = Contents::of([record(&unit, Kind::Appeal, &appeal, &signing.reference)?]);
    let until = decided.appeal_until.as_ref().map(dates::show);
    let value =
        json!({ "decision": values::show_place(&decision), "received": dates::show(&received), "appeal_until": until });
    let text = output::facts([
        ("appeal against", values::show_place(&decision)),
        ("received", dates::show(&received)),
        ("last day", until.unwrap_or_else(|| "the decision names none".to_owned())),
        ("decided by", show::safe(&decided.appeal_instance)),
    ]);
    signing.seal(global, &client, &unit, &contents, (value, text)).await
}

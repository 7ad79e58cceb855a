//! `appeal`: an objection to a decision, as the institution that decided records it.

use creditbank_client::recognition::consent::mandate;
use creditbank_client::sealing::{Contents, record};
use creditbank_protocol::Place;
use creditbank_protocol::pb::{self, Kind};
use creditbank_rules::dates;
use serde_json::json;

use super::decide::read_as;
use super::mandated::{Mandated, wish};
use super::received::Received;
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Signing;
use crate::{output, show};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The decision: entry and index, as 34/718
    decision: Place,
    /// Why the decision is wrong, in the applicant's words
    #[arg(long)]
    grounds: String,
    #[command(flatten)]
    received: Received,
    /// Why it comes after its last day, where it does: you decide whether that is excused
    #[arg(long, value_name = "TEXT")]
    late_reason: Option<String>,
    #[command(flatten)]
    mandated: Mandated,
    #[command(flatten)]
    signing: Signing,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { decision, grounds, received, late_reason, mandated, signing } = arguments;
    let consent = mandated.consent()?;
    let evidence = received.evidence()?;
    let client = global.connect().await?;
    let unit = signing.unit(global, &client).await?;
    let read = client.record(decision).await?;
    if read.disclosed.info.kind != Kind::Decision {
        let found = show::one_of(read.disclosed.info.kind);
        return Err(Failure::NotValid(format!("{decision}: expected a decision, found {found}")));
    }
    let decided: pb::Decision = read_as(&read)?;
    let received = received.day();
    let is_late =
        decided.appeal_until.as_ref().is_some_and(|until| dates::first_day(&received) > dates::first_day(until));
    let late = match (is_late, late_reason) {
        (false, None) => None,
        (true, Some(reason)) => Some(pb::Late { reason, ..Default::default() }),
        (false, Some(_)) => {
            return Err(Failure::Usage("--late-reason: the appeal is in time: leave it out".to_owned()));
        }
        (true, None) => {
            let until = decided.appeal_until.as_ref().map(dates::show).unwrap_or_default();
            let why = format!("its last day was {until}: say why it comes late with --late-reason TEXT");
            return Err(Failure::Usage(why));
        }
    };
    let draft = pb::Appeal {
        learner: decided.learner,
        decision: decision.written(),
        grounds,
        evidence,
        received: Some(received),
        mandate: None,
        amends: None,
        late,
    };
    let wish = wish(&signing.reference, &draft)?;
    let given = mandate(client.origin(), &unit, Kind::Appeal, &draft, mandated.given(&consent, &signing.reference))?;
    let appeal = pb::Appeal { mandate: Some(given), ..draft };
    let contents = Contents::of([record(&unit, Kind::Appeal, &appeal, &signing.reference)?]);
    let until = decided.appeal_until.as_ref().map(dates::show);
    let value = json!({ "decision": decision.to_string(), "received": dates::show(&received), "appeal_until": until });
    let text = output::facts([
        ("appeal against", decision.to_string()),
        ("received", dates::show(&received)),
        ("last day", until.unwrap_or_else(|| "none: not notified, or the law gives no number".to_owned())),
        ("decided by", show::safe(&decided.appeal_instance)),
    ]);
    if signing.resumed(global, &client, &unit, &wish, value.clone()).await? {
        return Ok(());
    }
    signing.seal(global, &client, &unit, &contents.requested(&wish), (value, text)).await
}

//! `notify`: how and when a decision was made known that was sealed before. From then on the time for an appeal runs.

use creditbank_client::correct::{Change, Correction, NewBody, Target};
use creditbank_protocol::Place;
use creditbank_protocol::canonical::encode;
use creditbank_protocol::pb::{self, AmendReason, Kind, NoticeChannel};
use creditbank_protocol::registry::RegistryKey;
use creditbank_rules::dates;

use super::decide::{appealable, case, last_day, read_as};
use crate::connect::Global;
use crate::failure::Failure;
use crate::registrar::correct::{Common, Work, one};
use crate::signing::Needs;
use crate::{entries, show, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The decision: entry and index, as 34/718
    place: Place,
    /// letter, electronic, portal or delivered
    #[arg(long, value_parser = values::named::<NoticeChannel>)]
    channel: NoticeChannel,
    /// The day on which it was posted, sent, retrieved or handed over [default: today]
    #[arg(long, value_parser = values::date)]
    notified: Option<pb::Date>,
    /// The day on which it is known to have arrived, where that is later than the law has it
    #[arg(long, value_parser = values::date)]
    arrived: Option<pb::Date>,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { place, channel, notified, arrived, common } = arguments;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, "", Needs::Seeds).await?;
    let read = client.record(place).await?;
    let kind = read.disclosed.info.kind;
    if kind != Kind::Decision {
        return Err(Failure::NotValid(format!("{place}: expected a decision, found {}", show::one_of(kind))));
    }
    let mut decision: pb::Decision = read_as(&read)?;
    let before = decision.clone();
    let follows = Place::read(decision.application.or(decision.appeal));
    let (application, _) = case(&client, follows).await?;
    let unknown = || format!("the registry has no legal deadline {}", application.deadline);
    let key = RegistryKey::LegalDeadline(application.deadline.clone());
    let law: pb::LegalDeadline = entries::read(&client, &key, unknown).await?;
    decision.channel = channel.into();
    decision.notified = Some(notified.unwrap_or_else(creditbank_client::today));
    decision.arrived = arrived;
    let counts = appealable(&mut decision, &law);
    if decision == before {
        return Err(Failure::NotValid(format!("nothing was changed: {place} says so already")));
    }
    let body = encode(&decision).map_err(|error| Failure::NotValid(error.to_string()))?;
    let change = Change::Amend(AmendReason::Other, NewBody::Bytes(Kind::Decision, body));
    let corrections = one(Correction { line: 0, target: Target::At(place), change });
    let work = Work { file: None, corrections, case_reference: "", verb: "amended" };
    common.run(global, &client, &unit, work).await?;
    if let Some(day) = counts {
        let (day, last) = (dates::show(&dates::date_of(day)), last_day(&decision, &law));
        eprintln!("the decision counts as notified on {day}; last day of an appeal: {last}");
    }
    Ok(())
}

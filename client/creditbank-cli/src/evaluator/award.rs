//! `award revoke`: an award is taken back, and lets go of what it held.

use creditbank_client::correct::{Change, Correction, Target};
use creditbank_protocol::pb::{EffectReason, Kind};
use creditbank_protocol::{Place, names};

use crate::connect::Global;
use crate::failure::Failure;
use crate::registrar::correct::{Common, Work, one};
use crate::signing::Needs;
use crate::values;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Take an award back: the records that it had redeemed are released, and what stands on it comes under review
    Revoke {
        /// The award: entry and index, as 34/718
        place: Place,
        /// error, rule, decision or other; the log holds no other words about it
        #[arg(long, value_parser = values::named::<EffectReason>)]
        reason: EffectReason,
        #[command(flatten)]
        common: Common,
    },
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let Command::Revoke { place, reason, common } = command;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, "", Needs::NoSeeds).await?;
    let found = client.record(place).await?.disclosed.info.kind;
    if found != Kind::Award {
        let found = names::of(found);
        return Err(Failure::NotValid(format!("{place}: expected an award, found a {found}: see `creditbank revoke`")));
    }
    let corrections = one(Correction { line: 0, target: Target::At(place), change: Change::Revoke(reason) });
    let work = Work { file: None, corrections, case_reference: "", verb: "revoked" };
    common.run(global, &client, &unit, work).await
}

//! `award revoke`: an award is taken back, and lets go of what it held.

use creditbank_client::correct::{Change, Correction, Target, reason};
use creditbank_protocol::pb::{self, EffectReason, Kind};

use crate::connect::Global;
use crate::failure::Failure;
use crate::registrar::correct::{Common, Work, one};
use crate::{show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Take an award back: the records that it had redeemed are released, and what stands on it comes under review
    Revoke {
        /// The award: entry and index, as 34/718
        #[arg(value_parser = values::place)]
        place: pb::Place,
        /// error, rule, decision or other; the log holds no other words about it
        #[arg(long, value_parser = known)]
        reason: EffectReason,
        #[command(flatten)]
        common: Common,
    },
}

fn known(text: &str) -> Result<EffectReason, String> {
    reason(text).ok_or_else(|| "expected error, rule, decision or other".to_owned())
}

pub(crate) async fn run(global: &Global, command: Command) -> Result<(), Failure> {
    let Command::Revoke { place, reason, common } = command;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, "").await?;
    let found = client.record(place).await?.disclosed.info.kind;
    if found != Kind::Award {
        let (place, kind) = (values::show_place(&place), show::kind_names(found).1);
        return Err(Failure::NotValid(format!("{place}: expected an award, found a {kind}: see `creditbank revoke`")));
    }
    let corrections = one(Correction { line: 0, target: Target::At(place.into()), change: Change::Revoke(reason) });
    let work = Work { file: None, corrections, case_reference: "", verb: "revoked" };
    common.run(global, &client, &unit, work).await
}

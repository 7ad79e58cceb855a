//! `revoke`: records are taken back.

use std::fs::File;
use std::path::PathBuf;

use creditbank_client::correct::{Asked, Change, Correction, Target, effects};
use creditbank_protocol::Place;
use creditbank_protocol::pb::EffectReason;

use super::correct::{Common, Work, one};
use crate::connect::Global;
use crate::failure::Failure;
use crate::values;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV with the column `place` and perhaps one `reason`; left out with --place
    #[arg(required_unless_present = "place")]
    file: Option<PathBuf>,
    /// One record: entry and index, as 34/718
    #[arg(long, conflicts_with = "file", requires = "reason")]
    place: Option<Place>,
    /// error, rule, decision or other; the log holds no other words about it
    #[arg(long, value_parser = values::named::<EffectReason>)]
    reason: Option<EffectReason>,
    /// For the operator, instead of a unit's key: the reference of the case
    #[arg(long, default_value = "")]
    case_reference: String,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, place, reason, case_reference, common } = arguments;
    let corrections = match (&file, place, reason) {
        (Some(path), ..) => effects(File::open(path).map_err(Failure::file(path))?, Asked::Revoke(reason))?,
        (None, Some(place), Some(reason)) => {
            one(Correction { line: 0, target: Target::At(place), change: Change::Revoke(reason) })
        }
        _ => return Err(Failure::Usage("pass --place and --reason, or a file".to_owned())),
    };
    let client = global.connect().await?;
    let unit = common.unit(global, &client, &case_reference).await?;
    let work = Work { file: file.as_deref(), corrections, case_reference: &case_reference, verb: "revoked" };
    common.run(global, &client, &unit, work).await
}

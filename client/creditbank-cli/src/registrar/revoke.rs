//! `revoke`: records are taken back.

use std::fs::File;
use std::path::PathBuf;

use creditbank_client::correct::{Asked, Change, Correction, Target, effects};
use creditbank_protocol::Place;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::EffectReason;

use super::contested::still_contested;
use super::correct::{Common, Work, all, one};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Needs;
use crate::values;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV with the column `place` and perhaps one `reason`; left out with --place
    #[arg(required_unless_present_any = ["place", "all_of_key"])]
    file: Option<PathBuf>,
    /// One record: entry and index, as 34/718
    #[arg(long, conflicts_with = "file", requires = "reason")]
    place: Option<Place>,
    /// Everything that this stolen key has signed or approved and that is still contested
    ///
    /// First undo what it has done (`reinstate`) and confirm what is yours (`confirm`); what `contested list` still
    /// shows as contested is the thief's.
    #[arg(long, value_parser = values::key_id, conflicts_with_all = ["file", "place"], requires = "reason")]
    all_of_key: Option<KeyId>,
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
    let Arguments { file, place, all_of_key, reason, case_reference, common } = arguments;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, &case_reference, Needs::NoSeeds).await?;
    let at = |place, reason| Correction { line: 0, target: Target::At(place), change: Change::Revoke(reason) };
    let corrections = match (&file, place, all_of_key, reason) {
        (Some(path), ..) => effects(File::open(path).map_err(Failure::file(path))?, Asked::Revoke(reason))?,
        (None, Some(place), _, Some(reason)) => one(at(place, reason)),
        (None, None, Some(id), Some(reason)) => {
            all(still_contested(&client, id, None).await?, move |it| at(it, reason))
        }
        _ => return Err(Failure::Usage("pass --place or --all-of-key, and --reason, or a file".to_owned())),
    };
    let work = Work { file: file.as_deref(), corrections, case_reference: &case_reference, verb: "revoked" };
    common.run(global, &client, &unit, work).await
}

//! `reinstate`: what a compromised key has done to records is undone.

use std::fs::File;
use std::path::PathBuf;

use creditbank_client::correct::contest::{ContestedEffect, findings};
use creditbank_client::correct::{Asked, Change, Correction, Target, effects};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::pb::{self, Action};
use creditbank_protocol::registry::RegistryKey;
use creditbank_protocol::{LogIndex, Place, UnitId};

use super::correct::{Common, Work, one};
use crate::connect::Global;
use crate::failure::Failure;
use crate::signing::Needs;
use crate::{entries, values};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A CSV with the column `place` and perhaps one `effect`
    #[arg(required_unless_present_any = ["place", "all_of_key"])]
    file: Option<PathBuf>,
    /// One record: entry and index, as 34/718
    #[arg(long, conflicts_with = "file")]
    place: Option<Place>,
    /// With --place: log index of the effect; needed to open a closed review again
    #[arg(long, requires = "place")]
    effect: Option<u64>,
    /// Everything that this key has superseded and revoked; look at `contested list` first
    #[arg(long, value_parser = values::key_id, conflicts_with_all = ["file", "place"])]
    all_of_key: Option<KeyId>,
    /// With --all-of-key: reviews that the key has closed are opened again too
    #[arg(long, requires = "all_of_key")]
    reviews: bool,
    /// For the operator, instead of a unit's key: the reference of the case
    #[arg(long, default_value = "")]
    case_reference: String,
    #[command(flatten)]
    common: Common,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { file, place, effect, all_of_key, reviews, case_reference, common } = arguments;
    let client = global.connect().await?;
    let unit = common.unit(global, &client, &case_reference, Needs::NoSeeds).await?;
    let at = |place: Place, effect: Option<LogIndex>| Correction {
        line: 0,
        target: Target::At(place),
        change: Change::Reinstate(effect),
    };
    let corrections = match (&file, place, all_of_key) {
        (Some(path), ..) => effects(File::open(path).map_err(Failure::file(path))?, Asked::Reinstate)?,
        (None, Some(place), _) => one(at(place, effect.map(LogIndex))),
        (None, None, Some(id)) => {
            let missing = || "the key is not in the registry".to_owned();
            let entry: pb::Key = entries::read(&client, &RegistryKey::Key(id), missing).await?;
            let found = findings(&client, UnitId::new(entry.institution, entry.unit)).await?.effects;
            let wanted = |one: &&ContestedEffect| {
                let reopens = one.action == Action::CloseReview;
                one.key_id == id && one.holds == Some(true) && (reviews || !reopens)
            };
            // What was done last is undone first: an amendment of an amendment goes before that.
            let wanted: Vec<_> = found.iter().rev().filter(wanted).map(|one| at(one.place, Some(one.entry))).collect();
            Box::new(wanted.into_iter().map(|correction| Ok(Ok(correction))))
        }
        _ => return Err(Failure::Usage("pass a file, --place or --all-of-key".to_owned())),
    };
    let work = Work { file: file.as_deref(), corrections, case_reference: &case_reference, verb: "reinstated" };
    common.run(global, &client, &unit, work).await
}

//! Where a unit's seed secrets are.

use std::path::PathBuf;

use creditbank_client::{Client, KeyPlace, Seeds, Signer};
use creditbank_protocol::UnitId;

use crate::failure::Failure;

/// The file of a unit's seed secrets.
#[derive(clap::Args)]
pub(crate) struct SeedsFile {
    /// The unit's seed secrets [default: unit-INSTITUTION-UNIT.seeds beside the key]
    ///
    /// The file is made when the unit signs its first block. It stays the same when the key changes.
    #[arg(long, env = "CREDITBANK_SEEDS", value_name = "FILE")]
    seeds: Option<PathBuf>,
}

impl SeedsFile {
    /// The secrets of a unit; new ones where it has signed nothing yet. A unit that has signed must bring its file:
    /// with other secrets nothing that was issued would be recognised, and all of it would be issued again.
    pub(crate) async fn open(&self, client: &Client, key: &KeyPlace, unit: UnitId) -> Result<Seeds, Failure> {
        let path = self.seeds.clone().unwrap_or_else(|| Seeds::default_path(key.file(), unit));
        if path.exists() {
            return Ok(Seeds::open(&path, unit)?);
        }
        self.fresh_or_missing(client, path, unit).await
    }

    /// As [`Self::open`], for commands that make no records: they need no seeds, only a secret for their notes. Where
    /// the file is elsewhere, that comes from the key.
    pub(crate) async fn if_there(
        &self,
        client: &Client,
        (place, key): (&KeyPlace, &dyn Signer),
        unit: UnitId,
    ) -> Result<Seeds, Failure> {
        let is_there = self.seeds.is_some() || Seeds::default_path(place.file(), unit).exists();
        if is_there { self.open(client, place, unit).await } else { Ok(Seeds::derived(key.secret()?)) }
    }

    async fn fresh_or_missing(&self, client: &Client, path: PathBuf, unit: UnitId) -> Result<Seeds, Failure> {
        if client.chain_head(unit).await?.next_height == 0 {
            return Ok(Seeds::fresh(&path, unit)?);
        }
        Err(Failure::Usage(format!(
            "{} is not there, and unit {unit} has signed before: expected the file of its seed secrets, which it has \
             beside its former key (--seeds FILE). If it is lost, see `creditbank seeds new --help`",
            path.display()
        )))
    }
}

//! What commands share that read a registrar's file: what its columns mean, and whose chain its lines belong to.

use std::path::{Path, PathBuf};

use creditbank_client::import::Mapping;
use creditbank_client::{Client, IssuingUnit, KeyPlace};
use creditbank_protocol::key::KeyId;

use super::format::Format;
use super::survey::Accept;
use crate::failure::Failure;
use crate::files::Refused;
use crate::seeds::SeedsFile;
use crate::signing::signer;
use crate::whose::Unit;

/// How a file is read, and whose chain its lines belong to.
#[derive(clap::Args)]
pub(super) struct Source {
    #[command(flatten)]
    format: Format,
    /// What the columns mean: see `creditbank mapping show template`
    #[arg(long)]
    pub(super) mapping: PathBuf,
    #[command(flatten)]
    unit: Unit,
    /// The unit's key file, or pkcs11:... for a key in a token
    #[arg(long)]
    key: KeyPlace,
    #[command(flatten)]
    seeds: SeedsFile,
    #[command(flatten)]
    accept: Accept,
}

impl Source {
    /// The mapping, for a file of the format that the command line says.
    pub(super) fn read_mapping(&self) -> Result<Mapping, Failure> {
        Ok(self.format.mapping(&self.mapping)?.accepting(self.accept.accept.iter().copied()))
    }

    /// The unit with its key and its seed secrets.
    pub(super) async fn open_unit(&self, client: &Client) -> Result<IssuingUnit, Failure> {
        let id = self.unit.id();
        let (own, key) = signer(client, &self.key).await?;
        if own != id {
            return Err(Failure::Usage(format!(
                "the key {} is of unit {own}, expected one of unit {id} (--institution, --unit)",
                KeyId::of(&key.public_key())
            )));
        }
        Ok(IssuingUnit::new(id, key, self.seeds.open(client, &self.key, id).await?))
    }

    /// Where the refused lines of a file go: never in the place of the file, the mapping or the key.
    pub(super) fn report(&self, refused: &Refused, file: &Path) -> Result<PathBuf, Failure> {
        let read = [("the file", Some(file)), ("the mapping", Some(&*self.mapping)), ("the key", self.key.file())];
        refused.report(file, &read)
    }
}

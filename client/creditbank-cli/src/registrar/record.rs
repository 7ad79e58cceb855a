//! `record`: one record, decoded, and what proves it.

use creditbank_protocol::Place;

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, records, show, words};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Decode a record and check that it is in the log, signed by a key of the registry
    Show {
        /// Entry and index, as 34/718
        place: Place,
    },
}

pub(crate) async fn run(global: &Global, Command::Show { place }: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    let read = client.record(place).await?;
    let value = records::value(&read)?;
    let facts = words::facts(read.disclosed.info.name(), &read.disclosed.body)?;
    output::print(global, &value, || {
        let head = ["kind", "place", "institution", "unit", "key_id", "record_hash", "marks"];
        let head = head.iter().map(|name| (*name, show::line(&value[*name])));
        output::facts(head.chain(facts.iter().map(|(name, text)| (name.as_str(), text.clone()))))
    })
}

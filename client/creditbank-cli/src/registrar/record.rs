//! `record`: one record, decoded, and what proves it.

use creditbank_client::ReadRecord;
use creditbank_protocol::pb;
use serde_json::{Value, json};

use crate::connect::Global;
use crate::failure::Failure;
use crate::{output, show, values};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Decode a record and check that it is in the log, signed by a key of the registry
    Show {
        /// Entry and index, as 34/718
        #[arg(value_parser = values::place)]
        place: pb::Place,
    },
}

pub(crate) async fn run(global: &Global, Command::Show { place }: Command) -> Result<(), Failure> {
    let client = global.connect().await?;
    let read = client.record(place).await?;
    let value = value(&read)?;
    output::print(global, &value, || {
        let head = ["kind", "place", "institution", "unit", "key_id", "record_hash", "marks"];
        let head = head.iter().map(|name| (*name, show::line(&value[*name])));
        let fields = value["record"].as_object().into_iter().flatten();
        output::facts(head.chain(fields.map(|(name, value)| (name.as_str(), show::line(value)))))
    })
}

/// A record as JSON.
pub(super) fn value(read: &ReadRecord) -> Result<Value, Failure> {
    let name = read.disclosed.info.name();
    Ok(json!({
        "kind": show::kind_names(read.disclosed.info.kind).1,
        "place": values::show_place(&read.place),
        "institution": read.institution,
        "unit": read.unit,
        "key_id": read.key_id.to_string(),
        "record_hash": read.disclosed.hash.to_string(),
        "marks": read.marks,
        "record": show::body(name, &read.disclosed.body)?,
    }))
}

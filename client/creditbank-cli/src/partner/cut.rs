//! `cut`: a transcript with some of its records, made by whoever holds it. Nobody sees how many were left out.

use std::collections::BTreeSet;
use std::path::PathBuf;

use creditbank_client::now_ms;
use creditbank_protocol::Place;
use creditbank_protocol::counted;
use creditbank_protocol::transcript::cut;
use serde_json::json;

use super::verify::read_file;
use crate::connect::Global;
use crate::failure::Failure;
use crate::output;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The transcript
    file: PathBuf,
    /// Places of the records to keep, as 23/718, separated by commas
    #[arg(long, required = true, value_delimiter = ',', value_name = "PLACE")]
    only: Vec<Place>,
    /// New file for what is left
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { file: path, only, out } = arguments;
    let file = read_file(path)?;
    let keep: BTreeSet<Place> = only.iter().copied().collect();
    let left = cut(&file, &keep, &global.trust()?, now_ms());
    let left = left.map_err(|error| Failure::NotValid(format!("{}: {error}", path.display())))?;
    output::new_file(out, &left, true)?;
    let value = json!({ "file": out, "bytes": left.len(), "records": keep.len() });
    let records = counted(keep.len(), "record", "records");
    output::print(global, &value, || format!("{}: {records}, {} bytes", out.display(), left.len()))
}

//! `transcript`: a learner's records in a file that proves itself.

use std::path::PathBuf;

use serde_json::json;

use crate::connect::Global;
use crate::failure::Failure;
use crate::output;
use crate::whose::Who;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// New file for the transcript, as transcript.cbt
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    who: Who,
}

pub(crate) async fn run(global: &Global, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { out, who } = arguments;
    let client = global.connect().await?;
    let (file, report) = client.transcript(who.learner(&client).await?).await?;
    output::new_file(&out, &file, true)?;
    let records = report.records.len();
    let value = json!({ "file": out, "bytes": file.len(), "records": records, "log_size": report.size });
    output::print(global, &value, || {
        let shown = out.display();
        format!(
            "{shown}: {records} records, {} bytes, verified. Check it anywhere with\n  creditbank verify {shown} --trust TRUST.toml",
            file.len()
        )
    })
}

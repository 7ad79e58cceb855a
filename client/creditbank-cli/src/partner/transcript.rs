//! `transcript`: a learner's records in a file that proves itself.

use std::path::PathBuf;

use creditbank_protocol::counted;
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
    let (file, report, embargoed) = client.export(who.learner(&client).await?).await?;
    output::new_file(&out, &file, true)?;
    let records = report.records.len();
    let value = json!({ "file": out, "bytes": file.len(), "records": records, "embargoed": embargoed, "log_size": report.size });
    output::print(global, &value, || {
        let shown = out.display();
        let left_out = match embargoed {
            0 => String::new(),
            more => format!(
                ". {} left out and may not be shown yet (visible_from)",
                counted(more, "record is", "records are")
            ),
        };
        format!(
            "{shown}: {}, {} bytes, verified{left_out}. Check it anywhere with\n  creditbank verify {shown} --trust TRUST.toml",
            counted(records, "record", "records"),
            file.len()
        )
    })
}

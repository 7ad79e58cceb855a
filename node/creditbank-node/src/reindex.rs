//! `reindex`: rebuilds index and flat files from the journal.

use std::path::Path;
use std::time::Instant;

use creditbank_protocol::counted;
use creditbank_server::directory::DirectoryError;
use creditbank_server::environment::Environment;
use creditbank_store::{Placement, StoreError};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::check::served;
use crate::node_dir::NodeDir;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// The directory was copied or moved, and this node continues the log: no other node of this log runs.
    #[arg(long)]
    take_over: bool,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { node, take_over, json } = arguments;
    let environment = Environment::system();
    let (dir, config) = (node.path(), node.config(&environment)?);
    let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} log entries, {elapsed}, {eta} left");
    let bar = if *json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let begun = Instant::now();
    let shown = bar.clone();
    let placement = if *take_over { Placement::TakeOver } else { Placement::Same };
    let size = creditbank_server::operate::reindex(&environment, dir, &config, placement, |done, total| {
        shown.set_length(total);
        shown.set_position(done);
    });
    bar.finish_and_clear();
    let (size, took) = (size.map_err(|error| moved(error, dir))?, begun.elapsed());
    if *json {
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        crate::say(&json!({ "entries": size, "milliseconds": milliseconds }).to_string());
    } else {
        let tenths = took.subsec_millis() / 100;
        crate::say(&format!(
            "Rebuilt index and flat files for {} in {}.{tenths} s.",
            counted(size, "log entry", "log entries"),
            took.as_secs()
        ));
    }
    Ok(())
}

/// A directory that was moved: the error names `serve`, and this command has the same option.
fn moved(error: DirectoryError, dir: &Path) -> anyhow::Error {
    match &error {
        DirectoryError::Store(StoreError::Place { .. }) => {
            anyhow::anyhow!(
                "{error}. To rebuild the index before that, after the same checks: creditbank-node reindex --dir {} \
                 --take-over",
                dir.display()
            )
        }
        _ => served(error),
    }
}

//! `reindex`: what is derived, anew from the journal.

use std::path::PathBuf;
use std::time::Instant;

use creditbank_server::directory;
use creditbank_server::environment::Environment;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::check::served;
use crate::failure::no_node;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The node's directory.
    #[arg(long)]
    dir: PathBuf,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { dir, json } = arguments;
    if !dir.join("node.toml").exists() {
        return Err(no_node(dir));
    }
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir)?;
    let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} log entries, {elapsed}, {eta} left");
    let bar = if *json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let begun = Instant::now();
    let shown = bar.clone();
    let size = creditbank_server::operate::reindex(&environment, dir, &config, |done, total| {
        shown.set_length(total);
        shown.set_position(done);
    });
    bar.finish_and_clear();
    let (size, took) = (size.map_err(served)?, begun.elapsed());
    if *json {
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        crate::say(&json!({ "entries": size, "milliseconds": milliseconds }).to_string());
    } else {
        let tenths = took.subsec_millis() / 100;
        crate::say(&format!("Rebuilt index and flat files for {size} log entries in {}.{tenths} s.", took.as_secs()));
    }
    Ok(())
}

//! `backup`: a copy of a node, while it serves.

use std::path::PathBuf;
use std::time::Instant;

use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::{BackupError, MakeOptions, make};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Usage;
use crate::node_dir::NodeDir;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// A new directory for the copy.
    #[arg(long)]
    out: PathBuf,
    /// Leave out the node's signing keys and secrets; keep them elsewhere, without them nothing can be restored.
    #[arg(long)]
    without_keys: bool,
    /// Days after which the learners' keys in it may not be used any more.
    #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    keys_expire_days: u32,
    /// Print the manifest as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { node, out, without_keys, keys_expire_days, json } = arguments;
    let environment = Environment::system();
    let (dir, config) = (node.path(), node.config(&environment)?);
    let options = MakeOptions { with_keys: !without_keys, keys_expire_days: *keys_expire_days };
    let bar = bar(*json);
    let begun = Instant::now();
    let made = make(&environment, dir, &config, out, options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let manifest = made.map_err(usage)?;
    if *json {
        crate::say(&serde_json::to_string_pretty(&manifest)?);
        return Ok(());
    }
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let took = begun.elapsed();
    crate::say(&format!(
        "{} holds the log up to entry {} ({} files, {bytes} bytes, {}.{} s). Its learners' keys expire in {} days: delete it then.",
        out.display(),
        manifest.size,
        manifest.files.len(),
        took.as_secs(),
        took.subsec_millis() / 100,
        keys_expire_days
    ));
    Ok(())
}

/// Over bytes that are copied and checked.
pub(crate) fn bar(hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:40} {bytes}/{total_bytes} copied and checked, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What the caller must ask for differently exits with 2.
pub(crate) fn usage(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Exists(_) | BackupError::NothingSeen | BackupError::NoKeys => Usage(error.to_string()).into(),
        other => other.into(),
    }
}

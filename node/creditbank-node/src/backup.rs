//! `backup`: copies a node while it serves: once, or following it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use creditbank_protocol::counted;
use creditbank_protocol::dates::show_minute;
use creditbank_server::directory::{self, Config};
use creditbank_server::environment::Environment;
use creditbank_server::operate::backup::{BackupError, FollowStatus, Follower, MakeOptions, make};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Usage;
use crate::node_dir::NodeDir;
use crate::registry_keys::warn_of_registry_keys_in;

#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools)] // Each is an option.
#[command(group(clap::ArgGroup::new("target").required(true).args(["out", "follow"])))]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// One copy, into a new directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Follow the node into a directory, on another disk or a mounted share, until SIGINT or SIGTERM
    ///
    /// Use --new the first time, and never again: then a share that is not mounted is noticed. DIR/status.json says how
    /// far the copy is. `restore` accepts it like any backup, also for a point in time (--to). A learner's key that the
    /// node destroys is gone from the copy within --lag.
    #[arg(long, value_name = "DIR")]
    follow: Option<PathBuf>,
    /// Begin a copy in the directory, which must be missing or empty, and follow into it. Do not use it in scripts that
    /// run at each start.
    #[arg(long, requires = "follow")]
    new: bool,
    /// How far a followed copy may lag, in seconds, as 5s
    #[arg(long, default_value = "5s", value_parser = seconds, requires = "follow")]
    lag: Duration,
    /// Copy what is new, once, and end
    #[arg(long, requires = "follow")]
    once: bool,
    /// Leave out the node's signing keys and secrets. Keep them elsewhere: without them nothing can be restored.
    #[arg(long)]
    without_keys: bool,
    /// Days after which the learners' keys in the copy must not be used any more.
    #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    keys_expire_days: u32,
    /// Print the manifest as JSON; for a followed copy its status, one line for each change.
    #[arg(long)]
    json: bool,
}

/// `5s`, or `5`.
fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text).parse::<u64>().ok();
    let number = number.filter(|number| (1..=86_400).contains(number));
    number.map(Duration::from_secs).ok_or_else(|| "expected seconds from 1s to 86400s".to_owned())
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { node, out, follow, new, lag, once, without_keys, keys_expire_days, json } = arguments;
    let environment = Environment::system();
    let (dir, config) = (node.path(), node.config(&environment)?);
    if !without_keys {
        warn_of_registry_keys_in(&directory::keys_dir(dir));
    }
    let options = MakeOptions { with_keys: !without_keys, keys_expire_days: *keys_expire_days };
    if let Some(to) = follow {
        let lag_ms = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        let begun =
            tokio::task::block_in_place(|| Follower::open(&environment, dir, &config, to, options, lag_ms, *new));
        let begun = begun.map_err(usage)?;
        if begun.shares_system() {
            warn_of_one_disk(to);
        }
        return followed(begun, to, *lag, *once, *json).await;
    }
    let out = out.as_deref().context("--out")?;
    tokio::task::block_in_place(|| copy(&environment, dir, &config, out, options, *json))
}

/// Makes steps until a signal. The first step must succeed. A later one that fails is tried again, because a share may
/// be away for a while.
async fn followed(mut follower: Follower, to: &Path, lag: Duration, once: bool, json: bool) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // The last reported state, and the error of a failed step.
    let (mut told, mut failure) = (None, None::<String>);
    loop {
        match tokio::task::block_in_place(|| follower.step()) {
            Ok(status) => {
                if told != Some((status.sequence, status.size)) || failure.is_some() {
                    tell(to, &status, json)?;
                }
                (told, failure) = (Some((status.sequence, status.size)), None);
            }
            // No later step repairs a damaged copy.
            Err(error) if told.is_none() || matches!(error, BackupError::Copy { .. }) => return Err(usage(error)),
            Err(error) => {
                let why = error.to_string();
                if failure.as_ref() != Some(&why) {
                    eprintln!("error: {why}. Trying again; the copy stays as it was last published");
                }
                failure = Some(why);
            }
        }
        if once {
            return Ok(());
        }
        // The copying may take half of the lag.
        tokio::select! {
            () = tokio::time::sleep(lag / 2) => {}
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        }
    }
}

fn tell(to: &Path, status: &FollowStatus, json: bool) -> anyhow::Result<()> {
    if json {
        crate::say(&serde_json::to_string(status)?);
        return Ok(());
    }
    let sealed =
        status.sealed_ms.map_or_else(|| "no seal".to_owned(), |ms| format!("sealed {}", show_minute(ms / 60_000)));
    crate::say(&format!(
        "{} has {}, {sealed}: all that the node had made durable at {}",
        to.display(),
        counted(status.size, "log entry", "log entries"),
        show_minute(status.complete_at_ms / 60_000)
    ));
    Ok(())
}

fn copy(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    out: &Path,
    options: MakeOptions,
    json: bool,
) -> anyhow::Result<()> {
    let bar = bar(json);
    let begun = Instant::now();
    let made = make(environment, dir, config, out, options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let manifest = made.map_err(usage)?;
    if environment.disk.shares_system(dir, out).unwrap_or(false) {
        warn_of_one_disk(out);
    }
    if json {
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
        options.keys_expire_days
    ));
    Ok(())
}

fn warn_of_one_disk(copy: &Path) {
    eprintln!(
        "warning: {} is on the same file system as the node: if that is lost, both are lost. Copy to another disk or \
         machine",
        copy.display()
    );
}

/// A bar for bytes that are copied and checked.
pub(crate) fn bar(hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:40} {bytes}/{total_bytes} copied and checked, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Errors that the caller can avoid by asking for something else exit with 2.
pub(crate) fn usage(error: BackupError) -> anyhow::Error {
    match error {
        BackupError::Exists(_)
        | BackupError::Memory
        | BackupError::Within { .. }
        | BackupError::Begun(_)
        | BackupError::NoBackup { .. }
        | BackupError::NothingSeen
        | BackupError::NoKeys
        | BackupError::BeforeAll
        | BackupError::Beyond { .. } => Usage(error.to_string()).into(),
        other => other.into(),
    }
}

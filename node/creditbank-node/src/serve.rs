//! `serve`: until a signal.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use creditbank_server::directory::{self, Config};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Usage;
use crate::init::registry_keys_beside;
use crate::node_dir::NodeDir;
use crate::quickstart;
use crate::shown;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// Of a log in memory, which begins anew: where the registry key is [default: DIR-keys]
    #[arg(long, value_name = "DIR")]
    registry_keys: Option<PathBuf>,
    /// Serve although the clock is behind the log, which was sealed under a wrong one: nothing is sealed but a
    /// correction of the time (creditbank registry correct-time), and what comes behind it
    #[arg(long)]
    correct_time: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { node, registry_keys, correct_time } = arguments;
    // First of all, so that an early signal finds somebody to hear it.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let environment = Environment::system();
    let (dir, config) = (node.path(), node.config(&environment)?);
    refuse_registry_keys(dir, &config)?;
    if let Some(path) = config.store.path()
        && !dir.join(path).join("journal").exists()
    {
        anyhow::bail!(
            "the log of this node is gone: {} is not there. Mount or restore it; a second log under the same key would \
             contradict what was signed. Only init begins a log",
            dir.join(path).display()
        );
    }
    let ledger = directory::open(&environment, dir, &config, Limits { correct_time, ..Limits::default() })?;
    if ledger.size() == 0 {
        if config.store.path().is_some() {
            anyhow::bail!("the log of {} is empty, though init began it: restore it from a backup", shown(dir));
        }
        // A log in memory begins anew with each process.
        let registry_keys = registry_keys.unwrap_or_else(|| registry_keys_beside(dir));
        directory::begin(&environment, dir, &registry_keys, &ledger).await?;
    }
    let running = creditbank_server::serve::start(ledger, config.listen, config.tls.as_ref()).await;
    let running = running.with_context(|| format!("`listen` in {} says where", shown(&dir.join("node.toml"))))?;
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(running.until(stop).await?)
}

/// Largest file that is looked into: a key file has three lines.
const KEY_FILE_LEN_MAX: u64 = 1_024;

/// A node does not serve while a registry key lies under its directory: whoever breaks in would decide which
/// institutions there are. The story of `quickstart` has all keys in one place.
fn refuse_registry_keys(dir: &Path, config: &Config) -> anyhow::Result<()> {
    let log = config.store.path().map(|path| dir.join(path));
    match registry_key_under(dir, log.as_deref(), DEPTH_MAX) {
        Some(found) if config.origin != quickstart::ORIGIN => Err(Usage(format!(
            "{} is a registry key, and it lies under the directory of the node: move it to another machine or medium \
             (mv {} /elsewhere/). The operator's commands take it with --registry-key; serving needs none",
            shown(&found),
            shown(&found)
        ))
        .into()),
        _ => Ok(()),
    }
}

/// Most directories in one another that are looked into: links may lead around in circles.
const DEPTH_MAX: u32 = 8;

/// The first registry key under a directory, also behind links. The log is left out: it holds no keys, and may be
/// large.
fn registry_key_under(dir: &Path, log: Option<&Path>, depth: u32) -> Option<PathBuf> {
    for item in fs::read_dir(dir).ok()?.flatten() {
        let path = item.path();
        let Ok(kind) = fs::metadata(&path) else { continue };
        if kind.is_dir() {
            if Some(path.as_path()) != log
                && let Some(next) = depth.checked_sub(1)
                && let Some(found) = registry_key_under(&path, log, next)
            {
                return Some(found);
            }
            continue;
        }
        let is_small = kind.is_file() && kind.len() <= KEY_FILE_LEN_MAX;
        let text = if is_small { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        if KeyFile::parse(text.trim_start()).is_ok_and(|key| key.purpose == Purpose::Registry) {
            return Some(path);
        }
    }
    None
}

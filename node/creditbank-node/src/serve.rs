//! `serve`: serves a node until a signal.

use std::path::{Path, PathBuf};

use creditbank_server::directory::{self, Config};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Limits, Said};
use creditbank_server::serve::{Addresses, ServeError, Settings, check_tls};
use tokio::signal::unix::{SignalKind, signal};

use crate::confirm_time::ConfirmTime;
use crate::failure::Usage;
use crate::init::registry_keys_beside;
use crate::node_dir::NodeDir;
use crate::registry_keys::refuse_registry_keys;
use crate::shown;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
    /// For a log in memory, which begins anew at each start: where the registry key is [default: DIR-keys]
    #[arg(long, value_name = "DIR")]
    registry_keys: Option<PathBuf>,
    /// Serve although the clock is behind the log, because the log was sealed under a wrong clock. The node then seals
    /// only a correction of the time (creditbank registry correct-time), and what follows it. If the log is not ahead,
    /// the node seals everything, and its log says so
    #[arg(long)]
    correct_time: bool,
    #[command(flatten)]
    confirm_time: ConfirmTime,
    /// Serve a directory that was copied, moved or restored
    ///
    /// Use it only if no other node of this log runs, here or elsewhere, and none will be started: two nodes of one log
    /// sign two histories, which nobody can merge. It is needed once; from then on the directory is this node's.
    #[arg(long)]
    take_over: bool,
    /// Serve clear text on an address that other machines reach: records and access tokens can be read on the way
    ///
    /// For a network that encrypts by itself, or a proxy on another machine that speaks TLS. It is not a setting of
    /// node.toml, so that it is not copied along unnoticed.
    #[arg(long)]
    insecure: bool,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { node, registry_keys, correct_time, confirm_time, take_over, insecure } = arguments;
    // First of all, so that an early signal is not lost.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let environment = Environment::system();
    let (dir, config) = (node.path(), node.config(&environment)?);
    let confirmed_time = confirm_time.is_given(&*environment.clock)?;
    refuse_registry_keys(dir, &config)?;
    if !insecure {
        refuse_clear_text(dir, &config)?;
    }
    if let Some(path) = config.store.path()
        && !dir.join(path).join("journal").exists()
    {
        anyhow::bail!(
            "the log of this node is missing: {} does not exist. Mount or restore it; a second log under the same key \
             would contradict what was signed. Only init begins a log",
            dir.join(path).display()
        );
    }
    let tls = config.tls.as_ref().map(|tls| tls.within(dir));
    // Before the log is opened, so that nothing is begun that cannot be served.
    if let Some(tls) = &tls {
        check_tls(tls).map_err(|error| Usage(format!("{}: {error}", shown(&dir.join("node.toml")))))?;
    }
    let said = Said { correct_time, confirmed_time, takes_over: take_over };
    let limits = Limits { said, quotas: config.quotas, ..Limits::default() };
    let settings = Settings { tls, ..Settings::from(&config) };
    // Before the log is opened, so that --take-over is not used up while another node has the address.
    let addresses = Addresses::take(&settings).map_err(|error| wrong_setting(error, dir, &settings))?;
    let ledger = directory::open(&environment, dir, &config, limits)?;
    if ledger.size() == 0 {
        if config.store.path().is_some() {
            anyhow::bail!("the log of {} is empty, though init began it: restore it from a backup", shown(dir));
        }
        // A log in memory begins anew with each process.
        let registry_keys = registry_keys.unwrap_or_else(|| registry_keys_beside(dir));
        directory::begin(&environment, dir, &registry_keys, &ledger).await?;
    }
    let running = creditbank_server::serve::start_at(addresses, ledger, &settings).await;
    let running = running.map_err(|error| wrong_setting(error, dir, &settings))?;
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(running.until(stop).await?)
}

/// Adds the setting of node.toml that an error is about, if it is about one.
fn wrong_setting(error: ServeError, dir: &Path, settings: &Settings) -> anyhow::Error {
    let setting = match &error {
        ServeError::Listen { address, .. } if settings.operations == Some(*address) => "`[operations] listen`",
        ServeError::Listen { .. } => "`listen`",
        _ => return error.into(),
    };
    let file = dir.join("node.toml");
    let what = match &error {
        ServeError::Listen { error, .. } if error.kind() == std::io::ErrorKind::AddrInUse => format!(
            "another process uses this address: perhaps this node runs already. Another address is set by {setting} in \
             {}",
            shown(&file)
        ),
        _ => format!("{setting} in {} sets this address", shown(&file)),
    };
    anyhow::Error::new(error).context(what)
}

/// Clear text stays on this machine, unless --insecure allows more.
fn refuse_clear_text(dir: &Path, config: &Config) -> Result<(), Usage> {
    if config.tls.is_some() || config.listen.ip().is_loopback() {
        return Ok(());
    }
    Err(Usage(format!(
        "{} says listen = \"{}\", which other machines can reach, and has no [tls]: records and access tokens would \
         travel in clear text. Name a certificate there ([tls] certificate and key), or listen on 127.0.0.1, behind a \
         proxy on this machine that speaks TLS. --insecure serves clear text anyway",
        shown(&dir.join("node.toml")),
        config.listen
    )))
}

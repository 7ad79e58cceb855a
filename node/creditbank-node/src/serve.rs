//! `serve`: until a signal.

use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use tokio::signal::unix::{SignalKind, signal};

use crate::node_dir::NodeDir;
use crate::shown;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    node: NodeDir,
}

pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { node } = arguments;
    // First of all, so that an early signal finds somebody to hear it.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let environment = Environment::system();
    let (dir, config) = (node.path(), node.config(&environment)?);
    if let Some(path) = config.store.path()
        && !dir.join(path).join("journal").exists()
    {
        anyhow::bail!(
            "the log of this node is gone: {} is not there. Mount or restore it; a second log under the same key would \
             contradict what was signed. Only init begins a log",
            dir.join(path).display()
        );
    }
    let ledger = directory::open(&environment, dir, &config, Limits::default())?;
    if ledger.size() == 0 {
        if config.store.path().is_some() {
            anyhow::bail!("the log of {} is empty, though init began it: restore it from a backup", shown(dir));
        }
        // A log in memory begins anew with each process.
        directory::begin(&environment, dir, &ledger).await?;
    }
    let running = creditbank_server::serve::start(ledger, config.listen, config.tls.as_ref()).await?;
    let stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(running.until(stop).await?)
}

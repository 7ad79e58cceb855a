//! The node that is measured: this program again, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_server::ledger::Limits;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Serves the node in `dir` until standard input ends.
pub(crate) async fn serve(dir: &Path) -> anyhow::Result<()> {
    let environment = Environment::system();
    let config = directory::read_config(&environment, dir)?;
    let ledger = directory::open(&environment, dir, &config, Limits::default())?;
    if ledger.size() == 0 {
        directory::begin(&environment, dir, &directory::keys_dir(dir), &ledger).await?;
    }
    let running = creditbank_server::serve::start(ledger, ([127, 0, 0, 1], 0).into(), None).await?;
    println!("{}", running.address());
    let mut end = Vec::new();
    let signal = async move {
        let _ = tokio::io::stdin().read_to_end(&mut end).await;
    };
    Ok(running.until(signal).await?)
}

/// A running node.
pub(crate) struct Node {
    dir: PathBuf,
    process: Child,
    pub(crate) url: String,
    /// From starting the process until it listens.
    pub(crate) opened: Duration,
}

/// Processor time of a process so far, and its memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Most bytes that were resident at once.
    pub(crate) rss_max: u64,
}

impl Node {
    /// Starts a process for the node in `dir` and waits until it listens.
    pub(crate) async fn start(dir: &Path) -> anyhow::Result<Self> {
        let begin = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--node").arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let stdout = process.stdout.take().context("the node has no output")?;
        let address = BufReader::new(stdout).lines().next_line().await?.context("the node did not start")?;
        Ok(Self { dir: dir.to_owned(), process, url: format!("http://{address}"), opened: begin.elapsed() })
    }

    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let id = self.process.id().context("the node has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("no VmHWM")?;
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
        // Fields 14 and 15, in hundredths of a second; the second field, a name in brackets, may hold blanks.
        let fields: Vec<&str> = stat.rsplit_once(')').context("no stat")?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        Ok(Usage { cpu: Duration::from_millis(10 * (ticks(11) + ticks(12))), rss_max: kib << 10 })
    }

    /// Stops it as an operator would.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.process.stdin.take());
        let status = self.process.wait().await?;
        anyhow::ensure!(status.success(), "the node ended with {status}");
        Ok(())
    }

    /// Kills it, as a power cut would.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Bytes that a directory takes up on the disk.
pub(crate) fn disk_bytes(dir: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

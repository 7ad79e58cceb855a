//! The node: the real binary in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use creditbank_client::{Client, ConnectOptions, trust};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_tests::University;
use creditbank_tests::node::ORIGIN;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) struct Node {
    dir: tempfile::TempDir,
    keys: tempfile::TempDir,
    process: Mutex<std::process::Child>,
    id: u32,
    peak_mb: Mutex<u64>,
    pub(crate) url: String,
    operations: String,
}

/// The value after a name in a line of the log.
fn value(line: &str, name: &str) -> Option<String> {
    Some(line.split_once(name)?.1.split_whitespace().next()?.to_owned())
}

impl Node {
    /// Makes a node on an index engine and serves it.
    pub(crate) fn start(binary: &Path, store: &str) -> anyhow::Result<Self> {
        let (dir, keys) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let init = Command::new(binary)
            .args(["init", "--origin", ORIGIN, "--listen", "127.0.0.1:0", "--store", store, "--registry-keys"])
            .arg(keys.path())
            .arg("--dir")
            .arg(dir.path())
            .output()
            .context("the node's binary")?;
        anyhow::ensure!(init.status.success(), "init: {}", String::from_utf8_lossy(&init.stderr));
        let mut process = Command::new(binary)
            .args(["serve", "--dir"])
            .arg(dir.path())
            .env("RUST_LOG", "creditbank=warn,creditbank_server::serve=info")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let mut lines = BufReader::new(process.stderr.take().context("its log")?).lines();
        let serving = lines.find_map(|line| line.ok().filter(|line| line.contains("serving address=")));
        let serving = serving.context("the node does not serve")?;
        // If nobody reads the pipe, the node stops when it is full.
        std::thread::spawn(move || lines.for_each(drop));
        let url = format!("http://{}", value(&serving, "address=").context("where it serves")?);
        let operations = value(&serving, "operations=").context("where it is watched")?;
        let id = process.id();
        Ok(Self { dir, keys, process: process.into(), id, peak_mb: Mutex::new(0), url, operations })
    }

    pub(crate) async fn client(&self, access: Option<KeyFile>) -> anyhow::Result<Client> {
        connect(&self.url, &self.dir.path().join("trust.toml"), access).await
    }

    pub(crate) async fn admit(&self, number: u8) -> anyhow::Result<University> {
        let university = University::new(number);
        let path = self.keys.path().join("registry.key");
        let registry = directory::read_key_at(&Environment::system(), &path, Purpose::Registry)?;
        university.publish(&self.client(None).await?, &registry).await;
        Ok(university)
    }

    /// Starts the attackers: this program again.
    pub(crate) fn attackers(&self, time: Duration) -> anyhow::Result<tokio::process::Child> {
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command.args(["attack", "--url", &self.url, "--seconds", &time.as_secs().to_string(), "--trust"]);
        Ok(command.arg(self.dir.path().join("trust.toml")).kill_on_drop(true).spawn()?)
    }

    fn status(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1_024
    }

    /// Megabytes that are resident now.
    pub(crate) fn rss_mb(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// Highest number of resident megabytes so far.
    pub(crate) fn peak_rss_mb(&self) -> u64 {
        let mut peak = self.peak_mb.lock().expect("not poisoned");
        *peak = (*peak).max(self.status("VmHWM:"));
        *peak
    }

    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id)).map_or(0, Iterator::count)
    }

    /// The node's metrics of connections and refusals.
    pub(crate) async fn measures(&self) -> anyhow::Result<Vec<String>> {
        let mut socket = tokio::net::TcpStream::connect(&self.operations).await?;
        socket.write_all(b"GET /metrics HTTP/1.1\r\nhost: node\r\n\r\n").await?;
        let mut text = String::new();
        socket.read_to_string(&mut text).await?;
        let shown = ["connections", "calls_total", "calls_refused", "streams_stalled", "held_bytes", "streaming_calls"];
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Ok(lines.filter(|line| shown.iter().any(|name| line.contains(name))).map(str::to_owned).collect())
    }

    /// Asks the node to stop, and returns how long that took.
    pub(crate) fn stop(&self) -> anyhow::Result<Duration> {
        self.peak_rss_mb();
        let begun = Instant::now();
        anyhow::ensure!(Command::new("kill").args(["-TERM", &self.id.to_string()]).status()?.success(), "kill");
        let status = self.process.lock().expect("not poisoned").wait()?;
        anyhow::ensure!(status.success(), "the node ended with {status}");
        Ok(begun.elapsed())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let mut process = self.process.lock().expect("not poisoned");
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// A client of the node at a URL.
pub(crate) async fn connect(url: &str, trusted: &Path, access: Option<KeyFile>) -> anyhow::Result<Client> {
    let mut options = ConnectOptions::new(url);
    options.timeout = Duration::from_secs(20);
    Ok(Client::connect(&options, trust::read(trusted)?, access).await?)
}

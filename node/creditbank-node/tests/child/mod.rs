//! The real binary as a child process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use creditbank_client::{Client, ClientError, ConnectOptions, trust};
use creditbank_protocol::Alias;
use creditbank_protocol::pb::Purpose;
use creditbank_server::directory;
use creditbank_server::environment::Environment;
use creditbank_tests::university::student;
use creditbank_tests::{University, node::ORIGIN};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_creditbank-node");

/// A node in a process of its own.
pub(crate) struct Child {
    dir: tempfile::TempDir,
    process: Mutex<std::process::Child>,
    url: String,
    logs: Logs,
    /// Where the registry keys are.
    pub(crate) keys: tempfile::TempDir,
}

/// What a process has written to its log; of very many lines the first.
type Logs = Arc<Mutex<Vec<String>>>;
const LOG_LINES_MAX: usize = 10_000;

/// How the node of a directory is served by a process that may have so many open files.
#[allow(dead_code)] // Most tests take what the system allows.
pub(crate) fn serve_with_descriptors(dir: &Path, most: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {most}; exec \"$0\" \"$@\""), BINARY, "serve", "--dir"]).arg(dir);
    command
}

fn spawn(dir: &Path) -> (std::process::Child, String, Logs) {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--dir"]).arg(dir);
    spawn_command(command)
}

fn spawn_command(mut command: Command) -> (std::process::Child, String, Logs) {
    let mut process = command
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(process.stderr.take().expect("its logs")).lines();
    let logs = Logs::default();
    let serving = lines.find_map(|line| {
        let line = line.expect("a line");
        logs.lock().expect("not poisoned").push(line.clone());
        let rest = line.split_once("serving address=")?.1;
        rest.split_whitespace().next().map(str::to_owned)
    });
    // Whoever does not read a pipe stops the writer in the end.
    let written = Arc::clone(&logs);
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let mut written = written.lock().expect("not poisoned");
            if written.len() < LOG_LINES_MAX {
                written.push(line);
            }
        }
    });
    let address = serving.expect("the node says where it serves");
    (process, format!("http://{address}"), logs)
}

impl Child {
    #[allow(dead_code)] // Not every test file takes the default engine.
    pub(crate) fn start() -> Self {
        Self::on("sled:log")
    }

    /// A node on an engine.
    pub(crate) fn on(store: &str) -> Self {
        Self::made(&["--store", store])
    }

    /// A node that `init` has made with these options too.
    pub(crate) fn made(options: &[&str]) -> Self {
        let (dir, keys) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let init = Command::new(BINARY)
            .args(["init", "--origin", ORIGIN, "--listen", "127.0.0.1:0", "--registry-keys"])
            .arg(keys.path())
            .arg("--dir")
            .arg(dir.path())
            .args(options)
            .output()
            .expect("the binary starts");
        assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
        let (process, url, logs) = spawn(dir.path());
        Self { dir, keys, process: process.into(), url, logs }
    }

    #[allow(dead_code)] // Not every test file kills its child.
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().expect("not poisoned");
        process.kill().expect("SIGKILL");
        process.wait().expect("it is gone");
    }

    /// Serves the directory of a child that is gone.
    #[allow(dead_code)] // Not every test file kills its child.
    pub(crate) fn restart(&mut self) {
        let (process, url, logs) = spawn(self.dir.path());
        *self.process.lock().expect("not poisoned") = process;
        (self.url, self.logs) = (url, logs);
    }

    /// Serves the directory of a child that is gone, with so many open files.
    #[allow(dead_code)] // Most tests take what the system allows.
    pub(crate) fn restart_with_descriptors(&mut self, most: u32) {
        let (process, url, logs) = spawn_command(serve_with_descriptors(self.dir.path(), most));
        *self.process.lock().expect("not poisoned") = process;
        (self.url, self.logs) = (url, logs);
    }

    /// Its directory.
    #[allow(dead_code)] // Most tests do not ask.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    async fn connect(&self, access: Option<creditbank_protocol::key_file::KeyFile>) -> Result<Client, ClientError> {
        let trusted = trust::read(&self.dir.path().join("trust.toml")).expect("init wrote it");
        let mut options = ConnectOptions::new(&self.url);
        options.timeout = Duration::from_secs(20);
        Client::connect(&options, trusted, access).await
    }

    pub(crate) async fn client(&self, university: &University) -> Result<Client, ClientError> {
        self.connect(Some(university.access.clone())).await
    }

    pub(crate) async fn admit(&self, number: u8) -> University {
        let university = University::new(number);
        let registry =
            directory::read_key_at(&Environment::system(), &self.keys.path().join("registry.key"), Purpose::Registry)
                .expect("the registry key");
        university.publish(&self.connect(None).await.expect("the node serves"), &registry).await;
        university
    }

    pub(crate) async fn aliases(&self, universities: &[University]) -> Vec<Alias> {
        let mut aliases = Vec::new();
        for university in universities {
            let client = self.client(university).await.expect("the node serves");
            let opened = client.open_accounts(university.institution, vec![student("1")]).await.expect("an account");
            aliases.extend(opened);
        }
        aliases
    }

    /// Runs a command on its directory: whether it went well, and what it said.
    #[allow(dead_code)] // Not every test file runs commands.
    pub(crate) fn run(&self, command: &str) -> (bool, String) {
        let done =
            Command::new(BINARY).args([command, "--dir"]).arg(self.dir.path()).output().expect("the binary starts");
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// A client over TLS that trusts the certificate in its directory.
    #[allow(dead_code)] // Most tests speak in clear.
    pub(crate) async fn over_tls(&self, with_ca: bool) -> Result<Client, ClientError> {
        let trusted = trust::read(&self.dir.path().join("trust.toml")).expect("init wrote it");
        let mut options = ConnectOptions::new(&self.url.replace("http://127.0.0.1", "https://localhost"));
        options.timeout = Duration::from_secs(20);
        let certificate = std::fs::read(self.dir.path().join("keys/tls-cert.pem")).expect("init wrote it");
        options.ca = with_ca.then_some(certificate);
        Client::connect(&options, trusted, None).await
    }

    /// What it has written to its log so far.
    #[allow(dead_code)] // Most tests do not ask.
    pub(crate) fn logs(&self) -> Vec<String> {
        self.logs.lock().expect("not poisoned").clone()
    }

    /// Where it serves.
    #[allow(dead_code)] // Most tests take a client.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The most megabytes of memory that it has had.
    #[allow(dead_code)] // Most tests do not ask.
    pub(crate) fn peak_rss_mb(&self) -> u64 {
        let id = self.process.lock().expect("not poisoned").id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
    }

    /// Asks it to end, and returns its exit code.
    #[allow(dead_code)] // Not every test file stops its child.
    pub(crate) fn terminate(&self) -> Option<i32> {
        let mut process = self.process.lock().expect("not poisoned");
        let id = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        process.wait().expect("it ends").code()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let mut process = self.process.lock().expect("not poisoned");
        let _ = process.kill();
        let _ = process.wait();
    }
}

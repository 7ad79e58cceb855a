//! A node in a temporary directory.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use creditbank_client::{Client, ConnectOptions};
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use creditbank_protocol::trust::{Trust, text_for};
use creditbank_rpc::v1::ledger_service_client::LedgerServiceClient;
use creditbank_server::clock::{Clock, SystemClock};
use creditbank_server::directory::{self, StoreUrl, Tls};
use creditbank_server::environment::Environment;
use creditbank_server::ledger::{Ledger, Limits, Said};
use creditbank_server::serve::{self, Running, Settings};
use tempfile::TempDir;
use tonic::transport::Channel;

/// The log of every test node.
pub const ORIGIN: &str = "test.example/log";

/// A node that serves on a port of the loopback until it is dropped or stopped.
pub struct TestNode {
    dir: TempDir,
    running: Running,
    tls: Option<Tls>,
    limits: Limits,
}

/// The machine's clock, set ahead.
struct Ahead(SystemClock, u64);

impl Clock for Ahead {
    fn now_ms(&self) -> u64 {
        self.0.now_ms() + self.1
    }

    fn monotonic_ms(&self) -> u64 {
        self.0.monotonic_ms()
    }
}

/// This machine, with segments so small that a short log has many, and derived files that are synced often.
pub fn small() -> Environment {
    let tune = Arc::new(|options: &mut creditbank_store::Options| {
        (options.segment_len_max, options.sync_bytes) = (48 << 10, 32 << 10);
    });
    Environment { tune, ..Environment::system() }
}

/// Opens the node of a directory and serves it, under a clock that is ahead by so much.
async fn serve_dir(dir: &Path, tls: Option<&Tls>, limits: Limits, ahead_ms: u64) -> Running {
    let clock = Arc::new(Ahead(SystemClock::default(), ahead_ms));
    serve_in(&Environment { clock, ..Environment::system() }, dir, tls, limits).await
}

/// Opens the node of a directory in an environment and serves it.
async fn serve_in(environment: &Environment, dir: &Path, tls: Option<&Tls>, limits: Limits) -> Running {
    let config = directory::read_config(environment, dir).expect("the configuration that init wrote");
    let ledger = directory::open(environment, dir, &config, limits).expect("the node opens");
    if ledger.size() == 0 {
        directory::begin(environment, dir, &directory::keys_dir(dir), &ledger).await.expect("the first blocks");
    }
    serve::start(ledger, ([127, 0, 0, 1], 0).into(), tls).await.expect("the node serves")
}

/// The default limits, with what the operator says at the start.
fn limits_of(said: Said) -> Limits {
    Limits { said, ..Limits::default() }
}

impl TestNode {
    /// A node on sled.
    pub async fn start() -> Self {
        Self::with(StoreUrl::standard(), None, Limits::default()).await
    }

    /// A node of any kind.
    pub async fn with(store: StoreUrl, tls: Option<Tls>, limits: Limits) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let keys = directory::keys_dir(dir.path());
        directory::init(&Environment::system(), dir.path(), &keys, ORIGIN, store, listen, None).expect("a new node");
        Self::serve(dir, tls, limits, 0).await
    }

    /// A node with [`small`] files.
    pub async fn with_small_files(store: StoreUrl) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let keys = directory::keys_dir(dir.path());
        directory::init(&small(), dir.path(), &keys, ORIGIN, store, listen, None).expect("a new node");
        Self::again_with_small_files(dir).await
    }

    /// Serves the directory of a node with [`small`] files.
    pub async fn again_with_small_files(dir: TempDir) -> Self {
        let limits = Limits::default();
        let running = serve_in(&small(), dir.path(), None, limits).await;
        Self { dir, running, tls: None, limits }
    }

    /// A node in memory with bounds of its own; where it listens is chosen for it.
    pub async fn with_settings(settings: Settings) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let keys = directory::keys_dir(dir.path());
        let environment = Environment::system();
        directory::init(&environment, dir.path(), &keys, ORIGIN, StoreUrl::Memory, listen, None).expect("a new node");
        let config = directory::read_config(&environment, dir.path()).expect("the configuration that init wrote");
        let ledger = directory::open(&environment, dir.path(), &config, Limits::default()).expect("the node opens");
        directory::begin(&environment, dir.path(), &keys, &ledger).await.expect("the first blocks");
        let running = serve::start_with(ledger, &settings).await.expect("the node serves");
        Self { dir, running, tls: settings.tls, limits: Limits::default() }
    }

    /// Where it is watched.
    pub fn operations(&self) -> Option<SocketAddr> {
        self.running.operations()
    }

    /// Stops it and serves the same directory again.
    pub async fn restart(self) -> Self {
        let (tls, limits) = (self.tls.clone(), self.limits);
        Self::serve(self.stop().await, tls, limits, 0).await
    }

    /// Stops it; the directory stays as long as the returned guard.
    pub async fn stop(self) -> TempDir {
        self.running.stop().await.expect("a clean stop");
        self.dir
    }

    /// The directory of one that has failed by itself, and why.
    pub async fn failed(self) -> (TempDir, String) {
        let why = self.running.stop().await.expect_err("it has failed").to_string();
        (self.dir, why)
    }

    /// Serves a directory that [`Self::stop`] has returned.
    pub async fn again(dir: TempDir) -> Self {
        Self::serve(dir, None, Limits::default(), 0).await
    }

    /// The same, where the clock is behind the log.
    pub async fn again_to_correct(dir: TempDir) -> Self {
        Self::serve(dir, None, limits_of(Said { correct_time: true, ..Said::default() }), 0).await
    }

    /// The same, under a clock that is ahead.
    pub async fn again_ahead(dir: TempDir, ahead_ms: u64) -> Self {
        Self::serve(dir, None, limits_of(Said { confirmed_time: true, ..Said::default() }), ahead_ms).await
    }

    /// The same, of a copy of a node's directory.
    pub async fn of_copy(dir: TempDir) -> Self {
        Self::serve(dir, None, limits_of(Said { takes_over: true, ..Said::default() }), 0).await
    }

    /// The same, where nobody has confirmed the time.
    pub async fn again_unconfirmed(dir: TempDir, ahead_ms: u64) -> Self {
        Self::serve(dir, None, Limits::default(), ahead_ms).await
    }

    async fn serve(dir: TempDir, tls: Option<Tls>, limits: Limits, ahead_ms: u64) -> Self {
        let running = serve_dir(dir.path(), tls.as_ref(), limits, ahead_ms).await;
        Self { dir, running, tls, limits }
    }

    /// The node's directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The ledger behind the services.
    pub fn ledger(&self) -> &Arc<Ledger> {
        self.running.ledger()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// `http://` and the address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// A key of the node.
    pub fn key(&self, purpose: Purpose) -> KeyFile {
        directory::read_key(&Environment::system(), self.dir(), purpose).expect("a key of the node")
    }

    /// The text of a trust file for this log.
    pub fn trust_text(&self) -> String {
        let config = directory::read_config(&Environment::system(), self.dir()).expect("a configuration");
        text_for(&config.beginning()).expect("a trust file")
    }

    /// Trust in this log.
    pub fn trust(&self) -> Trust {
        Trust::parse(&self.trust_text()).expect("what text_for wrote")
    }

    /// A client with an access key.
    pub async fn client(&self, access: Option<KeyFile>) -> Client {
        let mut options = ConnectOptions::new(&self.url());
        options.timeout = Duration::from_mins(1);
        Client::connect(&options, self.trust(), access).await.expect("a connection")
    }

    /// A client that may read everything.
    pub async fn operator(&self) -> Client {
        self.client(Some(self.key(Purpose::OperatorAccess))).await
    }

    /// Bare gRPC, for what the client library does not send.
    pub async fn ledger_service(&self) -> LedgerServiceClient<Channel> {
        LedgerServiceClient::connect(self.url()).await.expect("a connection")
    }
}

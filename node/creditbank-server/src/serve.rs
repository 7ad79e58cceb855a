//! Serving a ledger: listener, TLS, connections and their limits, periodic work, graceful stop.
//!
//! The node has its own loop over connections, built on hyper. Each connection has a deadline for its first bytes and a
//! share of the rooms for requests and answers, and it ends if its client reads nothing. The services themselves are
//! tonic's.

mod accept;
mod answer;
mod calls;
mod connection;
mod deadline;
mod descriptors;
mod frames;
mod held;
mod io;
mod listen;
mod measures;
mod method;
mod operations;
mod peer;
pub(crate) mod room;
mod rooms;
mod settings;
mod shares;
mod stream;
mod table;
mod tls;

pub use listen::Addresses;
pub use peer::Peer;
pub use rustls::pki_types::ServerName;
pub use settings::{Patience, Settings};
pub use tls::check as check_tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::directory::Tls;
use crate::grpc;
use crate::ledger::Ledger;
use calls::Services;
use measures::Measures;
use rooms::Rooms;
use table::{Bounds, Table};

/// How often the node checks whether an empty round is due.
const TICK: Duration = Duration::from_secs(30);

/// How often the node checks whether it could accept new work.
const LOOK: Duration = Duration::from_secs(1);

/// Why a node does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// What the system said.
        error: std::io::Error,
    },
    /// A certificate or key.
    #[error("[tls]: {path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// What a file of certificates or keys holds.
    #[error("[tls]: {path}: {why}")]
    Certificates {
        /// Which file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The system allows too few open files.
    #[error(
        "the process may have {limit} open files, and needs {needed}: raise the limit (`ulimit -Hn`, LimitNOFILE= of \
         systemd)"
    )]
    Descriptors {
        /// What the system allows.
        limit: u64,
        /// What the store and a few connections need.
        needed: u64,
    },
    /// The schema for reflection.
    #[error(transparent)]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The log could not be written any more.
    #[error("the log could not be written any more: {0}")]
    Failed(String),
    /// The log could not be closed.
    #[error(transparent)]
    Store(#[from] creditbank_store::StoreError),
    /// The server's task has ended unexpectedly.
    #[error("the server ended: {0}")]
    Task(String),
}

/// A node that serves.
pub struct Running {
    address: SocketAddr,
    operations: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
    looking: Looking,
    ledger: Arc<Ledger>,
}

/// Checks each second whether the node could accept new work.
struct Looking {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Looking {
    fn start(ledger: &Arc<Ledger>) -> Self {
        let ledger = Arc::downgrade(ledger);
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            while tokio::time::timeout(LOOK, &mut stopped).await.is_err() {
                let Some(ledger) = ledger.upgrade() else { return };
                // If a disk hangs, only this task waits.
                let _ = tokio::task::spawn_blocking(move || ledger.look()).await;
            }
        });
        Self { stop, task }
    }

    /// Waits until the check that is running has ended: nothing may hold the log once its ledger is closed.
    async fn end(self) {
        drop(self.stop);
        let _ = self.task.await;
    }
}

/// Starts to serve a ledger with the default limits and without an address for operations.
pub async fn start(ledger: Ledger, address: SocketAddr, tls: Option<&Tls>) -> Result<Running, ServeError> {
    start_with(ledger, &Settings { tls: tls.cloned(), ..Settings::at(address) }).await
}

/// Starts to serve a ledger.
pub async fn start_with(ledger: Ledger, settings: &Settings) -> Result<Running, ServeError> {
    start_at(Addresses::take(settings)?, ledger, settings).await
}

/// Starts to serve a ledger at addresses that were taken before it was opened.
pub async fn start_at(addresses: Addresses, ledger: Ledger, settings: &Settings) -> Result<Running, ServeError> {
    let Settings { tls, connections, patience, .. } = settings;
    let ledger = Arc::new(ledger);
    let (listener, address) = addresses.service.listen().await?;
    let watched = match addresses.operations {
        Some(taken) => Some(taken.listen().await?),
        None => None,
    };
    let tls = tls.as_ref().map(tls::acceptor).transpose()?;
    if tls.is_none() && !address.ip().is_loopback() {
        tracing::warn!("NO TLS: records and tokens travel in clear text. Configure [tls] in node.toml");
    }
    if let Some((_, address)) = watched.as_ref().filter(|(_, address)| !address.ip().is_loopback()) {
        tracing::warn!(
            %address,
            "[operations] listen: other machines can reach this address, and anybody there can read the metrics, in \
             clear text. Restrict it with a firewall, or listen on 127.0.0.1"
        );
    }
    // After the store has opened all its files.
    let all = descriptors::budget(connections.max)?;
    let table = Table::new(Bounds { all, per_address: connections.per_address });
    let rooms = Rooms::new(*patience, Measures::new(ledger.metrics()));
    let routes = grpc::routes(Arc::clone(&ledger)).await?.prepare();
    let services = Services { ledger: Arc::clone(&ledger), routes };
    let (stop, stopped) = oneshot::channel::<()>();
    let mut failure = ledger.failure();
    let until = async move {
        tokio::select! {
            _ = stopped => {}
            _ = failure.wait_for(Option::is_some) => {}
        }
    };
    let stopping = watch::Sender::new(false);
    let operations = watched.as_ref().map(|(_, address)| *address);
    if let Some((listener, _)) = watched {
        tokio::spawn(operations::serve(listener, Arc::clone(&ledger), stopping.subscribe()));
    }
    let accepting = accept::accept(listener, tls, services, rooms, table, stopping, until);
    let server = tokio::spawn(async move {
        accepting.await;
        Ok(())
    });
    let ticking = Arc::downgrade(&ledger);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TICK).await;
            let Some(ledger) = ticking.upgrade() else { return };
            ledger.tick();
        }
    });
    let looking = Looking::start(&ledger);
    let (origin, size) = (ledger.origin(), ledger.size());
    if let Some(operations) = operations {
        tracing::info!(%address, %operations, origin, size, "serving");
    } else {
        tracing::info!(%address, origin, size, "serving");
    }
    Ok(Running { address, operations, stop, server, looking, ledger })
}

impl Running {
    /// Where the node listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of `/metrics`, `/healthz` and `/readyz`, if they are served.
    pub fn operations(&self) -> Option<SocketAddr> {
        self.operations
    }

    /// The ledger.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Stops: accepts no new calls, finishes the calls and the round that are under way, and closes the log.
    pub async fn stop(self) -> Result<(), ServeError> {
        let Self { stop, server, looking, ledger, .. } = self;
        drop(stop);
        finish(server, looking, &ledger).await
    }

    /// Serves until `signal`, or until the log can no longer be written, which is an error.
    pub async fn until(self, signal: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { stop, mut server, looking, ledger, .. } = self;
        let mut failure = ledger.failure();
        tokio::select! {
            // First: a failure ends the server, too, and is not to be taken for its end.
            biased;
            _ = failure.wait_for(Option::is_some) => {}
            () = signal => tracing::info!("stopping: finishing the round under way"),
            ended = &mut server => return ended.unwrap_or_else(|error| Err(ServeError::Task(error.to_string()))),
        }
        drop(stop);
        if let Some(why) = failure.borrow().clone() {
            return Err(ServeError::Failed(why));
        }
        finish(server, looking, &ledger).await
    }
}

/// Time for clients to finish; a stream that never ends cannot keep the node from stopping. Together with the end of
/// the rounds under way, a stop takes less than 10 s.
const GRACE: Duration = Duration::from_secs(4);

async fn finish(
    server: JoinHandle<Result<(), ServeError>>,
    looking: Looking,
    ledger: &Ledger,
) -> Result<(), ServeError> {
    ledger.stop_work();
    let abort = server.abort_handle();
    match tokio::time::timeout(GRACE, server).await {
        Ok(ended) => ended.unwrap_or_else(|error| Err(ServeError::Task(error.to_string())))?,
        Err(_) => abort.abort(),
    }
    looking.end().await;
    let closed = ledger.close().await;
    if let Some(why) = ledger.failure().borrow().clone() {
        return Err(ServeError::Failed(why));
    }
    closed?;
    tracing::info!("stopped cleanly");
    Ok(())
}

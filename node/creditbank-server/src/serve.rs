//! Serving a ledger: listener, TLS, ticks, graceful stop.

mod peer;

pub use peer::Peer;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tower::util::MapRequestLayer;

use crate::directory::Tls;
use crate::grpc;
use crate::ledger::Ledger;

/// How often it is looked whether an empty round is due.
const TICK: Duration = Duration::from_secs(30);
/// A call that takes longer is ended, whatever its own deadline.
const CALL_MAX: Duration = Duration::from_mins(5);
/// Calls of one connection that may be under way at once.
const CALLS_PER_CONNECTION: usize = 1_024;
/// Calls that one connection may have open, those that wait included.
const STREAMS_PER_CONNECTION: u32 = 1_024;
/// Bytes that a client may send on a stream, and on all of a connection, before the node has taken them: some blocks.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;
/// A client that does not answer keepalives is dropped after these two.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

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
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The transport.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// The schema for reflection.
    #[error(transparent)]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The log could not be written any more.
    #[error("the log could not be written any more: {0}")]
    Failed(String),
    /// The log could not be closed.
    #[error(transparent)]
    Store(#[from] creditbank_store::StoreError),
    /// The server's task.
    #[error("the server ended: {0}")]
    Task(String),
}

/// A node that serves.
pub struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
    ledger: Arc<Ledger>,
}

/// A listener; `[::]` takes IPv4 as well, whatever the system's default.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = match Socket::new(domain, Type::STREAM, Some(Protocol::TCP)) {
        // A machine without IPv6: all its addresses are those of IPv4.
        Err(_) if address.ip() == IpAddr::from(Ipv6Addr::UNSPECIFIED) => {
            return listen((Ipv4Addr::UNSPECIFIED, address.port()).into());
        }
        socket => socket?,
    };
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    TcpListener::from_std(socket.into())
}

fn tls_config(tls: &Tls) -> Result<ServerTlsConfig, ServeError> {
    let read = |path: &std::path::Path| {
        std::fs::read(path).map_err(|error| ServeError::File { path: path.display().to_string(), error })
    };
    let identity = Identity::from_pem(read(&tls.certificate)?, read(&tls.key)?);
    let config = ServerTlsConfig::new().identity(identity);
    match &tls.client_ca {
        Some(ca) => Ok(config.client_ca_root(Certificate::from_pem(read(ca)?))),
        None => Ok(config),
    }
}

/// Starts to serve a ledger.
pub async fn start(ledger: Ledger, address: SocketAddr, tls: Option<&Tls>) -> Result<Running, ServeError> {
    let ledger = Arc::new(ledger);
    let listener = listen(address).map_err(|error| ServeError::Listen { address, error })?;
    let address = listener.local_addr().map_err(|error| ServeError::Listen { address, error })?;
    let mut server = Server::builder()
        .timeout(CALL_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .concurrency_limit_per_connection(CALLS_PER_CONNECTION)
        .max_concurrent_streams(Some(STREAMS_PER_CONNECTION))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER));
    if let Some(tls) = tls {
        server = server.tls_config(tls_config(tls)?)?;
    } else {
        tracing::warn!("NO TLS: records and tokens travel in clear. Configure [tls] in node.toml");
    }
    let routes = grpc::routes(Arc::clone(&ledger)).await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut failure = ledger.failure();
    let until = async move {
        tokio::select! {
            _ = stopped => {}
            _ = failure.wait_for(Option::is_some) => {}
        }
    };
    // Without it, small answers wait for the client's delayed acknowledgement: 40 ms a call.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let room = grpc::Room::new();
    let bounded = MapRequestLayer::new(move |request| room.bound(request));
    let serving = server.layer(bounded).add_routes(routes).serve_with_incoming_shutdown(incoming, until);
    let server = tokio::spawn(async move { Ok(serving.await?) });
    let ticking = Arc::downgrade(&ledger);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TICK).await;
            let Some(ledger) = ticking.upgrade() else { return };
            ledger.tick().await;
        }
    });
    tracing::info!(%address, origin = ledger.origin(), size = ledger.size(), "serving");
    Ok(Running { address, stop, server, ledger })
}

impl Running {
    /// Where the node listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ledger.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Stops: takes no new calls, finishes those under way and the round, closes the log.
    pub async fn stop(self) -> Result<(), ServeError> {
        let Self { stop, server, ledger, .. } = self;
        drop(stop);
        finish(server, &ledger).await
    }

    /// Serves until `signal`, or until the log can no longer be written, which is an error.
    pub async fn until(self, signal: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { stop, mut server, ledger, .. } = self;
        let mut failure = ledger.failure();
        tokio::select! {
            () = signal => tracing::info!("stopping: finishing the round under way"),
            ended = &mut server => return ended.unwrap_or_else(|error| Err(ServeError::Task(error.to_string()))),
            _ = failure.wait_for(Option::is_some) => {}
        }
        drop(stop);
        if let Some(why) = failure.borrow().clone() {
            return Err(ServeError::Failed(why));
        }
        finish(server, &ledger).await
    }
}

/// Clients get a moment to finish; a stream that never ends does not keep the node from stopping.
const GRACE: Duration = Duration::from_secs(10);

async fn finish(server: JoinHandle<Result<(), ServeError>>, ledger: &Ledger) -> Result<(), ServeError> {
    let abort = server.abort_handle();
    match tokio::time::timeout(GRACE, server).await {
        Ok(ended) => ended.unwrap_or_else(|error| Err(ServeError::Task(error.to_string())))?,
        Err(_) => abort.abort(),
    }
    let closed = ledger.close().await;
    if let Some(why) = ledger.failure().borrow().clone() {
        return Err(ServeError::Failed(why));
    }
    closed?;
    tracing::info!("stopped cleanly");
    Ok(())
}

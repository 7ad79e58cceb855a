//! Where a node serves, and what it grants to callers.

use std::net::SocketAddr;
use std::time::Duration;

use crate::directory::{Config, Connections, Tls};

/// How long the node waits for a client that does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a TLS handshake, and for the first bytes of HTTP/2.
    pub handshake: Duration,
    /// For a reader who takes nothing of an answer, and for a socket that accepts no bytes.
    pub stall: Duration,
    /// For the rest of a message that has begun.
    pub message: Duration,
    /// For a connection without calls.
    pub idle: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            message: Duration::from_secs(30),
            idle: Duration::from_mins(10),
        }
    }
}

/// Where a node serves, and with which limits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where gRPC is served.
    pub listen: SocketAddr,
    /// Certificates; without them everything is sent in clear text.
    pub tls: Option<Tls>,
    /// Where `/metrics`, `/healthz` and `/readyz` are served, if at all.
    pub operations: Option<SocketAddr>,
    /// Limits of connections.
    pub connections: Connections,
    /// How long it waits for clients that do nothing.
    pub patience: Patience,
}

impl Settings {
    /// Clear text, with the default limits.
    pub fn at(listen: SocketAddr) -> Self {
        let (connections, patience) = (Connections::default(), Patience::default());
        Self { listen, tls: None, operations: None, connections, patience }
    }
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let Config { listen, tls, operations, connections, .. } = config;
        Self { tls: tls.clone(), operations: operations.listen, connections: connections.clone(), ..Self::at(*listen) }
    }
}

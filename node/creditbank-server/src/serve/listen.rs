//! The addresses of a node: taken before its log is opened, and answered once it serves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use super::{ServeError, Settings};

/// Connections that wait until they are accepted.
const BACKLOG: i32 = 4_096;

/// An address that this process has taken. Nobody is answered there yet.
pub(super) struct Taken {
    socket: Socket,
    asked: SocketAddr,
}

impl Taken {
    /// Takes an address.
    pub(super) fn at(address: SocketAddr) -> Result<Self, ServeError> {
        let socket = bind(address).map_err(|error| ServeError::Listen { address, error })?;
        Ok(Self { socket, asked: address })
    }

    /// Begins to listen. Returns the address with its port, which the system may have chosen.
    pub(super) fn listen(self) -> Result<(TcpListener, SocketAddr), ServeError> {
        let Self { socket, asked: address } = self;
        let listen = || {
            socket.listen(BACKLOG)?;
            let listener = TcpListener::from_std(socket.into())?;
            let bound = listener.local_addr()?;
            Ok((listener, bound))
        };
        listen().map_err(|error| ServeError::Listen { address, error })
    }
}

/// A socket at an address. `[::]` accepts IPv4 too, whatever the system's default is.
fn bind(address: SocketAddr) -> std::io::Result<Socket> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = match Socket::new(domain, Type::STREAM, Some(Protocol::TCP)) {
        // A machine without IPv6 has IPv4 addresses only.
        Err(_) if address.ip() == IpAddr::from(Ipv6Addr::UNSPECIFIED) => {
            return bind((Ipv4Addr::UNSPECIFIED, address.port()).into());
        }
        socket => socket?,
    };
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// The addresses of a node. A log is opened once they are taken: a start that finds them in use, perhaps by this node,
/// leaves the log as it was.
pub struct Addresses {
    pub(super) service: Taken,
    pub(super) operations: Option<Taken>,
}

impl Addresses {
    /// Takes the addresses that the settings name.
    pub fn take(settings: &Settings) -> Result<Self, ServeError> {
        let operations = settings.operations.map(Taken::at).transpose()?;
        Ok(Self { service: Taken::at(settings.listen)?, operations })
    }
}

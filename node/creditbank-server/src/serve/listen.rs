//! The addresses of a node: taken before its log is opened, and answered once it serves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{ServeError, Settings};

/// Connections that wait until they are accepted.
const BACKLOG: i32 = 4_096;

/// Pause after a connection that could not be accepted, as where too many files are open.
const PAUSE: Duration = Duration::from_millis(50);

/// An address that this process has taken. Until it serves, connections are closed at once, so that callers do not wait
/// for a node that opens its log.
pub(super) struct Taken {
    address: SocketAddr,
    serves: oneshot::Sender<()>,
    listener: JoinHandle<TcpListener>,
}

impl Taken {
    /// Takes an address.
    pub(super) fn at(address: SocketAddr) -> Result<Self, ServeError> {
        let refused = |error| ServeError::Listen { address, error };
        let listener = listen(address).map_err(refused)?;
        // With its port, which the system may have chosen.
        let address = listener.local_addr().map_err(refused)?;
        let (serves, until) = oneshot::channel();
        Ok(Self { address, serves, listener: tokio::spawn(close_all(listener, until)) })
    }

    /// The listener, from which on connections are accepted, and its address.
    pub(super) async fn listen(self) -> Result<(TcpListener, SocketAddr), ServeError> {
        drop(self.serves);
        let listener = self.listener.await.map_err(|error| ServeError::Task(error.to_string()))?;
        Ok((listener, self.address))
    }
}

/// Closes connections until somebody serves them.
async fn close_all(listener: TcpListener, mut until: oneshot::Receiver<()>) -> TcpListener {
    loop {
        tokio::select! {
            _ = &mut until => return listener,
            accepted = listener.accept() => if accepted.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Opens a listener. `[::]` accepts IPv4 too, whatever the system's default is.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = match Socket::new(domain, Type::STREAM, Some(Protocol::TCP)) {
        // A machine without IPv6 has IPv4 addresses only.
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
    // Until somebody listens, another process could take the same address.
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// Goal: nobody else gets an address that is taken, and callers are told at once that nobody serves them there yet.
    #[tokio::test]
    async fn what_is_taken_is_held() {
        let taken = Taken::at(([127, 0, 0, 1], 0).into()).expect("free");
        let address = taken.address;
        let Err(ServeError::Listen { error, .. }) = Taken::at(address) else { panic!("taken twice") };
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        let mut early = TcpStream::connect(address).await.expect("connected");
        assert_eq!(early.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
        let (listener, bound) = taken.listen().await.expect("the same listener");
        assert_eq!(bound, address);
        let (caller, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        accepted.expect("served").0.write_all(b"1").await.expect("written");
        let mut one = [0];
        caller.expect("connected").read_exact(&mut one).await.expect("read");
        assert_eq!(&one, b"1");
    }
}

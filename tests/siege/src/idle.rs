//! Connections that do nothing: some send nothing at all, others answer keepalives and call nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
/// Frames that call nothing.
pub(crate) const PING_FRAME: &[u8] = &[0, 0, 8, PING, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
pub(crate) const SETTINGS_FRAME: &[u8] = &[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0];
/// Largest frame that a node sends to a client that calls nothing.
const FRAME_MAX: usize = 16 << 10;

async fn open(to: SocketAddr, from: u8) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into())?;
    socket.connect(to).await
}

/// Speaks HTTP/2 and calls nothing, until the node closes.
async fn idle_once(to: SocketAddr, from: u8) -> std::io::Result<()> {
    let mut socket = open(to, from).await?;
    socket.write_all(PREFACE).await?;
    let mut head = [0; 9];
    loop {
        socket.read_exact(&mut head).await?;
        let len = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; len.min(FRAME_MAX)];
        socket.read_exact(&mut payload).await?;
        let answer = match head[3] {
            SETTINGS if head[4] & ACK == 0 => vec![0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0],
            PING if head[4] & ACK == 0 => [&[0, 0, 8, PING, ACK, 0, 0, 0, 0][..], &payload].concat(),
            _ => continue,
        };
        socket.write_all(&answer).await?;
    }
}

/// Holds an idle connection for ever, and opens another one when it is closed.
pub(crate) async fn idle(to: SocketAddr, from: u8) {
    loop {
        let _ = idle_once(to, from).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Floods the node with a frame, and begins anew when the connection is closed.
pub(crate) async fn frames(to: SocketAddr, from: u8, frame: &'static [u8]) {
    loop {
        if let Ok(socket) = open(to, from).await {
            let (mut reading, mut writing) = socket.into_split();
            let read = async { reading.read_to_end(&mut Vec::new()).await };
            let write = async {
                writing.write_all(PREFACE).await?;
                loop {
                    writing.write_all(&frame.repeat(100)).await?;
                }
            };
            let _: Result<(), std::io::Error> = tokio::select! {
                _ = read => Ok(()),
                ended = write => ended,
            };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Opens sockets and sends nothing, or half of the beginning of a TLS handshake.
pub(crate) async fn silent(to: SocketAddr, from: u8, said: &'static [u8]) {
    loop {
        if let Ok(mut socket) = open(to, from).await {
            let _ = socket.write_all(said).await;
            let _ = socket.read(&mut [0; 64]).await;
            let _ = socket.read_to_end(&mut Vec::new()).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

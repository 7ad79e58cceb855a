//! One connection: what it holds, how long it has been idle, and when it ends.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::calls::{Calls, Services};
use super::frames::Misuse;
use super::io::{Traffic, Watched};
use super::room::Account;
use super::rooms::Rooms;
use super::settings::Patience;
use super::stream::Streams;
use super::{Peer, measures::Measures};

/// Most calls that one connection may have open.
const STREAMS_PER_CONNECTION: u32 = 100;
/// Bytes that a client may send on one stream, and on the whole connection, before the node has read them.
pub(super) const STREAM_WINDOW: u32 = 512 << 10;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// Bytes of an answer that the transport buffers.
const SEND_BUFFER: usize = 64 << 10;
/// Most bytes of the headers of a call.
const HEADERS_MAX: u32 = 16 << 10;
/// A client that does not answer a keepalive in time is disconnected.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);
/// Length of the HTTP/2 preface and of the first frame's head.
const FIRST_BYTES: u64 = 24 + 9;
/// Calls that a client may cancel before they are answered: this many at once, and this many more in a second.
const GIVEN_UP_MAX: u32 = 1_000;
const GIVEN_UP_PER_SECOND: u32 = 100;
/// How long a connection may stay open after it was asked to close.
const GOING: Duration = Duration::from_secs(30);

/// What one connection holds and does.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: Peer,
    opened: Instant,
    calls: AtomicUsize,
    /// Milliseconds after `opened` at which the last call ended.
    idle_since_ms: AtomicU64,
    close: watch::Sender<bool>,
    given_up: Mutex<(u32, Instant)>,
    rooms: Arc<Rooms>,
    /// Bytes of requests.
    pub(super) requests: Arc<Account>,
    /// Bytes of answers.
    pub(super) answers: Arc<Account>,
    /// Calls that stream.
    pub(super) streams: Arc<Account>,
    /// Bytes of calls for health and reflection.
    pub(super) inquiries: Arc<Account>,
}

/// A call that is under way.
pub(super) struct UnderWay {
    connection: Arc<Connection>,
    answered: bool,
}

impl Connection {
    pub(super) fn new(peer: Peer, rooms: &Arc<Rooms>) -> Arc<Self> {
        let opened = Instant::now();
        Arc::new(Self {
            peer,
            opened,
            calls: AtomicUsize::new(0),
            idle_since_ms: AtomicU64::new(0),
            close: watch::Sender::new(false),
            given_up: Mutex::new((0, opened)),
            requests: Account::new(&rooms.requests, peer),
            answers: Account::new(&rooms.answers, peer),
            streams: Account::new(&rooms.streams, peer),
            inquiries: Account::new(&rooms.inquiries, peer),
            rooms: Arc::clone(rooms),
        })
    }

    pub(super) fn peer(&self) -> Peer {
        self.peer
    }

    pub(super) fn patience(&self) -> Patience {
        self.rooms.patience
    }

    pub(super) fn measures(&self) -> &Measures {
        &self.rooms.measures
    }

    /// Time since it was accepted.
    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// How long there has been no call; `None` during a call.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        let since = Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed));
        (self.calls.load(Ordering::Relaxed) == 0).then(|| self.age().saturating_sub(since))
    }

    /// Begins a call.
    pub(super) fn call(self: &Arc<Self>) -> UnderWay {
        self.calls.fetch_add(1, Ordering::Relaxed);
        UnderWay { connection: Arc::clone(self), answered: false }
    }

    /// Ends the connection at once, with all its calls.
    pub(super) fn close(&self) {
        self.close.send_replace(true);
    }

    /// A receiver for [`Self::until_closed`].
    pub(super) fn closed(&self) -> watch::Receiver<bool> {
        self.close.subscribe()
    }

    /// Waits until the connection is closed.
    pub(super) async fn until_closed(closed: &mut watch::Receiver<bool>) {
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// Counts a call against its address. Returns whether the address may make it now.
    pub(super) fn may_call(&self) -> bool {
        self.rooms.may_call(self.peer)
    }

    /// Counts a stream that ended because its reader took nothing.
    pub(super) fn stalled(&self) {
        self.rooms.measures.stalled.inc();
    }

    /// Counts a cancelled call. A client that cancels very many makes the node work for nothing: its connection ends.
    fn gave_up(&self) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since) = *given_up;
        let seconds = u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX);
        let left = count.saturating_sub(seconds.saturating_mul(GIVEN_UP_PER_SECOND));
        let since = if seconds > 0 { Instant::now() } else { since };
        *given_up = (left + 1, since);
        if left >= GIVEN_UP_MAX {
            self.rooms.measures.closed("resets");
            self.close();
        }
    }
}

impl UnderWay {
    /// The answer is complete, or its end is on the way.
    pub(super) fn answered(&mut self) {
        self.answered = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let connection = &self.connection;
        let now = u64::try_from(connection.age().as_millis()).unwrap_or(u64::MAX);
        connection.idle_since_ms.store(now, Ordering::Relaxed);
        connection.calls.fetch_sub(1, Ordering::Relaxed);
        if !self.answered {
            connection.gave_up();
        }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    connection: Arc<Connection>,
    services: Services,
    stop: watch::Receiver<bool>,
) {
    // Otherwise small answers wait for the client's delayed acknowledgement: 40 ms a call.
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else {
        let traffic = Traffic::of_frames();
        return speak(Watched::new(socket, Arc::clone(&traffic)), &traffic, connection, services, stop).await;
    };
    let mut closed = connection.closed();
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(connection.patience().handshake, tls.accept(socket)) => accepted,
        () = Connection::until_closed(&mut closed) => return,
    };
    match accepted {
        Ok(Ok(socket)) => {
            let traffic = Traffic::of_frames();
            speak(Watched::new(socket, Arc::clone(&traffic)), &traffic, connection, services, stop).await;
        }
        Ok(Err(_)) => connection.measures().closed("tls"),
        Err(_) => connection.measures().closed("silent"),
    }
}

/// The name of a misuse in the metrics.
fn reason(misuse: Misuse) -> &'static str {
    match misuse {
        Misuse::Idle => "frames",
        Misuse::Headers => "headers",
    }
}

/// Speaks HTTP/2.
async fn speak<T>(
    socket: T,
    traffic: &Traffic,
    connection: Arc<Connection>,
    services: Services,
    mut stop: watch::Receiver<bool>,
) where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let patience = connection.patience();
    let mut builder = hyper::server::conn::http2::Builder::new(Streams(Arc::clone(&connection)));
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(HEADERS_MAX)
        .keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_ANSWER)
        .auto_date_header(false);
    let calls = Calls { services, connection: Arc::clone(&connection) };
    let mut speaking = std::pin::pin!(builder.serve_connection(TokioIo::new(socket), calls));
    let mut closed = connection.closed();
    let mut stopping = *stop.borrow_and_update();
    if stopping {
        speaking.as_mut().graceful_shutdown();
    }
    let mut look = std::pin::pin!(tokio::time::sleep(patience.handshake));
    let mut going: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = &mut speaking => {
                if let Some(misuse) = traffic.misuse() {
                    connection.measures().closed(reason(misuse));
                }
                return;
            }
            () = Connection::until_closed(&mut closed) => return,
            changed = stop.changed(), if !stopping => {
                stopping = true;
                if changed.is_ok() {
                    speaking.as_mut().graceful_shutdown();
                }
            }
            () = &mut look => {
                if traffic.read() < FIRST_BYTES {
                    return connection.measures().closed("silent");
                }
                if traffic.blocked_for().is_some_and(|blocked| blocked >= patience.stall) {
                    return connection.measures().closed("stalled");
                }
                if traffic.headers_for().is_some_and(|coming| coming >= patience.handshake) {
                    return connection.measures().closed("headers");
                }
                if going.is_some_and(|since| since.elapsed() >= GOING) && connection.idle_for().is_some() {
                    return;
                }
                if going.is_none() && connection.idle_for().is_some_and(|idle| idle >= patience.idle) {
                    connection.measures().closed("idle");
                    speaking.as_mut().graceful_shutdown();
                    going = Some(Instant::now());
                }
                let next = patience.handshake.min(patience.stall / 3).min(patience.idle);
                look.as_mut().reset(Instant::now() + next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: calls that are answered cost nothing; a client that cancels very many loses the connection.
    #[tokio::test]
    async fn who_takes_back_many_calls_loses_the_connection() {
        let connection = Connection::new(Peer::UNKNOWN, &Rooms::for_tests());
        for _ in 0..=GIVEN_UP_MAX {
            connection.call().answered();
        }
        assert!(!*connection.closed().borrow());
        for _ in 0..GIVEN_UP_MAX {
            drop(connection.call());
        }
        assert!(!*connection.closed().borrow());
        drop(connection.call());
        assert!(*connection.closed().borrow());
    }
}

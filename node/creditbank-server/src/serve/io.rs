//! A socket that knows how much it has carried, and since when it has accepted no bytes. It ends the connection of a
//! client that sends too many frames that call nothing, and yields to other tasks while a client sends much.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::frames::{Frames, Misuse};

/// Bytes that are read from a client before other tasks get their turn.
const TURN: usize = 64 << 10;

/// Which operation the socket has blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blocked {
    Writing,
    Flushing,
}

#[derive(Debug, Default)]
struct State {
    read: u64,
    blocked: Option<(Instant, Blocked)>,
    /// For a socket that carries HTTP/2 directly.
    frames: Option<Frames>,
    misuse: Option<Misuse>,
}

/// What a socket has carried.
#[derive(Debug, Default)]
pub(super) struct Traffic(Mutex<State>);

impl Traffic {
    /// For a socket whose bytes are HTTP/2 frames.
    pub(super) fn of_frames() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { frames: Some(Frames::new()), ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that were read.
    pub(super) fn read(&self) -> u64 {
        self.state().read
    }

    /// How long bytes have waited while the socket accepted none.
    pub(super) fn blocked_for(&self) -> Option<Duration> {
        self.state().blocked.map(|(since, _)| since.elapsed())
    }

    /// How long the present block of headers has been arriving.
    pub(super) fn headers_for(&self) -> Option<Duration> {
        self.state().frames.as_ref().and_then(Frames::headers_for)
    }

    /// Why the node stopped reading the client's frames.
    pub(super) fn misuse(&self) -> Option<Misuse> {
        self.state().misuse
    }

    fn came(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.read += bytes.len() as u64;
        let Some(Err(misuse)) = state.frames.as_mut().map(|frames| frames.came(bytes)) else { return Ok(()) };
        state.misuse = Some(misuse);
        Err(io::Error::new(io::ErrorKind::ConnectionAborted, "too many frames that call nothing"))
    }

    fn wrote(&self, result: &Poll<io::Result<usize>>) {
        let mut state = self.state();
        match result {
            Poll::Ready(written) => {
                state.blocked = None;
                if let (Some(frames), Ok(bytes)) = (&mut state.frames, written) {
                    frames.left(*bytes);
                }
            }
            Poll::Pending => {
                state.blocked.get_or_insert_with(|| (Instant::now(), Blocked::Writing));
            }
        }
    }

    /// A layer below, such as TLS, may hold bytes that the socket does not accept.
    fn flushed<T>(&self, result: &Poll<T>) {
        let mut state = self.state();
        match result {
            Poll::Ready(_) if state.blocked.is_some_and(|(_, by)| by == Blocked::Flushing) => state.blocked = None,
            Poll::Ready(_) => {}
            Poll::Pending => {
                state.blocked.get_or_insert_with(|| (Instant::now(), Blocked::Flushing));
            }
        }
    }
}

/// A socket that counts.
pub(super) struct Watched<T> {
    inner: T,
    traffic: Arc<Traffic>,
    /// Bytes that were read in this turn.
    in_turn: usize,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic, in_turn: 0 }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.in_turn >= TURN {
            self.in_turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        if polled.is_pending() {
            self.in_turn = 0;
        }
        ready!(polled)?;
        let new = &buffer.filled()[before..];
        self.in_turn += new.len();
        Poll::Ready(self.traffic.came(new))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.traffic.wrote(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(context, parts);
        self.traffic.wrote(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        self.traffic.flushed(&polled);
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

//! A socket that says how much came over it, and since when it has taken nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// What a socket has carried.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    read: AtomicU64,
    blocked: Mutex<Option<Instant>>,
}

impl Traffic {
    /// Bytes that were read.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// How long bytes have waited and the socket has taken none.
    pub(super) fn blocked_for(&self) -> Option<Duration> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }

    fn wrote<T>(&self, result: &Poll<T>) {
        let mut blocked = self.blocked.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Poll::Ready(_) => *blocked = None,
            Poll::Pending => {
                blocked.get_or_insert_with(Instant::now);
            }
        }
    }
}

/// A socket under watch.
pub(super) struct Watched<T> {
    inner: T,
    traffic: Arc<Traffic>,
}

impl<T> Watched<T> {
    pub(super) fn new(inner: T, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let read = buffer.filled().len() - before;
        self.traffic.read.fetch_add(read as u64, Ordering::Relaxed);
        polled
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
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

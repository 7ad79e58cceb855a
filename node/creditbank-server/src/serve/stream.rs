//! One call as the transport sees it: how many bytes of its answer wait for the reader, and since when none has left.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;

tokio::task_local! {
    /// The stream on whose task something runs.
    static STREAM: Arc<Stream>;
}

#[derive(Debug)]
struct Waiting {
    bytes: usize,
    moved: Instant,
    waker: Option<Waker>,
}

/// What the transport has taken of an answer and the reader has not.
#[derive(Debug)]
pub(super) struct Stream(Mutex<Waiting>);

impl Stream {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Waiting { bytes: 0, moved: Instant::now(), waker: None })))
    }

    /// The stream of this task; one of its own where there is none.
    pub(super) fn current() -> Arc<Self> {
        STREAM.try_with(Arc::clone).unwrap_or_else(|_| Self::new())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The transport takes bytes.
    pub(super) fn took(&self, bytes: usize) {
        let mut waiting = self.waiting();
        if waiting.bytes == 0 {
            waiting.moved = Instant::now();
        }
        waiting.bytes += bytes;
    }

    /// They have left, or were dropped.
    pub(super) fn left(&self, bytes: usize) {
        let mut waiting = self.waiting();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        waiting.moved = Instant::now();
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until at most so many bytes wait. One task may do so.
    pub(super) fn poll_at_most(&self, bytes: usize, context: &Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting();
        if waiting.bytes <= bytes {
            return Poll::Ready(());
        }
        waiting.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ends when bytes have waited for so long and none has left.
    async fn stalled(&self, patience: Duration) {
        loop {
            tokio::time::sleep(patience / 3).await;
            let waiting = self.waiting();
            if waiting.bytes > 0 && waiting.moved.elapsed() >= patience {
                return;
            }
        }
    }
}

/// Runs the streams of a connection, each on a task of its own. It ends a stream whose reader takes nothing: to drop the
/// stream's future resets it, and frees what the transport had buffered.
#[derive(Clone)]
pub(super) struct Streams(pub(super) Arc<Connection>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, work: F) {
        let connection = Arc::clone(&self.0);
        let stream = Stream::new();
        let scoped = Arc::clone(&stream);
        tokio::spawn(STREAM.scope(scoped, async move {
            let patience = connection.patience().stall;
            let mut closed = connection.closed();
            {
                let work = std::pin::pin!(work);
                tokio::select! {
                    biased;
                    () = work => {}
                    () = Connection::until_closed(&mut closed) => return,
                    () = stream.stalled(patience) => return connection.stalled(),
                }
            }
            // The transport may still hold the end of the answer, and nobody can take it back: the connection ends
            // where the reader does not take it.
            tokio::select! {
                biased;
                () = std::future::poll_fn(|context| stream.poll_at_most(0, context)) => {}
                () = Connection::until_closed(&mut closed) => {}
                () = stream.stalled(patience) => {
                    connection.stalled();
                    connection.measures().closed("stalled");
                    connection.close();
                }
            }
        }));
    }
}

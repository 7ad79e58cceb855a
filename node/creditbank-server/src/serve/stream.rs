//! One call as the transport sees it: how many bytes of its answer wait for the reader, since when nothing has moved,
//! and whether it has to end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;
use tonic::Status;

use super::connection::Connection;
use super::room::Charge;
use crate::grpc::busy;

/// A call that has to end gets this long to tell its client.
const FAREWELL: Duration = Duration::from_millis(250);

tokio::task_local! {
    /// The stream to which the running task belongs.
    static STREAM: Arc<Stream>;
}

/// Why a call has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Others who hold less need what it holds.
    MakesRoom,
    /// Its deadline has passed.
    Deadline,
}

impl End {
    /// The status that its client gets.
    pub(super) fn status(self) -> Status {
        match self {
            Self::MakesRoom => busy(),
            Self::Deadline => Status::deadline_exceeded("the call has taken too long"),
        }
    }
}

#[derive(Debug)]
struct State {
    /// Bytes of the answer that wait for the reader.
    waiting: usize,
    /// When bytes last arrived or left.
    moved: Instant,
    /// Wakes the task that waits until fewer bytes wait.
    reader: Option<Waker>,
    end: Option<End>,
    /// Wakes the task that waits for the end. All of a call runs on one task.
    ending: Option<Waker>,
    /// What the call itself takes up, for as long as its task runs.
    call: Option<Charge>,
}

/// Bytes of an answer that the transport has and the reader has not taken yet.
#[derive(Debug)]
pub(super) struct Stream(Mutex<State>);

impl Stream {
    pub(super) fn new() -> Arc<Self> {
        let (moved, reader, end, ending, call) = (Instant::now(), None, None, None, None);
        Arc::new(Self(Mutex::new(State { waiting: 0, moved, reader, end, ending, call })))
    }

    /// The stream of the running task; a new one if there is none.
    pub(super) fn current() -> Arc<Self> {
        STREAM.try_with(Arc::clone).unwrap_or_else(|_| Self::new())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the charge of what the call itself takes up until its task ends: the transport holds the call for as long
    /// as its reader leaves a byte of the answer there.
    pub(super) fn keep(&self, call: Charge) {
        self.state().call = Some(call);
    }

    /// Bytes of its request have arrived.
    pub(super) fn came(&self) {
        self.state().moved = Instant::now();
    }

    /// When bytes last arrived or left.
    pub(super) fn moved(&self) -> Instant {
        self.state().moved
    }

    /// The transport takes bytes.
    pub(super) fn took(&self, bytes: usize) {
        let mut state = self.state();
        if state.waiting == 0 {
            state.moved = Instant::now();
        }
        state.waiting += bytes;
    }

    /// Bytes were sent, or dropped.
    pub(super) fn left(&self, bytes: usize) {
        let mut state = self.state();
        state.waiting = state.waiting.saturating_sub(bytes);
        state.moved = Instant::now();
        let waker = state.reader.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until at most this many bytes wait. Only one task may do so.
    pub(super) fn poll_at_most(&self, bytes: usize, context: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.waiting <= bytes {
            return Poll::Ready(());
        }
        state.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// The call has to end.
    pub(super) fn end(&self, why: End) {
        let mut state = self.state();
        state.end.get_or_insert(why);
        let waker = state.ending.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until the call has to end. Only one task may do so.
    pub(super) fn poll_ended(&self, context: &Context<'_>) -> Poll<End> {
        let mut state = self.state();
        if let Some(why) = state.end {
            return Poll::Ready(why);
        }
        state.ending = Some(context.waker().clone());
        Poll::Pending
    }

    /// Waits until the call has to end.
    pub(super) async fn ended(&self) -> End {
        std::future::poll_fn(|context| self.poll_ended(context)).await
    }

    /// Pretends that nothing has moved for this long.
    #[cfg(test)]
    pub(super) fn stand(&self, time: Duration) {
        self.state().moved -= time;
    }

    /// Why it has to end, if it has.
    #[cfg(test)]
    pub(super) fn end_now(&self) -> Option<End> {
        self.state().end
    }

    /// Returns when bytes have waited for this long and none was sent.
    async fn stalled(&self, patience: Duration) {
        loop {
            tokio::time::sleep(patience / 3).await;
            let state = self.state();
            if state.waiting > 0 && state.moved.elapsed() >= patience {
                return;
            }
        }
    }

    /// Waits until the call has to end and has had time to tell its client.
    async fn overdue(&self) {
        self.ended().await;
        let is_still = {
            let state = self.state();
            state.waiting > 0 && state.moved.elapsed() >= FAREWELL
        };
        if !is_still {
            tokio::time::sleep(FAREWELL).await;
        }
    }
}

/// The end of a call's task.
struct Task(Arc<Stream>);

impl Drop for Task {
    fn drop(&mut self) {
        let call = self.0.state().call.take();
        // Without the lock of the stream: the room takes its own.
        drop(call);
    }
}

/// Runs the streams of a connection, each on its own task. It ends a stream whose reader takes nothing, or that has to
/// make room: dropping the stream's future resets the stream and frees what the transport has buffered.
#[derive(Clone)]
pub(super) struct Streams(pub(super) Arc<Connection>);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, work: F) {
        let connection = Arc::clone(&self.0);
        let stream = Stream::new();
        let scoped = Arc::clone(&stream);
        let mut task = Box::pin(STREAM.scope(scoped, async move {
            let _task = Task(Arc::clone(&stream));
            let patience = connection.patience().stall;
            let mut closed = connection.closed();
            {
                let work = std::pin::pin!(work);
                tokio::select! {
                    biased;
                    () = work => {}
                    () = Connection::until_closed(&mut closed) => return,
                    () = stream.stalled(patience) => return connection.stalled(),
                    () = stream.overdue() => return,
                }
            }
            // The transport may still hold the end of the answer, and the stream cannot be cancelled any more. If the
            // reader does not take it, the connection ends.
            tokio::select! {
                biased;
                () = std::future::poll_fn(|context| stream.poll_at_most(0, context)) => return,
                () = Connection::until_closed(&mut closed) => return,
                () = stream.stalled(patience) => {}
                () = stream.overdue() => {}
            }
            connection.stalled();
            connection.measures().closed("stalled");
            connection.close();
        }));
        // What is answered or refused at once needs no task. So calls that wait for their turn hold a charge, each of
        // them. A panic there, which is a bug, ends the connection and not the call alone.
        if task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            tokio::spawn(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a call that has to end is told once, and the first reason counts.
    #[tokio::test]
    async fn the_first_reason_stands() {
        let stream = Stream::new();
        let waiting = tokio::spawn({
            let stream = Arc::clone(&stream);
            async move { stream.ended().await }
        });
        tokio::task::yield_now().await;
        stream.end(End::MakesRoom);
        stream.end(End::Deadline);
        assert_eq!(waiting.await.expect("it ends"), End::MakesRoom);
        assert_eq!(stream.ended().await, End::MakesRoom);
    }
}

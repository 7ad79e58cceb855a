//! Batches whose learners' accounts are being opened while those before them are sealed, handed out in their order.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::Poll;

use super::batch::Batch;
use crate::ClientError;

type Opening<'a> = Pin<Box<dyn Future<Output = Result<Batch, ClientError>> + Send + 'a>>;

enum Slot<'a> {
    Opening(Opening<'a>),
    Open(Result<Batch, ClientError>),
}

/// Batches on their way to the outbox.
pub(super) struct Ahead<'a>(VecDeque<Slot<'a>>);

impl<'a> Ahead<'a> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn push(&mut self, batch: impl Future<Output = Result<Batch, ClientError>> + Send + 'a) {
        self.0.push_back(Slot::Opening(Box::pin(batch)));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first batch, once it is open. All of them go on meanwhile. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Batch, ClientError> {
        std::future::poll_fn(|context| {
            for slot in &mut self.0 {
                if let Slot::Opening(opening) = slot
                    && let Poll::Ready(batch) = opening.as_mut().poll(context)
                {
                    *slot = Slot::Open(batch);
                }
            }
            match self.0.pop_front() {
                Some(Slot::Open(batch)) => Poll::Ready(batch),
                Some(slot) => {
                    self.0.push_front(slot);
                    Poll::Pending
                }
                None => Poll::Pending,
            }
        })
        .await
    }
}

//! The way to the node: blocks in the order in which they are sent, many at once, and their answers, checked.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use creditbank_protocol::merkle::leaf_hash;
use creditbank_protocol::pb::Receipt;
use creditbank_rpc::v1::submit_blocks_response::Outcome;
use creditbank_rpc::v1::{SubmitBlockRequest, SubmitBlocksResponse};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;

use super::core::{Answer, Attempt, Open};
use super::{Prepared, open_of};
use crate::{Client, ClientError};

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A stream of blocks, opened when one is sent.
struct Stream {
    requests: mpsc::UnboundedSender<SubmitBlockRequest>,
    answers: Streaming<SubmitBlocksResponse>,
}

struct Sent {
    attempt: Attempt,
    block: Arc<Prepared>,
    /// When its answer counts as lost.
    deadline: Instant,
}

/// A connection for one outbox.
pub(super) struct Line<'a> {
    client: &'a Client,
    opening: Option<Later<'a, Result<Stream, ClientError>>>,
    stream: Option<Stream>,
    /// Not answered yet, in the order of their sending.
    sent: VecDeque<Sent>,
    /// Answers that are being checked.
    checking: Option<Later<'a, (Attempt, Answer)>>,
    checked: VecDeque<(Attempt, Answer)>,
}

impl<'a> Line<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        let (sent, checked) = (VecDeque::new(), VecDeque::new());
        Self { client, opening: None, stream: None, sent, checking: None, checked }
    }

    /// Sends a block.
    pub(super) fn send(&mut self, attempt: Attempt, block: Arc<Prepared>) {
        if let Some(stream) = &self.stream {
            // Where the stream has ended, its answers say so.
            let _ = stream.requests.send(block.request().clone());
        } else if self.opening.is_none() {
            self.opening = Some(Box::pin(open(self.client)));
        }
        let deadline = Instant::now() + self.client.timeout();
        self.sent.push_back(Sent { attempt, block, deadline });
    }

    /// Whether an answer is to come.
    pub(super) fn is_busy(&self) -> bool {
        !self.sent.is_empty() || self.checking.is_some() || !self.checked.is_empty()
    }

    /// The next answer. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> (Attempt, Answer) {
        loop {
            if let Some(answer) = self.checked.pop_front() {
                return answer;
            }
            if let Some(checking) = &mut self.checking {
                let answer = checking.await;
                self.checking = None;
                return answer;
            }
            match self.receive().await {
                Ok(outcome) => {
                    let Some(Sent { attempt, block, .. }) = self.sent.pop_front() else { continue };
                    self.checking = Some(Box::pin(check(self.client, attempt, block, outcome)));
                }
                Err(open) => self.lose(&open),
            }
        }
    }

    /// What the node says to the block that was sent first.
    async fn receive(&mut self) -> Result<Option<Outcome>, Open> {
        let late = || Open::Lost("the node did not answer in time".to_owned());
        let Some(deadline) = self.sent.front().map(|sent| sent.deadline) else { return std::future::pending().await };
        if let Some(opening) = &mut self.opening {
            let opened = tokio::time::timeout_at(deadline, opening).await.map_err(|_| late())?;
            self.opening = None;
            let stream = opened.map_err(open_of)?;
            for sent in &self.sent {
                let _ = stream.requests.send(sent.block.request().clone());
            }
            self.stream = Some(stream);
        }
        let ended = || Open::Lost("the node has ended the stream".to_owned());
        let Some(stream) = &mut self.stream else { return Err(ended()) };
        let answer = tokio::time::timeout_at(deadline, stream.answers.message()).await.map_err(|_| late())?;
        let answer = answer.map_err(|status| open_of(status.into()))?.ok_or_else(ended)?;
        Ok(answer.outcome)
    }

    /// The stream is at its end, and with it every answer that was to come.
    fn lose(&mut self, open: &Open) {
        (self.opening, self.stream) = (None, None);
        self.checked.extend(self.sent.drain(..).map(|sent| (sent.attempt, Answer::Open(open.clone()))));
    }
}

async fn open(client: &Client) -> Result<Stream, ClientError> {
    let (requests, blocks) = mpsc::unbounded_channel();
    let answers = client.submissions(UnboundedReceiverStream::new(blocks)).await?;
    Ok(Stream { requests, answers })
}

/// Believes nothing that is not proved.
async fn check(client: &Client, attempt: Attempt, block: Arc<Prepared>, outcome: Option<Outcome>) -> (Attempt, Answer) {
    let answer = match outcome {
        Some(Outcome::Receipt(receipt)) => match proved(client, &block, &receipt).await {
            Ok(()) => Answer::Sealed(Box::new(receipt)),
            Err(error) => Answer::Open(open_of(error)),
        },
        Some(Outcome::Refusal(refusal)) => Answer::Refused(Box::new(refusal)),
        None => Answer::Open(Open::Unverified("the answer to a block is empty".to_owned())),
    };
    (attempt, answer)
}

async fn proved(client: &Client, block: &Prepared, receipt: &Receipt) -> Result<(), ClientError> {
    // The leaf of the head: which block it is, to the last byte.
    if leaf_hash(&receipt.entry) != block.leaf {
        return Err(ClientError::lie("the receipt is for another block"));
    }
    client.check_receipt(receipt).await.map(drop)
}

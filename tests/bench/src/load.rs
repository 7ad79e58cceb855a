//! Sending prepared blocks in streams, as fast as receipts come or at a fixed pace.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::{BufMut as _, Bytes};
use creditbank_rpc::v1::SubmitBlocksResponse;
use creditbank_rpc::v1::submit_blocks_response::Outcome;
use prost::Message as _;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::blocks::Blocks;

/// Streams at once, each over a connection of its own.
const STREAMS: usize = 4;

/// Requests that are encoded already.
#[derive(Default)]
struct Prepared;

impl Codec for Prepared {
    type Encode = Bytes;
    type Decode = SubmitBlocksResponse;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Prepared {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Prepared {
    type Item = SubmitBlocksResponse;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<SubmitBlocksResponse>, Status> {
        SubmitBlocksResponse::decode(buffer).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

/// How blocks are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// The next as soon as fewer than so many are under way.
    InFlight(usize),
    /// One after each interval, whether receipts are back or not.
    Every(Duration),
}

/// A block whose receipt is back: when it was due, and when it came, since the beginning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) due: Duration,
    pub(crate) done: Duration,
}

/// Sends a range of blocks and returns when each was due and acknowledged, in no order. A refusal is an error.
pub(crate) async fn send(
    url: &str,
    blocks: &Arc<Blocks>,
    range: std::ops::Range<usize>,
    pace: Pace,
    acknowledged: impl Fn() + Send + Sync + 'static,
) -> anyhow::Result<Vec<Sent>> {
    let room =
        Arc::new(Semaphore::new(if let Pace::InFlight(most) = pace { most } else { Semaphore::MAX_PERMITS / 2 }));
    let acknowledged = Arc::new(acknowledged);
    let begin = Instant::now();
    let mut queues = Vec::new();
    let mut tasks = JoinSet::new();
    for _ in 0..STREAMS.min(blocks.units) {
        let channel = Endpoint::from_shared(url.to_owned())?.tcp_nodelay(true).connect().await?;
        let (queue, requests) = mpsc::channel(1_024);
        queues.push(queue);
        let (room, acknowledged) = (Arc::clone(&room), Arc::clone(&acknowledged));
        tasks.spawn(stream(channel, requests, room, acknowledged, begin));
    }
    let (source, mut at) = (Arc::clone(blocks), range.start);
    let feed = tokio::spawn(async move {
        for (number, block) in range.enumerate() {
            let due = match pace {
                Pace::InFlight(_) => {
                    room.acquire().await?.forget();
                    begin.elapsed()
                }
                Pace::Every(interval) => {
                    let due = interval * u32::try_from(number)?;
                    tokio::time::sleep_until(begin + due).await;
                    due
                }
            };
            // A unit's blocks go in one stream, so that they arrive in order.
            let stream = block % source.units % queues.len();
            queues[stream].send((source.read(block)?, due)).await?;
            at = block;
        }
        anyhow::Ok(at)
    });
    let mut sent = Vec::new();
    while let Some(done) = tasks.join_next().await {
        sent.extend(done??);
    }
    feed.await??;
    Ok(sent)
}

async fn stream(
    channel: Channel,
    mut requests: mpsc::Receiver<(Bytes, Duration)>,
    room: Arc<Semaphore>,
    acknowledged: Arc<impl Fn()>,
    begin: Instant,
) -> anyhow::Result<Vec<Sent>> {
    let (out, bodies) = mpsc::channel(4);
    let (due, mut dues) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((bytes, when)) = requests.recv().await {
            if due.send(when).is_err() || out.send(bytes).await.is_err() {
                return;
            }
        }
    });
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let path = PathAndQuery::from_static("/creditbank.v1.LedgerService/SubmitBlocks");
    let request = Request::new(ReceiverStream::new(bodies));
    let mut answers = grpc.streaming(request, path, Prepared).await?.into_inner();
    let mut sent = Vec::new();
    while let Some(answer) = answers.message().await? {
        match answer.outcome {
            Some(Outcome::Receipt(_)) => {}
            Some(Outcome::Refusal(refusal)) => {
                anyhow::bail!("a block was refused: {}: {}", refusal.reason, refusal.message)
            }
            None => anyhow::bail!("an answer without an outcome"),
        }
        let due = dues.recv().await.context("an answer without a request")?;
        sent.push(Sent { due, done: begin.elapsed() });
        room.add_permits(1);
        acknowledged();
    }
    Ok(sent)
}

//! Replaying a node's whole log with nothing but the trust file.

use creditbank_ledger::replay::{Contradiction, Prepared, Replay};
use creditbank_ledger::state::LogKeys;
use creditbank_protocol::LogIndex;
use creditbank_protocol::note::Checkpoint;
use creditbank_rpc::v1::StreamEntriesRequest;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;

use super::Client;
use crate::ClientError;
use crate::secret::random;

/// Entries that go through the replay together.
const CHUNK_ENTRIES: usize = 256;
/// Chunks that wait for the replay.
const CHUNKS_AHEAD: usize = 8;
/// Entries that are asked for in one call, so that no call runs without end.
const CALL_ENTRIES: u64 = 1 << 18;

/// What an audit has found.
pub struct Audit {
    /// The checkpoint at which it ended.
    pub checkpoint: Checkpoint,
    /// Its signed note: with the entries it is the evidence for what is found.
    pub note: Vec<u8>,
    /// The log as far as it was replayed: up to the checkpoint, or up to the contradiction.
    pub replay: Replay,
    /// The first thing that contradicts the protocol.
    pub contradiction: Option<Contradiction>,
}

/// The replay, and why it has ended.
type Replayed = (Replay, Result<(), Contradiction>);

impl Client {
    /// Replays the log from its first entry to the newest checkpoint, on all cores. `progress` is told entries that
    /// have come, and all of them. An error says that the log could not be read; what is wrong with it is in the
    /// answer.
    pub async fn audit(&self, mut progress: impl FnMut(u64, u64)) -> Result<Audit, ClientError> {
        let (accepted, note) = self.checkpoint().await?;
        let checkpoint = accepted.checkpoint;
        let keys = self.trust.beginning(&self.named);
        let seed = random()?;
        let (chunks, queue) = mpsc::channel::<Vec<Vec<u8>>>(CHUNKS_AHEAD);
        let replaying = tokio::task::spawn_blocking(move || replay(keys, seed, queue));
        let read = self.read_log(checkpoint.size, chunks, &mut progress).await;
        let done = replaying.await;
        let (replay, ended) = done.map_err(|error| ClientError::Local(format!("the replay ended: {error}")))?;
        // A contradiction stops the reading too: it counts, not the end of the stream.
        if ended.is_ok() {
            read?;
        }
        let contradiction = ended.err().or_else(|| at_the_end(&replay, &checkpoint));
        Ok(Audit { checkpoint, note, replay, contradiction })
    }

    async fn read_log(
        &self,
        size: u64,
        chunks: mpsc::Sender<Vec<Vec<u8>>>,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), ClientError> {
        let mut next = 0;
        let mut chunk = Vec::with_capacity(CHUNK_ENTRIES);
        while next < size {
            let until_index = size.min(next + CALL_ENTRIES);
            let request = StreamEntriesRequest { from_index: next, until_index };
            let mut entries = self.log.clone().stream_entries(request).await?.into_inner();
            while let Some(found) = entries.next().await {
                let found = found?;
                if found.index != next || next >= until_index {
                    return Err(ClientError::lie(format!("entry {} in the place of entry {next}", found.index)));
                }
                next += 1;
                chunk.push(found.entry);
                if chunk.len() == CHUNK_ENTRIES || next == size {
                    let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_ENTRIES));
                    if chunks.send(full).await.is_err() {
                        return Ok(());
                    }
                    progress(next, size);
                }
            }
            if next != until_index {
                return Err(ClientError::Unreachable(format!("the stream ended at entry {next} of {until_index}")));
            }
        }
        Ok(())
    }
}

fn replay(keys: LogKeys, seed: [u8; 32], mut queue: mpsc::Receiver<Vec<Vec<u8>>>) -> Replayed {
    let mut replay = Replay::new(keys);
    let source = std::iter::from_fn(|| queue.blocking_recv().map(Ok));
    let prepare = |chunk: Vec<Vec<u8>>| chunk.iter().map(|entry| Prepared::new(entry)).collect::<Vec<_>>();
    let outcome = creditbank_replay::run(seed, 1, source, prepare, |chunk, checks| {
        chunk.into_iter().try_for_each(|prepared| replay.apply(prepared, checks).map(|_| ()))
    });
    let signature = outcome.signatures.into_iter().next();
    let first = match (signature, outcome.stopped) {
        (Some(signature), Err(stopped)) if stopped.index < signature.index => Err(stopped),
        (Some(signature), _) => Err(signature),
        (None, stopped) => stopped,
    };
    (replay, first)
}

/// The log's own entries against its checkpoint.
fn at_the_end(replay: &Replay, checkpoint: &Checkpoint) -> Option<Contradiction> {
    let wrong = |what: &str, expected: String, found: String| {
        let subject = format!("checkpoint of size {}", checkpoint.size);
        let index = checkpoint.size.saturating_sub(1);
        Some(Contradiction { index: LogIndex(index), subject, what: what.to_owned(), expected, found })
    };
    if replay.root() != checkpoint.root {
        return wrong("root", replay.root().to_string(), checkpoint.root.to_string());
    }
    if !replay.is_sealed() {
        return wrong("last leaf", "a seal".to_owned(), "a block".to_owned());
    }
    None
}

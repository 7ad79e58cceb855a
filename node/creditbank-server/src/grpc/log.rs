//! `LogService`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use creditbank_protocol::Digest;
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::log_service_server::LogService;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{blocking, status};
use crate::ledger::{Ledger, ReceiptError};

/// Entries that wait for a slow reader.
const STREAM_ENTRIES: usize = 64;
/// Entries that are read at once.
const PAGE_ENTRIES: u64 = 64;
/// A reader who takes nothing for so long is gone.
const READER_WAIT: Duration = Duration::from_mins(1);

pub(super) struct Service(pub(super) Arc<Ledger>);

fn bytes(hashes: &[Digest]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.0.to_vec()).collect()
}

#[tonic::async_trait]
impl LogService for Service {
    async fn get_checkpoint(
        &self,
        _: Request<api::GetCheckpointRequest>,
    ) -> Result<Response<api::GetCheckpointResponse>, Status> {
        Ok(Response::new(api::GetCheckpointResponse { checkpoint: self.0.checkpoint() }))
    }

    type StreamEntriesStream = Pin<Box<dyn Stream<Item = Result<api::LogEntry, Status>> + Send>>;

    async fn stream_entries(
        &self,
        request: Request<api::StreamEntriesRequest>,
    ) -> Result<Response<Self::StreamEntriesStream>, Status> {
        let api::StreamEntriesRequest { from_index, until_index } = request.into_inner();
        let size = self.0.size();
        let until = if until_index == 0 { size } else { until_index };
        if from_index > until || until > size {
            let found = format!("{from_index} to {until}");
            return Err(status::invalid("until_index", &format!("a range within 0 to {size}"), found));
        }
        let (out, entries) = mpsc::channel(STREAM_ENTRIES);
        let ledger = Arc::clone(&self.0);
        // Page by page, so that a reader who does not read holds no thread; it ends when the reader is gone or asleep.
        tokio::spawn(async move {
            let mut next = from_index;
            while next < until {
                let page = next..until.min(next + PAGE_ENTRIES);
                next = page.end;
                let read = move |ledger: &Ledger| {
                    let entry = |index| ledger.entry(index).map(|entry| api::LogEntry { index, entry });
                    let entries: Result<Vec<_>, _> = page.map(entry).collect();
                    entries.map_err(|error| status::of_receipt(&ReceiptError::Store(error)))
                };
                let entries = match blocking(&ledger, read).await {
                    Ok(entries) => entries,
                    Err(error) => {
                        let _ = out.send(Err(error)).await;
                        return;
                    }
                };
                for entry in entries {
                    let sent = tokio::time::timeout(READER_WAIT, out.send(Ok(entry))).await;
                    if !matches!(sent, Ok(Ok(()))) {
                        return;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(entries))))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<api::GetInclusionProofRequest>,
    ) -> Result<Response<api::GetInclusionProofResponse>, Status> {
        let api::GetInclusionProofRequest { index, size } = request.into_inner();
        let read = move |ledger: &Ledger| ledger.inclusion(index, size).map_err(|error| status::of_receipt(&error));
        let (leaf, proof, size) = blocking(&self.0, read).await?;
        let (hashes, leaf_hash) = (bytes(&proof), leaf.0.to_vec());
        Ok(Response::new(api::GetInclusionProofResponse { index, size, hashes, leaf_hash }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<api::GetConsistencyProofRequest>,
    ) -> Result<Response<api::GetConsistencyProofResponse>, Status> {
        let api::GetConsistencyProofRequest { old_size, new_size } = request.into_inner();
        let read =
            move |ledger: &Ledger| ledger.consistency(old_size, new_size).map_err(|error| status::of_receipt(&error));
        let (proof, new_size) = blocking(&self.0, read).await?;
        Ok(Response::new(api::GetConsistencyProofResponse { old_size, new_size, hashes: bytes(&proof) }))
    }
}

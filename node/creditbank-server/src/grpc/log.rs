//! `LogService`.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use creditbank_ledger::read::{STATUS_IDS_MAX, StatusQuestion};
use creditbank_protocol::key::KeyId;
use creditbank_protocol::{Digest, InstitutionId};
use creditbank_rpc::v1 as api;
use creditbank_rpc::v1::log_service_server::LogService;
use tokio::sync::mpsc;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::access::anybody;
use super::fields::{bounded, ids};
use super::{cheap, status};
use crate::ledger::Ledger;
use crate::publish::ReceiptError;

/// Pages that wait for a slow reader. The transport ends the stream of a reader who takes nothing.
const PAGES: usize = 1;
/// Most entries that are read at once, and the bytes after which no more are added.
const PAGE_ENTRIES: u64 = 512;
const PAGE_BYTES: usize = 64 << 10;

pub(super) struct Service(pub(super) Arc<Ledger>);

fn bytes(hashes: &[Digest]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.0.to_vec()).collect()
}

/// Entries from the beginning of a range: at least one, and as many as fit on a page.
fn page(ledger: &Ledger, range: Range<u64>) -> Result<Vec<api::LogEntry>, Status> {
    let mut entries = Vec::new();
    let mut len = 0;
    for index in range {
        let entry = ledger.entry(index).map_err(ReceiptError::Store)?;
        len += entry.len();
        entries.push(api::LogEntry { index, entry });
        if len >= PAGE_BYTES {
            break;
        }
    }
    Ok(entries)
}

/// The entries of pages, one by one.
struct Pages {
    pages: mpsc::Receiver<Result<Vec<api::LogEntry>, Status>>,
    page: std::vec::IntoIter<api::LogEntry>,
}

impl Stream for Pages {
    type Item = Result<api::LogEntry, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(entry) = self.page.next() {
                return Poll::Ready(Some(Ok(entry)));
            }
            match self.pages.poll_recv(context) {
                Poll::Ready(Some(Ok(page))) => self.page = page.into_iter(),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
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
        let who = anybody(&request);
        let api::StreamEntriesRequest { from_index, until_index } = request.into_inner();
        let size = self.0.size();
        let until = if until_index == 0 { size } else { until_index };
        if from_index > until || until > size {
            let found = format!("{from_index} to {until}");
            return Err(status::invalid("until_index", &format!("a range within 0 to {size}"), found));
        }
        let (out, pages) = mpsc::channel(PAGES);
        let ledger = Arc::clone(&self.0);
        // Page by page, so that a reader who does not read holds no thread. It ends when the reader is gone.
        tokio::spawn(async move {
            let mut next = from_index;
            while next < until {
                let read = move |ledger: &Ledger| page(ledger, next..until.min(next + PAGE_ENTRIES));
                let entries = cheap(&ledger, who, read).await;
                let ended = entries.is_err();
                next += entries.as_ref().map_or(0, |entries| entries.len() as u64);
                if out.send(entries).await.is_err() || ended {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(Pages { pages, page: Vec::new().into_iter() })))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<api::GetInclusionProofRequest>,
    ) -> Result<Response<api::GetInclusionProofResponse>, Status> {
        let who = anybody(&request);
        let api::GetInclusionProofRequest { index, size } = request.into_inner();
        let read = move |ledger: &Ledger| ledger.inclusion(index, size);
        let (leaf, proof, size) = cheap(&self.0, who, read).await?;
        let (hashes, leaf_hash) = (bytes(&proof), leaf.0.to_vec());
        Ok(Response::new(api::GetInclusionProofResponse { index, size, hashes, leaf_hash }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<api::GetConsistencyProofRequest>,
    ) -> Result<Response<api::GetConsistencyProofResponse>, Status> {
        let who = anybody(&request);
        let api::GetConsistencyProofRequest { old_size, new_size } = request.into_inner();
        let read = move |ledger: &Ledger| ledger.consistency(old_size, new_size);
        let (proof, new_size) = cheap(&self.0, who, read).await?;
        Ok(Response::new(api::GetConsistencyProofResponse { old_size, new_size, hashes: bytes(&proof) }))
    }

    async fn get_status_proof(
        &self,
        request: Request<api::GetStatusProofRequest>,
    ) -> Result<Response<api::GetStatusProofResponse>, Status> {
        let who = anybody(&request);
        let api::GetStatusProofRequest { status_ids, base_size, key_ids, institutions } = request.into_inner();
        bounded("status_ids", status_ids.len(), STATUS_IDS_MAX)?;
        bounded("key_ids", key_ids.len(), STATUS_IDS_MAX)?;
        bounded("institutions", institutions.len(), STATUS_IDS_MAX)?;
        let question = StatusQuestion {
            status_ids: ids("status_ids", "32 bytes each", &status_ids, Digest::from_slice)?,
            keys: ids("key_ids", "16 bytes each", &key_ids, KeyId::from_slice)?,
            institutions: institutions.into_iter().map(InstitutionId).collect(),
        };
        // No id is logged: which ids a caller asks for is private.
        let read = move |ledger: &Ledger| ledger.status_proof(question, base_size);
        let part = cheap(&self.0, who, read).await?;
        Ok(Response::new(api::GetStatusProofResponse { status: Some(part) }))
    }
}

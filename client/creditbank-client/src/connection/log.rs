//! The public log.

use creditbank_protocol::counted;
use creditbank_protocol::merkle::{leaf_hash, verify_inclusion};
use creditbank_protocol::note::{Accepted, TlogProof};
use creditbank_protocol::{Digest, LogIndex};
use creditbank_rpc::v1::{GetCheckpointRequest, GetInclusionProofRequest, StreamEntriesRequest};
use tokio_stream::StreamExt as _;

use super::Client;
use crate::ClientError;

/// The hashes of a proof.
pub(super) fn digests(hashes: &[Vec<u8>]) -> Result<Vec<Digest>, ClientError> {
    let digest = |hash: &Vec<u8>| Digest::from_slice(hash).ok_or_else(|| ClientError::lie("a hash is not 32 bytes"));
    hashes.iter().map(digest).collect()
}

impl Client {
    /// The newest checkpoint, checked, and its signed note.
    pub async fn checkpoint(&self) -> Result<(Accepted, Vec<u8>), ClientError> {
        let note = self.log.clone().get_checkpoint(GetCheckpointRequest {}).await?.into_inner().checkpoint;
        let accepted = self.accept(&note).await?;
        self.observe(&accepted.checkpoint).await?;
        self.show_pin(&accepted.checkpoint, &note).await?;
        Ok((accepted, note))
    }

    /// A log entry, with the proof that it is in the newest checkpoint.
    pub async fn entry(&self, index: impl Into<LogIndex>) -> Result<(Vec<u8>, TlogProof), ClientError> {
        let LogIndex(index) = index.into();
        let (accepted, checkpoint) = self.checkpoint().await?;
        let size = accepted.checkpoint.size;
        if index >= size {
            return Err(ClientError::Missing(format!(
                "the log has {}, there is no entry {index}",
                counted(size, "entry", "entries")
            )));
        }
        let request = StreamEntriesRequest { from_index: index, until_index: index + 1 };
        let mut entries = self.log.clone().stream_entries(request).await?.into_inner();
        let found = entries.next().await.ok_or_else(|| ClientError::lie("the entry is missing"))??;
        let proof = self.log.clone().get_inclusion_proof(GetInclusionProofRequest { index, size }).await?.into_inner();
        let hashes = digests(&proof.hashes)?;
        verify_inclusion(&leaf_hash(&found.entry), index, size, &hashes, &accepted.checkpoint.root)?;
        Ok((found.entry, TlogProof { index, hashes, checkpoint }))
    }
}

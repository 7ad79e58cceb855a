//! The log keys that have followed the one of the trust file: proved by the node, under the registry key.

use std::sync::PoisonError;

use creditbank_protocol::LogIndex;
use creditbank_protocol::key::LogKeyHistory;
use creditbank_protocol::note::{Accepted, NoteError};
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::transcript::follow_log_keys;
use creditbank_rpc::v1::GetStatusProofRequest;

use super::Client;
use crate::ClientError;

impl Client {
    /// The log keys that were followed so far; none before that was necessary.
    pub(super) fn known_log_keys(&self) -> Vec<[u8; 32]> {
        let known = self.log_keys.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().flat_map(LogKeyHistory::all).map(|(_, key)| key).collect()
    }

    /// Asks the node which log keys have followed, and checks its proof.
    pub(super) async fn follow_log_keys(&self) -> Result<(), ClientError> {
        let answer = self.log.clone().get_status_proof(GetStatusProofRequest::default()).await?.into_inner();
        let status = answer.status.ok_or_else(|| ClientError::lie("the status part is missing"))?;
        let (accepted, history) = follow_log_keys(&status, &self.trust)?;
        *self.log_keys.lock().unwrap_or_else(PoisonError::into_inner) = Some(history);
        self.observe(&accepted.checkpoint).await
    }

    /// Checks a signed checkpoint: a log key of the policy has signed it, or one that has followed.
    pub(super) async fn accept(&self, note: &[u8]) -> Result<Accepted, ClientError> {
        match self.trust.policy.verify_signed_by(note, &self.known_log_keys()) {
            Err(NoteError::NoTrustedLog { .. }) => {
                Box::pin(self.follow_log_keys()).await?;
                Ok(self.trust.policy.verify_signed_by(note, &self.known_log_keys())?)
            }
            accepted => Ok(accepted?),
        }
    }

    /// Checks that a seal is signed by the log key in force at its index.
    pub(super) async fn check_seal(&self, signed: &SignedSeal, index: LogIndex) -> Result<(), ClientError> {
        let key = || {
            let known = self.log_keys.lock().unwrap_or_else(PoisonError::into_inner);
            known.as_ref().map_or(self.trust.log_key, |known| known.at(index))
        };
        if signed.verify(&key()).is_ok() {
            return Ok(());
        }
        Box::pin(self.follow_log_keys()).await?;
        signed.verify(&key()).map_err(ClientError::lie)
    }
}

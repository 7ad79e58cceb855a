//! The log keys that have followed the one of the trust file: proved by the node, under the registry key.

use std::sync::PoisonError;

use creditbank_protocol::LogIndex;
use creditbank_protocol::key::LogKeyHistory;
use creditbank_protocol::note::{Accepted, Checkpoint, Note, NoteError, VerifierKey};
use creditbank_protocol::seal::SignedSeal;
use creditbank_protocol::transcript::follow_log_keys;
use creditbank_rpc::v1::{GetCheckpointRequest, GetStatusProofRequest};

use super::Client;
use crate::ClientError;

impl Client {
    /// The log keys that were followed so far; none before that was necessary.
    pub(super) fn known_log_keys(&self) -> Vec<VerifierKey> {
        let known = self.known_history();
        known.and_then(|known| self.trust.followers(&known).ok()).unwrap_or_default()
    }

    pub(super) fn known_history(&self) -> Option<LogKeyHistory> {
        self.log_keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses a checkpoint of another log: of an origin that this log does not have now and has not had.
    pub(super) fn check_origin(&self, checkpoint: &Checkpoint) -> Result<(), ClientError> {
        let known = self.known_history();
        let known = known.unwrap_or_else(|| LogKeyHistory::new(&self.origin, self.trust.log_key));
        self.trust.check_former(checkpoint).map_err(ClientError::lie)?;
        let is_former = self.trust.is_former(&checkpoint.origin);
        let expected = known.origins().of_size(checkpoint.size);
        if expected == checkpoint.origin || is_former {
            return Ok(());
        }
        Err(ClientError::lie(format!("the checkpoint is of {}, expected {expected}", checkpoint.origin)))
    }

    /// The name that the log has now. One that the trust file does not name was followed before it is believed.
    pub(super) async fn newest_origin(&self) -> Result<String, ClientError> {
        let answer = self.log.clone().get_checkpoint(GetCheckpointRequest {}).await?.into_inner();
        let note = Note::parse(&answer.checkpoint)?;
        if Checkpoint::parse(note.text())?.origin == self.origin {
            return Ok(self.origin.clone());
        }
        self.follow_log_keys().await?;
        let known = self.known_history();
        let newest = known.map_or_else(|| self.origin.clone(), |known| known.origins().newest().to_owned());
        if self.trust.is_former(&newest) {
            let what = format!("the node serves {newest}, a former name of {} by the trust file", self.origin);
            return Err(ClientError::lie(what));
        }
        Ok(newest)
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

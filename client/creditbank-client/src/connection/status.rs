//! The newest status of the records of a transcript.

use creditbank_protocol::counted;
use creditbank_protocol::key::FormerOrigin;
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::transcript::{FileError, Report, open_file, subject, verify, write_file};
use creditbank_rpc::v1::GetStatusProofRequest;

use super::Client;
use crate::ClientError;

/// A transcript with a newer status part.
#[derive(Debug)]
pub struct Refreshed {
    /// The file.
    pub file: Vec<u8>,
    /// What it proves now.
    pub report: Report,
}

/// The checkpoint of which a report speaks.
fn checkpoint(report: &Report) -> Checkpoint {
    Checkpoint { origin: report.origin.clone(), size: report.size, root: report.root }
}

impl Client {
    /// Asks for the newest status of a transcript's records, and puts it in the place of the one that the file has. The
    /// statement and what proves the records stay as they are. `before` is what the file proves as it is: then both
    /// checkpoints are of one history. Without it, the status that the file has proves nothing to this side, and the
    /// new one is judged alone.
    pub async fn refresh(&self, file: &[u8], before: Option<&Report>) -> Result<Refreshed, ClientError> {
        let local = |error: FileError| ClientError::Local(error.to_string());
        let mut transcript = open_file(file).map_err(local)?;
        let unread = || ClientError::Local("the file does not say whose status is to be asked for".to_owned());
        let subject = subject(file).map_err(local)?.ok_or_else(unread)?;
        let (mut before, mut lost) = (before, None);
        if let Some(had) = before
            && let Err(error) = self.observe(&checkpoint(had)).await
        {
            // The statement may lie before the part that was given up.
            lost = Some(self.given_up(had).ok_or(error)?);
            before = None;
        }
        let request = GetStatusProofRequest {
            status_ids: subject.status_ids.iter().map(|id| id.0.to_vec()).collect(),
            base_size: subject.base_size,
            key_ids: subject.keys.iter().map(|id| id.0.to_vec()).collect(),
            institutions: subject.institutions.iter().map(|institution| institution.0).collect(),
        };
        let answer = self.log.clone().get_status_proof(request).await;
        let answer = answer.map_err(|error| lost.take().unwrap_or_else(|| error.into()))?;
        transcript.status = answer.into_inner().status;
        let file = write_file(&transcript).map_err(ClientError::lie)?;
        let after =
            verify(&file, &self.trust, super::now_ms()).map_err(|error| lost.unwrap_or_else(|| error.into()))?;
        if let Some(before) = before.filter(|before| after.size < before.size) {
            let (found, had) = (counted(after.size, "entry", "entries"), before.size);
            return Err(ClientError::lie(format!("the node's log has {found}, the transcript's had {had}")));
        }
        self.observe(&checkpoint(&after)).await?;
        Ok(Refreshed { file, report: after })
    }

    /// What to say of a file of a part of the log that was given up.
    fn given_up(&self, before: &Report) -> Option<ClientError> {
        let known = self.known_history()?;
        let is_former = |former: &&FormerOrigin| former.origin == before.origin && before.size > former.size.0;
        let FormerOrigin { origin, size } = known.origins().former().iter().find(is_former)?;
        let (newest, found) = (self.origin(), counted(before.size, "entry", "entries"));
        Some(ClientError::Missing(format!(
            "the file is of {origin} with {found}, but since a theft of its key the log goes on as {newest} from \
             entry {size}, and what {origin} had beyond that is given up: ask whoever shows the file for a new export, \
             and the operator for the new trust file"
        )))
    }
}

//! The newest status of the records of a transcript.

use std::collections::BTreeSet;

use creditbank_protocol::key::{FormerOrigin, KeyId};
use creditbank_protocol::note::Checkpoint;
use creditbank_protocol::transcript::{Report, TranscriptRecord, open_file, verify, write_file};
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
    /// statement and what proves the records stay as they are. Both checkpoints are of one history. `before` is what
    /// the file proves as it is.
    pub async fn refresh(&self, file: &[u8], before: &Report) -> Result<Refreshed, ClientError> {
        let mut transcript = open_file(file).map_err(|error| ClientError::Local(error.to_string()))?;
        self.observe(&checkpoint(before)).await.map_err(|error| self.given_up(before).unwrap_or(error))?;
        let keys_of = |record: &TranscriptRecord| [&[record.key_id][..], &record.approved_by].concat();
        let keys: BTreeSet<KeyId> = before.records.iter().flat_map(keys_of).collect();
        let institutions: BTreeSet<u64> =
            before.records.iter().flat_map(|record| [record.unit.institution.0, record.owner().0]).collect();
        let request = GetStatusProofRequest {
            status_ids: before.records.iter().map(|record| record.status_id.0.to_vec()).collect(),
            base_size: before.statement.size,
            key_ids: keys.iter().chain([&before.statement.key_id]).map(|id| id.0.to_vec()).collect(),
            institutions: institutions.into_iter().collect(),
        };
        transcript.status = self.log.clone().get_status_proof(request).await?.into_inner().status;
        let file = write_file(&transcript).map_err(ClientError::lie)?;
        let after = verify(&file, &self.trust, super::now_ms())?;
        if after.size < before.size {
            let (found, had) = (after.size, before.size);
            return Err(ClientError::lie(format!("the node's log has {found} entries, the transcript's had {had}")));
        }
        self.observe(&checkpoint(&after)).await?;
        Ok(Refreshed { file, report: after })
    }

    /// What to say of a file of a part of the log that was given up.
    fn given_up(&self, before: &Report) -> Option<ClientError> {
        let known = self.known_history()?;
        let is_former = |former: &&FormerOrigin| former.origin == before.origin && before.size > former.size.0;
        let FormerOrigin { origin, size } = known.origins().former().iter().find(is_former)?;
        let (newest, found) = (self.origin(), before.size);
        Some(ClientError::Missing(format!(
            "the file is of {origin} with {found} entries, but since a theft of its key the log goes on as {newest} from \
             entry {size}, and what {origin} had beyond that is given up: ask whoever shows the file for a new export, \
             and the operator for the new trust file"
        )))
    }
}

//! Transcripts that the caller was shown: verified under the trust file before anything of them is used.

use std::path::Path;

use creditbank_client::{Client, now_ms};
use creditbank_protocol::pb::{DisclosedRecord, RecordReference};
use creditbank_protocol::transcript::{Report, TranscriptRecord, open_file, verify};
use creditbank_protocol::{Place, Standing};
use creditbank_rpc::Reason;

use crate::connect::Global;
use crate::failure::Failure;
use crate::partner::verify::read_file;

/// A transcript whose every proof holds.
pub(super) struct Shown {
    pub(super) report: Report,
    records: Vec<DisclosedRecord>,
}

impl Shown {
    /// Reads and verifies a transcript.
    pub(super) fn read(global: &Global, path: &Path) -> Result<Self, Failure> {
        let trust = global.trust()?;
        let file = read_file(path)?;
        let not_valid =
            |error: &dyn std::fmt::Display| Failure::NotValid(format!("{} is NOT VALID: {error}", path.display()));
        let report = verify(&file, &trust, now_ms()).map_err(|error| not_valid(&error))?;
        let records = open_file(&file).map_err(|error| not_valid(&error))?.records;
        Ok(Self { report, records })
    }

    /// A verified record.
    pub(super) fn record(&self, place: Place) -> Option<&TranscriptRecord> {
        self.report.records.iter().find(|one| one.place == place)
    }

    /// A record as it was shown, if it is whole: only then can others recompute what follows from it.
    pub(super) fn whole(&self, place: Place) -> Option<&DisclosedRecord> {
        let is_whole = |one: &&DisclosedRecord| !one.body.is_empty() && one.seed.len() == 32;
        self.records.iter().find(|one| Place::read(one.place) == place).filter(is_whole)
    }

    /// All whole records.
    pub(super) fn all_whole(&self) -> Vec<DisclosedRecord> {
        self.records.iter().filter(|one| self.whole(Place::read(one.place)).is_some()).cloned().collect()
    }
}

/// Why a verified record cannot be used; nothing where it can. Whether its time is over is for the node to judge, by
/// the day on which it is used.
pub(super) fn against(record: &TranscriptRecord) -> Option<&'static str> {
    match record.standing() {
        Standing::Authentic | Standing::Expired => None,
        standing => Some(standing.name()),
    }
}

/// The reference of a record: from a transcript that was shown, or from the node where the caller may read it.
pub(super) async fn reference(
    client: &Client,
    shown: Option<&Shown>,
    place: Place,
) -> Result<RecordReference, Failure> {
    if let Some(record) = shown.and_then(|shown| shown.record(place)) {
        return Ok(RecordReference {
            place: place.written(),
            status_id: record.status_id.0.to_vec(),
            ..Default::default()
        });
    }
    let read = client.record(place).await.map_err(|error| match error {
        creditbank_client::ClientError::Refused(refusal) if refusal.why() == Reason::NoAccess => Failure::NotValid(
            format!("record {place} is another institution's: pass the transcript that shows it (--transcript)"),
        ),
        other => other.into(),
    })?;
    Ok(RecordReference { place: place.written(), status_id: read.status_id.0.to_vec(), ..Default::default() })
}

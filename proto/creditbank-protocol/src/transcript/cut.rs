//! Cutting records out of a transcript, by whoever holds it: without the node, and so that nobody sees what was cut.

use std::collections::BTreeSet;

use super::verify::{Unneeded, unneeded};
use super::{FileError, TranscriptError, open_file, verify, write_file};
use crate::pb;
use crate::trust::Trust;
use crate::{LogIndex, Place};

/// Why a transcript cannot be cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// It does not verify.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// What is left is no file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A record that is to stay and is not there.
    #[error("the transcript has no record at {0}")]
    Missing(Place),
}

/// The transcript with the records at some places alone, and with nothing that only the others needed. The statement
/// stays as it is. Opens no commitment to nothing, so that it looks the same whatever was cut.
pub fn cut(file: &[u8], keep: &BTreeSet<Place>, trust: &Trust, now_ms: u64) -> Result<Vec<u8>, CutError> {
    let report = verify(file, trust, now_ms)?;
    let shown: BTreeSet<Place> = report.records.iter().map(|record| record.place).collect();
    if let Some(place) = keep.iter().find(|place| !shown.contains(place)) {
        return Err(CutError::Missing(*place));
    }
    let mut transcript = open_file(file)?;
    let is_kept = |place: &Place| keep.contains(place);
    let mut places = report.records.iter().map(|record| is_kept(&record.place));
    transcript.salts.retain(|_| places.next().unwrap_or(false));
    transcript.records.retain(|record| is_kept(&Place::read(record.place)));
    transcript.padding_seed.clear();
    let ids: BTreeSet<&[u8]> =
        report.records.iter().filter(|one| is_kept(&one.place)).map(|one| &one.status_id.0[..]).collect();
    if let Some(status) = &mut transcript.status {
        status.statuses.retain(|proof| ids.contains(&proof.status_id[..]));
    }
    // What is taken away may have been all that something else was there for: a key that published it, say.
    loop {
        let surplus = unneeded(&transcript, trust)?;
        let none = surplus.iter().all(Unneeded::is_empty);
        let [base, status] = surplus;
        if let Some(proofs) = &mut transcript.base {
            prune(proofs, &base);
        }
        if let Some(proofs) = transcript.status.as_mut().and_then(|status| status.proofs.as_mut()) {
            prune(proofs, &status);
        }
        if none {
            return Ok(write_file(&transcript)?);
        }
    }
}

/// Takes away what nothing needs.
fn prune(proofs: &mut pb::TreeProofs, surplus: &Unneeded) {
    let mut entries = surplus.registry.iter();
    proofs.registry.retain(|_| entries.next().is_none_or(|is_unneeded| !is_unneeded));
    let places: BTreeSet<Place> =
        proofs.registry.iter().filter_map(|one| one.entry.as_ref()).map(|entry| Place::read(entry.place)).collect();
    proofs.publications.retain(|publication| places.contains(&Place::read(publication.place)));
    proofs.groups.retain(|group| !surplus.groups.contains(&(LogIndex(group.block), group.piece)));
    proofs.blocks.retain(|block| !surplus.blocks.contains(&LogIndex(block.index)));
    proofs.seals.retain(|seal| !surplus.seals.contains(&LogIndex(seal.index)));
}

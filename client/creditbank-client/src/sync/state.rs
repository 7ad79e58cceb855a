//! What is known of the records of a unit without reading them again. It is a cache of the ledger: what is lost or
//! damaged is read from there, and a row counts only while the ledger holds exactly its hash at its place.
//!
//! ```text
//! WORK/state   112 bytes a record, the newest row of a place counts:
//!              place, record hash, keyed digests of seed, content and person, the place that it amends, check
//! ```

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use creditbank_protocol::canonical::decode;
use creditbank_protocol::pb::{self, Amends, Kind};
use creditbank_protocol::record::Record;
use creditbank_protocol::{Digest, LogIndex, Place};
use prost::Message as _;

use crate::import::DraftRecord;
use crate::outbox::keyed;
use crate::{ClientError, IssuingUnit};

const ROW_LEN: usize = 112;
/// Stands for no place: no record is at the last entry that there can be.
const NOWHERE: Place = Place { entry: LogIndex(u64::MAX), index: u32::MAX };

/// What is known of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) at: Place,
    pub(crate) hash: Digest,
    /// Which result it is: a digest of the seed.
    pub(crate) id: [u8; 16],
    /// What it says, without learner and amendment.
    pub(crate) content: [u8; 16],
    /// Whom the registrar's file names; zero where no file that was synchronised has shown the record.
    pub(crate) person: [u8; 16],
    pub(crate) amends: Option<Place>,
}

/// The digest of a seed.
pub(crate) fn id_of(unit: &IssuingUnit, seed: &[u8; 32]) -> [u8; 16] {
    keyed(unit, b"record id", seed)
}

/// The digest of whom a line is about.
pub(crate) fn person_of(unit: &IssuingUnit, draft: &DraftRecord) -> [u8; 16] {
    keyed(unit, b"person", &draft.person_input())
}

/// The digest of what a line says.
pub(crate) fn content_of(unit: &IssuingUnit, draft: &DraftRecord) -> [u8; 16] {
    content(unit, draft.kind, &draft.body_bytes())
}

fn content(unit: &IssuingUnit, kind: Kind, body: &[u8]) -> [u8; 16] {
    let kind = u8::try_from(i32::from(kind)).unwrap_or(0);
    keyed(unit, b"what it says", &[&[kind][..], body].concat())
}

/// What a record of the ledger says, without learner and amendment, and what it amends.
pub(crate) fn said(record: &Record) -> Result<(Vec<u8>, Option<Amends>), ClientError> {
    let body = record.body();
    let wrong = ClientError::lie;
    macro_rules! of {
        ($message:ty) => {{
            let mut said: $message = decode(body).map_err(wrong)?;
            said.learner.clear();
            let amends = said.amends.take();
            (said.encode_to_vec(), amends)
        }};
    }
    Ok(match record.kind() {
        Kind::Credit => of!(pb::Credit),
        Kind::Result => of!(pb::Result),
        Kind::Outcome => of!(pb::Outcome),
        Kind::Enrolment => of!(pb::Enrolment),
        Kind::Identity => of!(pb::Identity),
        // No file makes others.
        _ => (Vec::new(), None),
    })
}

impl Row {
    /// What a record of the ledger is.
    pub(crate) fn of_record(unit: &IssuingUnit, place: Place, record: &Record) -> Result<Self, ClientError> {
        let (said, amends) = said(record)?;
        Ok(Self {
            at: place,
            hash: record.hash(),
            id: id_of(unit, record.seed()),
            content: content(unit, record.kind(), &said),
            person: [0; 16],
            amends: amends.map(|amends| Place::read(amends.place)),
        })
    }

    fn to_bytes(self, unit: &IssuingUnit) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ROW_LEN);
        for place in [self.at, self.amends.unwrap_or(NOWHERE)] {
            bytes.extend(place.entry.0.to_be_bytes());
            bytes.extend(place.index.to_be_bytes());
        }
        bytes.extend(self.hash.0);
        bytes.extend([self.id, self.content, self.person].concat());
        let check = keyed(unit, b"row", &bytes);
        bytes.extend(&check[..8]);
        bytes
    }

    /// Nothing where the row is damaged or of another unit.
    fn from_bytes(unit: &IssuingUnit, bytes: &[u8; ROW_LEN]) -> Option<Self> {
        let (said, check) = bytes.split_at(ROW_LEN - 8);
        if keyed(unit, b"row", said)[..8] != *check {
            return None;
        }
        let key = |at: usize| {
            let entry = u64::from_be_bytes(std::array::from_fn(|i| said[at + i]));
            Place::new(entry, u32::from_be_bytes(std::array::from_fn(|i| said[at + 8 + i])))
        };
        let digest = |at: usize| std::array::from_fn(|i| said[at + i]);
        Some(Self {
            at: key(0),
            amends: Some(key(12)).filter(|place| *place != NOWHERE),
            hash: Digest(std::array::from_fn(|i| said[24 + i])),
            id: digest(56),
            content: digest(72),
            person: digest(88),
        })
    }
}

/// The rows of a work directory.
pub(crate) struct State {
    path: PathBuf,
    pub(crate) rows: BTreeMap<Place, Row>,
}

impl State {
    /// Reads the rows; damaged ones are passed over.
    pub(crate) fn read(dir: &Path, unit: &IssuingUnit) -> Result<Self, ClientError> {
        let path = dir.join("state");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(ClientError::File { path: path.display().to_string(), error }),
        };
        let rows = bytes.as_chunks::<ROW_LEN>().0.iter().filter_map(|bytes| Row::from_bytes(unit, bytes));
        Ok(Self { rows: rows.map(|row| (row.at, row)).collect(), path })
    }

    /// Cuts what a crash has left of the last row, so that the next one is whole. The directory's lock must be held.
    pub(crate) fn mend(&self) -> Result<(), ClientError> {
        let mend = || -> std::io::Result<()> {
            let len = match fs::metadata(&self.path) {
                Ok(found) => found.len(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            match len % (ROW_LEN as u64) {
                0 => Ok(()),
                torn => OpenOptions::new().write(true).open(&self.path)?.set_len(len - torn),
            }
        };
        mend().map_err(|error| ClientError::File { path: self.path.display().to_string(), error })
    }

    /// Notes rows; a later one takes the place of an earlier one.
    pub(crate) fn note(&mut self, unit: &IssuingUnit, rows: &[Row]) -> Result<(), ClientError> {
        if rows.is_empty() {
            return Ok(());
        }
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_bytes(unit)).collect();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path);
        file.and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_data()))
            .map_err(|error| ClientError::File { path: self.path.display().to_string(), error })?;
        self.rows.extend(rows.iter().map(|row| (row.at, *row)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use creditbank_protocol::key_file::KeyFile;
    use creditbank_protocol::pb::Purpose;

    use super::*;
    use crate::Seeds;

    fn unit(seed: u8) -> IssuingUnit {
        let key = KeyFile { purpose: Purpose::Unit, key: ed25519_dalek::SigningKey::from_bytes(&[seed; 32]) };
        IssuingUnit::new(creditbank_protocol::UnitId::new(1, 1), Arc::new(key), Seeds::derived([seed; 32]))
    }

    /// Goal: rows come back as they were; damaged and foreign ones, and half of one, do not, and spoil no other.
    #[test]
    fn damaged_rows_are_passed_over() {
        let dir = std::env::temp_dir().join(format!("creditbank-state-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        let unit = unit(1);
        let row = |index: u32| Row {
            at: Place::new(7, index),
            hash: Digest([3; 32]),
            id: [4; 16],
            content: [5; 16],
            person: [6; 16],
            amends: (index == 1).then_some(Place::new(2, 9)),
        };
        let mut state = State::read(&dir, &unit).expect("no state yet");
        state.note(&unit, &[row(0), row(1), row(2)]).expect("noted");
        let path = dir.join("state");
        let mut bytes = fs::read(&path).expect("the state");
        assert_eq!(bytes.len(), 3 * ROW_LEN);
        bytes[5] ^= 1;
        bytes.extend([1; 50]);
        fs::write(&path, &bytes).expect("a damaged state");
        let mut state = State::read(&dir, &unit).expect("read");
        assert_eq!(state.rows.values().copied().collect::<Vec<_>>(), [row(1), row(2)]);
        state.mend().expect("mended");
        state.note(&unit, &[row(3)]).expect("noted");
        assert_eq!(State::read(&dir, &unit).expect("read").rows.len(), 3);
        assert!(State::read(&dir, &super::tests::unit(2)).expect("of another unit").rows.is_empty());
        fs::remove_dir_all(&dir).expect("removed");
    }
}

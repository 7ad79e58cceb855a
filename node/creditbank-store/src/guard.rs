//! The guard file: which round was acknowledged last. It is durable before anything about that round is signed.
//!
//! Two slots of one sector each are written in turn, so that a torn write leaves the other one.

use std::path::{Path, PathBuf};

use creditbank_protocol::Digest;
use creditbank_protocol::merkle::empty_root;

use crate::{Disk, DiskFile, Head, StoreError, file};

const SLOT_LEN: u64 = 512;
const CONTENT_LEN: usize = 8 + 8 + 8 + 32;

/// The last acknowledged round.
#[derive(Debug)]
pub struct Guard {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    state: Option<(u64, Head)>,
}

/// What a slot holds.
fn record(sequence: u64, head: &Head) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(CONTENT_LEN + 4);
    for word in [sequence, head.epoch, head.size] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    bytes.extend_from_slice(head.root.as_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

/// What the file of a guard says: the newer of its slots. `None` for a file of zeros or nothing, whose first write was torn.
fn newest(bytes: &[u8], path: &Path) -> Result<Option<(u64, Head)>, StoreError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let (first, second) = bytes.split_at(bytes.len().min(usize::try_from(SLOT_LEN).expect("small")));
    let newest = [first, second].into_iter().filter_map(slot).max_by_key(|(sequence, _)| *sequence);
    newest.map(Some).ok_or_else(|| StoreError::Damaged {
        path: path.display().to_string(),
        offset: 0,
        what: "neither slot holds a valid checksum".to_owned(),
    })
}

fn slot(bytes: &[u8]) -> Option<(u64, Head)> {
    let (content, checksum) = bytes.get(..CONTENT_LEN + 4)?.split_at(CONTENT_LEN);
    if crc32c::crc32c(content).to_be_bytes() != checksum {
        return None;
    }
    let word = |at: usize| content[at..at + 8].try_into().map(u64::from_be_bytes).ok();
    Some((word(0)?, Head { epoch: word(8)?, size: word(16)?, root: Digest::from_slice(&content[24..])? }))
}

/// An acknowledged round; a new guard's slot has the number 0, which no round has.
fn acknowledged(newest: Option<(u64, Head)>) -> Option<(u64, Head)> {
    newest.filter(|(sequence, _)| *sequence > 0)
}

/// Sequence and head of the last acknowledged round in a guard's file, which is left as it is; `None` when there is no file.
/// May be read while a node serves: a slot that is being written leaves the other one.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Option<(u64, Head)>, StoreError> {
    match disk.read(path) {
        Ok(bytes) => newest(&bytes, path).map(acknowledged),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file::at(path)(error)),
    }
}

impl Guard {
    /// Opens or makes the file and reads the newer of its slots.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Self, StoreError> {
        let exists = disk.exists(path).map_err(file::at(path))?;
        let written = if exists { disk.read(path).map_err(file::at(path))? } else { Vec::new() };
        let found = newest(&written, path)?;
        if found.is_none() {
            // With all its room and one valid slot from the beginning: neither a full disk nor a torn first write leaves a
            // guard that nobody can read.
            let mut first = record(0, &Head { epoch: 0, size: 0, root: empty_root() });
            first.resize(usize::try_from(2 * SLOT_LEN).expect("small"), 0);
            disk.replace(path, &first).map_err(file::at(path))?;
        }
        let file = disk.open(path).map_err(file::at(path))?;
        if let Some(parent) = path.parent() {
            disk.sync_dir(parent).map_err(file::at(parent))?;
        }
        Ok(Self { path: path.to_owned(), file, state: acknowledged(found) })
    }

    /// Sequence and head of the last acknowledged round, if there was one.
    pub fn state(&self) -> Option<(u64, Head)> {
        self.state
    }

    /// Makes a round's sequence and head durable. Never goes back.
    pub fn persist(&mut self, sequence: u64, head: Head) -> Result<(), StoreError> {
        if let Some((last, _)) = self.state
            && sequence <= last
        {
            return Err(StoreError::Round("the guard does not go back"));
        }
        let bytes = record(sequence, &head);
        self.file.write_at(&bytes, sequence % 2 * SLOT_LEN).map_err(file::at(&self.path))?;
        self.file.sync().map_err(file::at(&self.path))?;
        self.state = Some((sequence, head));
        Ok(())
    }
}

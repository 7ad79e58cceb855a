//! Up to which round index and flat files are certainly on the disk.

use std::io;
use std::path::Path;

use crate::{Disk, Index, IndexError, Row, StoreError, Table, file, row_sum};

const LEN: usize = 16;
/// A table of the store's own, beside the server's.
const MARKER: Table = Table(u8::MAX);
const MARKER_KEY: &[u8] = b"sequence";

/// Everything up to this round has been synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Durable {
    /// Sequence of the round; 0 for none.
    pub(super) sequence: u64,
    /// Log size after it.
    pub(super) size: u64,
}

/// The recorded position; `None` if there is none or if it is damaged, which costs a rebuild and no data.
pub(super) fn read(disk: &dyn Disk, dir: &Path) -> Option<Durable> {
    let bytes = disk.read(&dir.join("position")).ok()?;
    let (content, checksum) = bytes.split_at_checked(LEN)?;
    if crc32c::crc32c(content).to_be_bytes() != checksum {
        return None;
    }
    let word = |at: usize| content[at..at + 8].try_into().map(u64::from_be_bytes).ok();
    Some(Durable { sequence: word(0)?, size: word(8)? })
}

/// Records a position, durably.
pub(super) fn write(disk: &dyn Disk, dir: &Path, durable: Durable) -> Result<(), StoreError> {
    let mut bytes = [durable.sequence.to_be_bytes(), durable.size.to_be_bytes()].concat();
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    let path = dir.join("position");
    disk.replace(&path, &bytes).map_err(file::at(&path))
}

/// Takes the recorded position back, durably: before anything that it covers is changed, and when an engine turns out
/// to be damaged. The next start then rebuilds everything that is derived.
pub(super) fn forget(disk: &dyn Disk, dir: &Path) -> Result<(), StoreError> {
    let path = dir.join("position");
    match disk.remove(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(file::at(&path)(error)),
        _ => {}
    }
    disk.sync_dir(dir).map_err(file::at(dir))
}

/// Writes the position into the index itself, so that an engine that has silently begun anew is noticed.
pub(super) fn mark(index: &dyn Index, durable: Durable) -> Result<(), IndexError> {
    let value = Some(durable.sequence.to_be_bytes().to_vec());
    index.apply(&[row_sum::with_sum(&Row { table: MARKER, key: MARKER_KEY.to_vec(), value })])
}

/// Whether the index holds at least what was recorded.
pub(super) fn is_marked(index: &dyn Index, durable: Durable) -> Result<bool, IndexError> {
    let Some(summed) = index.get(MARKER, MARKER_KEY)? else { return Ok(false) };
    let value = row_sum::checked(MARKER, MARKER_KEY, summed)?;
    let marker = value.try_into().ok().map(u64::from_be_bytes);
    Ok(marker.is_some_and(|sequence: u64| sequence >= durable.sequence))
}

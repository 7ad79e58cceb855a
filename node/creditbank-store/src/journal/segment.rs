//! One segment file: its name, its header, its frames, and how it is made.

use std::io;
use std::path::{Path, PathBuf};

use super::{Position, reader};
use crate::{Disk, DiskFile, StoreError, file};

pub(super) const MAGIC: [u8; 8] = *b"CBJRNL02";
pub(super) const FRAME_MAGIC: [u8; 4] = *b"CBFR";
pub(super) const SEGMENT_HEAD_LEN: u64 = 8 + 32 + 8 + 4 + 4;
pub(crate) const FRAME_HEAD_LEN: u64 = 4 + 8 + 4 + 4 + 4;
/// Bytes that are copied at once.
const CHUNK_LEN: u64 = 1 << 20;

/// A whole frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) sequence: u64,
    pub(crate) crc: u32,
    pub(crate) position: Position,
    pub(crate) end: u64,
}

pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.seg"))
}

/// First sequences of all segments, ascending.
pub(super) fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<u64>, StoreError> {
    let names = disk.list(dir).map_err(file::at(dir))?;
    let first = |name: &PathBuf| name.to_str()?.strip_suffix(".seg")?.parse().ok();
    let mut segments: Vec<u64> = names.iter().filter_map(first).collect();
    segments.sort_unstable();
    Ok(segments)
}

pub(super) fn head(log: &[u8; 32], first: u64, chain: u32) -> Vec<u8> {
    let mut head = [&MAGIC[..], log, &first.to_be_bytes(), &chain.to_be_bytes()].concat();
    head.extend_from_slice(&crc32c::crc32c(&head).to_be_bytes());
    head
}

/// No room, or another error of this file.
pub(super) fn full_or(error: io::Error, path: &Path, needed: u64) -> StoreError {
    if file::is_full(&error) {
        return StoreError::Full { path: path.display().to_string(), needed };
    }
    file::at(path)(error)
}

/// Makes a segment of `len` bytes; it and its name are durable afterwards. It is made completely or not at all: a crash
/// must not leave a segment without its header.
pub(super) fn create(
    disk: &dyn Disk,
    dir: &Path,
    log: &[u8; 32],
    first: u64,
    chain: u32,
    len: u64,
) -> Result<Box<dyn DiskFile>, StoreError> {
    let path = path(dir, first);
    let file = file::stage(disk, &path, len, &head(log, first, chain)).map_err(|error| full_or(error, &path, len))?;
    file::commit(disk, &path, &*file).map_err(file::at(&path))?;
    Ok(file)
}

/// The head of a frame and its checksum, which covers the payload too.
pub(super) fn frame_head(sequence: u64, chain: u32, payload: &[u8]) -> (Vec<u8>, u32) {
    let len = u32::try_from(payload.len()).expect("a round is far smaller than 512 MiB");
    let mut bytes = Vec::with_capacity(24);
    bytes.extend_from_slice(&FRAME_MAGIC);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(&chain.to_be_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), payload);
    bytes.extend_from_slice(&crc.to_be_bytes());
    (bytes, crc)
}

/// Writes a segment up to its last whole frame to a new file, reads that through, and puts it in place. What was read
/// first may have been in memory only, and may read differently the second time.
pub(super) fn rewrite(
    disk: &dyn Disk,
    path: &Path,
    log: &[u8; 32],
    first: u64,
    last: &Frame,
) -> Result<Box<dyn DiskFile>, StoreError> {
    let old = disk.open_existing(path).map_err(file::at(path))?;
    let new = file::stage(disk, path, 0, &[]).map_err(|error| full_or(error, path, last.end))?;
    let mut offset = 0;
    while offset < last.end {
        let mut chunk = vec![0; usize::try_from(CHUNK_LEN.min(last.end - offset)).expect("a chunk is small")];
        old.read_at(&mut chunk, offset).map_err(file::at(path))?;
        if let Err(error) = new.write_at(&chunk, offset) {
            // Its space is needed elsewhere.
            let _ = disk.remove(&file::temporary(path));
            return Err(full_or(error, path, last.end));
        }
        offset += chunk.len() as u64;
    }
    let copied = reader::scan(disk, &file::temporary(path), log, first)?;
    if copied.fault.is_some() || copied.last != *last {
        let what = "it read differently a second time: start again".to_owned();
        return Err(StoreError::Damaged { path: path.display().to_string(), offset: copied.last.end, what });
    }
    file::commit(disk, path, &*new).map_err(file::at(path))?;
    Ok(new)
}

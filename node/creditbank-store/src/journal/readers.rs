//! Open segments, shared by everything that reads from the journal.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::reader::{Reader, check_head};
use super::{Position, segment};
use crate::{Disk, DiskFile, ScrubPosition, StoreError, file};

/// Most open files that are kept for reading.
const READERS_MAX: usize = 64;
/// Before memory is allocated for anything longer, its length is compared with the file: the length may be damaged.
const TRUSTED_LEN_MAX: usize = 1 << 20;

/// The journal's segments, for reading.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    open: Arc<Mutex<BTreeMap<u64, Arc<dyn DiskFile>>>>,
}

impl Readers {
    pub(crate) fn new(disk: &Arc<dyn Disk>, dir: &Path) -> Self {
        Self { disk: Arc::clone(disk), dir: dir.to_owned(), open: Arc::default() }
    }

    /// Checks the header of every segment, which is cheap, and returns the last segment's first sequence.
    pub(super) fn check_heads(&self, log: &[u8; 32]) -> Result<Option<u64>, StoreError> {
        let segments = segment::list(&*self.disk, &self.dir)?;
        if let Some(first) = segments.first().filter(|first| **first != 1) {
            let path = self.path(1).display().to_string();
            let what = format!("the segment is missing: the oldest one begins with round {first}");
            return Err(StoreError::Damaged { path, offset: 0, what });
        }
        for first in &segments {
            let path = self.path(*first);
            let file = self.disk.open_existing(&path).map_err(file::at(&path))?;
            check_head(&*file, &path, log, *first)?;
        }
        Ok(segments.last().copied())
    }

    /// First rounds and paths of the segments, ascending.
    pub(crate) fn segments(&self) -> Result<Vec<(u64, PathBuf)>, StoreError> {
        Ok(segment::list(&*self.disk, &self.dir)?.into_iter().map(|first| (first, self.path(first))).collect())
    }

    /// Bytes of a segment's file.
    pub(crate) fn len_of(&self, path: &Path) -> Result<u64, StoreError> {
        Ok(self.disk.info(path).map_err(file::at(path))?.len)
    }

    pub(crate) fn path(&self, segment: u64) -> PathBuf {
        segment::path(&self.dir, segment)
    }

    fn file(&self, segment: u64) -> Result<Arc<dyn DiskFile>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let path = self.path(segment);
        let file: Arc<dyn DiskFile> = self.disk.open_existing(&path).map_err(file::at(&path))?.into();
        if open.len() >= READERS_MAX {
            open.pop_first();
        }
        open.insert(segment, Arc::clone(&file));
        Ok(file)
    }

    /// Opens a segment anew when it is next read, because another file has taken its place.
    pub(super) fn forget(&self, segment: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&segment);
    }

    /// An error that names the place.
    pub(crate) fn damaged(&self, segment: u64, offset: u64, what: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: self.path(segment).display().to_string(), offset, what: what.into() }
    }

    /// Reads bytes of a segment, unchecked.
    pub(crate) fn read(&self, segment: u64, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let file = self.file(segment)?;
        let failed = |error| file::at(&self.path(segment))(error);
        if len > TRUSTED_LEN_MAX && file.length().map_err(failed)? < offset.saturating_add(len as u64) {
            return Err(self.damaged(segment, offset, format!("the file ends before these {len} bytes do")));
        }
        let mut bytes = vec![0; len];
        match file.read_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(segment, offset, format!("the file ends before these {len} bytes do")))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The frames of a segment from a position on; the head of the segment is checked. A head that the disk cannot read
    /// is damage, as a frame is: what comes behind it can be read.
    pub(crate) fn frames(&self, log: &[u8; 32], segment: u64, from: ScrubPosition) -> Result<Reader, StoreError> {
        let opened = Reader::open(&*self.disk, &self.path(segment), log, segment, None);
        let mut reader = opened.map_err(|error| match error {
            StoreError::File { error, .. } if file::is_unreadable(&error) => {
                self.damaged(segment, 0, format!("the disk cannot read the segment's header: {error}"))
            }
            other => other,
        })?;
        if from.offset > 0 {
            reader.go_on(from.offset, from.sequence, from.chain);
        }
        Ok(reader)
    }

    /// The frames of a segment whose head is damaged.
    pub(crate) fn frames_behind_head(&self, segment: u64) -> Result<Reader, StoreError> {
        Reader::open_behind_head(&*self.disk, &self.path(segment), segment)
    }

    /// Calls `each` with sequence, position and payload of every frame of the sequences in `range`, and checks all
    /// checksums and links. `log` is the log to which the segments must belong.
    pub(crate) fn replay(
        &self,
        log: &[u8; 32],
        range: RangeInclusive<u64>,
        mut each: impl FnMut(u64, Position, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let segments = segment::list(&*self.disk, &self.dir)?;
        let (from, until) = range.into_inner();
        let start = segments.partition_point(|first| *first <= from).saturating_sub(1);
        let mut before = None;
        for first in segments[start..].iter().filter(|first| **first <= until) {
            let path = self.path(*first);
            let mut reader = Reader::open(&*self.disk, &path, log, *first, before)?;
            while let Some((frame, payload)) = reader.next()? {
                if frame.sequence >= from {
                    each(frame.sequence, frame.position, &payload)?;
                }
                if frame.sequence == until {
                    return Ok(());
                }
            }
            before = Some(reader.last());
        }
        Ok(())
    }
}

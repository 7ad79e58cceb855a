//! The journal: append-only segment files of checksummed frames. One write and one fdatasync is the commit point.
//!
//! ```text
//! segment = "CBJRNL02", log[32], u64 first sequence, u32 chain, u32 crc, frames, zeros
//! frame   = "CBFR", u64 sequence, u32 length, u32 chain, u32 crc, payload
//! ```
//! `crc` is CRC-32C over everything before it in the header, and the payload. `chain` is the `crc` of the frame before,
//! so that a frame cannot stand anywhere else; that of the first frame is 0. A segment's file is named by its first
//! sequence.
//!
//! A segment gets all its room when it is made, so that a full disk is found out before a round is written, not in the
//! middle of one. The room that is not used yet is zeros; it is given back when the next segment begins and at a clean
//! stop.

mod reader;
mod readers;
mod segment;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use reader::Skipped;
pub(crate) use readers::Readers;
use segment::SEGMENT_HEAD_LEN;
pub(crate) use segment::{FRAME_HEAD_LEN, Frame};

use crate::{Disk, DiskFile, StoreError, file};

/// Where a frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// First sequence of the segment.
    pub segment: u64,
    /// Offset of the frame in the file.
    pub offset: u64,
}

/// Why a round could not be made durable.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A write or an fdatasync has failed, now or before. The state of the disk is unknown, and the process must stop.
    #[error("the journal could not be written and accepts nothing more: {0}")]
    Poisoned(String),
    /// The round is longer than any reader accepts. Nothing was written.
    #[error("a round of {0} bytes is longer than the journal accepts")]
    TooLong(usize),
}

/// The journal of one log, open for appending.
#[derive(Debug)]
pub struct Journal {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    log: [u8; 32],
    segment_len_max: u64,
    last: Frame,
    file: Box<dyn DiskFile>,
    /// Length of the last segment's file: its disk space is reserved up to here.
    allocated: u64,
    /// The last segment must still be rewritten: the disk had no room for that at the start.
    is_deferred: bool,
    poisoned: Option<String>,
    readers: Readers,
}

/// What is known of a journal before it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// The last acknowledged sequence. A torn frame is cut only if it is the one after it.
    pub guarded: Option<u64>,
    /// Whether the last stop was clean. Otherwise the last segment is rewritten before it is trusted: after a failed
    /// fdatasync its pages may differ from the disk.
    pub clean: bool,
    /// Whether the disk has room. Otherwise nothing is written until the first append.
    pub has_room: bool,
}

impl Journal {
    /// Opens the journal of `log` in `dir`, which is made if it is missing.
    pub fn open(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        log: [u8; 32],
        segment_len_max: u64,
        before: Before,
    ) -> Result<Self, StoreError> {
        let Before { guarded, clean, has_room } = before;
        disk.make_dir(dir).map_err(file::at(dir))?;
        let readers = Readers::new(disk, dir);
        let mut is_deferred = false;
        let (file, last) = match readers.check_heads(&log)? {
            None => {
                if let Some(expected) = guarded {
                    return Err(lost(&segment::path(dir, 1), expected, 0, 0));
                }
                let last =
                    Frame { sequence: 0, crc: 0, position: Position { segment: 1, offset: 0 }, end: SEGMENT_HEAD_LEN };
                (segment::create(&**disk, dir, &log, 1, 0, segment_len_max)?, last)
            }
            Some(first) => {
                let path = segment::path(dir, first);
                let scanned = reader::scan(&**disk, &path, &log, first)?;
                let torn = scanned.fault.is_some();
                let last = scanned.end(&path, guarded)?;
                if let Some(expected) = guarded.filter(|guarded| *guarded > last.sequence) {
                    return Err(lost(&path, expected, last.sequence, last.end));
                }
                if (torn || !clean) && has_room {
                    (segment::rewrite(&**disk, &path, &log, first, &last)?, last)
                } else {
                    is_deferred = torn || !clean;
                    (disk.open(&path).map_err(file::at(&path))?, last)
                }
            }
        };
        file.sync().map_err(file::at(dir))?;
        let allocated = file.length().map_err(file::at(dir))?;
        let (disk, dir) = (Arc::clone(disk), dir.to_owned());
        Ok(Self { disk, dir, log, segment_len_max, last, file, allocated, is_deferred, poisoned: None, readers })
    }

    /// Sequence of the last round; 0 before the first.
    pub fn last_sequence(&self) -> u64 {
        self.last.sequence
    }

    /// The end of the last round.
    pub(crate) fn end(&self) -> Position {
        Position { segment: self.last.position.segment, offset: self.last.end }
    }

    /// Whether the last segment is still to be written anew, for which the start had no room.
    pub(crate) fn is_deferred(&self) -> bool {
        self.is_deferred
    }

    /// Refuses if the last segment was removed, cut or replaced.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        let path = segment::path(&self.dir, self.last.position.segment);
        file::check_in_place(&*self.file, &path, self.last.end)
    }

    pub(crate) fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// Appends a payload and returns where its frame begins. After [`StoreError::Full`] nothing has changed; after any
    /// other error nothing more is accepted.
    pub fn append(&mut self, payload: &[u8]) -> Result<Position, StoreError> {
        if let Some(why) = &self.poisoned {
            return Err(JournalError::Poisoned(why.clone()).into());
        }
        if payload.len() > reader::PAYLOAD_LEN_MAX as usize {
            return Err(JournalError::TooLong(payload.len()).into());
        }
        self.write(payload).map_err(|error| {
            if matches!(error, StoreError::Full { .. }) {
                return error;
            }
            self.poisoned = Some(error.to_string());
            JournalError::Poisoned(error.to_string()).into()
        })
    }

    fn write(&mut self, payload: &[u8]) -> Result<Position, StoreError> {
        self.catch_up()?;
        self.make_room(FRAME_HEAD_LEN + payload.len() as u64)?;
        let sequence = self.last.sequence + 1;
        let (head, crc) = segment::frame_head(sequence, self.last.crc, payload);
        let position = Position { segment: self.last.position.segment, offset: self.last.end };
        let path = segment::path(&self.dir, position.segment);
        let begin = position.offset + head.len() as u64;
        self.file.write_at(&head, position.offset).map_err(file::at(&path))?;
        self.file.write_at(payload, begin).map_err(file::at(&path))?;
        self.file.sync().map_err(file::at(&path))?;
        self.last = Frame { sequence, crc, position, end: begin + payload.len() as u64 };
        Ok(position)
    }

    /// Does the work for which the start had no room.
    fn catch_up(&mut self) -> Result<(), StoreError> {
        if !self.is_deferred {
            return Ok(());
        }
        let first = self.last.position.segment;
        let path = segment::path(&self.dir, first);
        self.file = segment::rewrite(&*self.disk, &path, &self.log, first, &self.last)?;
        self.file.sync().map_err(file::at(&path))?;
        self.allocated = self.file.length().map_err(file::at(&path))?;
        self.readers.forget(first);
        self.is_deferred = false;
        Ok(())
    }

    /// Makes sure that the segment has room for a frame of `len` bytes, or begins the next one.
    fn make_room(&mut self, len: u64) -> Result<(), StoreError> {
        let needed = self.last.end + len;
        if needed <= self.allocated {
            return Ok(());
        }
        let is_empty = self.last.end == SEGMENT_HEAD_LEN;
        if is_empty || needed <= self.segment_len_max {
            let target = needed.max(self.segment_len_max);
            let path = segment::path(&self.dir, self.last.position.segment);
            self.file.allocate(target).map_err(|error| segment::full_or(error, &path, target))?;
            self.allocated = target;
            return Ok(());
        }
        let sequence = self.last.sequence + 1;
        let target = self.segment_len_max.max(SEGMENT_HEAD_LEN + len);
        let file = segment::create(&*self.disk, &self.dir, &self.log, sequence, self.last.crc, target)?;
        // The old segment means the same with or without the zeros at its end.
        let _ = self.file.set_length(self.last.end);
        self.file = file;
        self.allocated = target;
        self.last.position.segment = sequence;
        self.last.end = SEGMENT_HEAD_LEN;
        Ok(())
    }

    /// Frees the unused room. Nothing may be appended afterwards.
    pub(crate) fn close(&mut self) -> Result<(), StoreError> {
        if let Some(why) = &self.poisoned {
            return Err(JournalError::Poisoned(why.clone()).into());
        }
        self.poisoned = Some("it was closed".to_owned());
        if self.is_deferred {
            // Left as it was found, with or without a torn round: the next start handles it.
            return Ok(());
        }
        let path = segment::path(&self.dir, self.last.position.segment);
        self.file.set_length(self.last.end).and_then(|()| self.file.sync()).map_err(file::at(&path))
    }
}

fn lost(path: &Path, expected: u64, found: u64, offset: u64) -> StoreError {
    StoreError::Lost { path: path.display().to_string(), offset, expected, found }
}

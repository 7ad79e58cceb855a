//! The journal: append-only segment files of checksummed frames. One write and one fdatasync is the commit point.
//!
//! ```text
//! segment = "CBJRNL01", log[32], u64 first sequence, u32 chain, u32 crc, frames
//! frame   = "CBFR", u64 sequence, u32 length, u32 chain, u32 crc, payload
//! ```
//! `crc` is CRC-32C over everything before it in the header, and the payload. `chain` is the `crc` of the frame before, so
//! that a frame cannot stand anywhere else; that of the first frame is 0. A segment's file is named by its first sequence.

mod segment;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use segment::FRAME_HEAD_LEN;
use segment::{Frame, SEGMENT_HEAD_LEN, Scanned};

use crate::{StoreError, file};

/// Open files kept for reading.
const READERS_MAX: usize = 64;

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
    /// A write or an fdatasync has failed, now or before: what is on the disk is uncertain, and the process must stop.
    #[error("the journal could not be written and accepts nothing more: {0}")]
    Poisoned(String),
}

/// The journal of one log, open for appending.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    log: [u8; 32],
    segment_len_max: u64,
    last: Frame,
    file: File,
    poisoned: Option<String>,
    readers: Readers,
}

/// Open segments, shared with everything that reads from the journal.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    dir: PathBuf,
    open: Arc<Mutex<BTreeMap<u64, Arc<File>>>>,
}

impl Journal {
    /// Opens the journal of `log` in `dir`, made where it is missing. `guarded` is the last acknowledged sequence: a torn
    /// frame is cut only when it is the one after. `clean` says that the last stop was one; otherwise the last segment is
    /// written anew before it is trusted, as after a failed fdatasync its pages may not be what the disk holds.
    pub fn open(
        dir: &Path,
        log: [u8; 32],
        segment_len_max: u64,
        guarded: Option<u64>,
        clean: bool,
    ) -> Result<Self, StoreError> {
        file::make_dir(dir).map_err(file::at(dir))?;
        let readers = Readers { dir: dir.to_owned(), open: Arc::default() };
        let (file, last) = match segment::list(dir)?.last() {
            None => {
                let last =
                    Frame { sequence: 0, crc: 0, position: Position { segment: 1, offset: 0 }, end: SEGMENT_HEAD_LEN };
                (segment::create(dir, &log, 1, 0)?, last)
            }
            Some(first) => {
                let path = segment::path(dir, *first);
                let scanned = segment::scan(&path, &log, *first)?;
                let last = check_end(&path, scanned, guarded)?;
                if !clean {
                    segment::rewrite(&path, last.end)?;
                }
                (file::open(&path).map_err(file::at(&path))?, last)
            }
        };
        file.sync_data().map_err(file::at(dir))?;
        if let Some(expected) = guarded.filter(|guarded| *guarded > last.sequence) {
            return Err(StoreError::Lost { expected, found: last.sequence });
        }
        Ok(Self { dir: dir.to_owned(), log, segment_len_max, last, file, poisoned: None, readers })
    }

    /// Sequence of the last round; 0 before the first.
    pub fn last_sequence(&self) -> u64 {
        self.last.sequence
    }

    pub(crate) fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// Appends a payload and returns where its frame begins. After an error nothing more is accepted.
    pub fn append(&mut self, payload: &[u8]) -> Result<Position, StoreError> {
        if let Some(why) = &self.poisoned {
            return Err(JournalError::Poisoned(why.clone()).into());
        }
        self.write(payload).map_err(|error| {
            self.poisoned = Some(error.to_string());
            JournalError::Poisoned(error.to_string()).into()
        })
    }

    fn write(&mut self, payload: &[u8]) -> Result<Position, StoreError> {
        let sequence = self.last.sequence + 1;
        if self.last.end > self.segment_len_max {
            self.file = segment::create(&self.dir, &self.log, sequence, self.last.crc)?;
            self.last.position.segment = sequence;
            self.last.end = SEGMENT_HEAD_LEN;
        }
        let (bytes, crc) = segment::frame(sequence, self.last.crc, payload);
        let position = Position { segment: self.last.position.segment, offset: self.last.end };
        let path = segment::path(&self.dir, position.segment);
        self.file.write_all_at(&bytes, position.offset).map_err(file::at(&path))?;
        self.file.sync_data().map_err(file::at(&path))?;
        self.last = Frame { sequence, crc, position, end: position.offset + bytes.len() as u64 };
        Ok(position)
    }
}

/// The last whole frame, if what follows it may be cut.
fn check_end(path: &Path, scanned: Scanned, guarded: Option<u64>) -> Result<Frame, StoreError> {
    let Some(fault) = scanned.fault else {
        return Ok(scanned.last);
    };
    let torn = scanned.last.sequence + 1;
    // Without a guard nobody knows what was acknowledged, except that the very first round was not.
    let acknowledged = guarded.map_or(torn > 1, |guarded| torn <= guarded);
    if acknowledged || fault.followed_by_frames {
        let why = if acknowledged { "the round was acknowledged, or may have been" } else { "whole rounds follow" };
        return Err(StoreError::Damaged {
            path: path.display().to_string(),
            offset: scanned.last.end,
            what: format!("round {torn}: {}, and {why}", fault.what),
        });
    }
    tracing::warn!(round = torn, offset = scanned.last.end, "cutting a torn round that was never acknowledged");
    segment::truncate(path, scanned.last.end)?;
    Ok(scanned.last)
}

impl Readers {
    fn file(&self, segment: u64) -> Result<Arc<File>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&segment) {
            return Ok(Arc::clone(file));
        }
        let path = segment::path(&self.dir, segment);
        let file = Arc::new(File::open(&path).map_err(file::at(&path))?);
        if open.len() >= READERS_MAX {
            open.pop_first();
        }
        open.insert(segment, Arc::clone(&file));
        Ok(file)
    }

    /// Reads bytes of a segment, as they are.
    pub(crate) fn read(&self, segment: u64, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; len];
        let file = self.file(segment)?;
        file.read_exact_at(&mut bytes, offset).map_err(file::at(&segment::path(&self.dir, segment)))?;
        Ok(bytes)
    }

    /// Calls `each` with sequence, position and payload of every frame from sequence `from` on, checking all checksums
    /// and links. `log` is the log that the segments must belong to.
    pub(crate) fn replay(
        &self,
        log: &[u8; 32],
        from: u64,
        mut each: impl FnMut(u64, Position, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let segments = segment::list(&self.dir)?;
        let start = segments.partition_point(|first| *first <= from).saturating_sub(1);
        let mut chain = None;
        for first in &segments[start..] {
            let path = segment::path(&self.dir, *first);
            let mut reader = segment::Reader::open(&path, log, *first, chain)?;
            while let Some((frame, payload)) = reader.next()? {
                if frame.sequence >= from {
                    each(frame.sequence, frame.position, &payload)?;
                }
            }
            chain = Some(reader.chain());
        }
        Ok(())
    }
}

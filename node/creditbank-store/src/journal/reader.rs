//! Reads a segment frame by frame, and finds its end.

use std::io::{BufReader, Read as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Position;
use super::segment::{FRAME_HEAD_LEN, FRAME_MAGIC, Frame, MAGIC, SEGMENT_HEAD_LEN, head};
use crate::{Disk, DiskFile, StoreError, file};

/// Most bytes of a payload. A longer one is not written.
pub(super) const PAYLOAD_LEN_MAX: u32 = 512 << 20;

/// Reads the frames of one segment in order.
pub(crate) struct Reader {
    path: PathBuf,
    file: BufReader<file::Sequential>,
    left: u64,
    next_sequence: u64,
    chain: u32,
    position: Position,
}

impl Reader {
    /// Opens a segment. `before` is the last frame before it, if it is known.
    pub(super) fn open(
        disk: &dyn Disk,
        path: &Path,
        log: &[u8; 32],
        first: u64,
        before: Option<(u64, u32)>,
    ) -> Result<Self, StoreError> {
        let file: Arc<dyn DiskFile> = disk.open_existing(path).map_err(file::at(path))?.into();
        let chain = check_head(&*file, path, log, first)?;
        if let Some((sequence, crc)) = before
            && (sequence + 1, crc) != (first, chain)
        {
            let what = format!("the segment does not follow round {sequence} of the one before it");
            return Err(StoreError::Damaged { path: path.display().to_string(), offset: 0, what });
        }
        let left = file.length().map_err(file::at(path))?.saturating_sub(SEGMENT_HEAD_LEN);
        let rest = file::Sequential { file, offset: SEGMENT_HEAD_LEN, left };
        let file = BufReader::with_capacity(1 << 20, rest);
        let position = Position { segment: first, offset: SEGMENT_HEAD_LEN };
        Ok(Self { path: path.to_owned(), file, left, next_sequence: first, chain, position })
    }

    /// Continues at the frame of a round, which follows the frame with this checksum.
    pub(crate) fn go_on(&mut self, offset: u64, sequence: u64, chain: u32) {
        let rest = self.file.get_mut();
        rest.left = (rest.offset + rest.left).saturating_sub(offset);
        rest.offset = offset;
        (self.left, self.position.offset) = (rest.left, offset);
        (self.next_sequence, self.chain) = (sequence, chain);
    }

    /// Opens a segment at its first frame, whatever its head says.
    pub(super) fn open_behind_head(disk: &dyn Disk, path: &Path, first: u64) -> Result<Self, StoreError> {
        let file: Arc<dyn DiskFile> = disk.open_existing(path).map_err(file::at(path))?.into();
        let left = file.length().map_err(file::at(path))?.saturating_sub(SEGMENT_HEAD_LEN);
        let mut head = vec![0; 24];
        let chain = match file.read_at(&mut head, SEGMENT_HEAD_LEN) {
            Ok(()) => FrameHead::read(&head).map_or(0, |head| head.chain),
            Err(_) => 0,
        };
        let file = BufReader::with_capacity(1 << 20, file::Sequential { file, offset: SEGMENT_HEAD_LEN, left });
        let position = Position { segment: first, offset: SEGMENT_HEAD_LEN };
        Ok(Self { path: path.to_owned(), file, left, next_sequence: first, chain, position })
    }

    /// Continues after the frame that [`Self::next`] has found damaged: at the frame to which its head leads, if one
    /// begins there, or else at the next whole one. Returns what was left out; without `next` nothing more is known of
    /// the segment.
    pub(crate) fn skip(&mut self) -> Skipped {
        let (begin, first) = (self.position.offset, self.next_sequence);
        let mut bytes = vec![0; usize::try_from(self.left).unwrap_or(0)];
        if self.file.get_ref().file.read_at(&mut bytes, begin).is_err() {
            // The disk cannot read this part, so the rest of the segment is unknown.
            bytes.clear();
        }
        let own = FrameHead::read(&bytes).filter(|head| head.sequence == first);
        let behind = own.and_then(|head| head.end(0)).filter(|end| {
            let next = bytes.get(*end..).and_then(FrameHead::read);
            next.is_some_and(|next| next.sequence == first + 1) || is_unused(bytes.get(*end..))
        });
        let next = match behind {
            Some(end) => Some((end, first + 1)),
            None => whole_frames_in(&bytes, first).next(),
        };
        let Some((at, sequence)) = next else {
            let left = std::mem::take(&mut self.left);
            return Skipped { rounds: first..=first, bytes: left, is_to_end: true };
        };
        let chain = bytes.get(at..).and_then(FrameHead::read).map_or(0, |head| head.chain);
        let offset = begin + at as u64;
        let rest = self.file.get_mut();
        (rest.offset, rest.left) = (offset, self.left - at as u64);
        let (file, left) = (Arc::clone(&rest.file), rest.left);
        self.file = BufReader::with_capacity(1 << 20, file::Sequential { file, offset, left });
        (self.left, self.position.offset) = (left, offset);
        (self.next_sequence, self.chain) = (sequence, chain);
        Skipped { rounds: first..=sequence - 1, bytes: at as u64, is_to_end: false }
    }

    /// Where the next frame begins.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Sequence and checksum of the last frame that was read.
    pub(crate) fn last(&self) -> (u64, u32) {
        (self.next_sequence - 1, self.chain)
    }

    /// The next frame and its payload; `None` at the end. Damage is an error.
    pub(crate) fn next(&mut self) -> Result<Option<(Frame, Vec<u8>)>, StoreError> {
        self.read().map_err(|what| StoreError::Damaged {
            path: self.path.display().to_string(),
            offset: self.position.offset,
            what: format!("round {}: {what}", self.next_sequence),
        })
    }

    fn read(&mut self) -> Result<Option<(Frame, Vec<u8>)>, String> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut head = [0; 24];
        let head_len = usize::try_from(FRAME_HEAD_LEN.min(self.left)).expect("24 bytes at most");
        self.file.read_exact(&mut head[..head_len]).map_err(|error| error.to_string())?;
        if head == [0; 24] {
            return self.only_zeros().map(|()| None);
        }
        if head_len < head.len() {
            return Err("the frame's header is incomplete".to_owned());
        }
        let Some(FrameHead { sequence, len, chain, crc }) = FrameHead::read(&head) else {
            return Err("no frame begins here".to_owned());
        };
        if sequence != self.next_sequence || chain != self.chain {
            return Err(format!("the frame is round {sequence} of another place"));
        }
        if len > PAYLOAD_LEN_MAX || u64::from(len) > self.left - FRAME_HEAD_LEN {
            return Err("the frame's payload is incomplete".to_owned());
        }
        let mut payload = vec![0; usize::try_from(len).map_err(|_| "too long")?];
        self.file.read_exact(&mut payload).map_err(|error| error.to_string())?;
        if crc32c::crc32c_append(crc32c::crc32c(&head[..20]), &payload) != crc {
            return Err("the checksum does not hold".to_owned());
        }
        let position = self.position;
        let end = position.offset + FRAME_HEAD_LEN + u64::from(len);
        self.left -= end - position.offset;
        self.position.offset = end;
        self.chain = crc;
        self.next_sequence += 1;
        Ok(Some((Frame { sequence, crc, position, end }, payload)))
    }

    /// Whether the rest is room that was never used.
    fn only_zeros(&mut self) -> Result<(), String> {
        let mut chunk = vec![0; 1 << 16];
        loop {
            match self.file.read(&mut chunk).map_err(|error| error.to_string())? {
                0 => return Ok(()),
                len if chunk[..len].iter().all(|byte| *byte == 0) => {}
                _ => return Err("zeros, and then something else".to_owned()),
            }
        }
    }
}

/// What was left out because of damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The rounds that were not read; if everything to the end is missing, only the first one is known.
    pub(crate) rounds: RangeInclusive<u64>,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// Nothing more of the segment was read.
    pub(crate) is_to_end: bool,
}

/// A frame's head, as found. Only its magic is checked.
struct FrameHead {
    sequence: u64,
    len: u32,
    chain: u32,
    crc: u32,
}

impl FrameHead {
    fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<24>().filter(|head| head.starts_with(&FRAME_MAGIC))?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let sequence = u64::from(word(4)) << 32 | u64::from(word(8));
        Some(Self { sequence, len: word(12), chain: word(16), crc: word(20) })
    }

    /// Where a frame ends that begins at an offset.
    fn end(&self, at: usize) -> Option<usize> {
        usize::try_from(self.len).ok()?.checked_add(at)?.checked_add(24)
    }
}

/// Whether nothing was ever written after the last frame.
fn is_unused(rest: Option<&[u8]>) -> bool {
    rest.is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

/// Checks a segment's header and returns the checksum that its first frame must name.
pub(super) fn check_head(file: &dyn DiskFile, path: &Path, log: &[u8; 32], first: u64) -> Result<u32, StoreError> {
    let damaged =
        |what: &str| StoreError::Damaged { path: path.display().to_string(), offset: 0, what: what.to_owned() };
    if file.length().map_err(file::at(path))? < SEGMENT_HEAD_LEN {
        return Err(damaged("the segment's header is incomplete"));
    }
    let mut found = [0; 56];
    file.read_at(&mut found, 0).map_err(file::at(path))?;
    let chain = u32::from_be_bytes([found[48], found[49], found[50], found[51]]);
    if found[..] != head(log, first, chain) {
        // Its own checksum is right, so it is what was written; but it was written for something else.
        let is_whole = crc32c::crc32c(&found[..52]).to_be_bytes() == found[52..];
        if is_whole && found[..8] == MAGIC && found[8..40] != log[..] {
            return Err(StoreError::OtherLog { path: path.display().to_string() });
        }
        let what =
            if is_whole { "the header is that of another segment" } else { "the checksum of the header does not hold" };
        return Err(damaged(what));
    }
    Ok(chain)
}

/// The result of scanning a segment.
pub(super) struct Scanned {
    pub(super) last: Frame,
    pub(super) fault: Option<Fault>,
}

/// Bytes after the last whole frame.
pub(super) struct Fault {
    what: String,
    followed_by_frames: bool,
}

impl Scanned {
    /// The last whole frame, if what follows it may be cut.
    pub(super) fn end(self, path: &Path, guarded: Option<u64>) -> Result<Frame, StoreError> {
        let Some(fault) = self.fault else {
            return Ok(self.last);
        };
        let torn = self.last.sequence + 1;
        // Without a guard nobody knows what was acknowledged, except that the very first round was not.
        let acknowledged = guarded.map_or(torn > 1, |guarded| torn <= guarded);
        if acknowledged || fault.followed_by_frames {
            let why = if acknowledged { "the round was acknowledged, or may have been" } else { "whole rounds follow" };
            return Err(StoreError::Damaged {
                path: path.display().to_string(),
                offset: self.last.end,
                what: format!("round {torn}: {}, and {why}", fault.what),
            });
        }
        tracing::warn!(round = torn, offset = self.last.end, "cutting a torn round that was never acknowledged");
        Ok(self.last)
    }
}

/// Reads a segment to its last whole frame and examines what follows.
pub(super) fn scan(disk: &dyn Disk, path: &Path, log: &[u8; 32], first: u64) -> Result<Scanned, StoreError> {
    let mut reader = Reader::open(disk, path, log, first, None)?;
    let start = Position { segment: first, offset: SEGMENT_HEAD_LEN };
    let mut last = Frame { sequence: first - 1, crc: reader.chain, position: start, end: SEGMENT_HEAD_LEN };
    loop {
        match reader.read() {
            Ok(Some((frame, _))) => last = frame,
            Ok(None) => return Ok(Scanned { last, fault: None }),
            Err(what) => {
                let rest = disk.read(path).map_err(file::at(path))?;
                let after = usize::try_from(last.end).ok().and_then(|end| rest.get(end + 4..)).unwrap_or_default();
                // The torn frame's own bytes are encrypted or random enough not to contain another whole frame.
                let followed_by_frames = whole_frames_in(after, last.sequence + 1).next().is_some();
                return Ok(Scanned { last, fault: Some(Fault { what, followed_by_frames }) });
            }
        }
    }
}

/// Offsets and numbers of the whole frames of later rounds in `bytes`.
fn whole_frames_in(bytes: &[u8], torn: u64) -> impl Iterator<Item = (usize, u64)> + '_ {
    let starts = bytes.windows(24).enumerate().filter(|(_, head)| head.starts_with(&FRAME_MAGIC));
    starts.filter_map(move |(at, bytes_of_head)| {
        let head = FrameHead::read(bytes_of_head)?;
        let payload = bytes.get(at + 24..head.end(at)?)?;
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes_of_head[..20]), payload);
        (head.sequence > torn && crc == head.crc).then_some((at, head.sequence))
    })
}

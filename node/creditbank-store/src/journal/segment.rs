//! One segment file: its header, its frames, and what a scan finds.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use super::Position;
use crate::{StoreError, file};

const MAGIC: [u8; 8] = *b"CBJRNL01";
const FRAME_MAGIC: [u8; 4] = *b"CBFR";
pub(super) const SEGMENT_HEAD_LEN: u64 = 8 + 32 + 8 + 4 + 4;
pub(crate) const FRAME_HEAD_LEN: u64 = 4 + 8 + 4 + 4 + 4;
/// Most bytes of a payload.
const PAYLOAD_LEN_MAX: u32 = 512 << 20;

/// The last whole frame of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) sequence: u64,
    pub(super) crc: u32,
    pub(super) position: Position,
    pub(super) end: u64,
}

/// What a scan of a segment has found.
pub(super) struct Scanned {
    pub(super) last: Frame,
    pub(super) fault: Option<Fault>,
}

/// Bytes after the last whole frame.
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) followed_by_frames: bool,
}

pub(super) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:020}.seg"))
}

/// First sequences of all segments, ascending.
pub(super) fn list(dir: &Path) -> Result<Vec<u64>, StoreError> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir).map_err(file::at(dir))? {
        let name = entry.map_err(file::at(dir))?.file_name();
        let first: Option<u64> =
            name.to_str().and_then(|name| name.strip_suffix(".seg")).and_then(|name| name.parse().ok());
        segments.extend(first);
    }
    segments.sort_unstable();
    Ok(segments)
}

fn head(log: &[u8; 32], first: u64, chain: u32) -> Vec<u8> {
    let mut head = [&MAGIC[..], log, &first.to_be_bytes(), &chain.to_be_bytes()].concat();
    head.extend_from_slice(&crc32c::crc32c(&head).to_be_bytes());
    head
}

/// Makes a segment; it and its name are durable afterwards.
pub(super) fn create(dir: &Path, log: &[u8; 32], first: u64, chain: u32) -> Result<File, StoreError> {
    let path = path(dir, first);
    // Whole or not at all: a crash in between must not leave a segment without its header.
    file::replace(&path, &head(log, first, chain)).map_err(file::at(&path))?;
    file::open(&path).map_err(file::at(&path))
}

/// The bytes of a frame and its checksum.
pub(super) fn frame(sequence: u64, chain: u32, payload: &[u8]) -> (Vec<u8>, u32) {
    let len = u32::try_from(payload.len()).expect("a round is far smaller than 512 MiB");
    let mut bytes = Vec::with_capacity(payload.len() + 24);
    bytes.extend_from_slice(&FRAME_MAGIC);
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(&chain.to_be_bytes());
    let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), payload);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes.extend_from_slice(payload);
    (bytes, crc)
}

/// Reads the frames of one segment in order.
pub(super) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    left: u64,
    next_sequence: u64,
    chain: u32,
    position: Position,
}

impl Reader {
    /// Opens a segment. `chain` is the checksum of the frame before it, where it is known.
    pub(super) fn open(path: &Path, log: &[u8; 32], first: u64, chain: Option<u32>) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(file::at(path))?;
        let len = file.metadata().map_err(file::at(path))?.len();
        let mut file = BufReader::with_capacity(1 << 20, file);
        let mut found = vec![0; usize::try_from(SEGMENT_HEAD_LEN).expect("small")];
        let damaged =
            |what: &str| StoreError::Damaged { path: path.display().to_string(), offset: 0, what: what.to_owned() };
        file.read_exact(&mut found).map_err(|_| damaged("the segment's header is incomplete"))?;
        let stated = found[48..52].try_into().map(u32::from_be_bytes).map_err(|_| damaged("no chain"))?;
        if found != head(log, first, stated) {
            return Err(damaged("the header is not that of this segment of this log"));
        }
        if chain.is_some_and(|chain| chain != stated) {
            return Err(damaged("the segment does not follow the one before it"));
        }
        let position = Position { segment: first, offset: SEGMENT_HEAD_LEN };
        let left = len - SEGMENT_HEAD_LEN;
        Ok(Self { path: path.to_owned(), file, left, next_sequence: first, chain: stated, position })
    }

    pub(super) fn chain(&self) -> u32 {
        self.chain
    }

    /// The next frame and its payload; `None` at the end. Damage is an error.
    pub(super) fn next(&mut self) -> Result<Option<(Frame, Vec<u8>)>, StoreError> {
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
        if self.left < FRAME_HEAD_LEN {
            return Err("the frame's header is incomplete".to_owned());
        }
        self.file.read_exact(&mut head).map_err(|error| error.to_string())?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let sequence = u64::from(word(4)) << 32 | u64::from(word(8));
        let (len, chain, crc) = (word(12), word(16), word(20));
        if head[..4] != FRAME_MAGIC {
            return Err("no frame begins here".to_owned());
        }
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
}

/// Reads a segment to its last whole frame and looks at what follows.
pub(super) fn scan(path: &Path, log: &[u8; 32], first: u64) -> Result<Scanned, StoreError> {
    let mut reader = Reader::open(path, log, first, None)?;
    let start = Position { segment: first, offset: SEGMENT_HEAD_LEN };
    let mut last = Frame { sequence: first - 1, crc: reader.chain(), position: start, end: SEGMENT_HEAD_LEN };
    loop {
        match reader.read() {
            Ok(Some((frame, _))) => last = frame,
            Ok(None) => return Ok(Scanned { last, fault: None }),
            Err(what) => {
                let rest = fs::read(path).map_err(file::at(path))?;
                let after = usize::try_from(last.end).ok().and_then(|end| rest.get(end + 4..)).unwrap_or_default();
                // The torn frame's own bytes are encrypted or random enough not to hold another whole frame.
                let followed_by_frames = whole_frame_in(after, last.sequence + 1);
                return Ok(Scanned { last, fault: Some(Fault { what, followed_by_frames }) });
            }
        }
    }
}

/// Whether `bytes` hold a whole frame of a later round.
fn whole_frame_in(bytes: &[u8], torn: u64) -> bool {
    bytes.windows(24).enumerate().filter(|(_, head)| head.starts_with(&FRAME_MAGIC)).any(|(at, head)| {
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let sequence = u64::from(word(4)) << 32 | u64::from(word(8));
        let payload = usize::try_from(word(12)).ok().and_then(|len| bytes.get(at + 24..at + 24 + len));
        let crc = |payload| crc32c::crc32c_append(crc32c::crc32c(&head[..20]), payload);
        sequence > torn && payload.is_some_and(|payload| crc(payload) == word(20))
    })
}

/// Cuts a file, durably.
pub(super) fn truncate(path: &Path, len: u64) -> Result<(), StoreError> {
    let file = file::open(path).map_err(file::at(path))?;
    file.set_len(len).map_err(file::at(path))?;
    file.sync_all().map_err(file::at(path))
}

/// Writes the first `len` bytes of a segment to a new file and puts that in its place.
pub(super) fn rewrite(path: &Path, len: u64) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(len).read_to_end(&mut bytes)).map_err(file::at(path))?;
    file::replace(path, &bytes).map_err(file::at(path))
}

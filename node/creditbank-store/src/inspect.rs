//! Reads a log's files without opening it for work, for `check` and `backup`. Nothing here changes or repairs a file.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::embedded::{locations, recorded_position};
use crate::flat::FlatFiles;
use crate::guard;
use crate::journal::{FRAME_HEAD_LEN, Frame, Readers};
use crate::round::Section;
use crate::{Disk, Head, Placement, Position, Round, RoundError, ScrubPosition, StoreError, file, scrub};

/// The journal of a log, read from its first byte or from any round on.
#[derive(Debug, Clone)]
pub struct JournalReader {
    readers: Readers,
    log: [u8; 32],
}

/// A round in the journal. Its checksum is right, but its bytes are not read yet.
#[derive(Debug, Clone)]
pub struct JournalRound {
    /// Its number, from 1.
    pub sequence: u64,
    /// Where its frame begins.
    pub position: Position,
    payload: Vec<u8>,
}

/// What is found on the way through a damaged journal.
#[derive(Debug, Clone)]
pub enum Surveyed {
    /// A whole round.
    Round(JournalRound),
    /// Damage.
    Fault {
        /// The file.
        path: String,
        /// The byte in the file.
        offset: u64,
        /// What is wrong, and what could not be read because of it.
        what: String,
    },
}

/// A decoded round and where its entries are.
#[derive(Debug)]
pub struct DecodedRound {
    /// The round.
    pub round: Round,
    position: Position,
    sections: Vec<Section>,
}

impl JournalReader {
    /// The journal of `log` below a log's directory.
    pub fn new(disk: &Arc<dyn Disk>, dir: &Path, log: [u8; 32]) -> Self {
        Self { readers: Readers::new(disk, &dir.join("journal")), log }
    }

    /// The segment files by their first rounds, with their lengths.
    pub fn segments(&self) -> Result<Vec<(u64, PathBuf, u64)>, StoreError> {
        let with_len = |(first, path): (u64, PathBuf)| {
            let len = self.readers.len_of(&path)?;
            Ok((first, path, len))
        };
        self.readers.segments()?.into_iter().map(with_len).collect()
    }

    /// The path of a segment.
    pub fn path(&self, position: Position) -> PathBuf {
        self.readers.path(position.segment)
    }

    /// Calls `each` with every round from `from` on, until it breaks. Checks all checksums and links; the first wrong
    /// one is an error with file and offset.
    pub fn rounds(&self, from: u64, mut each: impl FnMut(JournalRound) -> ControlFlow<()>) -> Result<(), StoreError> {
        // `Stopped` never comes from reading: it is how the callback's break passes through.
        let mut broken = false;
        let read = self.readers.replay(&self.log, from..=u64::MAX, |sequence, position, payload| {
            match each(JournalRound { sequence, position, payload: payload.to_vec() }) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => {
                    broken = true;
                    Err(StoreError::Stopped("the reader has seen enough".to_owned()))
                }
            }
        });
        match read {
            Err(StoreError::Stopped(_)) if broken => Ok(()),
            read => read,
        }
    }

    /// Reads the segments from the one that begins with `segment` on. After damage it continues where the next round
    /// begins, as far as that can be known. Calls `each` with every whole round and every damage. Returns the last
    /// round that exists, whole or not; `None` if that cannot be known.
    pub fn survey(&self, segment: u64, mut each: impl FnMut(Surveyed)) -> Result<Option<u64>, StoreError> {
        let mut end = None;
        let mut before: Option<u64> = None;
        for (first, path) in self.readers.segments()?.into_iter().filter(|(first, _)| *first >= segment) {
            let shown = path.display().to_string();
            if let Some(last) = before.filter(|last| last + 1 != first) {
                let what = format!("the segment begins with round {first}, the one before ends with {last}");
                each(Surveyed::Fault { path: shown, offset: 0, what });
            }
            let mut reader = match self.readers.frames(&self.log, first, ScrubPosition::default()) {
                Ok(reader) => reader,
                Err(StoreError::Damaged { path, offset, what }) => {
                    each(Surveyed::Fault { path, offset, what });
                    self.readers.frames_behind_head(first)?
                }
                Err(error) => return Err(error),
            };
            let mut is_known = true;
            loop {
                match reader.next() {
                    Ok(Some((frame, payload))) => {
                        let Frame { sequence, position, .. } = frame;
                        each(Surveyed::Round(JournalRound { sequence, position, payload }));
                    }
                    Ok(None) => break,
                    Err(StoreError::Damaged { path, offset, what }) => {
                        let skipped = reader.skip();
                        let what = format!("{what}; {}", scrub::left_out(&skipped));
                        each(Surveyed::Fault { path, offset, what });
                        is_known = !skipped.is_to_end;
                    }
                    Err(error) => return Err(error),
                }
            }
            before = is_known.then(|| reader.last().0);
            end = before;
        }
        Ok(end)
    }
}

impl JournalRound {
    /// Bytes of its frame.
    pub fn frame_len(&self) -> u64 {
        FRAME_HEAD_LEN + self.payload.len() as u64
    }

    /// Reads the round.
    pub fn decode(&self) -> Result<DecodedRound, RoundError> {
        let (round, sections) = Round::decode(&self.payload)?;
        Ok(DecodedRound { round, position: self.position, sections })
    }
}

/// The files of a log beside its journal, unchanged.
pub struct Inspection {
    /// Sequence and head of the last acknowledged round; `None` if there is no guard file.
    pub guard: Option<(u64, Head)>,
    /// Whether the last stop was clean: then index and flat files are complete.
    pub clean: bool,
    /// Up to which round, and which log size, index and flat files are certainly on the disk.
    pub position: Option<(u64, u64)>,
    flat: Option<FlatFiles>,
}

impl Inspection {
    /// Reads guard, position and flat files of the log in `dir`, whose lock the caller holds.
    pub fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Self, StoreError> {
        let (flat, clean) = (dir.join("flat"), dir.join("clean"));
        let exists = |path: &Path| disk.exists(path).map_err(file::at(path));
        Ok(Self {
            guard: guard(&**disk, dir)?,
            clean: exists(&clean)?,
            position: recorded_position(&**disk, dir),
            flat: FlatFiles::open_to_read(disk, &flat)?,
        })
    }

    /// Whether there are flat files.
    pub fn has_flat_files(&self) -> bool {
        self.flat.is_some()
    }

    /// How the flat files differ from the round: nodes of the tree, and the places of entries.
    pub fn flat_faults(&self, round: &DecodedRound) -> Vec<String> {
        let Some(flat) = &self.flat else { return Vec::new() };
        flat.faults(round.round.base.size, &locations(round.position, &round.sections), &round.round.nodes)
    }
}

/// Writes the guard of a backup of a log, replacing an existing one. No node may open it.
pub fn write_guard(disk: &dyn Disk, dir: &Path, sequence: u64, head: Head) -> Result<(), StoreError> {
    guard::write_backup(disk, &dir.join("guard"), sequence, head)
}

/// Marks the log in `dir` as restored: the first time, a node opens it only with [`Placement::TakeOver`].
pub fn mark_restored(disk: &dyn Disk, dir: &Path) -> Result<(), StoreError> {
    guard::mark_restored(disk, &dir.join("guard"))
}

/// Whether a node may work on the log in `dir` at this place.
pub fn check_place(disk: &dyn Disk, dir: &Path, placement: Placement) -> Result<(), StoreError> {
    guard::check_place(disk, dir, placement)
}

/// Sequence and head of the last acknowledged round of the log in `dir`; `None` if there is no guard file. May be read
/// while a node serves.
pub fn guard(disk: &dyn Disk, dir: &Path) -> Result<Option<(u64, Head)>, StoreError> {
    guard::read(disk, &dir.join("guard"))
}

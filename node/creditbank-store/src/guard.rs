//! The guard file: which round was acknowledged last. It is durable before anything about that round is signed.
//!
//! Two slots of one sector each are written in turn, so that a torn write leaves the other one. A slot also names the
//! directory in which it was written.

use std::path::{Path, PathBuf};

use creditbank_protocol::Digest;
use creditbank_protocol::merkle::empty_root;

use crate::place::{MARKER_LEN, Marker};
use crate::{Disk, DiskFile, Head, Placement, StoreError, file};

const SLOT_LEN: u64 = 512;
const HEAD_LEN: usize = 8 + 8 + 8 + 32;
const CONTENT_LEN: usize = HEAD_LEN + MARKER_LEN;

/// The last acknowledged round.
#[derive(Debug)]
pub struct Guard {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    marker: Marker,
    state: Option<(u64, Head)>,
}

/// What a slot says.
#[derive(Debug, Clone)]
struct Slot {
    sequence: u64,
    head: Head,
    marker: Marker,
}

impl Slot {
    /// For a log without rounds; no round has the number 0.
    fn first(marker: Marker) -> Self {
        Self { sequence: 0, head: Head { epoch: 0, size: 0, root: empty_root() }, marker }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONTENT_LEN + 4);
        for word in [self.sequence, self.head.epoch, self.head.size] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(self.head.root.as_bytes());
        bytes.extend_from_slice(&self.marker.encode());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (content, checksum) = bytes.get(..CONTENT_LEN + 4)?.split_at(CONTENT_LEN);
        if crc32c::crc32c(content).to_be_bytes() != checksum {
            return None;
        }
        let word = |at: usize| content[at..at + 8].try_into().map(u64::from_be_bytes).ok();
        let head = Head { epoch: word(8)?, size: word(16)?, root: Digest::from_slice(&content[24..HEAD_LEN])? };
        let marker = Marker::decode(content[HEAD_LEN..].try_into().ok()?)?;
        Some(Self { sequence: word(0)?, head, marker })
    }

    /// The whole file, with this in both slots, because either may be lost.
    fn twice(&self) -> Vec<u8> {
        let slot = usize::try_from(SLOT_LEN).expect("small");
        let mut bytes = vec![0; 2 * slot];
        let encoded = self.encode();
        for at in [0, slot] {
            bytes[at..at + encoded.len()].copy_from_slice(&encoded);
        }
        bytes
    }
}

/// The newer slot of a guard's file. `None` for a file of zeros or nothing, whose first write was torn.
fn newest(bytes: &[u8], path: &Path) -> Result<Option<Slot>, StoreError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let (first, second) = bytes.split_at(bytes.len().min(usize::try_from(SLOT_LEN).expect("small")));
    let newest = [first, second].into_iter().filter_map(Slot::decode).max_by_key(|slot| slot.sequence);
    newest.map(Some).ok_or_else(|| StoreError::Damaged {
        path: path.display().to_string(),
        offset: 0,
        what: "neither of its two slots holds a valid checksum, or an older version has written it".to_owned(),
    })
}

/// The acknowledged round. A new guard's slot has the number 0, which no round has.
fn acknowledged(newest: Option<Slot>) -> Option<(u64, Head)> {
    newest.filter(|slot| slot.sequence > 0).map(|slot| (slot.sequence, slot.head))
}

/// Sequence and head of the last acknowledged round in a guard's file, which is not changed; `None` if there is no
/// file. May be read while a node serves: while one slot is being written, the other one is whole.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> Result<Option<(u64, Head)>, StoreError> {
    match disk.read(path) {
        Ok(bytes) => newest(&bytes, path).map(acknowledged),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file::at(path)(error)),
    }
}

/// Refuses a log that was written elsewhere; changes nothing.
pub(crate) fn check_place(disk: &dyn Disk, dir: &Path, placement: Placement) -> Result<(), StoreError> {
    let path = dir.join("guard");
    if !disk.exists(&path).map_err(file::at(&path))? {
        return Ok(());
    }
    let found = newest(&disk.read(&path).map_err(file::at(&path))?, &path)?;
    found.map_or(Ok(()), |slot| check_slot(disk, dir, &slot, placement))
}

fn check_slot(disk: &dyn Disk, dir: &Path, slot: &Slot, placement: Placement) -> Result<(), StoreError> {
    let place = disk.place(dir).map_err(file::at(dir))?;
    let refused = |error| StoreError::Place { path: dir.display().to_string(), error };
    placement.check(&slot.marker, &place).map_err(refused)
}

/// Writes the guard of a backup: no node may open it.
pub(crate) fn write_backup(disk: &dyn Disk, path: &Path, sequence: u64, head: Head) -> Result<(), StoreError> {
    let slot = Slot { sequence, head, marker: Marker::Backup };
    disk.replace(path, &slot.twice()).map_err(file::at(path))
}

/// Marks the guard of a restored log: a node opens it only after its operator has said that no other node runs.
pub(crate) fn mark_restored(disk: &dyn Disk, path: &Path) -> Result<(), StoreError> {
    match newest(&disk.read(path).map_err(file::at(path))?, path)? {
        Some(slot) => {
            let slot = Slot { marker: Marker::Restored, ..slot };
            disk.replace(path, &slot.twice()).map_err(file::at(path))
        }
        None => Ok(()),
    }
}

impl Guard {
    /// Opens or makes the file in the log's directory `dir`, and reads the newer of its slots. A log that was written
    /// elsewhere is refused, unless `placement` says otherwise.
    pub fn open(disk: &dyn Disk, dir: &Path, placement: Placement) -> Result<Self, StoreError> {
        let path = &dir.join("guard");
        let place = disk.place(dir).map_err(file::at(dir))?;
        let exists = disk.exists(path).map_err(file::at(path))?;
        let written = if exists { disk.read(path).map_err(file::at(path))? } else { Vec::new() };
        let found = newest(&written, path)?;
        let marker = Marker::Node(place);
        if let Some(slot) = &found {
            check_slot(disk, dir, slot, placement)?;
        }
        let is_here = found.as_ref().is_some_and(|slot| slot.marker == marker);
        if !is_here {
            // Written as a whole, with all its room and two valid slots: neither a full disk nor a torn first write
            // leaves an unreadable guard.
            let slot = found
                .clone()
                .map_or_else(|| Slot::first(marker.clone()), |slot| Slot { marker: marker.clone(), ..slot });
            disk.replace(path, &slot.twice()).map_err(file::at(path))?;
        }
        let file = disk.open(path).map_err(file::at(path))?;
        disk.sync_dir(dir).map_err(file::at(dir))?;
        Ok(Self { path: path.clone(), file, marker, state: acknowledged(found) })
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
        let bytes = Slot { sequence, head, marker: self.marker.clone() }.encode();
        self.file.write_at(&bytes, sequence % 2 * SLOT_LEN).map_err(file::at(&self.path))?;
        self.file.sync().map_err(file::at(&self.path))?;
        self.state = Some((sequence, head));
        Ok(())
    }

    /// Refuses if the file was removed, cut or replaced.
    pub(crate) fn check_in_place(&self) -> Result<(), StoreError> {
        let len = if self.state.is_some() { SLOT_LEN } else { 0 };
        file::check_in_place(&*self.file, &self.path, len)
    }
}

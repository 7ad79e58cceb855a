//! The guard file: which round was acknowledged last. It is durable before anything about that round is signed.
//!
//! Two slots of one sector each are written in turn, so that a torn write leaves the other one.

use std::path::{Path, PathBuf};

use creditbank_protocol::Digest;

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

impl Guard {
    /// Opens or makes the file and reads the newer of its slots.
    pub fn open(disk: &dyn Disk, path: &Path) -> Result<Self, StoreError> {
        let file = disk.open(path).map_err(file::at(path))?;
        let mut guard = Self { path: path.to_owned(), file, state: None };
        let slots = [guard.slot(0), guard.slot(1)];
        guard.state = slots.iter().flatten().copied().max_by_key(|(sequence, _)| *sequence);
        if guard.state.is_none() {
            let written = file::read(disk, path).map_err(file::at(path))?;
            if written.iter().any(|byte| *byte != 0) {
                let what = "neither slot holds a valid checksum".to_owned();
                return Err(StoreError::Damaged { path: path.display().to_string(), offset: 0, what });
            }
            // Its room at once, so that a full disk is not found out after the journal has a round.
            guard.file.allocate(2 * SLOT_LEN).and_then(|()| guard.file.sync()).map_err(file::at(path))?;
        }
        if let Some(parent) = path.parent() {
            disk.sync_dir(parent).map_err(file::at(parent))?;
        }
        Ok(guard)
    }

    fn slot(&self, slot: u64) -> Option<(u64, Head)> {
        let mut bytes = [0; CONTENT_LEN + 4];
        self.file.read_at(&mut bytes, slot * SLOT_LEN).ok()?;
        let (content, checksum) = bytes.split_at(CONTENT_LEN);
        if crc32c::crc32c(content).to_be_bytes() != checksum {
            return None;
        }
        let word = |at: usize| content[at..at + 8].try_into().map(u64::from_be_bytes).ok();
        Some((word(0)?, Head { epoch: word(8)?, size: word(16)?, root: Digest::from_slice(&content[24..])? }))
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
        let mut bytes = Vec::with_capacity(CONTENT_LEN + 4);
        for word in [sequence, head.epoch, head.size] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(head.root.as_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
        self.file.write_at(&bytes, sequence % 2 * SLOT_LEN).map_err(file::at(&self.path))?;
        self.file.sync().map_err(file::at(&self.path))?;
        self.state = Some((sequence, head));
        Ok(())
    }
}

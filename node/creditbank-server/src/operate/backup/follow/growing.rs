//! A file that is only appended to, and its copy.

use std::path::Path;

use creditbank_store::{Disk, DiskFile};
use sha2::{Digest as _, Sha256};

use super::super::{BackedUpFile, BackupError, at, files};

const CHUNK_LEN: u64 = 1 << 20;

/// How much of a file was copied, and its hash so far.
#[derive(Clone, Default)]
pub(super) struct Growing {
    len: u64,
    hash: Sha256,
}

impl Growing {
    /// An existing copy, with the length and hash that a manifest lists. Leftovers of an unfinished step are cut: a
    /// segment that does not grow any more would keep them.
    pub(super) fn resume(disk: &dyn Disk, path: &Path, listed: &BackedUpFile) -> Result<Self, BackupError> {
        let file = disk.open_plain(path).map_err(at(path))?;
        let mut hash = Sha256::new();
        let found = files::chunks(&*file, path, &listed.path, listed.bytes, |chunk, _| {
            hash.update(chunk);
            Ok(())
        })?;
        if found == *listed {
            if file.length().map_err(at(path))? > listed.bytes {
                file.set_length(listed.bytes).map_err(at(path))?;
            }
            return Ok(Self { len: listed.bytes, hash });
        }
        let what = format!(
            "{} bytes with SHA-256 {}, its manifest says {} with {}",
            found.bytes, found.sha256, listed.bytes, listed.sha256
        );
        Err(BackupError::Damaged { path: path.display().to_string(), what })
    }

    /// Bytes that were copied.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Its entry in a manifest.
    pub(super) fn listed(&self, name: &str) -> BackedUpFile {
        let sha256 = hex::encode(self.hash.clone().finalize());
        BackedUpFile { path: name.to_owned(), bytes: self.len, sha256 }
    }

    /// Continues until the copy has `len` bytes, and makes them durable. Leftovers of an earlier try are cut.
    pub(super) fn grow(&mut self, disk: &dyn Disk, from: &Path, to: &Path, len: u64) -> Result<(), BackupError> {
        if len == self.len {
            return Ok(());
        }
        let source = disk.open_existing(from).map_err(at(from))?;
        let copy = self.opened(disk, to)?;
        let mut chunk = Vec::new();
        while self.len < len {
            chunk.resize(usize::try_from(CHUNK_LEN.min(len - self.len)).expect("a chunk is small"), 0);
            source.read_at(&mut chunk, self.len).map_err(at(from))?;
            copy.write_at(&chunk, self.len).map_err(at(to))?;
            self.hash.update(&chunk);
            self.len += chunk.len() as u64;
        }
        copy.sync().map_err(at(to))
    }

    /// Adds bytes to the copy, and makes them durable.
    pub(super) fn extend(&mut self, disk: &dyn Disk, to: &Path, bytes: &[u8]) -> Result<(), BackupError> {
        let copy = self.opened(disk, to)?;
        copy.write_at(bytes, self.len).map_err(at(to))?;
        copy.sync().map_err(at(to))?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// The copy, cut after the known part. If nothing of it is known, it is made anew: its name may be a link.
    fn opened(&self, disk: &dyn Disk, to: &Path) -> Result<Box<dyn DiskFile>, BackupError> {
        if self.len == 0 {
            return disk.create(to).map_err(at(to));
        }
        let copy = disk.open_plain(to).map_err(at(to))?;
        copy.set_length(self.len).map_err(at(to))?;
        Ok(copy)
    }

    /// For a file that was written as a whole.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { len: bytes.len() as u64, hash: Sha256::new().chain_update(bytes) }
    }
}

//! A copy of an index that must not be opened in place: engines write to their files when they are opened.

use std::io;
use std::path::{Path, PathBuf};

use creditbank_store::Disk;

use crate::clock::{Entropy as _, OsEntropy};

/// Bytes that are copied at once.
const CHUNK_LEN: u64 = 1 << 20;

/// A directory that is removed when this is dropped.
pub(super) struct Copy(pub(super) PathBuf);

impl Copy {
    /// Copies a directory to the system's directory for temporary files, readable only by this user.
    pub(super) fn of(disk: &dyn Disk, from: &Path) -> io::Result<Self> {
        let mut name = [0; 8];
        OsEntropy.fill(&mut name);
        let copy = Self(std::env::temp_dir().join(format!("creditbank-check-{}", hex::encode(name))));
        copy_dir(disk, from, &copy.0)?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "the copy of the index could not be removed");
        }
    }
}

fn copy_dir(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    disk.make_dir(to)?;
    for name in disk.list(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        if disk.info(&source)?.is_dir {
            copy_dir(disk, &source, &target)?;
        } else {
            copy_file(disk, &source, &target)?;
        }
    }
    Ok(())
}

fn copy_file(disk: &dyn Disk, from: &Path, to: &Path) -> io::Result<()> {
    let (source, target) = (disk.open_existing(from)?, disk.create_new(to)?);
    let len = source.length()?;
    let mut offset = 0;
    while offset < len {
        let mut chunk = vec![0; usize::try_from(CHUNK_LEN.min(len - offset)).expect("a chunk is small")];
        source.read_at(&mut chunk, offset)?;
        target.write_at(&chunk, offset)?;
        offset += chunk.len() as u64;
    }
    Ok(())
}

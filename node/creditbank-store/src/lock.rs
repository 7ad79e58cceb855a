//! One process per directory.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use fs4::fs_std::FileExt;

use crate::{StoreError, file};

/// Held while a process works in a directory; released when it is dropped or when the process dies.
#[derive(Debug)]
pub struct DirectoryLock(Option<File>);

impl DirectoryLock {
    /// Takes the lock `DIR/LOCK`, or says that another process has it.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("LOCK");
        let mut options = OpenOptions::new();
        let lock = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = lock.map_err(file::at(&path))?;
        match lock.try_lock_exclusive() {
            Ok(true) => Ok(Self(Some(lock))),
            Ok(false) => {
                let error = io::Error::new(io::ErrorKind::WouldBlock, "another process works in this directory");
                Err(file::at(&path)(error))
            }
            Err(error) => Err(file::at(&path)(error)),
        }
    }

    /// Whether a directory is still the one in which the lock was taken: a share that is not mounted any more leaves
    /// another directory under the same name.
    pub(crate) fn is_in(&self, dir: &Path) -> io::Result<bool> {
        let Some(lock) = &self.0 else { return Ok(true) };
        let found = match fs::symlink_metadata(dir.join("LOCK")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            found => found?,
        };
        let taken = lock.metadata()?;
        Ok((found.dev(), found.ino()) == (taken.dev(), taken.ino()))
    }

    /// For a disk that no other process can see.
    #[cfg(feature = "faults")]
    pub(crate) fn none() -> Self {
        Self(None)
    }
}

impl Drop for DirectoryLock {
    /// Closing the file is not enough: a child process that is being started has a copy of it for a moment.
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.as_ref().map(FileExt::unlock) {
            tracing::warn!(%error, "the directory's lock ends with the process");
        }
    }
}

//! One process per directory.

use std::fs::File;
use std::io;
use std::path::Path;

use fs4::fs_std::FileExt;

use crate::{StoreError, file};

/// Held while a process works in a directory; released when it is dropped or the process dies.
#[derive(Debug)]
pub struct DirectoryLock(File);

impl DirectoryLock {
    /// Takes the lock `DIR/LOCK`, or says that another process has it.
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("LOCK");
        let lock = file::open(&path).map_err(file::at(&path))?;
        match lock.try_lock_exclusive() {
            Ok(true) => Ok(Self(lock)),
            Ok(false) => {
                let error = io::Error::new(io::ErrorKind::WouldBlock, "another process works in this directory");
                Err(file::at(&path)(error))
            }
            Err(error) => Err(file::at(&path)(error)),
        }
    }
}

impl Drop for DirectoryLock {
    /// Not left to the closing of the file: a child process that is being started has a copy of it for a moment.
    fn drop(&mut self) {
        if let Err(error) = FileExt::unlock(&self.0) {
            tracing::warn!(%error, "the directory's lock ends with the process");
        }
    }
}

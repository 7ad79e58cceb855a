//! One process per directory.

use std::fs::File;
use std::io;
use std::path::Path;

use fs4::fs_std::FileExt as _;

use crate::{StoreError, file};

/// Held while a process works in a directory; released when it is dropped or the process dies.
#[derive(Debug)]
pub struct DirectoryLock(#[allow(dead_code)] File);

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

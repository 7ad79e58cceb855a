//! File operations of several steps, over any disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Disk, DiskFile, StoreError};

/// Reads a file from front to back.
pub(crate) struct Sequential {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) offset: u64,
    pub(crate) left: u64,
}

impl io::Read for Sequential {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.file.read_at(&mut into[..len], self.offset)?;
        self.offset += len as u64;
        self.left -= len as u64;
        Ok(len)
    }
}

/// Names the file in an I/O error.
pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> StoreError + '_ {
    move |error| StoreError::File { path: path.display().to_string(), error }
}

/// Where the next version of a file is written.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Writes a file's next version beside it. Nothing of it is durable yet.
pub(crate) fn stage(disk: &(impl Disk + ?Sized), path: &Path, len: u64, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let temporary = temporary(path);
    let file = disk.create(&temporary)?;
    let written = if len > 0 { file.allocate(len) } else { Ok(()) }.and_then(|()| file.write_at(bytes, 0));
    if let Err(error) = written {
        // Its space is needed elsewhere. If it stays, the next attempt replaces it.
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    Ok(file)
}

/// Syncs the staged file and puts it in place. The returned handle is that of the file in place.
pub(crate) fn commit(disk: &(impl Disk + ?Sized), path: &Path, file: &dyn DiskFile) -> io::Result<()> {
    file.sync()?;
    disk.rename(&temporary(path), path)?;
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent))
}

/// Whether the error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the error is that of a disk that cannot read a place, and not of a system that is short of something.
pub(crate) fn is_unreadable(error: &io::Error) -> bool {
    /// The same on all systems that have it.
    const EIO: i32 = 5;
    error.kind() != io::ErrorKind::NotFound && error.raw_os_error().is_none_or(|code| code == EIO)
}

/// Whether at least `reserve` bytes can be written into a directory.
pub(crate) fn has_room(disk: &dyn Disk, dir: &Path, reserve: u64) -> Result<bool, StoreError> {
    Ok(disk.available(dir).map_err(at(dir))? >= reserve)
}

/// Refuses if less than `reserve` bytes can be written: what is derived from a round needs room as well.
pub(crate) fn check_room(disk: &dyn Disk, dir: &Path, reserve: u64) -> Result<(), StoreError> {
    if !has_room(disk, dir, reserve)? {
        return Err(StoreError::Full { path: dir.display().to_string(), needed: reserve });
    }
    Ok(())
}

/// Refuses if an open file was removed, cut to less than `len` bytes, or replaced: nobody would ever read what is
/// written to it. If the disk cannot tell this time, that is no reason to refuse.
pub(crate) fn check_in_place(file: &dyn DiskFile, path: &Path, len: u64) -> Result<(), StoreError> {
    let is_whole = file.is_at(path).unwrap_or(true) && file.length().map_or(true, |found| found >= len);
    if is_whole { Ok(()) } else { Err(StoreError::Displaced { path: path.display().to_string() }) }
}

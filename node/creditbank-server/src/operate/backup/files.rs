//! Copying with hashes, durably.

use std::path::Path;

use creditbank_store::{Disk, DiskFile};
use sha2::{Digest as _, Sha256};

use super::{BackedUpFile, BackupError, at};

const CHUNK_LEN: u64 = 1 << 20;

/// Refuses a copy inside one of the directories that are copied, with links resolved: it would contain itself, and be
/// lost with them.
pub(in crate::operate) fn outside(disk: &dyn Disk, inner: &Path, outer: &[&Path]) -> Result<(), BackupError> {
    let found = disk.resolved(inner).map_err(at(inner))?;
    for outer in outer {
        if found.starts_with(disk.resolved(outer).map_err(at(outer))?) {
            let (inner, outer) = (inner.display().to_string(), outer.display().to_string());
            return Err(BackupError::Within { inner, outer });
        }
    }
    Ok(())
}

/// Makes a directory that may exist but must be empty.
fn new_dir(disk: &dyn Disk, dir: &Path) -> Result<(), BackupError> {
    disk.make_dir(dir).map_err(at(dir))?;
    match disk.list(dir).map_err(at(dir))?.first() {
        None => Ok(()),
        Some(_) => Err(BackupError::Exists(dir.display().to_string())),
    }
}

/// Fills a directory that may exist but must be empty. If that fails, what was written is removed: it holds keys, and
/// would refuse the next attempt. A directory that was there before stays.
pub(in crate::operate) fn fill_new_dir<T, E: From<BackupError>>(
    disk: &dyn Disk,
    dir: &Path,
    fill: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let was_there = disk.exists(dir).map_err(at(dir))?;
    new_dir(disk, dir)?;
    let filled = fill();
    if filled.is_err() {
        // The error that is reported says more than a second one would.
        for name in disk.list(dir).unwrap_or_default() {
            let path = dir.join(name);
            let _ = disk.remove(&path).or_else(|_| disk.remove_dir(&path));
        }
        if !was_there {
            let _ = disk.remove_dir(dir);
        }
    }
    filled
}

/// Makes the parent directories of a file.
fn above(disk: &dyn Disk, path: &Path) -> Result<(), BackupError> {
    let parent = path.parent().unwrap_or(path);
    disk.make_dir(parent).map_err(at(parent))
}

/// Calls `each` with the first `len` bytes of a file, chunk by chunk with their offsets, and returns length and hash of
/// what it has read, under `name`.
pub(super) fn chunks(
    file: &dyn DiskFile,
    from: &Path,
    name: &str,
    len: u64,
    mut each: impl FnMut(&[u8], u64) -> Result<(), BackupError>,
) -> Result<BackedUpFile, BackupError> {
    let len = file.length().map_err(at(from))?.min(len);
    let mut hash = Sha256::new();
    let mut chunk = Vec::new();
    let mut offset = 0;
    while offset < len {
        chunk.resize(usize::try_from(CHUNK_LEN.min(len - offset)).expect("a chunk is small"), 0);
        file.read_at(&mut chunk, offset).map_err(at(from))?;
        hash.update(&chunk);
        each(&chunk, offset)?;
        offset += chunk.len() as u64;
    }
    Ok(BackedUpFile { path: name.to_owned(), bytes: len, sha256: hex::encode(hash.finalize()) })
}

/// Copies at most `len` bytes into a new file, synced.
pub(in crate::operate) fn copy(
    disk: &dyn Disk,
    from: &Path,
    to: &Path,
    name: &str,
    len: u64,
) -> Result<BackedUpFile, BackupError> {
    let file = disk.open_existing(from).map_err(at(from))?;
    above(disk, to)?;
    let out = disk.create_new(to).map_err(at(to))?;
    let copied = chunks(&*file, from, name, len, |chunk, offset| out.write_at(chunk, offset).map_err(at(to)))?;
    out.sync().map_err(at(to))?;
    Ok(copied)
}

/// Writes a new file, synced.
pub(in crate::operate) fn put(disk: &dyn Disk, to: &Path, content: &[u8]) -> Result<(), BackupError> {
    above(disk, to)?;
    disk.write_new(to, content).map_err(at(to))
}

/// Size and hash of the first `len` bytes of a file, or of the whole file if it is shorter.
pub(in crate::operate) fn hash(
    disk: &dyn Disk,
    path: &Path,
    name: &str,
    len: u64,
) -> Result<BackedUpFile, BackupError> {
    let file = disk.open_existing(path).map_err(at(path))?;
    chunks(&*file, path, name, len, |_, _| Ok(()))
}

/// Makes the names in a directory and all its subdirectories durable.
pub(in crate::operate) fn sync_dirs(disk: &dyn Disk, dir: &Path) -> Result<(), BackupError> {
    for name in disk.list(dir).map_err(at(dir))? {
        let path = dir.join(name);
        if disk.info(&path).map_err(at(&path))?.is_dir {
            sync_dirs(disk, &path)?;
        }
    }
    disk.sync_dir(dir).map_err(at(dir))
}

/// Names of the files, but not of the directories, in a directory.
pub(in crate::operate) fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, BackupError> {
    let mut names = Vec::new();
    for name in disk.list(dir).map_err(at(dir))? {
        let path = dir.join(&name);
        if !disk.info(&path).map_err(at(&path))?.is_dir {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Whether the file exists.
pub(in crate::operate) fn exists(disk: &dyn Disk, path: &Path) -> Result<bool, BackupError> {
    disk.exists(path).map_err(at(path))
}

//! Copying with hashes, durably.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{BackedUpFile, BackupError, at};

const CHUNK_LEN: usize = 1 << 20;

/// Makes a directory that may exist but must be empty. Its owner's alone.
pub(super) fn new_dir(dir: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    match fs::read_dir(dir).map_err(at(dir))?.next() {
        None => Ok(()),
        Some(_) => Err(BackupError::Exists(dir.display().to_string())),
    }
}

/// Makes the directories above a file.
fn above(path: &Path) -> Result<(), BackupError> {
    let parent = path.parent().unwrap_or(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(at(parent))
}

/// Copies at most `len` bytes into a new file of mode 0600, synced.
pub(super) fn copy(from: &Path, to: &Path, name: &str, len: u64) -> Result<BackedUpFile, BackupError> {
    let file = File::open(from).map_err(at(from))?;
    write(&mut file.take(len), from, to, name)
}

fn write(from: &mut impl Read, source: &Path, to: &Path, name: &str) -> Result<BackedUpFile, BackupError> {
    above(to)?;
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(at(to))?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_LEN];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut chunk).map_err(at(source))?;
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
        out.write_all(&chunk[..read]).map_err(at(to))?;
        bytes += read as u64;
    }
    out.sync_all().map_err(at(to))?;
    Ok(BackedUpFile { path: name.to_owned(), bytes, sha256: hex::encode(hash.finalize()) })
}

/// Writes a new file of mode 0600, synced.
pub(super) fn put(to: &Path, content: &[u8]) -> Result<(), BackupError> {
    write(&mut &content[..], to, to, "").map(|_| ())
}

/// Size and hash of a file.
pub(super) fn hash(path: &Path, name: &str) -> Result<BackedUpFile, BackupError> {
    let mut file = File::open(path).map_err(at(path))?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_LEN];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut chunk).map_err(at(path))?;
        if read == 0 {
            return Ok(BackedUpFile { path: name.to_owned(), bytes, sha256: hex::encode(hash.finalize()) });
        }
        hash.update(&chunk[..read]);
        bytes += read as u64;
    }
}

/// Makes the names in a directory and in all below it durable.
pub(super) fn sync_dirs(dir: &Path) -> Result<(), BackupError> {
    for entry in fs::read_dir(dir).map_err(at(dir))? {
        let path = entry.map_err(at(dir))?.path();
        if path.is_dir() {
            sync_dirs(&path)?;
        }
    }
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

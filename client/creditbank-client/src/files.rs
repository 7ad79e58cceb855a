//! Files that are meant to last: after a crash each is there whole, as it was or as it is to be.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::ClientError;

/// The owner's alone.
pub const PRIVATE: u32 = 0o600;
/// Everybody may read it.
pub const PUBLIC: u32 = 0o644;

/// What is wrong with a file, in words: what was expected, and what was found.
pub fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "expected a file, found none".to_owned(),
        io::ErrorKind::IsADirectory => "expected a file, found a directory".to_owned(),
        io::ErrorKind::NotADirectory => "expected a directory on the way to it, found a file".to_owned(),
        io::ErrorKind::AlreadyExists => "it is there already, and nothing is replaced: choose another name".to_owned(),
        io::ErrorKind::PermissionDenied => "the system does not let this user at it".to_owned(),
        _ => error.to_string(),
    }
}

/// Names the file in an I/O error.
pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> ClientError + '_ {
    move |error| ClientError::File { path: path.display().to_string(), error }
}

/// Writes a new file, durably; an error of the kind `AlreadyExists` where one is there. What cannot be written whole is
/// taken away again, so that the command can be repeated.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| sync_dir(parent(path)));
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Replaces a file of the owner's alone as a whole, durably: written beside, synced, renamed over it. What a crash
/// leaves beside it has the extension `new`, and gives way to the next version.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE).open(new);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).map_err(at(new))?;
    fs::rename(new, path).and_then(|()| sync_dir(parent(path))).map_err(at(path))
}

/// Adds to the end of a file of the owner's alone, durably.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> Result<(), ClientError> {
    let file = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path);
    file.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data())).map_err(at(path))
}

/// Makes a directory of the owner's alone, and those above it.
pub(crate) fn make_dir(dir: &Path) -> Result<(), ClientError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))
}

/// Makes durable which names a directory has.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// The directory of a file; that of a bare name is the one in which the command runs.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Goal: a file that is replaced is never missing, nor half of one, under its name: a version that cannot be
    /// written
    /// leaves the one before.
    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("job.toml");
        replace(&path, b"one").expect("written");
        // What stands where the next version is to be written cannot be opened as a file.
        fs::create_dir(dir.path().join("job.toml.new")).expect("made");
        replace(&path, b"two").expect_err("no room for it");
        assert_eq!(fs::read(&path).expect("there"), b"one");
        fs::remove_dir(dir.path().join("job.toml.new")).expect("gone");
        replace(&path, b"three").expect("written");
        assert_eq!(fs::read(&path).expect("there"), b"three");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, PRIVATE);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "nothing is left beside it");
    }

    /// Goal: nothing is written in the place of something.
    #[test]
    fn a_new_file_replaces_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("letter.json");
        write_new(&path, b"one", PUBLIC).expect("written");
        let error = write_new(&path, b"two", PUBLIC).expect_err("it exists");
        assert_eq!((error.kind(), fs::read(&path).expect("there")), (io::ErrorKind::AlreadyExists, b"one".to_vec()));
    }
}

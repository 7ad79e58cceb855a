//! Who may read and write where: looked at before anything is read, signed or served.

use std::io;
use std::path::Path;

use creditbank_store::Disk;

use super::{Config, DirectoryError, at, keys_dir};

/// Whoever may write here could put other keys or another log in place.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// A secret is its owner's alone.
const OPEN_TO_OTHERS: u32 = 0o077;

/// The mode of what stands under a name, where something does.
fn mode(disk: &dyn Disk, path: &Path) -> Result<Option<u32>, DirectoryError> {
    match disk.info(path) {
        Ok(found) => Ok(Some(found.mode)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// Refuses a directory that others may write in; not one that is not there.
pub(super) fn check_dir(disk: &dyn Disk, path: &Path) -> Result<(), DirectoryError> {
    match mode(disk, path)?.filter(|mode| mode & WRITABLE_BY_OTHERS != 0) {
        Some(mode) => Err(DirectoryError::DirectoryMode { path: path.display().to_string(), mode }),
        None => Ok(()),
    }
}

/// Refuses directories that others may write in, and secrets that others may read or write.
pub(super) fn check(disk: &dyn Disk, dir: &Path, config: &Config) -> Result<(), DirectoryError> {
    let keys = keys_dir(dir);
    let mut dirs = vec![dir.to_owned(), keys.clone()];
    if let Some(log) = config.store.path() {
        dirs.extend([dir.join(log), dir.join(log).join("journal")]);
    }
    for path in dirs {
        check_dir(disk, &path)?;
    }
    let mut secrets = vec![dir.join("learners.keys")];
    for name in disk.list(&keys).map_err(at(&keys))? {
        let shown = name.to_string_lossy();
        if shown == "secrets" || shown.ends_with(".key") || shown.ends_with("-key.pem") {
            secrets.push(keys.join(&name));
        }
    }
    for path in secrets {
        if let Some(mode) = mode(disk, &path)?.filter(|mode| mode & OPEN_TO_OTHERS != 0) {
            return Err(DirectoryError::Mode { path: path.display().to_string(), mode });
        }
    }
    Ok(())
}

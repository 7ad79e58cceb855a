//! Files that are replaced as a whole: keys and secrets, configuration, trust file, a hold.
//!
//! Others may be able to write to the copy's disk. So a file is changed, cut or overwritten only if it is a regular
//! file that a manifest of the copy lists. Anything else is replaced by a new file.

use std::io;
use std::path::{Path, PathBuf};

use creditbank_store::{Disk, DiskFile};
use zeroize::Zeroizing;

use super::super::{BackedUpFile, BackupError, at, files};
use super::growing::Growing;
use crate::directory::HELD_FILE;

/// The node's files, compared with the copy.
pub(super) struct Small {
    /// All of them, in the form for the manifest.
    pub(super) listed: Vec<BackedUpFile>,
    /// Files that the copy lacks, or has with other contents.
    pub(super) changed: Vec<(String, Zeroizing<Vec<u8>>)>,
    /// Files without secrets that the node does not have any more.
    pub(super) gone: Vec<String>,
}

impl Small {
    /// Compares the node of `dir`, whose log is in `log_dir`, with its copy, for which a manifest lists `published`. If
    /// the node does not have a key file any more, the copy keeps it: it may have been deleted by mistake.
    pub(super) fn compare(
        disk: &dyn Disk,
        (dir, log_dir): (&Path, &Path),
        (out, published): (&Path, &[BackedUpFile]),
        with_keys: bool,
    ) -> Result<Self, BackupError> {
        let mut names = vec!["node.toml".to_owned(), "trust.toml".to_owned()];
        if with_keys {
            names.extend(files::list(disk, &dir.join("keys"))?.iter().map(|name| format!("keys/{name}")));
        }
        let mut sources: Vec<_> = names.into_iter().map(|name| (dir.join(&name), name)).collect();
        sources.push((log_dir.join(HELD_FILE), format!("log/{HELD_FILE}")));
        let mut small = Self { listed: Vec::new(), changed: Vec::new(), gone: Vec::new() };
        for (from, name) in sources {
            // A file that is just replacing another one.
            if Path::new(&name).extension().is_some_and(|extension| extension == "new") {
                continue;
            }
            let bytes = match disk.read(&from) {
                Ok(bytes) => Zeroizing::new(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(at(&from)(error)),
            };
            let listed = Growing::of(&bytes).listed(&name);
            let to = out.join(&name);
            let is_known = published.iter().any(|file| file.path == name);
            let copy = match read_plain(disk, &to) {
                // Somebody else has put it there: a new file takes the name.
                Err(BackupError::File { error, .. }) if !is_known && error.kind() == io::ErrorKind::InvalidInput => {
                    None
                }
                copy => copy?,
            };
            small.listed.push(listed);
            if copy.is_none_or(|copy| *copy != *bytes) {
                small.changed.push((name, bytes));
            }
        }
        for file in published {
            let name = &file.path;
            if small.listed.iter().any(|listed| listed.path == *name) || small.gone.contains(name) {
                continue;
            }
            if name.starts_with("keys/") {
                // Once it is removed from the copy by hand, it is not listed any more.
                let path = out.join(name);
                if let Some(bytes) = read_plain(disk, &path)? {
                    let found = Growing::of(&bytes).listed(name);
                    if !published.contains(&found) {
                        let what =
                            "the node does not have this file any more, and the copy's is not as it was written. \
                                    Bring it back from another copy, or remove it from this one"
                                .to_owned();
                        return Err(BackupError::Damaged { path: path.display().to_string(), what });
                    }
                    small.listed.push(found);
                }
            } else if *name == "trust.toml" || *name == format!("log/{HELD_FILE}") {
                small.gone.push(name.clone());
            }
        }
        Ok(small)
    }
}

/// The bytes of a regular file, wiped when they are dropped; `None` if there is no such file.
pub(super) fn read_plain(disk: &dyn Disk, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, BackupError> {
    let file = match disk.open_plain(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(path)(error)),
    };
    let len =
        usize::try_from(file.length().map_err(at(path))?).map_err(|_| at(path)(io::ErrorKind::FileTooLarge.into()))?;
    let mut bytes = Zeroizing::new(vec![0; len]);
    file.read_at(&mut bytes, 0).map_err(at(path))?;
    Ok(Some(bytes))
}

/// Puts a file under a name. Whatever has the name loses it, but keeps its bytes.
pub(super) fn put(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    if let Some(parent) = path.parent() {
        disk.make_dir(parent).map_err(at(parent))?;
    }
    disk.replace(path, bytes).map_err(at(path))
}

/// Replaces a file of the copy and overwrites the old one, which may hold a destroyed key. Storage that does not
/// overwrite in place (a snapshot, a flash chip) keeps the old bytes.
pub(super) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let old = match disk.open_plain(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return put(disk, path, bytes),
        Err(error) => return Err(at(path)(error)),
    };
    wipe_staged(disk, path)?;
    let staged = staged(path);
    if let Err(error) = disk.write_new(&staged, bytes) {
        let _ = disk.remove(&staged);
        return Err(at(&staged)(error));
    }
    let parent = path.parent().unwrap_or(path);
    match disk.exchange(&staged, path) {
        Ok(()) => {
            disk.sync_dir(parent).map_err(at(parent))?;
            // If interrupted before this, the old file has a name that the next process finds.
            return wipe_staged(disk, path);
        }
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(error) => return Err(at(path)(error)),
    }
    disk.rename(&staged, path).map_err(at(path))?;
    disk.sync_dir(parent).map_err(at(parent))?;
    overwrite(&*old, path)
}

/// Overwrites and removes what an interrupted replacement has left beside a file.
pub(super) fn wipe_staged(disk: &dyn Disk, path: &Path) -> Result<(), BackupError> {
    let staged = staged(path);
    match disk.open_plain(&staged) {
        Ok(file) => overwrite(&*file, &staged)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // It is not ours: it loses the name, and keeps its bytes.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
        Err(error) => return Err(at(&staged)(error)),
    }
    disk.remove(&staged).map_err(at(&staged))?;
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent).map_err(at(parent)))
}

/// Removes a file without secrets.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> Result<(), BackupError> {
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path)(error)),
        _ => {}
    }
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent).map_err(at(parent)))
}

/// Where [`Disk::replace`] writes the next version of a file.
fn staged(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn overwrite(file: &dyn DiskFile, path: &Path) -> Result<(), BackupError> {
    let len = file.length().map_err(at(path))?;
    let zeros = vec![0; 1 << 20];
    let mut done = 0;
    while done < len {
        let part = usize::try_from(len - done).unwrap_or(usize::MAX).min(zeros.len());
        file.write_at(&zeros[..part], done).map_err(at(path))?;
        done += part as u64;
    }
    file.sync().map_err(at(path))
}

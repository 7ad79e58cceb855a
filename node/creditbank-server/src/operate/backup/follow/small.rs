//! Files that are replaced as a whole: keys and secrets, configuration, trust file, a hold.

use std::io;
use std::path::Path;

use creditbank_store::Disk;
use zeroize::Zeroizing;

use super::super::{BackedUpFile, BackupError, at, files};
use super::growing::Growing;
use crate::directory::HELD_FILE;

/// What a node has, and what its copy has otherwise.
pub(super) struct Small {
    /// All of them, as they are to be listed.
    pub(super) listed: Vec<BackedUpFile>,
    /// Those that the copy lacks, or has otherwise.
    pub(super) changed: Vec<(String, Zeroizing<Vec<u8>>)>,
    /// Those that the node has no more.
    pub(super) gone: Vec<String>,
}

impl Small {
    /// Compares the node of `dir`, whose log is in `log_dir`, with its copy.
    pub(super) fn compare(
        disk: &dyn Disk,
        (dir, log_dir): (&Path, &Path),
        out: &Path,
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
            // A file that is just being put in place of another one.
            let Some(bytes) = read(disk, &from)?.filter(|_| !name.ends_with(".new")) else { continue };
            small.listed.push(Growing::of(&bytes).listed(&name));
            if read(disk, &out.join(&name))?.is_none_or(|copy| *copy != *bytes) {
                small.changed.push((name, bytes));
            }
        }
        let copied =
            if files::exists(disk, &out.join("keys"))? { files::list(disk, &out.join("keys"))? } else { Vec::new() };
        let copied = copied.iter().map(|name| format!("keys/{name}"));
        let all = copied.chain(["trust.toml".to_owned(), format!("log/{HELD_FILE}")]);
        for name in all.filter(|name| !small.listed.iter().any(|file| file.path == *name)) {
            if files::exists(disk, &out.join(&name))? {
                small.gone.push(name);
            }
        }
        Ok(small)
    }
}

/// A file's bytes, wiped when they are dropped; `None` where there is no such file.
fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, BackupError> {
    match disk.read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// Puts a file in place of one that is there, which is overwritten: it may hold a key that was destroyed. A disk that writes
/// elsewhere than it is told (a snapshot, a flash chip) keeps it all the same.
pub(super) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let old = if files::exists(disk, path)? { Some(disk.open(path).map_err(at(path))?) } else { None };
    if let Some(parent) = path.parent() {
        disk.make_dir(parent).map_err(at(parent))?;
    }
    disk.replace(path, bytes).map_err(at(path))?;
    old.map_or(Ok(()), |old| overwrite(&*old, path))
}

/// Overwrites a file, and takes it away.
pub(super) fn remove(disk: &dyn Disk, path: &Path) -> Result<(), BackupError> {
    let old = disk.open(path).map_err(at(path))?;
    overwrite(&*old, path)?;
    disk.remove(path).map_err(at(path))?;
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent).map_err(at(parent)))
}

fn overwrite(file: &dyn creditbank_store::DiskFile, path: &Path) -> Result<(), BackupError> {
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

//! The files of this machine.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use rustix::fs::{CWD, FsWord, OFlags, RenameFlags, renameat_with, statfs};
use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};

use super::{Disk, DiskFile, FileInfo};
use crate::{DirectoryLock, Place, StoreError};

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl RealDisk {
    /// In the form that the store uses.
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

/// `FUSE_SUPER_MAGIC` of statfs(2).
const FUSE_MAGIC: FsWord = 0x6573_5546;

/// The machine by its id, hashed as machine-id(5) asks. A container's id is that of its image, or new with each start,
/// so it has none here.
fn machine() -> Option<[u8; 16]> {
    let is_container = ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
        || ["container", "KUBERNETES_SERVICE_HOST"].iter().any(|name| std::env::var_os(name).is_some());
    let id = fs::read_to_string("/etc/machine-id").ok().filter(|_| !is_container)?;
    let id = id.trim();
    // The file contains "uninitialized" until the first boot has ended.
    (id.len() == 32).then(|| {
        let hash = Sha256::new().chain_update(b"creditbank machine v1\0").chain_update(id).finalize();
        std::array::from_fn(|at| hash[at])
    })
}

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        Ok(Box::new(options?))
    }

    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::open(path)?))
    }

    fn open_plain(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let odd = || {
            let what = "expected a regular file with one name, found a link or something else: who may write here?";
            io::Error::new(io::ErrorKind::InvalidInput, what)
        };
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(odd());
        }
        // The name may mean something else by now: do not follow a link, and do not wait.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
        let found = file.metadata()?;
        if found.is_file() && found.nlink() == 1 { Ok(Box::new(file)) } else { Err(odd()) }
    }

    fn is_link(&self, path: &Path) -> io::Result<bool> {
        match fs::symlink_metadata(path) {
            Ok(found) => Ok(found.is_symlink()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).map_err(|error| match error {
            // The errors of file systems that cannot do it: NFS, SMB, FUSE.
            rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP => {
                io::ErrorKind::Unsupported.into()
            }
            other => other.into(),
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // Make a new file instead of cutting the old one, so that nobody who has the old one open sees it change.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.create_new(path)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?))
    }

    fn info(&self, path: &Path) -> io::Result<FileInfo> {
        let found = fs::metadata(path)?;
        let mode = found.permissions().mode() & 0o777;
        let stranger = Some(found.uid()).filter(|uid| *uid != 0 && *uid != geteuid().as_raw());
        Ok(FileInfo { len: found.len(), is_dir: found.is_dir(), mode, stranger })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into())).collect()
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.as_os_str().is_empty() {
            return Ok(());
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
            // Try once more, but not until it works: in some places, such as /proc, nothing can be made, and the system
            // keeps saying the same.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                dir.parent().map_or(Err(error), |parent| self.make_dir(parent))?;
                DirBuilder::new().mode(0o700).create(dir).or_else(|error| {
                    let is_there = error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir();
                    if is_there { Ok(()) } else { Err(error) }
                })?;
            }
            Err(error) => return Err(error),
        }
        // For an existing directory too: its maker may have ended before its name was durable.
        dir.parent().map_or(Ok(()), |parent| self.sync_dir(parent))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        File::open(dir)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn available(&self, dir: &Path) -> io::Result<u64> {
        fs4::available_space(dir)
    }

    fn place(&self, dir: &Path) -> io::Result<Place> {
        let path = fs::canonicalize(dir)?;
        let found = fs::metadata(&path)?;
        // A file system in user space may renumber its files at every mount.
        let is_stable = statfs(&path).is_ok_and(|system| system.f_type != FUSE_MAGIC);
        let made = found.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
        Ok(Place {
            inode: is_stable.then(|| found.ino()),
            made_ns: made.filter(|_| is_stable).and_then(|made| u64::try_from(made.as_nanos()).ok()),
            machine: machine(),
            ..Place::of_path(&path.to_string_lossy())
        })
    }

    fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        let path = std::path::absolute(path)?;
        let mut missing = Vec::new();
        for above in path.ancestors() {
            match fs::canonicalize(above) {
                Ok(found) => return Ok(missing.iter().rev().fold(found, |path, name| path.join(name))),
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Err(_) => missing.extend(above.file_name()),
            }
        }
        Ok(path)
    }

    fn shares_system(&self, one: &Path, other: &Path) -> io::Result<bool> {
        Ok(fs::metadata(one)?.dev() == fs::metadata(other)?.dev())
    }

    fn is_locked(&self, dir: &Path, lock: &DirectoryLock) -> io::Result<bool> {
        lock.is_in(dir)
    }

    fn lock(&self, dir: &Path) -> Result<DirectoryLock, StoreError> {
        DirectoryLock::take(dir)
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(into, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_length(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        match fs4::fs_std::FileExt::allocate(self, len) {
            // This file system cannot reserve room: a full disk is noticed later, and stops the process.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => self.set_len(len.max(self.length()?)),
            done => done,
        }
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let own = self.metadata()?;
        match fs::metadata(path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: if no directory can be made, that is an error; several missing directories are made at once.
    #[test]
    fn directories_are_made_or_refused() {
        let around = tempfile::tempdir().unwrap();
        let deep = around.path().join("a/b/c");
        RealDisk.make_dir(&deep).unwrap();
        RealDisk.make_dir(&deep).unwrap();
        assert!(deep.is_dir());
        if Path::new("/proc/self").exists() {
            RealDisk.make_dir(Path::new("/proc/creditbank/x")).unwrap_err();
        }
    }

    /// Goal: a path is compared without links, even if its end does not exist yet.
    #[test]
    fn paths_are_resolved() {
        let around = tempfile::tempdir().unwrap();
        let (dir, link) = (around.path().join("dir"), around.path().join("link"));
        fs::create_dir(&dir).unwrap();
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        let expected = fs::canonicalize(&dir).unwrap().join("new/one");
        assert_eq!(RealDisk.resolved(&link.join("new/one")).unwrap(), expected);
    }

    /// Goal: a directory that takes the place of a locked one is noticed.
    #[test]
    fn a_lock_is_in_one_directory() {
        let around = tempfile::tempdir().unwrap();
        let (dir, away) = (around.path().join("dir"), around.path().join("away"));
        fs::create_dir(&dir).unwrap();
        let lock = RealDisk.lock(&dir).unwrap();
        assert!(RealDisk.is_locked(&dir, &lock).unwrap());
        fs::rename(&dir, &away).unwrap();
        fs::create_dir(&dir).unwrap();
        assert!(!RealDisk.is_locked(&dir, &lock).unwrap());
        let _other = RealDisk.lock(&dir).unwrap();
        assert!(!RealDisk.is_locked(&dir, &lock).unwrap() && RealDisk.is_locked(&away, &lock).unwrap());
    }
}

//! The file operations that durability rests on, in one place: the real files, and in tests a disk that fails.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{DirectoryLock, StoreError};

/// Files by name, and what makes their names durable.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Opens a file for reading and writing, made with mode 0600 where it is missing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file for reading; an error where it is missing.
    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes an empty file with mode 0600, in place of one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Whether there is such a file.
    fn exists(&self, path: &Path) -> bool;
    /// Names of the files in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes a directory and those above it, and syncs the one that it stands in.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes durable which names a directory has.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes a name out.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Bytes that can still be written into a directory.
    fn available(&self, dir: &Path) -> io::Result<u64>;
    /// Keeps other processes out of a directory.
    fn lock(&self, dir: &Path) -> Result<DirectoryLock, StoreError>;
}

/// An open file. Offsets and lengths are bytes.
pub trait DiskFile: Debug + Send + Sync {
    /// The file's length.
    fn length(&self) -> io::Result<u64>;
    /// Reads exactly as many bytes as `into` has room for.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all bytes; after an error some of them may be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns once contents and length would survive a power cut. After an error nobody knows what is on the disk, and a
    /// later success proves nothing about what was written before it.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file, or makes it longer by zeros that have no room of their own yet.
    fn set_length(&self, len: u64) -> io::Result<()>;
    /// Makes the file at least so long, by zeros that have their room on the disk.
    fn allocate(&self, len: u64) -> io::Result<()>;
}

/// The files of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl RealDisk {
    /// As the store takes it.
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        Ok(Box::new(options?))
    }

    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // Not cut: a new file, so that nothing that holds the old one sees it change.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Box::new(OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name().into())).collect()
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
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

    fn available(&self, dir: &Path) -> io::Result<u64> {
        fs4::available_space(dir)
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
            // A file system that cannot promise room: a full disk is found out later, and stops the process.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => self.set_len(len.max(self.length()?)),
            done => done,
        }
    }
}

/// Reads a file from front to back.
pub(crate) struct Sequential {
    pub(crate) file: Box<dyn DiskFile>,
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

/// All bytes of a file.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Vec<u8>> {
    let file = disk.open_existing(path)?;
    let len = usize::try_from(file.length()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; len];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Where the next version of a file is written.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Replaces a file as a whole: a new one, synced, renamed over, directory synced. Mode 0600.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = stage(disk, path, 0, bytes)?;
    commit(disk, path, &*file)
}

/// Writes a file's next version beside it; nothing of it is durable yet.
pub(crate) fn stage(disk: &dyn Disk, path: &Path, len: u64, bytes: &[u8]) -> io::Result<Box<dyn DiskFile>> {
    let temporary = temporary(path);
    let file = disk.create(&temporary)?;
    let written = if len > 0 { file.allocate(len) } else { Ok(()) }.and_then(|()| file.write_at(bytes, 0));
    if let Err(error) = written {
        // What it took up is needed elsewhere. If it stays, the next attempt takes its place.
        let _ = disk.remove(&temporary);
        return Err(error);
    }
    Ok(file)
}

/// Syncs what was staged and puts it in place; the handle is that of the file in place.
pub(crate) fn commit(disk: &dyn Disk, path: &Path, file: &dyn DiskFile) -> io::Result<()> {
    file.sync()?;
    disk.rename(&temporary(path), path)?;
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent))
}

/// Whether it says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Refuses when less than `reserve` bytes can be written: what is derived from a round needs room as well.
pub(crate) fn check_room(disk: &dyn Disk, dir: &Path, reserve: u64) -> Result<(), StoreError> {
    let available = disk.available(dir).map_err(at(dir))?;
    if available < reserve {
        return Err(StoreError::Full { path: dir.display().to_string(), needed: reserve });
    }
    Ok(())
}

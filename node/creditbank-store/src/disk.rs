//! The file operations on which durability rests, in one place: the real files, and in tests a disk that fails.

mod real;

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

pub use real::RealDisk;

use crate::{DirectoryLock, Place, StoreError, file};

/// Files by name, and what makes their names durable. Files have mode 0600, directories 0700: only the owner can access
/// a node's files.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Opens a file for reading and writing, or makes it.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file for reading; an error if it does not exist.
    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing regular file for reading and writing; an error if the name is a link, or one of several names
    /// of the file. For directories to which others may write, where a name may lead to a file that is not theirs.
    fn open_plain(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if self.exists(path)? { self.open(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
    /// Whether a name is a symbolic link; `false` if nothing has the name.
    fn is_link(&self, _path: &Path) -> io::Result<bool> {
        Ok(false)
    }
    /// Exchanges the names of two files in one step; `Unsupported` if the file system cannot do that.
    fn exchange(&self, _one: &Path, _other: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Makes an empty file, replacing an existing one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes an empty file; an error if it exists.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Information about a file or directory; an error of the kind `NotFound` if it does not exist.
    fn info(&self, path: &Path) -> io::Result<FileInfo>;
    /// Names of the files and directories in a directory, in no particular order.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes a directory and its missing parents; their names are durable afterwards.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Renames a file, replacing what had the name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; an error if it does not exist.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory with everything in it; nothing to do if it does not exist.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that can still be written into a directory.
    fn available(&self, dir: &Path) -> io::Result<u64>;
    /// What distinguishes a directory from a copy of it.
    fn place(&self, dir: &Path) -> io::Result<Place>;
    /// The path without links; its end need not exist yet.
    fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    /// Whether two directories are on one file system; `false` if that is unknown.
    fn shares_system(&self, _one: &Path, _other: &Path) -> io::Result<bool> {
        Ok(false)
    }
    /// Whether a directory is still the one in which a lock was taken.
    fn is_locked(&self, _dir: &Path, _lock: &DirectoryLock) -> io::Result<bool> {
        Ok(true)
    }
    /// Keeps other processes out of a directory.
    fn lock(&self, dir: &Path) -> Result<DirectoryLock, StoreError>;

    /// Whether a name exists. If the disk cannot tell, that is an error, because what counts as missing is made anew.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.info(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All bytes of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open_existing(path)?;
        let len = usize::try_from(file.length()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let mut bytes = vec![0; len];
        file.read_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Writes a file that must be new, synced. Its name is durable after [`Disk::sync_dir`].
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.create_new(path)?;
        file.write_at(bytes, 0)?;
        file.sync()
    }

    /// Replaces a file as a whole, durably: a new file, synced, renamed over, directory synced. After a crash there is
    /// the old one or the new one.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = file::stage(self, path, 0, bytes)?;
        file::commit(self, path, &*file)
    }
}

/// Information about a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileInfo {
    /// Bytes of a file; meaningless for a directory.
    pub len: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// The permission bits.
    pub mode: u32,
    /// The owner's number, if that is neither this process's user nor root, who may do everything anyway.
    pub stranger: Option<u32>,
}

/// An open file. Offsets and lengths are bytes.
pub trait DiskFile: Debug + Send + Sync {
    /// The file's length.
    fn length(&self) -> io::Result<u64>;
    /// Reads exactly as many bytes as `into` has room for.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all bytes; after an error some of them may be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Returns once contents and length would survive a power cut. After an error nobody knows what is on the disk, and
    /// a later success proves nothing about what was written before it.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file, or extends it with zeros that have no disk space of their own yet.
    fn set_length(&self, len: u64) -> io::Result<()>;
    /// Extends the file to at least this length, with zeros that have their disk space.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Whether the file still has its name: it was not removed, and no other file was put in its place.
    fn is_at(&self, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

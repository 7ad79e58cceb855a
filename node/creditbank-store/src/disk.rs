//! The file operations that durability rests on, in one place: the real files, and in tests a disk that fails.

mod real;

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

pub use real::RealDisk;

use crate::{DirectoryLock, Place, StoreError, file};

/// Files by name, and what makes their names durable. Files have mode 0600, directories 0700: a node's are its owner's alone.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Opens a file for reading and writing, made where it is missing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a file for reading; an error where it is missing.
    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens a regular file that is there for reading and writing; an error where the name is a link, or one of several names
    /// of the file. For directories that others may write to, where a name may lead to a file that is none of theirs.
    fn open_plain(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if self.exists(path)? { self.open(path) } else { Err(io::ErrorKind::NotFound.into()) }
    }
    /// Whether a name is a symbolic link; `false` where nothing has it.
    fn is_link(&self, _path: &Path) -> io::Result<bool> {
        Ok(false)
    }
    /// Lets two files change their names in one step; `Unsupported` where the file system has no such step.
    fn exchange(&self, _one: &Path, _other: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Makes an empty file, in place of one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Makes an empty file; an error where one is there.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// What stands under a name; an error of the kind `NotFound` where nothing does.
    fn info(&self, path: &Path) -> io::Result<FileInfo>;
    /// Names of the files and directories in a directory, in no order.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes a directory and those above it, where they are missing; their names are durable afterwards.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes durable which names a directory has.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Gives a file another name, in place of what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes the name of a file out; an error where there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Takes a directory out with everything in it; nothing to do where there is none.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that can still be written into a directory.
    fn available(&self, dir: &Path) -> io::Result<u64>;
    /// What tells a directory from a copy of it.
    fn place(&self, dir: &Path) -> io::Result<Place>;
    /// The path without links, of something that need not be there yet.
    fn resolved(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }
    /// Whether two directories lie on one file system; `false` where that is not known.
    fn shares_system(&self, _one: &Path, _other: &Path) -> io::Result<bool> {
        Ok(false)
    }
    /// Whether a directory is still the one in which a lock was taken.
    fn is_locked(&self, _dir: &Path, _lock: &DirectoryLock) -> io::Result<bool> {
        Ok(true)
    }
    /// Keeps other processes out of a directory.
    fn lock(&self, dir: &Path) -> Result<DirectoryLock, StoreError>;

    /// Whether something stands under a name. A disk that cannot say is an error: what is taken as missing is made anew.
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

    /// Replaces a file as a whole, durably: a new one, synced, renamed over, directory synced. After a crash there is the old
    /// one or the new one.
    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = file::stage(self, path, 0, bytes)?;
        file::commit(self, path, &*file)
    }
}

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileInfo {
    /// Bytes of a file; of a directory nothing that means anything.
    pub len: u64,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// The permission bits.
    pub mode: u32,
    /// Whose it is, by number, where that is neither this process's user nor root, who may do everything anyway.
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
    /// Returns once contents and length would survive a power cut. After an error nobody knows what is on the disk, and a
    /// later success proves nothing about what was written before it.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file, or makes it longer by zeros that have no room of their own yet.
    fn set_length(&self, len: u64) -> io::Result<()>;
    /// Makes the file at least so long, by zeros that have their room on the disk.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// Whether the file still stands under its name: not where it was removed, or another one was put in its place.
    fn is_at(&self, _path: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

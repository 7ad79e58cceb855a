//! Operations on names.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{Inode, Name, SimulatedDisk, failed};
use crate::{DirectoryLock, Disk, DiskFile, FileInfo, Place, StoreError};

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if self.machine().inode_of(path).is_ok() { self.open_existing(path) } else { self.create(path) }
    }

    fn open_existing(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine();
        if machine.step()? {
            return Err(failed("the machine went down"));
        }
        Ok(self.handle(machine.inode_of(path)?, machine.starts))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut machine = self.machine();
        let (done, said) = machine.name_step()?;
        let inode = if done { machine.make(path) } else { 0 };
        said.map(|()| self.handle(inode, machine.starts))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if self.machine().inode_of(path).is_ok() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "simulated: there is such a file"));
        }
        self.create(path)
    }

    fn info(&self, path: &Path) -> io::Result<FileInfo> {
        let mut machine = self.machine();
        machine.read_step()?;
        if machine.is_dir(path) {
            return Ok(FileInfo { len: 0, is_dir: true, mode: 0o700, stranger: None });
        }
        let inode = machine.inode_of(path)?;
        let len = machine.inodes.get(&inode).map_or(0, Inode::len);
        Ok(FileInfo { len, is_dir: false, mode: 0o600, stranger: None })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut machine = self.machine();
        machine.read_step()?;
        if !machine.is_dir(dir) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "simulated: no such directory"));
        }
        let below = machine.files_in(dir).chain(machine.dirs.iter().map(PathBuf::as_path));
        let first =
            |path: &Path| path.strip_prefix(dir).ok()?.components().next().map(|name| PathBuf::from(name.as_os_str()));
        let names: BTreeSet<PathBuf> = below.filter_map(first).collect();
        Ok(names.into_iter().collect())
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let (done, said) = machine.name_step()?;
        if done {
            machine.dirs.extend(dir.ancestors().filter(|dir| dir.parent().is_some()).map(Path::to_owned));
        }
        said
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut guard = self.machine();
        let (done, said) = guard.name_step()?;
        let machine = &mut *guard;
        for (_, name) in machine.names.iter_mut().filter(|(path, _)| path.parent() == Some(dir)) {
            if done || machine.random.chance(300) {
                *name = Name { now: name.now, durable: name.now, since: Vec::new() };
            }
        }
        said
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let inode = machine.inode_of(from)?;
        let (done, said) = machine.name_step()?;
        if done {
            machine.set_name(to, Some(inode));
            machine.set_name(from, None);
        }
        said
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        machine.inode_of(path)?;
        let (done, said) = machine.name_step()?;
        if done {
            machine.set_name(path, None);
        }
        said
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let mut machine = self.machine();
        let (done, said) = machine.name_step()?;
        let names: Vec<PathBuf> = machine.files_in(dir).map(Path::to_owned).collect();
        for path in names {
            if done || machine.random.chance(300) {
                machine.set_name(&path, None);
            }
        }
        if done {
            machine.dirs.retain(|made| !made.starts_with(dir));
        }
        said
    }

    fn available(&self, _: &Path) -> io::Result<u64> {
        Ok(self.machine().room())
    }

    fn place(&self, dir: &Path) -> io::Result<Place> {
        Ok(Place::of_path(&dir.to_string_lossy()))
    }

    fn lock(&self, _: &Path) -> Result<DirectoryLock, StoreError> {
        Ok(DirectoryLock::none())
    }
}

//! A disk in memory that fails as real ones do. What was written is in the page cache until it is synced, and may or
//! may not be on the disk after a power cut, page by page and sector by sector. Names are lost unless their directory
//! was synced. Writes, syncs and renames fail. After a failed sync the pages count as clean although the disk may not
//! have them.
//!
//! Everything follows from the seed, as long as only one thread at a time uses the disk.

mod disk;
mod file;
mod index;
mod inode;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use file::SimulatedFile;
pub use index::SimulatedIndex;
use inode::Inode;

use crate::{Disk, DiskFile};

/// How often operations fail, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub struct FaultRates {
    /// Writes that stop in the middle.
    pub write: u64,
    /// Writes and allocations that find no room.
    pub full: u64,
    /// Syncs of files, after which their pages may be lost.
    pub sync: u64,
    /// Creations, renames, removals and syncs of directories.
    pub name: u64,
    /// Reads.
    pub read: u64,
}

/// How a process ends unexpectedly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed: the page cache stays, but pages that count as clean may leave it.
    Kill,
    /// The power is cut: only what is on the disk stays.
    PowerCut,
}

/// Numbers that follow from a seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// True with a probability of `thousandths`.
    pub fn chance(&mut self, thousandths: u64) -> bool {
        self.below(1_000) < thousandths
    }
}

/// Where a name leads now, on the disk, and since the directory was synced.
#[derive(Debug, Default, Clone)]
struct Name {
    now: Option<u64>,
    durable: Option<u64>,
    since: Vec<Option<u64>>,
}

#[derive(Clone)]
struct Machine {
    random: Random,
    rates: FaultRates,
    capacity: u64,
    /// Operations until the machine crashes.
    crash_in: Option<u64>,
    down: bool,
    /// Counts the starts: files that were opened before the last start cannot do anything.
    starts: u64,
    names: BTreeMap<PathBuf, Name>,
    /// Directories. Making one is durable at once.
    dirs: BTreeSet<PathBuf>,
    inodes: BTreeMap<u64, Inode>,
    next_inode: u64,
    /// If a file's name contains this, its syncs do nothing but report success.
    lies_about: Option<String>,
    unreadable: Option<String>,
}

/// The disk. Its clones are the same disk.
#[derive(Clone)]
pub struct SimulatedDisk(Arc<Mutex<Machine>>);

fn failed(what: &str) -> io::Error {
    io::Error::other(format!("simulated: {what}"))
}

fn no_room() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "simulated: no room")
}

impl Machine {
    /// Counts an operation, lets the system write back a page, and says whether the machine crashes in this operation.
    fn step(&mut self) -> io::Result<bool> {
        if self.down {
            return Err(failed("the machine is down"));
        }
        if self.random.chance(200) && !self.inodes.is_empty() {
            let nth = self.random.below(self.inodes.len() as u64);
            let chosen = self.inodes.values_mut().nth(usize::try_from(nth).unwrap_or(0));
            chosen.into_iter().for_each(|inode| inode.write_back_one(&mut self.random));
        }
        match &mut self.crash_in {
            Some(0) => self.down = true,
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(self.down)
    }

    /// Whether a sync of a file does nothing but reports success.
    fn lies(&self, inode: u64) -> bool {
        self.is_named(inode, self.lies_about.as_deref())
    }

    /// Whether no read of a file succeeds.
    fn is_unreadable(&self, inode: u64) -> bool {
        self.is_named(inode, self.unreadable.as_deref())
    }

    /// Whether a file has `about` in a name.
    fn is_named(&self, inode: u64, about: Option<&str>) -> bool {
        let Some(about) = about else { return false };
        let mut names = self.names.iter().filter(|(_, name)| name.now == Some(inode));
        names.any(|(path, _)| path.to_string_lossy().contains(about))
    }

    /// An operation that changes nothing.
    fn read_step(&mut self) -> io::Result<()> {
        if self.step()? || self.random.chance(self.rates.read) {
            return Err(failed("a read failed"));
        }
        Ok(())
    }

    /// The files below a directory.
    fn files_in<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = &'a Path> {
        let below = self.names.iter().filter(move |(path, name)| path.starts_with(dir) && name.now.is_some());
        below.map(|(path, _)| path.as_path()).filter(move |path| *path != dir)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.dirs.contains(path) || self.files_in(path).next().is_some()
    }

    fn used(&self) -> u64 {
        let named: BTreeSet<u64> = self.names.values().filter_map(|name| name.now).collect();
        named.iter().filter_map(|inode| self.inodes.get(inode)).map(Inode::len).sum()
    }

    /// The bytes that can still be written.
    fn room(&self) -> u64 {
        self.capacity.saturating_sub(self.used())
    }

    fn set_name(&mut self, path: &Path, inode: Option<u64>) {
        let name = self.names.entry(path.to_owned()).or_default();
        name.now = inode;
        name.since.push(inode);
    }

    fn inode_of(&self, path: &Path) -> io::Result<u64> {
        let inode = self.names.get(path).and_then(|name| name.now);
        inode.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "simulated: no such file"))
    }

    fn make(&mut self, path: &Path) -> u64 {
        let inode = self.next_inode;
        self.next_inode += 1;
        self.inodes.insert(inode, Inode::default());
        self.set_name(path, Some(inode));
        inode
    }

    /// An operation on names: whether it takes place, and what it reports.
    fn name_step(&mut self) -> io::Result<(bool, io::Result<()>)> {
        if self.step()? {
            return Ok((self.random.chance(500), Err(failed("the machine went down"))));
        }
        if self.random.chance(self.rates.name) {
            return Ok((self.random.chance(300), Err(failed("an error of the directory"))));
        }
        Ok((true, Ok(())))
    }

    /// Drops files to which no name leads, now or after a power cut.
    fn collect(&mut self) {
        self.names.retain(|_, name| name.now.or(name.durable).is_some() || !name.since.is_empty());
        let names = self.names.values();
        let led_to = names.flat_map(|name| name.since.iter().copied().chain([name.now, name.durable]).flatten());
        let led_to: BTreeSet<u64> = led_to.collect();
        self.inodes.retain(|inode, _| led_to.contains(inode));
    }
}

impl SimulatedDisk {
    /// An empty disk of `capacity` bytes.
    pub fn new(seed: u64, capacity: u64) -> Self {
        Self(Arc::new(Mutex::new(Machine {
            random: Random::new(seed),
            rates: FaultRates::default(),
            capacity,
            crash_in: None,
            down: false,
            starts: 0,
            names: BTreeMap::new(),
            dirs: BTreeSet::new(),
            inodes: BTreeMap::new(),
            next_inode: 0,
            lies_about: None,
            unreadable: None,
        })))
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In the form that the store uses.
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// Another disk with the same contents, which continues with another seed. None of its files may be open.
    #[must_use]
    pub fn copy(&self, seed: u64) -> Self {
        let machine = self.machine().clone();
        Self(Arc::new(Mutex::new(Machine { random: Random::new(seed), ..machine })))
    }

    /// From now on the disk lies about files with `about` in their names, or about none: it reports that it has synced
    /// them, but has not.
    pub fn lie_about(&self, about: Option<&str>) {
        self.machine().lies_about = about.map(str::to_owned);
    }

    /// From now on the disk reads no files with `about` in their names, or all.
    pub fn read_none(&self, about: Option<&str>) {
        self.machine().unreadable = about.map(str::to_owned);
    }

    /// Sets how often operations fail from now on.
    pub fn set_rates(&self, rates: FaultRates) {
        self.machine().rates = rates;
    }

    /// Makes the machine crash in the operation after the next `operations`.
    pub fn crash_in(&self, operations: Option<u64>) {
        self.machine().crash_in = operations;
    }

    /// Sets the capacity to the used bytes plus this many.
    pub fn set_room(&self, bytes: u64) {
        let mut machine = self.machine();
        machine.capacity = machine.used() + bytes;
    }

    /// Whether the machine has crashed.
    pub fn is_down(&self) -> bool {
        self.machine().down
    }

    /// Ends everything that ran on the machine and starts it again, without faults.
    pub fn restart(&self, crash: Crash) {
        let mut guard = self.machine();
        let machine = &mut *guard;
        if crash == Crash::PowerCut {
            for name in machine.names.values_mut() {
                let choice = machine.random.below(name.since.len() as u64 + 1);
                let chosen = usize::try_from(choice).ok().and_then(|choice| name.since.get(choice));
                *name = Name { now: *chosen.unwrap_or(&name.durable), ..Name::default() };
                name.durable = name.now;
            }
        }
        machine.collect();
        for inode in machine.inodes.values_mut() {
            match crash {
                Crash::PowerCut => inode.cut_power(&mut machine.random),
                Crash::Kill => inode.evict(&mut machine.random, 300),
            }
        }
        machine.rates = FaultRates::default();
        machine.crash_in = None;
        machine.down = false;
        machine.starts += 1;
    }

    /// Names of all files.
    pub fn files(&self) -> Vec<PathBuf> {
        let machine = self.machine();
        machine.names.iter().filter(|(_, name)| name.now.is_some()).map(|(path, _)| path.clone()).collect()
    }

    /// Changes a file without anybody's knowledge, like a failing disk.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut machine = self.machine();
        let inode = machine.inode_of(path).ok();
        if let Some(inode) = inode.and_then(|inode| machine.inodes.get_mut(&inode)) {
            inode.damage(change);
        }
    }

    fn handle(&self, inode: u64, starts: u64) -> Box<dyn DiskFile> {
        Box::new(SimulatedFile { disk: self.clone(), inode, starts })
    }
}

impl Debug for SimulatedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimulatedDisk")
    }
}

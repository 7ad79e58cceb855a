//! Flat files: values of a fixed size at fixed positions. Derived from the journal, so written without a sync.
//!
//! `entries` holds where each log entry lies in the journal; `level-NN` the tree nodes of one level.

use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::sync::{Arc, PoisonError};

use creditbank_protocol::Digest;

use crate::{Disk, DiskFile, Node, StoreError, file};

const ROW_LEN: u64 = 32;

/// Where a log entry lies: the segment and offset of its section, the length of the entry and the number of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) entry_len: u32,
    pub(crate) bodies: u32,
}

impl Location {
    fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.segment.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.entry_len.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.bodies.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let half = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let word = |at: usize| u64::from(half(at)) << 32 | u64::from(half(at + 4));
        Self { segment: word(0), offset: word(8), entry_len: half(16), bodies: half(20) }
    }
}

/// All flat files of a log.
pub(crate) struct FlatFiles {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    entries: Flat,
    levels: RwLock<Vec<Arc<Flat>>>,
}

struct Flat {
    path: PathBuf,
    file: Box<dyn DiskFile>,
}

impl Flat {
    fn open(disk: &dyn Disk, path: PathBuf) -> Result<Self, StoreError> {
        let file = disk.open(&path).map_err(file::at(&path))?;
        Ok(Self { path, file })
    }

    fn rows(&self) -> Result<u64, StoreError> {
        Ok(self.file.length().map_err(file::at(&self.path))? / ROW_LEN)
    }

    fn write(&self, index: u64, rows: &[u8]) -> Result<(), StoreError> {
        self.file.write_at(rows, index * ROW_LEN).map_err(file::at(&self.path))
    }

    fn read(&self, index: u64) -> Result<[u8; 32], StoreError> {
        let mut row = [0; 32];
        self.file.read_at(&mut row, index * ROW_LEN).map_err(file::at(&self.path))?;
        Ok(row)
    }

    fn truncate(&self, rows: u64) -> Result<(), StoreError> {
        self.file.set_length(rows * ROW_LEN).map_err(file::at(&self.path))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.file.sync().map_err(file::at(&self.path))
    }
}

impl FlatFiles {
    /// Opens the files in `dir`, made where it is missing.
    pub(crate) fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Self, StoreError> {
        disk.make_dir(dir).map_err(file::at(dir))?;
        let entries = Flat::open(&**disk, dir.join("entries"))?;
        let flat = Self { disk: Arc::clone(disk), dir: dir.to_owned(), entries, levels: RwLock::default() };
        for level in 0..64 {
            let path = flat.level_path(level);
            if !disk.exists(&path).map_err(file::at(&path))? {
                break;
            }
            flat.level(level)?;
        }
        Ok(flat)
    }

    fn level_path(&self, level: u8) -> PathBuf {
        self.dir.join(format!("level-{level:02}"))
    }

    /// The file of a level, made where it is missing; levels are made in order.
    fn level(&self, level: u8) -> Result<Arc<Flat>, StoreError> {
        if let Some(file) = self.levels.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(level)) {
            return Ok(Arc::clone(file));
        }
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        while levels.len() <= usize::from(level) {
            let next = u8::try_from(levels.len()).map_err(|_| StoreError::Round("a tree has at most 64 levels"))?;
            levels.push(Arc::new(Flat::open(&*self.disk, self.level_path(next))?));
        }
        Ok(Arc::clone(&levels[usize::from(level)]))
    }

    /// Whether the files hold at least what a log of `size` entries has.
    pub(crate) fn holds(&self, size: u64) -> Result<bool, StoreError> {
        let mut holds = self.entries.rows()? >= size;
        for level in (0..64u8).take_while(|level| size >> level > 0) {
            holds = holds && self.level(level)?.rows()? >= size >> level;
        }
        Ok(holds)
    }

    /// Cuts everything after the first `size` entries.
    pub(crate) fn truncate(&self, size: u64) -> Result<(), StoreError> {
        self.entries.truncate(size)?;
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        (0u8..).zip(levels.iter()).try_for_each(|(level, file)| file.truncate(size >> level))
    }

    /// Writes the locations of entries from `first` on, and tree nodes: one write for each run of neighbours.
    pub(crate) fn write(&self, first: u64, locations: &[Location], nodes: &[Node]) -> Result<(), StoreError> {
        let rows: Vec<u8> = locations.iter().flat_map(|location| location.to_bytes()).collect();
        self.entries.write(first, &rows)?;
        let mut sorted: Vec<&Node> = nodes.iter().collect();
        sorted.sort_by_key(|node| (node.level, node.index));
        for run in sorted.chunk_by(|a, b| a.level == b.level && a.index + 1 == b.index) {
            let hashes: Vec<u8> = run.iter().flat_map(|node| node.hash.0).collect();
            self.level(run[0].level)?.write(run[0].index, &hashes)?;
        }
        Ok(())
    }

    pub(crate) fn location(&self, index: u64) -> Result<Location, StoreError> {
        Ok(Location::from_bytes(&self.entries.read(index)?))
    }

    pub(crate) fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        Ok(Digest(self.level(level)?.read(index)?))
    }

    /// A node, unless its level has no file; never makes one.
    pub(crate) fn known_node(&self, level: u8, index: u64) -> Result<Option<Digest>, StoreError> {
        let known = self.levels.read().unwrap_or_else(PoisonError::into_inner).len();
        if usize::from(level) < known { self.node(level, index).map(Some) } else { Ok(None) }
    }

    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.entries.sync()?;
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        levels.iter().try_for_each(|level| level.sync())?;
        self.disk.sync_dir(&self.dir).map_err(file::at(&self.dir))
    }
}

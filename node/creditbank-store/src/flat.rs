//! Flat files: values of a fixed size at fixed positions. Derived from the journal, so written without a sync.
//!
//! `entries` holds where each log entry lies in the journal; `level-NN` the tree nodes of one level. A row of `entries`
//! ends with a CRC-32C of the log index and the row. Nodes have none: a proof that is made from them is verified before
//! it leaves.
//!
//! ```text
//! entries  = row x entries of the log
//! row      = u64 segment, u64 offset, u32 entry length, u32 bodies, u32 zero, u32 crc
//! level-NN = hash[32] x complete subtrees of the level
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use creditbank_protocol::Digest;

use crate::{Disk, DiskFile, Node, StoreError, file};

const ROW_LEN: u64 = 32;

/// Where a log entry is: the segment and offset of its section, the length of the entry and the number of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) entry_len: u32,
    pub(crate) bodies: u32,
}

impl Location {
    fn to_bytes(self, index: u64) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.segment.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.entry_len.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.bodies.to_be_bytes());
        let crc = Self::checksum(index, &bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    fn checksum(index: u64, content: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&index.to_be_bytes()), content)
    }

    /// `None` where the checksum does not hold.
    fn from_bytes(index: u64, bytes: &[u8; 32]) -> Option<Self> {
        let (content, crc) = bytes.split_last_chunk::<4>()?;
        if Self::checksum(index, content).to_be_bytes() != *crc {
            return None;
        }
        let half = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let word = |at: usize| u64::from(half(at)) << 32 | u64::from(half(at + 4));
        Some(Self { segment: word(0), offset: word(8), entry_len: half(16), bodies: half(20) })
    }
}

/// Rows by file and position: level + 1, or 0 for the entries.
type HeldRows = BTreeMap<(u8, u64), [u8; 32]>;

/// All flat files of a log.
pub(crate) struct FlatFiles {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    entries: Flat,
    levels: RwLock<Vec<Arc<Flat>>>,
    /// Rows for which the disk has no room. `None` if rows are written at once.
    held: RwLock<Option<HeldRows>>,
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
    /// Opens the files in `dir`, which is made if it is missing.
    pub(crate) fn open(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Self, StoreError> {
        disk.make_dir(dir).map_err(file::at(dir))?;
        let entries = Flat::open(&**disk, dir.join("entries"))?;
        let (levels, held) = (RwLock::default(), RwLock::default());
        let flat = Self { disk: Arc::clone(disk), dir: dir.to_owned(), entries, levels, held };
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

    /// The file of a level, made if it is missing; levels are made in order.
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

    /// Opens the files in `dir` for reading only; `None` if there are none.
    pub(crate) fn open_to_read(disk: &Arc<dyn Disk>, dir: &Path) -> Result<Option<Self>, StoreError> {
        let open = |path: PathBuf| match disk.open_existing(&path) {
            Ok(file) => Ok(Some(Flat { path, file })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file::at(&path)(error)),
        };
        let Some(entries) = open(dir.join("entries"))? else { return Ok(None) };
        let mut levels = Vec::new();
        for level in 0..64u8 {
            match open(dir.join(format!("level-{level:02}")))? {
                Some(file) => levels.push(Arc::new(file)),
                None => break,
            }
        }
        let (disk, dir) = (Arc::clone(disk), dir.to_owned());
        Ok(Some(Self { disk, dir, entries, levels: RwLock::new(levels), held: RwLock::default() }))
    }

    /// From now on keeps rows in memory, because the disk has no room: see [`Self::release`].
    pub(crate) fn hold(&self) {
        self.held.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(BTreeMap::new);
    }

    /// Writes the rows that were held, because there is room again. `size` is the size of the log; rows beyond it are
    /// cut.
    pub(crate) fn release(&self, size: u64) -> Result<(), StoreError> {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let Some(rows) = &*held else { return Ok(()) };
        for ((of, index), row) in rows {
            match of.checked_sub(1) {
                None => self.entries.write(*index, row)?,
                Some(level) => self.level(level)?.write(*index, row)?,
            }
        }
        *held = None;
        drop(held);
        self.truncate(size)
    }

    fn held(&self, of: u8, index: u64) -> Option<[u8; 32]> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.get(&(of, index)).copied()
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
        let located = (first..).zip(locations).map(|(index, location)| (index, location.to_bytes(index)));
        if let Some(held) = &mut *self.held.write().unwrap_or_else(PoisonError::into_inner) {
            held.extend(located.map(|(index, row)| ((0, index), row)));
            held.extend(nodes.iter().map(|node| ((node.level + 1, node.index), node.hash.0)));
            return Ok(());
        }
        let rows: Vec<u8> = located.flat_map(|(_, row)| row).collect();
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
        let row = self.held(0, index).map_or_else(|| self.entries.read(index), Ok)?;
        Location::from_bytes(index, &row).ok_or_else(|| {
            let what = format!(
                "the checksum of the place of entry {index} does not hold: stop the node and run `creditbank-node reindex`"
            );
            StoreError::Damaged { path: self.entries.path.display().to_string(), offset: index * ROW_LEN, what }
        })
    }

    pub(crate) fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError> {
        if let Some(hash) = self.held(level + 1, index) {
            return Ok(Digest(hash));
        }
        Ok(Digest(self.level(level)?.read(index)?))
    }

    /// A node, unless its level has no file. It never makes one.
    pub(crate) fn known_node(&self, level: u8, index: u64) -> Result<Option<Digest>, StoreError> {
        if let Some(hash) = self.held(level + 1, index) {
            return Ok(Some(Digest(hash)));
        }
        let known = self.levels.read().unwrap_or_else(PoisonError::into_inner).len();
        if usize::from(level) < known { self.node(level, index).map(Some) } else { Ok(None) }
    }

    /// How the files differ from a round whose entries begin with `first`.
    pub(crate) fn faults(&self, first: u64, locations: &[Location], nodes: &[Node]) -> Vec<String> {
        let mut faults = Vec::new();
        for (index, expected) in (first..).zip(locations) {
            match self.location(index) {
                Ok(found) if found == *expected => {}
                Ok(_) => faults.push(format!("entries: the place of entry {index} is another than in the journal")),
                Err(error) => faults.push(format!("entries: the place of entry {index}: {error}")),
            }
        }
        for node in nodes {
            let name = format!("level-{:02}: node {}", node.level, node.index);
            match self.known_node(node.level, node.index) {
                Ok(Some(found)) if found == node.hash => {}
                Ok(Some(found)) => faults.push(format!("{name}: expected {}, found {found}", node.hash)),
                Ok(None) => faults.push(format!("{name}: the file is not there")),
                Err(error) => faults.push(format!("{name}: {error}")),
            }
        }
        faults
    }

    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.entries.sync()?;
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        levels.iter().try_for_each(|level| level.sync())?;
        self.disk.sync_dir(&self.dir).map_err(file::at(&self.dir))
    }
}

//! One file: what programs read, what the disk holds, and which pages are still to be written.

use std::collections::BTreeSet;
use std::io;

use super::Random;

const PAGE: usize = 4_096;
const SECTOR: usize = 512;

#[derive(Debug, Default, Clone)]
pub(super) struct Inode {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// Pages that are to be written.
    dirty: BTreeSet<usize>,
    length_dirty: bool,
    /// The shortest length since the last sync: the disk loses what is beyond it once the length is written.
    shortest: Option<usize>,
}

fn size(len: u64) -> usize {
    usize::try_from(len).expect("simulated files are small")
}

impl Inode {
    pub(super) fn len(&self) -> u64 {
        self.cached.len() as u64
    }

    pub(super) fn read(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let start = size(offset);
        let bytes = start.checked_add(into.len()).and_then(|end| self.cached.get(start..end));
        into.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: u64) {
        let (start, end) = (size(offset), size(offset) + bytes.len());
        if bytes.is_empty() {
            return;
        }
        if end > self.cached.len() {
            self.cached.resize(end, 0);
            self.length_dirty = true;
        }
        self.cached[start..end].copy_from_slice(bytes);
        self.dirty.extend(start / PAGE..=(end - 1) / PAGE);
    }

    pub(super) fn set_len(&mut self, len: u64) {
        let len = size(len);
        if len < self.cached.len() {
            self.shortest = Some(self.shortest.map_or(len, |shortest| shortest.min(len)));
            self.dirty.retain(|page| page * PAGE < len);
            if !len.is_multiple_of(PAGE) {
                self.dirty.insert(len / PAGE);
            }
        }
        self.length_dirty |= len != self.cached.len();
        self.cached.resize(len, 0);
    }

    /// Writes a page of the cache to the disk, as far as the disk's length goes.
    fn flush(&mut self, page: usize, mut sectors: impl FnMut() -> bool) {
        let end = self.cached.len().min(self.durable.len());
        for start in (page * PAGE..(page + 1) * PAGE).step_by(SECTOR) {
            let stop = (start + SECTOR).min(end);
            if sectors() && start < stop {
                self.durable[start..stop].copy_from_slice(&self.cached[start..stop]);
            }
        }
    }

    /// Writes the length to the disk.
    fn flush_length(&mut self, len: usize) {
        if let Some(shortest) = self.shortest.take() {
            self.durable.truncate(shortest);
        }
        self.durable.resize(len, 0);
    }

    pub(super) fn sync(&mut self) {
        if self.length_dirty {
            self.flush_length(self.cached.len());
        }
        for page in std::mem::take(&mut self.dirty) {
            self.flush(page, || true);
        }
        self.length_dirty = false;
    }

    /// The system writes one page whenever it likes.
    pub(super) fn write_back_one(&mut self, random: &mut Random) {
        let nth = size(random.below(self.dirty.len() as u64 + 1));
        if let Some(page) = self.dirty.iter().nth(nth).copied() {
            // Pages beyond the length that the disk knows wait for it.
            if (page + 1) * PAGE <= self.durable.len() && self.shortest.is_none() {
                self.dirty.remove(&page);
                self.flush(page, || true);
            }
        }
    }

    /// A sync that was interrupted: a part of it took place.
    pub(super) fn write_back_some(&mut self, random: &mut Random) {
        if self.length_dirty && random.chance(500) {
            let least = self.shortest.unwrap_or(self.durable.len()).min(self.cached.len());
            let more = random.below((self.cached.len() - least) as u64 + 1);
            let len = if random.chance(500) { self.cached.len() } else { least + size(more) };
            self.flush_length(len);
        }
        for page in self.dirty.clone() {
            match random.below(3) {
                0 => {}
                1 => self.flush(page, || true),
                _ => self.flush(page, || random.chance(500)),
            }
        }
    }

    /// A sync that failed: a part of it took place, and the rest will not be tried again.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        self.write_back_some(random);
        self.dirty.clear();
        self.length_dirty = self.cached.len() != self.durable.len();
    }

    /// Clean pages leave the cache; readers then get what the disk holds.
    pub(super) fn evict(&mut self, random: &mut Random, thousandths: u64) {
        for page in 0..self.cached.len().div_ceil(PAGE) {
            let (start, end) = (page * PAGE, ((page + 1) * PAGE).min(self.cached.len()));
            if !self.dirty.contains(&page) && self.shortest.is_none() && random.chance(thousandths) {
                let held = self.durable.len().clamp(start, end);
                if start < held {
                    self.cached[start..held].copy_from_slice(&self.durable[start..held]);
                }
                self.cached[held..end].fill(0);
            }
        }
    }

    /// Only what is on the disk stays. Any part of what was being written may be there.
    pub(super) fn cut_power(&mut self, random: &mut Random) {
        self.write_back_some(random);
        *self = Self { cached: self.durable.clone(), durable: std::mem::take(&mut self.durable), ..Self::default() };
    }

    pub(super) fn damage(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        self.sync();
        change(&mut self.cached);
        self.durable.clone_from(&self.cached);
    }
}

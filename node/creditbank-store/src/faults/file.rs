//! An open file.

use std::fmt::{self, Debug};
use std::io;

use super::{FaultRates, Inode, Machine, Random, SimulatedDisk, failed, no_room};
use crate::DiskFile;

pub(super) struct SimulatedFile {
    pub(super) disk: SimulatedDisk,
    pub(super) inode: u64,
    /// A file that was opened by an earlier process cannot do anything.
    pub(super) starts: u64,
}

impl Debug for SimulatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimulatedFile({})", self.inode)
    }
}

impl SimulatedFile {
    /// Runs an operation on the file; `true` means that the machine crashes in the middle of it.
    fn with<T>(&self, what: impl FnOnce(&mut Inode, &mut Random, &FaultRates, bool) -> io::Result<T>) -> io::Result<T> {
        // Few operations need to know the room, and counting it means looking at every file.
        self.with_room(|_| 0, |inode, random, rates, _, down| what(inode, random, rates, down))
    }

    /// The same, for an operation that may need room.
    fn with_room<T>(
        &self,
        room: impl FnOnce(&Machine) -> u64,
        what: impl FnOnce(&mut Inode, &mut Random, &FaultRates, u64, bool) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut guard = self.disk.machine();
        if guard.starts != self.starts {
            return Err(failed("the file was opened by a process that is gone"));
        }
        let down = guard.step()?;
        let room = room(&guard);
        let machine = &mut *guard;
        let inode = machine.inodes.get_mut(&self.inode).ok_or_else(|| failed("the file is gone"))?;
        what(inode, &mut machine.random, &machine.rates, room, down)
    }
}

impl DiskFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        self.with(|inode, _, _, down| if down { Err(failed("down")) } else { Ok(inode.len()) })
    }

    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let unreadable = self.disk.machine().is_unreadable(self.inode);
        self.with(|inode, random, rates, down| {
            if down || unreadable || random.chance(rates.read) {
                return Err(failed("a read failed"));
            }
            if random.chance(20) {
                inode.evict(random, 100);
            }
            inode.read(into, offset)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.with_room(Machine::room, |inode, random, rates, room, down| {
            let growth = (offset + bytes.len() as u64).saturating_sub(inode.len());
            let part = usize::try_from(random.below(bytes.len() as u64 + 1)).unwrap_or(0);
            if growth > room || random.chance(rates.full) {
                let fits = part.min(usize::try_from(room).unwrap_or(usize::MAX));
                inode.write(&bytes[..fits], offset);
                return Err(no_room());
            }
            if down || random.chance(rates.write) {
                inode.write(&bytes[..part], offset);
                return Err(failed("a write failed"));
            }
            inode.write(bytes, offset);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let lies = self.disk.machine().lies(self.inode);
        self.with(|inode, random, rates, down| {
            if down {
                inode.write_back_some(random);
                return Err(failed("down during a sync"));
            }
            if random.chance(rates.sync) {
                inode.fail_sync(random);
                return Err(failed("a sync failed"));
            }
            if lies {
                inode.fail_sync(random);
            } else {
                inode.sync();
            }
            Ok(())
        })
    }

    fn set_length(&self, len: u64) -> io::Result<()> {
        self.with(|inode, random, rates, down| {
            if down || random.chance(rates.write) {
                return Err(failed("a change of length failed"));
            }
            inode.set_len(len);
            Ok(())
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.with_room(Machine::room, |inode, random, rates, room, down| {
            if down || random.chance(rates.write) {
                return Err(failed("an allocation failed"));
            }
            if len.saturating_sub(inode.len()) > room || random.chance(rates.full) {
                return Err(no_room());
            }
            inode.set_len(len.max(inode.len()));
            Ok(())
        })
    }
}

//! Durable state of one log: the journal is the truth, everything else is derived from it.
//!
//! | part          | what                                                     | durable                            |
//! |---------------|----------------------------------------------------------|------------------------------------|
//! | journal       | every round, one frame each, in append-only segments     | fdatasync before a round is known  |
//! | guard         | size, root and sequence of the last round                | fdatasync before anything is signed|
//! | key store     | learners' keys, wrapped                                  | fdatasync before they are used     |
//! | flat files    | tree nodes and the place of each entry in the journal    | derived: rebuilt from the journal  |
//! | index         | rows by key, in an engine behind [`Index`]               | derived: rebuilt from the journal  |
//!
//! # Invariants
//! - A round is in the journal, whole and synced, before [`Store::append`] returns; after a crash it is all there.
//! - Rows are absolute values, so applying a round again changes nothing.
//! - Damage is refused with file and offset; only a torn last round that was never acknowledged is cut.
#![forbid(unsafe_code)]

#[cfg(feature = "contract")]
pub mod contract;
mod disk;
mod embedded;
mod engine;
mod error;
#[cfg(feature = "faults")]
mod faults;
mod file;
mod flat;
mod guard;
mod index;
pub mod inspect;
mod journal;
mod keys;
mod lock;
mod memory;
mod place;
mod round;
mod row_sum;
mod rows;
mod scrub;

pub use disk::{Disk, DiskFile, FileInfo, RealDisk};
pub use embedded::{EmbeddedStore, Options};
pub use engine::{Engine, OpenIndex, catching_panics, flat_key};
pub use error::StoreError;
#[cfg(feature = "faults")]
pub use faults::{Crash, FaultRates, Random, SimulatedDisk, SimulatedIndex};
pub use guard::Guard;
pub use index::{Index, IndexError, MemoryIndex};
pub use journal::{Before, Journal, JournalError, Position};
pub use keys::{KeyStore, KeyStoreError, Known, LearnerKey, ProvedKeys, ReadKeys};
pub use lock::DirectoryLock;
pub use memory::MemoryStore;
pub use place::{Place, PlaceError, Placement};
pub use round::{EntryWrite, Head, Node, Round, RoundError, Row, Table};
pub use row_sum::{checked as checked_row, with_sum as summed_row};
pub use rows::Rows;
pub use scrub::{ScrubPosition, Scrubbed};

use creditbank_protocol::{Digest, LogIndex};

/// Bytes that a disk must have left before new work is accepted: room for what is derived from it.
pub const RESERVE_BYTES: u64 = 128 << 20;

/// A key and a value of the index.
pub type KeyValue = (Vec<u8>, Vec<u8>);

/// Durable state of one log: one writer, many readers. Calls block; the `contract` module tests each line.
///
/// - `append` is atomic, and returns once the round would survive a crash.
/// - A round whose base is not the current head changes nothing and yields [`StoreError::Conflict`]: two writers cannot
///   fork the log.
/// - What `append` has returned for is seen by every later read.
pub trait Store: Send + Sync + 'static {
    /// Size and root of the log.
    fn head(&self) -> Head;
    /// Makes a round durable.
    fn append(&self, round: &Round) -> Result<(), StoreError>;
    /// A log entry's bytes.
    fn entry(&self, index: LogIndex) -> Result<Vec<u8>, StoreError>;
    /// One of the bodies that were stored with an entry, by its position among them.
    fn body(&self, index: LogIndex, position: u32) -> Result<Vec<u8>, StoreError>;
    /// The length of such a body in bytes.
    fn body_len(&self, index: LogIndex, position: u32) -> Result<u64, StoreError>;
    /// `len` bytes of such a body from `from` on; [`StoreError::Missing`] where it ends before they do.
    fn body_part(&self, index: LogIndex, position: u32, from: u64, len: usize) -> Result<Vec<u8>, StoreError>;
    /// The root of a complete subtree: level 0 is the leaf hashes.
    fn node(&self, level: u8, index: u64) -> Result<Digest, StoreError>;
    /// A row's value.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Rows whose keys begin with `prefix`, ascending, after the key `after`, at most `limit`.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<KeyValue>, StoreError>;
    /// All rows whose keys begin with `prefix`, ascending, read page by page. It may include rows that are added in the
    /// meantime.
    fn rows(&self, table: Table, prefix: &[u8]) -> Rows<'_, StoreError> {
        let prefix = prefix.to_vec();
        Rows::new(move |after, limit| self.scan(table, &prefix, after, limit))
    }
    /// Why the store does no more work, if it has found itself damaged: the process should stop.
    fn failure(&self) -> Option<String> {
        None
    }
    /// Why nothing is appended for now: the disk had no room when the store was opened. Appends are refused with
    /// [`StoreError::Full`] until there is room again.
    fn read_only(&self) -> Option<String> {
        None
    }
    /// Checks whether an append would be accepted: the disk has room, and the files are in their places. Otherwise it
    /// returns the error that an append would get. Does the work that has waited for room.
    fn look(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Reports that rows of the index are missing or wrong. The store stops, and the next start rebuilds the index.
    fn distrust_index(&self, why: &str) -> StoreError {
        StoreError::Index(IndexError(why.to_owned()))
    }
    /// Reads a part of what is stored from a position on, about `len_max` bytes but at least one round, and checks it
    /// against itself. A store that is not on a disk has nothing to read.
    fn scrub(&self, from: ScrubPosition, len_max: u64) -> Result<Scrubbed, StoreError> {
        let _ = (from, len_max);
        Ok(Scrubbed::default())
    }
    /// Bytes that [`Self::scrub`] has to read.
    fn scrub_len(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
    /// Does one piece of the work that follows an append, for a store that has no thread for it: see
    /// [`Options::stepped`]. Returns `false` if nothing was left to do.
    fn step(&self) -> Result<bool, StoreError> {
        Ok(false)
    }
    /// Finishes what is under way and marks the stop as clean. Nothing may be appended afterwards.
    fn close(&self) -> Result<(), StoreError>;
}

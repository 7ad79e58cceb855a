//! How a store on a disk behaves.

use std::sync::Arc;

use crate::{Disk, Placement, RealDisk};

/// How an embedded store behaves.
#[derive(Debug, Clone)]
pub struct Options {
    /// The genesis value of the log.
    pub log: [u8; 32],
    /// Length of a segment, whose disk space is reserved when it is made. Only a single round that needs it makes a
    /// segment longer.
    pub segment_len_max: u64,
    /// Most rows that may wait for the index. An append waits if there are more. 0: each append waits for the index.
    pub queue_rows_max: usize,
    /// The index is synced and its position recorded after this many bytes of rounds.
    pub sync_bytes: u64,
    /// A round is refused if the disk has less than this left.
    pub reserve_bytes: u64,
    /// Where the files are.
    pub disk: Arc<dyn Disk>,
    /// Rounds are applied to the index by [`crate::Store::step`] instead of a thread.
    pub stepped: bool,
    /// In which directory the log may be.
    pub placement: Placement,
}

impl Options {
    /// The defaults for the log with this genesis value.
    pub fn new(log: [u8; 32]) -> Self {
        Self {
            log,
            segment_len_max: 64 << 20,
            queue_rows_max: 500_000,
            sync_bytes: 64 << 20,
            reserve_bytes: crate::RESERVE_BYTES,
            disk: RealDisk::shared(),
            stepped: false,
            placement: Placement::Same,
        }
    }
}

//! What the operator sets and says: how much the append path takes, and what holds for one start.

use crate::directory::Quotas;

/// Bounds of the append path.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Blocks that may wait for the sequencer.
    pub queue_blocks_max: usize,
    /// KiB of blocks and records that may be under way at once.
    pub queue_kib_max: usize,
    /// Blocks of one round.
    pub round_blocks_max: usize,
    /// Bytes of one round.
    pub round_bytes_max: usize,
    /// An empty round is sealed when nothing was for so long.
    pub seal_interval_ms: u64,
    /// What the operator has said at the start.
    pub said: Said,
    /// What one institution may ask for.
    pub quotas: Quotas,
}

/// What the operator says at a start, and what holds for this start alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// Opens also where the clock is behind the log, which was sealed under a wrong one. Until it has caught up,
    /// nothing is sealed but a correction of the time.
    pub correct_time: bool,
    /// The wall clock is right: the first seal may be as long after the last one as it says.
    pub confirmed_time: bool,
    /// The directory was copied or moved, and this is the node that goes on.
    pub takes_over: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_blocks_max: 1_024,
            queue_kib_max: 256 << 10,
            round_blocks_max: 512,
            round_bytes_max: 8 << 20,
            seal_interval_ms: 3_600_000,
            said: Said::default(),
            quotas: Quotas::default(),
        }
    }
}

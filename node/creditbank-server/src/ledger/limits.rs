//! What the operator sets and says: the limits of the append path, and what holds for one start.

use crate::directory::Quotas;

/// Limits of the append path.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most blocks that may wait for the sequencer.
    pub queue_blocks_max: usize,
    /// Most KiB of blocks and records that may be under way at once.
    pub queue_kib_max: usize,
    /// Most blocks of one round.
    pub round_blocks_max: usize,
    /// Most bytes of one round.
    pub round_bytes_max: usize,
    /// An empty round is sealed when nothing was sealed for this long.
    pub seal_interval_ms: u64,
    /// What the operator has said at the start.
    pub said: Said,
    /// The quotas of one institution.
    pub quotas: Quotas,
}

/// What the operator says at a start. It holds for this start only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// Open even if the clock is behind the log, because the log was sealed under a wrong clock. Until the clock has
    /// caught up, only a correction of the time is sealed.
    pub correct_time: bool,
    /// The wall clock is right: the first seal may be as long after the last one as the clock says.
    pub confirmed_time: bool,
    /// The directory was copied or moved, and this node continues the log.
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

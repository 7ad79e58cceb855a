//! The work that calls cause: how it is shared among callers, who waits, and what stops it.
//!
//! Each call that reads is a piece of work in one of two pools. `expensive` has a thread for each core and does calls
//! that go through many records or search. `cheap` has more threads and does calls that read a few rows. In both,
//! callers take turns, so a caller with a thousand calls waits behind itself. A queue is bounded, in total and for each
//! caller; a call above a limit is told when to come back. A piece of work ends when its caller has gone (a passed
//! deadline looks the same) or when the node stops. Its [`Token`] says so; the work asks it with each read of the
//! store.

mod measures;
mod pool;
mod quota;
mod suspicion;
mod token;
pub(crate) mod turns;

use std::num::NonZeroUsize;

use creditbank_protocol::InstitutionId;

pub(crate) use pool::{Pool, Refused};
pub use quota::OverQuota;
pub(crate) use quota::{Asked, Quotas};
pub use suspicion::HeldUp;
pub(crate) use suspicion::{Charge, Suspicion};
pub(crate) use token::Token;
use turns::Bounds;

use crate::directory;
use crate::metrics::Metrics;
use crate::serve::Peer;
use token::Stopping;

/// When to come back after a queue was full.
pub(crate) const BUSY_RETRY_MS: u64 = 250;

/// Who asks. Limits count everything of one of these together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// The operator of the node.
    Operator,
    /// An institution, by its token.
    Institution(InstitutionId),
    /// A caller without a token, by address.
    Address(Peer),
}

impl turns::Caller for Who {
    /// Addresses are easy to get. So all of them together get at most every second turn, and not the whole queue.
    fn is_known(&self) -> bool {
        !matches!(self, Self::Address(_))
    }
}

/// The pools and quotas of a node, and its record of bad signatures.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) expensive: Pool,
    pub(crate) cheap: Pool,
    pub(crate) quotas: Quotas,
    pub(crate) suspicion: Suspicion,
    stopping: Stopping,
}

impl Work {
    /// Pools without threads: each thread is started when there is work for it.
    pub(crate) fn new(metrics: &Metrics, quotas: directory::Quotas) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // One caller leaves a thread to others, so there are at least two.
        let threads = cores.max(2);
        let expensive = Bounds { all: 1_024, of_caller: 256, at_once: threads - 1 };
        let cheap = Bounds { all: 8_192, of_caller: 2_048, at_once: 4 * threads - 1 };
        let families = measures::Families::new(metrics);
        Self {
            expensive: Pool::new("expensive", threads, expensive, &families),
            cheap: Pool::new("cheap", 4 * threads, cheap, &families),
            quotas: Quotas::new(quotas, metrics),
            suspicion: Suspicion::new(metrics),
            stopping: Stopping::default(),
        }
    }

    /// A token that tells one piece of work to stop.
    pub(crate) fn token(&self) -> Token {
        Token::new(&self.stopping)
    }

    /// Whether the node is stopping.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_set()
    }

    /// Tells all work to stop, drops what waits, and accepts nothing new.
    pub(crate) fn stop(&self) {
        self.stopping.set();
        self.expensive.close();
        self.cheap.close();
    }
}

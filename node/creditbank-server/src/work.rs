//! Work that callers ask for: who gets how much of the processor, who waits, and what says stop.
//!
//! Each call that reads is a piece of work in one of two pools. In `expensive`, of a thread for each core, are those that
//! go through many records or search; in `cheap`, wider, those that read a few rows. In both, callers take turns, so that
//! one with a thousand calls waits behind itself; a queue has a bound, in all and for each caller, and who is over it is
//! told to come back. A piece of work ends when its caller has gone, which is how a deadline shows too, or when the node
//! stops: it has a [`Token`] that says so, and asks it with each read of the store.

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

/// When to come back after a bound of a queue.
pub(crate) const BUSY_RETRY_MS: u64 = 250;

/// Who asks: what is counted together when callers are held to a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// The operator of the node.
    Operator,
    /// An institution, by its token.
    Institution(InstitutionId),
    /// Whoever has no token, by address.
    Address(Peer),
}

impl turns::Caller for Who {
    /// Addresses are easily had: however many there are, they get every second turn, and not the whole queue.
    fn is_known(&self) -> bool {
        !matches!(self, Self::Address(_))
    }
}

/// The pools and the quotas of a node, and who has sent bad signatures.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) expensive: Pool,
    pub(crate) cheap: Pool,
    pub(crate) quotas: Quotas,
    pub(crate) suspicion: Suspicion,
    stopping: Stopping,
}

impl Work {
    /// Pools without threads: each is started when there is work for it.
    pub(crate) fn new(metrics: &Metrics, quotas: directory::Quotas) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // One caller leaves a thread to others, so there are two at least.
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

    /// What tells one piece of work to stop.
    pub(crate) fn token(&self) -> Token {
        Token::new(&self.stopping)
    }

    /// Whether the node stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.is_set()
    }

    /// Tells all work to stop, drops what waits, and takes nothing new.
    pub(crate) fn stop(&self) {
        self.stopping.set();
        self.expensive.close();
        self.cheap.close();
    }
}

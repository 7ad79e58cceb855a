//! Tells a piece of work to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the node is stopping. Clones share the state.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a piece of work stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nobody waits for its answer: the caller has disconnected, or its deadline has passed.
    Gone,
    /// The node is stopping.
    Stopping,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "nobody waits for the answer any more",
            Self::Stopping => "the node is stopping",
        })
    }
}

/// Tells one piece of work whether to continue. Clones share the state. The work asks it before each read of the store
/// and between steps of a search, so asking costs no more than two loads.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    gone: Arc<AtomicBool>,
    stopping: Stopping,
}

impl Token {
    pub(super) fn new(stopping: &Stopping) -> Self {
        Self { gone: Arc::default(), stopping: stopping.clone() }
    }

    /// The caller has gone.
    pub(super) fn leave(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    /// Why to stop; `None` to continue.
    pub(crate) fn stop(&self) -> Option<Stop> {
        if self.stopping.is_set() {
            return Some(Stop::Stopping);
        }
        self.gone.load(Ordering::Relaxed).then_some(Stop::Gone)
    }
}

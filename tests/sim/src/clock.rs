//! Time and randomness of the simulated machines.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use creditbank_server::clock::{Clock, Entropy};

use crate::chance::Chance;

/// 2026-11-23, in milliseconds since 1970: when every run begins.
pub(crate) const START_MS: u64 = 20_780 * 86_400_000;

/// The node's clocks. The wall clock may be wrong; running time never is.
#[derive(Debug, Clone)]
pub(crate) struct SimClock(Arc<State>);

#[derive(Debug)]
#[allow(clippy::struct_field_names)] // The unit belongs to the name.
struct State {
    /// What time it is.
    true_ms: AtomicU64,
    /// How far the wall clock is off.
    off_ms: AtomicI64,
    /// When the machine was started.
    boot_ms: AtomicU64,
}

impl SimClock {
    pub(crate) fn new(true_ms: u64) -> Self {
        let (true_ms, boot_ms) = (AtomicU64::new(true_ms), AtomicU64::new(true_ms));
        Self(Arc::new(State { true_ms, off_ms: AtomicI64::new(0), boot_ms }))
    }

    /// What time it is.
    pub(crate) fn true_ms(&self) -> u64 {
        self.0.true_ms.load(Ordering::Relaxed)
    }

    /// Lets time pass.
    pub(crate) fn advance_to(&self, true_ms: u64) {
        self.0.true_ms.store(true_ms, Ordering::Relaxed);
    }

    /// Sets the wall clock wrong by so much.
    pub(crate) fn set_off(&self, off_ms: i64) {
        self.0.off_ms.store(off_ms, Ordering::Relaxed);
    }

    /// Running time begins anew.
    pub(crate) fn boot(&self) {
        self.0.boot_ms.store(self.true_ms(), Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> u64 {
        self.true_ms().saturating_add_signed(self.0.off_ms.load(Ordering::Relaxed))
    }

    fn monotonic_ms(&self) -> u64 {
        self.true_ms() - self.0.boot_ms.load(Ordering::Relaxed)
    }
}

/// The node's randomness.
#[derive(Debug)]
pub(crate) struct SimEntropy(Mutex<Chance>);

impl SimEntropy {
    pub(crate) fn new(chance: Chance) -> Self {
        Self(Mutex::new(chance))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}

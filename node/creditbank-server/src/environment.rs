//! What a node uses but does not make itself. It is passed in, so that a whole node can run in a simulation.

use std::sync::Arc;

use creditbank_store::{Disk, Engine, Options, RealDisk};
use creditbank_store_fjall::FjallIndex;
use creditbank_store_sled::SledIndex;

use crate::clock::{Clock, Entropy, OsEntropy, SystemClock};

/// The engines with which the node is built, the default first. To add an engine, add it here.
pub const ENGINES: &[Engine] = &[SledIndex::ENGINE, FjallIndex::ENGINE];

/// Files, time, randomness, and the engines for an index.
#[derive(Clone)]
pub struct Environment {
    /// Where the node's directory is.
    pub disk: Arc<dyn Disk>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The engines that a configuration may name, the default first.
    pub engines: &'static [Engine],
    /// Changes how a store is opened. A simulation makes its files small, so that much happens in a short run.
    pub tune: Arc<dyn Fn(&mut Options) + Send + Sync>,
}

impl Environment {
    /// This machine, with the engines with which the node is built.
    pub fn system() -> Self {
        Self {
            disk: RealDisk::shared(),
            clock: Arc::new(SystemClock::default()),
            entropy: Arc::new(OsEntropy),
            engines: ENGINES,
            tune: Arc::new(|_| ()),
        }
    }
}

//! The node's metrics, for its operator, in the text format of `OpenMetrics` 1.0.
//!
//! Each part of the node registers its own metrics. No label names a person, a record or an address; institutions are
//! labelled by their number, which is public.

use std::sync::{PoisonError, RwLock};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

/// All metrics of a node.
#[derive(Debug)]
pub struct Metrics {
    registry: RwLock<Registry>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { registry: RwLock::new(Registry::with_prefix("creditbank")) }
    }
}

impl Metrics {
    /// Adds metrics. Names end with their unit and do not have the program's prefix, which is added to all.
    pub(crate) fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// All metrics as text (`application/openmetrics-text; version=1.0.0`).
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        encode(&mut text, &registry).expect("a string takes all that is written");
        text
    }
}

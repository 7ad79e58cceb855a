//! The metrics of the node's log.

use prometheus_client::metrics::gauge::Gauge;

use crate::append::state::State;
use crate::metrics::Metrics;

/// The size of the log, and the time of its last seal.
#[derive(Debug, Default)]
pub(crate) struct LogMeasures {
    entries: Gauge,
    sealed_seconds: Gauge,
}

impl LogMeasures {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let measures = Self::default();
        metrics.register(|registry| {
            registry.register("log_entries", "Entries of the log that are durable", measures.entries.clone());
            let help = "The time of the last seal, seconds since 1970; 0 before the first. A node that serves seals every hour";
            registry.register("last_seal_timestamp_seconds", help, measures.sealed_seconds.clone());
        });
        measures
    }

    /// Shows the log after a round.
    pub(crate) fn show(&self, state: &State) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.entries.set(number(state.head.size));
        self.sealed_seconds.set(number(state.log.last_seal().map_or(0, |seal| seal.time_ms / 1_000)));
    }
}

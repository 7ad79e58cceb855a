//! What a pool measures of itself.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::metrics::Metrics;

/// Upper bounds of times, in seconds.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

type Label = [(&'static str, &'static str); 1];

#[derive(Debug)]
pub(super) struct Measures {
    queued: Gauge,
    busy: Gauge,
    refused: Family<Label, Counter>,
    waited: Histogram,
    worked: Histogram,
}

impl Measures {
    pub(super) fn new(pool: &'static str, metrics: &Metrics) -> Self {
        let measures = Self {
            queued: Gauge::default(),
            busy: Gauge::default(),
            refused: Family::default(),
            waited: Histogram::new(BUCKETS),
            worked: Histogram::new(BUCKETS),
        };
        metrics.register(|registry| {
            let own = registry.sub_registry_with_label(("pool".into(), pool.into()));
            own.register("queued_work", "Calls that wait for a thread", measures.queued.clone());
            own.register("busy_threads", "Threads that work for a call", measures.busy.clone());
            own.register("refused_work", "Calls refused because too many wait", measures.refused.clone());
            own.register("work_wait_seconds", "Time that calls waited for a thread", measures.waited.clone());
            own.register("work_seconds", "Time that threads worked for calls", measures.worked.clone());
        });
        measures
    }

    pub(super) fn queued(&self, length: usize) {
        self.queued.set(i64::try_from(length).unwrap_or(i64::MAX));
    }

    pub(super) fn refused(&self, bound: &'static str) {
        self.refused.get_or_create(&[("bound", bound)]).inc();
    }

    pub(super) fn begins(&self, waited: Duration) {
        self.busy.inc();
        self.waited.observe(waited.as_secs_f64());
    }

    pub(super) fn ends(&self, worked: Duration) {
        self.busy.dec();
        self.worked.observe(worked.as_secs_f64());
    }
}

//! The metrics of a pool.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::metrics::Metrics;

/// Upper bounds of times, in seconds.
const BUCKETS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 60.0];

type Label = [(&'static str, &'static str); 1];

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// The metrics of all pools. Each is one family with the pool as a label.
#[derive(Debug)]
pub(super) struct Families {
    queued: Family<Label, Gauge>,
    busy: Family<Label, Gauge>,
    refused: Family<[(&'static str, &'static str); 2], Counter>,
    waited: Family<Label, Histogram, fn() -> Histogram>,
    worked: Family<Label, Histogram, fn() -> Histogram>,
}

impl Families {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let families = Self {
            queued: Family::default(),
            busy: Family::default(),
            refused: Family::default(),
            waited: Family::new_with_constructor(histogram),
            worked: Family::new_with_constructor(histogram),
        };
        metrics.register(|registry| {
            registry.register("queued_work", "Calls that wait for a thread", families.queued.clone());
            registry.register("busy_threads", "Threads that work for a call", families.busy.clone());
            registry.register("refused_work", "Calls refused because too many wait", families.refused.clone());
            registry.register("work_wait_seconds", "Time that calls waited for a thread", families.waited.clone());
            registry.register("work_seconds", "Time that threads worked for calls", families.worked.clone());
        });
        families
    }

    /// The metrics of one pool, which exist from now on.
    pub(super) fn of(&self, pool: &'static str) -> Measures {
        let label = [("pool", pool)];
        let refused = |bound| self.refused.get_or_create_owned(&[("pool", pool), ("bound", bound)]);
        Measures {
            queued: self.queued.get_or_create_owned(&label),
            busy: self.busy.get_or_create_owned(&label),
            refused_all: refused("all"),
            refused_caller: refused("caller"),
            waited: self.waited.get_or_create_owned(&label),
            worked: self.worked.get_or_create_owned(&label),
        }
    }
}

/// The metrics of one pool.
#[derive(Debug)]
pub(super) struct Measures {
    queued: Gauge,
    busy: Gauge,
    pub(super) refused_all: Counter,
    pub(super) refused_caller: Counter,
    waited: Histogram,
    worked: Histogram,
}

impl Measures {
    pub(super) fn queued(&self, length: usize) {
        self.queued.set(i64::try_from(length).unwrap_or(i64::MAX));
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

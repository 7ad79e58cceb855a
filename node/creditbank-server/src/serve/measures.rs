//! The metrics of connections and calls.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use tonic::Code;

use super::descriptors::open_now;
use super::room::RoomMeasures;
use crate::metrics::Metrics;

type Label = [(&'static str, &'static str); 1];
type CallLabels = [(&'static str, &'static str); 2];

/// Upper bounds of the histogram of call times, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Why a connection is not accepted.
const REFUSED: [&str; 4] = ["address", "all", "pace", "system"];
/// Why a connection is closed.
const CLOSED: [&str; 8] = ["frames", "headers", "idle", "resets", "room", "silent", "stalled", "tls"];
/// Why a call is refused because a room is full.
const REFUSED_CALLS: [&str; 5] = ["answers", "inquiries", "pace", "requests", "streams"];

/// Adds one to a counter. All its label values exist from the start.
fn count(counters: &Family<Label, Counter>, label: &'static str, names: &[&str], name: &'static str) {
    debug_assert!(names.contains(&name), "{name} has no counter at the start");
    counters.get_or_create(&[(label, name)]).inc();
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// Metrics of connections and calls. A clone shares the same metrics.
#[derive(Debug, Clone)]
pub(super) struct Measures {
    connections: Gauge,
    refused_connections: Family<Label, Counter>,
    closed_connections: Family<Label, Counter>,
    pub(super) requests: Gauge,
    pub(super) answers: Gauge,
    pub(super) streams: Gauge,
    pub(super) inquiries: Gauge,
    pub(super) stalled: Counter,
    refused_calls: Family<Label, Counter>,
    ended_calls: Family<Label, Counter>,
    calls: Family<CallLabels, Counter>,
    times: Family<Label, Histogram, fn() -> Histogram>,
}

/// Counts an open connection until it is dropped.
pub(super) struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Measures {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let measures = Self {
            connections: Gauge::default(),
            refused_connections: Family::default(),
            closed_connections: Family::default(),
            requests: Gauge::default(),
            answers: Gauge::default(),
            streams: Gauge::default(),
            inquiries: Gauge::default(),
            stalled: Counter::default(),
            refused_calls: Family::default(),
            ended_calls: Family::default(),
            calls: Family::default(),
            times: Family::new_with_constructor(histogram),
        };
        // A rate over a counter that does not exist yet misses its first event.
        for (counters, label, names) in [
            (&measures.refused_connections, "bound", &REFUSED[..]),
            (&measures.closed_connections, "reason", &CLOSED[..]),
            (&measures.refused_calls, "reason", &REFUSED_CALLS[..]),
        ] {
            names.iter().for_each(|name| drop(counters.get_or_create(&[(label, name)])));
        }
        let own = measures.clone();
        metrics.register(|registry| {
            registry.register("connections", "Open connections", own.connections);
            let help = "Connections that were not accepted, by the limit that was reached";
            registry.register("connections_refused", help, own.refused_connections);
            let help = "Connections that the node has closed, by reason";
            registry.register("connections_closed", help, own.closed_connections);
            registry.register("requests_held_bytes", "Bytes of requests that the node holds", own.requests);
            registry.register("answers_held_bytes", "Bytes of answers that have not been sent", own.answers);
            let help = "Bytes of calls for health, watching it, and reflection";
            registry.register("inquiries_held_bytes", help, own.inquiries);
            registry.register("streaming_calls", "Open calls that stream blocks or entries", own.streams);
            registry.register("streams_stalled", "Calls that ended because their reader took nothing", own.stalled);
            let help = "Calls that were refused because a room was full, by reason";
            registry.register("calls_refused", help, own.refused_calls);
            let help = "Calls that ended to make room for callers who hold less, by room";
            registry.register("calls_ended_for_room", help, own.ended_calls);
            registry.register("calls", "Answered calls by method and gRPC code", own.calls);
            let help = "Time from the beginning of a call to the end of its answer";
            registry.register("call_seconds", help, own.times);
            registry.register_collector(Box::new(Process));
        });
        measures
    }

    /// Counts a connection until the value is dropped.
    pub(super) fn connected(&self) -> Connected {
        self.connections.inc();
        Connected(self.connections.clone())
    }

    pub(super) fn refused(&self, bound: &'static str) {
        count(&self.refused_connections, "bound", &REFUSED, bound);
    }

    pub(super) fn closed(&self, reason: &'static str) {
        count(&self.closed_connections, "reason", &CLOSED, reason);
    }

    pub(super) fn refused_call(&self, reason: &'static str) {
        count(&self.refused_calls, "reason", &REFUSED_CALLS, reason);
    }

    /// The metrics of a room.
    pub(super) fn room(&self, name: &'static str, held: &Gauge) -> RoomMeasures {
        let ended = self.ended_calls.get_or_create(&[("room", name)]).clone();
        let refused = self.refused_calls.get_or_create(&[("reason", name)]).clone();
        RoomMeasures { held: held.clone(), ended, refused }
    }

    /// Counts a call that has ended.
    pub(super) fn call(&self, method: &'static str, code: Code, took: Duration) {
        self.calls.get_or_create(&[("method", method), ("code", name(code))]).inc();
        self.times.get_or_create(&[("method", method)]).observe(took.as_secs_f64());
    }
}

/// The code's name in the gRPC specification.
fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// What the system reports about the process. It is read whenever the metrics are read.
#[derive(Debug)]
struct Process;

/// Resident bytes of the process, if the system tells.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
        };
        gauge("descriptors_open", "Open descriptors of the process", open_now())?;
        match resident_bytes() {
            Some(bytes) => gauge("resident_memory_bytes", "Resident memory of the process", bytes),
            None => Ok(()),
        }
    }
}

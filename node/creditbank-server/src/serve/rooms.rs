//! What all connections share: the rooms, the node's patience, and the metrics.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::Peer;
use super::measures::Measures;
use super::room::Room;
use super::settings::Patience;
use crate::charges::{Bound, Charges};

/// Bytes of requests that are being received, decoded or worked on.
const REQUESTS: usize = 128 << 20;
/// The last eighth is for the calls themselves and for small messages, so that they get through while large ones wait.
const REQUESTS_RESERVE: usize = REQUESTS / 8;
/// Bytes of answers that have not been sent. A third of everything except the reserve is more than the largest answer.
const ANSWERS: usize = 288 << 20;
const ANSWERS_RESERVE: usize = ANSWERS / 8;
/// Calls that stream blocks or entries.
const STREAMS: usize = 512;
/// Bytes of calls for health and reflection. They have a room of their own; its last quarter is for calls that are
/// answered at once.
const INQUIRIES: usize = 8 << 20;
const INQUIRIES_RESERVE: usize = INQUIRIES / 4;

/// Calls of one address: this many at once, and this many more in a second. A burst of cheap calls must not delay
/// everybody else's.
const CALLS: Bound = Bound::steady(40_000, 20_000);
/// Addresses whose calls are counted separately.
const CALLERS_MAX: usize = 16_384;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(super) requests: Arc<Room>,
    pub(super) answers: Arc<Room>,
    pub(super) streams: Arc<Room>,
    pub(super) inquiries: Arc<Room>,
    calls: Mutex<Charges<Peer>>,
    pub(super) patience: Patience,
    pub(super) measures: Measures,
}

impl Rooms {
    pub(super) fn new(patience: Patience, measures: Measures) -> Arc<Self> {
        Arc::new(Self {
            requests: Room::new(REQUESTS, REQUESTS_RESERVE, measures.room("requests", &measures.requests)),
            answers: Room::new(ANSWERS, ANSWERS_RESERVE, measures.room("answers", &measures.answers)),
            streams: Room::new(STREAMS, 0, measures.room("streams", &measures.streams)),
            inquiries: Room::new(INQUIRIES, INQUIRIES_RESERVE, measures.room("inquiries", &measures.inquiries)),
            calls: Mutex::new(Charges::new(CALLERS_MAX)),
            patience,
            measures,
        })
    }

    /// Charges an address with a call. Returns whether it may make one by now.
    pub(super) fn may_call(&self, peer: Peer) -> bool {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.charge(peer, Peer::UNKNOWN, CALLS, Instant::now()).is_some()
    }

    #[cfg(test)]
    pub(super) fn for_tests() -> Arc<Self> {
        Self::new(Patience::default(), Measures::new(&crate::metrics::Metrics::default()))
    }
}

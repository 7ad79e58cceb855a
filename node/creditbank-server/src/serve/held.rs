//! What is held of a room: by whom, by which calls, and which of them stands still longest.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Peer;
use super::shares::Shares;
use super::stream::{End, Stream};

/// A call stands still if nothing has moved on it for this long.
pub(super) const STILL: Duration = Duration::from_secs(5);

/// A call, and how much it holds of a room.
#[derive(Debug)]
struct Holding {
    stream: Arc<Stream>,
    peer: Peer,
    amount: usize,
    /// When something last moved on it, as far as was noticed.
    moved: Instant,
}

/// Identifies a call.
pub(super) type CallId = usize;

fn id(stream: &Arc<Stream>) -> CallId {
    Arc::as_ptr(stream).addr()
}

/// Calls, ordered by the time of their last movement. A movement does not change the order by itself: the search for the
/// call that has stood still longest checks the first one, and moves it back if something has moved since.
type Stillest = BTreeSet<(Instant, CallId)>;

/// What is held of a room: by whom, and by which calls.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) shares: Shares,
    calls: HashMap<CallId, Holding>,
    stillest: Stillest,
    stillest_of: HashMap<Peer, Stillest>,
    /// What calls that have to end still hold. It counts for no caller.
    ending: HashMap<CallId, usize>,
    pub(super) ending_all: usize,
}

impl Held {
    pub(super) fn add(&mut self, peer: Peer, stream: &Arc<Stream>, more: usize) {
        if more == 0 {
            return;
        }
        let id = id(stream);
        if let Some(amount) = self.ending.get_mut(&id) {
            *amount += more;
            self.ending_all += more;
            return;
        }
        self.shares.add(peer, more);
        if let Some(holding) = self.calls.get_mut(&id) {
            holding.amount += more;
            return;
        }
        let moved = stream.moved();
        self.calls.insert(id, Holding { stream: Arc::clone(stream), peer, amount: more, moved });
        self.stillest.insert((moved, id));
        self.stillest_of.entry(peer).or_default().insert((moved, id));
    }

    pub(super) fn sub(&mut self, peer: Peer, stream: &Arc<Stream>, less: usize) {
        let id = id(stream);
        if let Some(amount) = self.ending.get_mut(&id) {
            *amount = amount.saturating_sub(less);
            self.ending_all = self.ending_all.saturating_sub(less);
            if *amount == 0 {
                self.ending.remove(&id);
            }
            return;
        }
        self.shares.sub(peer, less);
        let Some(holding) = self.calls.get_mut(&id) else { return };
        holding.amount = holding.amount.saturating_sub(less);
        if holding.amount == 0 {
            self.take_out(id);
        }
    }

    /// Forgets a call.
    fn take_out(&mut self, id: CallId) -> Option<Holding> {
        let holding = self.calls.remove(&id)?;
        self.stillest.remove(&(holding.moved, id));
        if let Some(of_peer) = self.stillest_of.get_mut(&holding.peer) {
            of_peer.remove(&(holding.moved, id));
            if of_peer.is_empty() {
                self.stillest_of.remove(&holding.peer);
            }
        }
        Some(holding)
    }

    /// Puts a call in its place in the order. Returns whether it was there already.
    fn put_in_place(&mut self, id: CallId) -> bool {
        let Some(holding) = self.calls.get_mut(&id) else { return true };
        let (before, moved) = (holding.moved, holding.stream.moved());
        if moved == before {
            return true;
        }
        holding.moved = moved;
        let of_peer = self.stillest_of.entry(holding.peer).or_default();
        for order in [&mut self.stillest, of_peer] {
            order.remove(&(before, id));
            order.insert((moved, id));
        }
        false
    }

    /// The call of a caller on which nothing has moved for longest.
    pub(super) fn stillest_of(&mut self, peer: Peer) -> Option<CallId> {
        loop {
            let (_, id) = *self.stillest_of.get(&peer)?.first()?;
            if self.put_in_place(id) {
                return Some(id);
            }
        }
    }

    /// The call of anybody but `peer` on which nothing has moved for longest, if that is long enough.
    pub(super) fn stillest_beside(&mut self, peer: Peer) -> Option<CallId> {
        let mut behind = None;
        loop {
            let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
            let (moved, id) = *self.stillest.range((from, Bound::Unbounded)).next()?;
            if moved.elapsed() < STILL {
                return None;
            }
            if self.calls.get(&id).is_none_or(|holding| holding.peer == peer) {
                behind = Some((moved, id));
            } else if self.put_in_place(id) {
                return Some(id);
            }
        }
    }

    /// Ends a call so that others get room. Returns whether there was such a call.
    pub(super) fn end(&mut self, id: CallId) -> bool {
        let Some(Holding { stream, peer, amount, .. }) = self.take_out(id) else { return false };
        self.shares.sub(peer, amount);
        self.ending.insert(id, amount);
        self.ending_all += amount;
        stream.end(End::MakesRoom);
        true
    }

    /// Whether a call has to end.
    pub(super) fn has_to_end(&self, stream: &Arc<Stream>) -> bool {
        self.ending.contains_key(&id(stream))
    }

    /// What all calls hold, those included that have to end.
    pub(super) fn all(&self) -> usize {
        self.shares.all() + self.ending_all
    }

    /// Whether nothing is kept of anybody.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let Self { calls, stillest, stillest_of, ending, .. } = self;
        calls.is_empty() && stillest.is_empty() && stillest_of.is_empty() && ending.is_empty()
    }
}

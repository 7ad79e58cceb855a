//! What is held of a room: by whom, by which calls, and which of them stands still longest.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Peer;
use super::shares::Shares;
use super::stream::{End, Stream};

/// A call stands still if nothing has moved on it for this long.
pub(super) const STILL: Duration = Duration::from_secs(5);

/// How many calls of a caller, and how many callers, a search looks at: it runs while all others wait. What it finds among so
/// many is good enough.
const CALLS_LOOKED_AT: usize = 64;
const CALLERS_LOOKED_AT: usize = 256;

/// An amount of a room. Large things may not take the reserve, so they are counted apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) all: usize,
    /// Of these, what large things hold.
    pub(super) large: usize,
}

impl Amount {
    pub(super) fn add(&mut self, more: Self) {
        self.all += more.all;
        self.large += more.large;
    }

    pub(super) fn sub(&mut self, less: Self) {
        self.all = self.all.saturating_sub(less.all);
        self.large = self.large.saturating_sub(less.large);
    }
}

/// A call, and how much it holds of a room.
#[derive(Debug)]
struct Holding {
    stream: Arc<Stream>,
    peer: Peer,
    amount: Amount,
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
    /// Callers by how much they hold.
    amounts: BTreeSet<(usize, Peer)>,
    /// What large things hold, except of calls that have to end.
    pub(super) large: usize,
    calls: HashMap<CallId, Holding>,
    stillest_of: HashMap<Peer, Stillest>,
    /// What calls that have to end still hold. It counts for no caller.
    ending: HashMap<CallId, usize>,
    pub(super) ending_all: usize,
}

impl Held {
    pub(super) fn add(&mut self, peer: Peer, stream: &Arc<Stream>, more: Amount) {
        if more.all == 0 {
            return;
        }
        let id = id(stream);
        if let Some(amount) = self.ending.get_mut(&id) {
            *amount += more.all;
            self.ending_all += more.all;
            return;
        }
        self.change(peer, |shares| shares.add(peer, more.all));
        self.large += more.large;
        if let Some(holding) = self.calls.get_mut(&id) {
            holding.amount.add(more);
            return;
        }
        let moved = stream.moved();
        self.calls.insert(id, Holding { stream: Arc::clone(stream), peer, amount: more, moved });
        self.stillest_of.entry(peer).or_default().insert((moved, id));
    }

    pub(super) fn sub(&mut self, peer: Peer, stream: &Arc<Stream>, less: Amount) {
        let id = id(stream);
        if let Some(amount) = self.ending.get_mut(&id) {
            *amount = amount.saturating_sub(less.all);
            self.ending_all = self.ending_all.saturating_sub(less.all);
            if *amount == 0 {
                self.ending.remove(&id);
            }
            return;
        }
        self.change(peer, |shares| shares.sub(peer, less.all));
        self.large = self.large.saturating_sub(less.large);
        let Some(holding) = self.calls.get_mut(&id) else { return };
        holding.amount.sub(less);
        if holding.amount.all == 0 {
            self.take_out(id);
        }
    }

    /// Changes how much a caller holds.
    fn change(&mut self, peer: Peer, change: impl FnOnce(&mut Shares)) {
        let before = self.shares.of(peer);
        change(&mut self.shares);
        self.amounts.remove(&(before, peer));
        let now = self.shares.of(peer);
        if now > 0 {
            self.amounts.insert((now, peer));
        }
    }

    /// Forgets a call.
    fn take_out(&mut self, id: CallId) -> Option<Holding> {
        let holding = self.calls.remove(&id)?;
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
        let order = self.stillest_of.entry(holding.peer).or_default();
        order.remove(&(before, id));
        order.insert((moved, id));
        false
    }

    /// The call of a caller on which nothing has moved for longest; of those that hold something large, if that is asked for
    /// and there is one.
    pub(super) fn stillest_of(&mut self, peer: Peer, is_large: bool) -> Option<CallId> {
        for _ in 0..CALLS_LOOKED_AT {
            let (_, id) = *self.stillest_of.get(&peer)?.first()?;
            if self.put_in_place(id) {
                break;
            }
        }
        let mut calls = self.stillest_of.get(&peer)?.iter().map(|(_, id)| *id);
        let first = calls.next()?;
        let is_wanted = |id: &CallId| self.calls.get(id).is_some_and(|holding| holding.amount.large > 0);
        if !is_large || is_wanted(&first) {
            return Some(first);
        }
        Some(calls.take(CALLS_LOOKED_AT).find(is_wanted).unwrap_or(first))
    }

    /// A call of somebody other than `peer` who holds at least `own`, on which nothing has moved for a long time. Whoever
    /// holds less keeps his calls, however still they stand.
    pub(super) fn still_of_equals(&mut self, peer: Peer, own: usize, is_large: bool) -> Option<CallId> {
        let equals = self.amounts.range((own, Peer::LEAST)..).map(|(_, other)| *other);
        let equals: Vec<Peer> = equals.filter(|other| *other != peer).take(CALLERS_LOOKED_AT).collect();
        equals.into_iter().find_map(|other| {
            let id = self.stillest_of(other, is_large)?;
            self.calls.get(&id).is_some_and(|holding| holding.moved.elapsed() >= STILL).then_some(id)
        })
    }

    /// Ends a call so that others get room. Returns whether there was such a call.
    pub(super) fn end(&mut self, id: CallId) -> bool {
        let Some(Holding { stream, peer, amount, .. }) = self.take_out(id) else { return false };
        self.change(peer, |shares| shares.sub(peer, amount.all));
        self.large = self.large.saturating_sub(amount.large);
        self.ending.insert(id, amount.all);
        self.ending_all += amount.all;
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
        let Self { amounts, large, calls, stillest_of, ending, .. } = self;
        *large == 0 && amounts.is_empty() && calls.is_empty() && stillest_of.is_empty() && ending.is_empty()
    }
}

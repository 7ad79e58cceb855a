//! How much of a room each caller and each call holds, and on which call nothing has moved for longest.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Peer;
use super::shares::Shares;
use super::stream::{End, Stream};

/// A call counts as still if nothing has moved on it for this long.
pub(super) const STILL: Duration = Duration::from_secs(5);

/// How many calls of a caller, and how many callers, a search looks at: it runs while all others wait. What it finds
/// among so many is good enough.
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

/// Calls, ordered by the time of their last movement. A movement does not change the order by itself: the search for
/// the call that has been still for longest checks the first one, and moves it back if something has moved since.
type Stillest = BTreeSet<(Instant, CallId)>;

/// How much of something each caller holds, and by which calls.
#[derive(Debug, Default)]
pub(super) struct Holders {
    pub(super) shares: Shares,
    /// Callers by how much they hold.
    amounts: BTreeSet<(usize, Peer)>,
    stillest_of: HashMap<Peer, Stillest>,
}

impl Holders {
    fn add(&mut self, peer: Peer, more: usize) {
        self.change(peer, more, |shares| shares.add(peer, more));
    }

    fn sub(&mut self, peer: Peer, less: usize) {
        self.change(peer, less, |shares| shares.sub(peer, less));
    }

    /// Changes how much a caller holds, by an amount. Most charges are of nothing large: they cost nothing there.
    fn change(&mut self, peer: Peer, by: usize, change: impl FnOnce(&mut Shares)) {
        if by == 0 {
            return;
        }
        let before = self.shares.of(peer);
        change(&mut self.shares);
        self.amounts.remove(&(before, peer));
        let now = self.shares.of(peer);
        if now > 0 {
            self.amounts.insert((now, peer));
        }
    }

    /// Changes the place of a call in the order of its caller: where it was, if it was there, and where it is to be.
    fn put(&mut self, peer: Peer, id: CallId, before: Option<Instant>, moved: Option<Instant>) {
        let order = self.stillest_of.entry(peer).or_default();
        before.map(|before| order.remove(&(before, id)));
        moved.map(|moved| order.insert((moved, id)));
        if order.is_empty() {
            self.stillest_of.remove(&peer);
        }
    }

    /// The first in the order of a caller's calls.
    fn first_of(&self, peer: Peer) -> Option<CallId> {
        self.stillest_of.get(&peer)?.first().map(|(_, id)| *id)
    }
}

/// How much of a room each caller and each call holds.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) all: Holders,
    /// What large things hold.
    pub(super) large: Holders,
    calls: HashMap<CallId, Holding>,
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
        self.all.add(peer, more.all);
        self.large.add(peer, more.large);
        let Self { all, large, calls, .. } = self;
        let holding = calls.entry(id).or_insert_with(|| {
            let moved = stream.moved();
            all.put(peer, id, None, Some(moved));
            Holding { stream: Arc::clone(stream), peer, amount: Amount::default(), moved }
        });
        if holding.amount.large == 0 && more.large > 0 {
            large.put(peer, id, None, Some(holding.moved));
        }
        holding.amount.add(more);
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
        self.all.sub(peer, less.all);
        self.large.sub(peer, less.large);
        let Some(holding) = self.calls.get_mut(&id) else { return };
        let was_large = holding.amount.large > 0;
        holding.amount.sub(less);
        if was_large && holding.amount.large == 0 {
            self.large.put(peer, id, Some(holding.moved), None);
        }
        if holding.amount.all == 0 {
            self.take_out(id);
        }
    }

    /// Forgets a call.
    fn take_out(&mut self, id: CallId) -> Option<Holding> {
        let holding = self.calls.remove(&id)?;
        self.all.put(holding.peer, id, Some(holding.moved), None);
        if holding.amount.large > 0 {
            self.large.put(holding.peer, id, Some(holding.moved), None);
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
        self.all.put(holding.peer, id, Some(before), Some(moved));
        if holding.amount.large > 0 {
            self.large.put(holding.peer, id, Some(before), Some(moved));
        }
        false
    }

    fn holders(&self, large: bool) -> &Holders {
        if large { &self.large } else { &self.all }
    }

    /// The call of a caller on which nothing has moved for longest, among those that hold something large, or among
    /// all.
    fn stillest_of(&mut self, peer: Peer, large: bool) -> Option<CallId> {
        for _ in 0..CALLS_LOOKED_AT {
            let id = self.holders(large).first_of(peer)?;
            if self.put_in_place(id) {
                return Some(id);
            }
        }
        self.holders(large).first_of(peer)
    }

    /// The stillest call of somebody who holds more than `peer` would with `more`: of large things, or in all.
    pub(super) fn of_larger(&mut self, peer: Peer, more: usize, large: bool) -> Option<CallId> {
        let larger = self.holders(large).shares.larger_than(peer, more)?;
        self.stillest_of(larger, large)
    }

    /// A call of somebody other than `peer` who holds at least as much as `peer` would with `more`, on which nothing
    /// has moved for a long time. A caller that holds less keeps its calls, however long they are still.
    pub(super) fn still_of_equals(&mut self, peer: Peer, more: usize, large: bool) -> Option<CallId> {
        let holders = self.holders(large);
        let own = holders.shares.of(peer).saturating_add(more);
        let equals = holders.amounts.range((own, Peer::LEAST)..).map(|(_, other)| *other);
        let equals: Vec<Peer> = equals.filter(|other| *other != peer).take(CALLERS_LOOKED_AT).collect();
        equals.into_iter().find_map(|other| {
            let id = self.stillest_of(other, large)?;
            self.calls.get(&id).is_some_and(|holding| holding.stream.moved().elapsed() >= STILL).then_some(id)
        })
    }

    /// Ends a call so that others get room. Returns whether there was such a call.
    pub(super) fn end(&mut self, id: CallId) -> bool {
        let Some(Holding { stream, peer, amount, .. }) = self.take_out(id) else { return false };
        self.all.sub(peer, amount.all);
        self.large.sub(peer, amount.large);
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
    pub(super) fn total(&self) -> usize {
        self.all.shares.all() + self.ending_all
    }

    /// Whether nothing is kept of anybody.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let is_empty = |holders: &Holders| holders.amounts.is_empty() && holders.stillest_of.is_empty();
        is_empty(&self.all) && is_empty(&self.large) && self.calls.is_empty() && self.ending.is_empty()
    }
}

//! The open connections, by address: how fast an address may open them, and which one makes room for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Peer;
use super::connection::Connection;
use super::shares::Shares;
use crate::charges::{Bound, Charges};

/// Most connections, of all addresses and of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) all: usize,
    /// Most connections at once. An address may also open this many without a pause.
    pub(super) per_address: usize,
}

impl Bounds {
    /// How fast an address may open connections.
    fn pace(self) -> Bound {
        let most = u64::try_from(self.per_address).unwrap_or(u64::MAX);
        Bound { most, forgotten: OPENED_PER_SECOND, every: Duration::from_secs(1) }
    }
}

/// Connections that an address may open in a second, after it has opened as many as it may have at once. Each costs a
/// handshake, which with TLS is a signature.
const OPENED_PER_SECOND: u64 = 50;
/// How many addresses have a pace of their own; above that all new ones share one.
const PACES_MAX: usize = 16_384;

/// Why a connection is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its address has as many as one may have.
    Address,
    /// Its address opens them too fast.
    Pace,
    /// All places are taken, no address has more than this one, and it has no idle connection.
    All,
}

#[derive(Debug)]
struct Open {
    shares: Shares,
    peers: HashMap<Peer, Vec<Arc<Connection>>>,
    /// How fast addresses open connections.
    paces: Charges<Peer>,
}

impl Open {
    /// Removes one connection.
    fn remove(&mut self, peer: Peer, which: impl Fn(&[Arc<Connection>]) -> Option<usize>) -> Option<Arc<Connection>> {
        let held = self.peers.get_mut(&peer)?;
        let removed = held.swap_remove(which(held)?);
        if held.is_empty() {
            self.peers.remove(&peer);
        }
        self.shares.sub(peer, 1);
        Some(removed)
    }
}

/// The open connections.
#[derive(Debug)]
pub(super) struct Table {
    bounds: Bounds,
    open: Mutex<Open>,
}

/// The place of an open connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    table: Arc<Table>,
    connection: Arc<Connection>,
}

impl Table {
    pub(super) fn new(bounds: Bounds) -> Arc<Self> {
        let open = Open { shares: Shares::default(), peers: HashMap::new(), paces: Charges::new(PACES_MAX) };
        Arc::new(Self { bounds, open: Mutex::new(open) })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a connection its place. If all places are taken, the address that has most in the largest network gives up
    /// one connection, if it has more than the new one's address would have: the one that has been idle longest, or
    /// else the newest. Otherwise the new one's own address gives up an idle one. So an address that opens many keeps
    /// nobody out. Also returns the connection that was closed.
    pub(super) fn admit(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
    ) -> Result<(Place, Option<Arc<Connection>>), Refused> {
        self.admit_at(connection, Instant::now())
    }

    fn admit_at(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        now: Instant,
    ) -> Result<(Place, Option<Arc<Connection>>), Refused> {
        let peer = connection.peer();
        let mut open = self.open();
        if open.shares.of(peer) >= self.bounds.per_address {
            return Err(Refused::Address);
        }
        open.paces.charge(peer, Peer::UNKNOWN, self.bounds.pace(), now).ok_or(Refused::Pace)?;
        let mut closed = None;
        if open.shares.all() >= self.bounds.all {
            let removed = match open.shares.larger_than(peer, 0) {
                Some(larger) => open.remove(larger, |held| longest_idle(held).or_else(|| newest(held))),
                None => open.remove(peer, longest_idle),
            };
            let victim = removed.ok_or(Refused::All)?;
            victim.close();
            closed = Some(victim);
        }
        open.peers.entry(peer).or_default().push(Arc::clone(connection));
        open.shares.add(peer, 1);
        Ok((Place { table: Arc::clone(self), connection: Arc::clone(connection) }, closed))
    }
}

/// The connection that has been idle longest.
fn longest_idle(held: &[Arc<Connection>]) -> Option<usize> {
    let idle = held.iter().enumerate().filter_map(|(at, connection)| Some((at, connection.idle_for()?)));
    idle.max_by_key(|(_, idle)| *idle).map(|(at, _)| at)
}

/// The newest connection, which loses least.
fn newest(held: &[Arc<Connection>]) -> Option<usize> {
    held.iter().enumerate().min_by_key(|(_, connection)| connection.age()).map(|(at, _)| at)
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connection.close();
        // A connection that made room has already left its place.
        let own = |held: &[Arc<Connection>]| held.iter().position(|one| Arc::ptr_eq(one, &self.connection));
        self.table.open().remove(self.connection.peer(), own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::rooms::Rooms;

    fn connection(address: u8) -> Arc<Connection> {
        Connection::new(Peer::of(([192, 0, 2, address], 1).into()), &Rooms::for_tests())
    }

    /// Goal: above the total, the address that has most gives up the connection that has been idle longest; an address
    /// that has as many as the largest gets none; each address has its own limit.
    #[tokio::test]
    async fn who_has_most_makes_room() {
        let table = Table::new(Bounds { all: 4, per_address: 3 });
        let greedy: Vec<_> = (0..3).map(|_| connection(1)).collect();
        let mut places: Vec<_> = greedy.iter().map(|one| table.admit(one).expect("there is room").0).collect();
        assert_eq!(table.admit(&connection(1)).err(), Some(Refused::Address));
        let (place, closed) = table.admit(&connection(2)).expect("there is room");
        places.push(place);
        assert!(closed.is_none());

        let busy = greedy[0].call();
        let (place, closed) = table.admit(&connection(3)).expect("the first address makes room");
        places.push(place);
        let closed = closed.expect("one was closed");
        assert!(Arc::ptr_eq(&closed, &greedy[1]), "the one that has been idle longest, and not the one that works");
        let second_busy = greedy[2].call();
        let (place, closed) = table.admit(&connection(4)).expect("still has more than a newcomer");
        places.push(place);
        assert!(closed.is_some_and(|closed| Arc::ptr_eq(&closed, &greedy[2])), "all work: the newest");
        let last = connection(4);
        let (place, closed) = table.admit(&last).expect("its own address has an idle one");
        places.push(place);
        assert!(closed.is_some_and(|closed| closed.peer() == last.peer()));
        let third_busy = last.call();
        assert_eq!(table.admit(&connection(4)).err(), Some(Refused::All), "nobody has more, and its own one works");
        drop((busy, second_busy, third_busy, places));
        assert_eq!(table.open().shares.all(), 0);
        assert!(table.open().peers.is_empty());
    }

    /// Goal: an address that opens one connection after the other has to pause; others do not.
    #[tokio::test]
    async fn who_opens_very_many_has_to_pause() {
        let table = Table::new(Bounds { all: 100, per_address: 3 });
        let now = Instant::now();
        for _ in 0..3 {
            table.admit_at(&connection(1), now).expect("as many as it may have at once");
        }
        assert_eq!(table.admit_at(&connection(1), now).err(), Some(Refused::Pace));
        table.admit_at(&connection(2), now).expect("another address");
        table.admit_at(&connection(1), now + Duration::from_secs(1)).expect("after a pause");
    }
}

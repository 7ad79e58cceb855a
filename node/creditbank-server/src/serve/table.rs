//! Which connections are open, by address, and which one makes room for another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Peer;
use super::connection::Connection;

/// Most connections, of all addresses and of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) all: usize,
    pub(super) per_address: usize,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its address has as many as one may have.
    Address,
    /// There are as many as there may be, no address has more than this one, and it has none that is idle.
    All,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    peers: HashMap<Peer, Vec<Arc<Connection>>>,
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
        Arc::new(Self { bounds, open: Mutex::default() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a connection its place. Where all are taken, the address that has most gives one up, if it has more than
    /// the new one's: the one that has been idle longest, or else the newest. Otherwise its own address gives up an idle
    /// one. So whoever opens many keeps nobody out. Returns the one that was closed for it, too.
    pub(super) fn admit(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
    ) -> Result<(Place, Option<Arc<Connection>>), Refused> {
        let peer = connection.peer();
        let mut open = self.open();
        let own = open.peers.get(&peer).map_or(0, Vec::len);
        if own >= self.bounds.per_address {
            return Err(Refused::Address);
        }
        let mut closed = None;
        if open.all >= self.bounds.all {
            let largest = open.peers.iter().max_by_key(|(_, held)| held.len()).map(|(peer, held)| (*peer, held.len()));
            let (largest, count) = largest.ok_or(Refused::All)?;
            // Where nobody has more, its own address makes room, of what is idle.
            let from = if count > own { largest } else { peer };
            let held = open.peers.get_mut(&from).ok_or(Refused::All)?;
            let victim = longest_idle(held).or_else(|| if count > own { newest(held) } else { None });
            let victim = held.swap_remove(victim.ok_or(Refused::All)?);
            if held.is_empty() {
                open.peers.remove(&from);
            }
            open.all -= 1;
            victim.close();
            closed = Some(victim);
        }
        open.peers.entry(peer).or_default().push(Arc::clone(connection));
        open.all += 1;
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
        let peer = self.connection.peer();
        let mut open = self.table.open();
        // One that made room has left its place already.
        let Some(held) = open.peers.get_mut(&peer) else { return };
        let Some(at) = held.iter().position(|one| Arc::ptr_eq(one, &self.connection)) else { return };
        held.swap_remove(at);
        if held.is_empty() {
            open.peers.remove(&peer);
        }
        open.all -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::rooms::Rooms;

    fn connection(address: u8) -> Arc<Connection> {
        Connection::new(Peer::of(([192, 0, 2, address], 1).into()), &Rooms::for_tests())
    }

    /// Goal: over the total, the address that has most gives up the connection that has been idle longest; one that has
    /// as many as the largest gets none; an address has its own limit.
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
        assert_eq!(table.open().all, 0);
        assert!(table.open().peers.is_empty());
    }
}

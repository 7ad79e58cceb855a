//! Rooms: what callers hold of the node's memory, and how it is shared among those who want it at once.
//!
//! A caller may hold at most half of what is free, so a room is never full for one who holds little: two callers get a
//! quarter each at most, a hundred of them a fiftieth of half. Whoever takes much leaves the less for himself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;

use super::Peer;

/// One connection's other charges may take this part of a room: an eighth.
const PER_CONNECTION: usize = 8;

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for more")]
pub(crate) struct Full;

/// Which part of the room may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// All but the reserve, which is for small things.
    BeforeReserve,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// Peers that hold anything.
    peers: HashMap<Peer, usize>,
}

/// A room of so many units: bytes, or calls.
#[derive(Debug)]
pub(crate) struct Room {
    total: usize,
    reserve: usize,
    held: Mutex<Held>,
    gauge: Gauge,
}

impl Room {
    pub(crate) fn new(total: usize, reserve: usize, gauge: Gauge) -> Arc<Self> {
        Arc::new(Self { total, reserve, held: Mutex::default(), gauge })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, all: usize) {
        self.gauge.set(i64::try_from(all).unwrap_or(i64::MAX));
    }

    fn release(&self, peer: Peer, amount: usize) {
        let mut held = self.held();
        held.all = held.all.saturating_sub(amount);
        if let Some(of_peer) = held.peers.get_mut(&peer) {
            *of_peer = of_peer.saturating_sub(amount);
            if *of_peer == 0 {
                held.peers.remove(&peer);
            }
        }
        self.show(held.all);
    }
}

/// What one connection holds of a room.
#[derive(Debug)]
pub(crate) struct Account {
    room: Arc<Room>,
    peer: Peer,
    held: AtomicUsize,
}

impl Account {
    pub(crate) fn new(room: &Arc<Room>, peer: Peer) -> Arc<Self> {
        Arc::new(Self { room: Arc::clone(room), peer, held: AtomicUsize::new(0) })
    }

    /// A charge of nothing yet.
    pub(crate) fn charge(self: &Arc<Self>) -> Charge {
        Charge { account: Arc::clone(self), amount: 0 }
    }

    /// A charge of so much.
    pub(crate) fn take(self: &Arc<Self>, amount: usize, part: Part) -> Result<Charge, Full> {
        let mut charge = self.charge();
        charge.grow(amount, part)?;
        Ok(charge)
    }
}

/// What one thing holds of a room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    account: Arc<Account>,
    amount: usize,
}

impl Charge {
    /// Takes more. One thing alone always fits where its peer holds at most half of what is left.
    pub(crate) fn grow(&mut self, more: usize, part: Part) -> Result<(), Full> {
        let account = Arc::clone(&self.account);
        let Account { room, peer, held } = &*account;
        let limit = match part {
            Part::Whole => room.total,
            Part::BeforeReserve => room.total - room.reserve,
        };
        let mut all = room.held();
        let after = all.all.checked_add(more).filter(|after| *after <= limit).ok_or(Full)?;
        let of_peer = all.peers.get(peer).copied().unwrap_or(0) + more;
        let others_of_connection = held.load(Ordering::Relaxed).saturating_sub(self.amount);
        if of_peer > (limit - after) / 2 || others_of_connection > room.total / PER_CONNECTION {
            return Err(Full);
        }
        self.add(&mut all, more);
        Ok(())
    }

    /// Takes more whether or not there is room: of what is there already, and is bounded otherwise.
    pub(crate) fn force(&mut self, more: usize) {
        let account = Arc::clone(&self.account);
        self.add(&mut account.room.held(), more);
    }

    fn add(&mut self, all: &mut Held, more: usize) {
        let Account { room, peer, held } = &*self.account;
        all.all += more;
        if more > 0 {
            *all.peers.entry(*peer).or_default() += more;
        }
        held.fetch_add(more, Ordering::Relaxed);
        room.show(all.all);
        self.amount += more;
    }

    /// How much it is.
    pub(crate) fn amount(&self) -> usize {
        self.amount
    }

    /// Gives back what is above an amount.
    pub(crate) fn shrink_to(&mut self, amount: usize) {
        let back = self.amount.saturating_sub(amount);
        if back > 0 {
            self.amount -= back;
            self.account.held.fetch_sub(back, Ordering::Relaxed);
            self.account.room.release(self.account.peer, back);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::of(([192, 0, 2, number], 1).into())
    }

    /// Goal: whatever others hold, one who holds nothing gets something; one alone gets a third and no more.
    #[test]
    fn a_room_is_never_full_for_who_holds_little() {
        let room = Room::new(120_000, 0, Gauge::default());
        let mut held = Vec::new();
        for number in 0..100 {
            // Each of them takes what he can get, over as many connections as he likes.
            loop {
                let account = Account::new(&room, peer(number));
                let Ok(charge) = account.take(100, Part::Whole) else { break };
                held.push(charge);
            }
            let of_first = room.held().peers[&peer(0)];
            assert!(of_first <= 40_000, "a third at most: {of_first}");
        }
        assert!(room.held().peers.len() >= 8, "many get a share: {}", room.held().peers.len());
        let newcomer = Account::new(&room, peer(200));
        newcomer.take(10, Part::Whole).expect("a little is free for one who holds nothing");
        drop(held);
        assert_eq!(room.held().all, 0);
        assert!(room.held().peers.is_empty(), "who holds nothing takes up nothing");
    }

    /// Goal: large things leave the reserve to small ones; a connection with many charges gets its share, while one
    /// charge alone may be larger.
    #[test]
    fn reserve_and_connection() {
        let room = Room::new(80, 10, Gauge::default());
        let (one, other) = (Account::new(&room, peer(1)), Account::new(&room, peer(2)));
        let first = one.take(23, Part::BeforeReserve).expect("one charge alone");
        assert_eq!(one.take(1, Part::Whole).err(), Some(Full), "its connection holds more than an eighth");
        let mut second = other.charge();
        second.force(40);
        let third = Account::new(&room, peer(3));
        assert_eq!(third.take(8, Part::BeforeReserve).err(), Some(Full));
        let mut small = third.take(5, Part::Whole).expect("of the reserve");
        small.shrink_to(2);
        assert_eq!(room.held().all, 65);
        drop((first, second, small));
        assert_eq!(room.held().all, 0);
    }
}

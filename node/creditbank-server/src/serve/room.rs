//! Rooms: what callers hold of the node's memory, and how they share it.
//!
//! One caller may hold at most twice what it leaves free, so usually there is room for the next one. In a full room, a
//! caller that would still hold less than the largest gets in. The caller that holds most, in the network that holds
//! most, then gives up the call on which nothing has moved for longest. If nobody holds more than the newcomer, it gets
//! the room of a call on which nothing has moved for some seconds, if the caller of that call holds as much as the
//! newcomer would. So nobody keeps a newcomer out by holding more or by doing nothing, and a caller that holds little
//! keeps it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use super::Peer;
use super::held::{Amount, Held};
use super::stream::Stream;

/// A connection may make another charge only while its other charges are at most this part of a room: an eighth.
const PER_CONNECTION: usize = 8;
/// A caller that holds less than this part of a room gets whatever is free.
const GRANTED: usize = 64;
/// A caller that would hold less than this part of a room may end a still call, even if nobody holds more.
const MODEST: usize = 16;
/// Calls that have to end may hold this much in addition to the room: an eighth of it.
const ENDING: usize = 8;

/// There is no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for more")]
pub(crate) enum Full {
    /// The others hold no more than the caller would.
    Shared,
    /// There will be room as soon as calls that have to end have ended.
    Soon,
}

/// Which part of the room a charge may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// All except the reserve, which is for small charges.
    BeforeReserve,
}

/// The metrics of a room.
#[derive(Debug, Default)]
pub(super) struct RoomMeasures {
    /// How much is held.
    pub(super) held: Gauge,
    /// Calls that ended to make room for others.
    pub(super) ended: Counter,
    /// Charges that found no room.
    pub(super) refused: Counter,
}

/// A room of a number of units: bytes, or calls.
#[derive(Debug)]
pub(crate) struct Room {
    total: usize,
    reserve: usize,
    held: Mutex<Held>,
    gauge: Gauge,
    /// Calls that ended to make room for others.
    ended: Counter,
    /// Messages that found no room.
    refused: Counter,
}

impl Room {
    pub(super) fn new(total: usize, reserve: usize, measures: RoomMeasures) -> Arc<Self> {
        let RoomMeasures { held: gauge, ended, refused } = measures;
        Arc::new(Self { total, reserve, held: Mutex::default(), gauge, ended, refused })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, held: &Held) {
        self.gauge.set(i64::try_from(held.total()).unwrap_or(i64::MAX));
    }

    /// How much is free for a small thing, or for a large one: large things leave the reserve free.
    fn free(&self, held: &Held, part: Part) -> usize {
        let free = self.total.saturating_sub(held.all.shares.all());
        match part {
            Part::Whole => free,
            Part::BeforeReserve => free.min((self.total - self.reserve).saturating_sub(held.large.shares.all())),
        }
    }

    /// Finds room for a caller, and makes it if others hold more than he would.
    fn find(&self, held: &mut Held, peer: Peer, more: usize, part: Part) -> Result<(), Full> {
        let is_large = part == Part::BeforeReserve;
        let limit = if is_large { self.total - self.reserve } else { self.total };
        if more == 0 {
            return Ok(());
        }
        if more > limit {
            return Err(Full::Shared);
        }
        let own = held.all.shares.of(peer).saturating_add(more);
        if let Some(left) = self.free(held, part).checked_sub(more) {
            let is_fair = own <= left.saturating_mul(2) || own <= limit / GRANTED;
            let is_less = || held.all.shares.larger_than(peer, more).is_some();
            return if is_fair || is_less() { Ok(()) } else { Err(Full::Shared) };
        }
        while self.free(held, part) < more {
            if held.ending_all > self.total / ENDING {
                return Err(Full::Soon);
            }
            // If only the part for large things is full, those who hold most of it give way: to end a small call would
            // help nobody.
            let large = is_large && self.free(held, Part::Whole) >= more;
            let mut call = held.of_larger(peer, more, large);
            if call.is_none() && own <= limit / MODEST {
                call = held.still_of_equals(peer, more, large);
            }
            if !call.is_some_and(|call| held.end(call)) {
                return Err(Full::Shared);
            }
            self.ended.inc();
        }
        Ok(())
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

    /// An empty charge for one of the connection's calls.
    pub(super) fn charge(self: &Arc<Self>, stream: &Arc<Stream>) -> Charge {
        Charge { account: Arc::clone(self), stream: Arc::clone(stream), amount: Amount::default() }
    }

    /// A charge of an amount.
    pub(super) fn take(self: &Arc<Self>, stream: &Arc<Stream>, amount: usize, part: Part) -> Result<Charge, Full> {
        let mut charge = self.charge(stream);
        charge.grow(amount, part)?;
        Ok(charge)
    }
}

/// What one thing holds of a room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    account: Arc<Account>,
    stream: Arc<Stream>,
    amount: Amount,
}

impl Charge {
    /// Charges more.
    pub(crate) fn grow(&mut self, more: usize, part: Part) -> Result<(), Full> {
        let account = Arc::clone(&self.account);
        let Account { room, peer, held } = &*account;
        let others_of_connection = held.load(Ordering::Relaxed).saturating_sub(self.amount.all);
        if others_of_connection > room.total / PER_CONNECTION {
            return Err(Full::Shared);
        }
        let mut all = room.held();
        if all.has_to_end(&self.stream) {
            return Err(Full::Shared);
        }
        room.find(&mut all, *peer, more, part)?;
        let large = if part == Part::BeforeReserve { more } else { 0 };
        self.add(&mut all, Amount { all: more, large });
        Ok(())
    }

    /// Charges more even if there is no room, for memory that is in use already and is limited elsewhere.
    pub(crate) fn force(&mut self, more: usize) {
        let account = Arc::clone(&self.account);
        self.add(&mut account.room.held(), Amount { all: more, large: 0 });
    }

    fn add(&mut self, all: &mut Held, more: Amount) {
        let Account { room, peer, held } = &*self.account;
        all.add(*peer, &self.stream, more);
        held.fetch_add(more.all, Ordering::Relaxed);
        room.show(all);
        self.amount.add(more);
    }

    /// The amount that is charged.
    pub(crate) fn amount(&self) -> usize {
        self.amount.all
    }

    /// Bytes of the call have arrived.
    pub(crate) fn came(&self) {
        self.stream.came();
    }

    /// Counts that the call found no room for more.
    pub(crate) fn refused(&self) {
        self.account.room.refused.inc();
    }

    /// Releases everything above an amount, what is large first.
    pub(crate) fn shrink_to(&mut self, amount: usize) {
        let all = self.amount.all.saturating_sub(amount);
        let back = Amount { all, large: self.amount.large.min(all) };
        if back.all > 0 {
            self.amount.sub(back);
            let Account { room, peer, held } = &*self.account;
            held.fetch_sub(back.all, Ordering::Relaxed);
            let mut all = room.held();
            all.sub(*peer, &self.stream, back);
            room.show(&all);
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
    use crate::serve::held::STILL;

    fn peer(number: u8) -> Peer {
        Peer::of(([192, 0, number, 1], 1).into())
    }

    fn take(room: &Arc<Room>, number: u8, amount: usize) -> Result<Charge, Full> {
        Account::new(room, peer(number)).take(&Stream::new(), amount, Part::Whole)
    }

    fn assert_empty(room: &Room) {
        let held = room.held();
        assert!(held.total() == 0 && held.is_empty(), "who holds nothing takes up nothing");
    }

    /// Goal: whatever others hold, a newcomer gets as much as they have; one caller alone gets two thirds and no more;
    /// a call that gives up its room is told.
    #[test]
    fn a_room_is_never_full_for_who_holds_less_than_others() {
        let room = Room::new(120_000, 0, RoomMeasures::default());
        let mut held = Vec::new();
        for number in 0..100 {
            // Each of them takes as much as it can get, over as many connections as it likes.
            for _ in 0..2_000 {
                let Ok(charge) = take(&room, number, 100) else { break };
                held.push(charge);
            }
            let of_first = room.held().all.shares.of(peer(0));
            assert!(of_first <= 80_000, "two thirds at most: {of_first}");
            // Calls that have to end do so.
            held.retain(|charge| charge.stream.end_now().is_none());
        }
        let shares: Vec<usize> = (0..100).map(|number| room.held().all.shares.of(peer(number))).collect();
        assert!(shares.iter().all(|share| *share >= 1_000), "nobody has less than others need: {shares:?}");
        let newcomer = take(&room, 200, 1_000).expect("as much as each of the others has");
        assert!(held.iter().any(|charge| charge.stream.end_now().is_some()), "somebody made room");
        drop((held, newcomer));
        assert_empty(&room);
    }

    /// Goal: callers who hold just as much as a newcomer needs, and do nothing, keep him out for some seconds at most;
    /// active callers do not lose their calls for that.
    #[test]
    fn what_stands_still_gives_way() {
        let room = Room::new(10_000, 0, RoomMeasures::default());
        let mut held: Vec<_> = (0..100).map(|number| take(&room, number, 100).expect("there is room")).collect();
        assert_eq!(take(&room, 200, 100).err(), Some(Full::Shared), "all hold as much, and do something");
        for (number, charge) in (150..).zip(&mut held[7..12]) {
            charge.shrink_to(0);
            let stream = Stream::new();
            stream.stand(STILL);
            *charge = Account::new(&room, peer(number)).take(&stream, 100, Part::Whole).expect("there is room");
        }
        let newcomer = take(&room, 200, 100).expect("one stands still");
        assert_eq!(take(&room, 203, 700).err(), Some(Full::Shared), "this is not modest");
        assert_eq!(take(&room, 201, 400).err(), Some(Full::Shared), "he would hold more than those who stand still");
        let others: Vec<_> = (202..206).map(|number| take(&room, number, 100).expect("four more do")).collect();
        let ended = held.iter().filter(|charge| charge.stream.end_now().is_some()).count();
        assert_eq!(ended, 5, "and no other");
        assert_eq!(take(&room, 206, 100).err(), Some(Full::Shared), "nothing stands still");
        drop((held, newcomer, others));
        assert_empty(&room);
    }

    /// Goal: however many call, and whoever moves his own calls: one that stands still and holds little is not ended
    /// for those who would hold more. A large newcomer ends large calls, and not the small ones that fill the reserve.
    #[test]
    fn small_and_still_calls_are_safe() {
        let room = Room::new(10_000, 2_000, RoomMeasures::default());
        let still = Stream::new();
        still.stand(STILL);
        let small = Account::new(&room, peer(1)).take(&still, 10, Part::Whole).expect("there is room");
        let large =
            |number, amount| Account::new(&room, peer(number)).take(&Stream::new(), amount, Part::BeforeReserve);
        let mut held: Vec<Charge> = (2..18).map(|number| large(number, 480).expect("there is room")).collect();
        held.extend((100..105).map(|number| take(&room, number, 199).expect("the reserve is free")));
        assert_eq!(large(30, 480).err(), Some(Full::Shared), "all that are as large do something");
        // One holds most in small calls, on which nothing has moved for longer than on the large ones.
        for _ in 0..30 {
            let stiller = Stream::new();
            stiller.stand(STILL / 2);
            held.push(Account::new(&room, peer(17)).take(&stiller, 20, Part::Whole).expect("there is room"));
        }
        let newcomer = large(31, 400).expect("one holds more");
        let ended: Vec<_> = held.iter().filter(|charge| charge.stream.end_now().is_some()).collect();
        assert_eq!(ended.iter().map(|charge| charge.amount()).collect::<Vec<_>>(), [480], "one, and a large one");
        assert!(small.stream.end_now().is_none());
        drop((held, newcomer, small));
        assert_empty(&room);
    }

    /// Goal: a call that has to end gets nothing more, and what it still holds counts for nobody; that amount is
    /// limited.
    #[test]
    fn what_ends_still_counts() {
        let room = Room::new(800, 0, RoomMeasures::default());
        let first: Vec<Charge> = (0..2).map(|_| take(&room, 1, 100).expect("there is room")).collect();
        let mut rest = Vec::new();
        for number in 2..5 {
            let mut charge = Account::new(&room, peer(number)).charge(&Stream::new());
            charge.force(200);
            rest.push(charge);
        }
        let newcomer = take(&room, 9, 50).expect("one makes room");
        let mut ended: Vec<Charge> = first.into_iter().chain(rest).filter(|c| c.stream.end_now().is_some()).collect();
        assert_eq!(ended.len(), 1);
        let (live, ending) = {
            let held = room.held();
            (held.all.shares.all(), held.ending_all)
        };
        assert!(live <= 800 && ending >= 100, "{live} held, {ending} about to leave");
        assert_eq!(ended[0].grow(1, Part::Whole), Err(Full::Shared));
        ended[0].force(1);
        drop(newcomer);
        let mut force = Account::new(&room, peer(10)).charge(&Stream::new());
        force.force(800);
        assert_eq!(take(&room, 11, 50).err(), Some(Full::Soon), "too much is about to leave already");
        drop((ended, force));
        assert_empty(&room);
    }

    /// Goal: large charges leave the reserve to small ones; a connection with many charges gets its share, while a
    /// single charge may be larger.
    #[test]
    fn reserve_and_connection() {
        let room = Room::new(80, 10, RoomMeasures::default());
        let (one, other) = (Account::new(&room, peer(1)), Account::new(&room, peer(2)));
        let stream = Stream::new();
        let first = one.take(&stream, 23, Part::BeforeReserve).expect("one charge alone");
        assert_eq!(
            one.take(&stream, 1, Part::Whole).err(),
            Some(Full::Shared),
            "its connection holds more than an eighth"
        );
        let mut second = other.charge(&Stream::new());
        second.force(21);
        let third = Account::new(&room, peer(3));
        let large = third.take(&Stream::new(), 26, Part::BeforeReserve);
        assert_eq!(large.err(), Some(Full::Shared), "it would hold more than the others");
        let mut small = third.take(&Stream::new(), 9, Part::Whole).expect("there is room");
        small.shrink_to(2);
        assert_eq!(room.held().total(), 46);
        drop((first, second, small));
        assert_empty(&room);
    }
}

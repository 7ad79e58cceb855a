//! Turns: an order of jobs that is fair to callers, not to jobs.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// A caller in the queue.
pub(crate) trait Caller: Copy + Eq + Hash {
    /// Whether it has proved who it is. Such callers cannot be multiplied at will.
    fn is_known(&self) -> bool;
}

/// Institutions have proved who they are.
impl Caller for creditbank_protocol::InstitutionId {
    fn is_known(&self) -> bool {
        true
    }
}

/// An address proves nothing.
impl Caller for crate::serve::Peer {
    fn is_known(&self) -> bool {
        false
    }
}

/// Limits of waiting and running jobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Waiting jobs of all callers. The last quarter is for known callers only.
    pub(crate) all: usize,
    /// Waiting jobs of one caller.
    pub(crate) of_caller: usize,
    /// Running jobs of one caller.
    pub(crate) at_once: usize,
}

/// Which limit refused a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The limit of all callers.
    All,
    /// The limit of its own caller.
    OfCaller,
}

/// The waiting and running jobs of one caller.
#[derive(Debug)]
struct Own<J> {
    waiting: VecDeque<(u64, J)>,
    running: usize,
    /// Whether it is in its ring.
    in_ring: bool,
}

/// Waiting jobs. A caller is in a ring while it has a job and may have more running. Known callers and others have a
/// ring each, and the two alternate.
#[derive(Debug)]
pub(crate) struct Turns<K, J> {
    bounds: Bounds,
    callers: HashMap<K, Own<J>>,
    rings: [VecDeque<K>; 2],
    /// The ring that is next.
    turn: usize,
    waiting: usize,
    next_id: u64,
}

impl<K: Caller, J> Turns<K, J> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, callers: HashMap::new(), rings: Default::default(), turn: 0, waiting: 0, next_id: 0 }
    }

    /// Jobs that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Adds a job after its caller's other jobs. Returns the id with which it can be taken back. The error returns the
    /// job.
    pub(crate) fn push(&mut self, caller: K, job: J) -> Result<u64, (Full, J)> {
        let most = if caller.is_known() { self.bounds.all } else { self.bounds.all / 4 * 3 };
        if self.waiting >= most {
            return Err((Full::All, job));
        }
        if self.callers.get(&caller).is_some_and(|own| own.waiting.len() >= self.bounds.of_caller) {
            return Err((Full::OfCaller, job));
        }
        let id = self.next_id;
        self.next_id += 1;
        self.waiting += 1;
        let fresh = || Own { waiting: VecDeque::new(), running: 0, in_ring: false };
        self.callers.entry(caller).or_insert_with(fresh).waiting.push_back((id, job));
        self.stand(caller);
        Ok(id)
    }

    /// Puts a caller at the end of its ring if it has a job that may run.
    fn stand(&mut self, caller: K) {
        let Some(own) = self.callers.get_mut(&caller) else { return };
        if own.waiting.is_empty() && own.running == 0 {
            self.callers.remove(&caller);
        } else if !own.in_ring && !own.waiting.is_empty() && own.running < self.bounds.at_once {
            own.in_ring = true;
            self.rings[usize::from(!caller.is_known())].push_back(caller);
        }
    }

    /// The next job. It counts as running until [`done`](Self::done).
    pub(crate) fn pop(&mut self) -> Option<(K, J)> {
        for _ in 0..self.rings.len() {
            let ring = self.turn;
            self.turn = (self.turn + 1) % self.rings.len();
            while let Some(caller) = self.rings[ring].pop_front() {
                let Some(own) = self.callers.get_mut(&caller) else { continue };
                own.in_ring = false;
                let Some((_, job)) = own.waiting.pop_front() else {
                    self.stand(caller);
                    continue;
                };
                own.running += 1;
                self.waiting -= 1;
                self.stand(caller);
                return Some((caller, job));
            }
        }
        None
    }

    /// A job of the caller has ended.
    pub(crate) fn done(&mut self, caller: K) {
        if let Some(own) = self.callers.get_mut(&caller) {
            own.running = own.running.saturating_sub(1);
        }
        self.stand(caller);
    }

    /// Takes back a job that still waits.
    pub(crate) fn take_back(&mut self, caller: K, id: u64) -> Option<J> {
        let own = self.callers.get_mut(&caller)?;
        let at = own.waiting.iter().position(|(one, _)| *one == id)?;
        let (_, job) = own.waiting.remove(at)?;
        self.waiting -= 1;
        // The caller may still be in its ring without a job; then its turn is skipped.
        Some(job)
    }

    /// Takes all jobs that wait.
    pub(crate) fn clear(&mut self) -> Vec<J> {
        self.waiting = 0;
        self.callers.values_mut().flat_map(|own| own.waiting.drain(..)).map(|(_, job)| job).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    enum Key {
        Known(u8),
        Other(u8),
    }

    impl Caller for Key {
        fn is_known(&self) -> bool {
            matches!(self, Self::Known(_))
        }
    }

    const BOUNDS: Bounds = Bounds { all: 1_000, of_caller: 100, at_once: 2 };

    /// Goal: a caller with many jobs waits behind itself, and its jobs keep their order.
    #[test]
    fn callers_take_turns() {
        let mut turns = Turns::new(BOUNDS);
        for job in 0..100 {
            turns.push(Key::Known(1), job).expect("room");
        }
        turns.push(Key::Known(2), 500).expect("room");
        let mut order = Vec::new();
        while let Some((caller, job)) = turns.pop() {
            order.push(job);
            turns.done(caller);
        }
        assert_eq!(order[..4], [0, 500, 1, 2]);
        assert_eq!(order.len(), 101);
        assert!(turns.is_empty() && turns.callers.is_empty(), "nothing is kept of callers without work");
    }

    /// Goal: however many addresses ask, every second turn goes to somebody with a token, and the last quarter of the
    /// queue is kept for them.
    #[test]
    fn addresses_share_half() {
        let mut turns = Turns::new(Bounds { all: 100, of_caller: 100, at_once: 1 });
        for job in 0..75 {
            turns.push(Key::Other(job), u32::from(job)).expect("three quarters");
        }
        assert_eq!(turns.push(Key::Other(200), 0), Err((Full::All, 0)));
        for job in 1_000..1_025 {
            turns.push(Key::Known(1), job).expect("the last quarter");
        }
        assert_eq!(turns.push(Key::Known(2), 0), Err((Full::All, 0)));
        let mut known = 0;
        for _ in 0..50 {
            let (caller, job) = turns.pop().expect("a job");
            known += u32::from(job >= 1_000);
            turns.done(caller);
        }
        assert_eq!(known, 25);
    }

    /// Goal: a caller at its limit of running jobs does not get more, and nobody waits for it.
    #[test]
    fn one_caller_leaves_room() {
        let mut turns = Turns::new(BOUNDS);
        for job in 0..10 {
            turns.push(Key::Known(1), job).expect("room");
        }
        assert_eq!((turns.pop(), turns.pop()), (Some((Key::Known(1), 0)), Some((Key::Known(1), 1))));
        assert_eq!(turns.pop(), None);
        turns.push(Key::Other(1), 99).expect("room");
        assert_eq!(turns.pop(), Some((Key::Other(1), 99)));
        turns.done(Key::Known(1));
        assert_eq!(turns.pop(), Some((Key::Known(1), 2)));
    }

    /// Goal: a job that was taken back does not run, and frees its caller's place.
    #[test]
    fn who_leaves_takes_no_turn() {
        let mut turns = Turns::new(Bounds { of_caller: 2, ..BOUNDS });
        let first = turns.push(Key::Known(1), 1).expect("room");
        turns.push(Key::Known(1), 2).expect("room");
        assert_eq!(turns.push(Key::Known(1), 3), Err((Full::OfCaller, 3)));
        assert_eq!(turns.take_back(Key::Known(1), first), Some(1));
        assert_eq!(turns.take_back(Key::Known(1), first), None);
        turns.push(Key::Known(1), 3).expect("room");
        assert_eq!((turns.pop(), turns.pop()), (Some((Key::Known(1), 2)), Some((Key::Known(1), 3))));
        let last = turns.push(Key::Known(2), 4).expect("room");
        assert_eq!(turns.take_back(Key::Known(2), last), Some(4));
        assert_eq!((turns.pop(), turns.len()), (None, 0));
    }
}

//! Shares of a queue's places or bytes among callers.
//!
//! A caller may hold half of what is free, so one caller alone gets about a third. An eighth of the room is reserved
//! for callers who hold at most a thirty-second of the room: whatever others hold of the rest, they get in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::work::Who;

#[derive(Debug, Default)]
struct Held {
    all: usize,
    /// Callers that hold something.
    of: HashMap<Who, usize>,
}

/// A room of a number of units.
#[derive(Debug)]
pub(super) struct Share {
    total: usize,
    held: Mutex<Held>,
}

/// What a caller holds of a room, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    share: Arc<Share>,
    who: Who,
    amount: usize,
}

impl Share {
    pub(super) fn new(total: usize) -> Arc<Self> {
        Arc::new(Self { total, held: Mutex::default() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an amount for a caller; `None` if there is no room for him.
    pub(super) fn take(self: &Arc<Self>, who: Who, amount: usize) -> Option<Place> {
        let mut held = self.held();
        let all = held.all.checked_add(amount).filter(|all| *all <= self.total)?;
        let own = held.of.get(&who).copied().unwrap_or(0) + amount;
        let (little, for_many) = (self.total.div_ceil(32), self.total - self.total / 8);
        if own > little && own > for_many.saturating_sub(all) / 2 {
            return None;
        }
        held.all = all;
        held.of.insert(who, own);
        drop(held);
        Some(Place { share: Arc::clone(self), who, amount })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.share.held();
        held.all = held.all.saturating_sub(self.amount);
        if let Some(own) = held.of.get_mut(&self.who) {
            *own = own.saturating_sub(self.amount);
            if *own == 0 {
                held.of.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::Peer;

    fn who(number: u8) -> Who {
        Who::Address(Peer::of(([192, 0, 2, number], 1).into()))
    }

    /// Goal: a caller that takes all that it can get leaves room to others, and many who do so leave some to a caller
    /// who holds little.
    #[test]
    fn who_holds_little_gets_in() {
        let share = Share::new(1_024);
        let take_all = |who| std::iter::from_fn(|| share.take(who, 1)).collect::<Vec<_>>();
        let first = take_all(who(1));
        assert!((256..=341).contains(&first.len()), "about a third: {}", first.len());
        let second = take_all(who(2));
        assert!(second.len() >= 128, "half of what is left: {}", second.len());
        let mut others: Vec<_> = (3..10).map(|number| take_all(who(number))).collect();
        let newcomer = take_all(who(200));
        assert!(newcomer.len() >= 32, "what is kept for who holds little: {}", newcomer.len());
        others.extend([first, second, newcomer]);
        assert!(others.iter().map(Vec::len).sum::<usize>() <= 1_024);
        drop(others);
        let held = share.held();
        assert!(held.all == 0 && held.of.is_empty(), "who holds nothing takes up nothing");
    }

    /// Goal: no amount overflows; an amount without room is refused and leaves nothing behind.
    #[test]
    fn what_has_no_room_is_refused() {
        let share = Share::new(64);
        assert!(share.take(who(1), 65).is_none());
        assert!(share.take(who(1), usize::MAX).is_none());
        let place = share.take(who(1), 18).expect("one alone");
        assert!(share.take(who(2), usize::MAX).is_none());
        drop(place);
        assert!(share.held().of.is_empty());
    }
}

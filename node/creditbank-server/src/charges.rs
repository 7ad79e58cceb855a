//! Charges that are forgotten in time: how much somebody has used recently.
//!
//! Each key is charged separately. The table of keys is limited, so that somebody with very many keys cannot fill the
//! memory: above the limit, new keys share one entry.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How often a full table is swept. A sweep takes a while, so not every charge can make one.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How many charges one key may have, and how fast they are forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bound {
    /// Most charges at once.
    pub(crate) most: u64,
    /// How many are forgotten together.
    pub(crate) forgotten: u64,
    /// The time after which these are forgotten.
    pub(crate) every: Duration,
}

impl Bound {
    /// Charges are forgotten one by one, this many in a second.
    pub(crate) const fn steady(most: u64, per_second: u64) -> Self {
        Self { most, forgotten: 1, every: Duration::from_nanos(1_000_000_000 / per_second) }
    }
}

/// When a table was last swept.
#[derive(Debug, Default)]
pub(crate) struct Sweeps(Option<Instant>);

impl Sweeps {
    /// Whether a full table should be swept now: at most once a second.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.0.is_none_or(|last| now.saturating_duration_since(last) >= SWEEP_EVERY);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

/// The charges of one key.
#[derive(Debug, Clone, Copy)]
struct Entry {
    count: u64,
    /// Up to when charges were forgotten.
    since: Instant,
    bound: Bound,
}

impl Entry {
    fn forget(&mut self, now: Instant) {
        let (passed, every) =
            (now.saturating_duration_since(self.since).as_nanos(), self.bound.every.as_nanos().max(1));
        let times = u64::try_from(passed / every).unwrap_or(u64::MAX);
        if times > 0 {
            self.count = self.count.saturating_sub(times.saturating_mul(self.bound.forgotten));
            // What has begun of the next interval stays.
            let begun = Duration::from_nanos(u64::try_from(passed % every).unwrap_or(0));
            self.since = now.checked_sub(begun).unwrap_or(now);
        }
    }
}

/// The charges of all keys.
#[derive(Debug)]
pub(crate) struct Charges<K> {
    entries: HashMap<K, Entry>,
    /// How many keys have an entry of their own.
    keys_max: usize,
    sweeps: Sweeps,
}

impl<K: Copy + Eq + Hash> Charges<K> {
    pub(crate) fn new(keys_max: usize) -> Self {
        Self { entries: HashMap::new(), keys_max, sweeps: Sweeps::default() }
    }

    /// Charges a key once more, where it does not have as many as it may. The answer says what was charged: `key`, or
    /// `common` where there is no room for another key. A key that is its own `common` always has room: how many there
    /// are of these is the caller's to bound.
    pub(crate) fn charge(&mut self, key: K, common: K, bound: Bound, now: Instant) -> Option<K> {
        let key = if self.has_room(key, now) { key } else { common };
        let entry = self.entries.entry(key).or_insert(Entry { count: 0, since: now, bound });
        entry.forget(now);
        if entry.count >= bound.most {
            return None;
        }
        entry.count += 1;
        Some(key)
    }

    /// Whether a key has an entry or may have one.
    fn has_room(&mut self, key: K, now: Instant) -> bool {
        if self.entries.len() < self.keys_max || self.entries.contains_key(&key) {
            return true;
        }
        if self.sweeps.is_due(now) {
            self.entries.retain(|_, entry| {
                entry.forget(now);
                entry.count > 0
            });
        }
        self.entries.len() < self.keys_max
    }

    /// Whether a key has as many charges as it may have.
    pub(crate) fn is_over(&mut self, key: K, now: Instant) -> bool {
        self.entries.get_mut(&key).is_some_and(|entry| {
            entry.forget(now);
            entry.count >= entry.bound.most
        })
    }

    /// Gives one charge back.
    pub(crate) fn forgive(&mut self, key: K) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.count = entry.count.saturating_sub(1);
            if entry.count == 0 {
                self.entries.remove(&key);
            }
        }
    }

    /// Forgets all charges of a key.
    pub(crate) fn remove(&mut self, key: K) {
        self.entries.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: u32 = u32::MAX;
    const SECOND: Duration = Duration::from_secs(1);

    /// Goal: a key has as many charges as it may; some are forgotten in time, and one can be given back; other keys
    /// have their own.
    #[test]
    fn charges_have_a_bound_and_are_forgotten() {
        let (mut charges, now) = (Charges::new(10), Instant::now());
        let bound = Bound::steady(3, 2);
        let charge = |charges: &mut Charges<u32>, now| charges.charge(1, COMMON, bound, now);
        for _ in 0..3 {
            assert!(!charges.is_over(1, now));
            assert_eq!(charge(&mut charges, now), Some(1));
        }
        assert!(charges.is_over(1, now));
        assert_eq!(charge(&mut charges, now), None);
        assert_eq!(charges.charge(2, COMMON, bound, now), Some(2));
        assert_eq!(charge(&mut charges, now + SECOND / 4), None, "it takes half a second");
        assert_eq!(charge(&mut charges, now + SECOND / 2), Some(1));
        assert_eq!(charge(&mut charges, now + SECOND / 2), None);
        charges.forgive(1);
        assert_eq!(charge(&mut charges, now + SECOND / 2), Some(1));
        charges.forgive(2);
        assert_eq!(charges.entries.len(), 1, "who has none is not kept");
        charges.remove(1);
        assert!(!charges.is_over(1, now));
    }

    /// Goal: charges that are forgotten together stay until their time has passed.
    #[test]
    fn charges_are_forgotten_together() {
        let (mut charges, now) = (Charges::new(10), Instant::now());
        let bound = Bound { most: 5, forgotten: 2, every: SECOND };
        let mut more = |now| std::iter::from_fn(|| charges.charge(1, COMMON, bound, now)).count();
        assert_eq!(more(now), 5);
        assert_eq!(more(now + SECOND * 9 / 10), 0);
        assert_eq!(more(now + SECOND), 2);
        assert_eq!(more(now + SECOND * 10), 5, "and no more than at once");
    }

    /// Goal: above the limit new keys share one entry, until a sweep finds keys without charges; there is one sweep a
    /// second. A key that is its own common key has its own entry.
    #[test]
    fn keys_have_a_bound() {
        let (mut charges, now) = (Charges::new(3), Instant::now());
        let bound = Bound { most: 2, forgotten: 1, every: SECOND };
        let charge = |charges: &mut Charges<u32>, key, now| charges.charge(key, COMMON, bound, now);
        for key in 0..3 {
            assert_eq!(charge(&mut charges, key, now), Some(key));
        }
        assert_eq!(charge(&mut charges, 3, now), Some(COMMON));
        assert_eq!(charge(&mut charges, 4, now), Some(COMMON));
        assert_eq!(charge(&mut charges, 5, now), None, "all have what one may have");
        assert_eq!(charge(&mut charges, 0, now), Some(0), "who is known has its own");
        assert_eq!(charges.charge(6, 6, bound, now), Some(6));
        assert_eq!(charges.entries.len(), 5);
        let later = now + SECOND;
        assert_eq!(charge(&mut charges, 7, later), Some(7), "1, 2 and 6 had nothing any more");
        assert_eq!(charges.entries.len(), 3, "0, the common one and 7");
        let not_yet = later + SECOND * 99 / 100;
        assert_eq!(charge(&mut charges, 8, not_yet), Some(COMMON), "it was gone through less than a second ago");
        assert_eq!(charge(&mut charges, 8, later + SECOND), Some(8));
    }
}

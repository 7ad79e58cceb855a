//! Which learners certainly have no record of a course: a Bloom filter in memory over the learner index.
//!
//! Every record is checked against the learner's other records of the same course, and nearly always there are none. An
//! index read that finds nothing costs more than all other rules together, so the filter answers instead: a "no" is
//! certain, a "perhaps" is looked up. After each start the filter is filled from the index ([`Filling`]); until that is
//! done, every answer is "perhaps".

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use creditbank_store::StoreError;
use fastbloom::BloomFilter;

use crate::ledger::Shared;
use crate::tables::{self, CoursePrefix};

/// Courses of the first layer. Each further layer holds twice as many as the one before.
const FIRST_LAYER: usize = 1 << 20;
/// Rows read at once.
const PAGE: usize = 10_000;
/// The rate of false "perhaps" answers, for each layer.
const WRONG_ONE_IN: f64 = 1.0 / 256.0;

/// Keys are digests and random numbers already: their first bytes are as good as any hash of them.
#[derive(Debug, Clone, Copy, Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn write(&mut self, bytes: &[u8]) {
        // Account and course digest are 8 bytes apart from the end on; a length or another part adds nothing.
        for word in bytes.as_chunks::<8>().0 {
            self.0 = self.0.rotate_left(23) ^ u64::from_be_bytes(*word);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Layer {
    filter: BloomFilter<BuildHasherDefault<Prefix>>,
    room: usize,
}

impl Layer {
    fn new(room: usize) -> Self {
        let filter = BloomFilter::with_false_pos(WRONG_ONE_IN).hasher(BuildHasherDefault::default());
        Self { filter: filter.expected_items(room), room }
    }
}

/// The filter.
pub(crate) struct Courses {
    layers: RwLock<Vec<Layer>>,
    complete: AtomicBool,
}

impl Courses {
    /// An empty filter, which answers "perhaps" until it is complete.
    pub(crate) fn new() -> Self {
        Self { layers: RwLock::new(vec![Layer::new(FIRST_LAYER)]), complete: AtomicBool::new(false) }
    }

    /// Adds courses of learners.
    pub(crate) fn add<'a>(&self, prefixes: impl Iterator<Item = &'a CoursePrefix>) {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        for prefix in prefixes {
            if layers.iter().rev().skip(1).any(|layer| layer.filter.contains(prefix)) {
                continue;
            }
            let Some(last) = layers.last_mut() else { return };
            if !last.filter.insert(prefix) {
                last.room -= 1;
            }
            if last.room == 0 {
                let next = FIRST_LAYER << layers.len();
                layers.push(Layer::new(next));
            }
        }
    }

    /// Whether the learner index certainly has no row with this prefix.
    pub(crate) fn certainly_lacks(&self, prefix: &CoursePrefix) -> bool {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        self.complete.load(Ordering::Acquire) && !layers.iter().any(|layer| layer.filter.contains(prefix))
    }
}

/// How far the filter is filled from the index.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    after: Option<Vec<u8>>,
}

impl Filling {
    /// Adds one page of the index; returns `true` after the last one.
    pub(crate) fn step(&mut self, shared: &Shared) -> Result<bool, StoreError> {
        let page = shared.store().scan(tables::LEARNER, &[], self.after.as_deref(), PAGE)?;
        shared.courses().add(page.iter().filter_map(|(key, _)| key.first_chunk()));
        let done = page.len() < PAGE;
        if done {
            shared.courses().complete.store(true, Ordering::Release);
        }
        self.after = page.into_iter().next_back().map(|(key, _)| key);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(number: u64) -> CoursePrefix {
        let digest = creditbank_protocol::hash::sha256(&number.to_be_bytes());
        std::array::from_fn(|i| digest.0[i])
    }

    /// Goal: what was added is never denied, over several layers too; nearly everything else is denied.
    #[test]
    fn a_no_is_certain() {
        let courses = Courses::new();
        assert!(!courses.certainly_lacks(&prefix(1)), "nothing is certain before it is complete");
        courses.complete.store(true, Ordering::Release);
        let many = 2 * FIRST_LAYER as u64;
        let added: Vec<_> = (0..many).map(prefix).collect();
        courses.add(added.iter());
        assert!(courses.layers.read().expect("not poisoned").len() > 1);
        assert!(added.iter().all(|prefix| !courses.certainly_lacks(prefix)));
        let wrong = (many..many + 100_000).filter(|number| !courses.certainly_lacks(&prefix(*number))).count();
        assert!(wrong < 2_000, "{wrong} of 100,000 are taken for known");
    }
}

//! Which learners certainly have no record of a course: a Bloom filter in memory over the learner index.
//!
//! Every record is checked against the learner's other records of the same course, and nearly every time there are none. A
//! read of the index that finds nothing costs more than all other rules together, so the filter answers it: a "no" is certain,
//! a "perhaps" is looked up. It is derived: a thread fills it from the index after each start, and until that is done every
//! answer is "perhaps".

use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use fastbloom::BloomFilter;

use crate::ledger::Shared;
use crate::tables::{self, CoursePrefix};

/// Courses of the first layer; each further layer takes twice as many as the one before.
const FIRST_LAYER: usize = 1 << 20;
/// Rows read at once.
const PAGE: usize = 10_000;
/// One wrong "perhaps" in so many, for each layer.
const WRONG_ONE_IN: f64 = 1.0 / 256.0;

/// Keys are digests and random numbers already: the first bytes of both are as good as any hash of them.
#[derive(Debug, Clone, Copy, Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn write(&mut self, bytes: &[u8]) {
        // Account and course digest lie 8 bytes apart from the end on; a length or another part adds nothing.
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

/// Fills the filter from the index on a thread of its own, which ends with the ledger.
pub(crate) fn fill(shared: &Arc<Shared>) {
    let ledger = Arc::downgrade(shared);
    let fill = move || {
        let mut after: Option<Vec<u8>> = None;
        loop {
            // Held for one page only: a ledger that is closed is not kept open.
            let Some(shared) = ledger.upgrade() else { return };
            let page = match shared.store().scan(tables::LEARNER, &[], after.as_deref(), PAGE) {
                Ok(page) => page,
                Err(error) => {
                    return tracing::warn!(%error, "the learner index cannot be read: every repeat is looked up");
                }
            };
            shared.courses().add(page.iter().filter_map(|(key, _)| key.first_chunk()));
            if page.len() < PAGE {
                return shared.courses().complete.store(true, Ordering::Release);
            }
            after = page.into_iter().next_back().map(|(key, _)| key);
        }
    };
    // Without the thread everything works, a little slower.
    if let Err(error) = std::thread::Builder::new().name("courses".to_owned()).spawn(fill) {
        tracing::warn!(%error, "no thread to fill the filter of courses: every repeat is looked up");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(number: u64) -> CoursePrefix {
        let digest = creditbank_protocol::hash::sha256(&number.to_be_bytes());
        std::array::from_fn(|i| digest.0[i])
    }

    /// Goal: what was added is never denied, also over several layers; of what was not added nearly everything is.
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

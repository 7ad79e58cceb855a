//! The round before the one that is being built, while it is being written.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use creditbank_protocol::{LogIndex, Place};

use super::accounts::Identities;
use crate::tables::{CoursePrefix, LearnerRow};

/// What the next round must know of it. It counts already, but nobody was told yet, and the store may not have it.
pub(crate) struct Pending {
    /// Log index of its first entry.
    pub(super) first: LogIndex,
    /// Whether it has entries. A round with accounts only has nothing of the log that waits for the disk.
    pub(super) has_entries: bool,
    pub(super) learners: HashMap<CoursePrefix, Vec<LearnerRow>>,
    /// Places of records by the digests of what is given or used once: numbers of documents, papers of mandates.
    pub(super) given: HashMap<[u8; 32], Vec<Place>>,
    /// Identities whose accounts were opened in it.
    pub(super) identities: Identities,
    /// Whether a question came up that only the store can answer, once it has the round.
    asked: AtomicBool,
}

/// The answer is in a round that is not on the disk yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the round before is being written")]
pub(crate) struct Unsettled;

impl Pending {
    pub(super) fn new(
        first: LogIndex,
        has_entries: bool,
        learners: HashMap<CoursePrefix, Vec<LearnerRow>>,
        given: HashMap<[u8; 32], Vec<Place>>,
        identities: Identities,
    ) -> Self {
        Self { first, has_entries, learners, given, identities, asked: AtomicBool::new(false) }
    }

    /// The courses of learners that have records in the round.
    pub(crate) fn courses(&self) -> impl Iterator<Item = &CoursePrefix> {
        self.learners.keys()
    }

    /// Records that an answer needs the round on the disk.
    pub(super) fn unsettled(&self) -> Unsettled {
        self.asked.store(true, Ordering::Relaxed);
        Unsettled
    }

    /// Whether an answer needs the round on the disk.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The same, and resets it.
    pub(super) fn take_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }
}

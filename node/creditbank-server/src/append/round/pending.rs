//! The round before the one that is being built, while it is on its way to the disk.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::append::SubmitError;
use crate::tables::{CoursePrefix, LearnerRow};

/// What the next round must know of it: it counts already, but nobody was told yet, and the store may not have it.
pub(crate) struct Pending {
    /// Log index of its first entry.
    pub(super) first: u64,
    pub(super) learners: HashMap<CoursePrefix, Vec<LearnerRow>>,
    outcome: Mutex<Option<Result<(), SubmitError>>>,
    settled: Condvar,
}

impl Pending {
    pub(super) fn new(first: u64, learners: HashMap<CoursePrefix, Vec<LearnerRow>>) -> Self {
        Self { first, learners, outcome: Mutex::new(None), settled: Condvar::new() }
    }

    /// The courses of learners that have records of the round.
    pub(crate) fn courses(&self) -> impl Iterator<Item = &CoursePrefix> {
        self.learners.keys()
    }

    /// Says what became of it; what is said first counts.
    pub(crate) fn finish(&self, outcome: Result<(), SubmitError>) {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(outcome);
        self.settled.notify_all();
    }

    /// Waits until it is on the disk, or until that has failed.
    pub(crate) fn settle(&self) -> Result<(), SubmitError> {
        let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*outcome {
                Some(outcome) => return outcome.clone(),
                None => outcome = self.settled.wait(outcome).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

//! What a search for an allocation comes to.

use creditbank_protocol::pb;

use super::{Audit, Progress};

/// Whether a learner's records make the award.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// They do, by this allocation.
    Met {
        /// The allocation.
        found: Found,
        /// What the check of it says.
        audit: Audit,
    },
    /// Proved that no allocation makes it. This one gets far.
    Missing(Found),
    /// Neither found nor proved.
    Undecided(Undecided),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undecided {
    /// The caller's patience has ended.
    Time,
    /// The question, or a number in it, is larger than the solver takes.
    TooLarge,
    /// What was found does not pass the check: a fault of this program.
    Fault,
}

/// An allocation and what it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As an award names it: ascending by requirement, place and result.
    pub allocations: Vec<pb::Allocation>,
    /// How far it gets, and why the other candidates are not in it.
    pub progress: Progress,
}

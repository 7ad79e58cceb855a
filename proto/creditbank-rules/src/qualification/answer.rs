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
    /// Neither found nor proved within the caller's patience.
    Undecided,
}

/// An allocation and what it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As an award names it: ascending by requirement, place and result.
    pub allocations: Vec<pb::Allocation>,
    /// How far it gets, and why the other candidates are not in it.
    pub progress: Progress,
}

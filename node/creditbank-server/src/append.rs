//! The append path: check a block, put it in order, make it durable.
//!
//! `verify` checks everything that does not depend on order. `orderer` orders blocks into rounds (`round`) by the
//! rules, on top of the `state` of the log. `commit` makes a round durable, and then answers. None of them waits or has
//! a thread: `threads` runs them on threads, and `steps` runs them one step at a time, as its caller says.

pub(crate) mod accounts;
pub(crate) mod commit;
pub(crate) mod courses;
mod orderer;
pub(crate) mod round;
pub(crate) mod seal_time;
mod sealed;
mod share;
pub(crate) mod state;
mod steps;
pub(crate) mod threads;
mod verify;

pub use accounts::{AccountError, Person};
pub use commit::Answer;
pub use seal_time::ClockDoubt;
pub(crate) use sealed::Claim;
pub use state::LoadError;
pub use steps::Steps;
pub use threads::Submission;
pub use verify::{HeldUp, OverQuota, SubmitError, VerifiedBlock, verify};
pub(crate) use verify::{NO_ROOM_RETRY_MS, Signed};

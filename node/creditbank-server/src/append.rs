//! The append path: check a block, put it in order, make it durable.
//!
//! `verify` checks what needs no order, on all cores (`verifiers`). `sequencer` orders blocks into rounds (`round`) by the
//! rules, on top of the `state` of the log. `committer` makes a round durable, and then answers.

pub(crate) mod accounts;
pub(crate) mod committer;
pub(crate) mod courses;
pub(crate) mod round;
pub(crate) mod sequencer;
pub(crate) mod state;
pub(crate) mod verifiers;
mod verify;

pub use accounts::{AccountError, Person};
pub use state::LoadError;
pub(crate) use verify::NO_ROOM_RETRY_MS;
pub use verify::{SubmitError, VerifiedBlock, verify};

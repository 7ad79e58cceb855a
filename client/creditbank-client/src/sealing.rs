//! Records and effects of any kind as one block of a unit: whole or not at all, and never twice.
//!
//! By the outbox (`crate::outbox`), the block is on the disk before it is sent, and the same bytes are sent again
//! after an
//! interruption. Seeds are derived from what a record says, so the same command again makes the same record, of which the
//! notes know that it is sealed, and which without notes the ledger refuses as a duplicate.

mod amending;
pub mod approval;
pub(crate) mod approved;
mod block;
pub(crate) mod body;
pub(crate) mod consequences;
mod contents;

pub use amending::supersede;
pub use block::{Options, Sealed, check, resume, seal_block};
pub(crate) use contents::groups;
pub use contents::{Contents, authority, effect, record};

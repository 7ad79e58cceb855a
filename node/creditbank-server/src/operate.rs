//! What the operator does with a node's directory: back up, restore, check, rebuild.

pub mod backup;
pub mod check;
mod reindex;
pub mod scrub;
pub mod succeed;

pub use reindex::reindex;

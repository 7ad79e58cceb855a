//! The rules of the credit bank: pure functions over a read-only [`View`].
//!
//! No I/O, no clock, no floating point, and nothing whose order could differ between machines: the node admits blocks with
//! this code, and an auditor replays the log (`creditbank-ledger`) with the same.
#![forbid(unsafe_code)]

pub mod admission;
pub mod agreement;
pub mod balance;
mod codes;
pub mod conversion;
pub mod decimal;
pub mod qualification;
mod registry;
mod rejection;
pub mod seed;
mod view;

pub use creditbank_protocol::dates;
pub use registry::{Agreement, Comparable, Rank, Registry, RegistryRecord};
pub use rejection::{Rejection, Rule};
pub use view::{HELD_MAX, HeldRecord, LearnerState, RecordFacts, Sealing, View, ViewError};

/// Version of the rules; every seal names the one that its round was checked against. Version 1 knew no agreements,
/// conversions, decisions and awards: kinds 5 to 16 and actions beyond supersede, revoke and confirm.
pub const RULES_VERSION: u32 = 2;

//! The rules of the credit bank: pure functions over a read-only [`View`].
//!
//! No I/O, no clock, no floating point, and nothing whose order could differ between machines: the node admits blocks
//! with this code, and an auditor replays the log (`creditbank-ledger`) with the same.
#![forbid(unsafe_code)]

pub mod admission;
pub mod agreement;
mod codes;
pub mod conversion;
mod course_key;
mod course_name;
pub mod deadline;
pub mod decimal;
mod document_key;
pub mod foreign_key;
pub mod once;
mod paper_key;
pub mod plausible;
pub mod qualification;
mod registry;
mod rejection;
pub mod seed;
pub mod texts;
mod view;

pub use course_key::CourseKey;
pub use course_name::CourseName;
pub use creditbank_protocol::course_code;
pub use creditbank_protocol::dates;
pub use creditbank_protocol::seal::RULES_VERSION;
pub use document_key::DocumentKey;
pub use paper_key::PaperKey;
pub use registry::scale::passes as grade_passes;
pub use registry::{Agreement, Comparable, Rank, Registry, RegistryRecord};
pub use rejection::{Rejection, Rule};
pub use view::{HELD_MAX, HeldRecord, LearnerState, RecordFacts, Said, Sealing, View, ViewError};

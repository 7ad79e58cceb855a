//! Reads from the log: records, chains, registry, transcripts, and what follows from them.

mod questions;
mod records;
mod registry;
mod status;
mod transcript;
mod view;

pub use records::{Issued, ReadError, ReadRecord};
pub use registry::{ProvedHead, ProvedRegistryEntry};
pub use transcript::TranscriptError;

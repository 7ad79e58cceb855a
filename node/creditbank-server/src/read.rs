//! What is read from the log: records, chains, registry, transcripts, and what follows from them.

mod balance;
mod cases;
mod evaluate;
mod preview;
mod records;
mod registry;
mod shown;
mod transcript;

pub use evaluate::Question;
pub use preview::{Preview, Wish};
pub use records::{Issued, ReadError, ReadRecord};
pub use registry::{ProvedHead, ProvedRegistryEntry};
pub(crate) use shown::SHOWN_MAX;
pub use shown::{Shown, Sight};
pub use transcript::TranscriptError;

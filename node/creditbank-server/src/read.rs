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
pub use preview::{ConversionRequest, Preview};
pub use records::{Issued, ReadError, ReadRecord};
pub use registry::{ProvedHead, ProvedRegistryEntry};
pub(crate) use shown::SHOWN_MAX;
pub use shown::{ReadScope, Shown};
pub use transcript::TranscriptError;

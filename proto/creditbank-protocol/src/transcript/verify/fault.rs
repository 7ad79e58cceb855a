//! What can be wrong with a transcript, and with which link of its proof.

use super::FileError;
use crate::block::BlockError;
use crate::canonical::CanonicalError;
use crate::entry::EntryError;
use crate::key::{LogKeyError, LogSuccessionError, SignatureError};
use crate::map::MapError;
use crate::merkle::ProofError;
use crate::note::NoteError;
use crate::record::DisclosureError;
use crate::seal::SealError;
use crate::trust::FormerError;

/// A link of the proof, in the order in which they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Link {
    /// The file itself.
    File,
    /// The signed note.
    Checkpoint,
    /// A seal.
    Seal,
    /// A registry entry.
    Registry,
    /// A block.
    Block,
    /// That a registry entry was published.
    Publication,
    /// A record.
    Record,
    /// The status of a record.
    Status,
    /// The subject statement.
    Statement,
}

/// The first broken link of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{link:?} {at}: {fault}")]
pub struct TranscriptError {
    /// Which link.
    pub link: Link,
    /// Which one of them: a log index, a place, a name.
    pub at: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is none.
    #[error(transparent)]
    File(#[from] FileError),
    /// Suite or version of another time.
    #[error("suite {suite} and version {version} are not supported, expected 1 and 1")]
    Version {
        /// The suite that came.
        suite: u32,
        /// The version that came.
        version: u32,
    },
    /// The note does not verify under the trust file.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The log is another one than the transcript's.
    #[error("the origin is {found}, expected {expected}")]
    Origin {
        /// The transcript's.
        expected: String,
        /// The link's.
        found: String,
    },
    /// An entry is none.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A block where a seal belongs, or the reverse.
    #[error("the entry is not a {0}")]
    EntryType(&'static str),
    /// A path does not lead to its root.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A path of the registry map does not lead to its root.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A seal is none.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A block is none.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A log key does not follow the one before.
    #[error(transparent)]
    LogKey(#[from] LogKeyError),
    /// The log does not go on under another origin.
    #[error(transparent)]
    LogSuccession(#[from] LogSuccessionError),
    /// A former origin does not end where the trust file says.
    #[error(transparent)]
    Former(#[from] FormerError),
    /// A structure is not canonical.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// A disclosed record is none.
    #[error(transparent)]
    Disclosure(#[from] DisclosureError),
    /// Something that must be there is not.
    #[error("{0} is missing")]
    Missing(String),
    /// Something that nothing uses, or in the wrong order: every byte of a transcript is there for a proof.
    #[error("{0}")]
    Surplus(&'static str),
    /// Two values that must be the same are not.
    #[error("{what} is {found}, expected {expected}")]
    Differs {
        /// Of what.
        what: &'static str,
        /// What must be.
        expected: String,
        /// What is.
        found: String,
    },
    /// An effect on a record by somebody without the right.
    #[error("an effect on the record without the right: {0}")]
    Authority(&'static str),
    /// Whoever signed could not seal this block.
    #[error("whoever signed could not seal this: {0}")]
    Issuer(&'static str),
    /// The key may not sign this.
    #[error("the key may not sign this: {0}")]
    KeyScope(&'static str),
}

/// Names the link in which a fault lies.
pub(super) fn broken<E: Into<Fault>>(link: Link, at: impl ToString) -> impl FnOnce(E) -> TranscriptError {
    move |fault| TranscriptError { link, at: at.to_string(), fault: fault.into() }
}

pub(super) fn differs(what: &'static str, expected: impl ToString, found: impl ToString) -> Fault {
    Fault::Differs { what, expected: expected.to_string(), found: found.to_string() }
}

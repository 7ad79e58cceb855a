//! Why a log cannot be continued.

use creditbank_protocol::block::DraftError;
use creditbank_protocol::canonical::CanonicalError;
use creditbank_protocol::counted;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::note::NoteError;
use creditbank_protocol::record::RecordError;
use creditbank_store::StoreError;

use crate::append::SubmitError;
use crate::directory::{DirectoryError, NAME_RULE};
use crate::operate::backup::BackupError;

/// Why a log cannot be continued.
#[derive(Debug, thiserror::Error)]
pub enum SucceedError {
    /// No round ends at this size.
    #[error("size {size} is not directly behind a seal: the nearest sizes are {before} and {after}")]
    NoSeal {
        /// The requested size.
        size: u64,
        /// The last seal before it.
        before: u64,
        /// The first seal after it.
        after: u64,
    },
    /// The log does not have this size.
    #[error("the log has {}: there is no size {size}", counted(*.found, "entry", "entries"))]
    Beyond {
        /// The requested size.
        size: u64,
        /// The log's size.
        found: u64,
    },
    /// The name is not possible.
    #[error("origin {0:?}: expected {NAME_RULE}")]
    Origin(String),
    /// The log has this name, or had it.
    #[error("{0} is the name of the old log or was one of its names: witnesses refuse it for ever, so choose another")]
    SameOrigin(String),
    /// The log continues under another name already.
    #[error(
        "the log continues as {newest} since an earlier succession, which is beyond size {size}: expected a size \
         after it. A second end of the same name contradicts every trust file that pins the first"
    )]
    Gone {
        /// The requested size.
        size: u64,
        /// Its name now.
        newest: String,
    },
    /// There is no journal.
    #[error("the log is in memory: there is nothing to continue")]
    Memory,
    /// The log contradicts what others have seen of it.
    #[error(
        "{path}: others have seen root {published} at size {size}, the journal has {found}: this is not the log that they know. \
         Restore another copy"
    )]
    Fork {
        /// The file with the checkpoint.
        path: String,
        /// Its size.
        size: u64,
        /// Its root.
        published: String,
        /// The journal's at that size.
        found: String,
    },
    /// The old log key is missing.
    #[error(
        "no file keys/log*.key holds the log key that has signed the seal before size {size}: {}. Nobody can continue \
         the log without it, not even with the registry key. Put a copy of this key there, and try again",
        .signers.join(" or ")
    )]
    NoLogKey {
        /// Where the old origin ends.
        size: u64,
        /// The keys that have signed the checkpoint there. One of them is needed.
        signers: Vec<String>,
    },
    /// A round that cannot be read.
    #[error("round {sequence} of the journal: {what}; run creditbank-node check")]
    Damaged {
        /// Which round.
        sequence: u64,
        /// What is wrong.
        what: String,
    },
    /// A file of a key that an option names.
    #[error("{option}: {error}. Expected {expected}")]
    Key {
        /// The option.
        option: &'static str,
        /// What the file must hold.
        expected: &'static str,
        /// What is wrong.
        error: Box<DirectoryError>,
    },
    /// Another key than the registry key in force.
    #[error(
        "--registry-key {path}: expected the registry key in force, {expected}, found {found}. `creditbank-node init` \
         made its file as registry.key; after `creditbank registry succeed` it is the file that was given with --key"
    )]
    OtherRegistryKey {
        /// The file.
        path: String,
        /// Its key.
        found: KeyId,
        /// The registry key in force.
        expected: KeyId,
    },
    /// Approvals of the registry's policy are missing.
    #[error(
        "the registry's policy requires {} of each block of the operator, found {}: pass --approver-key FILE once for \
         each approver, with a key of an approver of institution 0",
        counted(*.expected, "approval", "approvals"),
        counted(*.found, "key", "keys")
    )]
    Approvals {
        /// How many the policy requires.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// Files, keys, store.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Copying.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The block.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The block.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The name.
    #[error(transparent)]
    Note(#[from] NoteError),
}

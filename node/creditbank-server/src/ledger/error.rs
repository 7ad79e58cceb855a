//! Why a log cannot be opened.

use creditbank_protocol::LogIndex;
use creditbank_protocol::counted;
use creditbank_protocol::dates::show_duration_ms;
use creditbank_protocol::key::KeyId;
use creditbank_protocol::note::NoteError;
use creditbank_protocol::pb::Purpose;

use crate::append::state::LoadError;
use crate::directory::{KeyFilesError, file_name};

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state cannot be rebuilt from the store.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The wall clock is before the last seal.
    #[error(
        "the wall clock is {} before the last seal: set the clock, then start again; if it is right, the log was \
         sealed under a wrong one: start with `serve --correct-time`, and correct it with `creditbank registry \
         correct-time` (docs/operate/clock.md)",
        show_duration_ms(*.behind_ms)
    )]
    Clock {
        /// By how much.
        behind_ms: u64,
    },
    /// The log key in force is missing.
    #[error(transparent)]
    LogKey(#[from] NoLogKey),
    /// A log key that signs the last round's checkpoint is missing.
    #[error(
        "log key {key} signs the checkpoint of the last round too, and no file of keys/ holds it: put it back, start \
         the node and stop it once; then its signature is stored, and you can remove the file"
    )]
    LastNote {
        /// Which key.
        key: KeyId,
    },
    /// The learners' keys do not belong to this log.
    #[error(
        "learners.keys holds {}, the log needs {expected}: restore it from a backup as new as the log",
        counted(*.found, "key", "keys")
    )]
    Keys {
        /// What the log needs.
        expected: u64,
        /// What was found.
        found: u64,
    },
    /// The learners' keys are older than an erasure.
    #[error(
        "learners.keys has {}, the log was written with {expected}: it is an older file, which \
         still has keys that were destroyed. Restore a file that is as new as the log, or erase again what was erased \
         since",
        counted(*.found, "erased learner", "erased learners")
    )]
    Erased {
        /// How many tombstones the log expects.
        expected: u64,
        /// What was found.
        found: u64,
    },
    /// A file of keys/ does not hold what the registry knows.
    #[error(transparent)]
    KeyFiles(#[from] KeyFilesError),
    /// The origin cannot be used in a checkpoint.
    #[error("the checkpoint cannot be signed: {0}")]
    Note(#[from] NoteError),
}

/// The log key that must sign the next seal is missing.
#[derive(Debug, thiserror::Error)]
#[error(
    "log key {key} signs the seals from log index {from} on, and no file of keys/ holds it: put it there, as {file} \
     (chmod 600), and start the node again; nothing is lost"
)]
pub struct NoLogKey {
    /// Which key.
    pub key: KeyId,
    /// The next entry that it must sign.
    pub from: LogIndex,
    /// A possible name of its file.
    pub file: String,
}

impl NoLogKey {
    pub(crate) fn new(key: &[u8; 32], from: LogIndex) -> Self {
        Self { key: KeyId::of(key), from, file: file_name(Purpose::Log, key) }
    }
}

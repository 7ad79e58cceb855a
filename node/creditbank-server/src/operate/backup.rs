//! Copies of a node: made while it serves, and brought back without contradicting what was published.
//!
//! ```text
//! OUT/backup.json        what the backup is: log, checkpoint, files with sizes and SHA-256, expiry of the learners' keys; and
//!                        an HMAC-SHA256 of it under the node's master key
//! OUT/log/journal, guard the log up to the head that the guard had, cut after that round
//! OUT/learners.keys      copied after the journal: a learner's key is durable before the first round that needs it, so a
//!                        copy made later has every key that the copied rounds need
//! OUT/keys/              the node's keys and secrets, unless left out
//! OUT/node.toml, trust.toml
//! ```
//! Index and flat files are not copied: the journal makes them. A backup that *follows* a node (`follow`) has the same files,
//! and `status.json`, which says how far it is.

pub(super) mod files;
mod follow;
mod keys;
mod make;
mod manifest;
mod restore;
mod tree;

use creditbank_protocol::note::NoteError;
use creditbank_store::StoreError;

pub use follow::{FollowStatus, Follower};
pub use make::{MakeOptions, make};
pub use manifest::{BackedUpFile, Manifest};
pub use restore::{RestoreOptions, Restored, restore};
pub use tree::Point;

use crate::directory::DirectoryError;

/// Why there is no backup, or why one was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Files and keys of the node.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Nothing is written where something is.
    #[error("{0} exists and is not empty: name a new directory")]
    Exists(String),
    /// There is nothing to copy.
    #[error("the log is in memory, or has no round yet: there is nothing to back up")]
    Nothing,
    /// What was copied is not what it must be.
    #[error("{path}: {what}")]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The learners' keys of the backup have expired.
    #[error(
        "the learners' keys of this backup expired {days} days ago: keys that were destroyed since then live on in it. \
         If it must be, pass --accept-expired, and destroy again what was erased"
    )]
    Expired {
        /// Since when.
        days: u64,
    },
    /// Nobody said what has been published.
    #[error(
        "say what has been published of this log: pass the newest checkpoint that its witnesses or readers have \
         (--seen FILE), so that the restored node does not sign a second history over rounds that the backup lacks. Only \
         when no checkpoint and no receipt after this backup ever left the node: --nothing-published"
    )]
    NothingSeen,
    /// A checkpoint that is none of this log.
    #[error("{path}: {error}")]
    Seen {
        /// Which file.
        path: String,
        /// What is wrong.
        error: NoteError,
    },
    /// A checkpoint that the backup contradicts.
    #[error(
        "{path}: size {size} was published with root {published}, the backup has root {found}: a fork, nothing is restored"
    )]
    Fork {
        /// Which file.
        path: String,
        /// The checkpoint's size.
        size: u64,
        /// Its root.
        published: String,
        /// Of the backup, at that size.
        found: String,
    },
    /// The point that was asked for lies before the first round.
    #[error("the log has no seal at or before that point: name a later one (--to)")]
    BeforeAll,
    /// The point that was asked for lies beyond what is proved.
    #[error("the backup has {size} entries: name a point within it (--to), or none")]
    Beyond {
        /// Entries of the backup.
        size: u64,
    },
    /// A followed copy that the node does not go on from.
    #[error(
        "the copy is not of this log's past: it has round {copied}, the node {found}. Was the node restored, or is it another \
         one? Keep this copy, and follow into a new directory"
    )]
    NotItsPast {
        /// The copy's last round.
        copied: u64,
        /// The node's, or what it has in its place.
        found: String,
    },
    /// The backup was made without the node's keys.
    #[error("the backup holds no keys: pass the directory where they are kept (--keys DIR)")]
    NoKeys,
}

pub(crate) fn at(path: &std::path::Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    move |error| BackupError::File { path: path.display().to_string(), error }
}

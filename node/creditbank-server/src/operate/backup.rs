//! Copies of a node. They are made while it serves, and a restore never contradicts what was published.
//!
//! ```text
//! OUT/backup.json        the manifest: log, checkpoint, files with sizes and SHA-256, expiry of the learners' keys;
//!                        and its HMAC-SHA256 under the node's master key
//! OUT/log/journal, guard the log up to the head that the guard had, cut after that round
//! OUT/learners.keys      copied after the journal: a learner's key is durable before the first round that needs it,
//!                        so a copy made later has every key that the copied rounds need
//! OUT/keys/              the node's keys and secrets, unless left out
//! OUT/node.toml, trust.toml
//! ```
//! Index and flat files are not copied, because they can be rebuilt from the journal. A backup that *follows* a node
//! (`follow`) has the same files, and `status.json`, which says how far it is.

pub(super) mod files;
mod follow;
mod keys;
mod make;
mod manifest;
mod restore;
mod tree;
mod verify;

use creditbank_protocol::counted;
use creditbank_protocol::note::NoteError;
use creditbank_store::StoreError;

pub use follow::{FollowStatus, Follower};
pub use make::{MakeOptions, make};
pub use manifest::{BackedUpFile, Manifest};
pub use restore::{RestoreOptions, Restored, restore};
pub use tree::Point;
pub use verify::verify;
pub(super) use verify::{Source, open as open_source};

use crate::directory::DirectoryError;

/// Why a backup was not made or not restored.
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
    /// The target is not empty.
    #[error(
        "{0} exists and is not empty: name a new directory, or remove this one if an attempt that failed has left it (a \
         whole node has a node.toml, a whole backup a backup.json)"
    )]
    Exists(String),
    /// The log is in memory, so there is nothing to copy.
    #[error("the log is in memory: there is nothing to back up")]
    Memory,
    /// The log is empty, so there is nothing to copy yet.
    #[error("the log has no round yet: there is nothing to back up")]
    Nothing,
    /// Nothing says what part of the log is durable.
    #[error(
        "{0} is missing or empty, though the journal has rounds: it is damaged, and nothing says what part of the log \
         may be copied. Stop the node and run creditbank-node check"
    )]
    NoGuard(String),
    /// The copy would be inside the directory that is copied.
    #[error("{inner} is inside {outer}: put a copy on another disk, and never inside the directory that is copied")]
    Within {
        /// The place of the copy.
        inner: String,
        /// The directory that contains it.
        outer: String,
    },
    /// A copy was expected, but the directory has none.
    #[error(
        "{0} holds no copy to continue, and nothing was written there. Is the share mounted? Use --new to begin the \
         first copy"
    )]
    NotBegun(String),
    /// No copy was expected, but the directory has one.
    #[error("{0} holds a copy already: follow into it without --new, or choose a new directory for another copy")]
    Begun(String),
    /// The directory of the copy disappeared while it was followed into.
    #[error("{0} is no longer the directory of the copy: was the share unmounted? Nothing is written until it is back")]
    Away(String),
    /// The copy is damaged.
    #[error(
        "the copy in {out} is damaged, and not the node: {why}. Nothing more is written to it. Begin another copy in \
         a new directory (backup --follow NEW --new), and keep this one until that is complete. Then check what has \
         changed it: a disk that does so once will do it again"
    )]
    Copy {
        /// The copy.
        out: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file of the node is damaged.
    #[error(
        "{0}. This is the node's own file, and no copy with it was published. Keep all earlier copies, and run \
         creditbank-node check: it lists everything that is damaged. A file that is damaged comes back from a copy \
         that was made before (creditbank-node restore)"
    )]
    Node(String),
    /// The copy was made under other secrets.
    #[error(
        "{0} holds another master key than the one with which this copy was begun. The copy keeps the old one: \
         restore the node's own file, from the copy or a backup. If the node was begun anew, follow it into a new \
         directory (--new)"
    )]
    OtherMaster(String),
    /// The directory is not a backup.
    #[error("{path} is not a backup: {what}")]
    NoBackup {
        /// Which directory.
        path: String,
        /// What it is instead.
        what: String,
    },
    /// A copied file is not what it must be.
    #[error("{path}: {what}")]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The learners' keys of the backup have expired.
    #[error(
        "the learners' keys of this backup expired {} ago: it still holds keys that the node has destroyed \
         since then, and no command can destroy them again after a restore. If the node has destroyed none, or there \
         is no newer backup, pass --accept-expired",
        counted(*.days, "day", "days")
    )]
    Expired {
        /// For how many days.
        days: u64,
    },
    /// The operator has not said what was published.
    #[error(
        "say what has been published of this log: pass the newest checkpoint that its witnesses or readers have \
         (--seen FILE), so that the restored node does not sign a second history instead of rounds that the backup \
         lacks. Pass --nothing-published only if no checkpoint and no receipt after this backup has left the node"
    )]
    NothingSeen,
    /// The checkpoint is not one of this log.
    #[error("{path}: {error}")]
    Seen {
        /// Which file.
        path: String,
        /// What is wrong.
        error: NoteError,
    },
    /// The backup contradicts the checkpoint.
    #[error(
        "{path}: size {size} was published with root {published}, the backup has root {found}: this is a fork, and \
         nothing is restored"
    )]
    Fork {
        /// Which file.
        path: String,
        /// The checkpoint's size.
        size: u64,
        /// Its root.
        published: String,
        /// The backup's root at that size.
        found: String,
    },
    /// The requested point is before the first round.
    #[error("the log has no seal at or before that point: name a later one (--to)")]
    BeforeAll,
    /// The requested point is after the verified part.
    #[error("the backup has {}: name a point within it (--to), or none", counted(*.size, "entry", "entries"))]
    Beyond {
        /// Entries of the backup.
        size: u64,
    },
    /// The node does not continue the copy.
    #[error(
        "the copy is not of this log's past: it has round {copied}, the node {found}. Was the node restored, or is it another \
         one? Keep this copy, and follow into a new directory (--new)"
    )]
    NotItsPast {
        /// The copy's last round.
        copied: u64,
        /// The node's last round, or what it has instead.
        found: String,
    },
    /// The backup was made without the node's keys.
    #[error("the backup holds no keys: pass the directory where they are kept (--keys DIR)")]
    NoKeys,
}

pub(crate) fn at(path: &std::path::Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    move |error| BackupError::File { path: path.display().to_string(), error }
}

impl BackupError {
    /// Marks damage as that of the node, not of the copy.
    fn of_node(error: impl Into<Self>) -> Self {
        match error.into() {
            error @ (Self::Damaged { .. } | Self::Store(StoreError::Damaged { .. })) => Self::Node(error.to_string()),
            other => other,
        }
    }
}

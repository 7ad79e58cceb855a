//! What can go wrong with the state of a log.

use crate::round::Head;
use crate::{IndexError, JournalError, PlaceError};

/// Why the store did not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The round was built on another head.
    #[error("the round builds on size {found}, the log has size {expected}", expected = expected.size, found = found.size)]
    Conflict {
        /// The log's head.
        expected: Head,
        /// The round's base.
        found: Head,
    },
    /// The round contradicts itself: a bug in the caller. It is refused before anything is written.
    #[error("the round is malformed: {0}")]
    Round(&'static str),
    /// No such entry, record or node.
    #[error("{what} {index} does not exist")]
    Missing {
        /// The kind of thing.
        what: &'static str,
        /// Which one.
        index: u64,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The index engine.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Damage. The store never guesses what was there.
    #[error("{path} is damaged at {offset}: {what}")]
    Damaged {
        /// Which file.
        path: String,
        /// Where in it.
        offset: u64,
        /// What was expected and found.
        what: String,
    },
    /// The journal was begun with other values than those with which it is opened.
    #[error(
        "{path} is whole, and of another log: either one of origin, log_key, registry_key and next_registry_key in \
         node.toml differs from the value with which this log was begun (correct it: trust.toml, which init wrote, \
         has the same four values), or the journal belongs to another node (put back this node's)"
    )]
    OtherLog {
        /// Which segment.
        path: String,
    },
    /// The journal has lost rounds that the guard file knows.
    #[error(
        "{path} ends at {offset} after round {found}, but round {expected} was acknowledged: acknowledged rounds are lost"
    )]
    Lost {
        /// The last segment.
        path: String,
        /// Where its last round ends.
        offset: u64,
        /// Sequence of the guarded round.
        expected: u64,
        /// Last sequence of the journal.
        found: u64,
    },
    /// The log is a copy, or was moved.
    #[error("{path}: {error}")]
    Place {
        /// The log's directory.
        path: String,
        /// Why it is not opened there.
        error: PlaceError,
    },
    /// The disk is full. Nothing was stored, the head is unchanged, and the store continues when there is room.
    #[error("{path}: the disk has less than {needed} bytes of room: nothing is written until it has")]
    Full {
        /// Which file or directory.
        path: String,
        /// How many bytes must be free.
        needed: u64,
    },
    /// A file that the process writes is not in its place. Nothing was stored, and the store continues when the file is
    /// back.
    #[error(
        "{path} was removed, cut or replaced while the node works with it: nothing is written, because it would be \
         lost. Move the original file back. If it is lost, do not stop the node yet: first copy the file from \
         /proc/PID/fd (docs/operate/damage.md)"
    )]
    Displaced {
        /// Which file.
        path: String,
    },
    /// A stop is under way, or a write has failed before.
    #[error("the store is stopped: {0}")]
    Stopped(String),
}

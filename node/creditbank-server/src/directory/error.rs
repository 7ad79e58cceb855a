//! Why a node's directory cannot be used.

use std::path::Path;

use creditbank_protocol::key_file::KeyFileError;
use creditbank_store::{KeyStoreError, StoreError};

use super::ConfigError;
use crate::append::state::LoadError;
use crate::ledger::OpenError;

/// Why a node's directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// Others may read a file with a secret.
    #[error("{path} has mode {mode:o}: only its owner may access a file with a secret (chmod 600)")]
    Mode {
        /// Which file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// Others may write to a file or directory of the node.
    #[error(
        "{path} has mode {mode:o}: its group, or everybody, may write there and put other keys, other settings or \
         another log in place (chmod go-w {path}; for everything below a directory: chmod -R go-w DIR)"
    )]
    Writable {
        /// Which one.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A file or directory of the node belongs to another user.
    #[error(
        "{path} belongs to the user with number {owner}, who may write and read there whatever its mode: expected \
         this user or root. Serve as the user who owns the node, or change the owner (chown -R)"
    )]
    Owner {
        /// Which one.
        path: String,
        /// Its owner.
        owner: u32,
    },
    /// Others may read the private key of `[tls]`.
    #[error(
        "[tls] key: {path} has mode {mode:o}: expected a private key that others may not read and its group may not \
         write (chmod 600, or 640 if its group may read it)"
    )]
    TlsMode {
        /// Which file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A log in memory would be a second history under the keys of a log on a disk.
    #[error(
        "node.toml says store = \"memory:\", and {found}: a log in memory begins anew with every start, and would \
         sign a second history under the same keys, which nobody can merge. Name the log again (store = \"{store}\"); \
         for a trial make another node: creditbank-node init --store memory: --dir OTHER"
    )]
    Memory {
        /// What shows that the keys belong to a log on a disk.
        found: String,
        /// How to name a log on a disk.
        store: String,
    },
    /// The file does not hold a key.
    #[error("{path}: {error}")]
    Key {
        /// Which file.
        path: String,
        /// What is wrong.
        error: KeyFileError,
    },
    /// The key is for another purpose.
    #[error("{path} holds a key for {found}, expected one for {expected}")]
    Purpose {
        /// Which file.
        path: String,
        /// The purpose that is needed.
        expected: String,
        /// The key's.
        found: String,
    },
    /// The file does not hold the four secrets.
    #[error(
        "{0} is damaged: it is not a file of four secrets (creditbank-secrets-v1). Restore it from a backup of this \
         node"
    )]
    Secrets(String),
    /// The secrets are not the ones that were written.
    #[error(
        "{0} is damaged: its MAC does not match, so a byte of it was changed. Restore it from a backup of this node; \
         with a wrong secret learners would have other accounts, or none"
    )]
    SecretsMac(String),
    /// There is no log where the configuration says.
    #[error(
        "{0} does not exist: either node.toml names another directory than that of the log, or the log was not \
         restored. A node never begins a second log by itself"
    )]
    NoLog(String),
    /// The configuration.
    #[error("{path}: {error}")]
    Config {
        /// Which file.
        path: String,
        /// What is wrong.
        error: ConfigError,
    },
    /// The log lacks what others have seen of it.
    #[error("{path}: {what}")]
    Held {
        /// The file with the checkpoint.
        path: String,
        /// What to do.
        what: String,
    },
    /// The learners' keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log's state.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl DirectoryError {
    /// What to do about damage, if the message says only what is damaged, and where.
    pub fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Key { .. } | Self::Purpose { .. } => Some(OF_KEYS),
            Self::File { path, error } if is_in(path, "keys") && is_lost(error) => Some(OF_KEYS),
            Self::Keys(KeyStoreError::MasterKey(_)) => {
                Some("restore learners.keys and keys/secrets from one backup of this node (docs/operate/damage.md)")
            }
            Self::Store(error)
            | Self::Keys(KeyStoreError::File(error))
            | Self::Open(OpenError::Load(LoadError::Store(error))) => next_step_of(error),
            Self::Open(OpenError::Load(LoadError::Entry { .. } | LoadError::Registry { .. })) => Some(OF_LOG),
            _ => None,
        }
    }
}

const OF_KEYS: &str = "restore the file from a backup of this node (docs/operate/damage.md)";
const OF_LOG: &str = "restore a backup of this node (docs/operate/damage.md)";

fn next_step_of(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Damaged { path, .. } if is_in(path, "flat") => {
            Some("rebuild it with `creditbank-node reindex` (docs/operate/damage.md)")
        }
        StoreError::Damaged { path, .. } if path.ends_with("learners.keys") => {
            Some("restore learners.keys from a backup as new as the log (docs/operate/damage.md)")
        }
        StoreError::Damaged { .. } | StoreError::Lost { .. } => Some(OF_LOG),
        _ => None,
    }
}

/// Whether a file is directly in a directory with this name.
fn is_in(path: &str, directory: &str) -> bool {
    Path::new(path).parent().is_some_and(|parent| parent.ends_with(directory))
}

/// Whether an error of the system says that a file is missing or does not have its contents.
fn is_lost(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData)
}

pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> DirectoryError + '_ {
    move |error| DirectoryError::File { path: path.display().to_string(), error }
}

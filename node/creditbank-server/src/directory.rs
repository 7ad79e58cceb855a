//! A node's directory: what `init` makes and `serve` opens.
//!
//! ```text
//! DIR/node.toml                  configuration
//! DIR/keys/log.key               checkpoints and seals
//! DIR/keys/registry.key          the operator's own chain; needed by the operator's commands, not by `serve`
//! DIR/keys/statement.key         subject statements
//! DIR/keys/credential.key        credentials in other formats
//! DIR/keys/operator-access.key   the operator's reads
//! DIR/keys/secrets               master key, pepper, alias key, link key
//! DIR/learners.keys              the learners' keys, wrapped
//! DIR/log/                       journal, guard, flat files, index
//! ```

mod config;
mod held;
mod init;
mod secrets;

use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::key_file::{KeyFile, KeyFileError};
use creditbank_protocol::pb::Purpose;
use creditbank_store::{
    EmbeddedStore, Index, IndexError, KeyStore, KeyStoreError, MemoryStore, Options, Store, StoreError,
};
use creditbank_store_fjall::FjallIndex;
use creditbank_store_sled::SledIndex;

pub use config::{Config, ConfigError, StoreUrl, Tls};
pub(crate) use held::HELD_FILE;
pub use init::{InitError, begin, init};
pub(crate) use secrets::Secrets;

use crate::clock::{Clock, Entropy};
use crate::ledger::{Ledger, Limits, OpenError, Parts};

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
    /// A file with a secret that others may read.
    #[error("{path} has mode {mode:o}: a file with a secret must be its owner's alone (chmod 600)")]
    Mode {
        /// Which file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A key file is none.
    #[error("{path}: {error}")]
    Key {
        /// Which file.
        path: String,
        /// What is wrong.
        error: KeyFileError,
    },
    /// A key for another purpose.
    #[error("{path} holds a key for {found}, expected one for {expected}")]
    Purpose {
        /// Which file.
        path: String,
        /// The purpose that is needed.
        expected: String,
        /// The key's.
        found: String,
    },
    /// The secrets are none.
    #[error("{0} is not a file of four secrets")]
    Secrets(String),
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
        /// What is to be done.
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

pub(crate) fn at(path: &Path) -> impl Fn(std::io::Error) -> DirectoryError + '_ {
    move |error| DirectoryError::File { path: path.display().to_string(), error }
}

/// Reads a file that must be its owner's alone.
fn read_secret(path: &Path) -> Result<String, DirectoryError> {
    let mode = fs::metadata(path).map_err(at(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(DirectoryError::Mode { path: path.display().to_string(), mode });
    }
    fs::read_to_string(path).map_err(at(path))
}

/// Writes a new file with mode 0600, durably; refuses to replace one.
fn write_secret(path: &Path, text: &str) -> Result<(), DirectoryError> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(path))
}

/// The key file of a purpose.
pub fn key_path(dir: &Path, purpose: Purpose) -> PathBuf {
    dir.join("keys").join(format!("{}.key", creditbank_protocol::key_file::purpose_name(purpose)))
}

/// Reads the node's key for a purpose.
pub fn read_key(dir: &Path, purpose: Purpose) -> Result<KeyFile, DirectoryError> {
    let path = key_path(dir, purpose);
    let shown = path.display().to_string();
    let key =
        KeyFile::parse(&read_secret(&path)?).map_err(|error| DirectoryError::Key { path: shown.clone(), error })?;
    if key.purpose == purpose {
        return Ok(key);
    }
    let name = creditbank_protocol::key_file::purpose_name;
    Err(DirectoryError::Purpose { path: shown, expected: name(purpose), found: name(key.purpose) })
}

/// Reads the configuration.
pub fn read_config(dir: &Path) -> Result<Config, DirectoryError> {
    let path = dir.join("node.toml");
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    Config::parse(&text).map_err(|error| DirectoryError::Config { path: path.display().to_string(), error })
}

/// Opens the index engine of a log at `path`; `None` for a log in memory.
pub(crate) fn open_index(config: &Config, path: &Path) -> Result<Option<Box<dyn Index>>, IndexError> {
    Ok(match &config.store {
        StoreUrl::Memory => None,
        StoreUrl::Sled(_) => Some(Box::new(SledIndex::open(path)?)),
        StoreUrl::Fjall(_) => Some(Box::new(FjallIndex::open(path)?)),
    })
}

/// Opens the durable state of a log.
pub(crate) fn open_store(dir: &Path, config: &Config, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    // A path that is absolute replaces the directory.
    Ok(match &config.store {
        StoreUrl::Memory => Box::new(MemoryStore::default()),
        StoreUrl::Sled(path) => Box::new(EmbeddedStore::open(&dir.join(path), options, SledIndex::open)?),
        StoreUrl::Fjall(path) => Box::new(EmbeddedStore::open(&dir.join(path), options, FjallIndex::open)?),
    })
}

/// Opens the log of a node's directory. The lock on it is held until the ledger is dropped.
pub fn open(
    dir: &Path,
    config: &Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
) -> Result<Ledger, DirectoryError> {
    let log_key = read_key(dir, Purpose::Log)?.key;
    let statement_key = read_key(dir, Purpose::Statement)?.key;
    let registry_key = config.registry_key;
    let secrets = Secrets::read(&dir.join("keys").join("secrets"))?;
    let genesis = creditbank_protocol::key::genesis(&config.origin, &log_key.verifying_key().to_bytes(), &registry_key);
    let options = Options::new(genesis.0);
    let store = open_store(dir, config, &options)?;
    if let Some(path) = config.store.path() {
        held::check(&dir.join(path), &*store, &config.origin, log_key.verifying_key().to_bytes())?;
    }
    let needed = crate::tables::needed_keys(&*store)?;
    let fill = &mut |bytes: &mut [u8]| entropy.fill(bytes);
    let keys = match &config.store {
        StoreUrl::Memory => KeyStore::memory(),
        StoreUrl::Sled(_) | StoreUrl::Fjall(_) => {
            KeyStore::open(&dir.join("learners.keys"), &secrets.master, needed, fill)?
        }
    };
    let private = secrets.private();
    let origin = config.origin.clone();
    let parts = Parts { origin, store, keys, private, log_key, registry_key, statement_key, clock, entropy, limits };
    Ok(Ledger::open(parts)?)
}

//! A node's directory: what `init` makes and `serve` opens.
//!
//! ```text
//! DIR/node.toml                  configuration
//! DIR/keys/log.key               checkpoints and seals; log-NAME.key: keys that follow
//! DIR/keys/statement.key         subject statements; statement-NAME.key: keys that follow
//! DIR/keys/credential.key        credentials in other formats
//! DIR/keys/operator-access.key   the operator's reads
//! DIR/keys/secrets               master key, pepper, alias key, link key, and a MAC over them
//! DIR/learners.keys              the learners' keys, wrapped
//! DIR/log/                       journal, guard, flat files, index
//! ```
//!
//! The registry keys are elsewhere, in a directory that only the operator's commands need:
//!
//! ```text
//! KEYS/registry.key              the operator's own chain
//! KEYS/next-registry.key         the next one: to be kept apart, and offline
//! ```

mod config;
mod error;
mod held;
mod init;
pub(crate) mod key_files;
mod key_ring;
mod modes;
mod secrets;
mod store_url;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::Digest;
use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use creditbank_store::{Disk, Options, Placement, StoreError, inspect};

pub use config::{Config, ConfigError, Connections, Operations, Quotas, Scrub, Tls};
pub(crate) use config::{NAME_RULE, is_origin};
pub use error::DirectoryError;
pub(crate) use error::at;
pub(crate) use held::{HELD_FILE, held_by, parse_published};
pub use init::{InitError, NEXT_REGISTRY_KEY, REGISTRY_KEY, begin, init};
pub use key_files::{KeyFileFound, KeyFilesError};
pub use key_ring::KeyRing;
pub(crate) use key_ring::file_name;
pub(crate) use secrets::Secrets;
pub use store_url::StoreUrl;

use zeroize::Zeroizing;

use crate::append::Steps;
use crate::environment::Environment;
use crate::ledger::{Ledger, Limits, OpenError, Parts};
use crate::operate::scrub::{SCRUB_FILE, ScrubOptions};

fn read_text(disk: &dyn Disk, path: &Path) -> Result<String, DirectoryError> {
    let bytes = disk.read(path).map_err(at(path))?;
    String::from_utf8(bytes).map_err(|_| at(path)(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text")))
}

/// Reads a file that only its owner may read. The contents are wiped when they are dropped.
fn read_secret(disk: &dyn Disk, path: &Path) -> Result<Zeroizing<String>, DirectoryError> {
    let mode = disk.info(path).map_err(at(path))?.mode;
    if mode & 0o077 != 0 {
        return Err(DirectoryError::Mode { path: path.display().to_string(), mode });
    }
    read_text(disk, path).map(Zeroizing::new)
}

/// Writes a new file with mode 0600, synced; refuses to replace one. Its name is durable once the directory is synced.
pub(crate) fn write_secret(disk: &dyn Disk, path: &Path, text: &str) -> Result<(), DirectoryError> {
    disk.write_new(path, text.as_bytes()).map_err(at(path))
}

/// The key file of a purpose.
pub fn key_path(dir: &Path, purpose: Purpose) -> PathBuf {
    dir.join("keys").join(format!("{}.key", creditbank_protocol::key_file::purpose_name(purpose)))
}

/// The file of the node's secrets.
pub(crate) fn secrets_path(dir: &Path) -> PathBuf {
    keys_dir(dir).join("secrets")
}

/// Where a node's own keys are.
pub fn keys_dir(dir: &Path) -> PathBuf {
    dir.join("keys")
}

/// Reads the node's key for a purpose.
pub fn read_key(environment: &Environment, dir: &Path, purpose: Purpose) -> Result<KeyFile, DirectoryError> {
    read_key_at(environment, &key_path(dir, purpose), purpose)
}

/// Reads the key for a purpose from a file.
pub fn read_key_at(environment: &Environment, path: &Path, purpose: Purpose) -> Result<KeyFile, DirectoryError> {
    let shown = path.display().to_string();
    let text = read_secret(&*environment.disk, path)?;
    let key = KeyFile::parse(&text).map_err(|error| DirectoryError::Key { path: shown.clone(), error })?;
    if key.purpose == purpose {
        return Ok(key);
    }
    let name = creditbank_protocol::key_file::purpose_name;
    Err(DirectoryError::Purpose { path: shown, expected: name(purpose), found: name(key.purpose) })
}

/// Reads the configuration.
pub fn read_config(environment: &Environment, dir: &Path) -> Result<Config, DirectoryError> {
    let path = dir.join("node.toml");
    let text = read_text(&*environment.disk, &path)?;
    let read = Config::parse(&text, environment.engines);
    read.map_err(|error| DirectoryError::Config { path: path.display().to_string(), error })
}

/// How the log with this genesis value is stored.
pub(crate) fn store_options(environment: &Environment, genesis: Digest) -> Options {
    let mut options = Options { disk: Arc::clone(&environment.disk), ..Options::new(genesis.0) };
    (environment.tune)(&mut options);
    options
}

/// Refuses a directory, which need not exist yet, on a disk with less room than a log needs: what begins there could
/// not be finished.
pub(crate) fn check_room(environment: &Environment, dir: &Path) -> Result<(), DirectoryError> {
    let needed = store_options(environment, Digest::ZERO).reserve_bytes;
    for above in dir.ancestors().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above }) {
        match environment.disk.available(above) {
            Ok(found) if found < needed => {
                return Err(StoreError::Full { path: dir.display().to_string(), needed }.into());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => return found.map(drop).map_err(at(above)),
        }
    }
    Ok(())
}

impl DirectoryError {
    /// Whether the index is at fault. It was given up then, and the next start rebuilds it.
    fn is_index(&self) -> bool {
        match self {
            Self::Store(StoreError::Index(_)) => true,
            Self::Open(OpenError::Load(error)) => error.is_index(),
            _ => false,
        }
    }
}

/// Opens a second time if the index was found damaged: it is then rebuilt from the journal.
fn with_index<T>(open: impl Fn() -> Result<T, DirectoryError>) -> Result<T, DirectoryError> {
    open().or_else(|error| {
        if !error.is_index() {
            return Err(error);
        }
        tracing::error!(%error, "the index is damaged: rebuilding it from the journal");
        open()
    })
}

/// Opens the log of a node's directory. The lock is held until the ledger is dropped.
pub fn open(environment: &Environment, dir: &Path, config: &Config, limits: Limits) -> Result<Ledger, DirectoryError> {
    with_index(|| Ok(Ledger::open(parts(environment, dir, config, limits, false)?)?))
}

/// As [`open`], but without threads: only the steps extend the log.
pub fn open_stepped<B, A>(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    limits: Limits,
) -> Result<(Ledger, Steps<B, A>), DirectoryError> {
    with_index(|| Ok(Ledger::stepped(parts(environment, dir, config, limits, true)?)?))
}

/// As [`open_stepped`], for a log whose next block lets it continue under another origin: the old log key is not there.
pub(crate) fn open_succeeding(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    limits: Limits,
) -> Result<(Ledger, Steps<(), ()>), DirectoryError> {
    let parts = parts(environment, dir, config, limits, true)?;
    Ok(Ledger::stepped(Parts { succeeds: true, ..parts })?)
}

/// In `keys/`: marks keys that `init` made for a log in memory. They never sign another log.
pub(crate) const MEMORY_FILE: &str = "log-in-memory";

/// Refuses a log in memory under keys that belong, or may belong, to a log on a disk.
fn check_memory(disk: &dyn Disk, dir: &Path, config: &Config) -> Result<(), DirectoryError> {
    if config.store != StoreUrl::Memory {
        return Ok(());
    }
    let exists = |path: PathBuf| disk.exists(&path).map_err(at(&path));
    let found = if exists(dir.join("log"))? || exists(dir.join("learners.keys"))? {
        format!("{} holds a log or its learners' keys", dir.display())
    } else if !exists(keys_dir(dir).join(MEMORY_FILE))? {
        format!("the keys of {} were made for a log on a disk", dir.display())
    } else {
        return Ok(());
    };
    Err(DirectoryError::Memory { found, store: StoreUrl::standard().to_string() })
}

/// The parts of a node's log.
fn parts(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    limits: Limits,
    stepped: bool,
) -> Result<Parts, DirectoryError> {
    modes::check(&*environment.disk, dir, config)?;
    check_memory(&*environment.disk, dir, config)?;
    let ring = KeyRing::open(environment, dir)?;
    let key_files = key_files::find(environment, dir)?;
    let secrets = Secrets::read(&*environment.disk, &secrets_path(dir))?;
    let begun = config.beginning();
    let exists = |path: &Path| environment.disk.exists(path).map_err(at(path));
    if let Some(log) = config.store.path().map(|path| dir.join(path))
        && exists(&dir.join("node.toml"))?
        && !exists(&log.join("journal"))?
    {
        return Err(DirectoryError::NoLog(log.join("journal").display().to_string()));
    }
    let mut options = Options { stepped, ..store_options(environment, begun.genesis()) };
    if limits.said.takes_over {
        options.placement = Placement::TakeOver;
    }
    let opened = config.store.open_store(dir, &options, &mut |_| {});
    if let (Err(StoreError::Place { .. }), Some(log)) = (&opened, config.store.path().map(|path| dir.join(path)))
        && let Ok(Some(published)) = held_by(&*environment.disk, &log)
        && let Ok(Some((_, head))) = inspect::guard(&*environment.disk, &log)
        && head.size < published.size
    {
        // Nothing that the operator says about its place lets it be served.
        return Err(held::lacks(&log, head.size, published.size));
    }
    let store = opened?;
    if let Some(path) = config.store.path() {
        held::check(&*environment.disk, &dir.join(path), &*store, &begun)?;
    }
    let needed = crate::tables::Counts::stored(&*store)?.keys;
    let Environment { clock, entropy, .. } = environment.clone();
    let keys = config.store.open_keys(&dir.join("learners.keys"), &options, &secrets.master, needed, &*entropy)?;
    let private = secrets.private();
    let scrub = config.store.path().map(|path| ScrubOptions {
        settings: config.scrub.clone(),
        environment: environment.clone(),
        dir: dir.to_owned(),
        path: dir.join(path).join(SCRUB_FILE),
    });
    Ok(Parts { begun, store, keys, private, ring, clock, entropy, limits, key_files, scrub, succeeds: false })
}

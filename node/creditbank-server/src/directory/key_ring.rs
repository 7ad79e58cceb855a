//! The node's own signing keys: every file `keys/log*.key` and `keys/statement*.key`.
//!
//! The files provide the keys, and the registry says which one signs. So a key that is to follow is put beside the one
//! in force, and an old file is removed when its key is not to sign any more. A new file is found when its key is
//! needed; a missing file is noticed at the next start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use creditbank_protocol::key::{KeyId, LogKeyHistory};
use creditbank_protocol::key_file::purpose_name;
use creditbank_protocol::pb::Purpose;
use creditbank_protocol::{LogIndex, key};
use creditbank_rules::Registry;
use ed25519_dalek::SigningKey;

use super::{DirectoryError, at, read_key_at};
use crate::environment::Environment;

const PURPOSES: [Purpose; 2] = [Purpose::Log, Purpose::Statement];

type Known = BTreeMap<[u8; 32], (Purpose, SigningKey)>;

/// The keys that were found, and where to look for more.
pub struct KeyRing {
    environment: Environment,
    dir: PathBuf,
    known: RwLock<Known>,
}

impl KeyRing {
    /// Reads the keys of a node's directory. A file that does not hold what its name says is an error.
    pub(crate) fn open(environment: &Environment, dir: &Path) -> Result<Self, DirectoryError> {
        let known = RwLock::new(read(environment, dir)?);
        Ok(Self { environment: environment.clone(), dir: dir.to_owned(), known })
    }

    /// The key, if its file was there when the directory was last read.
    pub(crate) fn known(&self, public_key: &[u8; 32]) -> Option<SigningKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(public_key).map(|(_, key)| key.clone())
    }

    /// The key. If it is unknown, the directory is read again.
    pub(crate) fn find(&self, public_key: &[u8; 32]) -> Option<SigningKey> {
        self.known(public_key).or_else(|| {
            self.look_again();
            self.known(public_key)
        })
    }

    fn look_again(&self) {
        match read(&self.environment, &self.dir) {
            // Known keys stay until the next start: a round that they have to sign may be under way.
            Ok(found) => self.known.write().unwrap_or_else(PoisonError::into_inner).extend(found),
            Err(error) => tracing::warn!(%error, "the keys of the node cannot be read again"),
        }
    }

    /// The first log key for which `is_it` is true, among those whose files were there when the directory was last
    /// read.
    pub(crate) fn log_key_where(&self, is_it: impl Fn(&[u8; 32]) -> bool) -> Option<SigningKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut log_keys = known.iter().filter(|(_, (purpose, _))| *purpose == Purpose::Log);
        log_keys.find(|(public_key, _)| is_it(public_key)).map(|(_, (_, key))| key.clone())
    }

    /// The log keys that sign the checkpoint after the seal at a log index, in their order: those that have signed,
    /// sign or will sign seals under the origin that holds there, as far as their files exist.
    pub(crate) fn signers(&self, log_keys: &LogKeyHistory, seal: LogIndex) -> Vec<[u8; 32]> {
        let in_force = log_keys.at(seal);
        let is_over = |from: LogIndex, key: &[u8; 32]| from <= seal && *key != in_force;
        // A file that was removed is not looked for in every round.
        let has = |(from, key): &(LogIndex, [u8; 32])| {
            if is_over(*from, key) { self.known(key).is_some() } else { self.find(key).is_some() }
        };
        log_keys.signers_of(log_keys.origins().at(seal)).filter(has).map(|(_, key)| key).collect()
    }

    /// The statement key that a registry has in force at a minute; if there are several, the newest.
    pub(crate) fn statement(&self, registry: &Registry, minute: u64) -> Option<SigningKey> {
        self.statement_of(registry, minute).or_else(|| {
            self.look_again();
            self.statement_of(registry, minute)
        })
    }

    fn statement_of(&self, registry: &Registry, minute: u64) -> Option<SigningKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let from = |public_key: &[u8; 32]| {
            let entry = registry.key(&KeyId::of(public_key))?;
            let fits = entry.purpose == i32::from(Purpose::Statement) && entry.revoked.is_none();
            (fits && key::within_dates(entry, minute)).then_some(entry.from_minute)
        };
        let in_force = known.iter().filter_map(|(public_key, (_, key))| Some((from(public_key)?, key)));
        in_force.max_by_key(|(from, _)| *from).map(|(_, key)| key.clone())
    }
}

/// A possible name of a key's file.
pub(crate) fn file_name(purpose: Purpose, public_key: &[u8; 32]) -> String {
    format!("keys/{}-{}.key", purpose_name(purpose), KeyId::of(public_key))
}

fn read(environment: &Environment, dir: &Path) -> Result<Known, DirectoryError> {
    let keys = dir.join("keys");
    let mut known = Known::new();
    for path in environment.disk.list(&keys).map_err(at(&keys))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".key") else { continue };
        let is_for = |purpose: &Purpose| {
            let rest = stem.strip_prefix(&purpose_name(*purpose));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if let Some(purpose) = PURPOSES.into_iter().find(is_for) {
            let key = read_key_at(environment, &keys.join(&name), purpose)?;
            known.insert(key.public_key(), (purpose, key.key));
        }
    }
    Ok(known)
}

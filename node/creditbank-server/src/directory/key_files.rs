//! The node's key files against the registry, at every start: a key that has changed on the disk signs nothing.

use std::path::{Path, PathBuf};

use creditbank_protocol::key::{self, KeyId};
use creditbank_protocol::key_file::purpose_name;
use creditbank_protocol::pb::Purpose;
use creditbank_rules::Registry;

use super::{DirectoryError, at, read_key_at};
use crate::environment::Environment;

/// What the node has keys for.
const PURPOSES: [Purpose; 4] = [Purpose::Log, Purpose::Statement, Purpose::Credential, Purpose::OperatorAccess];

/// A key file of the node.
#[derive(Debug, Clone)]
pub struct KeyFileFound {
    /// Which file.
    pub path: PathBuf,
    /// What for.
    pub purpose: Purpose,
    /// What the registry must know.
    pub public_key: [u8; 32],
    /// Under a name of its own, as `statement-2.key`: it may be a key that is to follow.
    pub may_follow: bool,
}

/// A file of keys/ that does not hold what the registry knows.
#[derive(Debug, thiserror::Error)]
pub enum KeyFilesError {
    /// A key that the registry does not know.
    #[error(
        "{path} holds the {purpose} key {found}, which the registry does not know (it has {expected} in force): the file is \
         damaged, or another node's. Put back the file from a backup; a key that is to follow goes beside it, as \
         keys/{purpose}-2.key"
    )]
    Unknown {
        /// Which file.
        path: String,
        /// What for.
        purpose: String,
        /// The key that it holds.
        found: KeyId,
        /// The keys that the registry has in force.
        expected: String,
    },
    /// No file holds the key in force.
    #[error(
        "no file of keys/ holds the statement key that the registry has in force ({expected}): put it back from a backup, as \
         keys/statement.key (chmod 600)"
    )]
    NoStatement {
        /// The keys that the registry has in force.
        expected: String,
    },
}

/// The key files of a node's directory.
pub(super) fn find(environment: &Environment, dir: &Path) -> Result<Vec<KeyFileFound>, DirectoryError> {
    let keys = dir.join("keys");
    let mut found = Vec::new();
    for path in environment.disk.list(&keys).map_err(at(&keys))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".key") else { continue };
        for purpose in PURPOSES {
            let Some(rest) = stem.strip_prefix(&purpose_name(purpose)) else { continue };
            if rest.is_empty() || rest.starts_with('-') {
                let path = keys.join(&name);
                let public_key = read_key_at(environment, &path, purpose)?.public_key();
                found.push(KeyFileFound { path, purpose, public_key, may_follow: !rest.is_empty() });
            }
        }
    }
    Ok(found)
}

/// Compares the files with the registry in force and the log key that the log was begun with.
pub(crate) fn check(
    files: &[KeyFileFound],
    registry: &Registry,
    first: &[u8; 32],
    minute: u64,
) -> Result<(), KeyFilesError> {
    for KeyFileFound { path, purpose, public_key, may_follow } in files {
        let id = KeyId::of(public_key);
        let named = registry.key(&id).is_some_and(|entry| entry.purpose == i32::from(*purpose));
        let of_log = || {
            let known = registry.log_keys().is_some_and(|known| known.contains(public_key));
            *purpose == Purpose::Log && (known || public_key == first)
        };
        if named || of_log() {
            continue;
        }
        if *may_follow {
            let path = path.display();
            tracing::warn!(%path, key = %id, "a key file holds a key that the registry does not know yet");
            continue;
        }
        return Err(KeyFilesError::Unknown {
            path: path.display().to_string(),
            purpose: purpose_name(*purpose),
            found: id,
            expected: shown(&in_force(registry, *purpose, minute)),
        });
    }
    let expected = in_force(registry, Purpose::Statement, minute);
    let is_there = files.iter().any(|file| expected.contains(&KeyId::of(&file.public_key)));
    if !expected.is_empty() && !is_there {
        return Err(KeyFilesError::NoStatement { expected: shown(&expected) });
    }
    Ok(())
}

fn in_force(registry: &Registry, purpose: Purpose, minute: u64) -> Vec<KeyId> {
    let fits = |entry: &&creditbank_protocol::pb::Key| {
        entry.purpose == i32::from(purpose) && entry.revoked.is_none() && key::within_dates(entry, minute)
    };
    let public_key = |entry: &creditbank_protocol::pb::Key| entry.public_key.as_slice().try_into().ok();
    registry.keys().filter(fits).filter_map(public_key).map(|key: [u8; 32]| KeyId::of(&key)).collect()
}

fn shown(keys: &[KeyId]) -> String {
    if keys.is_empty() {
        return "none".to_owned();
    }
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

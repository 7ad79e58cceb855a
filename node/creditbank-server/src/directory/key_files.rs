//! Compares the node's key files with the registry at every start: a key that has changed on the disk signs nothing.

use std::path::{Path, PathBuf};

use creditbank_protocol::key::{self, KeyId};
use creditbank_protocol::key_file::purpose_name;
use creditbank_protocol::pb::Purpose;
use creditbank_rules::Registry;

use super::{DirectoryError, NEXT_REGISTRY_KEY, REGISTRY_KEY, Secrets, at, read_key_at, secrets_path};
use crate::environment::Environment;

/// The purposes for which the node has keys.
const PURPOSES: [Purpose; 4] = [Purpose::Log, Purpose::Statement, Purpose::Credential, Purpose::OperatorAccess];

/// A key file of the node.
#[derive(Debug, Clone)]
pub struct KeyFileFound {
    /// Which file.
    pub path: PathBuf,
    /// Its purpose.
    pub purpose: Purpose,
    /// The key that the registry must know.
    pub public_key: [u8; 32],
    /// Whether it has a name of its own, such as `statement-2.key`. Then it may be a key that is to follow.
    pub may_follow: bool,
}

/// A file of keys/ does not hold what the registry knows.
#[derive(Debug, thiserror::Error)]
pub enum KeyFilesError {
    /// The registry does not know the key.
    #[error(
        "{path} holds the {purpose} key {found}, which the registry does not know (it has {expected} in force): the \
         file is damaged, or belongs to another node. Restore the file from a backup; put a key that is to follow \
         beside it, as keys/{purpose}-2.key"
    )]
    Unknown {
        /// Which file.
        path: String,
        /// Its purpose.
        purpose: String,
        /// The key in the file.
        found: KeyId,
        /// The keys that the registry has in force.
        expected: String,
    },
    /// No file holds the key in force.
    #[error(
        "no file of keys/ holds the statement key that the registry has in force ({expected}): restore it from a \
         backup, as keys/statement.key (chmod 600)"
    )]
    NoStatement {
        /// The keys that the registry has in force.
        expected: String,
    },
}

/// The key files of a node's directory. A file that holds no key is an error.
pub(crate) fn find(environment: &Environment, dir: &Path) -> Result<Vec<KeyFileFound>, DirectoryError> {
    find_each(environment, dir)?.into_iter().collect()
}

/// Each key file of a node's directory, or what is wrong with it.
fn find_each(
    environment: &Environment,
    dir: &Path,
) -> Result<Vec<Result<KeyFileFound, DirectoryError>>, DirectoryError> {
    let keys = dir.join("keys");
    let mut found = Vec::new();
    for path in environment.disk.list(&keys).map_err(at(&keys))? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(stem) = name.strip_suffix(".key") else { continue };
        for purpose in PURPOSES {
            let Some(rest) = stem.strip_prefix(&purpose_name(purpose)) else { continue };
            if rest.is_empty() || rest.starts_with('-') {
                let path = keys.join(&name);
                let read = read_key_at(environment, &path, purpose).map(|key| key.public_key());
                found.push(read.map(|public_key| KeyFileFound {
                    path,
                    purpose,
                    public_key,
                    may_follow: !rest.is_empty(),
                }));
            }
        }
    }
    Ok(found)
}

/// Compares the files with the registry in force, and with the log keys.
pub(crate) fn check(files: &[KeyFileFound], against: &Against<'_>) -> Result<(), KeyFilesError> {
    let Against { registry, first, minute, .. } = against;
    for file in files {
        check_one(file, against)?;
        if file.may_follow && !is_known(file, registry, first) {
            let (path, key) = (file.path.display(), KeyId::of(&file.public_key));
            tracing::warn!(%path, %key, "a key file holds a key that the registry does not know yet");
        }
    }
    for purpose in [Purpose::Credential, Purpose::OperatorAccess] {
        let expected = in_force(registry, purpose, *minute);
        if !expected.is_empty() && !files.iter().any(|file| expected.contains(&KeyId::of(&file.public_key))) {
            let (purpose, expected) = (purpose_name(purpose), shown(&expected));
            tracing::warn!(
                purpose,
                expected,
                "no file of keys/ holds the key in force; the node itself does not need it"
            );
        }
    }
    check_statement(files, registry, *minute)
}

fn is_known(KeyFileFound { purpose, public_key, .. }: &KeyFileFound, registry: &Registry, first: &[u8; 32]) -> bool {
    let named = registry.key(&KeyId::of(public_key)).is_some_and(|entry| entry.purpose == i32::from(*purpose));
    let of_log = || {
        let known = registry.log_keys().is_some_and(|known| known.contains(public_key));
        *purpose == Purpose::Log && (known || public_key == first)
    };
    named || of_log()
}

fn check_one(file: &KeyFileFound, against: &Against<'_>) -> Result<(), KeyFilesError> {
    let Against { registry, first, signs, minute } = against;
    if file.may_follow || is_known(file, registry, first) {
        return Ok(());
    }
    let expected = match file.purpose {
        Purpose::Log => vec![KeyId::of(signs)],
        purpose => in_force(registry, purpose, *minute),
    };
    Err(KeyFilesError::Unknown {
        path: file.path.display().to_string(),
        purpose: purpose_name(file.purpose),
        found: KeyId::of(&file.public_key),
        expected: shown(&expected),
    })
}

fn check_statement(files: &[KeyFileFound], registry: &Registry, minute: u64) -> Result<(), KeyFilesError> {
    let expected = in_force(registry, Purpose::Statement, minute);
    let is_there = files.iter().any(|file| expected.contains(&KeyId::of(&file.public_key)));
    if !expected.is_empty() && !is_there {
        return Err(KeyFilesError::NoStatement { expected: shown(&expected) });
    }
    Ok(())
}

/// What key files are compared with.
pub(crate) struct Against<'a> {
    /// The registry in force.
    pub(crate) registry: &'a Registry,
    /// The log key with which the log began.
    pub(crate) first: &'a [u8; 32],
    /// The log key that signs the next seal.
    pub(crate) signs: [u8; 32],
    /// Now.
    pub(crate) minute: u64,
}

/// Everything that is wrong with the secrets and the key files of a node's directory, each with its file. Without the
/// registry, only what a file shows by itself. This includes registry keys, which only a trial has there.
pub(crate) fn faults(environment: &Environment, dir: &Path, against: Option<&Against<'_>>) -> Vec<String> {
    /// As the start says it.
    fn told(error: &DirectoryError) -> String {
        error.next_step().map_or_else(|| error.to_string(), |next| format!("{error}: {next}"))
    }
    let mut faults = Vec::new();
    let disk = &*environment.disk;
    faults.extend(Secrets::read(disk, &secrets_path(dir)).err().map(|error| told(&error)));
    let mut files = Vec::new();
    match find_each(environment, dir) {
        Ok(found) => {
            for file in found {
                match file {
                    Ok(file) => files.push(file),
                    Err(error) => faults.push(told(&error)),
                }
            }
        }
        Err(error) => faults.push(told(&error)),
    }
    for name in [REGISTRY_KEY, NEXT_REGISTRY_KEY] {
        let path = dir.join("keys").join(name);
        match disk
            .exists(&path)
            .map_err(at(&path))
            .and_then(|is_there| is_there.then(|| read_key_at(environment, &path, Purpose::Registry)).transpose())
        {
            Ok(Some(key)) if name == REGISTRY_KEY => {
                let (purpose, public_key) = (Purpose::Registry, key.public_key());
                files.push(KeyFileFound { path, purpose, public_key, may_follow: false });
            }
            Ok(_) => {}
            Err(error) => faults.push(told(&error)),
        }
    }
    let Some(against) = against else { return faults };
    let Against { registry, signs, minute, .. } = against;
    let one = |file| check_one(file, against).err();
    faults.extend(files.iter().filter_map(one).map(|error| error.to_string()));
    faults.extend(check_statement(&files, registry, *minute).err().map(|error| error.to_string()));
    if !files.iter().any(|file| file.purpose == Purpose::Log && file.public_key == *signs) {
        let key = KeyId::of(signs);
        faults.push(format!("no file of keys/ holds the log key that signs the next seal ({key}): put it back"));
    }
    faults
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

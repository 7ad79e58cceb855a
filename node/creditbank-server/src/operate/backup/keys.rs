//! Damaged keys must not get into a backup unnoticed. Otherwise the damage is found when the copy is needed, and the
//! good keys are gone.

use std::path::Path;

use creditbank_protocol::key::KeyId;
use creditbank_protocol::key_file::purpose_name;
use creditbank_protocol::pb::Purpose;
use creditbank_store::{Disk, KeyStore};
use zeroize::Zeroizing;

use super::tree::Tree;
use super::{BackupError, at};
use crate::directory::key_files;
use crate::environment::Environment;

/// The learners' keys of a node's file, up to the last complete record. Each of them opens, and there are as many as
/// the copied log needs.
pub(super) fn learners(
    disk: &dyn Disk,
    path: &Path,
    tree: &Tree,
    master: &[u8; 32],
) -> Result<Zeroizing<Vec<u8>>, BackupError> {
    let damaged = |what: String| BackupError::Damaged {
        path: path.display().to_string(),
        what: format!("{what}. This backup cannot be used: keep the older ones, and restore the file from one of them"),
    };
    let mut bytes = Zeroizing::new(disk.read(path).map_err(at(path))?);
    let proved = KeyStore::prove(&bytes, 0, path, master).map_err(|error| damaged(error.to_string()))?;
    let (records, len) = (proved.records, proved.len);
    if proved.is_damaged || records < tree.keys {
        let needed = tree.keys;
        return Err(damaged(format!("record {records} at {len} cannot be read, and the log needs {needed}")));
    }
    if proved.erased < tree.erased {
        let (found, expected) = (proved.erased, tree.erased);
        return Err(damaged(format!(
            "it has {found} erased learners, the log was written with {expected}: it is older"
        )));
    }
    // What is being written after it belongs to a later round.
    bytes.truncate(usize::try_from(len).unwrap_or(usize::MAX));
    Ok(bytes)
}

/// Checks that the key files of a node hold keys that the registry of the copied log has had. Only a file with a name
/// of its own may hold a key that is to follow.
pub(super) fn files(environment: &Environment, dir: &Path, tree: &Tree) -> Result<(), BackupError> {
    for file in key_files::find(environment, dir)? {
        let purpose = i32::from(file.purpose);
        let signed = file.purpose == Purpose::Log && tree.log_keys.contains(&file.public_key);
        let is_known = signed || tree.registered.contains(&(purpose, file.public_key));
        // A log that has published no keys yet says nothing about them.
        let has_any = tree.registered.iter().any(|(of, _)| *of == purpose) || file.purpose == Purpose::Log;
        if !is_known && has_any && !file.may_follow && !tree.log_keys.is_empty() {
            let (purpose, id) = (purpose_name(file.purpose), KeyId::of(&file.public_key));
            return Err(BackupError::Damaged {
                path: file.path.display().to_string(),
                what: format!(
                    "it holds the {purpose} key {id}, which the registry of this log has never had: it is damaged, or \
                     belongs to another node. Restore the file from an older backup"
                ),
            });
        }
    }
    Ok(())
}

//! What is taken to the new directory: the rounds up to the cut, and the node's keys with another log key.

use std::ops::ControlFlow;
use std::path::Path;

use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use creditbank_store::inspect::JournalReader;
use creditbank_store::{Disk, Store};
use ed25519_dalek::SigningKey;

use super::SucceedError;
use crate::clock::random;
use crate::directory::{Secrets, at, key_path, secrets_path, write_secret};
use crate::environment::Environment;
use crate::operate::backup::files;

/// Appends the rounds of a journal up to the one with the number `last`.
pub(super) fn rounds(
    journal: &JournalReader,
    store: &dyn Store,
    last: u64,
    mut read: impl FnMut(u64),
) -> Result<(), SucceedError> {
    let mut failed = None;
    journal.rounds(1, |raw| {
        read(raw.frame_len());
        match raw.decode() {
            Ok(decoded) => failed = store.append(&decoded.round).err().map(SucceedError::from),
            Err(error) => {
                failed = Some(SucceedError::Damaged { sequence: raw.sequence, what: error.to_string() });
            }
        }
        if failed.is_some() || raw.sequence >= last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Copies the node's keys except the log keys, which may be stolen, and makes another log key.
pub(super) fn keys(environment: &Environment, dir: &Path, to: &Path) -> Result<SigningKey, SucceedError> {
    let disk: &dyn Disk = &*environment.disk;
    // Read first: without it no copied data could be opened.
    Secrets::read(disk, &secrets_path(dir))?;
    for name in files::list(disk, &dir.join("keys"))? {
        let is_log_key = name == "log.key" || name.starts_with("log-");
        if !is_log_key {
            let name = format!("keys/{name}");
            files::copy(disk, &dir.join(&name), &to.join(&name), &name, u64::MAX)?;
        }
    }
    let name = "learners.keys";
    files::copy(disk, &dir.join(name), &to.join(name), name, u64::MAX)?;
    let key = KeyFile { purpose: Purpose::Log, key: SigningKey::from_bytes(&random(&*environment.entropy)) };
    write_secret(disk, &key_path(to, Purpose::Log), &key.to_text())?;
    disk.sync_dir(&to.join("keys")).map_err(at(to))?;
    Ok(key.key)
}

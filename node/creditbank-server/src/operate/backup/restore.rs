//! Bringing a backup back. A restored log is shorter than the one that was lost, and its key has signed for what is missing:
//! so the operator says what has been published, and below that the node does not sign.

use std::path::{Path, PathBuf};

use creditbank_protocol::key::genesis;
use creditbank_protocol::note::{Checkpoint, KeyType, Note, NoteError, VerifierKey};
use creditbank_store::inspect::JournalReader;

use super::{BackupError, Manifest, at, files, tree};
use crate::directory::{Config, DirectoryError, HELD_FILE, Secrets, StoreUrl, read_config};
use crate::operate::reindex;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the operator says about a restore.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// Signed notes of checkpoints that others have seen.
    pub seen: Vec<PathBuf>,
    /// That nothing after the backup ever left the node.
    pub nothing_published: bool,
    /// That learners' keys beyond their time may be used.
    pub accept_expired: bool,
    /// Where the node's keys are, when they are not in the backup.
    pub keys: Option<PathBuf>,
    /// Wall clock, milliseconds since 1970-01-01T00:00Z.
    pub now_ms: u64,
}

/// What was restored.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// The size below which the node does not sign: what others have seen and the backup lacks.
    pub held_below: Option<u64>,
}

/// Restores a backup into `dir`, which must be new or empty. Everything is checked before anything is written.
pub fn restore(
    from: &Path,
    dir: &Path,
    options: &RestoreOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restored, BackupError> {
    if options.seen.is_empty() && !options.nothing_published {
        return Err(BackupError::NothingSeen);
    }
    let keys_dir = options.keys.clone().unwrap_or_else(|| from.join("keys"));
    if !keys_dir.join("secrets").exists() {
        return Err(BackupError::NoKeys);
    }
    let secrets = Secrets::read(&keys_dir.join("secrets"))?;
    let manifest = Manifest::read(from, &secrets.master)?;
    let expired = options.now_ms.saturating_sub(manifest.keys_expire_at_ms);
    if expired > 0 && !options.accept_expired {
        return Err(BackupError::Expired { days: expired / DAY_MS });
    }
    let total: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    manifest.check_files(from, |done| progress(done, total * 3))?;
    let config = config(from)?;
    let log_key = hex::decode(&manifest.log_key).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
    let log_key = log_key.ok_or_else(|| BackupError::Damaged {
        path: from.join("backup.json").display().to_string(),
        what: "log_key: expected 32 bytes in hexadecimal".to_owned(),
    })?;
    let seen = options.seen.iter().map(|path| read_note(path, &manifest.origin, log_key));
    let seen = seen.collect::<Result<Vec<_>, _>>()?;
    let log = genesis(&manifest.origin, &log_key, &config.registry_key).0;
    let sizes: Vec<u64> = seen.iter().map(|seen| seen.checkpoint.size).collect();
    let tree =
        tree::read(&JournalReader::new(&from.join("log"), log), &sizes, |done| progress(total + done, total * 3))?;
    if (tree.head.size, tree.head.root.to_string()) != (manifest.size, manifest.root.clone()) {
        let what = format!("the journal has size {} and root {}", tree.head.size, tree.head.root);
        return Err(BackupError::Damaged { path: from.join("backup.json").display().to_string(), what });
    }
    for Seen { path, checkpoint, .. } in &seen {
        if let Some(found) = tree.roots.get(&checkpoint.size).filter(|found| **found != checkpoint.root) {
            let (published, found) = (checkpoint.root.to_string(), found.to_string());
            return Err(BackupError::Fork { path: path.clone(), size: checkpoint.size, published, found });
        }
    }
    let newest = seen.iter().max_by_key(|seen| seen.checkpoint.size);
    let held = newest.filter(|seen| seen.checkpoint.size > manifest.size);
    write(from, dir, &manifest, &config, options, |done| progress(total * 2 + done, total * 3))?;
    if let Some(held) = held {
        let path = dir.join("log").join(HELD_FILE);
        // A hold that the backup had itself may be for more.
        let before = std::fs::read(&path).ok().and_then(|note| parse(&note, &manifest.origin, log_key).ok());
        if before.is_none_or(|before| before.size < held.checkpoint.size) {
            let _ = std::fs::remove_file(&path);
            files::put(&path, &held.note)?;
        }
    }
    files::sync_dirs(dir)?;
    // Index and flat files, so that the directory is whole; this signs nothing.
    reindex(dir, &read_config(dir)?, |_, _| {})?;
    Ok(Restored { held_below: held.map(|seen| seen.checkpoint.size), manifest })
}

fn config(from: &Path) -> Result<Config, BackupError> {
    let path = from.join("node.toml");
    let text = std::fs::read_to_string(&path).map_err(at(&path))?;
    let read = Config::parse(&text);
    Ok(read.map_err(|error| DirectoryError::Config { path: path.display().to_string(), error })?)
}

/// The files, and a configuration whose log is where they are.
fn write(
    from: &Path,
    dir: &Path,
    manifest: &Manifest,
    config: &Config,
    options: &RestoreOptions,
    mut progress: impl FnMut(u64),
) -> Result<(), BackupError> {
    files::new_dir(dir)?;
    let mut done = 0;
    // The configuration comes last: a directory with one is a whole node.
    for file in manifest.files.iter().filter(|file| file.path != "node.toml") {
        let copied = files::copy(&from.join(&file.path), &dir.join(&file.path), &file.path, u64::MAX)?;
        if copied != *file {
            let what = "it changed while it was restored".to_owned();
            return Err(BackupError::Damaged { path: from.join(&file.path).display().to_string(), what });
        }
        done += copied.bytes;
        progress(done);
    }
    if let Some(keys) = options.keys.as_ref().filter(|_| !manifest.with_keys) {
        for entry in std::fs::read_dir(keys).map_err(at(keys))? {
            let entry = entry.map_err(at(keys))?;
            let name = format!("keys/{}", entry.file_name().to_string_lossy());
            if entry.path().is_file() {
                files::copy(&entry.path(), &dir.join(&name), &name, u64::MAX)?;
            }
        }
    }
    let store = match &config.store {
        StoreUrl::Memory => StoreUrl::Memory,
        StoreUrl::Sled(_) => StoreUrl::Sled("log".into()),
        StoreUrl::Fjall(_) => StoreUrl::Fjall("log".into()),
    };
    files::put(&dir.join("node.toml"), Config { store, ..config.clone() }.to_text().as_bytes())
}

struct Seen {
    path: String,
    note: Vec<u8>,
    checkpoint: Checkpoint,
}

fn read_note(path: &Path, origin: &str, log_key: [u8; 32]) -> Result<Seen, BackupError> {
    let note = std::fs::read(path).map_err(at(path))?;
    let shown = path.display().to_string();
    let checkpoint = parse(&note, origin, log_key).map_err(|error| BackupError::Seen { path: shown.clone(), error })?;
    Ok(Seen { path: shown, note, checkpoint })
}

/// A checkpoint of this log, signed by its key.
pub(crate) fn parse(note: &[u8], origin: &str, log_key: [u8; 32]) -> Result<Checkpoint, NoteError> {
    let note = Note::parse(note)?;
    let key = VerifierKey::new(origin, KeyType::Log, log_key)?;
    if note.signed_by(&key)?.is_none() {
        return Err(NoteError::NoTrustedLog { origin: origin.to_owned() });
    }
    let checkpoint = Checkpoint::parse(note.text())?;
    if checkpoint.origin == origin { Ok(checkpoint) } else { Err(NoteError::Checkpoint("it is of another log")) }
}

//! Makes a backup while the node serves. It needs no lock and does not disturb the node: each file that it reads is
//! only appended to, or replaced as a whole.

use std::ops::ControlFlow;
use std::path::Path;

use creditbank_protocol::note::Checkpoint;
use creditbank_store::inspect::{JournalReader, guard, write_guard};
use creditbank_store::{Disk, Head};

use super::tree::{Point, Tree};
use super::{BackedUpFile, BackupError, Manifest, files, keys};
use crate::directory::{Config, DirectoryError, HELD_FILE, KeyRing, Secrets, secrets_path};
use crate::environment::Environment;
use crate::ledger::sign_by;

const KEYS: &str = "learners.keys";
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Options of a backup.
#[derive(Debug, Clone, Copy)]
pub struct MakeOptions {
    /// Whether the node's own keys and secrets are included.
    pub with_keys: bool,
    /// After how many days the learners' keys in it may not be used any more.
    pub keys_expire_days: u32,
}

/// Copies the node of `dir` to `out`, a new directory. `progress` gets the bytes that are done, and the total.
pub fn make(
    environment: &Environment,
    dir: &Path,
    config: &Config,
    out: &Path,
    options: MakeOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    let log_dir = dir.join(config.store.path().ok_or(BackupError::Memory)?);
    let disk = &*environment.disk;
    let ring = KeyRing::open(environment, dir)?;
    let secrets = Secrets::read(disk, &secrets_path(dir))?;
    // The head first: everything up to it is durable and may be signed for, and nothing after it is copied.
    let log = config.beginning().genesis().0;
    let source = JournalReader::new(&environment.disk, &log_dir, log);
    let (sequence, head) = durable(disk, &log_dir, &source).map_err(BackupError::of_node)?;
    files::outside(disk, out, &[dir, &log_dir])?;
    files::fill_new_dir(disk, out, || {
        let mut copied = journal(disk, &source, sequence, out, progress).map_err(BackupError::of_node)?;
        let copy = JournalReader::new(&environment.disk, &out.join("log"), log);
        let total: u64 = copied.iter().map(|file| file.bytes).sum();
        let end = (sequence, head);
        let found = match whole(&copy, &out.join("log"), end, |done| progress(total + done, total * 2)) {
            Ok(found) => found,
            Err(error) => {
                // Where the node's own files are damaged, the copy of them is not to blame.
                whole(&source, &log_dir, end, |_| {}).map_err(BackupError::of_node)?;
                return Err(error);
            }
        };
        write_guard(disk, &out.join("log"), sequence, head)?;
        copied.push(files::hash(disk, &out.join("log/guard"), "log/guard", u64::MAX)?);
        // After the journal, so that it has every key that the copied rounds need.
        let bytes = keys::learners(disk, &dir.join(KEYS), &found, &secrets.master)?;
        files::put(disk, &out.join(KEYS), &bytes)?;
        copied.push(files::hash(disk, &out.join(KEYS), KEYS, u64::MAX)?);
        let mut others = vec!["node.toml".to_owned(), "trust.toml".to_owned()];
        keys::files(environment, dir, &found)?;
        if options.with_keys {
            let names = files::list(disk, &dir.join("keys"))?;
            others.extend(names.iter().map(|name| format!("keys/{name}")));
        }
        for name in &others {
            let from = dir.join(name);
            if name != "trust.toml" || files::exists(disk, &from)? {
                copied.push(files::copy(disk, &from, &out.join(name), name, u64::MAX)?);
            }
        }
        let held = log_dir.join(HELD_FILE);
        if files::exists(disk, &held)? {
            let name = format!("log/{HELD_FILE}");
            copied.push(files::copy(disk, &held, &out.join(&name), &name, u64::MAX)?);
        }
        // The same bytes that the node has signed for this head.
        let checkpoint = Checkpoint {
            origin: found.origin.clone().unwrap_or_else(|| config.origin.clone()),
            size: head.size,
            root: head.root,
        };
        let note = sign_by(&ring, &checkpoint, &found.signers).map_err(DirectoryError::from)?;
        let log_keys = found.log_keys.iter().map(hex::encode).collect();
        let now_ms = environment.clock.now_ms();
        let manifest = Manifest {
            version: Manifest::VERSION,
            origin: checkpoint.origin.clone(),
            log_keys,
            size: head.size,
            root: head.root.to_string(),
            sequence,
            checkpoint: String::from_utf8_lossy(&note).into_owned(),
            made_at_ms: now_ms,
            keys_expire_at_ms: now_ms.saturating_add(u64::from(options.keys_expire_days) * DAY_MS),
            with_keys: options.with_keys,
            followed: false,
            files: copied,
        };
        manifest.write(disk, out, &secrets.master)?;
        files::sync_dirs(disk, out)?;
        Ok(manifest)
    })
}

/// Reads a log up to its end, which is a round and a head, and verifies it.
fn whole(
    journal: &JournalReader,
    log_dir: &Path,
    (sequence, head): (u64, Head),
    progress: impl FnMut(u64),
) -> Result<Tree, BackupError> {
    let mut found = Tree::new(&[]);
    found.read(journal, Some(Point::Sequence(sequence)), progress)?;
    if (found.sequence, found.head) == (sequence, head) {
        return Ok(found);
    }
    let what = format!(
        "it ends with round {} at size {}, the guard says {sequence} at {}",
        found.sequence, found.head.size, head.size
    );
    Err(BackupError::Damaged { path: log_dir.display().to_string(), what })
}

/// What the guard of a log says is durable.
pub(super) fn durable(disk: &dyn Disk, log_dir: &Path, journal: &JournalReader) -> Result<(u64, Head), BackupError> {
    if let Some(found) = guard(disk, log_dir)? {
        return Ok(found);
    }
    let mut has_rounds = false;
    journal.rounds(1, |_| {
        has_rounds = true;
        ControlFlow::Break(())
    })?;
    Err(if has_rounds {
        BackupError::NoGuard(log_dir.join("guard").display().to_string())
    } else {
        BackupError::Nothing
    })
}

/// Copies the segments up to and with the round `sequence`, cut after its frame.
fn journal(
    disk: &dyn Disk,
    journal: &JournalReader,
    sequence: u64,
    out: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<BackedUpFile>, BackupError> {
    let mut end = None;
    journal.rounds(sequence, |round| {
        end = Some((round.position.segment, round.position.offset + round.frame_len()));
        ControlFlow::Break(())
    })?;
    let (last, end) = end.ok_or(BackupError::Nothing)?;
    let segments: Vec<_> = journal.segments()?.into_iter().filter(|(first, _, _)| *first <= last).collect();
    let total: u64 = segments.iter().map(|(first, _, len)| if *first == last { end } else { *len }).sum();
    let mut copied: Vec<BackedUpFile> = Vec::with_capacity(segments.len());
    for (first, path, _) in segments {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("log/journal/{name}");
        let len = if first == last { end } else { u64::MAX };
        copied.push(files::copy(disk, &path, &out.join(&name), &name, len)?);
        progress(copied.iter().map(|file| file.bytes).sum(), total * 2);
    }
    Ok(copied)
}

//! Restores a backup. A restored log is shorter than the one that was lost, and its key has signed for what is missing.
//! So the operator says what has been published, and the node does not sign below that.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use creditbank_protocol::note::Checkpoint;
use creditbank_store::inspect::{mark_restored, write_guard};
use creditbank_store::{Disk, Placement};

use super::tree::{Point, Tree};
use super::{BackedUpFile, BackupError, Manifest, Source, at, files, open_source};
use crate::append::seal_time::check_ahead;
use crate::directory::{Config, HELD_FILE, parse_published};
use crate::environment::Environment;
use crate::operate::reindex;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What the operator says about a restore.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// Signed notes of checkpoints that others have seen.
    pub seen: Vec<PathBuf>,
    /// Nothing after the backup ever left the node.
    pub nothing_published: bool,
    /// Learners' keys may be used after their expiry.
    pub accept_expired: bool,
    /// Where the node's keys are, if they are not in the backup.
    pub keys: Option<PathBuf>,
    /// Up to which point; `None`: everything. Learners' keys are always the newest: what was erased later stays erased.
    pub to: Option<Point>,
}

/// The result of a restore.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// Number of log entries.
    pub size: u64,
    /// The time of its last seal, milliseconds since 1970.
    pub sealed_ms: Option<u64>,
    /// The size below which the node does not sign: what others have seen and the backup lacks.
    pub held_below: Option<u64>,
    /// The time of the last seal, in milliseconds since 1970, if it is so old that a start asks for the time.
    pub confirm_after_ms: Option<u64>,
}

/// Restores a backup into `dir`, which must be new or empty. Everything is checked before anything is written.
pub fn restore(
    environment: &Environment,
    from: &Path,
    dir: &Path,
    options: &RestoreOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restored, BackupError> {
    let disk = &*environment.disk;
    files::outside(disk, dir, &[from])?;
    let source = open_source(environment, from, options.keys.as_deref())?;
    if options.seen.is_empty() && !options.nothing_published {
        return Err(BackupError::NothingSeen);
    }
    let expired = environment.clock.now_ms().saturating_sub(source.manifest.keys_expire_at_ms);
    if expired > 0 && !options.accept_expired {
        return Err(BackupError::Expired { days: expired / DAY_MS });
    }
    let Source { manifest, config, log_keys, journal, .. } = &source;
    let total: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let whole = manifest.check_files(disk, from, |done| progress(done, total * 3))?;
    let seen = options.seen.iter().map(|path| read_note(disk, path, &manifest.origin, log_keys));
    let seen = seen.collect::<Result<Vec<_>, _>>()?;
    let sizes: Vec<u64> = seen.iter().map(|seen| seen.checkpoint.size).collect();
    let tree = source.tree(&sizes, |done| progress(total + done, total * 3))?;
    for Seen { path, checkpoint, .. } in &seen {
        if let Some(found) = tree.roots.get(&checkpoint.size).filter(|found| **found != checkpoint.root) {
            let (published, found) = (checkpoint.root.to_string(), found.to_string());
            return Err(BackupError::Fork { path: path.clone(), size: checkpoint.size, published, found });
        }
    }
    let whole_root = tree.head.root;
    let newest = seen.iter().max_by_key(|seen| seen.checkpoint.size);
    let cut = match options.to {
        None => tree,
        // Everything up to its end is verified; this finds the place.
        Some(point) => {
            if matches!(point, Point::Size(size) if size > manifest.size) {
                return Err(BackupError::Beyond { size: manifest.size });
            }
            let mut cut = Tree::new(&[]);
            // A followed copy may have rounds after its manifest, which nobody has verified and which may be
            // incomplete.
            cut.read_within(journal, Some(point), manifest.sequence, |_| {})?;
            cut
        }
    };
    let Some(end) = cut.end else {
        return Err(BackupError::BeforeAll);
    };
    // The log key has signed what the backup itself shows after the point.
    let own = Seen {
        path: from.join("backup.json").display().to_string(),
        note: manifest.checkpoint.clone().into_bytes(),
        checkpoint: Checkpoint { origin: manifest.origin.clone(), size: manifest.size, root: whole_root },
    };
    let newest = newest.into_iter().chain([&own]).max_by_key(|seen| seen.checkpoint.size);
    let held = newest.filter(|seen| seen.checkpoint.size > cut.head.size);
    let segments = journal.segments()?;
    files::fill_new_dir(disk, dir, || {
        copy(disk, from, dir, (manifest, &whole), options, (&segments, end), |done| {
            progress(total * 2 + done, total * 3);
        })?;
        write_guard(disk, &dir.join("log"), cut.sequence, cut.head)?;
        if let Some(held) = held {
            let path = dir.join("log").join(HELD_FILE);
            // If the backup was held itself, that hold may be for more.
            let before = disk.read(&path).ok().and_then(|note| parse_published(&note, &manifest.origin, log_keys).ok());
            if before.is_none_or(|before| before.size < held.checkpoint.size) {
                disk.replace(&path, &held.note).map_err(at(&path))?;
            }
        }
        files::sync_dirs(disk, dir)?;
        let config = Config { store: config.store.moved_to("log"), ..config.clone() };
        // Index and flat files, so that the directory is complete. This signs nothing.
        reindex(environment, dir, &config, Placement::Restore, |_, _| {})?;
        // The directory is a copy: somebody must look for the original node before this one signs.
        mark_restored(disk, &dir.join("log"))?;
        // Last, after everything else is durable (above all the hold): a directory with a configuration counts as a
        // complete node.
        let path = dir.join("node.toml");
        disk.replace(&path, config.to_text().as_bytes()).map_err(at(&path))?;
        files::sync_dirs(disk, dir)?;
        Ok::<_, BackupError>(())
    })?;
    let now_ms = environment.clock.now_ms();
    let confirm_after_ms = cut.sealed_ms.filter(|sealed_ms| check_ahead(*sealed_ms, now_ms).is_err());
    let held_below = held.map(|seen| seen.checkpoint.size);
    let manifest = manifest.clone();
    Ok(Restored { manifest, size: cut.head.size, sealed_ms: cut.sealed_ms, held_below, confirm_after_ms })
}

/// First round, path and length of each segment.
type Segments = [(u64, PathBuf, u64)];

/// Copies everything except configuration and guard; the journal only up to the segment and offset of `end`.
fn copy(
    disk: &dyn Disk,
    from: &Path,
    dir: &Path,
    (manifest, whole): (&Manifest, &[BackedUpFile]),
    options: &RestoreOptions,
    (segments, end): (&Segments, (u64, u64)),
    mut progress: impl FnMut(u64),
) -> Result<(), BackupError> {
    let mut done = 0;
    for file in whole.iter().filter(|file| !["node.toml", "log/guard"].contains(&file.path.as_str())) {
        let path = from.join(&file.path);
        let segment = segments.iter().find(|(_, segment, _)| *segment == path).map(|(first, _, _)| *first);
        if segment.is_some_and(|first| first > end.0) {
            continue;
        }
        let is_cut = segment == Some(end.0) && end.1 < file.bytes;
        let len = if is_cut { end.1 } else { file.bytes };
        let copied = files::copy(disk, &path, &dir.join(&file.path), &file.path, len)?;
        // A part has no hash of its own. Its frames have checksums, which the next start reads.
        if !is_cut && copied != *file {
            let what = "it changed while it was restored: stop `backup --follow`, and try again".to_owned();
            return Err(BackupError::Damaged { path: path.display().to_string(), what });
        }
        done += copied.bytes;
        progress(done);
    }
    if let Some(keys) = options.keys.as_ref().filter(|_| !manifest.with_keys) {
        for name in files::list(disk, keys)? {
            let to = format!("keys/{name}");
            files::copy(disk, &keys.join(&name), &dir.join(&to), &to, u64::MAX)?;
        }
    }
    Ok(())
}

struct Seen {
    path: String,
    note: Vec<u8>,
    checkpoint: Checkpoint,
}

fn read_note(disk: &dyn Disk, path: &Path, origin: &str, log_keys: &BTreeSet<[u8; 32]>) -> Result<Seen, BackupError> {
    let note = disk.read(path).map_err(at(path))?;
    let shown = path.display().to_string();
    let checkpoint =
        parse_published(&note, origin, log_keys).map_err(|error| BackupError::Seen { path: shown.clone(), error })?;
    Ok(Seen { path: shown, note, checkpoint })
}

//! A copy that follows a node which serves: segments and learners' keys as they grow, everything else as it changes.
//!
//! Each step publishes a state that is whole: what the guard says is durable, the journal up to it, then the learners' keys,
//! and last the manifest, by a rename. Between two steps the copy may hold more than its manifest says, never less. A key that
//! was destroyed is gone from the copy after the next step: the file is replaced as a whole and the old one overwritten.

mod growing;
mod parts;
mod small;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::note::Checkpoint;
use creditbank_store::inspect::{JournalReader, guard, write_guard};
use creditbank_store::{DirectoryLock, Disk, Head, Position};
use serde::Serialize;

use super::make::{DAY_MS, MakeOptions};
use super::tree::{Point, Tree};
use super::{BackedUpFile, BackupError, Manifest, at, files};
use crate::directory::{Config, DirectoryError, KeyRing, Secrets};
use crate::environment::Environment;
use crate::ledger::sign_by;
use growing::Growing;
use parts::head_of;
use small::Small;

/// A manifest without changes is written anew after this time, so that the copy does not look abandoned.
const RENEW_MS: u64 = 60 * 60 * 1_000;
const KEYS: &str = "learners.keys";
const STATUS: &str = "status.json";

/// How far a copy is: `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FollowStatus {
    /// Log entries that the copy has.
    pub size: u64,
    /// The number of its last round.
    pub sequence: u64,
    /// The time of its last seal, milliseconds since 1970.
    pub sealed_ms: Option<u64>,
    /// When it last had everything that the node had made durable, milliseconds since 1970 by the copying machine's clock.
    /// It lags by as much as this lies in the past.
    pub complete_at_ms: u64,
    /// The most that it lags while all goes well.
    pub lag_ms: u64,
    /// Why the last step failed; then the copy is as of `complete_at_ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Follows one node into one directory.
pub struct Follower {
    environment: Environment,
    dir: PathBuf,
    config: Config,
    out: PathBuf,
    options: MakeOptions,
    lag_ms: u64,
    /// What the copy's journal comes to.
    tree: Tree,
    /// The segments of the copy, by their first rounds.
    segments: Vec<(u64, Growing)>,
    /// The learners' keys, and the head of their file: a file that was written anew has another one.
    keys: Growing,
    keys_head: Vec<u8>,
    /// The other files.
    small: Vec<BackedUpFile>,
    published: Option<Manifest>,
    /// Whether the node was seen to have what the copy has.
    is_its_past: bool,
    _lock: DirectoryLock,
}

impl Follower {
    /// Begins a copy in `out`, which must be new or empty, or goes on with one: everything that it has is proved first.
    /// `lag_ms` is what the caller's steps keep to.
    pub fn open(
        environment: &Environment,
        dir: &Path,
        config: &Config,
        out: &Path,
        options: MakeOptions,
        lag_ms: u64,
    ) -> Result<Self, BackupError> {
        config.store.path().ok_or(BackupError::Nothing)?;
        let disk = &*environment.disk;
        disk.make_dir(out).map_err(at(out))?;
        let has_manifest = files::exists(disk, &out.join("backup.json"))?;
        if !has_manifest && !files::exists(disk, &out.join(STATUS))? && !disk.list(out).map_err(at(out))?.is_empty() {
            return Err(BackupError::Exists(out.display().to_string()));
        }
        let lock = disk.lock(out)?;
        let mut follower = Self {
            environment: environment.clone(),
            dir: dir.to_owned(),
            config: config.clone(),
            out: out.to_owned(),
            options,
            lag_ms,
            tree: Tree::new(&[]),
            segments: Vec::new(),
            keys: Growing::default(),
            keys_head: Vec::new(),
            small: Vec::new(),
            published: None,
            is_its_past: false,
            _lock: lock,
        };
        if has_manifest {
            follower.resume()?;
        } else {
            // First of all: it says that what lies here is a copy which was begun.
            follower.write_status(0, None)?;
        }
        Ok(follower)
    }

    fn disk(&self) -> &dyn Disk {
        &*self.environment.disk
    }

    fn log_dir(&self) -> PathBuf {
        self.dir.join(self.config.store.path().unwrap_or(Path::new("log")))
    }

    fn journal(&self, log_dir: &Path) -> JournalReader {
        JournalReader::new(&self.environment.disk, log_dir, self.config.beginning().genesis().0)
    }

    fn secrets(&self) -> Result<Secrets, BackupError> {
        Ok(Secrets::read(self.disk(), &self.dir.join("keys").join("secrets"))?)
    }

    /// Reads what the copy has, and proves it.
    fn resume(&mut self) -> Result<(), BackupError> {
        let manifest = Manifest::read(self.disk(), &self.out, &self.secrets()?.master)?;
        if !manifest.followed {
            return Err(BackupError::Exists(self.out.display().to_string()));
        }
        let journal = self.journal(&self.out.join("log"));
        self.tree.read(&journal, Some(Point::Sequence(manifest.sequence)), |_| {})?;
        if (self.tree.head.size, self.tree.head.root.to_string()) != (manifest.size, manifest.root.clone()) {
            let what = "the journal is not what the manifest says: keep it for a look, and follow into a new directory";
            return Err(BackupError::Damaged { path: self.out.display().to_string(), what: what.to_owned() });
        }
        let segments = journal.segments()?;
        for file in &manifest.files {
            let path = self.out.join(&file.path);
            if let Some((first, ..)) = segments.iter().find(|(_, segment, _)| *segment == path) {
                self.segments.push((*first, Growing::resume(self.disk(), &path, file)?));
            } else if file.path == KEYS && self.keys.len() == 0 {
                // Of two versions one is there. Where it is neither, the next step copies the file anew.
                self.keys = Growing::resume(self.disk(), &path, file).unwrap_or_default();
                self.keys_head = head_of(&self.disk().read(&path).map_err(at(&path))?);
            }
        }
        self.segments.sort_by_key(|(first, _)| *first);
        self.published = Some(manifest);
        Ok(())
    }

    /// Copies what is new, and publishes it. After an error the copy is as it was published last.
    pub fn step(&mut self) -> Result<FollowStatus, BackupError> {
        let begun_ms = self.environment.clock.now_ms();
        match self.copy(begun_ms) {
            Ok(()) => self.write_status(begun_ms, None),
            Err(error) => {
                let complete_at_ms = self.published.as_ref().map_or(0, |manifest| manifest.made_at_ms);
                // The share may be what is gone.
                let _ = self.write_status(complete_at_ms, Some(error.to_string()));
                Err(error)
            }
        }
    }

    fn copy(&mut self, begun_ms: u64) -> Result<(), BackupError> {
        let log_dir = self.log_dir();
        let (sequence, head) = guard(self.disk(), &log_dir)?.ok_or(BackupError::Nothing)?;
        self.check_past(&log_dir, sequence, head)?;
        if sequence != self.tree.sequence {
            self.copy_journal(&log_dir, sequence, head)?;
            write_guard(self.disk(), &self.out.join("log"), sequence, head)?;
        }
        // Behind the journal: every key that its rounds need is there.
        let new_keys = self.copy_keys()?;
        let disk = Arc::clone(&self.environment.disk);
        let small = Small::compare(&*disk, (&self.dir, &log_dir), &self.out, self.options.with_keys)?;
        let coming = small.changed.iter().map(|(name, bytes)| Growing::of(bytes).listed(name));
        let coming: Vec<_> = coming.chain(new_keys.iter().map(|bytes| Growing::of(bytes).listed(KEYS))).collect();
        if !coming.is_empty() || !small.gone.is_empty() {
            // Whatever of it is done when the machine stops, one of the versions is there.
            if let Some(mut both) = self.published.clone() {
                both.files.retain(|file| !small.gone.contains(&file.path));
                both.files.extend(coming);
                both.write(&*disk, &self.out, &self.secrets()?.master)?;
            }
            for (name, bytes) in &small.changed {
                small::replace(&*disk, &self.out.join(name), bytes)?;
            }
            if let Some(bytes) = &new_keys {
                small::replace(&*disk, &self.out.join(KEYS), bytes)?;
                (self.keys, self.keys_head) = (Growing::of(bytes), head_of(bytes));
            }
            for name in &small.gone {
                small::remove(&*disk, &self.out.join(name))?;
            }
        }
        self.small = small.listed;
        // Compared with what was published, and not with the step before: that one may have failed.
        let listed = self.listed();
        let is_published = |last: &Manifest| {
            let is_young = begun_ms.saturating_sub(last.made_at_ms) < RENEW_MS;
            is_young && last.sequence == self.tree.sequence && last.files == listed
        };
        if self.published.as_ref().is_some_and(is_published) { Ok(()) } else { self.publish(listed, begun_ms) }
    }

    /// All files of the copy, as the manifest lists them.
    fn listed(&self) -> Vec<BackedUpFile> {
        let journal = self.journal(&self.out.join("log"));
        let name =
            |first: u64| format!("log/journal/{}", file_name(&journal.path(Position { segment: first, offset: 0 })));
        let mut listed: Vec<_> = self.segments.iter().map(|(first, segment)| segment.listed(&name(*first))).collect();
        listed.push(self.keys.listed(KEYS));
        listed.extend_from_slice(&self.small);
        listed
    }

    /// Writes the manifest of what the copy has.
    fn publish(&mut self, files: Vec<BackedUpFile>, made_at_ms: u64) -> Result<(), BackupError> {
        let Head { size, root, .. } = self.tree.head;
        let checkpoint = Checkpoint { origin: self.origin(), size, root };
        let ring = KeyRing::open(&self.environment, &self.dir)?;
        let note = sign_by(&ring, &checkpoint, &self.tree.signers).map_err(DirectoryError::from)?;
        let days = u64::from(self.options.keys_expire_days);
        let manifest = Manifest {
            version: Manifest::VERSION,
            origin: checkpoint.origin.clone(),
            log_keys: self.tree.log_keys.iter().map(hex::encode).collect(),
            size,
            root: root.to_string(),
            sequence: self.tree.sequence,
            checkpoint: String::from_utf8_lossy(&note).into_owned(),
            made_at_ms,
            keys_expire_at_ms: made_at_ms.saturating_add(days * DAY_MS),
            with_keys: self.options.with_keys,
            followed: true,
            files,
        };
        manifest.write(self.disk(), &self.out, &self.secrets()?.master)?;
        self.published = Some(manifest);
        Ok(())
    }

    fn origin(&self) -> String {
        self.tree.origin.clone().unwrap_or_else(|| self.config.origin.clone())
    }

    fn write_status(&self, complete_at_ms: u64, error: Option<String>) -> Result<FollowStatus, BackupError> {
        let Tree { sequence, head, sealed_ms, .. } = &self.tree;
        let status = FollowStatus {
            size: head.size,
            sequence: *sequence,
            sealed_ms: *sealed_ms,
            complete_at_ms,
            lag_ms: self.lag_ms,
            error,
        };
        let path = self.out.join(STATUS);
        let text = serde_json::to_vec(&status)
            .map_err(|error| BackupError::Damaged { path: STATUS.to_owned(), what: error.to_string() })?;
        self.disk().replace(&path, &text).map_err(at(&path))?;
        Ok(status)
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

//! A copy that follows a serving node: segments and learners' keys as they grow, everything else as it changes.
//!
//! Each step publishes a consistent state: what the guard says is durable, the journal up to there, then the learners'
//! keys, and last the manifest, with a rename. Between two steps the copy may hold more than its manifest says, never
//! less. Every replacement for a file of the copy is verified first: keys open under the master key and are as many as
//! the log needs, and the node's keys sign. A destroyed learner's key is gone from the copy after the next step, even
//! if the journal is damaged: the file is replaced as a whole and the old one is overwritten. If a step is interrupted,
//! the next one does this.

mod growing;
mod parts;
mod small;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use creditbank_protocol::note::Checkpoint;
use creditbank_store::inspect::{JournalReader, write_guard};
use creditbank_store::{DirectoryLock, Disk, Head, Position, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::make::{DAY_MS, MakeOptions, durable};
use super::tree::{Point, Tree};
use super::{BackedUpFile, BackupError, Manifest, at, files};
use crate::directory::{Config, DirectoryError, KeyRing, Secrets, read_config, secrets_path};
use crate::environment::Environment;
use crate::ledger::sign_by;
use growing::Growing;
use parts::{ChangedKeys, head_of};
use small::Small;

/// A manifest without changes is rewritten after this time, so that the copy does not look abandoned.
const RENEW_MS: u64 = 60 * 60 * 1_000;
const KEYS: &str = "learners.keys";
const STATUS: &str = "status.json";

/// How far a copy is: `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowStatus {
    /// The copied log: its genesis value, in hexadecimal. A directory with such a file is a copy that was begun.
    pub follows: String,
    /// Log entries that the copy has.
    pub size: u64,
    /// The number of its last round.
    pub sequence: u64,
    /// The time of its last seal, milliseconds since 1970.
    pub sealed_ms: Option<u64>,
    /// When it last had everything that the node had made durable, in milliseconds since 1970 by the copying machine's
    /// clock. The copy lags by the time since then.
    pub complete_at_ms: u64,
    /// The lag that the steps aim at. The pause between two steps is half of it.
    pub lag_ms: u64,
    /// Why the last step failed. The copy is then as of `complete_at_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// The tree of the copy's journal.
    tree: Tree,
    /// The segments of the copy, by their first rounds.
    segments: Vec<(u64, Growing)>,
    /// The learners' keys, and the head of their file. A rewritten file has another head.
    keys: Growing,
    keys_head: Vec<u8>,
    /// When the whole of the node's file was last compared with the copy, in milliseconds since 1970.
    keys_proved_ms: u64,
    /// The other files.
    small: Vec<BackedUpFile>,
    published: Option<Manifest>,
    /// When the copy last had everything, milliseconds since 1970.
    complete_at_ms: u64,
    /// SHA-256 of the master key under which the copy was made.
    master: [u8; 32],
    /// Whether the node was found to have everything that the copy has.
    is_its_past: bool,
    lock: DirectoryLock,
}

impl Follower {
    /// Continues the copy in `out`, after verifying everything that it has. Only `is_new` begins a copy, in a directory
    /// that is missing or empty, because a share that is not mounted leaves such a directory too. `lag_ms` is the lag
    /// that the caller's steps keep to.
    pub fn open(
        environment: &Environment,
        dir: &Path,
        config: &Config,
        out: &Path,
        options: MakeOptions,
        lag_ms: u64,
        is_new: bool,
    ) -> Result<Self, BackupError> {
        let log_dir = dir.join(config.store.path().ok_or(BackupError::Memory)?);
        let disk = &*environment.disk;
        files::outside(disk, out, &[dir, &log_dir])?;
        let has_manifest = files::exists(disk, &out.join("backup.json"))?;
        let genesis = config.beginning().genesis();
        let shown = || out.display().to_string();
        if has_manifest && is_new {
            return Err(BackupError::Begun(shown()));
        }
        if !has_manifest && !is_begun(disk, out, &genesis.to_string())? {
            if files::exists(disk, out)? && !disk.list(out).map_err(at(out))?.is_empty() {
                return Err(BackupError::Exists(shown()));
            }
            if !is_new {
                return Err(BackupError::NotBegun(shown()));
            }
            // Nothing is created for a node that cannot be copied.
            Secrets::read(disk, &secrets_path(dir))?;
            disk.make_dir(out).map_err(at(out))?;
        }
        let lock = disk.lock(out)?;
        let secrets = Secrets::read(disk, &secrets_path(dir)).map_err(BackupError::from);
        let secrets = secrets.inspect_err(|error| tell_error(disk, out, error))?;
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
            keys_proved_ms: 0,
            small: Vec::new(),
            published: None,
            complete_at_ms: 0,
            master: id_of(&secrets),
            is_its_past: false,
            lock,
        };
        if has_manifest {
            follower.resume().inspect_err(|error| tell_error(disk, out, error))?;
        } else {
            // This file comes first. It marks the directory as a copy that was begun.
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
        Ok(Secrets::read(self.disk(), &secrets_path(&self.dir))?)
    }

    /// Checks that the copy is still where it was begun: a share that was removed leaves another directory under its
    /// name.
    pub(super) fn check_there(&self) -> Result<(), BackupError> {
        let is_there = self.disk().is_locked(&self.out, &self.lock).unwrap_or(false);
        if is_there { Ok(()) } else { Err(BackupError::Away(self.out.display().to_string())) }
    }

    /// Says that the copy is damaged, and not the node.
    pub(super) fn of_copy(&self, error: BackupError) -> BackupError {
        match error {
            BackupError::Damaged { .. } | BackupError::Store(StoreError::Damaged { .. }) => {
                BackupError::Copy { out: self.out.display().to_string(), why: error.to_string() }
            }
            other => other,
        }
    }

    /// Whether the copy's own secrets open its manifest. Then the node's secrets are not those under which it was
    /// begun.
    fn has_other_master(&self) -> bool {
        let kept = Secrets::read(self.disk(), &self.out.join("keys/secrets"));
        kept.is_ok_and(|kept| {
            id_of(&kept) != self.master && Manifest::read(self.disk(), &self.out, &kept.master).is_ok()
        })
    }

    /// Reads what the copy has, and verifies it.
    fn resume(&mut self) -> Result<(), BackupError> {
        self.check_dirs()?;
        let manifest = match Manifest::read(self.disk(), &self.out, &self.secrets()?.master) {
            Err(BackupError::Damaged { .. }) if self.has_other_master() => {
                let path = secrets_path(&self.dir);
                return Err(BackupError::OtherMaster(path.display().to_string()));
            }
            read => read.map_err(|error| self.of_copy(error))?,
        };
        if !manifest.followed {
            return Err(BackupError::Exists(self.out.display().to_string()));
        }
        self.prove(manifest).map_err(|error| self.of_copy(error))
    }

    /// Reads everything that a manifest of the copy lists.
    fn prove(&mut self, manifest: Manifest) -> Result<(), BackupError> {
        let journal = self.journal(&self.out.join("log"));
        self.tree.read(&journal, Some(Point::Sequence(manifest.sequence)), |_| {})?;
        if (self.tree.head.size, self.tree.head.root.to_string()) != (manifest.size, manifest.root.clone()) {
            let what = "the journal is not what the manifest says";
            return Err(BackupError::Damaged { path: self.out.display().to_string(), what: what.to_owned() });
        }
        let segments = journal.segments()?;
        for file in &manifest.files {
            let path = self.out.join(&file.path);
            if file.path == KEYS || file.path.starts_with("keys/") {
                small::wipe_staged(self.disk(), &path)?;
            }
            if let Some((first, ..)) = segments.iter().find(|(_, segment, _)| *segment == path) {
                self.segments.push((*first, Growing::resume(self.disk(), &path, file)?));
            } else if file.path == KEYS && self.keys.len() == 0 {
                // One of the two versions is there. If it is neither, the next step copies the file anew.
                if let Ok(keys) = Growing::resume(self.disk(), &path, file) {
                    self.keys = keys;
                    let bytes = small::read_plain(self.disk(), &path)?;
                    self.keys_head = bytes.map(|bytes| head_of(&bytes)).unwrap_or_default();
                }
            }
        }
        self.segments.sort_by_key(|(first, _)| *first);
        self.complete_at_ms = manifest.made_at_ms;
        self.published = Some(manifest);
        Ok(())
    }

    /// Whether node and copy are on one file system, which is lost as a whole.
    pub fn shares_system(&self) -> bool {
        self.disk().shares_system(&self.log_dir(), &self.out).unwrap_or(false)
    }

    /// Copies what is new, and publishes it. After an error the copy remains as it was last published. If the copy's
    /// directory has gone, nothing is written; once it is back, it is verified and continued.
    pub fn step(&mut self) -> Result<FollowStatus, BackupError> {
        if self.check_there().is_err() {
            let Self { environment, dir, config, out, options, lag_ms, .. } = &*self;
            match Self::open(environment, dir, config, out, *options, *lag_ms, false) {
                Ok(follower) => *self = follower,
                // An empty directory, or the disk below the share: nothing there is the copy's.
                Err(BackupError::NotBegun(out) | BackupError::Exists(out)) => return Err(BackupError::Away(out)),
                Err(error) => return Err(error),
            }
        }
        let begun_ms = self.environment.clock.now_ms();
        match self.copy(begun_ms) {
            Ok(()) => {
                self.complete_at_ms = begun_ms;
                self.write_status(begun_ms, None)
            }
            Err(error) => {
                // Perhaps the share itself has gone.
                let _ = self.write_status(self.complete_at_ms, Some(error.to_string()));
                Err(error)
            }
        }
    }

    fn copy(&mut self, begun_ms: u64) -> Result<(), BackupError> {
        let log_dir = self.log_dir();
        let disk = Arc::clone(&self.environment.disk);
        self.check_dirs()?;
        let (sequence, head) = durable(&*disk, &log_dir, &self.journal(&log_dir)).map_err(BackupError::of_node)?;
        self.check_past(&log_dir, sequence, head)?;
        // The node's data is verified before anything in the copy is replaced.
        read_config(&self.environment, &self.dir)?;
        let secrets = self.secrets()?;
        if id_of(&secrets) != self.master {
            return Err(BackupError::OtherMaster(secrets_path(&self.dir).display().to_string()));
        }
        KeyRing::open(&self.environment, &self.dir)?;
        // Rewritten keys come first: after an erasure the old ones are removed, even if the journal is damaged.
        if begun_ms >= self.keys_proved_ms.saturating_add(RENEW_MS) {
            self.prove_keys()?;
            self.keys_proved_ms = begun_ms;
        }
        if let Some(ChangedKeys::Anew(bytes)) = self.changed_keys(&secrets.master)? {
            self.check_still_past(&log_dir, sequence, head)?;
            self.replace_keys(&bytes, &secrets.master)?;
        }
        if sequence != self.tree.sequence {
            self.copy_journal(&log_dir, sequence, head)?;
            self.check_there()?;
            // It keeps `serve` out of this directory, but proves nothing: `restore` uses the manifest.
            write_guard(&*disk, &self.out.join("log"), sequence, head)?;
        }
        // After the journal, so that it has every key that the copied rounds need.
        match self.changed_keys(&secrets.master)? {
            None => {}
            Some(ChangedKeys::Anew(bytes)) => self.replace_keys(&bytes, &secrets.master)?,
            Some(ChangedKeys::More(bytes)) => {
                let mut keys = self.keys.clone();
                keys.extend(&*disk, &self.out.join(KEYS), &bytes)?;
                self.keys = keys;
            }
        }
        let note = self.signed()?;
        super::keys::files(&self.environment, &self.dir, &self.tree)?;
        self.copy_small(&log_dir, &secrets.master)?;
        // Compared with what was published, not with the step before, which may have failed.
        let mut listed = self.listed();
        listed.sort_by(|one, other| one.path.cmp(&other.path));
        let is_published = |last: &Manifest| {
            let is_young = begun_ms.saturating_sub(last.made_at_ms) < RENEW_MS;
            is_young && last.sequence == self.tree.sequence && last.files == listed
        };
        if self.published.as_ref().is_some_and(is_published) { Ok(()) } else { self.publish(listed, note, begun_ms) }
    }

    /// Checks that no directory of the copy is a link.
    fn check_dirs(&self) -> Result<(), BackupError> {
        for name in ["keys", "log", "log/journal"] {
            let path = self.out.join(name);
            if self.disk().is_link(&path).map_err(at(&path))? {
                let what = "it is a link instead of a directory of the copy: check who may write there".to_owned();
                return Err(BackupError::Damaged { path: path.display().to_string(), what });
            }
        }
        Ok(())
    }

    /// As [`Self::check_past`], after reading the node's journal once more. A journal that cannot be read any more does
    /// not contradict the earlier result.
    fn check_still_past(&mut self, log_dir: &Path, sequence: u64, head: Head) -> Result<(), BackupError> {
        self.is_its_past = false;
        if let Err(error @ BackupError::NotItsPast { .. }) = self.check_past(log_dir, sequence, head) {
            return Err(error);
        }
        self.is_its_past = true;
        Ok(())
    }

    /// Copies the files that are replaced as a whole.
    fn copy_small(&mut self, log_dir: &Path, master: &[u8; 32]) -> Result<(), BackupError> {
        let disk = Arc::clone(&self.environment.disk);
        let listed = self.published.as_ref().map(|manifest| manifest.files.clone()).unwrap_or_default();
        let sources = (&*self.dir, log_dir);
        let small = Small::compare(&*disk, sources, (&self.out, &listed), self.options.with_keys)
            .map_err(|error| self.of_copy(error))?;
        let is_listed = |name: &String| listed.iter().any(|file| file.path == *name);
        let (changed, new): (Vec<_>, Vec<_>) = small.changed.into_iter().partition(|(name, _)| is_listed(name));
        // List new files only after they are written: the disk may be full.
        for (name, bytes) in &new {
            self.check_there()?;
            small::put(&*disk, &self.out.join(name), bytes)?;
        }
        for (name, bytes) in &changed {
            self.replace_listed(&Growing::of(bytes).listed(name), bytes, master)?;
        }
        if let Some(published) = self.published.as_mut().filter(|_| !small.gone.is_empty()) {
            published.files.retain(|file| !small.gone.contains(&file.path));
            published.write(&*disk, &self.out, master)?;
            for name in &small.gone {
                small::remove(&*disk, &self.out.join(name))?;
            }
        }
        self.small = small.listed;
        Ok(())
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

    /// The signed note of what the copy has. Making it shows that the keys in force exist and open.
    fn signed(&self) -> Result<Vec<u8>, BackupError> {
        let Head { size, root, .. } = self.tree.head;
        let ring = KeyRing::open(&self.environment, &self.dir)?;
        let checkpoint = Checkpoint { origin: self.origin(), size, root };
        Ok(sign_by(&ring, &checkpoint, &self.tree.signers).map_err(DirectoryError::from)?)
    }

    /// Writes the manifest of what the copy has.
    fn publish(&mut self, files: Vec<BackedUpFile>, note: Vec<u8>, made_at_ms: u64) -> Result<(), BackupError> {
        let Head { size, root, .. } = self.tree.head;
        let days = u64::from(self.options.keys_expire_days);
        let manifest = Manifest {
            version: Manifest::VERSION,
            origin: self.origin(),
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
        self.check_there()?;
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
            follows: self.config.beginning().genesis().to_string(),
            size: head.size,
            sequence: *sequence,
            sealed_ms: *sealed_ms,
            complete_at_ms,
            lag_ms: self.lag_ms,
            error,
        };
        self.check_there()?;
        let path = self.out.join(STATUS);
        let text = serde_json::to_vec(&status)
            .map_err(|error| BackupError::Damaged { path: STATUS.to_owned(), what: error.to_string() })?;
        self.disk().replace(&path, &text).map_err(at(&path))?;
        Ok(status)
    }
}

/// Records in the status why a copy is not continued, and keeps what it says about earlier steps.
fn tell_error(disk: &dyn Disk, out: &Path, error: &BackupError) {
    let path = out.join(STATUS);
    let text = small::read_plain(disk, &path).ok().flatten();
    let status = text.and_then(|text| serde_json::from_slice::<FollowStatus>(&text).ok());
    if let Some(status) = status {
        let status = FollowStatus { error: Some(error.to_string()), ..status };
        let _ = serde_json::to_vec(&status).map(|text| disk.replace(&path, &text));
    }
}

/// Identifies a master key.
fn id_of(secrets: &Secrets) -> [u8; 32] {
    Sha256::new().chain_update(secrets.master).finalize().into()
}

/// Whether a copy of this log was begun in a directory. A file of that name may be anybody's.
fn is_begun(disk: &dyn Disk, out: &Path, genesis: &str) -> Result<bool, BackupError> {
    let text = small::read_plain(disk, &out.join(STATUS))?;
    let status = text.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    Ok(status.is_some_and(|status| status.get("follows").and_then(|follows| follows.as_str()) == Some(genesis)))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

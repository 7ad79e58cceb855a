//! `backup.json`: what a backup is, and that nothing of it has changed.

use std::path::{Component, Path};

use creditbank_store::Disk;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{BackupError, at, files};

const FILE: &str = "backup.json";
const MAC_FILE: &str = "backup.json.mac";
const VERSION: u32 = 1;

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackedUpFile {
    /// Relative to the backup.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of this format: 1.
    pub version: u32,
    /// The log.
    pub origin: String,
    /// The public log keys that have signed its checkpoints, in hexadecimal.
    pub log_keys: Vec<String>,
    /// Number of log entries.
    pub size: u64,
    /// Their root, in hexadecimal.
    pub root: String,
    /// The number of the last round.
    pub sequence: u64,
    /// The signed note of the checkpoint at that size.
    pub checkpoint: String,
    /// When it was made, in milliseconds since 1970-01-01T00:00Z.
    pub made_at_ms: u64,
    /// Until when the learners' keys in it may be used.
    pub keys_expire_at_ms: u64,
    /// Whether the node's own keys are in it.
    pub with_keys: bool,
    /// All files but the manifest itself.
    pub files: Vec<BackedUpFile>,
}

fn mac(master: &[u8; 32], text: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(master).expect("HMAC takes a key of any length");
    mac.chain_update(b"creditbank backup manifest v1\0").chain_update(text)
}

impl Manifest {
    /// The version that is written.
    pub(super) const VERSION: u32 = VERSION;

    pub(super) fn write(&self, disk: &dyn Disk, out: &Path, master: &[u8; 32]) -> Result<(), BackupError> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| BackupError::Damaged { path: FILE.to_owned(), what: error.to_string() })?;
        let mac = hex::encode(mac(master, &text).finalize().into_bytes());
        files::put(disk, &out.join(MAC_FILE), mac.as_bytes())?;
        files::put(disk, &out.join(FILE), &text)
    }

    /// Reads the manifest of a backup, under the master key that it was made with.
    pub(super) fn read(disk: &dyn Disk, from: &Path, master: &[u8; 32]) -> Result<Self, BackupError> {
        let (path, mac_path) = (from.join(FILE), from.join(MAC_FILE));
        let damaged = |what: String| BackupError::Damaged { path: path.display().to_string(), what };
        let text = disk.read(&path).map_err(at(&path))?;
        let found = disk.read(&mac_path).map_err(at(&mac_path))?;
        let found = hex::decode(found.trim_ascii()).map_err(|error| damaged(format!("{MAC_FILE}: {error}")))?;
        if mac(master, &text).verify_slice(&found).is_err() {
            return Err(damaged(
                "it is not what was written under this master key: changed, or another node's".to_owned(),
            ));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(damaged(format!("version {}, expected {VERSION}", manifest.version)));
        }
        let inside = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if let Some(odd) = manifest.files.iter().find(|file| !inside(&file.path)) {
            return Err(damaged(format!("{} is not a path within the backup", odd.path)));
        }
        Ok(manifest)
    }

    /// Checks length and hash of every file.
    pub(super) fn check_files(
        &self,
        disk: &dyn Disk,
        from: &Path,
        mut progress: impl FnMut(u64),
    ) -> Result<(), BackupError> {
        let mut done = 0;
        for expected in &self.files {
            let path = from.join(&expected.path);
            let found = files::hash(disk, &path, &expected.path)?;
            if found != *expected {
                let what = format!(
                    "{} bytes with SHA-256 {}, the manifest says {} with {}",
                    found.bytes, found.sha256, expected.bytes, expected.sha256
                );
                return Err(BackupError::Damaged { path: path.display().to_string(), what });
            }
            done += found.bytes;
            progress(done);
        }
        Ok(())
    }
}

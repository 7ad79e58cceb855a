//! `backup.json`: the manifest of a backup. Its MAC shows that nothing has changed.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use creditbank_store::Disk;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;

use super::{BackupError, at, files};

const FILE: &str = "backup.json";
const VERSION: u32 = 2;

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
    /// Of this format: 2.
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
    /// Whether it follows a node, and is still written to.
    pub followed: bool,
    /// All files except the manifest itself. A file may be longer than listed: the rest belongs to a later state. While
    /// a file is being replaced, both versions are listed.
    pub files: Vec<BackedUpFile>,
}

fn mac(master: &[u8; 32], text: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(master).expect("HMAC takes a key of any length");
    mac.chain_update(b"creditbank backup manifest v2\0").chain_update(text)
}

impl Manifest {
    /// The version that this program writes.
    pub(super) const VERSION: u32 = VERSION;

    /// Writes it as a whole, in place of an existing one.
    pub(super) fn write(&self, disk: &dyn Disk, out: &Path, master: &[u8; 32]) -> Result<(), BackupError> {
        let odd = |error: serde_json::Error| BackupError::Damaged { path: FILE.to_owned(), what: error.to_string() };
        let manifest = serde_json::value::to_raw_value(self).map_err(odd)?;
        let mac = hex::encode(mac(master, manifest.get().as_bytes()).finalize().into_bytes());
        let text = serde_json::to_vec(&Sealed { mac, manifest }).map_err(odd)?;
        let path = out.join(FILE);
        disk.replace(&path, &text).map_err(at(&path))
    }

    /// Reads the manifest of a backup, under the master key with which it was made.
    pub(super) fn read(disk: &dyn Disk, from: &Path, master: &[u8; 32]) -> Result<Self, BackupError> {
        let path = from.join(FILE);
        let damaged = |what: String| BackupError::Damaged { path: path.display().to_string(), what };
        let bytes = disk.read(&path).map_err(at(&path))?;
        let sealed: Sealed = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("{error}: it is damaged, or an older version has written it")))?;
        let found = hex::decode(&sealed.mac).map_err(|error| damaged(format!("mac: {error}")))?;
        let text = sealed.manifest.get().as_bytes();
        if mac(master, text).verify_slice(&found).is_err() {
            return Err(damaged(
                "it was not written under the master key in keys/secrets: either this file was changed, or these are \
                 the secrets of another node"
                    .to_owned(),
            ));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(damaged(format!("version {}, expected {VERSION}", manifest.version)));
        }
        let inside = |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if let Some(odd) = manifest.files.iter().find(|file| !inside(&file.path)) {
            return Err(damaged(format!("{} is not a path within the backup", odd.path)));
        }
        Ok(manifest)
    }

    /// Checks the hash of every file, up to the listed length, and returns the existing files, each once.
    pub(super) fn check_files(
        &self,
        disk: &dyn Disk,
        from: &Path,
        mut progress: impl FnMut(u64),
    ) -> Result<Vec<BackedUpFile>, BackupError> {
        let mut whole: Vec<BackedUpFile> = Vec::new();
        let mut done = 0;
        let mut versions: BTreeMap<&str, Vec<&BackedUpFile>> = BTreeMap::new();
        for file in &self.files {
            versions.entry(&file.path).or_default().push(file);
        }
        for (name, versions) in versions {
            let path = from.join(name);
            let mut last = None;
            for expected in versions {
                let found = files::hash(disk, &path, name, expected.bytes)?;
                if found == *expected {
                    done += found.bytes;
                    progress(done);
                    whole.push(found);
                    last = None;
                    break;
                }
                last = Some((expected, found));
            }
            if let Some((expected, found)) = last {
                let what = format!(
                    "{} bytes with SHA-256 {}, the manifest says {} with {}",
                    found.bytes, found.sha256, expected.bytes, expected.sha256
                );
                return Err(BackupError::Damaged { path: path.display().to_string(), what });
            }
        }
        Ok(whole)
    }
}

/// The manifest's text as it was written, and the MAC of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    mac: String,
    manifest: Box<RawValue>,
}

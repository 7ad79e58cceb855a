//! Verifies that a backup matches its manifest: before it is restored, and on request.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use creditbank_protocol::counted;
use creditbank_store::KeyStore;
use creditbank_store::inspect::JournalReader;

use super::tree::{Point, Tree};
use super::{BackupError, Manifest, at, files};
use crate::directory::{Config, Secrets, parse_published, read_config};
use crate::environment::Environment;

const KEYS: &str = "learners.keys";

/// A backup with a verified manifest.
pub(crate) struct Source {
    from: PathBuf,
    /// Where the node's keys are.
    pub(crate) keys_dir: PathBuf,
    pub(crate) manifest: Manifest,
    pub(crate) config: Config,
    /// All log keys that have ever signed a checkpoint of it.
    pub(super) log_keys: BTreeSet<[u8; 32]>,
    pub(super) journal: JournalReader,
    master: zeroize::Zeroizing<[u8; 32]>,
}

/// Opens a backup. `keys`: where the node's keys are, if they are not in the backup.
pub(crate) fn open(environment: &Environment, from: &Path, keys: Option<&Path>) -> Result<Source, BackupError> {
    let disk = &*environment.disk;
    refuse_others(environment, from)?;
    let keys_dir = keys.map_or_else(|| from.join("keys"), Path::to_owned);
    if !files::exists(disk, &keys_dir.join("secrets"))? {
        return Err(BackupError::NoKeys);
    }
    let secrets = Secrets::read(disk, &keys_dir.join("secrets"))?;
    let manifest = Manifest::read(disk, from, &secrets.master)?;
    let config = read_config(environment, from)?;
    let log_key = |text: &String| hex::decode(text).ok().and_then(|key| <[u8; 32]>::try_from(key).ok());
    let log_keys: Option<BTreeSet<[u8; 32]>> = manifest.log_keys.iter().map(log_key).collect();
    let log_keys = log_keys.ok_or_else(|| BackupError::Damaged {
        path: from.join("backup.json").display().to_string(),
        what: "log_keys: expected 32 bytes each in hexadecimal".to_owned(),
    })?;
    let journal = JournalReader::new(&environment.disk, &from.join("log"), config.beginning().genesis().0);
    let (from, master) = (from.to_owned(), secrets.master.into());
    Ok(Source { from, keys_dir, manifest, config, log_keys, journal, master })
}

/// Says what a directory without a manifest is instead of a backup.
fn refuse_others(environment: &Environment, from: &Path) -> Result<(), BackupError> {
    let exists = |path: &Path| files::exists(&*environment.disk, path);
    if exists(&from.join("backup.json"))? {
        return Ok(());
    }
    let shown = from.display();
    let what = if !exists(from)? {
        "there is no such directory".to_owned()
    } else if exists(&from.join("node.toml"))?
        && exists(&from.join("learners.keys"))?
        && !exists(&from.join("status.json"))?
    {
        format!(
            "it is a node's directory. Make a backup of it (creditbank-node backup --dir {shown} --out NEW), or serve it where \
             it is (creditbank-node serve --dir {shown})"
        )
    } else if exists(&from.join("status.json"))? {
        "a copy that follows a node was begun there, and is not complete yet: let `backup --follow` run once".to_owned()
    } else {
        "it has no backup.json. Expected a directory that creditbank-node backup has made".to_owned()
    };
    Err(BackupError::NoBackup { path: shown.to_string(), what })
}

impl Source {
    /// The log's tree up to what the manifest says, and the roots at `sizes`.
    pub(super) fn tree(&self, sizes: &[u64], progress: impl FnMut(u64)) -> Result<Tree, BackupError> {
        let Self { manifest, journal, .. } = self;
        let mut tree = Tree::new(sizes);
        tree.read(journal, Some(Point::Sequence(manifest.sequence)), progress)?;
        if (tree.head.size, tree.head.root.to_string()) == (manifest.size, manifest.root.clone()) {
            return Ok(tree);
        }
        let what = format!("the journal has size {} and root {}", tree.head.size, tree.head.root);
        Err(self.damaged("backup.json", what))
    }

    fn damaged(&self, name: &str, what: String) -> BackupError {
        BackupError::Damaged { path: self.from.join(name).display().to_string(), what }
    }

    /// As [`verify`], of a backup whose manifest was read.
    pub(crate) fn verify(
        &self,
        environment: &Environment,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), BackupError> {
        let (disk, manifest) = (&*environment.disk, &self.manifest);
        let total: u64 = manifest.files.iter().map(|file| file.bytes).sum();
        let whole = manifest.check_files(disk, &self.from, |done| progress(done, total * 2))?;
        let tree = self.tree(&[], |done| progress(total + done, total * 2))?;
        let signed = parse_published(manifest.checkpoint.as_bytes(), &manifest.origin, &self.log_keys)
            .map_err(|error| self.damaged("backup.json", error.to_string()))?;
        if (signed.size, signed.root) != (tree.head.size, tree.head.root) {
            return Err(self.damaged("backup.json", format!("its checkpoint is of size {}", signed.size)));
        }
        let path = self.from.join(KEYS);
        let mut bytes = zeroize::Zeroizing::new(disk.read(&path).map_err(at(&path))?);
        let listed = whole.iter().find(|file| file.path == KEYS).map_or(0, |file| file.bytes);
        bytes.truncate(usize::try_from(listed).unwrap_or(usize::MAX));
        let proved =
            KeyStore::prove(&bytes, 0, &path, &self.master).map_err(|error| self.damaged(KEYS, error.to_string()))?;
        if proved.is_damaged || proved.records < tree.keys {
            return Err(self.damaged(
                KEYS,
                format!("{}, the log needs {}", counted(proved.records, "key opens", "keys open"), tree.keys),
            ));
        }
        progress(total * 2, total * 2);
        Ok(())
    }
}

/// Verifies a backup in place, without changes: the manifest under the node's master key, the hash of every file, the
/// log's tree, the signed checkpoint, and the learners' keys. `keys`: where the node's keys are, if they are not in the
/// backup.
pub fn verify(
    environment: &Environment,
    from: &Path,
    keys: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    let source = open(environment, from, keys)?;
    source.verify(environment, progress)?;
    Ok(source.manifest)
}

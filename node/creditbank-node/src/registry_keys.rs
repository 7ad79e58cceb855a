//! Registry keys where they must not be: in the directory of a node that serves, and in its copies.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use creditbank_protocol::key_file::KeyFile;
use creditbank_protocol::pb::Purpose;
use creditbank_server::directory::Config;

use crate::failure::Usage;
use crate::quickstart;
use crate::shown;

/// Largest file that is examined: a key file has three lines.
const KEY_FILE_LEN_MAX: u64 = 1_024;

/// Warns that a copy includes registry keys: their owner decides which institutions are admitted.
pub(crate) fn warn_of_registry_keys_in(keys: &Path) {
    let found = registry_keys_under(keys, None);
    if let Some(found) = told(&found) {
        eprintln!(
            "warning: the copy includes registry keys: {found}. Move them to another machine or medium, each to \
             another place, and do not store the copy where the node's copies are"
        );
    }
}

/// A node does not serve while a registry key is under its directory: an intruder could decide which institutions are
/// admitted. The quickstart has all keys in one place.
pub(crate) fn refuse_registry_keys(dir: &Path, config: &Config) -> anyhow::Result<()> {
    let log = config.store.path().map(|path| dir.join(path));
    let Some(found) = told(&registry_keys_under(dir, log.as_deref())) else { return Ok(()) };
    if config.origin == quickstart::ORIGIN {
        eprintln!(
            "warning: registry keys are inside the directory of the node: {found}. Only a trial node of `quickstart` \
             is served like that"
        );
        return Ok(());
    }
    Err(Usage(format!(
        "registry keys are inside the directory of the node: {found}. Move them to another machine or medium, each to \
         another place (mv FILE /elsewhere/). The operator's commands take them with --registry-key; serving needs none"
    ))
    .into())
}

/// The files in one line; `None` if there are none.
fn told(found: &[PathBuf]) -> Option<String> {
    let shown: Vec<String> = found.iter().map(|path| shown(path).to_string()).collect();
    let more = if found.len() == KEYS_MAX { ", and perhaps more" } else { "" };
    (!found.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// How deep directories are searched: links may form a circle.
const DEPTH_MAX: u32 = 8;
/// How many registry keys are named.
const KEYS_MAX: usize = 16;

/// The registry keys under a directory, also behind links. The log is skipped: it holds no keys, and may be large.
fn registry_keys_under(dir: &Path, log: Option<&Path>) -> Vec<PathBuf> {
    let mut found = BTreeMap::new();
    add_registry_keys(dir, log, DEPTH_MAX, &mut found);
    let mut found: Vec<PathBuf> = found.into_values().collect();
    found.sort();
    found
}

/// Adds registry keys by what they are without links, so that each is named once.
fn add_registry_keys(dir: &Path, log: Option<&Path>, depth: u32, found: &mut BTreeMap<PathBuf, PathBuf>) {
    for item in fs::read_dir(dir).into_iter().flatten().flatten() {
        if found.len() == KEYS_MAX {
            return;
        }
        let path = item.path();
        let Ok(kind) = fs::metadata(&path) else { continue };
        if kind.is_dir() {
            if let Some(next) = depth.checked_sub(1)
                && Some(path.as_path()) != log
            {
                add_registry_keys(&path, log, next, found);
            }
            continue;
        }
        let is_small = kind.is_file() && kind.len() <= KEY_FILE_LEN_MAX;
        let text = if is_small { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        if KeyFile::parse(text.trim_start()).is_ok_and(|key| key.purpose == Purpose::Registry) {
            found.entry(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())).or_insert(path);
        }
    }
}

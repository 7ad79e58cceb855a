//! Checks who may read and write, before anything is read, signed or served.
//!
//! Only the node's user, and root, may write what the node trusts: its configuration, its keys, every file and
//! directory of its log. Nobody else may read its secrets.

use std::io;
use std::path::{Path, PathBuf};

use creditbank_store::{Disk, FileInfo};

use super::{Config, DirectoryError, Tls, at, keys_dir};

/// Anybody who may write here could put other keys or another log in place.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// Only its owner may read a secret.
const OPEN_TO_OTHERS: u32 = 0o077;
/// A private key for TLS comes from elsewhere. Often a group may read it.
const TLS_OPEN_TO_OTHERS: u32 = 0o027;
/// How deep directories are searched: links may form a circle.
const DEPTH_MAX: u32 = 8;

/// Information about a file or directory, if it exists.
fn info(disk: &dyn Disk, path: &Path) -> Result<Option<FileInfo>, DirectoryError> {
    match disk.info(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// Refuses a file or directory that others may write to, or that belongs to another user. It need not exist.
pub(super) fn check_writers(disk: &dyn Disk, path: &Path) -> Result<Option<FileInfo>, DirectoryError> {
    let Some(found) = info(disk, path)? else { return Ok(None) };
    let shown = || path.display().to_string();
    if let Some(owner) = found.stranger {
        return Err(DirectoryError::Owner { path: shown(), owner });
    }
    if found.mode & WRITABLE_BY_OTHERS != 0 {
        return Err(DirectoryError::Writable { path: shown(), mode: found.mode });
    }
    Ok(Some(found))
}

/// Refuses a file that others may read or write. It need not exist.
fn check_secret(disk: &dyn Disk, path: &Path) -> Result<(), DirectoryError> {
    match info(disk, path)? {
        Some(found) if found.mode & OPEN_TO_OTHERS != 0 => {
            Err(DirectoryError::Mode { path: path.display().to_string(), mode: found.mode })
        }
        _ => check_writers(disk, path).map(drop),
    }
}

/// Refuses files of `[tls]` that others may replace, and a private key that they may read.
pub(super) fn check_tls(disk: &dyn Disk, tls: &Tls) -> Result<(), DirectoryError> {
    if let Some(found) = info(disk, &tls.key)?.filter(|found| found.mode & TLS_OPEN_TO_OTHERS != 0) {
        return Err(DirectoryError::TlsMode { path: tls.key.display().to_string(), mode: found.mode });
    }
    for path in [&tls.key, &tls.certificate].into_iter().chain(&tls.client_ca) {
        check_writers(disk, path)?;
    }
    Ok(())
}

/// Calls `check` with everything below a directory.
fn each_below(
    disk: &dyn Disk,
    dir: &Path,
    depth: u32,
    check: &mut dyn FnMut(&Path) -> Result<Option<FileInfo>, DirectoryError>,
) -> Result<(), DirectoryError> {
    let names = match disk.list(dir) {
        // It belongs to a log that is being served; it is refused later.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names.map_err(at(dir))?,
    };
    for path in names.into_iter().map(|name| dir.join(name)) {
        if check(&path)?.is_some_and(|found| found.is_dir) && depth > 0 {
            each_below(disk, &path, depth - 1, check)?;
        }
    }
    Ok(())
}

/// Whether everybody may read a file of `keys/`, because it is a certificate.
fn is_certificate(path: &Path) -> bool {
    let is_key = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("key"));
    path.extension().is_some_and(|extension| extension == "pem") && !is_key
}

/// Refuses a node to whose files others may write, or whose secrets they may read.
pub(super) fn check(disk: &dyn Disk, dir: &Path, config: &Config) -> Result<(), DirectoryError> {
    let keys = keys_dir(dir);
    let mut all: Vec<PathBuf> = vec![dir.to_owned(), keys.clone()];
    all.extend(["node.toml", "trust.toml"].map(|name| dir.join(name)));
    let log = config.store.path().map(|path| dir.join(path));
    all.extend(log.clone());
    for path in all {
        check_writers(disk, &path)?;
    }
    check_secret(disk, &dir.join("learners.keys"))?;
    // The files of TLS have a rule of their own, wherever they are.
    let tls = config.tls.as_ref().map(|tls| tls.within(dir));
    let is_of_tls = |path: &Path| {
        tls.as_ref()
            .is_some_and(|tls| [&tls.key, &tls.certificate].into_iter().chain(&tls.client_ca).any(|own| own == path))
    };
    each_below(disk, &keys, DEPTH_MAX, &mut |path| {
        let is_file = info(disk, path)?.is_some_and(|found| !found.is_dir);
        if is_file && !is_certificate(path) && !is_of_tls(path) {
            check_secret(disk, path)?;
        }
        check_writers(disk, path)
    })?;
    if let Some(log) = log {
        each_below(disk, &log, DEPTH_MAX, &mut |path| check_writers(disk, path))?;
    }
    tls.map_or(Ok(()), |tls| check_tls(disk, &tls))
}
